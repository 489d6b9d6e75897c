"""JSON that every reader takes: no NaN and no infinity, which Python would write as bare words."""

from __future__ import annotations

import json
import math
from typing import Any


def dumps(value: Any, *, indent: int | None = None, ascii_only: bool = True) -> str:
    """A value as JSON.

    A number that JSON has no sign for is written as a string, ``"NaN"``, ``"Infinity"`` or
    ``"-Infinity"``, which ``float`` reads back.

    Args:
        value: of the types that JSON knows.
        indent: as ``json.dumps`` has it.
        ascii_only: write all else as ``\\u…``; then nothing in it can command a terminal.
    """
    try:
        return json.dumps(value, indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    except ValueError:
        plain = _finite(value)
        return json.dumps(plain, indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {_finite(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
