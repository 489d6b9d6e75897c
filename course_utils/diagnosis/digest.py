"""Digests: what a test's calls returned, made small, comparable within tolerance, free of code.

A digest is built of dicts, lists, strings, numbers and NumPy arrays, so that it crosses
:mod:`course_utils.wire` as it is. Arrays of more than 64 entries are reduced to 64 evenly spaced
ones and two moments; the type, the shape and the dtype are always part of a digest.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from course_utils import compare
from course_utils.calls import CallInfo, as_array

Array = npt.NDArray[Any]
Digest = Any  # a value digest: a dict, list, string, number or None
# One entry a call: {"value", "modified"}; "modified" lists the arguments that the call changed, and
# is None where that does not matter.
TraceDigest = list[dict[str, Any]]

MAX_ENTRIES = 64
MAX_ITEMS = 64

# Two implementations of the same mistake order their operations differently; tests hold a student
# to compare.tolerance, a digest to a few times that.
_SLACK = 10.0
# Plain numbers may have been computed in float32 before they became Python's.
_NUMBER_TOLERANCE = 1e-6

# By bytes of a float: the integer of that size, and how many of its last bits may go.
_DROPPED: dict[int, tuple[type[Any], int]] = {4: (np.int32, 9), 8: (np.int64, 26)}


def of_trace(trace: Sequence[Any], calls: Sequence[CallInfo] = ()) -> TraceDigest:
    """The digest of a test's trace.

    Args:
        trace: what each call returned (see :class:`course_utils.outcome.TestOutcome`).
        calls: what the calls were like, in the same order; says which arguments were changed.

    Returns:
        One entry a call; at most 64, evenly spaced where a test makes more.
    """
    entries = [
        {
            "value": of_value(value),
            "modified": list(calls[i].modified) if len(calls) == len(trace) else [],
        }
        for i, value in _spread(trace)
    ]
    if len(trace) > MAX_ITEMS:
        entries.append({"value": len(trace), "modified": []})
    return entries


def of_value(value: Any) -> Digest:
    """The digest of one returned value."""
    if value is None or isinstance(value, str):
        return value if value is None else value[:200]
    if isinstance(value, dict):
        if "fault" in value:
            return _of_fault(value)
        return {"kind": "dict", "items": [[str(k), of_value(v)] for _, (k, v) in _sorted(value)]}
    if isinstance(value, (list, tuple)):
        if len(value) > 8 and all(isinstance(item, (int, float)) for item in value):
            return {**_of_array(np.asarray(value, dtype=np.float64)), "kind": "numbers"}
        items = [of_value(item) for _, item in _spread(value)]
        return {"kind": "list", "length": len(value), "items": items}
    if isinstance(value, (bool, int, float)):
        return {"kind": "number", "value": float(value), "dtype": ""}
    array, tensor = as_array(value), hasattr(value, "requires_grad")
    if array is None:
        array = np.asarray(value)  # a NumPy scalar
    if array.ndim == 0:
        digest = {"kind": "number", "value": _number(array), "dtype": str(array.dtype)}
    else:
        digest = {**_of_array(array), "kind": "tensor" if tensor else "array"}
    if tensor:
        digest["dtype"] = str(value.dtype).removeprefix("torch.")
        digest["grad"] = bool(value.requires_grad)
    return digest


def same_trace(first: TraceDigest, second: TraceDigest) -> bool:
    """Whether two traces are equal within tolerance, call by call."""
    return same_values(first, second) and all(
        a["modified"] is None or b["modified"] is None or a["modified"] == b["modified"]
        for a, b in zip(first, second, strict=True)
    )


def same_values(first: TraceDigest, second: TraceDigest) -> bool:
    """Whether what the calls returned is equal, whatever they did to their arguments."""
    return len(first) == len(second) and all(
        same(a["value"], b["value"]) for a, b in zip(first, second, strict=True)
    )


def without_side_effects(trace: TraceDigest) -> TraceDigest:
    """The trace with "changed its arguments" left open, so that it equals either."""
    return [{**entry, "modified": None} for entry in trace]


def same(first: Digest, second: Digest) -> bool:
    """Whether two digests are equal within tolerance; NaN equals NaN and inf equals inf."""
    if not isinstance(first, dict) or not isinstance(second, dict):
        return type(first) is type(second) and bool(first == second)
    if first["kind"] != second["kind"]:
        return False
    kind = first["kind"]
    if kind == "list":
        return bool(first["length"] == second["length"]) and all(
            same(a, b) for a, b in zip(first["items"], second["items"], strict=True)
        )
    if kind == "dict":
        return [key for key, _ in first["items"]] == [key for key, _ in second["items"]] and all(
            same(a[1], b[1]) for a, b in zip(first["items"], second["items"], strict=True)
        )
    if kind in ("fault", "right"):
        return bool(first == second)
    if first.get("grad", False) != second.get("grad", False):
        return False
    if kind == "number":
        return _same_number(first, second)
    return (
        first["dtype"] == second["dtype"]
        and list(first["shape"]) == list(second["shape"])
        and close(first["entries"], second["entries"], rtol_of(first["dtype"]))
        and close(first["moments"], second["moments"], rtol_of(first["dtype"]))
    )


def rtol_of(dtype: str) -> float:
    """The relative tolerance within which digests of a dtype count as equal."""
    if not dtype:
        return _NUMBER_TOLERANCE
    allowed = compare.tolerance(dtype)
    return min(_SLACK * allowed, max(allowed, 1e-2))  # half precision needs no more slack


def close(first: Array, second: Array, rtol: float) -> bool:
    """Whether two arrays of one shape agree, small entries within ``rtol`` × the largest.

    Where all entries are rounding errors of zero, within ``rtol`` × 1/1000.
    """
    if first.shape != second.shape:
        return False
    if first.dtype.kind in "biu" and second.dtype.kind in "biu":
        return bool(np.array_equal(first, second))
    finite = np.abs(second[np.isfinite(second)])
    scale = max(float(np.max(finite)) if finite.size else 0.0, 1e-3)
    return bool(np.allclose(first, second, rtol=rtol, atol=rtol * scale, equal_nan=True))


def rounded(digest: Any) -> Any:
    """A digest, or a list of them, with no more binary digits than a comparison looks at.

    What is left compresses to two thirds.
    """
    if isinstance(digest, dict):
        return {key: rounded(value) for key, value in digest.items()}
    if isinstance(digest, list):
        return [rounded(item) for item in digest]
    if not isinstance(digest, np.ndarray) or digest.dtype.kind != "f":
        return digest
    integers, dropped = _DROPPED.get(digest.dtype.itemsize, (np.int16, 0))
    bits = digest.view(integers)
    cut = (bits & ~((1 << dropped) - 1)).view(digest.dtype)
    return np.where(np.isfinite(digest), cut, digest)


def _same_number(first: dict[str, Any], second: dict[str, Any]) -> bool:
    dtypes = {first["dtype"], second["dtype"]} - {""}
    if len(dtypes) > 1:
        return False
    plain = not first["dtype"] or not second["dtype"]
    rtol = max([_NUMBER_TOLERANCE if plain else 0.0, *(rtol_of(dtype) for dtype in dtypes)])
    return close(np.asarray(first["value"]), np.asarray(second["value"]), rtol)


def _of_fault(value: dict[Any, Any]) -> Digest:
    """A call that did not return: which way, and a checksum of the exception (not its text)."""
    raised = str(value.get("raised", ""))
    return {
        "kind": "fault",
        "fault": str(value["fault"]),
        "raised": raised.partition(":")[0],
        "message": zlib.crc32(raised.encode()),
    }


def _of_array(array: Array) -> dict[str, Any]:
    flat = array.ravel()
    if flat.size > MAX_ENTRIES:
        entries = flat[np.linspace(0, flat.size - 1, MAX_ENTRIES).astype(np.int64)]
    else:
        entries = flat
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "entries": np.array(entries),
        "moments": _moments(flat) if flat.size > MAX_ENTRIES else np.zeros(0),
    }


def _moments(flat: Array) -> Array:
    """Mean absolute value, root mean square, and how many entries are NaN or infinite."""
    with np.errstate(all="ignore"):
        sizes = np.abs(flat.astype(np.complex128 if flat.dtype.kind == "c" else np.float64))
        finite = sizes[np.isfinite(sizes)]
        mean = float(np.mean(finite)) if finite.size else 0.0
        rms = float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0
    return np.array([mean, rms, np.isnan(sizes).mean(), np.isinf(sizes).mean()])


def _number(array: Array) -> float:
    return float(abs(array)) if array.dtype.kind == "c" else float(array)


def _spread(items: Sequence[Any]) -> list[tuple[int, Any]]:
    """The items with their indices; 64 evenly spaced ones of a longer list."""
    if len(items) <= MAX_ITEMS:
        return list(enumerate(items))
    return [(int(i), items[int(i)]) for i in np.linspace(0, len(items) - 1, MAX_ITEMS)]


def _sorted(value: dict[Any, Any]) -> list[tuple[int, tuple[Any, Any]]]:
    return _spread(sorted(value.items(), key=lambda item: str(item[0])))
