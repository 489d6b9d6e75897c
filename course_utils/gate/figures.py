"""What the gate counts: the figures of its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MatrixRow:
    """One misconception: how many of its exercise's tests kill it, and what it is called.

    Attributes:
        public, hidden: (failed, all) tests of its exercise.
        named: whether the diagnosis from all tests is this misconception.
        named_by_check: the same from the public tests and the released traces alone (printed as –
            where no public test fails).
        kept: the share of the exercise's points that it keeps.
        only_nan: whether nothing but NaN or infinities comes back, which is all that is said then.
    """

    exercise: str
    name: str
    public: tuple[int, int]
    hidden: tuple[int, int]
    named: bool
    named_by_check: bool
    kept: float
    only_nan: bool = False


@dataclass(frozen=True)
class Flakes:
    """How often marks were not those of the first run, over all seeds and implementations.

    Attributes:
        runs, differing: how many runs there were, and in how many the marks were others.
        training: exercises that train networks.
        hanging: mistakes with a call that is cut off at its time limit.
        fewer: under how many seeds these two were tried.
    """

    seeds: int = 0
    runs: int = 0
    differing: int = 0
    training: tuple[str, ...] = ()
    hanging: tuple[str, ...] = ()
    fewer: int = 0

    @property
    def rate(self) -> float:
        return self.differing / self.runs if self.runs else 0.0

    @classmethod
    def joined(cls, seeds: int, every: Sequence[Flakes]) -> Flakes:
        """Those of single exercises as those of the lab."""
        return cls(
            seeds, sum(one.runs for one in every), sum(one.differing for one in every),
            tuple(sorted(name for one in every for name in one.training)),
            tuple(sorted(name for one in every for name in one.hanging)),
            max((one.fewer for one in every), default=0),
        )  # fmt: skip


@dataclass(frozen=True)
class MutationRow:
    """The mutants of one exercise.

    Attributes:
        killed, equivalent, total: how many a test notices, are marked as equivalent, there are.
        survivors: "line: old code -> new code" of those that no test notices.
    """

    exercise: str
    killed: int
    equivalent: int
    total: int
    survivors: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Killed mutants over those that are not equivalent."""
        counted = self.total - self.equivalent
        return self.killed / counted if counted else 1.0


@dataclass(frozen=True)
class NamingRow:
    """What was said of mistakes that the catalogue does not know.

    Attributes:
        group: which mistakes.
        named, apt, silent, misleading: of how many what was said, in the words of
            :mod:`.points.unknown_mistakes`.
        sentences: the misleading ones.
    """

    group: str
    named: int
    apt: int
    silent: int
    misleading: int
    sentences: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.named + self.apt + self.silent + self.misleading


@dataclass(frozen=True)
class NotebookForm:
    """The measures of the notebook."""

    cells: int = 0
    words: int = 0
    conventions: bool = False
    exercises: int = 0
    points: float = 0.0
    written_points: float = 0.0


def summed(counts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Counts of some among all, added up."""
    return sum(count[0] for count in counts), sum(count[1] for count in counts)
