"""Whatever a student's function returns: a sentence, and the marks of every other exercise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import small_lab
from messages import internals_in

from course_utils.calls.backend import NamespaceBackend
from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.record import record
from course_utils.diagnosis.traces import TraceBook
from course_utils.grading.judge import Grader
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.ground.statuses import Status
from course_utils.sandbox.client import Sandbox
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

ERROR, FAILED = Status.ERROR, Status.FAILED

# name: (how the function ends, status, words of the sentence). What cannot be judged is an ERROR
# of the call; what can be, and is wrong, FAILED.
ZOO: dict[str, tuple[str, Status, str]] = {
    "None": ("return None", FAILED, "None instead of an array of shape"),
    "text": ("return 'half'", FAILED, "the text 'half' instead of an array"),
    "NumPy text": ("return np.str_('half')", FAILED, "the text 'half'"),
    "bytes": ("return x.tobytes()", ERROR, "returned bytes; return numbers"),
    "bytes in a list": ("return [x, {'raw': [b'']}]", ERROR, "returned bytes"),
    "bytearray": ("return bytearray(3)", ERROR, "returned bytes"),
    "generator": ("return (v for v in x)", ERROR, "returned a generator"),
    "iterator": ("return map(float, x[0])", ERROR, "returned an iterator"),
    "coroutine": (
        "async def later(): pass\nc = later()\nc.close()\nreturn c", ERROR, "a coroutine",
    ),
    "NumPy's generator": ("return np.random.default_rng(0)", ERROR, "a random generator"),
    "torch's generator": ("return torch.Generator()", ERROR, "a random generator"),
    "generator in a tuple": ("return x, torch.Generator()", ERROR, "a random generator"),
    "bool": ("return True", FAILED, "True instead of an array"),
    "number": ("return 0.5", FAILED, "the number 0.5 instead of an array"),
    "huge integer": ("return 2**70", ERROR, "an integer of more than 64 bits"),
    "complex number": ("return 1j", ERROR, "a complex number"),
    "complex array": ("return x + 1j", FAILED, "+1j, torch 0."),
    "complex tensor": ("return torch.complex(t, t)", FAILED, "j, torch 0."),
    "set": ("return {1.0}", ERROR, "returned a set"),
    "empty list": ("return []", FAILED, "an empty list instead of an array"),
    "ragged list": ("return [[1.0, 2.0], [3.0]]", FAILED, "a list of 2 values instead of"),
    "long list": ("return [0.0] * 200_000", ERROR, "a list of 200,000 items"),
    "list that contains itself": ("a = []\na.append([a])\nreturn a", ERROR, "contains itself"),
    "deep list": (
        "a = []\nfor _ in range(40):\n    a = [a]\nreturn a", ERROR, "nested more than",
    ),
    "list at the limit of depth": (
        "a = []\nfor _ in range(16):\n    a = [a]\nreturn a", FAILED, "a list of 1 value",
    ),
    "empty dict": ("return {}", FAILED, "an empty dict"),
    "dict": ("return {'h': x, 1: 2}", FAILED, "a dict with the keys h, 1"),
    "dict like a fault": ("return {'fault': {'x': [1]}}", FAILED, "a dict with the key fault"),
    "dict with a NaN key": ("return {float('nan'): 1.0}", ERROR, "a float as a key"),
    "dict that contains itself": ("d = {}\nd['d'] = d\nreturn d", ERROR, "contains itself"),
    "object": ("return object()", ERROR, "an object of type object"),
    "function": ("return lambda: x", ERROR, "returned a function"),
    "method": ("return x.sum", ERROR, "returned a function"),
    "class": ("return float", ERROR, "returned a class"),
    "module": ("return np", ERROR, "returned a module"),
    "SymPy expression": ("import sympy\nreturn sympy.Symbol('x')", ERROR, "a SymPy expression"),
    "SymPy number": ("import sympy\nreturn sympy.Rational(1, 4)", FAILED, "the number 0.25"),
    "0-d array": ("return np.array(3.0)", FAILED, "shape () instead of ("),
    "empty array": ("return np.zeros((0, 4))", FAILED, "shape (0, 4) instead of ("),
    "object array": ("return np.array([None, 1], dtype=object)", ERROR, "dtype object"),
    "text array": ("return np.array(['a'])", ERROR, "an array of dtype <U1"),
    "structured array": ("return np.zeros(2, dtype='f8,i4')", ERROR, "an array of dtype"),
    "dates": ("return np.datetime64('2020-01-01')", ERROR, "dtype datetime64"),
    "truth values": ("return x > 0", FAILED, ", torch 0."),
    "NaN": ("return x * np.nan", FAILED, "you nan, torch 0."),
    "infinity": ("return x - np.inf", FAILED, "you -inf, torch 0."),
    "float16": ("return x.astype(np.float16) * 60_000", FAILED, ", torch 0."),
    "long double": ("return x.astype(np.longdouble)", FAILED, ", torch 0."),
    "big-endian": ("return x.astype('>f8')", FAILED, ", torch 0."),
    "matrix": ("return np.asmatrix(np.ones((5, 4)))", FAILED, "you 1, torch 0."),
    "masked array": ("return np.ma.masked_array(x, x > 0)", ERROR, "a masked array"),
    "array of 80 MB": ("return np.zeros(10**7)", ERROR, "MiB"),
    "tensor": ("return t", FAILED, ", torch 0."),
    "bfloat16": ("return t.bfloat16()", FAILED, ", torch 0."),
    "Parameter": ("return torch.nn.Parameter(t)", FAILED, ", torch 0."),
    "requires_grad": ("return t.requires_grad_() * 2", FAILED, ", torch 0."),
    "conjugated": ("return torch.complex(t, t).conj()", FAILED, "j, torch 0."),
    "meta tensor": ("return t.to('meta')", ERROR, "the device meta, which holds no values"),
    "sparse tensor": ("return t.to_sparse()", ERROR, "a sparse tensor"),
    "nested tensor": ("return torch.nested.nested_tensor([t, t])", ERROR, "a nested tensor"),
    "quantized tensor": (
        "return torch.quantize_per_tensor(t.float(), 0.1, 0, torch.quint8)", ERROR, "quint8",
    ),
    "broken repr": ("return make(__repr__=broken)", ERROR, "an object of type Made"),
    "broken truth and length": (
        "return make(__bool__=broken, __len__=broken)", ERROR, "an object of type Made",
    ),
    "broken __array__": ("return make(__array__=broken)", ERROR, "an object of type Made"),
    "lying about its class": (
        "return make(__class__=property(lambda s: np.ndarray))", ERROR, "returned",
    ),
    "list with a broken length": ("return make(list, __len__=broken)", ERROR, "ValueError when"),
    "text that cannot be read": ("return make(str, __str__=broken)", ERROR, "ValueError when"),
    "list that can be read once": (
        "seen = []\ndef once(self):\n    if seen: broken()\n    seen.append(1)\n"
        "    return iter([1.0])\nreturn make(list, __iter__=once)",
        FAILED, "a list of 1 value",
    ),
}  # fmt: skip

# Those in which the way through the sandbox differs from the one through memory.
SANDBOXED = (
    "bytes", "generator", "torch's generator", "list that contains itself", "meta tensor",
    "array of 80 MB", "broken repr", "list that can be read once", "dict like a fault",
)  # fmt: skip

HELPERS = """
import torch

