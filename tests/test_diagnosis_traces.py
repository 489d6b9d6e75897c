"""The book of traces: what is in it, what never is, and that it survives a file."""

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import small_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.digest import PROJECTIONS, of_call, returned
from course_utils.diagnosis.comparison import differing, of_trace, ratio, same
from course_utils.diagnosis.kept import hidden_book, made_from, public_book
from course_utils.diagnosis.record import equal_dresses, record
from course_utils.diagnosis.traces import MAX_BYTES, VERSION, TraceBook, digests
from course_utils.ground import wire
from course_utils.ground.errors import TraceBookError
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing.run import run_tests


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return small_lab.write(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def book(lab: Lab) -> TraceBook:
    return record(lab, hidden=False)


def test_a_book_holds_every_mistake_where_it_shows(lab: Lab) -> None:
    book = record(lab, hidden=True, pairs=False)
    softmax = {m.name: set(m.dresses[0]) for m in book.exercises["softmax"]}
    assert softmax["no_max_shift"] == {"test_large_logits"}
    assert softmax["axis_ignored"] == {"test_first_axis", "hidden/test_three_dimensions"}
    own = [m for m in book.exercises["softmax_nll_grad"] if not m.origin]
    assert len(own) == 4


def test_a_mistake_is_known_in_the_dress_of_a_variant_too(book: TraceBook) -> None:
    (entry,) = [m for m in book.exercises["softmax"] if m.names == ("no_max_shift",)]
    assert len(entry.dresses) == 2  # exp(inf) by a quotient, and by a difference of logarithms


def test_pairs_that_fit_together_are_kept(book: TraceBook) -> None:
    pairs = {m.names for m in book.exercises["softmax_nll_grad"] if len(m.names) == 2}
    assert ("sign_flipped", "no_mean") in pairs
    assert ("h_only", "whole_columns") not in pairs  # both change the same words


def test_a_mistake_of_a_called_function_is_known_downstream(book: TraceBook) -> None:
    inherited = {m.name: m.origin for m in book.exercises["softmax_nll_grad"] if m.origin}
    assert set(inherited.values()) <= {"softmax"}
    assert "axis_ignored" not in inherited  # the gradient takes the last axis anyway


def test_a_saved_book_is_small_and_the_same(book: TraceBook, lab: Lab) -> None:
    path = lab.folder / "book"
    book.save(path)
    loaded = TraceBook.load(path)
    assert path.stat().st_size < 5_000
    for exercise, entries in book.exercises.items():
        for before, after in zip(entries, loaded.exercises[exercise], strict=True):
            assert (before.names, before.hint) == (after.names, after.hint)
            for one, other in zip(before.dresses, after.dresses, strict=True):
                assert equal_dresses(one, other)


def test_a_book_of_hidden_tests_is_not_saved(lab: Lab) -> None:
    with pytest.raises(ValueError, match="hidden tests"):
        record(lab, hidden=True, pairs=False).save(lab.folder / "book")


def test_a_book_holds_no_right_value(lab: Lab) -> None:
    backend = NamespaceBackend(solution_namespace(lab))
    right = digests(run_tests(lab.test_files, lambda mark: backend))
    for entries in record(lab, hidden=True).exercises.values():
        for dress in (dress for entry in entries for dress in entry.dresses):
            for key, trace in dress.items():
                for shown, other in zip(trace, right[key], strict=False):
                    assert shown is None or not same(shown, other, shown.facets)


def test_a_saved_book_is_plain_data(book: TraceBook, lab: Lab) -> None:
    path = lab.folder / "book"
    book.save(path)
    tree = wire.loads(zlib.decompress(path.read_bytes()))
    assert tree["format"] == "course-traces" and tree["version"] == VERSION


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"not zlib", "not a book of traces"),
        (zlib.compress(b"\xc1"), "not a book of traces"),
        (zlib.compress(wire.dumps({"format": "other"})), "not a book of traces"),
        (zlib.compress(wire.dumps({"format": "course-traces", "version": 1})), "version 1"),
        (zlib.compress(wire.dumps({"format": "course-traces", "version": VERSION})), "damaged"),
    ],
)
def test_a_file_that_is_no_book_is_refused(lab: Lab, data: bytes, sentence: str) -> None:
    path = lab.folder / "broken"
    path.write_bytes(data)
    with pytest.raises(TraceBookError, match=sentence):
        TraceBook.load(path)


