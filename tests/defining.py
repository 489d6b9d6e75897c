"""A namespace as a notebook's cell leaves it, for calls to find functions in."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def defined(source: str) -> dict[str, Any]:
    """What a notebook cell with this source defines."""
    namespace: dict[str, Any] = {"np": np, "torch": torch, "__name__": "__main__"}
    exec(compile(source, "<cell 3>", "exec"), namespace)
    return namespace
