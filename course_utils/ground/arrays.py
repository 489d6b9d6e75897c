"""What a value is to those who compare and describe it: an array, a tensor, a plain number."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_plain_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def is_numeric(value: Any) -> bool:
    return (
        isinstance(value, (bool, int, float))
        or (isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc")
        or is_tensor(value)
    )


def as_array(value: Any) -> Array | None:
    """The entries of an array or tensor as an array (a bfloat16's as float32); else None."""
    if isinstance(value, np.ndarray):
        return value
    if not is_tensor(value):
        return None
    plain = value.detach().cpu().resolve_conj().resolve_neg()
    array: Array = (plain.float() if str(plain.dtype) == "torch.bfloat16" else plain).numpy()
    return array


def array_of(value: Any) -> tuple[Array, str, str]:
    """An array of any value, the name of its dtype, and the type of its device."""
    array = as_array(value)
    if is_tensor(value):
        assert array is not None
        return array, str(value.dtype).removeprefix("torch."), value.device.type
    array = np.asarray(value) if array is None else array
    return array, str(array.dtype), "cpu"
