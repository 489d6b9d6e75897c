"""The form that labs have in common, and whether what they refer to is there.

Numbers of exercises, steps and formulas run; what a text or a stub refers to exists; a picture is
announced; a written question tells the person who reads the answers what earns how much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from tiny import REPOSITORY

from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab

LABS = {lab.name.partition("_")[0]: lab for lab in Lab.all_in(REPOSITORY)}

HEADING = re.compile(r"^### Exercise (\d+) · .+ [●○]{3} · (\d+) min · [\d.]+ points?$", re.M)
STEP = re.compile(r"\*\*Step (\d+)[.:]")
TAG = re.compile(r"\\tag\{(\d+)\}")
# "lab 01, step 6", "Exercise 8 of lab 02", "Exercise 5", "steps 4", "formula (7)", "formulas (7)"
ELSEWHERE = re.compile(r"\blab (\d\d), (Exercise|step|formula) \(?(\d+)")
HERE = re.compile(r"\b(Exercise|step|formula)s? \(?(\d+)(?:\)? and \(?(\d+))?")


def prose(lab: Lab) -> str:
    cells = lab.notebook["cells"]
    return "\n\n".join(lab_cells.source(cell) for cell in cells if cell["cell_type"] == "markdown")


def numbers(lab: Lab) -> dict[str, list[int]]:
    """The numbers that a lab gives to its exercises, steps and formulas, as they come."""
    text = prose(lab)
    found = {"exercise": [m[0] for m in HEADING.findall(text)], "step": STEP.findall(text),
             "formula": TAG.findall(text)}  # fmt: skip
    return {kind: [int(number) for number in given] for kind, given in found.items()}


def references(lab: Lab) -> Iterator[tuple[Lab, str, int]]:
    """(lab, kind, number) of all that the notebook and its public tests refer to."""
    texts = [lab_cells.source(cell) for cell in lab.notebook["cells"]]
    for text in [*texts, lab.test_public.read_text("utf-8")]:
        for other, kind, number in ELSEWHERE.findall(text):
            yield LABS[f"lab{other}"], kind.lower(), int(number)
        for kind, *given in HERE.findall(ELSEWHERE.sub("", text)):
            for number in filter(None, given):
                yield lab, kind.lower(), int(number)


@pytest.fixture(params=sorted(LABS))
def lab(request: pytest.FixtureRequest) -> Lab:
    return LABS[request.param]


def test_numbers_run(lab: Lab) -> None:
    for kind, given in numbers(lab).items():
        assert given == list(range(1, len(given) + 1)), kind
    assert len(numbers(lab)["exercise"]) == len(lab.exercises)


def test_what_is_referred_to_is_there(lab: Lab) -> None:
    named = list(references(lab))
    assert len(named) > 20
    for other, kind, number in named:
        assert number in numbers(other)[kind], f"{other.name} has no {kind} {number}"


def test_time_and_points_are_those_of_the_exercises(lab: Lab) -> None:
    """The opening says what the headings add up to."""
    minutes = sum(int(m[1]) for m in HEADING.findall(prose(lab)))
    text = " ".join(prose(lab).split())
    said = re.search(r"take about (\d+) minutes and give (\d+) points", text)
    assert said is not None
    assert abs(int(said[1]) - minutes) <= 2
    written = [cell for cell in lab.notebook["cells"] if lab_cells.is_written(cell)]
    for_answers = sum(lab_cells.points(cell) for cell in written)
    assert int(said[2]) == lab.max_score
    assert re.search(rf"written questions take about \d+ minutes and give {for_answers:g}\.", text)


def shows_a_picture(cell: dict[str, Any]) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def test_pictures_are_announced(lab: Lab) -> None:
    """A cell that begins with **Look.** stands above every picture, and above nothing else."""
    for above, cell in pairwise(lab.notebook["cells"]):
        announced = lab_cells.source(above).startswith("**Look.**")
        assert announced or not shows_a_picture(cell), f"above {cell['id']}"
        assert not announced or lab_cells.is_explore(cell), f"below {above['id']}"


def test_pictures_have_an_alternative_text(lab: Lab) -> None:
    for cell in lab.notebook["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                text = output["metadata"]["image/png"].get("alt", "")
                assert len(text.split()) >= 10, f"in {cell['id']}: {text!r}"


def test_answers_come_with_a_rubric(lab: Lab) -> None:
    for cell in lab.notebook["cells"]:
        if lab_cells.is_written(cell):
            rubric = f"*Rubric ({lab_cells.points(cell):g} points).* 1 for "
            assert rubric in lab_cells.source(cell), cell["id"]


def test_the_end_says_what_was_learnt_and_where_to_read_on(lab: Lab) -> None:
    end = lab_cells.source(lab.notebook["cells"][-1])
    can, _, reading = end.partition("## Further reading")
    assert can.startswith("## What you can now do")
    books = [line for line in reading.splitlines() if line.startswith("- ")]
    assert len(books) >= 4
    for book in books:
        assert re.search(r"\]\(https://[^)]+\).*: .{20,}", book), book
