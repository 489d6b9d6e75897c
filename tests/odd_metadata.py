"""Odd submissions: old formats, broken metadata, and notebooks of other labs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from odd_cases import UNFOUND, WRITTEN, edited, group, strip, the
from odd_lab import FULL, SCALE_ONLY, answer, code, other_lesson, text
from tiny import SCALE, SOFTMAX, Notebook

from course_utils.ground.statuses import Reason


def _format_3(notebook: Notebook) -> Notebook:
    cells = [
        {"cell_type": "code", "language": "python", "metadata": {}, "collapsed": False,
         "input": source, "outputs": [], "prompt_number": 1}
        for source in ("import numpy as np", SOFTMAX, SCALE)
    ]  # fmt: skip
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
            "worksheets": [{"metadata": {}, "cells": cells}]}  # fmt: skip


def _no_ids(notebook: Notebook) -> None:
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]


edited("format-3", "the old format 3, without text cells", _format_3,
      Reason.WRITTEN_ANSWER_MISSING, written=(UNFOUND, UNFOUND))  # fmt: skip
edited("format-4.4", "format 4.4, whose cells have no ids", _no_ids)

group("Metadata and form")


def _each(change: Callable[[int, dict[str, Any]], Any]) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        for number, cell in enumerate(notebook["cells"]):
            change(number, cell)

    return edit


def _deep(levels: int) -> Any:
    return json.loads('{"a":' * levels + "1" + "}" * levels)


edited("no-notebook-metadata", "the notebook's metadata are lost", lambda nb: nb.pop("metadata"),
      Reason.METADATA_REPAIRED)  # fmt: skip
edited("stripped", "all metadata are lost, as some services leave it",
      lambda nb: strip(nb, ids=False), Reason.CELL_RESTORED)  # fmt: skip
edited("stripped-ids", "all metadata and all ids are lost", strip, Reason.WRITTEN_ANSWER_MOVED)
edited("colab", "the cells' ids stand in their metadata, as Colab has them", _each(
    lambda n, c: c.update(metadata={"id": c["id"], "colab": {"x": 1}}, id=f"x{n}")),
    Reason.CELL_RESTORED)  # fmt: skip
edited("nbgrader-word", "nbgrader's metadata are a word", lambda nb: the(nb, "softmax").update(
    metadata={"nbgrader": "yes"}), Reason.CELL_RESTORED)  # fmt: skip
edited("nbgrader-old", "nbgrader's metadata lack their version", _each(
    lambda n, c: c["metadata"].get("nbgrader", {}).pop("schema_version", 0)))  # fmt: skip
edited("nbgrader-half", "nbgrader's metadata are an id only", lambda nb: the(nb, "softmax").update(
    metadata={"nbgrader": {"grade_id": "softmax"}}))  # fmt: skip
edited("nbgrader-strange", "an nbgrader id that no lab has", lambda nb: nb["cells"].append(
    answer("mine", "mine")))  # fmt: skip
edited("points-raised", "more points, written into the metadata", lambda nb: the(
    nb, "check_softmax")["metadata"]["nbgrader"].update(points=400))  # fmt: skip
edited("metadata-list", "a list where a cell's metadata should be", lambda nb: the(
    nb, "softmax").update(metadata=[]), Reason.CELL_RESTORED)  # fmt: skip
edited("metadata-deep", "metadata 400 levels deep", lambda nb: the(
    nb, "softmax")["metadata"].update(deep=_deep(400)), Reason.METADATA_REPAIRED)  # fmt: skip
edited("metadata-nan", "NaN in the metadata", lambda nb: nb["metadata"].update(
    x=float("nan")), Reason.METADATA_REPAIRED)  # fmt: skip
edited("half-character", "half of an emoji in an answer", lambda nb: the(nb, "written_why").update(
    source="The logits \ud83d"), Reason.METADATA_REPAIRED)  # fmt: skip
edited("same-ids", "every cell has the same id", _each(lambda n, c: c.update(id="x")))
edited("id-number", "ids that are numbers", _each(lambda n, c: c.update(id=n)))
edited("lines", "sources as lists of lines", _each(
    lambda n, c: c.update(source=c["source"].splitlines(keepends=True))))  # fmt: skip
edited("windows-lines", "Windows' line ends", _each(
    lambda n, c: c.update(source=c["source"].replace("\n", "\r\n"))))  # fmt: skip
edited("word-for-cell", "a word among the cells", lambda nb: nb["cells"].insert(1, "cell"),
      Reason.METADATA_REPAIRED)  # fmt: skip
edited("no-type", "a cell without a type", lambda nb: the(nb, "softmax").pop("cell_type"),
      Reason.METADATA_REPAIRED)  # fmt: skip
edited("no-source", "a text cell without text", lambda nb: the(nb, "end").pop("source"))
edited("number-source", "a number as a text", lambda nb: the(nb, "end").update(source=3),
      Reason.METADATA_REPAIRED)  # fmt: skip
edited("outputs-word", "outputs of no form", lambda nb: the(nb, "softmax").update(outputs="yes"))
edited("other-kernel", "another kernel's name", lambda nb: nb["metadata"].update(
    kernelspec={"name": "ir", "language": "R", "display_name": "R"}))  # fmt: skip

group("Which lab it is")
_OTHER: dict[str, Any] = {"reason": Reason.WRONG_LAB, "score": 0, "written": ()}


def _no_metadata(notebook: Notebook) -> Notebook:
    notebook["metadata"] = {}
    return notebook


def _bare_other(notebook: Notebook) -> Notebook:
    other = other_lesson()
    strip(other)
    return other


def _one_function(notebook: Notebook) -> None:
    notebook["cells"] = [code(SOFTMAX)]
    notebook["metadata"] = {}


def _into_the_other(notebook: Notebook) -> Notebook:
    other = other_lesson()
    other["cells"] += [code(SOFTMAX), code(SCALE)]
    return other


edited("other-lab", "another lab's notebook, which shares names with this one",
      lambda nb: other_lesson(), **_OTHER)  # fmt: skip
edited("other-lab-unnamed", "the same without the notebook's metadata",
      lambda nb: _no_metadata(other_lesson()), **_OTHER)  # fmt: skip
edited("other-lab-stripped", "the same without any metadata", _bare_other, **_OTHER)
edited("no-lab", "a notebook of the student's own", lambda nb: {
    **nb, "metadata": {}, "cells": [code("x = 1"), text("# Notes", "n")]}, **_OTHER)  # fmt: skip
edited("lab-renamed", "this lab's, in whose metadata another lab is named",
      lambda nb: nb["metadata"]["course"].update(lab="lab01_other"))  # fmt: skip
edited("one-function", "one function of this lab, in a notebook without metadata", _one_function,
      Reason.FUNCTION_MISSING, FULL - SCALE_ONLY, (UNFOUND, UNFOUND))  # fmt: skip
edited("in-the-other", "this lab's functions, written into another lab's notebook", _into_the_other,
      Reason.WRITTEN_ANSWER_MISSING, written=(WRITTEN, UNFOUND))  # fmt: skip
edited("many-own", "with forty functions of the student's own", lambda nb: nb["cells"].extend(
    code(f"def own_{n}():\n    return {n}") for n in range(40)))  # fmt: skip