def test_kept_books_are_taken_once_until_a_file_changes(lab: Lab) -> None:
    public, hidden, before = public_book(lab), hidden_book(lab, "softmax"), made_from(lab)
    assert public_book(lab) is public and hidden_book(lab, "softmax") is hidden
    lab.misconceptions_path.write_text(lab.misconceptions_path.read_text() + "\n")
    assert made_from(lab) != before
    assert public_book(lab) is not public and hidden_book(lab, "softmax") is not hidden


def test_the_book_that_students_have_is_the_graders_too(lab: Lab) -> None:
    path = lab.traces_path
    public_book(lab).save(path)
    assert public_book(lab).made_from == TraceBook.load(path).made_from == made_from(lab)
    path.unlink()


def test_digests_are_bounded() -> None:
    assert len(of_call(np.arange(100_000.0)).projections) == PROJECTIONS
    assert len(of_trace([returned(1.0)] * 1000)) == 64


@pytest.mark.parametrize("entries", [1, 2])
def test_few_entries_cannot_be_had_from_a_digest(entries: int) -> None:
    assert len(of_call(np.arange(1.0, entries + 1)).projections) == 1


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
        (2, 2.0, True),
        ([1.0, np.ones(2)], (1.0, np.ones(2)), True),
        ([1.0], [1.0, 1.0], False),
        ({"a": 1.0}, {"b": 1.0}, False),
        (None, "None", False),
        ({"fault": "error", "raised": "ValueError: x"}, {"fault": "error", "raised": ""}, False),
    ],
)
def test_digests_are_compared_within_tolerance(first: object, second: object, equal: bool) -> None:
    assert same(of_call(first), of_call(second)) is equal


def test_one_entry_of_many_makes_a_difference() -> None:
    changed = np.ones(10_000)
    changed[5] = 3.0
    assert not same(of_call(np.ones(10_000)), of_call(changed))


@pytest.mark.parametrize("factor", [-1.0, 0.5, 3.0])
def test_multiples_are_seen_in_projections(factor: float) -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    assert ratio(of_call(factor * x), of_call(x)) == pytest.approx(factor, rel=1e-5)
    assert ratio(of_call(factor * x + 1), of_call(x)) is None


def test_only_wrong_sides_of_a_call_are_kept() -> None:
    x = np.random.default_rng(0).normal(size=5)
    assert differing(of_call(x), of_call(x)) is None
    kind = differing(of_call(x.astype(np.float32)), of_call(x.astype(np.float32).astype(float)))
    assert kind is not None and kind.kind and not kind.projections
    values = differing(of_call(2 * x), of_call(x))
    assert values is not None and values.projections and not values.form and not values.kind


@pytest.mark.parametrize(
    "value",
    [b"bytes", None, "text", 1 + 2j, [[1], [1, 2]], [], {}, object, np.zeros((0, 3)),
     np.array([True, False]), np.ones(3, complex)],
)  # fmt: skip
def test_every_value_has_a_digest(value: object) -> None:
    assert same(of_call(value), of_call(value))


def test_the_students_side_loads_neither_torch_nor_pytest() -> None:
    code = (
        "import sys, course_utils.diagnosis.diagnose; "
        "assert not {'torch', 'pytest', 'sympy', 'nbgrader'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_digest_does_not_depend_on_print_options() -> None:
    value = np.full((7, 9), np.nan)
    before = of_call(value)
    with np.printoptions(threshold=5, linewidth=20, nanstr="no number", precision=1):
        assert same(of_call(value), before)


def _damaged(book: TraceBook, what: str) -> bytes:
    tree = wire.loads(zlib.decompress(book.to_bytes()))
    entries = tree["exercises"]["softmax_nll_grad"]
    if what == "length":
        entries[0][3][0] = [0, -2]
    elif what == "single":
        for entry in entries:
            entry[3] = entry[3] if len(entry[0]) == 2 else []
    elif what == "pair":
        for entry in entries:
            entry[3] = entry[3] if len(entry[0]) == 1 else []
    else:
        tree["digests"][what] = tree["digests"][what].astype(complex)
    return zlib.compress(wire.dumps(tree))


@pytest.mark.parametrize("what", ["length", "single", "pair", "scales", "rtol", "projections"])
def test_a_damaged_book_is_refused_and_not_looked_at(book: TraceBook, what: str) -> None:
    with pytest.raises(TraceBookError, match="is damaged"):
        TraceBook.from_bytes(_damaged(book, what))


def test_what_is_no_file_or_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "traces.msgpack"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(TraceBookError, match="too large"):
        TraceBook.load(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(TraceBookError, match="is no file"):
        TraceBook.load(path)
