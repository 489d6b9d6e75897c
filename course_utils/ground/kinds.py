"""What kind of object a value is, in words that a sentence for students can hold."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

_MOST_LETTERS = 60
_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((bytes, bytearray, memoryview), "bytes"),
    (str, "text"),
    (complex, "a complex number"),
    ((set, frozenset), "a set"),
    (list, "a list"),
    (tuple, "a tuple"),
    (dict, "a dict"),
    ((types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial),
     "a function"),
    (types.GeneratorType, "a generator"),
    (types.CoroutineType, "a coroutine: is an await missing?"),
    (type, "a class"),
    (types.ModuleType, "a module"),
    (np.random.Generator, "a random generator"),
    (np.ma.MaskedArray, "a masked array"),
    (np.ndarray, "an array"),
    (Iterator, "an iterator"),
)  # fmt: skip


def in_words(value: Any) -> str:
    """What kind of object a value is, in a few words: "a generator", "an object of type Net"."""
    kind = type(value)
    for kinds, words in _WORDS:
        if issubclass(kind, kinds):
            return words
    if is_torch_generator(value):
        return "a random generator"
    if is_sympy(value):
        return "a SymPy expression"
    return f"an object of type {clipped(kind.__name__)}"


def clipped(name: str) -> str:
    """As much of a name as a sentence bears."""
    return name[:_MOST_LETTERS]


_JUDGED = frozenset({bool, int, float, str, np.ndarray, type(None)})


def unjudgeable(value: Any) -> str:
    """What a value that has arrived is or holds, in words, if no test can judge it; else "".

    Bytes and random generators cross as arguments do; as an answer they are no values.
    """
    if type(value) in _JUDGED:  # most of what arrives
        return ""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return next((found for item in value if (found := unjudgeable(item))), "")
    if isinstance(value, (bytes, np.random.Generator)) or is_torch_generator(value):
        return in_words(value)
    return ""


def is_sympy(value: Any) -> bool:
    """Whether a value is SymPy's, without importing SymPy for it."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Basic)


def is_torch_generator(value: Any) -> bool:
    """Whether a value is a random generator of torch's, without importing torch for it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Generator)
