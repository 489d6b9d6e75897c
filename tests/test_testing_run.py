"""Runs of a lab's tests in one pytest session: each finds what it would find in one of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import write_tiny_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.ground.errors import LabTestsError
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing.run import in_one_session, run_tests
from course_utils.verdict.outcome import TestOutcome


def softmax_of_all(x: Any, axis: int = -1) -> Any:
    """A mistake that the public tests see."""
    return np.exp(x) / np.exp(x).sum()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.load(write_tiny_lab(tmp_path / "solutions"))


def found(lab: Lab, more: dict[str, Any], **options: Any) -> list[TestOutcome]:
    """The outcomes for the solution with other definitions laid over it, but for their times."""
    backend = NamespaceBackend(dict(solution_namespace(lab)) | more)
    outcomes = run_tests(lab.test_files, lambda mark: backend, device="cpu", **options)
    return [replace(outcome, call_seconds=0.0) for outcome in outcomes]


def told(outcomes: list[TestOutcome]) -> list[Any]:
    """What can be compared of outcomes: what was found, and with which arguments."""
    return [(repr(one), [call.fingerprint for call in one.calls]) for one in outcomes]


def add(lab: Lab, text: str) -> None:
    lab.test_public.write_text(lab.test_public.read_text("utf-8") + text, "utf-8")


def test_a_shared_session_finds_what_sessions_of_their_own_find(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"softmax": softmax_of_all}, {"seed": 3}),
        ({}, {"exercises": ["scale"], "hidden_seed": 5}),
        ({"softmax": softmax_of_all}, {"exercises": ["softmax"], "tests": ["test_large_logits"]}),
        ({"softmax": softmax_of_all}, {"together": True, "seed": 1, "hidden_seed": 2}),
        ({"scale": None}, {}),
        ({}, {}),
    ]
    alone = [found(lab, more, **options) for more, options in asked]
    started: list[object] = []
    main = pytest.main

    def counted(*arguments: Any, **options: Any) -> Any:
        started.append(arguments)
        return main(*arguments, **options)

    monkeypatch.setattr(pytest, "main", counted)
    shared = in_one_session(
        lab.test_files, lambda: [found(lab, more, **options) for more, options in asked]
    )
    assert [told(outcomes) for outcomes in shared] == [told(outcomes) for outcomes in alone]
    assert [len(outcomes) for outcomes in shared] == [4, 4, 1, 1, 4, 4, 4]
    assert {outcome.passed for outcomes in shared for outcome in outcomes} == {True, False}
    assert len(started) == 1


def test_no_run_has_another_ones_fixtures(lab: Lab) -> None:
    add(lab, (
        "\n\nimport pytest\n\n\n@pytest.fixture(scope='session')\ndef seen():\n    return []\n\n\n"
        "@exercise('scale')\ndef test_first(student, seen):\n    '''.'''\n    seen.append(1)\n"
        "    assert_close(student.scale(1.0, len(seen)), 1.0)\n\n\n"
        "@exercise('scale')\ndef test_second(student, seen):\n    '''.'''\n    seen.append(1)\n"
        "    assert_close(student.scale(1.0, len(seen)), 2.0)\n"
    ))  # fmt: skip
    runs = in_one_session(lab.test_files, lambda: [found(lab, {}) for _ in range(3)])
    assert len(runs) == 3 and all(one.passed for outcomes in runs for one in outcomes)


def test_what_is_wrong_with_one_run_is_not_said_of_the_next(lab: Lab) -> None:
    add(lab, (
        "\n\n@exercise('scale')\ndef test_name(student):\n    '''.'''\n"
        "    assert student.scale(1.0, 1.0) == 1.0 or there_is_no_such_name\n"
    ))  # fmt: skip

    def work() -> list[TestOutcome]:
        with pytest.raises(LabTestsError, match="there_is_no_such_name"):
            found(lab, {"scale": lambda x, factor: 2.0})
        return found(lab, {})

    assert all(outcome.passed for outcome in in_one_session(lab.test_files, work))


def test_files_that_were_changed_meanwhile_are_read_again(lab: Lab) -> None:
    def work() -> list[int]:
        before = len(found(lab, {}))
        add(lab, "\n\n@exercise('scale')\ndef test_more(student):\n    '''.'''\n")
        return [before, len(found(lab, {}))]

    before, after = in_one_session(lab.test_files, work)
    assert after == before + 1


@pytest.mark.parametrize("error", [ValueError("of the work"), KeyboardInterrupt()])
def test_what_the_work_raises_comes_out(lab: Lab, error: BaseException) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        in_one_session(lab.test_files, work)
    assert raised.value is error
    assert found(lab, {})  # in a session of its own again


def test_files_that_cannot_be_collected_are_a_sentence_either_way(lab: Lab) -> None:
    add(lab, "\n\ndef test_of_no_exercise(student):\n    '''.'''\n")
    said = "test_of_no_exercise has no @exercise"
    with pytest.raises(LabTestsError, match=said):
        found(lab, {})
    with pytest.raises(LabTestsError, match=said):
        in_one_session(lab.test_files, lambda: found(lab, {}))


def test_no_other_folder_is_looked_through(lab: Lab) -> None:
    """What lies in a folder above, be it a conftest, is none of the judge's business."""
    for folder in (lab.folder, lab.folder.parent):
        (folder / "conftest.py").write_text("raise RuntimeError('read')\n", "utf-8")
    assert all(outcome.passed for outcome in found(lab, {}))
