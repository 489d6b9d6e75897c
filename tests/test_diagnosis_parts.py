"""What one claim shows must not be said of others, nor hide what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from course_utils.calls.digest import of_call, returned
from course_utils.calls.evidence import describe_call
from course_utils.diagnosis.comparison import differing
from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.traces import KnownMistake, Trace, TraceBook
from course_utils.ground.closeness import assert_close
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome

X = np.random.default_rng(0).normal(size=(4, 3))
W = np.random.default_rng(1).normal(size=(5,))


def off(actual: Any, expected: Any, *, part: str = "", held: int = 0) -> TestOutcome:
    """A claim that fails in a comparison."""
    with pytest.raises(Mismatch) as caught:
        assert_close(actual, expected)
    return TestOutcome(
        "t", "f", "claim", False, 1.0, Status.FAILED, part=part, held=held,
        mismatch=caught.value.kept(), message=str(caught.value),
    )  # fmt: skip


def ended(status: Status, message: str = "", *, part: str = "") -> TestOutcome:
    return TestOutcome("t", "f", "claim", False, 1.0, status, part=part, message=message)


def name_of(*outcomes: TestOutcome) -> str | None:
    found = diagnose(outcomes, None)
    return None if found is None else found.name


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.CRASHED, Status.MEMORY, Status.ERROR])
def test_how_one_call_ended_is_no_word_on_others_that_returned_wrong_values(
    status: Status,
) -> None:
    wrong = [off(X**2 + 0.3, X), off(np.sin(9 * X), X)]
    assert name_of(*wrong, ended(status)) is None
    assert name_of(*wrong, ended(status), ended(status)) == status
    assert name_of(off(2 * X, X), off(2 * X, X), ended(status)) == "constant_factor"


def test_a_right_start_is_not_said_where_a_claim_had_none() -> None:
    begun = off(np.sin(9 * X), X, held=1)
    assert name_of(begun) == "starts_right"
    assert name_of(begun, ended(Status.ERROR)) != "starts_right"


def test_the_number_by_which_a_longer_comparison_begins_to_fail_has_no_factor() -> None:
    assert name_of(off(0.6, 0.3)) == "constant_factor"
    assert name_of(off(0.6, 0.3, held=1)) == "starts_right"
    assert name_of(off([0.6, 0.2], [0.3, 0.1])) == "constant_factor"
    assert name_of(off([0.1, 0.6, 0.0], [0.1, 0.3, 0.2])) is None


def test_a_factor_must_be_that_of_all_arrays_of_an_answer() -> None:
    assert name_of(off((2 * X, 2 * W), (X, W))) == "constant_factor"
    assert name_of(off({"X": 2 * X, "W": 3.3 * W}, {"X": X, "W": W})) is None
    assert name_of(off([2 * X, [W, 2 * W]], [X, [W, W]])) == "constant_factor"
    assert name_of(off([2 * X, [W, 3.3 * W]], [X, [W, W]])) is None


def test_a_whole_number_too_large_for_an_array_breaks_nothing() -> None:
    assert name_of(off([1.4, 10**400], [1.0, 1.5])) is None


SIGMOID_RAISED = ended(
    Status.ERROR, "your code raised FloatingPointError: overflow encountered in exp", part="s"
)


def test_every_answer_of_an_exercise_is_explained_by_itself() -> None:
    found = diagnose([SIGMOID_RAISED, off(-X, X, part="s_grad")], None)
    assert found is not None and found.name == "sign"
    assert found.hint.startswith("`s_grad`: ")
    assert any(detail.startswith("`s`: An exp overflows") for detail in found.details)


def test_what_is_true_of_all_answers_is_said_once() -> None:
    found = diagnose([off(-X, X, part=part) for part in ("a", "b")], None)
    assert found is not None and found.name == "sign"
    assert "`" not in found.hint


def test_an_answer_that_is_not_written_hides_no_other() -> None:
    found = diagnose([ended(Status.NOT_WRITTEN, part="a"), off(-X, X, part="b")], None)
    assert found is not None and found.name == "sign"
    assert any("not written" in detail for detail in found.details)


def known(*tests: str, values: Any) -> TraceBook:
    """A book with one mistake that shows in these tests."""
    shown = differing(of_call(values), of_call(np.zeros_like(values)))
    dress: dict[str, Trace] = dict.fromkeys(tests, (shown,))
    return TraceBook("lab", exercises={"f": [KnownMistake(("known",), "…", dresses=(dress,))]})


def shows(test: str, values: Any, **changes: Any) -> TestOutcome:
    one = TestOutcome(test, "f", "c", False, 1.0, Status.FAILED, trace=[returned(values)])
    return replace(one, **changes)


def test_an_exception_leaves_open_what_would_have_come_back() -> None:
    """It neither bears out a mistake that the values show, nor speaks against it."""
    raised = [
        TestOutcome(f"e{i}", "f", "c", False, 1.0, Status.ERROR, message="AssertionError")
        for i in range(3)
    ]
    found = diagnose([shows("t", X), *raised], known("t", values=X))
    assert found is not None and found.name == "known" and not found.sure
    other = [shows(f"o{i}", X**2) for i in range(3)]
    found = diagnose([shows("t", X), *other], known("t", values=X))
    assert found is None or not found.named


@pytest.mark.parametrize(("kind", "named"), [("value", True), ("dtype", False), ("type", False)])
def test_right_values_are_no_multiple_of_a_mistakes(kind: str, named: bool) -> None:
    """A mistake that halves them is not named because what came back is twice that."""
    wrong = Mismatch("off", kind=kind, actual=X, expected=X)
    found = diagnose([shows("t", 2 * X, mismatch=wrong)], known("t", values=X))
    assert (found is not None and found.name == "known") is named


def test_a_multiple_of_the_right_values_is_no_multiple_of_a_mistakes() -> None:
    """What is 1.7 times the right values is 0.85 times those of a mistake that doubles them."""
    book = known("t", values=2 * X)
    multiple = Mismatch("off", kind="value", actual=1.7 * X, expected=X)
    assert diagnose([shows("t", 1.7 * X, mismatch=multiple)], book) is None
    number = Mismatch("off", kind="value", actual=0.5, expected=1.5)
    found = diagnose([shows("t", 0.5, mismatch=number)], known("t", values=np.asarray(1.0)))
    assert found is None or not found.named


def test_a_dtype_is_not_spoken_of_where_the_values_are_wrong() -> None:
    kept = X.astype(np.float32)
    for actual, name in ((X, "dtype_lost"), (np.sin(9 * X), None)):
        wrong = Mismatch("off", kind="dtype", actual=actual, expected=kept)
        assert name_of(shows("t", actual, mismatch=wrong)) == name


CUT = np.log(np.array([1e-30, 1e-20, 0.2, 0.8, 1.0]))


@pytest.mark.parametrize(
    ("actual", "expected", "name"),
    [
        (np.maximum(CUT, np.log(1e-12)), CUT, "cut_off_below"),
        (np.log(np.exp(CUT[1:]) + 1e-9), CUT[1:], "constant_in_a logarithm"),
        (np.minimum(X, 0.5), X, "cut_off_above"),
        (np.maximum(CUT[1:], np.log(1e-12)), CUT[1:], "cut_off_below"),
        (np.where(np.arange(4) == 0, -20.0, CUT[1:]), CUT[1:], "some_entries"),
    ],
)
def test_a_bound_or_a_small_constant_is_seen(actual: Any, expected: Any, name: str) -> None:
    assert name_of(off(actual, expected)) == name


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (np.ones((3, 4, 4)), np.ones((3, 4)), "Jacobian"),
        (np.ones((3, 4)), np.ones(3), "too many axes"),
        (np.ones((3, 4)), np.ones((3, 6)), "too few entries along axis 1"),
        (np.ones((3, 4)), np.ones((2, 4)), "too many entries along axis 0"),
        (np.ones((3, 4)), np.ones((2, 5)), "The shape of the result is wrong."),
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_wrong_shape_is_told_in_words(
    actual: Any, expected: Any, words: str, hidden: bool
) -> None:
    found = diagnose([replace(off(actual, expected), hidden=hidden)], None)
    assert found is not None
    plain = "The shape of the result is (3, 4)"
    assert words in found.hint or (not hidden and found.hint.startswith(plain))


def test_a_condition_is_none_where_a_claim_fails_without_it() -> None:
    given = [describe_call("f", (), {"weight_decay": 0.1})]
    without = [describe_call("f", (), {})]
    holds: Sequence[TestOutcome] = [
        TestOutcome(f"p{i}", "f", "c", False, 1.0, Status.PASSED, calls=without) for i in range(3)
    ]
    wrong = replace(off(np.sin(9 * X), X), calls=given)
    assert name_of(*holds, wrong) == "only_where_weight_decay is given"
    hung = replace(ended(Status.TIMEOUT), calls=without)
    assert name_of(*holds, wrong, wrong, hung) is None
    assert name_of(*holds, wrong, wrong, ended(Status.CRASHED)) is None
