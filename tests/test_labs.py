"""Every lab that is in the repository: its release, its notebook, and its marks in the sandbox."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from tiny import REPOSITORY, as_bytes

from course_utils.diagnosis.kept import made_from
from course_utils.diagnosis.rewriting import Original, exercise_cells
from course_utils.diagnosis.traces import TraceBook
from course_utils.gate.filled_in import solved, with_entry
from course_utils.gate.release import release
from course_utils.gate.verify import verify
from course_utils.grading.course import Course
from course_utils.grading.judge import Grader
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import SubmissionStatus
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import Limits
from course_utils.testing import catalogue
from course_utils.testing.catalogue import Entry

NAMES = sorted(path.name for path in (REPOSITORY / "solutions").glob("lab*"))


@pytest.fixture(scope="module", params=NAMES)
def lab(request: pytest.FixtureRequest) -> Lab:
    return Lab.find(request.param, REPOSITORY)


@pytest.fixture(scope="module")
def lab_sandbox(lab: Lab, sandbox: Sandbox) -> Iterator[Sandbox]:
    """A sandbox with the limits that grading has (the shared one's are short)."""
    with Sandbox(limits=Limits(cell_seconds=120), preload=lab.imports) as warm:
        yield warm


@pytest.fixture(scope="module")
def lab_grader(lab: Lab, lab_sandbox: Sandbox) -> Grader:
    return Grader(lab, lab_sandbox)


def release_of(lab: Lab) -> Path:
    """The notebook that students receive, as it is committed."""
    return REPOSITORY / "labs" / lab.name / lab.notebook_path.name


@pytest.mark.timeout(2700)  # a quarter of an hour on a busy machine, for the largest lab
def test_release_gate_is_green(lab: Lab) -> None:
    """The gate samples here; ``make verify`` takes it whole.

    Of every exercise the solution, each variant and each mistake are run, the mistakes are named,
    and each test is sent wrong answers; the release is made and searched. What is left out are
    mutants, pairs of mistakes, mistakes made in variants, and most seeds: labs 01 to 03 are run
    again with seed 0 and with seed 1, those whose tests train or step through torch for long (04
    to 07) are not.
    """
    # In this process: the other core has the next lab.
    seeds = 0 if lab.name[:5] >= "lab04" else 2
    report = verify(lab, seeds=seeds, mutants=False, pairs=False, workers=1)
    assert report.green, report.render()


def test_release_is_what_the_solution_gives(lab: Lab, tmp_path: Path) -> None:
    """``labs/`` is generated, never edited: nbgrader makes the same from ``solutions/`` again."""
    shutil.copytree(lab.folder, tmp_path / "solutions" / lab.name)
    shutil.copy(REPOSITORY / "nbgrader_config.py", tmp_path)
    made = release(Course(tmp_path), Lab.find(lab.name, tmp_path))
    committed = REPOSITORY / "labs" / lab.name
    names = sorted(str(path.relative_to(made)) for path in made.rglob("*"))
    assert names == sorted(str(path.relative_to(committed)) for path in committed.rglob("*"))
    for name in names:
        if name.endswith(".msgpack"):  # numbers, equal but for the last bits of other hardware
            continue
        assert (made / name).read_text("utf-8") == (committed / name).read_text("utf-8"), name


def test_students_have_the_traces_of_these_very_tests(lab: Lab) -> None:
    """The book that is released can be read, is small, and was made from the lab as it stands."""
    path = REPOSITORY / "labs" / lab.name / "traces.msgpack"
    assert TraceBook.load(path).made_from == made_from(lab)
    assert path.stat().st_size < 200_000


def test_stored_outputs_are_what_the_notebook_gives(lab: Lab) -> None:
    """nbval runs the solution in a real kernel and compares with the stored outputs."""
    command = [
        sys.executable, "-m", "pytest", "--nbval", str(lab.notebook_path), "-q",
        "-p", "no:cacheprovider", "--nbval-cell-timeout", "120", "-c", "/dev/null",
        "--rootdir", str(REPOSITORY), "--nbval-sanitize-with", str(REPOSITORY / "tests/nbval.cfg"),
    ]  # fmt: skip
    # One thread: two kernels at a time with two threads each would wait for one another.
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=lab.folder, env=one_thread, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_run_all_passes_over_what_is_not_written(lab: Lab) -> None:
    """On day one, and on every day after: no cell of a released notebook stops the run."""
    notebook = nbformat.read(release_of(lab), as_version=4)
    place = {"metadata": {"path": str(release_of(lab).parent)}}
    NotebookClient(notebook, timeout=240, resources=place).execute()
    said = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
    assert "Nothing to show yet: " in said


def test_sandbox_shows_what_a_kernel_shows(lab: Lab, lab_sandbox: Sandbox) -> None:
    """The cell runner's outputs are the stored ones, cell by cell, look cells included; the test
    above holds these to a real kernel's."""
    runnable = [
        (number, lab_cells.source(cell)) for number, cell in enumerate(lab.notebook["cells"])
        if cell["cell_type"] == "code" and not lab_cells.is_check(cell)
        and "progress(" not in lab_cells.source(cell) and "hint(" not in lab_cells.source(cell)
    ]  # fmt: skip
    with lab_sandbox.open() as session:
        ours = {run.index: run.outputs for run in session.run_cells(runnable)}
    theirs = nbformat.read(lab.notebook_path, as_version=4).cells
    for number, _ in runnable:
        assert _essence(ours[number]) == _essence(theirs[number].outputs), f"cell {number}"


_MAY_DIFFER = configparser.ConfigParser(interpolation=None)
_MAY_DIFFER.read(REPOSITORY / "tests" / "nbval.cfg")


def _plain(text: str) -> str:
    """A text without what may differ between machines, as nbval compares it, too."""
    for rule in _MAY_DIFFER.sections():
        text = re.sub(_MAY_DIFFER[rule]["regex"], _MAY_DIFFER[rule]["replace"], text)
    return text


def _essence(outputs: list[Any]) -> list[tuple[str, ...]]:
    """What a reader sees: kinds, texts and which forms, but for pixels."""
    seen: list[tuple[str, ...]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            # A kernel sends its text in pieces, by the clock.
            before = seen.pop()[2] if seen and seen[-1][:2] == (kind, output["name"]) else ""
            seen.append((kind, output["name"], _plain(before + output["text"])))
        elif kind == "error":
            seen.append((kind, output["ename"], _plain(output["evalue"])))
        else:
            text = str(output["data"].get("text/plain", ""))
            seen.append((kind, _plain(text), *sorted(output["data"])))
    return seen


def test_solution_gets_full_marks_in_the_sandbox(lab: Lab, lab_grader: Grader) -> None:
    result = lab_grader.grade(as_bytes(solved(lab, release_of(lab))))
    assert result.status is SubmissionStatus.GRADED, result.message
    tests = [test for exercise in result.exercises for test in exercise.tests]
    lost = [(test.test, test.status, test.message) for test in tests if not test.passed]
    assert result.score == lab.max_score, lost


def test_stub_gets_nothing_and_names_each_exercise(lab: Lab, lab_grader: Grader) -> None:
    result = lab_grader.grade(release_of(lab).read_bytes())
    assert result.score == 0
    prefix = lab.name.partition("_")[0]
    for exercise in result.exercises:
        assert any(prefix in t.message and "not written" in t.message for t in exercise.tests), (
            exercise.name
        )


def _first_of_each(entries: list[Entry]) -> list[Entry]:
    found: dict[str, Entry] = {}
    for entry in entries:
        if not entry.built_in:
            found.setdefault(entry.exercise, entry)
    return list(found.values())


def _apart(lab: Lab, entries: list[Entry]) -> Iterator[list[Entry]]:
    """The entries in groups in which no exercise calls another one's functions, so that each can
    be made in one notebook without showing in another exercise."""
    text = {
        exercise: Original("", "\n\n".join(lab_cells.source(cell) for cell in cells))
        for exercise, cells in exercise_cells(lab).items()
    }

    def calls(first: Entry, second: Entry) -> bool:
        return not text[first.exercise].uses.isdisjoint(text[second.exercise].names)

    waiting = entries
    while waiting:
        group: list[Entry] = []
        for entry in waiting:
            if not any(calls(entry, other) or calls(other, entry) for other in group):
                group.append(entry)
        yield group
        waiting = [entry for entry in waiting if entry not in group]


@pytest.mark.timeout(900)  # lab 07 trains in each of its notebooks
def test_misconceptions_as_notebooks(lab: Lab, lab_grader: Grader) -> None:
    """One of each exercise, written into a notebook: it loses marks there and is named."""
    for group in _apart(lab, _first_of_each(catalogue.load(lab.misconceptions_path))):
        notebook = with_entry(lab, release_of(lab), lab.misconceptions_path, *group)
        result = lab_grader.grade(as_bytes(notebook))
        for entry in group:
            found = next(e for e in result.exercises if e.name == entry.exercise)
            assert found.score < found.max_score, entry.name
            assert found.diagnosis is not None, entry.name
            assert found.diagnosis.name == entry.name, json.dumps(found.to_dict(), indent=1)


@pytest.mark.timeout(900)  # lab 07 trains in each of its notebooks
def test_variants_as_notebooks(lab: Lab, lab_grader: Grader) -> None:
    """One of each exercise, all in one notebook: full marks."""
    entries = _first_of_each(catalogue.load(lab.variants_path))
    notebook = with_entry(lab, release_of(lab), lab.variants_path, *entries)
    result = lab_grader.grade(as_bytes(notebook))
    lost = [t.message for e in result.exercises for t in e.tests if not t.passed]
    assert result.score == lab.max_score, lost
