"""Calls in this process: values as the wire would copy them, and a process left as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from defining import defined
from numpy.random import mtrand

from course_utils.calls.backend import Backend, NamespaceBackend
from course_utils.calls.endings import Value
from course_utils.calls.fault import StudentFault
from course_utils.calls.protocol import Request
from course_utils.calls.proxy import Student
from course_utils.ground import leaves
from course_utils.ground.statuses import Status
from course_utils.sandbox.client import Sandbox


def value(namespace: dict[str, Any], *args: Any, **kwargs: Any) -> Value:
    ending = NamespaceBackend(namespace).request(Request("f", args, kwargs)).ending
    assert isinstance(ending, Value)
    return ending


def test_arguments_and_results_are_copies() -> None:
    kept: list[Any] = []

    def f(x: Any, y: Any) -> Any:
        kept.extend([x, y])
        x += 1
        return x

    x, y = np.zeros(3), torch.zeros(3)
    came = value({"f": f}, x, y=y)
    assert came.modified == (0,)
    assert not x.any()
    assert came.value.tolist() == [1.0] * 3
    assert all(ours is not theirs for ours in (x, y, came.value) for theirs in kept)
    kept[0] += 5
    assert came.value.tolist() == [1.0] * 3


@pytest.mark.parametrize(
    "array",
    [np.ones((3, 2)), torch.ones(3, 2), np.float32(1.5)],
    ids=["NumPy", "torch", "a number"],
)
def test_a_value_is_encoded_once_each_time_that_it_may_have_changed(
    array: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The argument when it is sent and when the call has ended, and what comes back."""
    encoded = []

    def counting(tree_of: Callable[[Any], leaves.Tree]) -> Callable[[Any], leaves.Tree]:
        def counted(value: Any) -> leaves.Tree:
            encoded.append(value)
            return tree_of(value)

        return counted

    for name in ("array_tree", "tensor_tree"):
        monkeypatch.setattr(leaves, name, counting(getattr(leaves, name)))
    value({"f": lambda x: x + 1}, array)
    assert len(encoded) == 3


