"""Optimizers that are driven beside torch's: the same steps pass, others are named."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.proxy import Student
from course_utils.ground.mismatch import Mismatch
from course_utils.testing import Walk, assert_parameters_close, both_paths, follow

DESCENT = """
import torch

class Descent:
    def __init__(self, params, lr, momentum=0.0):
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.memory = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        for p, v in zip(self.params, self.memory):
            if p.grad is not None:
                v.mul_(self.momentum).add_(p.grad)
                p -= self.lr * v
"""


def student(old: str = "", new: str = "") -> Student:
    assert old in DESCENT
    namespace: dict[str, Any] = {}
    exec(DESCENT.replace(old, new) if old else DESCENT, namespace)
    return Student(NamespaceBackend(namespace))


class Reference:
    """torch's SGD, with a learning rate that is an attribute."""

    class Descent(torch.optim.SGD):
        @property
        def lr(self) -> float:
            return float(self.param_groups[0]["lr"])

        @lr.setter
        def lr(self, lr: float) -> None:
            self.param_groups[0]["lr"] = lr


def walk() -> Walk:
    """Two parameters of two dtypes, three steps; the second has no gradient in the second step."""
    values = [torch.tensor([1.0, -2.0]), torch.tensor([3.0], dtype=torch.float64)]
    gradients: list[list[torch.Tensor | None]] = [
        [torch.tensor([0.5, 1.0]), torch.tensor([2.0], dtype=torch.float64)],
        [torch.tensor([1.5, -1.0]), None],
        [torch.tensor([-0.5, 0.25]), torch.tensor([1.0], dtype=torch.float64)],
    ]
    return Walk(values, gradients, [0.1, 0.2, 0.05])


def test_the_same_steps_pass_and_leave_the_walk_alone() -> None:
    plan = walk()
    follow(student(), Reference, "Descent", plan)
    follow(student(), Reference, "Descent", plan, momentum=0.9)
    for now, before in zip(plan.values, walk().values, strict=True):
        assert torch.equal(now, before)


def test_every_parameter_is_seen_after_every_step() -> None:
    seen, expected = both_paths(student(), Reference, "Descent", walk())
    assert [len(row) for row in seen] == [len(row) for row in expected] == [2, 2, 2]
    assert float(expected[0][1]) == pytest.approx(3.0 - 0.1 * 2.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("p -=", "p +=", "parameter 1 after step 1 (float32): you "),
        ("self.lr * v", "0.1 * v", "parameter 1 after step 2 (float32): you "),
        ("v.mul_(self.momentum)", "v.mul_(self.momentum if v.numel() > 1 else 0)",
         "parameter 2 after step 3 (float64): you "),
    ],
)  # fmt: skip
def test_another_step_is_named_where_it_first_shows(old: str, new: str, said: str) -> None:
    with pytest.raises(Mismatch) as caught:
        follow(student(old, new), Reference, "Descent", walk(), momentum=0.9)
    assert str(caught.value).startswith(said)


def test_a_parameter_on_its_way_through_zero_is_held_to_where_it_came_from() -> None:
    start, end = [torch.tensor([4.0])], [torch.tensor([1e-9])]
    assert_parameters_close([torch.tensor([2e-9])], end, start, "after step 1")
    with pytest.raises(Mismatch, match=r"parameter 1 after step 1 \(float32\): you 0.1"):
        assert_parameters_close([torch.tensor([0.1])], end, start, "after step 1")
