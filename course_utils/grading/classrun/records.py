"""A verdict as plain JSON and back, with all that reports and feedback pages are made of.

This is the journal's own form. What a run prints for others is
:meth:`~course_utils.outcome.SubmissionResult.to_dict`, which is documented and says less.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from course_utils.outcome import (
    Aspect,
    Diagnosis,
    ExerciseResult,
    Notice,
    Reason,
    Status,
    SubmissionResult,
    SubmissionStatus,
    TestOutcome,
)

# What the diagnosis was made from: large, and needed no more.
_SPENT = {"trace", "calls", "mismatch"}


def to_record(result: SubmissionResult) -> dict[str, Any]:
    """A result without its notebook, as values that JSON knows."""
    return {
        **_plain(result, without={"notebook", "exercises", "notices"}),
        "notices": [asdict(notice) for notice in result.notices],
        "exercises": [
            {
                **_plain(exercise, without={"tests", "diagnosis"}),
                "diagnosis": asdict(exercise.diagnosis) if exercise.diagnosis else None,
                "tests": [_plain(test, without=_SPENT) for test in exercise.tests],
            }
            for exercise in result.exercises
        ],
    }


def from_record(record: dict[str, Any]) -> SubmissionResult:
    """The result that a record was made from.

    Raises:
        KeyError, TypeError, ValueError: another version of this package wrote the record.
    """
    notices = [Notice(**{**n, "code": Reason(n["code"])}) for n in record["notices"]]
    exercises = [_exercise(exercise) for exercise in record["exercises"]]
    status = SubmissionStatus(record["status"])
    return SubmissionResult(
        **{**record, "notices": notices, "exercises": exercises, "status": status}
    )


def _exercise(record: dict[str, Any]) -> ExerciseResult:
    found = record["diagnosis"]
    diagnosis = Diagnosis(**{**found, "details": tuple(found["details"])}) if found else None
    tests = [_test(test) for test in record["tests"]]
    return ExerciseResult(**{**record, "diagnosis": diagnosis, "tests": tests})


def _test(record: dict[str, Any]) -> TestOutcome:
    reason = record["reason"]
    return TestOutcome(
        **{
            **record,
            "status": Status(record["status"]),
            "about": Aspect(record["about"]),
            "reason": Reason(reason) if reason else None,
        }
    )


def _plain(something: Any, *, without: set[str]) -> dict[str, Any]:
    return {
        field.name: getattr(something, field.name)
        for field in fields(something)
        if field.name not in without
    }
