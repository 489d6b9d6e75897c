"""The mutants themselves: which changes are made, and only inside solution regions."""

import ast
from pathlib import Path
from textwrap import indent

import pytest
import small_lab

from course_utils.calls.fault import StudentFault
from course_utils.calls.limited import LimitedBackend
from course_utils.calls.protocol import Request
from course_utils.diagnosis.traces import TraceBook
from course_utils.gate.books import Books
from course_utils.gate.points import mutation
from course_utils.gate.points.mutants import Mutant, mutants, spliced
from course_utils.gate.workbench import workbench_of
from course_utils.ground.statuses import Status


def changes(body: str) -> list[str]:
    """The changes made to a function with this body in a solution region."""
    region = f"### BEGIN SOLUTION\n{body}\n### END SOLUTION"
    source = f'def f(x, axis=-1):\n    """Doc 1."""\n{indent(region, "    ")}\n'
    made = list(mutants(source))
    for mutant in made:
        assert mutant.span[0] > source.index("BEGIN SOLUTION")
        text = spliced(source, mutant)
        if mutant.new != "(removed)":
            assert mutant.new in ast.unparse(ast.parse(text))
    return [mutant.new for mutant in made]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("y = x + 3", ["y = x - 3", "y = x + 6"]),
        ("y = x * 0", ["y = x / 0", "y = x * 1"]),
        ("y = x ** 1", ["y = x * 1", "y = x ** 0", "y = x ** 2"]),
        ("y = a @ b", ["y = b @ a"]),
        ("y = -x", ["y = x"]),
        ("y = np.sum(x, axis=1)", ["y = np.mean(x, axis=1)", "y = np.sum(x, axis=0)"]),
        ("y = np.exp(x, axis=-1)", ["y = np.exp(x, axis=0)"]),
        ("y = f(x, axis=axis)", ["y = f(x, axis=None)"]),
        ("y = f(x, keepdims=True)", ["y = f(x, keepdims=False)"]),
        ("y = np.where(m, a, b)", ["y = np.where(m, b, a)"]),
        ("y = np.maximum(a, b)", ["y = np.minimum(a, b)"]),
        ("y = f(a, b)", ["y = f(b, a)"]),
        ("y += x", ["(removed)", "y -= x"]),
        ("y[0] = x", ["(removed)", "y[1] = x"]),
        ("x.clip_(y)", ["(removed)"]),
        ("y = a < b", ["y = a <= b", "y = a >= b"]),
        ("y = a is None", ["y = a is not None"]),
        ("y = a and b", ["y = a or b"]),
        ("if flag:\n    pass", ["if not flag:"]),
        ("return a(x)", ["return -a(x)"]),
        ("raise ValueError('n must be 1', 1 + 1)", []),
        ("assert x > 1", []),
        ("y = 'text'", []),
        ("y = [a - 1 for a in x if a > 2]", [
            "y = [a + 1 for a in x if a > 2]", "y = [a - 0 for a in x if a > 2]",
            "y = [a - 2 for a in x if a > 2]", "y = [a - 1 for a in x if a >= 2]",
            "y = [a - 1 for a in x if a <= 2]", "y = [a - 1 for a in x if a > 4]",
        ]),
    ],
)
def test_each_kind_of_change(body: str, expected: list[str]) -> None:
    assert changes(body) == expected


def test_nothing_outside_a_region_changes() -> None:
    assert not list(mutants("def f(x, axis=-1):\n    return x + 1\n"))


def test_a_cell_is_as_it_was_after_its_mutants() -> None:
    first = [spliced(small_lab.SOFTMAX, mutant) for mutant in mutants(small_lab.SOFTMAX)]
    assert first == [spliced(small_lab.SOFTMAX, mutant) for mutant in mutants(small_lab.SOFTMAX)]
    assert len(set(first)) == len(first)


def test_the_mutants_belong_to_the_next_check_cell(tmp_path: Path) -> None:
    found = mutation.by_exercise(workbench_of(small_lab.write(tmp_path).folder))
    assert {name: len(some) > 5 for name, some in found.items()} == {
        "softmax": True, "softmax_nll_grad": True,
    }  # fmt: skip


def test_a_mutant_that_never_ends_counts_as_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "_SECONDS", 0.2)
    lab = small_lab.write(tmp_path)
    start = small_lab.SOFTMAX.index("shifted = x")
    endless = Mutant("a", "b", (start, start), "while True: pass\n    ")
    books = tmp_path / "books"
    Books(TraceBook(lab.name), TraceBook(lab.name)).save(books)
    tried = mutation.try_mutants(mutation.MutationJob(lab.folder, books, "softmax", (endless,)))
    assert tried.survivors == []
    assert [verdict.said for verdict in tried.verdicts] == ["apt"]  # it is said to take too long


def test_after_one_call_that_took_too_long_no_other_is_made() -> None:
    calls: list[int] = []

    def slow() -> None:
        calls.append(1)
        while True:
            pass

    backend = LimitedBackend({"slow": slow}, seconds=0.1)
    request = Request("slow")
    for _ in range(2):
        with pytest.raises(StudentFault) as caught:
            backend.request(request)
        assert caught.value.status is Status.TIMEOUT
    assert calls == [1]
