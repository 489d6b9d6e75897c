"""What students wrote does nothing to whoever opens it: notebooks, pages, in every language."""

from __future__ import annotations

import base64
import json
from typing import Any

import nbformat
import pytest
from attacks import weapons
from looks import dangers
from nbconvert.filters import ansi2html, markdown2html
from tiny import cell, tiny_notebook

from course_utils.grading import feedback, inert, markup
from course_utils.ground.statuses import Status
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import TestOutcome

# What pandas makes of DataFrame({"loss": [0.5, -1.25], "name": ["a<b", "c"]}).
PANDAS = """<div>
<style scoped>
    .dataframe tbody tr th:only-of-type { vertical-align: middle; }
</style>
<table border="1" class="dataframe">
  <thead>
    <tr style="text-align: right;"><th></th><th>loss</th><th>name</th></tr>
  </thead>
  <tbody>
    <tr><th>0</th><td>0.50</td><td>a&lt;b</td></tr>
    <tr><th>1</th><td>-1.25</td><td>c</td></tr>
  </tbody>
</table>
</div>"""
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def test_the_looks_see_weapons() -> None:
    """Of the payloads as they are, nearly all are seen; a look that sees nothing proves nothing."""
    seen = [payload for payload in weapons.HTML if dangers(payload)]
    assert len(seen) >= len(weapons.HTML) - 3


@pytest.mark.parametrize("payload", weapons.HTML)
def test_html_in_an_output(payload: str) -> None:
    made = markup.html(f"<p>before</p>{payload}<p>after</p>")
    assert made is not None
    assert dangers(made) == []
    assert "before" in made


