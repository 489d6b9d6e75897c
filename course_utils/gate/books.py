"""The books of traces that the gate has made of a lab, and what is diagnosed with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.kept import made_from
from course_utils.diagnosis.traces import TraceBook
from course_utils.ground import wire
from course_utils.ground.fresh import FileMemo
from course_utils.ground.lab import Lab
from course_utils.verdict.outcome import Diagnosis, TestOutcome


@dataclass(frozen=True)
class Books:
    """The mistakes' traces under the public tests, with pairs, and under all, without."""

    public: TraceBook
    hidden: TraceBook

    def name(self, outcomes: Sequence[TestOutcome], *, check: bool = False) -> Diagnosis | None:
        """The diagnosis that the grade gives, or ``check``, which sees public tests only."""
        if check:
            return diagnose([o for o in outcomes if not o.hidden], self.public)
        return diagnose(outcomes, self.public, lambda: self.hidden)

    def general(self, outcomes: Sequence[TestOutcome]) -> Diagnosis | None:
        """What the numbers say by themselves."""
        empty = TraceBook("", random=self.public.random | self.hidden.random)
        return diagnose(outcomes, empty, lambda: empty)

    def without(self, exercise: str, name: str) -> Books:
        """The same books, not knowing one mistake."""
        return Books(self.public.without(exercise, name), self.hidden.without(exercise, name))

    @classmethod
    def joined(cls, lab: Lab, some: Sequence[Books]) -> Books:
        """The books of single exercises as those of the lab."""

        def join(books: Sequence[TraceBook]) -> TraceBook:
            found = {name: entries for book in books for name, entries in book.exercises.items()}
            order = [one.name for one in lab.exercises if one.name in found]
            random = set().union(*(book.random for book in books))
            return TraceBook(
                lab.name, made_from(lab), {name: found[name] for name in order}, random
            )

        return cls(join([one.public for one in some]), join([one.hidden for one in some]))

    def to_bytes(self) -> bytes:
        """Both, for the gate's own files only."""
        return wire.dumps([self.public.to_bytes(), self.hidden.to_bytes()])

    @classmethod
    def from_bytes(cls, data: bytes) -> Books:
        """What :meth:`to_bytes` made."""
        return cls(*(TraceBook.from_bytes(part) for part in wire.loads(data)))

    def save(self, path: Path) -> None:
        """Write both to a file, for the gate's own workers only."""
        path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Books:
        """Read what :meth:`save` wrote."""
        return cls.from_bytes(path.read_bytes())


_files = FileMemo[Books]()


def books_at(path: Path) -> Books:
    """The books in a file that :meth:`Books.save` wrote, read once a process."""
    return _files.get([path], lambda: Books.load(path))
