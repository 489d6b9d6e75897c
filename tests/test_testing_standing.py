"""A session of pytest that stands open."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tiny import write_tiny_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.ground.errors import LabTestsError
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing.run import run_tests
from course_utils.testing.standing import StandingSession
from course_utils.verdict.outcome import TestOutcome


def judged(lab: Lab) -> list[TestOutcome]:
    backend = NamespaceBackend(solution_namespace(lab))
    return run_tests(lab.test_files, lambda mark: backend, lab=lab.name)


def test_many_runs_find_what_a_run_alone_finds(tiny_lab: Lab) -> None:
    session = StandingSession(tiny_lab.test_files)
    found = [session.do(lambda: judged(tiny_lab)) for _ in range(3)]
    session.close()
    alone = judged(tiny_lab)
    for one in found:
        assert [(o.test, o.status) for o in one] == [(o.test, o.status) for o in alone]


def test_what_the_work_raises_reaches_who_asked_and_the_session_goes_on(tiny_lab: Lab) -> None:
    session = StandingSession(tiny_lab.test_files)
    for error in (KeyError("one"), MemoryError(), SystemExit(3)):
        with pytest.raises(type(error)):
            session.do(partial(_raise, error))
    assert session.do(lambda: 42) == 42
    session.close()


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("wrong", ["def test_of_tomorrow(student:\n", "raise OSError('no data')\n"])
def test_tests_that_cannot_be_read_are_told_of_and_nobody_waits(
    tmp_path: Path, wrong: str
) -> None:
    lab = Lab.load(write_tiny_lab(tmp_path / "solutions"))
    with lab.test_hidden.open("a", encoding="utf-8") as file:
        file.write(wrong)
    session = StandingSession(lab.test_files)
    for _ in range(2):
        with pytest.raises((LabTestsError, SyntaxError, OSError)):
            session.do(lambda: judged(lab))
    assert session.do(lambda: 42) == 42
    session.close()
