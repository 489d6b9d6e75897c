"""Books of traces that are kept between runs, under names made of everything they depend on.

The public book is the one that students have, in the lab's folder, as long as the lab's files are
those that it was made from. Others are kept in the instructor's own cache folder: what mistakes
return in hidden tests depends on the seed of a class's own, so there is a book for each exercise
and seed, taken when it is first asked for.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from course_utils.diagnosis.record import Recorder, record
from course_utils.diagnosis.released_book import book_in
from course_utils.diagnosis.rewriting import Originals
from course_utils.diagnosis.traces import VERSION, TraceBook
from course_utils.ground.cache import cached, write_cached
from course_utils.ground.cells import is_run, source
from course_utils.ground.errors import TraceBookError
from course_utils.ground.lab import Lab

_books: dict[str, TraceBook] = {}
_LIBRARIES = ("numpy", "pytest", "scipy", "sympy", "torch")


def public_book(lab: Lab) -> TraceBook:
    """The mistakes' traces under the public tests, pairs included, as students have them."""
    released = book_in(lab.folder)
    if released is not None and released.made_from == made_from(lab):
        return released
    return _book(lab, name_of(lab), lambda: record(lab, hidden=False))


def hidden_book(lab: Lab, exercise: str, seed: int = 0) -> TraceBook:
    """The traces of an exercise's single mistakes under all tests; for instructors' machines only.

    Args:
        lab: an instructor's folder.
        exercise: its name.
        seed: of the hidden tests; the public ones have theirs.
    """

    def take() -> TraceBook:
        recorder = Recorder.of(
            originals(lab), hidden=True, hidden_seed=seed, exercises=[exercise]
        )
        return recorder.book([exercise], pairs=False)

    return _book(lab, name_of(lab, exercise, str(seed)), take)


def keep_public(lab: Lab, book: TraceBook) -> None:
    """Keep a public book that was just made, so that a release need not make it again."""
    _keep(lab, name_of(lab), book)


def keep_hidden(lab: Lab, book: TraceBook) -> None:
    """Keep a book that was just made under all tests and seed 0, for grading without a class."""
    for exercise, entries in book.exercises.items():
        one = TraceBook(book.lab, exercises={exercise: entries}, random=book.random)
        _keep(lab, name_of(lab, exercise, "0"), one)


def originals(lab: Lab) -> Originals:
    """The lab's right implementations, read once for all its exercises until a file changes."""
    return _originals(lab, made_from(lab))


@functools.lru_cache(maxsize=1)
def _originals(lab: Lab, version: str) -> Originals:
    return Originals(lab)


def made_from(lab: Lab) -> str:
    """A checksum of what decides the public traces: the cells that run, public tests, catalogue."""
    digest = hashlib.sha256(f"{VERSION}".encode())
    for cell in lab.notebook["cells"]:
        if is_run(cell):
            digest.update(source(cell).encode())
    for path in (lab.test_public, lab.misconceptions_path, lab.variants_path):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:32]


def _book(lab: Lab, name: str, take: Callable[[], TraceBook]) -> TraceBook:
    def taken() -> bytes:
        book = take()
        book.made_from = made_from(lab)
        return book.to_bytes()

    if name not in _books:
        try:
            _books[name] = TraceBook.from_bytes(cached(name, taken))
        except TraceBookError:  # damaged
            _books[name] = take()
    return _books[name]


def _keep(lab: Lab, name: str, book: TraceBook) -> None:
    book.made_from = made_from(lab)
    _books[name] = book
    write_cached(name, book.to_bytes())


def name_of(lab: Lab, exercise: str = "", what: str = "") -> str:
    """The name of something in the cache folder: made of the lab's files, this package's code,
    Python and the libraries.

    Args:
        lab: an instructor's folder.
        exercise: which of its exercises it is about, under all tests; none for the public ones.
        what: what it is, besides; not to be read in the name, for it may be a class's seed.
    """
    versions = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    digest = hashlib.sha256(" ".join([sys.version, *versions, exercise, what]).encode())
    package = Path(__file__).parent.parent
    floors = [package / name for name in ("ground", "calls", "verdict", "testing", "diagnosis")]
    code = [path for floor in floors for path in floor.glob("*.py")]
    tests = lab.test_files if exercise else [lab.test_public]
    for path in [*sorted(code), *tests]:
        digest.update(path.read_bytes())
    which = exercise or "public"
    return f"{lab.name}-{which}-{made_from(lab)[:16]}{digest.hexdigest()[:16]}.kept"
