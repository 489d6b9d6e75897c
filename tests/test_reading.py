"""The real labs' notebooks, as they come back from services and from other labs; nothing is run."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import pytest
from odd_cases import strip
from odd_submissions import table
from tiny import REPOSITORY, Notebook, as_bytes

from course_utils import lab as labs
from course_utils.grading.reading import Reading, UnreadableError, read_notebook
from course_utils.lab import Lab
from course_utils.outcome import AnswerState, Reason
from course_utils.stub import text_stub

LABS = Lab.all_in(REPOSITORY)
NAMES = [lab.name for lab in LABS]


@lru_cache
def lab_called(name: str) -> Lab:
    return Lab.find(name, REPOSITORY)


def released(name: str) -> Notebook:
    """A lab's notebook as students have it."""
    path = REPOSITORY / "labs" / name / lab_called(name).notebook_path.name
    notebook: Notebook = json.loads(path.read_text("utf-8"))
    return notebook


def _unnamed(notebook: Notebook) -> None:
    notebook["metadata"] = {}


def _without_text(notebook: Notebook) -> None:
    strip(notebook)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _without_checks(notebook: Notebook) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if not labs.is_check(cell)]
    _without_text(notebook)


WAYS = {
    "as it was": lambda notebook: None,
    "without the notebook's metadata": _unnamed,
    "without any metadata": lambda notebook: strip(notebook, ids=False),
    "without metadata and ids": strip,
    "code only": _without_text,
    "functions only": _without_checks,
}


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("theirs", NAMES)
def test_a_notebook_belongs_to_its_own_lab_only(theirs: str, change: Any) -> None:
    notebook = released(theirs)
    change(notebook)
    data = as_bytes(notebook)
    for lab in map(lab_called, NAMES):
        if lab.name == theirs:
            assert read_notebook(data, lab).checks.keys() == {e.name for e in lab.exercises}
        else:
            with pytest.raises(UnreadableError, match=f"a notebook of {theirs}") as error:
                read_notebook(data, lab)
            assert error.value.reason is Reason.WRONG_LAB


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_alone_is_known_as_this_labs(name: str) -> None:
    """A copy with one exercise left, without any metadata, is still this lab's."""
    lab, notebook = lab_called(name), released(name)
    theirs = [c for c in notebook["cells"] if labs.is_solution(c) and not labs.is_written(c)]
    strip(notebook)
    assert len(theirs) == len(lab.exercises)
    for cell in theirs:
        read_notebook(as_bytes({**notebook, "cells": [cell]}), lab)


def answered(name: str) -> Notebook:
    notebook = released(name)
    for number, cell in enumerate(notebook["cells"]):
        if labs.is_written(cell):
            cell["source"] = f"Answer {number}, for a person."
    return notebook


def states(reading: Reading) -> set[AnswerState]:
    return {answer.state for answer in reading.written}


@pytest.mark.parametrize("name", NAMES)
def test_stripped_notebooks_get_every_cell_back(name: str) -> None:
    lab, notebook = lab_called(name), answered(name)
    whole = read_notebook(as_bytes(notebook), lab)
    assert whole.notices == []
    assert states(whole) == {AnswerState.WRITTEN}
    for ids in (False, True):
        strip(notebook, ids=ids)
        reading = read_notebook(as_bytes(notebook), lab)
        assert _shape(reading) == _shape(whole)
        assert states(reading) == {AnswerState.WRITTEN}
        assert [source for _, source in reading.program] == [s for _, s in whole.program]


def _shape(reading: Reading) -> list[tuple[str, str]]:
    return [(labs.grade_id(cell), cell["source"]) for cell in reading.notebook["cells"]]


@pytest.mark.parametrize("name", NAMES)
def test_stubs_are_known_as_left(name: str) -> None:
    """What the release puts in an answer's place is known without the gradebook."""
    lab, notebook = lab_called(name), released(name)
    assert states(read_notebook(as_bytes(notebook), lab)) == {AnswerState.LEFT}
    texts = {labs.grade_id(c): labs.source(c) for c in notebook["cells"] if labs.is_written(c)}
    for cell in lab.notebook["cells"]:
        if labs.is_written(cell):
            assert text_stub(labs.source(cell)) == texts[labs.grade_id(cell)]


def test_a_region_in_a_written_answer_is_replaced_as_nbgrader_does() -> None:
    source = "Because\n  ### BEGIN SOLUTION\n  of x\n  ### END SOLUTION\nholds."
    assert text_stub(source) == "Because\n  YOUR ANSWER HERE\nholds."


def test_the_document_holds_the_collection() -> None:
    text = (REPOSITORY / "docs" / "odd-submissions.md").read_text("utf-8")
    assert text.endswith(table()), "python tests/odd_submissions.py prints it anew"
