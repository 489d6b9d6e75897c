"""Which forbidden calls are seen, in what guises, and what is none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.fault import StudentFault
from course_utils.calls.probe import probe
from course_utils.calls.protocol import MAX_NOTES
from course_utils.calls.proxy import Ledger, Student
from course_utils.calls.watching import watchable

SOFTMAX = ("torch.softmax", "scipy.special.softmax")
OPTIMIZERS = ("torch.optim.SGD", "torch.optim.Adam", "torch.optim.sgd.sgd")
INIT = ("torch.nn.init.kaiming_uniform_", "torch.nn.init.normal_")


def calls(source: str, forbid: tuple[str, ...], call: Any = None) -> list[tuple[str, str]]:
    """The forbidden calls that are noted, each with the function that makes it."""
    namespace: dict[str, Any] = {"np": np, "torch": torch, "__name__": "__main__"}
    exec(compile(source, "<cell 3>", "exec"), namespace)
    ledger = Ledger()
    student = Student(NamespaceBackend(namespace), ledger, forbid=forbid)
    if call is None:
        student.f(torch.tensor([1.0, 2.0, 0.5]))
    else:
        call(student)
    return [(note.call, note.by[0]) for note in ledger.forbidden]


def body(*lines: str) -> str:
    return "def f(x):\n    " + "\n    ".join(lines)


@probe
def one_step(student: Any, name: str) -> Any:
    p = torch.zeros(2, requires_grad=True)
    optimizer = getattr(student, name)([p], lr=0.1)
    p.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it so
    optimizer.step()
    return p.detach()


@probe
def asked_of_f(student: Any, x: Any) -> Any:
    return student.f(x)


@probe
def its_own(student: Any, x: Any) -> Any:
    return torch.softmax(x, 0)


@pytest.mark.parametrize(
    ("source", "forbid", "call", "function"),
    [
        (body("return torch.softmax(x, 0)"), SOFTMAX, "torch.softmax", "f"),
        (body("return x.softmax(0)"), SOFTMAX, "torch.softmax", "f"),
        (body("return torch.Tensor.softmax(x, 0)"), SOFTMAX, "torch.softmax", "f"),
        (body("return torch.nn.functional.softmax(x, 0)"), SOFTMAX, "torch.softmax", "f"),
        (body("return torch.nn.Softmax(0)(x)"), SOFTMAX, "torch.softmax", "f"),
        (body("return torch.special.softmax(x, 0)"), SOFTMAX, "torch.special.softmax", "f"),
        (body("return torch.ops.aten.softmax(x, 0)"), SOFTMAX, "torch.softmax", "f"),
        (body("return getattr(torch, 'soft' + 'max')(x, 0)"), SOFTMAX, "torch.softmax", "f"),
        (body("return x.sigmoid_()"), ("torch.sigmoid",), "torch.sigmoid", "f"),
        (body("return torch.special.expit(x)"), ("torch.sigmoid",), "torch.special.expit", "f"),
        (
            body("import scipy.special as s", "return s.softmax(x.numpy())"),
            SOFTMAX, "scipy.special.softmax", "f",
        ),
        (
            "from scipy.special import softmax as s\n" + body("return s(x.numpy())"),
            SOFTMAX, "scipy.special.softmax", "f",
        ),
        ("def g(x):\n    return torch.softmax(x, 0)\n" + body("return g(x)"), SOFTMAX,
         "torch.softmax", "g"),
        ("f = lambda x: torch.softmax(x, 0)", SOFTMAX, "torch.softmax", "f"),
        ("import functools\nf = functools.partial(torch.softmax, dim=0)", SOFTMAX,
         "torch.softmax", "f"),
        (body("return np.exp(x.numpy())"), ("numpy.exp",), "numpy.exp", "f"),
        (
            body("w = torch.empty(2, 2)", "torch.nn.init.kaiming_uniform_(w)", "return w"),
            INIT, "torch.nn.init.kaiming_uniform_", "f",
        ),
        (
            body("x.requires_grad_()", "(x * x).sum().backward()", "return x.grad"),
            ("autograd",), "autograd (torch.Tensor.backward)", "f",
        ),
        (
            body("return torch.func.grad(lambda z: (z * z).sum())(x)"),
            ("autograd",), "autograd (torch.autograd.grad)", "f",
        ),
    ],
)  # fmt: skip
def test_a_forbidden_call_is_seen_in_every_guise(
    source: str, forbid: tuple[str, ...], call: str, function: str
) -> None:
    assert calls(source, forbid)[0] == (call, function)


@pytest.mark.parametrize(
    "source",
    [
        "SGD = torch.optim.SGD",
        "class SGD(torch.optim.SGD): pass",
        "class SGD(torch.optim.SGD):\n    def __init__(s, p, lr): super().__init__(p, lr=lr)",
        "import functools\nSGD = functools.partial(torch.optim.SGD)",
        "def SGD(p, lr): return torch.optim.SGD(p, lr)",
        "class SGD:\n    def __init__(s, p, lr): s.it = torch.optim.SGD(p, lr)\n"
        "    def step(s): s.it.step()",
    ],
)
def test_a_forbidden_class_is_seen_in_every_guise(source: str) -> None:
    found = calls(source, OPTIMIZERS, lambda student: student.run(one_step, "SGD"))
    assert found[0] == ("torch.optim.SGD", "SGD")


def test_a_name_that_stands_for_a_forbidden_function_is_seen() -> None:
    alias = "f = torch.softmax"
    assert calls(alias, SOFTMAX, lambda s: s.f(torch.ones(2), 0)) == [("torch.softmax", "f")]
    partial = "import functools\nf = functools.partial(torch.softmax, dim=0)"
    found = calls(partial, SOFTMAX, lambda s: s.run(asked_of_f, torch.ones(2)))
    assert found == [("torch.softmax", "f")]


OWN_OPTIMIZER = """
class SGD(torch.optim.Optimizer):
    def __init__(self, p, lr):
        super().__init__(p, dict(lr=lr))
    def step(self):
        pass
