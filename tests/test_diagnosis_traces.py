"""The book of traces: what is in it, what never is, and that it survives a file."""

import subprocess
import sys
import zlib

import numpy as np
import pytest
import small_lab

from course_utils import wire
from course_utils.diagnosis.digest import of_trace, of_value, same, same_trace
from course_utils.diagnosis.masking import holds_right_values
from course_utils.diagnosis.record import full_book, record
from course_utils.diagnosis.traces import TraceBook, TraceBookError, digests
from course_utils.lab import Lab
from course_utils.plugin import run_tests
from course_utils.solution import solution_namespace
from course_utils.student import NamespaceBackend


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return small_lab.write(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def book(lab: Lab) -> TraceBook:
    return record(lab, hidden=True)


def test_a_book_holds_every_misconception_where_it_shows(book: TraceBook) -> None:
    softmax = {m.name: set(m.traces) for m in book.exercises["softmax"]}
    assert softmax["no_max_shift"] == {"test_large_logits"}
    assert softmax["axis_ignored"] == {"test_first_axis", "hidden/test_three_dimensions"}
    assert len(book.exercises["softmax_nll_grad"]) == 4


def test_a_saved_book_is_public_small_and_the_same(book: TraceBook, lab: Lab) -> None:
    path = lab.folder / "book"
    book.save(path)
    loaded = TraceBook.load(path)
    assert path.stat().st_size < 10_000
    assert not any(
        key.startswith("hidden/")
        for ms in loaded.exercises.values()
        for m in ms
        for key in m.traces
    )
    for exercise, entries in book.public().exercises.items():
        for before, after in zip(entries, loaded.exercises[exercise], strict=True):
            assert (before.name, before.hint) == (after.name, after.hint)
            assert all(same_trace(t, after.traces[key]) for key, t in before.traces.items())


def test_a_book_holds_no_right_value(book: TraceBook, lab: Lab) -> None:
    backend = NamespaceBackend(solution_namespace(lab))
    right = digests(run_tests(lab.test_files, lambda mark: backend))
    for entries in book.exercises.values():
        for entry in entries:
            for key, trace in entry.traces.items():
                assert not holds_right_values(trace, right[key])
    assert all(holds_right_values(trace, trace) for trace in right.values())


def test_a_saved_book_is_plain_data(book: TraceBook, lab: Lab) -> None:
    path = lab.folder / "book"
    book.save(path)
    tree = wire.loads(zlib.decompress(path.read_bytes()))
    assert tree["format"] == "course-traces" and tree["version"] == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"not zlib", "not a book of traces"),
        (zlib.compress(b"\xc1"), "not a book of traces"),
        (zlib.compress(wire.dumps({"format": "other"})), "not a book of traces"),
        (zlib.compress(wire.dumps({"format": "course-traces", "version": 2})), "version 2"),
        (zlib.compress(wire.dumps({"format": "course-traces", "version": 1})), "damaged"),
    ],
)
def test_a_file_that_is_no_book_is_refused(lab: Lab, data: bytes, sentence: str) -> None:
    path = lab.folder / "broken"
    path.write_bytes(data)
    with pytest.raises(TraceBookError, match=sentence):
        TraceBook.load(path)


def test_the_full_book_is_taken_once_until_a_file_changes(lab: Lab) -> None:
    first = full_book(lab)
    assert full_book(lab) is first
    lab.misconceptions_path.write_text(lab.misconceptions_path.read_text() + "\n")
    assert full_book(lab) is not first


def test_digests_are_bounded() -> None:
    digest = of_value(np.arange(10_000.0))
    assert digest["entries"].size == 64
    assert len(of_trace([1.0] * 1000)) == 65
    assert of_value([0.5] * 1000)["entries"].size == 64


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (np.ones(3), np.ones(3) + 1e-9, True),
        (np.ones(3), np.ones(3) + 1e-5, False),
        (np.ones(3, np.float32), np.ones(3, np.float32) + 1e-5, True),
        (np.ones(3), np.ones(3, np.float32), False),
        (np.ones((3, 1)), np.ones(3), False),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf]), True),
        (np.array([np.nan, 1.0]), np.array([1.0, np.nan]), False),
        (np.float64(2.0), 2.0, True),
        (2, 2.0, True),
        ([1.0, np.ones(2)], (1.0, np.ones(2)), True),
        ([1.0], [1.0, 1.0], False),
        ({"a": 1.0}, {"b": 1.0}, False),
        (None, "None", False),
        ({"fault": "error", "raised": "ValueError: x"}, {"fault": "error", "raised": ""}, False),
    ],
)
def test_digests_are_compared_within_tolerance(first: object, second: object, equal: bool) -> None:
    assert same(of_value(first), of_value(second)) is equal


def test_arrays_that_differ_between_the_sampled_entries_differ() -> None:
    changed = np.ones(10_000)
    changed[5] = 3.0
    assert not same(of_value(np.ones(10_000)), of_value(changed))


def test_the_students_side_loads_neither_torch_nor_pytest() -> None:
    code = (
        "import sys, course_utils.diagnosis; "
        "assert not {'torch', 'pytest', 'sympy', 'nbgrader'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
