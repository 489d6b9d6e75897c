"""A student in JupyterLab and in Notebook 7, with a lab as it is released: typed, and then seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import (
    Notebook,
    asked_elsewhere,
    chromium,
    jupyterlab,
    needs_chromium,
    use_theme,
    violations,
    visit,
)
from playwright.sync_api import Browser, expect
from serving import Server
from tiny import REPOSITORY

# Half a minute by itself; beside the rest of the suite, minutes.
pytestmark = [needs_chromium, pytest.mark.timeout(900)]

LAB = "lab02_softmax_nll"
PATH = f"{LAB}/softmax_nll.ipynb"
OTHER = f"another/{PATH}"
WRONG = """def softmax(x, axis=-1):
    e = np.exp(x)
    return e / np.sum(e, axis=axis, keepdims=True)
"""
RIGHT = WRONG.replace("np.exp(x)", "np.exp(x - np.max(x, axis=axis, keepdims=True))")
NAIVE = """def logsumexp(x, axis=-1):
    return np.log(np.sum(np.exp(x), axis=axis))
"""
OUR_PANELS = ".jp-OutputArea-output section[aria-label]"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, settings: Path) -> Iterator[Server]:
    """JupyterLab in a folder that holds the lab and no more, as a student has it."""
    root = tmp_path_factory.mktemp("student")
    for path in (PATH, OTHER):
        shutil.copytree(REPOSITORY / "labs" / LAB, (root / path).parent)
    with jupyterlab(root, settings) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_a_student_makes_mistakes_and_mends_one(
    server: Server, browser: Browser, settings: Path
) -> None:
    with visit(browser, server) as page:
        elsewhere = asked_elsewhere(page, server)
        notebook = Notebook(page, server, PATH)
        formulas = page.locator(".jp-MarkdownCell mjx-container")
        expect(formulas.last).to_be_attached()
        assert formulas.count() > 100
        notebook.run(notebook.cell("import numpy as np"))

        notebook.write(notebook.cell('"""Probabilities from logits'), WRONG)
        notebook.run(notebook.cell(WRONG.splitlines()[0]))
        shown = notebook.run(notebook.cell('check("softmax")'))
        expect(shown).to_contain_text("Most likely mistake: no max shift")
        expect(shown).to_contain_text("softmax: 2 of 7 public claims do not hold (see above)")
        expect(shown.get_by_role("img", name="does not hold")).to_have_count(2)

        notebook.write(notebook.cell(WRONG.splitlines()[0]), RIGHT)
        notebook.run(notebook.cell(RIGHT.splitlines()[0]))
        shown = notebook.run(notebook.cell('check("softmax")'))
        expect(shown).to_contain_text("public claims: 7/7, all hold")
        expect(shown.get_by_role("img", name="holds", exact=True)).to_have_count(7)

        notebook.write(notebook.cell('"""log Σ e^x along an axis'), NAIVE)
        notebook.run(notebook.cell(NAIVE.splitlines()[0]))
        notebook.run(notebook.cell('check("logsumexp")'))
        shown = notebook.run(notebook.add_below(notebook.cell('check("softmax")'), "progress()"))
        expect(shown.get_by_role("region", name=f"progress in {LAB}")).to_be_visible()
        expect(shown.locator("tr", has_text="softmax37/7")).to_contain_text("all public")
        assert violations(page, OUR_PANELS) == []

        page.get_by_role("button", name="Validate").click()
        said = page.locator(".jp-Dialog")
        expect(said).to_contain_text("Validation Results")
        expect(said).to_contain_text('check("nll_loss")')
        expect(said).to_contain_text("does not hold. Most likely mistake: raw exponentials.")
        expect(said).not_to_contain_text('check("softmax")')
        page.get_by_role("button", name="Ok", exact=True).click()
        assert elsewhere == []

    # Validate has saved it. It is opened again by night, and in a window as narrow as a phone.
    use_theme(settings, "JupyterLab Dark")
    with visit(browser, server, viewport={"width": 500, "height": 800}) as page:
        Notebook(page, server, PATH)
        expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached()
        page.keyboard.press("Control+B")  # the list of files takes half of the window
        expect(page.locator("#jp-left-stack")).to_be_hidden()
        panels = page.locator(OUR_PANELS)
        expect(panels).to_have_count(3)
        assert violations(page, OUR_PANELS) == []
        for panel in panels.all():  # nothing is cut off at the side
            assert panel.evaluate("e => e.scrollWidth <= e.parentElement.clientWidth")


def test_a_student_in_notebook_7(server: Server, browser: Browser) -> None:
    """The same pages, served beside JupyterLab by the package that nbgrader needs anyway."""
    with visit(browser, server) as page:
        elsewhere = asked_elsewhere(page, server)
        notebook = Notebook(page, server, OTHER, notebook7=True)
        notebook.run(notebook.cell("import numpy as np"))
        notebook.write(notebook.cell('"""Probabilities from logits'), WRONG)
        notebook.run(notebook.cell(WRONG.splitlines()[0]))
        shown = notebook.run(notebook.cell('check("softmax")'))
        expect(shown).to_contain_text("Most likely mistake: no max shift")
        assert shown.get_by_role("img", name="entries differ").is_visible()
        assert violations(page, OUR_PANELS) == []
        assert elsewhere == []
