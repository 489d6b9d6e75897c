"""A submission's verdict: what its cells are worth, and the other results that are made of it."""

from __future__ import annotations

from dataclasses import replace

from course_utils.ground.statuses import Reason, Status, SubmissionStatus
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.submission import AnswerState, Notice, SubmissionResult, WrittenAnswer

PASSED = TestOutcome("test_it", "softmax", "It is so.", False, 1.0, Status.PASSED)
RESULT = SubmissionResult(
    "lab", "ada", SubmissionStatus.GRADED, 6.0,
    exercises=(ExerciseResult("softmax", 4.0, (PASSED,)),),
    written=(
        WrittenAnswer("written_why", 1.0, AnswerState.WRITTEN),
        WrittenAnswer("written_how", 1.0, AnswerState.LEFT),
    ),
    notices=(Notice(Reason.CELL_ERROR, "cell 3 failed"),),
    notebook={"cells": []},
)  # fmt: skip


def test_a_cell_is_worth_what_its_exercise_is() -> None:
    assert RESULT.automatic("check_softmax") == RESULT.score_of("softmax") == 4.0
    assert RESULT.automatic("check_nll") == RESULT.score_of("nll") == 0.0


def test_a_written_answer_waits_for_a_person_unless_nothing_was_written() -> None:
    assert RESULT.automatic("written_why") is None
    assert RESULT.automatic("written_how") == 0.0


def test_where_nothing_could_be_read_every_cell_is_worth_nothing() -> None:
    unread = replace(RESULT, exercises=(), written=())
    assert unread.automatic("check_softmax") == unread.automatic("written_why") == 0.0


def test_what_is_noticed_twice_is_said_once() -> None:
    late = Notice(Reason.LATE, "late")
    assert RESULT.noting([late, *RESULT.notices]).notices == (*RESULT.notices, late)
    assert len(RESULT.notices) == 1  # and the first result is what it was


def test_a_fault_of_the_graders_keeps_what_was_found() -> None:
    missed = RESULT.missed("the disk is full")
    assert missed.status is SubmissionStatus.INTERNAL_ERROR
    assert (missed.reason, missed.message) == (Reason.INTERNAL_ERROR, "the disk is full")
    assert missed.exercises == RESULT.exercises and missed.notebook is None
    assert RESULT.status is SubmissionStatus.GRADED
