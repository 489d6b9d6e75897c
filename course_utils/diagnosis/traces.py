"""The traces of a lab's misconceptions: a book that can be saved and shipped without any code.

For every misconception the book holds its digest under each test in which it returns something
else than the solution does. The solution's own values are not in it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils import wire
from course_utils.diagnosis.digest import TraceDigest, of_trace, of_value, rounded, same
from course_utils.outcome import TestOutcome

FORMAT = "course-traces"
VERSION = 1
MAX_BYTES = 16 * 2**20
_HIDDEN = "hidden/"


class TraceBookError(ValueError):
    """A file is not a book of traces that this version can read; the message says why."""


@dataclass(frozen=True)
class Misconception:
    """A named mistake: what the student is told, and what it returns where it shows."""

    name: str
    hint: str
    traces: dict[str, TraceDigest]


@dataclass
class TraceBook:
    """The misconceptions of a lab, by exercise.

    Attributes:
        lab: the lab's name.
        seed: the seed of the test run in which the traces were taken.
        exercises: the misconceptions of each exercise, in the order of the catalogue.
        random: keys of tests in which right code may answer differently from call to call.
    """

    lab: str
    seed: int = 0
    exercises: dict[str, list[Misconception]] = field(default_factory=dict)
    random: set[str] = field(default_factory=set)

    def public(self) -> TraceBook:
        """The same book without anything of a hidden test."""
        return TraceBook(
            self.lab,
            self.seed,
            {
                exercise: [
                    Misconception(m.name, m.hint, kept)
                    for m in entries
                    if (kept := {k: t for k, t in m.traces.items() if not k.startswith(_HIDDEN)})
                ]
                for exercise, entries in self.exercises.items()
            },
            {key for key in self.random if not key.startswith(_HIDDEN)},
        )

    def save(self, path: Path) -> None:
        """Write the public part of the book to a file; hidden tests are never written."""
        path.write_bytes(self.public().to_bytes())

    def to_bytes(self) -> bytes:
        """The whole book in the form of a file; for instructors' machines only."""
        tree = {
            "format": FORMAT,
            "version": VERSION,
            "lab": self.lab,
            "seed": self.seed,
            "random": sorted(self.random),
            "exercises": {
                exercise: [
                    {"name": m.name, "hint": m.hint, "traces": rounded(m.traces)} for m in entries
                ]
                for exercise, entries in self.exercises.items()
            },
        }
        return zlib.compress(wire.dumps(tree), 9)

    @classmethod
    def load(cls, path: Path) -> TraceBook:
        """Read a book that :meth:`save` wrote.

        Raises:
            TraceBookError: the file is damaged, of another kind, or of a newer version.
        """
        try:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(path.read_bytes(), MAX_BYTES)
            tree = wire.loads(data)
        except (zlib.error, wire.WireError) as error:
            raise TraceBookError(f"{path} is not a book of traces: {error}") from None
        if not isinstance(tree, dict) or tree.get("format") != FORMAT:
            raise TraceBookError(f"{path} is not a book of traces")
        if tree.get("version") != VERSION:
            raise TraceBookError(
                f"{path} is of version {tree.get('version')}; this package reads {VERSION}: "
                "update course_utils, or release the lab again"
            )
        try:
            return cls._from_tree(tree)
        except (KeyError, TypeError, AttributeError) as error:
            raise TraceBookError(f"{path} is damaged: {error!r}") from None

    @classmethod
    def _from_tree(cls, tree: dict[str, Any]) -> TraceBook:
        return cls(
            str(tree["lab"]),
            int(tree["seed"]),
            {
                str(exercise): [
                    Misconception(str(m["name"]), str(m["hint"]), dict(m["traces"]))
                    for m in entries
                ]
                for exercise, entries in tree["exercises"].items()
            },
            set(tree["random"]),
        )


def key_of(outcome: TestOutcome) -> str:
    """The name under which a test's digests stand in a book."""
    return f"{_HIDDEN if outcome.hidden else ''}{outcome.test}"


def digests(outcomes: Sequence[TestOutcome]) -> dict[str, TraceDigest]:
    """The digest of every outcome's trace, by key."""
    return {key_of(outcome): of_trace(outcome.trace, outcome.calls) for outcome in outcomes}


def answers_vary(outcome: TestOutcome) -> bool:
    """Whether equal calls of one test were answered differently."""
    seen: dict[tuple[str, int], object] = {}
    if len(outcome.calls) != len(outcome.trace):
        return False
    for call, value in zip(outcome.calls, outcome.trace, strict=True):
        if call.fingerprint is None:
            continue
        digest = of_value(value)
        if not same(digest, seen.setdefault((call.name, call.fingerprint), digest)):
            return True
    return False
