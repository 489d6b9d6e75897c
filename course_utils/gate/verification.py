"""The gate's verdict on a lab, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from course_utils.gate import tables
from course_utils.gate.figures import Flakes, MatrixRow, MutationRow, NamingRow, NotebookForm
from course_utils.gate.finding import Finding


@dataclass
class Verification:
    """The gate's verdict on a lab; :attr:`green` says whether it may be released.

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
        for names, reason in (
            (self.flakes.training, "networks are trained"),
            (self.flakes.hanging, "a call runs into its time limit"),
        ):
            if names and self.flakes.fewer < self.flakes.seeds:
                yield f"             {', '.join(names)}: {self.flakes.fewer} seeds, since {reason}"
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
            yield from tables.of_misconceptions(self.matrix)
        if self.mutation:
            yield from ("", "Mutants of the solution")
            yield from tables.of_mutants(self.mutation)
            survivors = [line for row in self.mutation for line in row.survivors]
            if survivors:
                yield from ("", "Survivors (add a test that fails, or mark it with the reason)")
                yield from (f"  {line}" for line in survivors)
        if self.naming:
            yield from ("", "What the diagnosis says of mistakes that the catalogue does not know")
            yield from tables.of_naming(self.naming)
            for row in self.naming:
                if row.sentences:
                    yield from ("", f"Misleading, {row.group}")
                    yield from (f"  {sentence}" for sentence in row.sentences)
        if self.findings:
            yield from ("", "To do, by point of the release gate")
            yield from (f"  {finding}" for finding in sorted(self.findings, key=_point))


def _point(finding: Finding) -> int:
    return finding.point
