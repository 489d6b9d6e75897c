"""Course labs on training neural networks, and the autograder that judges them.

What a lab's notebook uses is here: ``from course_utils import check, device, hint, progress,
training_bar``; its pictures are in ``course_utils.plotting``. Each of them is loaded when it is
first asked for, so that importing this package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from course_utils.notebook.check import check
    from course_utils.notebook.hint import hint
    from course_utils.notebook.progress import progress
    from course_utils.notebook.training_bar import training_bar

    device: torch.device

__all__ = ["check", "device", "hint", "progress", "training_bar"]


def __getattr__(name: str) -> Any:
    if name == "device":  # not kept: COURSE_DEVICE may be set between two imports
        from course_utils.notebook.device import best_device

        return best_device()
    if name in __all__:
        value = getattr(importlib.import_module(f"course_utils.notebook.{name}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