def broken(*args):
    raise ValueError("not this way")

def make(*bases, **methods):
    return type("Made", bases, methods)()
"""


def function(name: str, body: str) -> str:
    return f"def {name}(x, targets=None, axis=-1):\n    t = torch.as_tensor(x)\n" + indent(
        body, "    "
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return small_lab.write(tmp_path_factory.mktemp("zoo"))


@pytest.fixture(scope="module")
def namespace(lab: Lab) -> dict[str, Any]:
    return solution_namespace(lab)


@pytest.fixture(scope="module")
def book(lab: Lab) -> TraceBook:
    return record(lab, hidden=True)


def check(tests: Sequence[TestOutcome], status: Status, words: str) -> None:
    failed = [test for test in tests if not test.passed]
    assert {test.status for test in failed} <= {status, FAILED, Status.UNJUDGED}
    assert any(test.status is status and words in test.message for test in failed), [
        test.message for test in failed
    ]
    for test in failed:
        assert (test.message or test.hidden) and "\n" not in test.message
        assert internals_in(test.message, [test.test]) == [], test.message


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")  # judges print no warnings
@pytest.mark.parametrize(("body", "status", "words"), ZOO.values(), ids=ZOO)
def test_every_value_is_described_or_named(
    lab: Lab, namespace: dict[str, Any], book: TraceBook, body: str, status: Status, words: str
) -> None:
    scope = {"np": namespace["np"]}
    exec(HELPERS + function("softmax", body), scope)
    backend = NamespaceBackend({**namespace, "softmax": scope["softmax"]})
    outcomes = run_tests(lab.test_files, lambda mark: backend)
    tests = [o for o in outcomes if o.exercise == "softmax"]
    check(tests, status, words)
    assert diagnose(tests, book) is None or diagnose(tests, book).hint  # type: ignore[union-attr]
    assert all(o.passed for o in outcomes if o.exercise != "softmax")


@pytest.fixture(scope="module")
def small_grader(lab: Lab, sandbox: Sandbox) -> Iterator[Grader]:
    # A cell that imports torch on a busy machine takes seconds; here it lies ready.
    with Sandbox(limits=sandbox.limits, preload=[*lab.imports, "torch"]) as warm:
        yield Grader(lab, warm)


@pytest.mark.parametrize("name", SANDBOXED)
def test_every_value_costs_its_exercise_only_in_grading(small_grader: Grader, name: str) -> None:
    body, status, words = ZOO[name]
    notebook = small_lab.notebook()
    cell = next(c for c in notebook["cells"] if c["id"] == "softmax_nll_grad")
    cell["source"] = HELPERS + function("softmax_nll_grad", body)
    result = small_grader.grade(json.dumps(notebook).encode())
    softmax, gradient = result.exercises
    assert (softmax.score, gradient.score) == (softmax.max_score, 0)
    check(gradient.tests, status, words)


TAKEN_APART = '''

@exercise("softmax", stated="Softmax of x")
def test_taken_apart(student, logits):
    """The first row sums to 1."""
    assert student.softmax(logits)[0, :].sum() == 1
'''


def test_what_a_tests_own_code_trips_over_is_described(tmp_path: Path) -> None:
    """A test that takes a value apart may be handed something without the part."""
    source = small_lab.TEST_PUBLIC + TAKEN_APART
    lab = small_lab.write(tmp_path, test_public=source)
    backend = NamespaceBackend({**solution_namespace(lab), "softmax": lambda x, axis=-1: [1.0]})
    outcomes = run_tests(lab.test_files, lambda mark: backend, exercises=["softmax"])
    (found,) = [o for o in outcomes if o.test == "test_taken_apart"]
    assert found.status is FAILED
    assert found.message.startswith("what your code gave cannot be used here: a list of 1 value (")
