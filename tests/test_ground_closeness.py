"""The one formula of tolerance, and the sentences of comparisons that fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from messages import internals_in
from scipy.stats import binom

from course_utils.ground import mismatch
from course_utils.ground.closeness import assert_close, relative_error
from course_utils.ground.describing import describe, figures
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statistics import assert_mean, assert_rate


def message(check: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Mismatch) as caught:
        check(*args, **kwargs)
    assert internals_in(str(caught.value)) == []
    return str(caught.value)


def holds(*args: Any, **kwargs: Any) -> bool:
    try:
        assert_close(*args, **kwargs)
    except Mismatch:
        return False
    return True


# -- the formula


@pytest.mark.parametrize("seed", range(20))
def test_what_is_allowed_is_exactly_the_stated_tolerance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=(4, 3)) * 10.0 ** rng.integers(-6, 7)
    scale, rtol = np.max(np.abs(expected)), 10.0 ** -rng.integers(2, 9)
    for share, close in ((0.99, True), (1.01, False), (1.9, False)):
        for index in np.ndindex(expected.shape):  # small entries and large ones alike
            actual = expected.copy()
            actual[index] += share * rtol * scale
            assert holds(actual, expected, rtol=rtol) is close
            assert relative_error(actual, expected) == pytest.approx(share * rtol, rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_the_error_that_is_shown_decides(seed: int) -> None:
    """With an absolute tolerance too: what is reported is at most the tolerance, or it fails."""
    rng = np.random.default_rng(seed)
    expected = rng.normal(size=5)
    rtol, atol = 10.0 ** -rng.integers(1, 6), 10.0 ** -rng.integers(0, 6)
    actual = expected + rng.normal(size=5) * rng.choice([atol, rtol])
    allowed = max(atol, rtol * np.max(np.abs(expected)))
    with mismatch.recording() as made:
        close = holds(actual, expected, rtol=rtol, atol=atol)
    assert close is bool(np.max(np.abs(actual - expected)) <= allowed)
    if close:
        assert made[0].relative_error <= made[0].tolerance == rtol
    else:
        with pytest.raises(Mismatch) as caught:
            assert_close(actual, expected, rtol=rtol, atol=atol)
        assert caught.value.relative_error > caught.value.tolerance == rtol  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(5))
def test_the_formula_does_not_depend_on_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    actual, expected = rng.normal(size=(2, 6))
    for factor in (1e-30, 1e-3, 1e30):
        assert relative_error(factor * actual, factor * expected) == pytest.approx(
            relative_error(actual, expected)
        )


def test_where_all_is_zero_the_scale_is_one() -> None:
    zeros = np.zeros(3)
    assert relative_error(zeros + 1e-9, zeros) == pytest.approx(1e-9)
    assert holds(zeros + 1e-9, zeros) and not holds(zeros + 1e-7, zeros)
    assert holds(zeros + 1e-13, zeros, atol=1e-12) and not holds(zeros + 2e-12, zeros, atol=1e-12)


@pytest.mark.parametrize(
    ("actual", "expected", "error"),
    [
        (np.zeros((0, 4)), np.zeros((0, 4)), 0.0),
        (np.array([np.inf, 1.0]), np.array([np.inf, 2.0]), 0.5),
        (np.array([np.nan, 3.0]), np.array([np.nan, 3.0]), 0.0),
        (np.array([True, False]), np.array([1.0, 0.0]), 0.0),
        (np.array([3], np.uint8), np.array([4.0]), 0.25),
        (np.array([-60000], np.float16), np.array([60000], np.float16), 2.0),
        (np.array([1 + 1j]), np.array([1.0]), 1.0),
        (np.array([1e308]), np.array([-1e308]), np.inf),
        (np.array(2.0, np.longdouble), np.array(1.0), 1.0),
    ],
    ids=range(9),
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_every_kind_of_number_has_an_error(actual: Any, expected: Any, error: float) -> None:
    assert relative_error(actual, expected) == pytest.approx(error, rel=1e-3)
    assert holds(actual, expected, check_dtype=False) is (error == 0)


def test_bfloat16_is_held_to_its_own_tolerance() -> None:
    x = torch.linspace(0.1, 1.0, 7).bfloat16()
    assert holds(x * 1.01, x) and not holds(x * 1.1, x)


def test_infinities_must_agree_in_place_and_sign() -> None:
    right = np.array([np.inf, 1.0])
    assert not any(holds(np.array([v, 1.0]), right) for v in (-np.inf, np.nan, 1e308))


def test_atol_without_a_relative_tolerance_is_refused() -> None:
    with pytest.raises(ValueError, match="rtol above 0"):
        assert_close(1.0, 1.0, rtol=0.0, atol=1e-3)


# -- figures


@pytest.mark.parametrize(
    ("actual", "expected", "shown"),
    [
        (0.226, 0.789, ("0.226", "0.789")),
        (1.51234, 1.51241, ("1.5123", "1.5124")),
        (1.5, 1.50000001, ("1.5", "1.50000001")),
        (1000.0, 2401.5, ("1000", "2402")),
        (-12345.6, 3.0, ("-12346", "3")),
        (float("nan"), 0.123456, ("nan", "0.123")),
        (float("-inf"), 12.0, ("-inf", "12")),
        (3, 4, ("3", "4")),
        (True, False, ("True", "False")),
        (1e-30, 2e-30, ("1e-30", "2e-30")),
        (1 + 2j, 1.0, ("1+2j", "1")),
    ],
)
def test_figures_have_the_digits_that_show_the_difference(
    actual: Any, expected: Any, shown: tuple[str, str]
) -> None:
    assert figures(actual, expected) == shown


@pytest.mark.parametrize("seed", range(50))
def test_figures_never_look_equal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected = float(rng.normal() * 10.0 ** rng.integers(-5, 6))
    actual = expected * (1 + 10.0 ** -rng.uniform(0, 7.5))
    first, second = figures(actual, expected)
    assert first != second
    assert abs(float(first) - float(second)) == pytest.approx(abs(actual - expected), rel=0.51)
    assert all(len(text.lstrip("-").split("e")[0].replace(".", "").lstrip("0")) <= 9
               for text in (first, second))


# -- sentences


def test_a_wrong_value_is_shown_beside_torchs() -> None:
    expected = np.full((3, 5), 0.789)
    actual = expected.copy()
    actual[2, 4] = 0.226
    said = message(assert_close, actual, expected, name="the gradient")
    assert said == (
        "the gradient: you 0.226, torch 0.789 at [2, 4] (relative error 0.7, allowed 1e-08)"
    )


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        (np.float64(1.0), np.float64(2.0), "the result: you 1, torch 2 (relative error 0.5, all"),
        (np.array([np.nan, np.nan]), np.array([0.5, 1]), "you nan, torch 0.5 at [0] and 1 more p"),
        (np.array([1, 5, 7]), np.array([1, 2, 3]), "2 of 3 entries wrong, the first 5 instead of "),
        (np.array([1, 5]), np.array([1, 2]), "the result: 1 of 2 entries wrong, 5 instead of 2 at"),
        (3, 4, "the result: 3 instead of 4"),
        (None, np.zeros(3), "None instead of an array of shape (3,) and dtype float64"),
        (np.zeros(3), None, "an array of shape (3,) and dtype float64 instead of None"),
        (np.zeros(3), "mean", "an array of shape (3,) and dtype float64 instead of the text 'mean"),
        (np.zeros(3), torch.zeros(3), "instead of a tensor of shape (3,) and dtype float32"),
        (np.str_("x"), np.zeros(3), "the text 'x' instead of"),
        (np.array(["x"]), np.zeros(1), "an array of shape (1,) and dtype <U1 instead of"),
        (np.zeros((3, 1)), np.zeros(3), "the result: shape (3, 1) instead of (3,)"),
        ([1.0], [1.0, 2.0], "the result: a list of 1 value instead of a list of 2 values"),
        ({"a": 1}, {"a": 1, "b": 2}, "a dict with the key a instead of a dict with the keys a, b"),
        ({"own shares": [0.5, 0.5, 0.1]}, {"own shares": [0.5, 0.5, 0.0]},
         "own shares, number 3: you 0.1, torch 0"),
        ([{"w": [1.0, 2.0]}], [{"w": [1.0, 3.0]}], "the result, number 1, w, number 2: you 2, to"),
    ],
    ids=range(16),
)  # fmt: skip
def test_the_sentence_says_what_came_instead_of_what(
    actual: Any, expected: Any, said: str
) -> None:
    assert said in message(assert_close, actual, expected)


def test_a_dtype_is_looked_at_where_it_is_asked_for() -> None:
    actual, expected = np.zeros(2, np.float32), np.zeros(2)
    assert holds(actual, expected, check_dtype=False)
    said = message(assert_close, actual, expected, check_dtype=True)
    assert said == "the result: dtype float32 instead of float64"


def test_another_oracle_is_called_by_its_name() -> None:
    assert "central differences 2" in message(
        assert_close, np.ones(2), 2 * np.ones(2), oracle="central differences"
    )


def test_a_rate_is_said_simply() -> None:
    assert message(assert_rate, 4100, 10_000, 0.3) == (
        "0.41 of 10,000 draws; it should be near 0.30, and chance alone gives 0.28 to 0.32"
    )
    assert "0.3254 of 10,000 draws" in message(assert_rate, 3254, 10_000, 0.3)
    assert_rate(3100, 10_000, 0.3)
    for count, rate in ((0, 0.5), (1000, 0.5), (5, 0.0), (995, 1.0)):
        said = message(assert_rate, count, 1000, rate)
        assert "-0" not in said and "1.01" not in said and "0000" not in said


@pytest.mark.parametrize("trials", [1, 7, 450, 250_000])
@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.04, 1 / 3, 0.5, 0.9, 1.0])
def test_what_chance_alone_gives_is_the_binomial_distributions(trials: int, rate: float) -> None:
    low, high = binom.ppf(5e-8, trials, rate) - 1, binom.isf(5e-8, trials, rate) + 1
    for count in {low - 1, low, high, high + 1} & set(range(trials + 1)):
        if low <= count <= high:
            assert_rate(int(count), trials, rate)
        else:
            assert message(assert_rate, int(count), trials, rate)


def test_a_mean_is_said_simply() -> None:
    draws = np.full(10_000, 0.41)
    assert message(assert_mean, draws, 0.3, 0.4) == (
        "the mean over 10,000 draws: 0.41; it should be near 0.30, "
        "and chance alone gives 0.28 to 0.32"
    )
    assert_mean(draws, 0.4, 1.0)
    assert "nan over" not in message(assert_mean, draws * np.nan, 0.3, 0.4)
    assert "instead of numbers" in message(assert_mean, np.array(["a"]), 0.3, 0.4)


@pytest.mark.parametrize("right", [1e-6, 0.004, 12345.6])
def test_bounds_are_told_apart_at_every_size(right: float) -> None:
    said = message(assert_mean, np.full(1000, right * 1.001), right, right / 1000)
    seen, near, low, high = (
        said.split("draws: ")[1].split(";")[0], said.split("near ")[1].split(",")[0],
        said.split("gives ")[1].split(" to ")[0], said.split(" to ")[1],
    )  # fmt: skip
    assert float(low) < float(near) < float(high) < float(seen)


class Broken:
    def __len__(self) -> int:
        raise ValueError

    __bool__ = __repr__ = __eq__ = __len__  # type: ignore[assignment]


class BrokenList(list[int]):
    __len__ = __bool__ = Broken.__len__


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"), (True, "True"), (2, "the number 2"), (1.23456, "the number 1.235"),
        (float("nan"), "the number nan"), (10**30, "the number 1e+30"),
        (np.float32(0.5), "the number 0.5"), (np.bool_(False), "False"), ("a" * 50, "the text"),
        (b"x", "bytes"), (1j, "a complex number"), ({1}, "a set"), ([], "an empty list"),
        ((1,), "a tuple of 1 value"), ({}, "an empty dict"), ({(1, 2): 3}, "the key (1, 2)"),
        ({str(i): i for i in range(20)}, "the keys 0, 1, 2, 3, 4, 5, 6, 7, …"),
        (lambda: 1, "a function"), ((i for i in "ab"), "a generator"), (int, "a class"),
        (np, "a module"), (Broken(), "an object of type Broken"), (BrokenList(), "a list"),
        (torch.ones(2, 3), "a tensor of shape (2, 3) and dtype float32"),
        (torch.ones(2, device="meta"), "a tensor of shape (2,)"),
        (torch.ones(2).to_sparse(), "a tensor of shape (2,)"),
        (torch.nn.Parameter(torch.ones(2)), "a tensor of shape (2,)"),
        (torch.Generator(), "a random generator"), (np.random.default_rng(), "a random generator"),
        (torch.nn.Linear(1, 1), "an object of type Linear"),
        (np.ma.masked_array([1.0], [True]), "an array of shape (1,)"),
        (np.array([None]), "an array of shape (1,) and dtype object"),
    ],
    ids=range(32),
)  # fmt: skip
def test_anything_can_be_described(value: Any, words: str) -> None:
    assert words in describe(value)
    assert internals_in(describe(value)) == []
