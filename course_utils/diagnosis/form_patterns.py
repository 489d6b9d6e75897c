"""Patterns in the form of a wrong result: its type, shape, dtype, device, and side effects.

Each takes one failed comparison and gives an observation, or None where it does not apply.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from course_utils.diagnosis.observation import CAUSE, GENERIC, Array, Case, Observation, equal, of

_WRONG_SHAPE = "The shape of the result is wrong."


@of("type", "structure")
def nothing_returned(case: Case) -> Observation | None:
    if case.actual is not None:
        return None
    return Observation(
        "nothing_returned", "The function returns None: is the return statement missing?", CAUSE
    )


@of("type", "structure")
def wrong_type(case: Case) -> Observation | None:
    if case.summary:
        return None
    hint = "The function returns another kind of value than asked for"
    seen = f"{hint} ({case.outcome.message})."
    return Observation("wrong_type", f"{hint}.", GENERIC, seen=seen)


@of("modified")
def input_modified(case: Case) -> Observation | None:
    return Observation(
        "input_modified",
        "The function changes its input in place (operators such as -= and x[...] = do that). "
        "Work on a copy, or write x = x - ….",
        CAUSE,
    )


@of("device")
def device_moved(case: Case) -> Observation | None:
    return Observation(
        "device_moved",
        "The result is on another device than the inputs: make new tensors with "
        "device=x.device, and leave .cpu() and .numpy() out.",
        CAUSE,
    )


@of("dtype")
def dtype_lost(case: Case) -> Observation | None:
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if not equal(case, actual, expected):
        return None  # the dtype is the smaller trouble
    kept = "The result does not keep the input's dtype"
    look = "look for arrays made without dtype=x.dtype, and for float(…) or .astype(…)."
    seen = f"{kept} ({actual.dtype} for {expected.dtype}): {look} Here the values are right."
    return Observation("dtype_lost", f"{kept}: {look}", CAUSE, seen=seen)


@of("said", "value", "type", "structure", "dtype")
def detached(case: Case) -> Observation | None:
    grads = [one.requires_grad for one in case.outcome.trace if one.requires_grad is not None]
    said = "requires_grad" in case.outcome.message or "detach" in case.outcome.message.lower()
    if not said or not grads or any(grads):
        return None
    return Observation(
        "detached",
        "The result is cut off from the graph (requires_grad is False): look for "
        ".detach(), .item(), .data, float(…), torch.no_grad or a new torch.tensor(…).",
        CAUSE,
    )


@of("shape")
def broadcast_blow_up(case: Case) -> Observation | None:
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.size <= expected.size or not expected.size or actual.size % expected.size:
        return None
    n = max(expected.shape, default=0)
    if expected.ndim not in (1, 2) or actual.shape != (n, n):
        return None
    met = "A column met a row, and broadcasting made a square of them"
    check = "Check the shapes of the two operands: (n, 1) with (n,) gives (n, n)."
    seen = f"{met}{_shapes(actual, expected)}. {check}"
    return Observation("broadcast_blow_up", f"{met}. {check}", CAUSE, seen=seen)


def _shapes(actual: Array, expected: Array) -> str:
    return f": {actual.shape} instead of {expected.shape}"


@of("shape", "value")
def transposed(case: Case) -> Observation | None:
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.ndim != expected.ndim or actual.ndim < 2 or actual.ndim > 4:
        return None
    if equal(case, actual, expected):
        return None
    for axes in permutations(range(expected.ndim)):
        moved = expected.transpose(axes)
        if axes != tuple(range(expected.ndim)) and equal(case, actual, moved):
            order = "" if expected.ndim == 2 else f" (they come as {axes})"
            hint, look = "The values are right, but the axes are swapped", "look for a transpose."
            seen = f"{hint}{order}: {look}"
            return Observation("transposed", f"{hint}: {look}", CAUSE, seen=seen)
    return None


@of("shape")
def reshaped(case: Case) -> Observation | None:
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if actual.size != expected.size or not equal(case, actual.ravel(), expected.ravel()):
        return None
    hint, look = (
        "The values are right, but the shape is not",
        ("Look for keepdims, reshape, or a missing [:, None]."),
    )
    seen = f"{hint}{_shapes(actual, expected)}. {look}"
    return Observation("reshaped", f"{hint}. {look}", CAUSE, seen=seen)


@of("shape", "type")
def not_reduced(case: Case) -> Observation | None:
    """One value for each example where one for all was asked for, or the other way round."""
    if case.arrays is None:
        return None
    actual, expected = case.arrays
    if expected.ndim == 0 and actual.ndim >= 1:
        for name, reduce in (("mean", np.mean), ("sum", np.sum)):
            if equal(case, np.asarray(reduce(actual)), np.asarray(expected)):
                return Observation(
                    "not_reduced",
                    f"The values are there, but the {name} over them is missing.",
                    CAUSE,
                )
    if actual.ndim == 0 and expected.ndim >= 1:
        return Observation(
            "reduced_too_far",
            "One number came back where an array was asked for: "
            "look for a sum or mean without axis.",
            CAUSE,
        )
    return None


@of("shape")
def wrong_shape(case: Case) -> Observation | None:
    if case.arrays is None:
        return Observation("wrong_shape", _WRONG_SHAPE, GENERIC)
    actual, expected = (side.shape for side in case.arrays)
    how = _misshapen(actual, expected)
    seen = f"The shape of the result is {actual}; it should be {expected}."
    return Observation("wrong_shape", how or _WRONG_SHAPE, GENERIC, seen=f"{seen} {how}".rstrip())


def _misshapen(actual: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """How a shape differs from another, in words without a number of either."""
    if expected and actual == (*expected, expected[-1]):
        return (
            "For each row a square matrix came back. Is it a Jacobian that is not multiplied by "
            "the upstream gradient yet?"
        )
    if len(actual) != len(expected):
        return f"The result has too {'many' if len(actual) > len(expected) else 'few'} axes."
    apart = [axis for axis in range(len(actual)) if actual[axis] != expected[axis]]
    if len(apart) != 1:
        return ""
    more = actual[apart[0]] > expected[apart[0]]
    return f"The result has too {'many' if more else 'few'} entries along axis {apart[0]}."