"""


@pytest.mark.parametrize(
    ("source", "forbid"),
    [
        ("def softmax(x, d): return x\n" + body("return softmax(x, 0)"), SOFTMAX),
        ("class Softmax:\n    def softmax(self, d): return d\n"
         + body("return Softmax().softmax(x)"), SOFTMAX),
        (body("'torch.softmax(x, 0)'  # torch.softmax", "return torch.exp(x)"), SOFTMAX),
        (body("return np.exp(x.numpy())"), ("torch.exp",)),
        (body("return torch.exp(x)"), ("numpy.exp", "scipy.special.exp1")),
        (body("return torch.log_softmax(x, 0)"), SOFTMAX),
        (body("return x.normal_()"), INIT),
        (body("torch.nn.Linear(3, 3)", "return x"), INIT),
        (body("with torch.no_grad():", "    return x.requires_grad_().detach()"), ("autograd",)),
        (body("return np.add.reduce(x.numpy())"), ("numpy.add",)),
        (body("return x.numpy().sum()"), ("numpy.ndarray.sum", "torch.no_such_function")),
    ],
)  # fmt: skip
def test_what_only_resembles_a_forbidden_call_is_not_accused(
    source: str, forbid: tuple[str, ...]
) -> None:
    assert calls(source, forbid) == []


def test_what_a_probe_calls_is_not_the_students() -> None:
    assert calls(body("return x"), SOFTMAX, lambda s: s.run(its_own, torch.ones(2))) == []
    run = calls(OWN_OPTIMIZER, (*OPTIMIZERS, "autograd"), lambda s: s.run(one_step, "SGD"))
    assert run == []


def test_a_call_that_is_noted_is_carried_out_and_nothing_is_left_behind() -> None:
    names = ("torch.nn.Sigmoid", "torch.sigmoid", "autograd", "scipy.special.expit")
    before = torch.sigmoid, torch.Tensor.backward, dict(vars(torch.nn.Sigmoid))
    namespace = {"torch": torch, "f": lambda x: torch.nn.Sigmoid()(x)}
    ledger = Ledger()
    student = Student(NamespaceBackend(namespace), ledger, forbid=names)
    assert torch.equal(student.f(torch.zeros(2)), torch.full((2,), 0.5))
    assert ledger.forbidden
    assert (torch.sigmoid, torch.Tensor.backward, dict(vars(torch.nn.Sigmoid))) == before


LATE = """
import sys
from course_utils.calls import dispatcher
from course_utils.calls.protocol import Request
exec('''def f(x):
    import torch
    return torch.as_tensor(x).softmax(0).numpy()''')
assert "torch" not in sys.modules
request = Request("f", [[1.0, 2.0]], forbid=["torch.softmax"])
print(*dispatcher.invoke({"f": f}, request).forbidden)
"""


def test_what_a_call_imports_itself_is_seen() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ForbiddenNote(call='torch.softmax', by=('f',))"


def test_an_error_beside_a_forbidden_call_does_not_hide_it() -> None:
    source = body("torch.softmax(x, 0)", "raise ValueError('after')")

    def failing(student: Student) -> None:
        with pytest.raises(StudentFault, match="after"):
            student.f(torch.ones(2))

    assert calls(source, SOFTMAX, failing) == [("torch.softmax", "f")]


def test_of_very_many_calls_only_some_are_noted() -> None:
    lines = [f"torch.{name}(x)" for name in NAMES]
    found = calls(body(*lines, "return x"), tuple(f"torch.{name}" for name in NAMES))
    assert [call for call, _ in found] == [f"torch.{name}" for name in NAMES[:MAX_NOTES]]


NAMES = [
    "sin", "cos", "tan", "exp", "log", "sqrt", "abs", "floor", "ceil", "round", "sinh", "cosh",
    "tanh", "asin", "acos", "atan", "exp2", "log2", "log10", "log1p", "sign", "neg", "square",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "there"),
    [("torch.softmax", True), ("torch.optim.SGD", True), ("scipy.special.softmax", True),
     ("torch.softmaxx", False), ("no_such_package.f", False), ("numpy.ndarray.sum", False)],
)  # fmt: skip
def test_what_can_be_watched(name: str, there: bool) -> None:
    assert watchable(name) is there