UNTOUCHED = {
    "an array by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "a part of one": np.arange(10)[::3],
    "big-endian": np.arange(3, dtype=">f4"),
    "Booleans that are no 1": np.array([0, 2, 255], np.uint8).view(bool),
    "long doubles": np.array([0.1, np.nan], np.longdouble),
    "a long double": np.longdouble(1) / 3,
    "a number of NumPy's": np.float32(0.1),
    "zero and nothing": (-0.0, float("nan"), None, True, "é", b"x"),
    "a dict": {"b": [1, (2, 3)], 1: {}},
    "bfloat16": torch.full((2,), 0.1, dtype=torch.bfloat16),
    "a parameter": torch.nn.Parameter(torch.ones(2)),
    "a result of autograd's": torch.ones(2, requires_grad=True) * 2,
    "a conjugate": torch.tensor([1 + 2j]).conj(),
    "a transposed tensor": torch.arange(6.0).reshape(2, 3).T,
    "generators": [np.random.default_rng(1), torch.Generator().manual_seed(3)],
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("given", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_a_call_leaves_alone_is_not_said_to_be_changed(given: Any) -> None:
    assert value({"f": lambda x, y: 1.0}, given, y=given).modified == ()


CHANGED = {
    "an entry": ("x[0] = 5", np.ones(2)),
    "an entry to NaN": ("x[0] = np.nan", np.ones(2)),
    "an entry from NaN": ("x[0] = 1.0", np.array([np.nan])),
    "a sign of zero": ("x[0] = -0.0", np.zeros(1)),
    "the shape": ("x.shape = (1, 2)", np.ones(2)),
    "a tensor": ("x.mul_(2)", torch.ones(2)),
    "a tensor's requires_grad": ("x.requires_grad_()", torch.ones(2)),
    "an array in a list": ("x[1] += 1", [0, np.ones(2)]),
    "a list": ("x.append(1)", []),
    "a dict": ("x.pop('a')", {"a": 1}),
    "what cannot cross": ("x.append({1})", []),
    "a generator in a list": ("x[0].random()", [np.random.default_rng(0)]),
}


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
@pytest.mark.parametrize(("line", "given"), CHANGED.values(), ids=CHANGED)
def test_what_a_call_changes_is_noted(line: str, given: Any) -> None:
    namespace = defined(f"def f(x, y):\n    {line}\n    return 1.0")
    assert value(namespace, given, y=0).modified == (0,)
    assert value(namespace, y=0, x=given).modified == ("x",)


def test_a_generator_may_advance() -> None:
    namespace = {"f": lambda rng, generator: rng.random() + torch.rand(1, generator=generator)}
    assert value(namespace, np.random.default_rng(0), torch.Generator()).modified == ()


def test_a_value_is_read_once() -> None:
    source = """
class Once(list):
    read = 0
    def __iter__(self):
        Once.read += 1
        if Once.read > 1:
            raise ValueError
        return iter([1.0])
def f():
    return Once()
"""
    assert Student(NamespaceBackend(defined(source))).f() == [1.0]


@pytest.mark.parametrize("given", [{1}, object, [object()]], ids=["a set", "a class", "a list"])
def test_an_argument_that_cannot_cross_is_a_fault(given: Any) -> None:
    with pytest.raises(StudentFault, match="gave an unreadable answer") as caught:
        NamespaceBackend({"f": lambda x: x}).request(Request("f", (given,)))
    assert caught.value.status is Status.ERROR


def test_a_call_leaves_the_generators_as_they_were() -> None:
    def f() -> float:
        random.seed(1)
        return float(np.random.rand() + torch.rand(1).item())

    def states() -> tuple[Any, ...]:
        numpys = np.random.get_state(legacy=False)["state"]["key"].tolist()
        return random.getstate(), numpys, torch.get_rng_state().tolist()

    before = states()
    NamespaceBackend({"f": f}).request(Request("f", seed=7))
    assert states() == before


def test_what_draws_without_a_seed_draws_the_same_here_and_in_the_sandbox(
    sandbox: Sandbox,
) -> None:
    """A test seeds its first call, and the later ones go on from there."""
    code = (
        "import random\nimport numpy as np\nimport torch\n"
        "def f():\n    return [random.random(), np.random.rand(), torch.rand(1).item()]\n"
    )

    def drawn(backend: Backend) -> list[Any]:
        student = Student(backend, seed=3)
        return [student.f() for _ in range(3)]

    namespace = defined(code)
    here = drawn(NamespaceBackend(namespace))
    random.random(), np.random.rand(), torch.rand(1)
    with sandbox.open() as session:
        session.run_cells([(0, code)])
        backend = session.exercise()
        there = drawn(backend)
        backend.close()
    assert here == there == drawn(NamespaceBackend(namespace))
    assert len({value for call in here for value in call}) == 9


def test_a_call_leaves_numpys_error_handling_as_it_was() -> None:
    def f(x: Any) -> Any:
        np.seterr(all="raise")
        return x

    before = np.geterr()
    value({"f": f}, 1)
    assert np.geterr() == before


def test_the_second_normal_number_of_a_pair_is_kept_on_both_sides() -> None:
    namespace = {"draw": lambda: float(np.random.randn())}
    np.random.seed(7)
    expected = [np.random.randn() for _ in range(2)]
    theirs = np.random.RandomState(3)
    np.random.seed(7)
    drawn = [np.random.randn()]
    student = Student(NamespaceBackend(namespace), seed=3)
    assert [student.draw() for _ in range(3)] == [theirs.randn() for _ in range(3)]
    assert [*drawn, np.random.randn()] == expected


def test_a_notebook_may_have_chosen_another_kind_of_generator() -> None:
    ours = mtrand.get_bit_generator()
    mtrand.set_bit_generator(np.random.PCG64(5))
    try:
        np.random.randn()
        expected = np.random.get_state(legacy=False)
        student = Student(NamespaceBackend({"draw": lambda: float(np.random.randn())}), seed=3)
        assert student.draw() == np.random.RandomState(3).randn()
        assert np.random.get_state(legacy=False) == expected
    finally:
        mtrand.set_bit_generator(ours)
