"""The torch device that a lab computes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from course_utils.notebook.errors import NotebookError

if TYPE_CHECKING:
    import torch

VARIABLE = "COURSE_DEVICE"


def best_device() -> torch.device:
    """The device that ``COURSE_DEVICE`` names, else the GPU when torch sees one, else the CPU.

    Apple's "mps" is used only when it is asked for: it has no float64, which the labs compare in.

    Raises:
        NotebookError: the variable names no device, or one that this machine lacks.
    """
    import torch

    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise NotebookError(
            f"{VARIABLE} is set to {wanted!r}, which is no device that torch knows: "
            f"set it to cpu or cuda, or unset it."
        ) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise NotebookError(
            f"{VARIABLE} asks for {wanted}, but torch sees no GPU on this machine: "
            f"set it to cpu, or unset it."
        )
    return device
