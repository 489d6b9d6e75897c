"""The numeric look: each pattern, on public tests and on hidden ones."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.digest import returned
from course_utils.calls.evidence import describe_call
from course_utils.calls.fault import StudentFault
from course_utils.calls.proxy import Student
from course_utils.diagnosis.diagnose import diagnose
from course_utils.ground.closeness import assert_close
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statistics import assert_rate
from course_utils.ground.statuses import Aspect, Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

RNG = np.random.default_rng(5)
X = RNG.normal(size=(6, 4))
PROBABILITIES = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)


def look(
    function: Callable[..., Any],
    expected: Any,
    *args: Any,
    hidden: bool = False,
    calls: int = 1,
    **kwargs: Any,
) -> Diagnosis | None:
    """What is said of a function that should have given ``expected``."""
    return diagnose([failed(function, expected, *args, hidden=hidden, calls=calls, **kwargs)], None)


def failed(
    function: Callable[..., Any],
    expected: Any,
    *args: Any,
    hidden: bool = False,
    calls: int = 1,
    **kwargs: Any,
) -> TestOutcome:
    """The outcome of a test of that function, which it fails."""
    student = Student(NamespaceBackend({"f": function}))
    seen: dict[str, Any]
    try:
        for _ in range(calls):
            value = student.f(*args, **kwargs)
        assert_close(value, expected)
    except Mismatch as error:
        seen = {"status": Status.FAILED, "mismatch": error, "message": str(error)}
    except StudentFault as fault:
        seen = {"status": fault.status, "message": fault.message}
    else:
        raise AssertionError("this should not have passed")
    return TestOutcome(
        "test", "f", "claim", hidden, 1.0, trace=student.trace, calls=student.calls, **seen
    )


@pytest.mark.parametrize(
    "of_hidden", [lambda x: 2 * x, lambda x: x / 0.0], ids=["a factor", "infinity"]
)
def test_what_only_hidden_tests_show_is_no_rule(of_hidden: Callable[..., Any]) -> None:
    """A student sees the public comparisons, which bear neither out."""
    public = failed(lambda x: x[::-1] ** 3 - 0.3, X, X)
    with np.errstate(all="ignore"):
        hidden = failed(of_hidden, X, X, hidden=True)
    alone = diagnose([hidden], None)
    assert alone is not None
    assert alone.name in ("constant_factor", "not_finite")
    both = diagnose([public, hidden], None)
    assert both is None or both.name not in ("constant_factor", "not_finite")


CASES: list[tuple[str, Callable[..., Any], Any, tuple[Any, ...], dict[str, Any], str]] = [
    ("sign", lambda x: -2 * x, 2 * X, (X,), {}, "sign"),
    ("constant_factor", lambda x: X.sum(0), X.mean(0), (X,), {}, "the number of rows"),
    ("constant_factor", lambda x: X / 4, X, (X,), {}, "1 / the number of columns"),
    ("constant_factor", lambda x: x * 2, X, (X,), {}, "times 2."),
    ("constant_factor", lambda x, p: x / 0.3, X, (X,), {"p": 0.3}, "1/p"),
    ("constant_factor", lambda x, p: x / 0.7, X, (X,), {"p": 0.3}, "1/(1 − p)"),
    ("constant_factor", lambda x, lr: x * 0.03, X, (X,), {"lr": 0.03}, "lr"),
    ("constant_factor", lambda x: x * np.log(2), X, (X,), {}, "base"),
    ("constant_offset_1 too large", lambda x: x + 1, X, (X,), {}, "1 too large"),
    ("transposed", lambda x: x.T, X, (X,), {}, "transpose"),
    ("transposed", lambda x: x[:4].T.copy(), X[:4], (X,), {}, "transpose"),
    ("permuted", lambda x: x[::-1].copy(), X, (X,), {}, "another order"),
    ("wrong_axis", lambda x: np.exp(X) / np.exp(X).sum(0), PROBABILITIES, (X,), {}, "axis"),
    ("axis_ignored", lambda x: np.exp(X) / np.exp(X).sum(), PROBABILITIES, (X,), {}, "sum to 1"),
    ("broadcast_blow_up", lambda x: x[:, :1] - X[:, 1], X[:, 0], (X,), {}, "broadcasting"),
    ("reshaped", lambda x: x.sum(1, keepdims=True), X.sum(1), (X,), {}, "keepdims"),
    ("not_reduced", lambda x: x[:, 0], np.float64(X[:, 0].mean()), (X,), {}, "mean"),
    ("reduced_too_far", lambda x: x.sum(), X.sum(0), (X,), {}, "without axis"),
    ("dtype_lost", lambda x: x.astype(np.float32), X, (X,), {}, "dtype"),
    ("nothing_returned", lambda x: None, X, (X,), {}, "return"),
    ("wrong_type", lambda x: "text", X, (X,), {}, "kind of value"),
    ("complement", lambda x: 1 - PROBABILITIES, PROBABILITIES, (X,), {}, "changed places"),
    ("some_entries", lambda x: np.where(x > 1, 0, x), X, (X,), {}, "entries"),
]


@pytest.mark.parametrize(("name", "function", "expected", "args", "kwargs", "words"), CASES)
@pytest.mark.parametrize("hidden", [False, True])
def test_a_pattern_is_recognised(
    name: str,
    function: Callable[..., Any],
    expected: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    words: str,
    hidden: bool,
) -> None:
    found = look(function, expected, *args, hidden=hidden, **kwargs)
    assert found is not None and found.name == name
    assert words.lower() in found.hint.lower()


@pytest.mark.parametrize(("name", "function", "expected", "args", "kwargs", "words"), CASES)
def test_nothing_of_a_hidden_test_is_shown(
    name: str,
    function: Callable[..., Any],
    expected: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    words: str,
) -> None:
    public = look(function, expected, *args, **kwargs)
    found = look(function, expected, *args, hidden=True, **kwargs)
    assert public is not None and found is not None
    said = " ".join([found.hint, *found.details])
    for number in ("6", "24", "0.3", "float64", "text"):
        assert number not in said


@pytest.mark.parametrize(
    ("inputs", "function", "why"),
    [
        (np.array([[1000.0, 1.0]]), lambda x: np.exp(x) / np.exp(x).sum(), "large"),
        (np.array([0.0, 0.5]), lambda p: p * np.log(p), "a log of 0"),
        (np.array([-np.inf, 0.5]), lambda x: x - x, "infinite"),
    ],
)
def test_nan_is_explained_by_the_kind_of_input(
    inputs: Any, function: Callable[..., Any], why: str
) -> None:
    with np.errstate(all="ignore"):
        found = look(function, np.ones_like(inputs), inputs)
    assert found is not None and found.name == "not_finite"
    assert why in found.hint and "NaN at 1 of 2 entries" in found.hint


def test_a_clip_that_hides_an_infinity_is_seen() -> None:
    found = look(lambda x: np.log(x + 1e-12), np.array([-np.inf, 0.0]), np.array([0.0, 1.0]))
    assert found is not None and found.name == "finite_for_infinite"


@pytest.mark.parametrize("change", [lambda x: x * 1.2345, lambda x: x + 1.5])
def test_a_number_without_a_name_is_not_spoken_of(change: Callable[..., Any]) -> None:
    assert look(change, X, X) is None


def test_what_is_true_of_one_comparison_only_is_not_said() -> None:
    outcomes = []
    for factor in (2.0, 1.2345):
        wrong = Mismatch("off", kind="value", actual=factor * X, expected=X)
        outcomes.append(TestOutcome("t", "f", "c", False, 1.0, Status.FAILED, mismatch=wrong))
    assert diagnose(outcomes[:1], None) is not None
    assert diagnose(outcomes, None) is None


def test_a_probes_account_is_not_spoken_of_as_values() -> None:
    wrong = Mismatch(
        "off", kind="value", actual=np.array([4.0, 6.0]), expected=np.array([2.0, 3.0])
    )
    calls = [replace(describe_call("f", (), {}), summary=True)]
    outcome = TestOutcome("t", "f", "c", False, 1.0, Status.FAILED, calls=calls, mismatch=wrong)
    assert diagnose([outcome], None) is None


def test_a_right_start_is_seen_where_every_failed_claim_has_one() -> None:
    wrong = Mismatch("off", kind="value", actual=1.2345 * X, expected=X)
    first, second, third = (
        TestOutcome("t", "f", "c", False, 1.0, Status.FAILED, held=held, mismatch=wrong)
        for held in (2, 1, 0)
    )
    found = diagnose([first, second], None)
    assert found is not None and found.name == "starts_right"
    assert diagnose([third, second], None) is None


def test_a_function_with_a_memory_is_seen() -> None:
    memory: list[int] = []

    def forgetful(x: Any) -> Any:
        memory.append(1)
        return x * len(memory)

    found = look(forgetful, X, X, calls=3)
    assert found is not None and found.name == "not_deterministic"


def test_draws_from_a_generator_are_not_called_a_memory() -> None:
    def noise(x: Any, rng: Any) -> Any:
        return rng.normal(size=x.shape)

    found = look(noise, X, X, np.random.default_rng(0), calls=2)
    assert found is None or found.name != "not_deterministic"


def test_a_changed_input_is_seen() -> None:
    wrong = Mismatch("f changes its argument", kind="modified")
    outcome = TestOutcome(
        "t", "f", "c", False, 1.0, Status.FAILED, message="changes", mismatch=wrong
    )
    found = diagnose([outcome], None)
    assert found is not None and found.name == "input_modified"


def test_a_detached_result_is_seen() -> None:
    outcome = TestOutcome(
        "t", "f", "c", False, 1.0, Status.FAILED, message="the result has requires_grad False",
        trace=[returned(torch.ones(3))],
    )  # fmt: skip
    found = diagnose([outcome], None)
    assert found is not None and found.name == "detached"


def test_swapped_keep_and_drop_are_seen_in_a_rate() -> None:
    with pytest.raises(Mismatch) as caught:
        assert_rate(700, 1000, 0.3)
    outcome = TestOutcome(
        "t", "dropout", "c", False, 1.0, Status.FAILED, mismatch=caught.value
    )
    found = diagnose([outcome], None)
    assert found is not None and found.name == "complement"


def test_a_factor_is_named_by_what_it_is_in_every_test() -> None:
    outcomes = []
    for rows, columns in ((4, 4), (6, 4)):  # in the first test alone it could be either
        x = RNG.normal(size=(rows, columns))
        calls = [describe_call("f", (x,), {})]
        outcomes.append(replace(_compared(rows * x, x), calls=calls))
    for order in (outcomes, outcomes[::-1]):
        found = diagnose(order, None)
        assert found is not None and "the number of rows" in found.hint


def test_equal_slices_say_nothing_about_order() -> None:
    signs = np.array([1.0, -1.0, 1.0, 1.0])
    found = look(lambda x: -x[::-1].copy() * [1, -1, 1, 1], signs, signs)
    assert found is None or found.name != "permuted"


def test_values_in_their_places_are_not_called_permuted() -> None:
    expected = np.array([[0.76, 0.06], [0.11, 0.81], [0.22, 0.52]])
    found = look(lambda x: expected.astype(np.float32).astype(float), expected, X)
    assert found is None or found.name != "permuted"
    tiny = np.array([3e-17, 1e-17, 2e-17])
    found = look(lambda x: np.zeros(3), tiny, X, hidden=True)
    assert found is None or found.name != "permuted"


def test_a_notebooks_own_error_handling_breaks_nothing() -> None:
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        look(lambda x: 1e308 * np.sign(X), -1e308 * np.sign(X), X)
        look(lambda x: np.full(X.shape, 1e-320), X, X)
        look(lambda x: np.full(X.shape, np.inf), X, X)
        look(lambda x: X + 1j, X, X)


def _compared(actual: Any, expected: Any, about: Aspect = Aspect.IDEA) -> TestOutcome:
    with pytest.raises(Mismatch) as caught:
        assert_close(actual, expected)
    return TestOutcome(
        "test", "f", "claim", False, 1.0, Status.FAILED, about,
        mismatch=caught.value, message=str(caught.value),
    )  # fmt: skip


def test_nan_at_the_edge_does_not_hide_that_the_main_values_are_wrong() -> None:
    infinite = _compared(np.full(3, np.inf), np.ones(3), Aspect.EDGE)
    found = diagnose([infinite], None)
    assert found is not None and found.name == "not_finite"
    assert diagnose([_compared(np.sin(7 * X), X), infinite], None) is None
    small = _compared(np.full(3, 0.5), np.full(3, -np.inf), Aspect.EDGE)
    assert diagnose([_compared(np.sin(7 * X), X), small], None) is None
