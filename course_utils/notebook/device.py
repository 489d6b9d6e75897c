"""The torch device that a lab computes on, for its notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.ground.devices import resolve
from course_utils.ground.errors import DeviceError, NotebookError

if TYPE_CHECKING:
    import torch


def best_device() -> torch.device:
    """The device that ``COURSE_DEVICE`` asks for, else the GPU when torch sees one, else the CPU.

    Raises:
        NotebookError: the variable names no device, or one that this machine lacks.
    """
    import torch

    try:
        return torch.device(resolve())
    except DeviceError as error:
        raise NotebookError(str(error)) from None
