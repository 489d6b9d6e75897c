"""What an exercise is worth: properties that hold for whatever its tests have found."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.exercise import ExerciseResult, share
from course_utils.verdict.outcome import TestOutcome


def outcome(status: Status = Status.PASSED, weight: float = 1.0, **fields: Any) -> TestOutcome:
    return TestOutcome("test_it", "f", "It is so.", False, weight, status, **fields)


def forbidden(cost: Cost, **fields: Any) -> TestOutcome:
    """Of a test that holds, but for a forbidden call."""
    status = Status.PASSED if cost is Cost.WARNING else Status.FORBIDDEN
    call = ForbiddenCall("torch.softmax", "f", cost)
    return outcome(status, forbidden=call, by_values=Status.PASSED, **fields)


# Weights that add up exactly, in whatever order.
OUTCOMES = st.one_of(
    st.builds(
        outcome, st.sampled_from(Status), st.sampled_from([0.5, 1.0, 2.0, 3.0]),
        about=st.sampled_from(Aspect), part=st.sampled_from(["", "a", "b"]), hollow=st.booleans(),
    ),
    st.builds(
        forbidden, st.sampled_from(Cost),
        about=st.sampled_from(Aspect), part=st.sampled_from(["", "a", "b"]),
    ),
)  # fmt: skip
TESTS = st.lists(OUTCOMES, max_size=8)
quickly = settings(max_examples=200, deadline=None)


@quickly
@given(TESTS)
def test_no_exercise_is_worth_less_than_nothing_or_more_than_all(tests: list[TestOutcome]) -> None:
    assert 0.0 <= share(tests) <= share(tests, by_values=True) <= 1.0
    exercise = ExerciseResult("f", 4.0, tuple(tests))
    assert 0.0 <= exercise.score <= exercise.score_by_values <= 4.0


@quickly
@given(TESTS.filter(bool), st.data())
def test_passing_more_never_earns_less(tests: list[TestOutcome], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(tests) - 1))
    better = list(tests)
    better[number] = replace(
        tests[number], status=Status.PASSED, by_values=None, forbidden=None, hollow=False
    )
    assert share(better) >= share(tests)
    assert share(better, by_values=True) >= share(tests, by_values=True)


@quickly
@given(TESTS, st.randoms(use_true_random=False))
def test_the_order_of_tests_is_worth_nothing(tests: list[TestOutcome], by: random.Random) -> None:
    mixed = list(tests)
    by.shuffle(mixed)
    assert share(mixed) == pytest.approx(share(tests))


@quickly
@given(TESTS.filter(bool))
def test_all_is_earned_by_passing_all_and_nothing_by_passing_none(tests: list[TestOutcome]) -> None:
    plain = [replace(one, by_values=None, forbidden=None, hollow=False) for one in tests]
    assert share([replace(one, status=Status.PASSED) for one in plain]) == 1.0
    assert share([replace(one, status=Status.FAILED) for one in plain]) == 0.0
    assert share([replace(one, hollow=True) for one in tests], by_values=True) == 0.0


def test_without_tests_nothing_is_earned() -> None:
    exercise = ExerciseResult("f", 4.0)
    assert (exercise.score, exercise.status) == (0.0, Status.ERROR)


def test_the_main_idea_is_half_of_the_points() -> None:
    idea, detail = outcome(), outcome(about=Aspect.DETAIL)
    assert share([idea, replace(detail, status=Status.FAILED)]) == 0.75
    assert share([replace(idea, status=Status.FAILED), detail]) == 0.25


@pytest.mark.parametrize(
    ("cost", "worth"), [(Cost.EXERCISE, 0.0), (Cost.TEST, 0.75), (Cost.WARNING, 1.0)]
)
def test_the_policy_decides_what_a_forbidden_call_withholds(cost: Cost, worth: float) -> None:
    tests = [outcome(), forbidden(cost, about=Aspect.BY_HAND)]
    assert share(tests) == worth
    assert share(tests, by_values=True) == 1.0


def test_a_part_pays_for_itself() -> None:
    tests = [outcome(part="a"), forbidden(Cost.EXERCISE, part="b")]
    assert share(tests) == 0.5
    assert share([*tests, forbidden(Cost.EXERCISE)]) == 0.0
