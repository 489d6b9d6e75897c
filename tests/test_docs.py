"""What the documents say exists, exists."""

from __future__ import annotations

import re

import pytest
from tiny import REPOSITORY

from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab

SYLLABUS = REPOSITORY / "docs" / "syllabus.md"
NOTES = {"000", "001", "002", "003", "004"}


def rows() -> list[tuple[str, str, str]]:
    """(topic, note, where) of every row of the syllabus's tables."""
    found = []
    for line in SYLLABUS.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and not set(line) <= set("|-: "):
            found.append((cells[0], cells[1], cells[2]))
    return [row for row in found if row[0] != "topic"]


def names_in(lab: Lab) -> set[str]:
    """The exercises of a lab and its written questions."""
    cells = [cell for cell in lab.notebook["cells"] if lab_cells.is_solution(cell)]
    written = {lab_cells.grade_id(cell) for cell in cells}
    return {exercise.name for exercise in lab.exercises} | written


def test_every_exercise_that_the_syllabus_names_exists() -> None:
    known = {
        lab.name.partition("_")[0]: names_in(lab)
        for lab in Lab.all_in(REPOSITORY)
    }  # fmt: skip
    assert len(rows()) > 40
    for topic, note, where in rows():
        named = re.findall(r"`(lab\d\d)/(\w+)`", where)
        assert named, f"{topic}: no exercise is named"
        for lab, name in named:
            assert name in known.get(lab, ()), f"{topic}: there is no {lab}/{name}"
        assert set(re.findall(r"\b\d{3}\b", note)) <= NOTES
        assert re.search(r"\b00\d\b", note), f"{topic}: no note is named"


def test_every_exercise_is_in_the_syllabus() -> None:
    text = SYLLABUS.read_text("utf-8")
    for lab in Lab.all_in(REPOSITORY):
        for exercise in lab.exercises:
            assert f"`{lab.name.partition('_')[0]}/{exercise.name}`" in text


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (
        REPOSITORY / "docs").glob("*.md"))],
)  # fmt: skip
def test_links_lead_somewhere(document: str) -> None:
    path = REPOSITORY / document
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{document} links to {target}"


def test_pictures_are_there_small_and_described() -> None:
    shown = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (REPOSITORY / "README.md").read_text("utf-8"))
    assert 1 <= len(shown) <= 2
    for description, place in shown:
        assert len(description.split()) >= 10, place
        assert (REPOSITORY / place).stat().st_size <= 120_000, place
