"""The traces of a lab's mistakes: a book that can be saved and shipped without any code.

Of every mistake, and of every pair of them, the book holds what its calls returned in each test
in which that is something else than the solution returns. The solution's own values are not in
it, and of the wrong ones only digests are.

It is long for a module of this package: what writes a book and what reads one, and believes nothing
of it, stand side by side here, since a change of one is a change of the other.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.calls.digest import ALL, PROJECTIONS, Digest, Facet
from course_utils.diagnosis.comparison import of_trace, same
from course_utils.ground import wire
from course_utils.ground.errors import TraceBookError
from course_utils.verdict.outcome import TestOutcome

FORMAT = "course-traces"
VERSION = 3
MAX_BYTES = 16 * 2**20
_HIDDEN = "hidden/"
# A lab's book has some thousand of each, and every dress is tried on by every diagnosis.
_MAX_DIGESTS = 100_000
_MAX_DRESSES = 20_000

# What a test's calls returned; None for a call whose answer is the solution's.
Trace = tuple[Digest | None, ...]


@dataclass(frozen=True)
class KnownMistake:
    """A named mistake, or several at once.

    Attributes:
        names: of the mistake, or of each.
        hint: what the student is told.
        origin: the exercise that the mistake was made in, where that is another one, whose
            function this exercise's solution calls.
        dresses: what it returns where it shows, by test; once for every right implementation that
            it was made in, the solution first. A pair lists only the tests in which it is not
            what one of the two returns by itself.
    """

    names: tuple[str, ...]
    hint: str
    origin: str = ""
    dresses: tuple[dict[str, Trace], ...] = ()

    @property
    def name(self) -> str:
        return ", and ".join(self.names)


@dataclass
class TraceBook:
    """The mistakes of a lab, by exercise.

    Attributes:
        lab: the lab's name.
        made_from: a checksum of the files that the traces were taken from.
        exercises: the mistakes of each exercise, in the order of the catalogue, then the pairs.
        random: keys of tests in which right code may answer differently from call to call.
    """

    lab: str
    made_from: str = ""
    exercises: dict[str, list[KnownMistake]] = field(default_factory=dict)
    random: set[str] = field(default_factory=set)

    def without(self, exercise: str, name: str) -> TraceBook:
        """The same book, not knowing one mistake, alone or in a pair."""
        left = [m for m in self.exercises.get(exercise, []) if name not in m.names]
        return TraceBook(
            self.lab, self.made_from, {**self.exercises, exercise: left}, self.random
        )

    def save(self, path: Path) -> None:
        """Write the book to a file.

        Raises:
            ValueError: it holds traces of hidden tests, which are never written where students
                could receive them.
        """
        if any(is_hidden(key) for key in self._keys()):
            raise ValueError(f"a book with traces of hidden tests is not saved to {path}")
        path.write_bytes(self.to_bytes())

    def _keys(self) -> list[str]:
        found = {
            key
            for entries in self.exercises.values()
            for entry in entries
            for dress in entry.dresses
            for key in dress
        }
        return sorted(found)

    def to_bytes(self) -> bytes:
        """The whole book in the form of a file."""
        tests, digests = self._keys(), _Numbered()
        tree = {
            "format": FORMAT,
            "version": VERSION,
            "lab": self.lab,
            "made_from": self.made_from,
            "random": sorted(self.random),
            "tests": tests,
            "exercises": {
                exercise: [
                    [list(m.names), "" if len(m.names) > 1 else m.hint, m.origin,
                     [_flat(dress, tests, digests) for dress in m.dresses]]
                    for m in entries
                ]
                for exercise, entries in self.exercises.items()
            },
        }  # fmt: skip
        tree["digests"] = digests.columns()
        return zlib.compress(wire.dumps(tree), 9)

    @classmethod
    def load(cls, path: Path) -> TraceBook:
        """Read a book that :meth:`save` wrote.

        Raises:
            TraceBookError: the file is damaged, of another kind, or of another version.
        """
        if not path.is_file():  # a pipe or a device would be read for ever
            raise TraceBookError(f"{path} is no file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise TraceBookError(f"{path} is too large for a book of traces")
        return cls.from_bytes(data, str(path))

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "this") -> TraceBook:
        """Read what :meth:`to_bytes` made; errors as of :meth:`load`."""
        try:
            tree = wire.loads(zlib.decompressobj().decompress(data, MAX_BYTES))
        except (zlib.error, wire.WireError) as error:
            raise TraceBookError(f"{name} is not a book of traces: {error}") from None
        kind, version = (
            (tree.get("format"), tree.get("version")) if isinstance(tree, dict) else (None, None)
        )
        if not isinstance(kind, str) or kind != FORMAT:
            raise TraceBookError(f"{name} is not a book of traces")
        if type(version) is not int or version != VERSION:
            raise TraceBookError(
                f"{name} is of version {str(version)[:20]}; this package reads {VERSION}: "
                "update course_utils, or release the lab again"
            )
        try:
            return cls._from_tree(tree)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise TraceBookError(f"{name} is damaged: {error!r}") from None

    @classmethod
    def _from_tree(cls, tree: dict[str, Any]) -> TraceBook:
        tests, digests = _texts(tree["tests"]), _from_columns(tree["digests"])
        lab, made_from = _texts([tree["lab"], tree["made_from"]])
        book = cls(lab, made_from, random=set(_texts(tree["random"])))
        room = MAX_BYTES  # a hint of one mistake stands again in every pair
        dressed_in = 0
        for exercise, entries in tree["exercises"].items():
            hints: dict[str, str] = {}
            (name,) = _texts([exercise])
            found = book.exercises.setdefault(name, [])
            for names, hint, origin, dresses in entries:
                names, (hint, origin) = tuple(_texts(names)), _texts([hint, origin])
                if len(names) == 1 and not origin and dresses:
                    hints[names[0]] = hint
                if len(names) not in (1, 2) or (len(names) == 2 and len(dresses) != 1):
                    raise ValueError(f"{len(names)} mistakes with {len(dresses)} dresses")
                told = hint if len(names) == 1 else joined([hints[name] for name in names])
                room -= len(told)
                if room < 0:
                    raise ValueError("its hints are too long")
                dressed_in += len(dresses)
                if dressed_in > _MAX_DRESSES:
                    raise ValueError("it knows too many dresses")
                dressed = tuple(_unflat(flat, tests, digests) for flat in dresses)
                found.append(KnownMistake(names, told, origin, dressed))
        return book


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a text in it is none")
    return values


def joined(hints: Sequence[str]) -> str:
    """The hint for several mistakes, two or three."""
    first, *others = hints
    count = {1: "Two", 2: "Three"}[len(others)]
    return "\nAnd: ".join([f"{count} things at once. {first}", *others])


# Scales are kept in single precision, as projections are: ten times what a digest is told by.
_LARGEST = float(np.finfo(np.float32).max)


class _Numbered:
    """Digests under numbers, each kept once; 0 stands for a right answer."""

    def __init__(self) -> None:
        self._number: dict[Digest, int] = {}

    def __call__(self, digest: Digest | None) -> int:
        return 0 if digest is None else self._number.setdefault(digest, len(self._number) + 1)

    def columns(self) -> dict[str, Any]:
        rows = list(self._number)
        sums = [[d.kind, d.form, d.odd, d.changed] for d in rows]
        shadows = [(*d.projections, *[0.0] * PROJECTIONS)[:PROJECTIONS] for d in rows]
        return {
            "facets": np.array([int(d.facets) for d in rows], np.uint8),
            "sums": np.array(sums, np.uint32).reshape(-1, 4),
            "counts": np.array([len(d.projections) for d in rows], np.uint8),
            "scales": np.clip([d.scale for d in rows], 0, _LARGEST).astype(np.float32),
            "projections": np.array(shadows, np.float32).reshape(-1, PROJECTIONS),
            "rtol": np.array([d.rtol for d in rows], np.float32),
        }


# Of what kind the columns of digests are, and how many numbers each has in a row.
_COLUMNS = {
    "facets": ("u", 0), "sums": ("u", 4), "counts": ("u", 0), "scales": ("f", 0),
    "projections": ("f", PROJECTIONS), "rtol": ("f", 0),
}  # fmt: skip


def _from_columns(columns: dict[str, Any]) -> list[Digest]:
    for name, (kind, width) in _COLUMNS.items():
        column = columns[name]
        if not isinstance(column, np.ndarray) or column.dtype.kind != kind:
            raise ValueError(f"{name} of another kind")
        if column.shape[1:] != ((width,) if width else ()) or len(column) > _MAX_DIGESTS:
            raise ValueError(f"{name} of shape {column.shape}")
        if not np.all(np.isfinite(column)):
            raise ValueError(f"{name} that are not finite")
    rows = zip(*(columns[name].tolist() for name in _COLUMNS), strict=True)
    return [
        Digest(Facet(facets), kind, form, odd, changed, scale, tuple(projections[:count]), rtol)
        for facets, (kind, form, odd, changed), count, scale, projections, rtol in rows
    ]


def _flat(dress: dict[str, Trace], tests: list[str], digests: _Numbered) -> list[int]:
    """A dress as numbers: of each test its own, how many calls there are, and their digests."""
    flat: list[int] = []
    for key, trace in dress.items():
        flat += [tests.index(key), len(trace), *(digests(digest) for digest in trace)]
    return flat


def _unflat(flat: list[int], tests: list[str], digests: list[Digest]) -> dict[str, Trace]:
    if not isinstance(flat, list) or not all(type(n) is int and n >= 0 for n in flat):
        raise ValueError("a dress that is no row of numbers")
    dress: dict[str, Trace] = {}
    at = 0
    while at < len(flat):
        key, length = tests[flat[at]], flat[at + 1]
        numbers = flat[at + 2 : at + 2 + length]
        dress[key] = tuple(digests[number - 1] if number else None for number in numbers)
        at += 2 + length
    return dress


def key_of(outcome: TestOutcome) -> str:
    """The name under which a test's digests stand in a book."""
    return f"{_HIDDEN if outcome.hidden else ''}{outcome.test}"


def is_hidden(key: str) -> bool:
    """Whether it is a hidden test that a key stands for."""
    return key.startswith(_HIDDEN)


def digests(outcomes: Sequence[TestOutcome]) -> dict[str, list[Digest]]:
    """The digests of every outcome's calls, by key."""
    return {key_of(outcome): of_trace(outcome.trace) for outcome in outcomes}


def answers_vary(outcome: TestOutcome) -> bool:
    """Whether equal calls of one test were answered differently."""
    seen: dict[tuple[str, int], Digest] = {}
    if len(outcome.calls) != len(outcome.trace):
        return False
    for call, one in zip(outcome.calls, outcome.trace, strict=True):
        if call.fingerprint is None:
            continue
        first = seen.setdefault((call.name, call.fingerprint), one.digest)
        if not same(one.digest, first, ALL & ~Facet.CHANGED):
            return True
    return False
