"""Books of traces that are kept between runs, under names made of everything they depend on.

The public book is the one that students have, in the lab's folder, as long as the lab's files are
those that it was made from. Others are kept in the instructor's own cache folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from course_utils.diagnosis import book_in
from course_utils.diagnosis.record import record
from course_utils.diagnosis.traces import VERSION, TraceBook, TraceBookError
from course_utils.lab import Lab, is_check, is_explore, source

_books: dict[str, TraceBook] = {}
_LIBRARIES = ("numpy", "pytest", "scipy", "sympy", "torch")


def public_book(lab: Lab) -> TraceBook:
    """The mistakes' traces under the public tests, pairs included, as students have them."""
    released = book_in(lab.folder)
    if released is not None and released.made_from == made_from(lab):
        return released
    return _kept(lab, hidden=False)


def hidden_book(lab: Lab) -> TraceBook:
    """The single mistakes' traces under all tests; for instructors' machines only."""
    return _kept(lab, hidden=True)


def keep(lab: Lab, book: TraceBook, *, hidden: bool) -> None:
    """Keep a book that was just made, so that a release, or grading, need not make it again."""
    book.made_from = made_from(lab)
    key = _key(lab, hidden=hidden)
    _books[key] = book
    _write(key, book)


def made_from(lab: Lab) -> str:
    """A checksum of what decides the public traces: the cells that run, public tests, catalogue."""
    digest = hashlib.sha256(f"{VERSION}".encode())
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "code" and not is_check(cell) and not is_explore(cell):
            digest.update(source(cell).encode())
    for path in (lab.test_public, lab.misconceptions_path, lab.variants_path):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:32]


def _kept(lab: Lab, *, hidden: bool) -> TraceBook:
    key = _key(lab, hidden=hidden)
    if key not in _books:
        book = _read(key)
        if book is None:
            book = record(lab, hidden=hidden, pairs=not hidden)
            book.made_from = made_from(lab)
            _write(key, book)
        _books[key] = book
    return _books[key]


def _key(lab: Lab, *, hidden: bool) -> str:
    """A name made of the lab's files, this package's code, Python and the libraries."""
    versions = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    digest = hashlib.sha256(" ".join([sys.version, *versions]).encode())
    package = Path(__file__).parent.parent
    code = [*package.glob("*.py"), *(package / "diagnosis").glob("*.py")]
    tests = lab.test_files if hidden else [lab.test_public]
    for path in [*sorted(code), *tests]:
        digest.update(path.read_bytes())
    which = "all" if hidden else "public"
    return f"{lab.name}-{which}-{made_from(lab)[:16]}{digest.hexdigest()[:16]}"


def cache_folder() -> Path:
    """The instructor's own cache folder, for whatever is made again when it is lost."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "course-utils"


def _read(key: str) -> TraceBook | None:
    try:
        return TraceBook.load(cache_folder() / f"{key}.traces")
    except (OSError, TraceBookError):
        return None


def _write(key: str, book: TraceBook) -> None:
    write_cached(f"{key}.traces", book.to_bytes())


def write_cached(name: str, data: bytes) -> None:
    """Write a file of the cache folder, at once or not at all."""
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
        folder = cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(data)
        os.replace(file.name, folder / name)
