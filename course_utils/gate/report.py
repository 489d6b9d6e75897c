"""What the release gate found, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """A reason why the lab may not be released: which of the nine points, and what to do.

    Attributes:
        fatal: whether nothing can be run before it is mended.
    """

    point: int
    sentence: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"[{self.point}] {self.sentence}"


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
        training, fewer: exercises that train networks, and under how many seeds they were tried.
    """

    seeds: int = 0
    runs: int = 0
    differing: int = 0
    training: tuple[str, ...] = ()
    fewer: int = 0

    @property
    def rate(self) -> float:
        return self.differing / self.runs if self.runs else 0.0


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
        named, apt, silent, misleading: of how many what was said; see :mod:`.naming`.
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


@dataclass
class VerifyReport:
    """The verdict on a lab; :attr:`green` says whether it may be released.

    Attributes:
        remembered: what was not proven now, since it was green before and nothing that it depends
            on has changed: exercises, and "the notebook" for what concerns the lab as a whole.
    """

    lab: str
    findings: list[Finding] = field(default_factory=list)
    solution_tests: tuple[int, int] = (0, 0)
    variants: tuple[int, int] = (0, 0)
    matrix: list[MatrixRow] = field(default_factory=list)
    flakes: Flakes = field(default_factory=Flakes)
    mutation: list[MutationRow] = field(default_factory=list)
    naming: list[NamingRow] = field(default_factory=list)
    form: NotebookForm = field(default_factory=NotebookForm)
    remembered: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def green(self) -> bool:
        return not self.findings

    @property
    def mutation_rate(self) -> float:
        """Killed mutants over those that are not equivalent, of the whole lab."""
        counted = sum(row.total - row.equivalent for row in self.mutation)
        return sum(row.killed for row in self.mutation) / counted if counted else 1.0

    def render(self) -> str:
        """The whole report as plain text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verdict = "green" if self.green else f"RED, {len(self.findings)} findings"
        yield f"{self.lab}: {verdict} ({self.seconds:.0f} s)"
        if self.remembered:
            yield f"Remembered   {', '.join(self.remembered)}: green before, and nothing changed"
            yield "             since that it depends on (--fresh proves everything again)"
        yield ""
        yield f"Solution     {self.solution_tests[0]} of {self.solution_tests[1]} tests passed"
        yield f"Variants     {self.variants[0]} of {self.variants[1]} with full marks"
        yield (
            f"Flake rate   {100 * self.flakes.rate:.2f} % ({self.flakes.differing} of "
            f"{self.flakes.runs:,} runs; {self.flakes.seeds} seeds and a second run)"
        )
        if self.flakes.training and self.flakes.fewer < self.flakes.seeds:
            names = ", ".join(self.flakes.training)
            yield f"             {names}: {self.flakes.fewer} seeds, since networks are trained"
        if self.mutation:
            yield f"Mutants      {100 * self.mutation_rate:.1f} % killed"
        form = self.form
        yield (
            f"Notebook     {form.cells} cells, {form.words:,} words, conventions box: "
            f"{'yes' if form.conventions else 'no'}; {form.exercises} exercises with "
            f"{form.points:g} points, written questions with {form.written_points:g}"
        )
        if self.matrix:
            yield from ("", "Misconceptions: tests that notice them, and whether they are named")
            yield from _table(
                ["exercise", "misconception", "public", "hidden", "named", "by check", "keeps"],
                [
                    [
                        row.exercise, row.name, _of(row.public), _of(row.hidden),
                        "NaN" if row.only_nan else _yes(row.named),
                        "–" if row.only_nan or not row.public[0] else _yes(row.named_by_check),
                        f"{100 * row.kept:.0f} %",
                    ]
                    for row in self.matrix
                ],
            )  # fmt: skip
        if self.mutation:
            yield from ("", "Mutants of the solution")
            yield from _table(
                ["exercise", "killed", "equivalent", "all", "rate"],
                [
                    [
                        row.exercise, str(row.killed), str(row.equivalent), str(row.total),
                        f"{100 * row.rate:.0f} %",
                    ]
                    for row in self.mutation
                ],
            )  # fmt: skip
            survivors = [line for row in self.mutation for line in row.survivors]
            if survivors:
                yield from ("", "Survivors (add a test that fails, or mark it with the reason)")
                yield from (f"  {line}" for line in survivors)
        if self.naming:
            yield from ("", "What the diagnosis says of mistakes that the catalogue does not know")
            yield from _table(
                ["mistakes", "named", "apt", "silent", "misleading", "all"],
                [
                    [row.group, *(_share(n, row.total) for n in (
                        row.named, row.apt, row.silent, row.misleading)), str(row.total)]
                    for row in self.naming
                ],
            )  # fmt: skip
            for row in self.naming:
                if row.sentences:
                    yield from ("", f"Misleading, {row.group}")
                    yield from (f"  {sentence}" for sentence in row.sentences)
        if self.findings:
            yield from ("", "To do, by point of the release gate")
            yield from (f"  {finding}" for finding in sorted(self.findings, key=_point))


def _point(finding: Finding) -> int:
    return finding.point


def _of(count: tuple[int, int]) -> str:
    return f"{count[0]}/{count[1]}"


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.0f} %)" if total else "0"


def _yes(value: bool) -> str:
    return "yes" if value else "NO"


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield f"  {line}".rstrip()
