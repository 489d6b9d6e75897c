"""Lab 03's two engines against torch, on expressions that hypothesis makes up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tiny import REPOSITORY

from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing import catalogue

LAB = Lab.find("lab03_backprop", REPOSITORY)
INPUTS = 3

# An expression is a number, "x0" … "x2", or a tuple (operation, operands …).
Tree = Any
Operation = Callable[..., Any]

ARITHMETIC: dict[str, Operation] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "square": lambda a: a**2,
    "cube": lambda a: a**3,
    "inverse": lambda a: a**-1.0,
    # One node that is used twice, in one operation and in two.
    "itself": lambda a: a * a,
    "twice": lambda a: a + (a * 2.0) * a,
}
BINARY = ("add", "sub", "mul", "div")


def trees(functions: tuple[str, ...]) -> st.SearchStrategy[Tree]:
    leaves = st.sampled_from([f"x{i}" for i in range(INPUTS)]) | st.floats(-2, 2, width=32)
    unary = [name for name in ARITHMETIC if name not in BINARY] + list(functions)
    return st.recursive(
        leaves,
        lambda below: st.tuples(st.sampled_from(BINARY), below, below)
        | st.tuples(st.sampled_from(unary), below),
        max_leaves=14,
    )


def evaluate(tree: Tree, inputs: list[Any], operations: dict[str, Operation]) -> Any:
    if isinstance(tree, float):
        return tree
    if isinstance(tree, str):
        return inputs[int(tree[1:])]
    name, *operands = tree
    return operations[name](*(evaluate(operand, inputs, operations) for operand in operands))


def constant(tree: Tree) -> bool:
    """Whether no input occurs in it: functions of Values are not for plain numbers."""
    if isinstance(tree, tuple):
        return all(constant(operand) for operand in tree[1:])
    return isinstance(tree, float)


def without_constant_functions(tree: Tree) -> bool:
    if not isinstance(tree, tuple):
        return True
    return not (len(tree) == 2 and constant(tree)) and all(
        without_constant_functions(operand) for operand in tree[1:]
    )


def reference(tree: Tree, point: list[float], functions: dict[str, Operation]) -> Any:
    """(value, gradient) by torch; expressions that leave the range of ordinary numbers are no
    examples."""
    inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in point]
    seen: list[float] = []

    def noted(operation: Operation) -> Operation:
        def run(*operands: Any) -> Any:
            result = operation(*operands)
            seen.append(result.item() if isinstance(result, torch.Tensor) else result)
            return result

        return run

    try:
        output = evaluate(
            tree, inputs, {name: noted(f) for name, f in {**ARITHMETIC, **functions}.items()}
        )
    except (ZeroDivisionError, OverflowError):
        assume(False)
    assume(isinstance(output, torch.Tensor) and output.grad_fn is not None)
    assume(all(math.isfinite(v) and (v == 0 or 1e-3 < abs(v) < 1e3) for v in seen))
    output.backward()
    return output.item(), [0.0 if v.grad is None else v.grad.item() for v in inputs]


def assert_same(found: list[float], expected: list[float]) -> None:
    # Differences of large terms lose digits, in either engine: compare with the largest.
    scale = max(1.0, *map(abs, expected))
    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64),
        rtol=1e-7, atol=1e-7 * scale,
    )  # fmt: skip


examples = settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip
points = st.lists(st.floats(-2, 2, width=32), min_size=INPUTS, max_size=INPUTS)


@pytest.fixture(scope="module")
def lab() -> dict[str, Any]:
    return solution_namespace(LAB)


@examples
@given(tree=trees(("exp", "relu", "sigmoid", "tanh")), point=points)
def test_reverse_mode(lab: dict[str, Any], tree: Tree, point: list[float]) -> None:
    names = ("exp", "relu", "sigmoid", "tanh")
    assume(without_constant_functions(tree))
    value, gradient = reference(tree, point, {name: getattr(torch, name) for name in names})
    inputs = [lab["Value"](v) for v in point]
    output = evaluate(
        tree, inputs, {**ARITHMETIC, **{name: lab[f"value_{name}"] for name in names}}
    )
    lab["backward"](output)
    assert_same([output.data, *(v.grad for v in inputs)], [value, *gradient])


@examples
@given(tree=trees(("exp", "sin")), point=points)
def test_forward_mode(lab: dict[str, Any], tree: Tree, point: list[float]) -> None:
    names = ("exp", "sin")
    assume(without_constant_functions(tree))
    _, gradient = reference(tree, point, {name: getattr(torch, name) for name in names})
    operations = {**ARITHMETIC, **{name: lab[f"dual_{name}"] for name in names}}
    found = lab["forward_gradient"](lambda *inputs: evaluate(tree, list(inputs), operations), point)
    assert_same(list(found), gradient)


def chain(lab: dict[str, Any], length: int) -> tuple[Any, Any]:
    """x · 1 · 1 · …, with that many operations."""
    first = last = lab["Value"](1.5)
    for _ in range(length):
        last = last * 1.0
    return first, last


def test_a_chain_of_ten_thousand_operations(lab: dict[str, Any]) -> None:
    first, last = chain(lab, 10_000)
    lab["backward"](last)
    assert first.grad == 1.0


def test_a_recursive_engine_manages_the_stated_length(lab: dict[str, Any]) -> None:
    """What the docstring of backward promises holds for the engine that most people write."""
    entries = catalogue.load(LAB.variants_path)
    recursive = next(e.implementation for e in entries if e.name == "backward_depth_first")
    assert "Chains of 500 operations" in lab["backward"].__doc__
    first, last = chain(lab, 500)
    recursive(last)
    assert first.grad == 1.0
    first, last = chain(lab, 10_000)
    with pytest.raises(RecursionError):
        recursive(last)
