"""Formulas of nbgrader's pages as MathML, which browsers show by themselves.

nbconvert leaves formulas to MathJax, a script that its pages load from elsewhere: without the
network a grader reads ``$\\frac{…}$``. Here they are part of the page. ``nbgrader_config.py`` names
:func:`markdown2html` as the filter, so that formgrader and ``nbgrader generate_feedback`` have it.

Students write formulas, too. What is too long, too wide or unknown to the library stays as it was
typed; what is made may draw a formula, in its place, and nothing else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import nh3
from jinja2 import pass_context
from math_core import LatexError, LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# The library goes down into itself for every brace, and some thousand deep it takes its process
# along. A formula as wide as the page has 300 characters; and none needs commands of its own, which
# would make a long formula of a short one.
_LONGEST = 1000
_DEFINES = re.compile(r"\\(g?def|let|(new|renew|provide)command)(?![A-Za-z])")
_to_mathml = LatexToMathML(fancy_error=False, max_expansions=20)

_TAGS = {
    "math", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms",
    "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr",
    "munder", "munderover", "mmultiscripts", "mprescripts", "merror",
}  # fmt: skip
_FLAGS = {
    "accent", "accentunder", "display", "displaystyle", "fence", "form", "largeop", "mathvariant",
    "movablelimits", "scriptlevel", "separator", "stretchy", "symmetric",
}  # fmt: skip
_LENGTHS = {"linethickness", "lspace", "maxsize", "minsize", "rspace", "width"}
_FLAG = re.compile(r"[a-z0-9-]{1,20}")
# Nothing is moved far enough to lie on what is beside the formula.
_LENGTH = re.compile(r"-?\d?(\.\d+)?(em|ex|rem|pt)?")
_STYLE = re.compile(
    r"((text-align|justify-items):(left|right|center|start|end)"
    r"|(width|margin-left|padding-left|padding-right):(-?[0-3]?(\.\d+)?(em)?|\d{1,2}%|100%)|;)*"
)


@pass_context  # type: ignore[untyped-decorator]  # jinja2 is left out of mypy
def markdown2html(context: Any, source: str) -> str:
    """nbconvert's filter of this name, but for the formulas."""
    cell = context.get("cell", {})
    renderer = _Renderer(
        escape=False,
        attachments=cell.get("attachments", {}),
        path=context.get("resources", {}).get("metadata", {}).get("path", ""),
    )
    return str(MarkdownWithMath(renderer=renderer).render(source))


class _Renderer(IPythonRenderer):  # type: ignore[misc]  # nbconvert has no types
    def inline_math(self, body: str) -> str:
        return mathml(body, block=False) or str(super().inline_math(body))

    def block_math(self, body: str) -> str:
        return mathml(body, block=True) or str(super().block_math(body))

    def latex_environment(self, name: str, body: str) -> str:
        made = mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)
        return made or str(super().latex_environment(name, body))


@lru_cache(maxsize=4096)  # a class hands in the lab's own formulas again and again
def mathml(latex: str, *, block: bool) -> str:
    """A formula as MathML; empty where it is none that can be made harmlessly.

    Args:
        latex: the formula, without what stands around it.
        block: whether it has a line of its own.
    """
    if len(latex) > _LONGEST or _DEFINES.search(latex):
        return ""
    numbered = block and r"\tag" in latex and r"\begin{equation" not in latex
    if numbered:  # the library knows a number at the side where LaTeX does
        latex = rf"\begin{{equation*}}{latex}\end{{equation*}}"
    try:
        made = _to_mathml.convert_with_local_state(latex, displaystyle=block)
    except LatexError:
        return ""
    return _clean.clean(made)


def _attribute(tag: str, name: str, value: str) -> str | None:
    compact = value.replace(" ", "")
    allowed = _STYLE if name == "style" else _LENGTH if name in _LENGTHS else _FLAG
    return compact if allowed.fullmatch(compact) else None


_clean = nh3.Cleaner(
    tags=_TAGS, clean_content_tags={"script", "style"},
    attributes={tag: _FLAGS | _LENGTHS | {"style"} for tag in _TAGS},
    attribute_filter=_attribute,
)  # fmt: skip
