"""Optimizers, driven step by step beside torch's through gradients that a test has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from course_utils.calls.probe import probe
from course_utils.ground.closeness import assert_close, tolerance

if TYPE_CHECKING:  # labs of NumPy alone import this package too
    import torch


@dataclass
class Walk:
    """Start values, one list of gradients a step (None: there is no gradient), and the learning
    rate of each step."""

    values: list[torch.Tensor]
    gradients: list[list[torch.Tensor | None]]
    lrs: list[float]


# The source of a probe travels without this file's imports, hence without annotations.
def _path(student, name, values, gradients, lrs, **options):  # type: ignore[no-untyped-def]
    """Drive an optimizer through given gradients; every parameter after every step."""
    import torch

    params = [torch.nn.Parameter(value.clone()) for value in values]
    optimizer = getattr(student, name)(iter(params), lr=lrs[0], **options)
    path = []
    for lr, row in zip(lrs, gradients, strict=True):
        optimizer.lr = lr
        for p, g in zip(params, row, strict=True):
            p.grad = None if g is None else g.clone()
        optimizer.step()
        path.append([p.detach().clone() for p in params])
    return path


optimizer_path = probe(values=True)(_path)


def both_paths(
    student: Any, reference: Any, name: str, walk: Walk, **options: Any
) -> tuple[list[list[Any]], list[list[torch.Tensor]]]:
    """Every parameter after every step: of the student's optimizer, and of the reference's.

    Args:
        name: the optimizer's class, whose ``lr`` is an attribute that may change between steps.
        options: what both optimizers are made with, besides parameters and ``lr``.
    """
    arguments = (name, walk.values, walk.gradients, walk.lrs)
    seen = student.run(optimizer_path, *arguments, **options)
    return seen, _path(reference, *arguments, **options)  # type: ignore[no-untyped-call]


def follow(student: Any, reference: Any, name: str, walk: Walk, **options: Any) -> None:
    """Assert that a student's optimizer takes the reference's steps, all of them.

    Args:
        name, options: as in :func:`both_paths`.

    Raises:
        Mismatch: with the first parameter that differs, and after which step.
    """
    seen, expected = both_paths(student, reference, name, walk, **options)
    for step, (row, right) in enumerate(zip(seen, expected, strict=True), start=1):
        assert_parameters_close(row, right, walk.values, f"after step {step}")


def assert_parameters_close(
    seen: Sequence[Any], expected: Sequence[torch.Tensor], start: Sequence[torch.Tensor], when: str
) -> None:
    """Assert that parameters have come to where the reference's have.

    Args:
        start: where they have come from.
        when: how messages call the moment ("after step 3").
    """
    for number, (p, right, first) in enumerate(zip(seen, expected, start, strict=True), start=1):
        dtype = str(right.dtype).removeprefix("torch.")
        # A parameter may pass close to zero: its rounding is that of the way it has come. State
        # that is kept in float32 costs digits; of those another claim speaks.
        scale = max(float(first.abs().max()), float(right.abs().max()))
        within = max(tolerance(dtype, right.device.type), 1e-6)
        assert_close(
            p, right, name=f"parameter {number} {when} ({dtype})", rtol=within, atol=within * scale
        )
