"""The real labs' notebooks, as they come back from services and from other labs; nothing is run."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from functools import lru_cache
from typing import Any

import nbformat
import pytest
import tiny
from odd_cases import strip
from odd_submissions import table
from tiny import REPOSITORY, Notebook, as_bytes, tiny_notebook

from course_utils.grading.reading.notebook import Reading, UnreadableError, read_notebook
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason
from course_utils.ground.stub import text_stub
from course_utils.verdict.submission import AnswerState

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
    notebook["cells"] = [cell for cell in notebook["cells"] if not lab_cells.is_check(cell)]
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
    solutions = [c for c in notebook["cells"] if lab_cells.is_solution(c)]
    theirs = [c for c in solutions if not lab_cells.is_written(c)]
    strip(notebook)
    assert len(theirs) >= len(lab.exercises)  # a bonus has a cell, and no check
    for cell in theirs:
        read_notebook(as_bytes({**notebook, "cells": [cell]}), lab)


def answered(name: str) -> Notebook:
    notebook = released(name)
    for number, cell in enumerate(notebook["cells"]):
        if lab_cells.is_written(cell):
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
    return [(lab_cells.grade_id(cell), cell["source"]) for cell in reading.notebook["cells"]]


@pytest.mark.parametrize("name", NAMES)
def test_stubs_are_known_as_left(name: str) -> None:
    """What the release puts in an answer's place is known without the gradebook."""
    lab, notebook = lab_called(name), released(name)
    assert states(read_notebook(as_bytes(notebook), lab)) == {AnswerState.LEFT}
    answers = [c for c in notebook["cells"] if lab_cells.is_written(c)]
    texts = {lab_cells.grade_id(c): lab_cells.source(c) for c in answers}
    for cell in lab.notebook["cells"]:
        if lab_cells.is_written(cell):
            assert text_stub(lab_cells.source(cell)) == texts[lab_cells.grade_id(cell)]


def test_a_region_in_a_written_answer_is_replaced_as_nbgrader_does() -> None:
    source = "Because\n  ### BEGIN SOLUTION\n  of x\n  ### END SOLUTION\nholds."
    assert text_stub(source) == "Because\n  YOUR ANSWER HERE\nholds."


def test_the_document_holds_the_collection() -> None:
    text = (REPOSITORY / "docs" / "odd-submissions.md").read_text("utf-8")
    assert text.endswith(table()), "python tests/odd_submissions.py prints it anew"


# -- files that are made to cost


def _tiny(more: str) -> bytes:
    return (json.dumps(tiny_notebook())[:-1] + more + "}").encode()


COSTLY: dict[str, bytes] = {
    "values": _tiny(',"x":[' + "[]," * 10**6 + "1]"),
    "escaped letters": _tiny(',"x":"' + "\\\\" * (10**6 + 1) + '"'),
    "values behind an open text": (b'{"x":[' + b"1," * 10**6 + b'"' + b'\\",' * 10**5),
    "cells": as_bytes(tiny_notebook() | {"cells": [{}] * 5001}),
}


@pytest.mark.parametrize("data", COSTLY.values(), ids=COSTLY)
def test_what_would_take_much_more_than_its_size_is_refused(data: bytes, tiny_lab: Lab) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_notebook(data, tiny_lab)
    assert caught.value.reason is Reason.TOO_LARGE


def test_commas_in_texts_are_no_values(tiny_lab: Lab) -> None:
    read_notebook(_tiny(',"x":"' + "," * (2 * 10**6) + '"'), tiny_lab)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [("source", None), ("source", [["x"], None, 3]), ("source", {"a": 1}), ("metadata", None),
     ("metadata", {"collapsed": "yes"}), ("metadata", {"tags": "one"}), ("metadata", {"name": ""}),
     ("metadata", {"tags": ["a", "a"]}), ("metadata", {"scrolled": 3}),
     ("metadata", {"execution": {"iopub.status.busy": 1}}), ("metadata", {"jupyter": []}),
     ("attachments", {"a": {"image/png": float("nan")}}), ("id", 5), ("outputs", "text")],
    ids=str,
)  # fmt: skip
def test_a_part_of_the_wrong_type_is_set_aside(place: str, wrong: Any, tiny_lab: Lab) -> None:
    notebook = tiny_notebook()
    for cell in notebook["cells"]:
        cell[place] = wrong
    reading = read_notebook(json.dumps(notebook).encode(), tiny_lab)
    nbformat.validate(nbformat.from_dict(reading.notebook))


@pytest.mark.parametrize("place", ["source", "metadata", "attachments", "outputs", "id", "x"])
@pytest.mark.parametrize("whole", [False, True])
def test_deep_nesting_passes_through_every_writer(
    place: str, whole: bool, tiny_lab: Lab
) -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = [deep] if place == "source" else {"a": deep}
    notebook = tiny_notebook()
    for holder in [notebook] if whole else notebook["cells"]:
        holder[place] = deep
    reading = read_notebook(json.dumps(notebook).encode(), tiny_lab)
    assert pickle.loads(pickle.dumps(reading)).notebook == reading.notebook
    json.dumps(reading.notebook, allow_nan=False)


@pytest.mark.parametrize("broken", ["language_info", "kernelspec", "title", "authors"])
def test_a_notebooks_own_metadata_of_the_wrong_type_are_left_out(
    broken: str, tiny_lab: Lab
) -> None:
    notebook = tiny_notebook()
    notebook["metadata"][broken] = 5
    reading = read_notebook(json.dumps(notebook).encode(), tiny_lab)
    nbformat.validate(nbformat.from_dict(reading.notebook))


@pytest.mark.parametrize(
    "source", ["print" + ".a" * 2000 + "(1)", "-" * 5000 + "1", "(" * 4000, "a" + "[0]" * 3000]
)
def test_code_that_is_nested_deep_is_read(source: str, tiny_lab: Lab) -> None:
    notebook = tiny_notebook()
    notebook["cells"][-1] = tiny.cell(source)  # in the place of the written answer
    cells = read_notebook(as_bytes(notebook), tiny_lab).notebook["cells"]
    assert source in [cell["source"] for cell in cells]


def test_a_damaged_list_of_files_in_a_zip_is_told(tiny_lab: Lab) -> None:
    """A name of length 0, which zipfile itself trips over."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("c.txt", b"x")
    data = bytearray(file.getvalue())
    at = data.index(b"PK\x01\x02")
    data[at + 28 : at + 30] = b"\x00\x00"
    with pytest.raises(UnreadableError) as caught:
        read_notebook(bytes(data), tiny_lab)
    assert caught.value.reason in (Reason.NOT_A_NOTEBOOK, Reason.NO_NOTEBOOK)
