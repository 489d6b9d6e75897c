"""Formulas on nbgrader's pages: MathML that draws them, and does nothing else."""

from __future__ import annotations

import re

import pytest
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_markdown_cell, new_notebook
from tiny import REPOSITORY
from traitlets.config import Config, PyFileConfigLoader

from course_utils.grading.formulas import mathml
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab


@pytest.fixture(scope="module")
def exporter() -> HTMLExporter:
    """What nbgrader makes its pages with, under this repository's settings."""
    loader = PyFileConfigLoader("nbgrader_config.py", path=str(REPOSITORY))
    return HTMLExporter(config=Config(loader.load_config()), template_name="classic")


def page(exporter: HTMLExporter, text: str) -> str:
    """What a page shows of a text cell."""
    html, _ = exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell(text)]))
    body = re.search(r"<body.*</body>", html, re.DOTALL)
    assert body
    return body[0]


class _Collector(IPythonRenderer):  # type: ignore[misc]  # nbconvert has no types
    """Formulas as nbconvert finds them in markdown."""

    def __init__(self) -> None:
        super().__init__(escape=False)
        self.found: list[tuple[str, bool]] = []

    def inline_math(self, body: str) -> str:
        self.found.append((body, False))
        return ""

    def block_math(self, body: str) -> str:
        self.found.append((body, True))
        return ""


def formulas(lab: Lab) -> list[tuple[str, bool]]:
    collector = _Collector()
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "markdown":
            MarkdownWithMath(renderer=collector).render(lab_cells.source(cell))
    return collector.found


@pytest.mark.parametrize("lab", Lab.all_in(REPOSITORY), ids=lambda lab: lab.name)
def test_every_formula_of_the_labs_is_set(lab: Lab) -> None:
    found = formulas(lab)
    assert len(found) > 20
    for latex, block in found:
        made = mathml(latex, block=block)
        assert made.startswith("<math"), latex
        assert "merror" not in made
        assert "\\" not in made, latex


def test_formulas_keep_their_number_and_their_place(exporter: HTMLExporter) -> None:
    text = "With $n$ rows\n\n$$L = -\\frac1n \\sum_i \\log p_i \\tag{4}$$\n\n**so**."
    made = page(exporter, text)
    assert "$" not in made
    assert "<p>With <math><mi>n</mi></math> rows</p>" in made
    assert "<mfrac><mn>1</mn><mi>n</mi></mfrac>" in made
    assert "<mtext>(4)</mtext>" in made
    assert "<strong>so</strong>" in made


def test_environments_are_formulas(exporter: HTMLExporter) -> None:
    made = page(exporter, "\\begin{align}a &= b \\\\ c &= d\\end{align}")
    assert made.count("<mtr>") == 2
    assert "\\begin" not in made


@pytest.mark.parametrize(
    "latex",
    [
        "\\unheard{x}", "x^2^", "\\frac{1}", "x & y", "a" * 1001,
        "\\def\\a{x}\\a", "\\newcommand{\\a}{x}\\a", "\\let\\a=x\\a",
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_shown_as_it_was_typed(exporter: HTMLExporter, latex: str) -> None:
    assert mathml(latex, block=False) == ""
    assert f"${latex.replace('&', '&amp;')}$" in page(exporter, f"so ${latex}$ it is")


@pytest.mark.parametrize(
    ("begin", "end"),
    [("{", "}"), ("x^{", "}"), ("\\sqrt{", "}"), ("\\frac1{", "}"), ("\\left(", "\\right)")],
)
def test_depth_ends_nothing(exporter: HTMLExporter, begin: str, end: str) -> None:
    """The longest formula that is taken, and one that would end the process."""
    for count in (1000 // (len(begin) + len(end)) - 1, 40_000):
        assert "ends here" in page(exporter, f"${begin * count}x{end * count}$ ends here")


ALLOWED = re.compile(r"</?(math|m[a-z]+)((?: [a-z]+=\"[\w.:;% -]*\")*)>")
HOSTILE = [
    "\\text{<script>alert(1)</script>}", "\\text{</math><img src=x onerror=alert(1)>}",
    "\\href{javascript:alert(1)}{x}", "\\operatorname{<b onclick=x>}", "<img src=x onerror=a>",
    "\\begin{equation}\\label{a}x\\end{equation}\\eqref{a}", "\\eqref{a}", "\\class{a}{x}",
    "\\textcolor{red}{x}", "\\color{#ff0000}x", "\\unicode{60}", "\\style{position:fixed}{x}",
    "\\begin{array}{c}<script>\\end{array}", "\\tag{<script>}x", "\\text{\" onload=\"x}",
]  # fmt: skip


@pytest.mark.parametrize("latex", HOSTILE)
def test_a_formula_is_nothing_but_a_formula(latex: str) -> None:
    for block in (False, True):
        made = mathml(latex, block=block)
        assert "<" not in ALLOWED.sub("", made)
        assert "<a" not in made


@pytest.mark.parametrize(
    "latex",
    ["\\hspace{99999em}x", "\\hspace{-99em}x", "\\kern-500pt x", "\\raisebox{9999pt}{x}",
     "\\mathrlap{x}\\hspace{-40em}"],
)  # fmt: skip
def test_nothing_is_drawn_over_what_is_beside(latex: str) -> None:
    made = mathml(latex, block=True)
    lengths = [abs(float(n)) for n in re.findall(r"(-?[\d.]+)(?:em|pt|ex|rem)", made)]
    assert max(lengths, default=0) < 10
    assert "voffset" not in made