def test_a_picture_keeps_its_alternative_text() -> None:
    """What nbconvert puts into the page's tag, and no more of an output's metadata."""
    text = "Five lines fall; SGD's stays at −1."
    about: dict[str, Any] = {"alt": text, "width": 10**9, "onload": "alert(1)"}
    metadata = {"image/png": about, "isolated": True, "image/jpeg": {"alt": "there is none"}}
    picture = {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": metadata}
    (made,) = inert.outputs([picture])
    assert made["metadata"] == {"image/png": {"alt": text}}
    about["alt"] = '"><script>alert(1)</script>'
    (made,) = inert.outputs([picture])
    assert dangers(f'<img alt="{made["metadata"]["image/png"]["alt"]}">') == []
    for odd in (None, 5, ["a"], {"a": 1}):
        about["alt"] = odd
        assert inert.outputs([picture])[0]["metadata"] == {}


@pytest.mark.parametrize("payload", [*weapons.MARKDOWN, *weapons.HTML, *weapons.LATEX])
def test_markdown_as_nbconvert_renders_it(payload: str) -> None:
    for text in (payload, f"before {payload} after", f"* {payload}\n\n{payload}", f"> {payload}"):
        assert dangers(str(markdown2html(markup.markdown(text)))) == []


@pytest.mark.parametrize("payload", weapons.LATEX)
def test_latex_loses_its_dangerous_commands(payload: str) -> None:
    made = markup.latex(payload)
    for command in ("\\href", "\\class", "\\cssId", "\\style", "\\input", "\\write", "\\immediate"):
        assert command not in made


@pytest.mark.parametrize("payload", weapons.TERMINAL)
def test_what_was_printed_shows_in_pages_without_commanding_terminals(payload: str) -> None:
    made = markup.terminal(f"before {payload} after \x1b[1;31mred\x1b[0m")
    assert dangers(ansi2html(made)) == []
    assert ansi2html(made).startswith("before") and "ansi-red" in ansi2html(made)
    plain = made.replace("\x1b[1;31m", "").replace("\x1b[0m", "")
    assert not set("\x07\x08\x7f\x9b\x9d\u202e\u2066") & set(plain)
    assert "\x1b" not in plain or ansi2html(plain) is not None


@pytest.mark.parametrize("data", weapons.OUTPUTS, ids=lambda data: next(iter(data))[:40])
def test_an_output_holds_what_is_on_the_list(data: dict[str, object]) -> None:
    shown = {"output_type": "execute_result", "data": data, "metadata": {"text/html": "x"},
             "execution_count": 1}  # fmt: skip
    (made,) = inert.outputs([shown])
    allowed = {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg",
               "image/gif"}  # fmt: skip
    assert made["data"].keys() <= allowed and made["data"]
    assert all(isinstance(value, str) for value in made["data"].values())
    assert dangers(made["data"].get("text/html", "")) == []
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize("bundle", weapons.ATTACHMENTS)
def test_an_attachment_is_a_picture_or_nothing(bundle: dict[str, dict[str, str]]) -> None:
    name = next(iter(bundle))
    made = made_of(text(f"see ![x](attachment:{name})", attachments=bundle))
    assert "attachments" not in made
    assert dangers(rendered(made)) == []


def text(source: str, kind: str = "markdown", **more: Any) -> dict[str, Any]:
    return cell(source, "mine", kind) | more


def made_of(one: dict[str, Any]) -> dict[str, Any]:
    lab = tiny_notebook()
    made = inert.notebook({**lab, "cells": [one]}, lab)
    nbformat.validate(nbformat.from_dict(made))
    (only,) = made["cells"]
    assert isinstance(only, dict)
    return only


def rendered(one: dict[str, Any]) -> str:
    return str(markdown2html(one["source"]))


def test_pictures_and_tables_stay() -> None:
    table = inert.media({"text/html": PANDAS, "image/png": f"{PNG}\n"})
    assert table["image/png"] == PNG
    for kept in ('<table border="1" class="dataframe">', "<th>loss</th>", "<td>-1.25</td>",
                 "<td>a&lt;b</td>", "text-align:right"):  # fmt: skip
        assert kept in table["text/html"]
    answer = made_of(text("![a sheet](attachment:my%20sheet.png)",
                          attachments={"my sheet.png": {"image/png": PNG}}))  # fmt: skip
    assert answer["source"] == "![a sheet](attachment:picture-1)"
    assert answer["attachments"] == {"picture-1": {"image/png": PNG}}


@pytest.mark.parametrize("written", [
    "If $a < b$ and $\\sigma(x) \\le 1$, then **exp** overflows; see `x[i]`, `f(x)[0](y)`.",
    "| a | b |\n|---|---|\n| 1 | 2 |", "> quoted\n\n1. one\n2. two\n\n---\n\n```py\nx = {}\n```",
    "[paper](https://arxiv.org/abs/1412.6980?a=1&b=2) and [above](#loss), ![sheet](img/sheet.png)",
    "x<sub>1</sub><br>y<sup>2</sup>", "$$\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}$$",
    "Größe, 李, \U0001f600", "a & b && c &amp; d", "<img src=\"img/sheet.png\" width=\"300\">",
    "[paper][1]\n\n[1]: https://arxiv.org/abs/1412.6980",
])  # fmt: skip
def test_an_ordinary_answer_stays_as_it_was_written(written: str) -> None:
    assert made_of(text(written))["source"] == written


def test_the_labs_own_text_is_left_alone() -> None:
    lab = tiny_notebook()
    lab["cells"][0]["source"] = "<details><summary>More</summary>[x](javascript:1)</details>"
    assert inert.notebook(lab, lab)["cells"][0]["source"] == lab["cells"][0]["source"]


def test_metadata_are_the_labs() -> None:
    forged = tiny_notebook()
    forged["metadata"] |= {
        "title": "</title><script>1</script>", "widgets": {"application/json": {"state": {}}},
        "kernelspec": {"name": "evil", "argv": ["sh"]}, "authors": [{"name": "\\input{x}"}],
    }  # fmt: skip
    for one in forged["cells"]:
        one["metadata"] |= {"raw_mimetype": "text/html", "tags": ["x\" onclick=\"1", "explore"],
                            "jupyter": {"source_hidden": True}}  # fmt: skip
    made = inert.notebook(forged, tiny_notebook())
    assert made["metadata"] == tiny_notebook()["metadata"]
    for one in made["cells"]:
        assert one["metadata"].keys() <= {"nbgrader", "tags"}
        assert one["metadata"]["tags"] == ["explore"]


@pytest.mark.parametrize("payload", [*weapons.HTML, *weapons.TERMINAL])
def test_a_panel_quotes_exceptions_and_does_not_obey(payload: str) -> None:
    raised = TestOutcome("test_x", "softmax", payload, False, 1.0, Status.ERROR, message=payload)
    shown = feedback.exercise_panel(ExerciseResult("softmax", 4.0, (raised,)))
    assert set(dangers(shown.html)) <= {"<details>"}
    for text in (shown.html, shown.text):
        assert all(char.isprintable() or char in "\n\t" for char in text)


def test_much_is_looked_at_in_no_time() -> None:
    """Nesting costs quadratic time in every parser; what is nested too deep is left out."""
    assert inert.media({"text/html": "<div>" * 100_000, "text/plain": "x"}) == {"text/plain": "x"}
    for unit in ("<", "![", "](", "\x1b]", "\x1b[1;", "<img ", "`", "attachment:"):
        for make in (markup.markdown, markup.terminal, markup.latex):
            assert isinstance(make(unit * 50_000), str)
