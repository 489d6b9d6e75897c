"""The tiny lab with questions that a person reads, in a course with a second lab that shares names
with it: what odd submissions are made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tiny import REPOSITORY, SCALE, SOFTMAX, TINY_LAB, Notebook, cell, write_tiny_lab

OTHER_LAB = "lab01_other"
NAME = "tiny.ipynb"
FULL = 5.0  # softmax 4, scale 1
SCALE_ONLY = 1.0
WHY, WHEN = "The logits.", "Above 709."
_CHECK: dict[str, Any] = {"grade": True, "locked": True}


def _with_metadata(lab: str, cells: list[dict[str, Any]]) -> Notebook:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3 (ipykernel)"}
    return {
        "nbformat": 4, "nbformat_minor": 5,
        "metadata": {"course": {"lab": lab}, "kernelspec": kernel}, "cells": cells,
    }  # fmt: skip


def text(source: str, name: str) -> dict[str, Any]:
    """A text cell with a cell id and no nbgrader metadata."""
    return cell(source, kind="markdown") | {"id": name}


def answer(source: str, name: str) -> dict[str, Any]:
    """A written answer's cell."""
    return cell(source, name, "markdown", grade=True, solution=True, points=2)


def code(source: str) -> dict[str, Any]:
    """A code cell of the student's own."""
    return cell(source) | {"id": f"own-{abs(hash(source)) % 10**8}"}


def lesson() -> Notebook:
    """The lab's notebook with right code and with both answers written: a perfect submission."""
    look = code("picture = softmax(np.arange(3.0))") | {"id": "look"}
    look["metadata"] = {"tags": ["explore"]}
    return _with_metadata(TINY_LAB, [
        text("# A tiny lab", "title"),
        cell("import numpy as np\n\nfrom course_utils import check, hint", "setup", locked=True),
        text("## Exercise 1 · softmax", "softmax_text"),
        cell(SOFTMAX, "softmax", solution=True),
        cell('check("softmax")', "check_softmax", points=4, **_CHECK),
        text("## Exercise 2 · scale", "scale_text"),
        cell(SCALE, "scale", solution=True),
        cell('check("scale")', "check_scale", points=1, **_CHECK),
        look,
        text("## Written questions", "questions"),
        text("**Question 1.** Which numbers go into softmax?", "question_why"),
        answer(WHY, "written_why"),
        text("**Question 2.** When does exp overflow?", "question_when"),
        answer(WHEN, "written_when"),
        text("## The end", "end"),
    ])  # fmt: skip


def other_lesson() -> Notebook:
    """Another lab, which has ``setup``, ``scale`` and ``check_scale`` as well."""
    return _with_metadata(OTHER_LAB, [
        text("# Another lab", "title"),
        cell("import numpy as np", "setup", locked=True),
        text("## Exercise 1 · shift", "shift_text"),
        cell("def shift(x, by):\n    return x + by", "shift", solution=True),
        cell('check("shift")', "check_shift", points=2, **_CHECK),
        cell(SCALE, "scale", solution=True),
        cell('check("scale")', "check_scale", points=1, **_CHECK),
        text("## Written questions", "questions"),
        answer("Because.", "written_shift"),
    ])  # fmt: skip


def write_odd_course(root: Path) -> Path:
    """Write a course folder with both labs and this repository's nbgrader settings."""
    folder = write_tiny_lab(root / "solutions")
    (folder / NAME).write_text(json.dumps(lesson(), indent=1), "utf-8")
    other = root / "solutions" / OTHER_LAB
    other.mkdir()
    (other / "other.ipynb").write_text(json.dumps(other_lesson(), indent=1), "utf-8")
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    return root
