"""What the gate proves of a lab as a whole: the stub, the release, the form, what was promised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from course_utils.diagnosis.traces import TraceBook
from course_utils.gate.figures import NotebookForm
from course_utils.gate.finding import Finding
from course_utils.gate.points import (
    claims,
    completeness,
    empty_stub,
    equivalents,
    forbids,
    leaks,
    stored_outputs,
)
from course_utils.gate.released import released_files, released_notebook
from course_utils.gate.workbench import Workbench
from course_utils.ground.errors import TraceBookError
from course_utils.ground.lab import Lab
from course_utils.verdict.outcome import TestOutcome


@dataclass(frozen=True)
class Whole:
    """What was seen of the lab.

    Attributes:
        traces: checksums of the books of traces that were looked through.
    """

    findings: list[Finding]
    form: NotebookForm
    traces: list[str]


def prove_whole(
    bench: Workbench,
    solution: Sequence[TestOutcome],
    book: TraceBook,
    exercises: Sequence[str],
    *,
    run: bool,
) -> Whole:
    """Points 3, 5 and 6, and of point 8 whether students were told what is asked.

    Args:
        solution: the outcomes of all tests on the solution.
        book: the traces that would be released.
        exercises: whose claims are looked up.
        run: whether to run the notebook in a kernel, to compare its stored outputs.
    """
    lab, size = bench.lab, completeness.measure(bench.lab)
    findings = [
        *completeness.judge_notebook(lab), *completeness.judge_exercises(bench, solution),
        *completeness.judge_form(size),
        *claims.judge_stated(lab, solution, exercises), *forbids.judge_forbids(lab, exercises),
        *equivalents.judge_marks(lab),
        *stored_outputs.judge_stored(lab, solution), *_release(lab, solution, book),
    ]  # fmt: skip
    if run:
        findings += stored_outputs.rerun(lab.folder)
    return Whole(findings, size, [checksum(book.to_bytes()), stored_traces(lab)])


def stored_traces(lab: Lab) -> str:
    """The checksum of the traces that lie in the lab's folder; empty where there are none."""
    return checksum(lab.traces_path.read_bytes()) if lab.traces_path.exists() else ""


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _release(lab: Lab, solution: Sequence[TestOutcome], book: TraceBook) -> Iterator[Finding]:
    """Points 3 and 5: what students would receive now, and what lies in the lab's folder."""
    try:
        notebook = released_notebook(lab)
    except RuntimeError as error:
        yield Finding(5, f"{lab.notebook_path.name}: nbgrader cannot make the release: {error}")
        return
    yield from empty_stub.judge_stub(lab, notebook)
    yield from leaks.search(released_files(lab, notebook, book), lab)
    yield from leaks.expected_values(book, solution)
    if lab.traces_path.exists():
        try:
            stored = TraceBook.load(lab.traces_path)
        except TraceBookError as error:
            yield Finding(5, f"{error}; release the lab again")
        else:
            yield from leaks.expected_values(stored, solution)
