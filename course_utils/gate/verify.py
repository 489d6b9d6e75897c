"""The release gate: a lab proves itself before students see it.

Nine points: right code gets full marks (1), every misconception is caught and named (2), the stub
gets 0 (3), marks do not depend on the seed (4), nothing leaks (5), every exercise is complete (6),
small changes of the solution are noticed (7), claims ask for what was said, accuse of what is so,
and cost what the mistake is worth (8), and unknown mistakes are named rightly or not at all (9).

First the files are read (:mod:`.sources`), then every exercise is proven by itself (:mod:`.proof`)
and the lab as a whole (:mod:`.whole`); what was green before and rests on nothing that has changed
is remembered (:mod:`.memory`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from course_utils.diagnosis.kept import keep_hidden, keep_public
from course_utils.gate.books import Books
from course_utils.gate.figures import Flakes, summed
from course_utils.gate.memory.memory import Memory
from course_utils.gate.points import apt_names, full_marks
from course_utils.gate.pool import Progress, worker_pool
from course_utils.gate.proof import Options, Proof, prove
from course_utils.gate.sources.reading import asked, read
from course_utils.gate.sources.solution import run_solution
from course_utils.gate.verification import Verification
from course_utils.gate.whole import Whole, prove_whole
from course_utils.gate.workbench import Workbench
from course_utils.ground.lab import Lab
from course_utils.verdict.outcome import TestOutcome

THE_REST = "the notebook"


def verify(
    lab: Lab,
    *,
    seeds: int = 100,
    mutants: bool = True,
    pairs: bool = True,
    only: Sequence[str] = (),
    fresh: bool = False,
    progress: Progress | None = None,
    workers: int = 0,
) -> Verification:
    """Put a lab through the release gate.

    Args:
        lab: an instructor's folder.
        seeds: how many seeds the marks must be the same under; 0 for no further run at all.
        mutants: whether to mutate the solution (points 7 and 9).
        pairs: whether to make mistakes in pairs, in right variants and in what an exercise calls,
            too, which takes most of the time; without that, and without mutants, the gate samples.
        only: exercises to look at, while one is at work on them; a lab is released only after
            all of them were proven.
        fresh: whether to prove everything now, whatever is remembered.
        progress: called with a label, how many jobs are done, and how many there are.
        workers: how many processes; 0 for one a core (none besides this one with ``only``).

    Returns:
        The report; it is green when nothing speaks against a release. A lab whose files cannot
        even be loaded gives a report with what is wrong with them.
    """
    started = time.perf_counter()
    lab = Lab.load(lab.folder)  # as it is on disk now
    report = Verification(lab.name)
    report.findings += read(lab)
    if not any(finding.fatal for finding in report.findings):
        report.findings += asked(lab, only)
    if not any(finding.fatal for finding in report.findings):
        options = Options(seeds, mutants, pairs)
        gate = _Gate(lab, report, options, only, fresh, progress, workers)
        gate.prove()
    report.seconds = time.perf_counter() - started
    return report


class _Gate:
    """One lab's way through the gate: what is remembered, what is proven now, and the report."""

    def __init__(
        self, lab: Lab, report: Verification, options: Options, only: Sequence[str], fresh: bool,
        progress: Progress | None, workers: int,
    ) -> None:  # fmt: skip
        self._lab, self._report, self._options, self._only = lab, report, options, only
        self._fresh, self._progress, self._workers = fresh, progress, workers
        self._names = [one.name for one in lab.exercises if not only or one.name in only]
        self._memory = Memory(lab, options)
        asked = [] if fresh else self._names
        found = {name: self._memory.proof(name) for name in asked}
        self._proofs: dict[str, Proof] = {n: proof for n, proof in found.items() if proof}
        self._whole: Whole | None = None if fresh or only else self._memory.whole()

    def prove(self) -> None:
        """Prove what is not remembered, and fill in the report."""
        report = self._report
        report.remembered = (*self._proofs, *([THE_REST] if self._whole else ()))
        stale = [name for name in self._names if name not in self._proofs]
        if stale or self._whole is None:
            bench, solution, found = run_solution(self._lab)
            report.findings += found
            if bench is None:
                return
            stale = self._sound(bench, solution, stale)
            if stale:
                # A few exercises are done before another process has imported torch.
                with worker_pool(self._workers or (1 if self._only else 0), self._progress) as pool:
                    made = prove(bench, solution, stale, pool, self._options)
                self._proofs |= {proof.exercise: proof for proof in made}
            self._whole = self._prove_whole(bench, solution)
            self._remember(stale)
        self._fill()

    def _sound(
        self, bench: Workbench, solution: Sequence[TestOutcome], stale: Sequence[str]
    ) -> list[str]:
        """The exercises whose solution passes; of the others there is nothing else to say."""
        failed = {outcome.exercise for outcome in solution if not outcome.passed}
        own = [outcome for outcome in solution if outcome.exercise in self._names]
        self._report.findings += full_marks.judge_solution(bench.lab, own)
        self._report.solution_tests = sum(outcome.passed for outcome in own), len(own)
        return [name for name in stale if name not in failed]

    def _prove_whole(self, bench: Workbench, solution: Sequence[TestOutcome]) -> Whole:
        # Running the notebook takes a minute, so it is left out while one samples.
        known = not self._fresh and self._memory.outputs_are_right()
        run = self._options.mutants and not self._only and not known
        if run and self._progress is not None:
            self._progress("the notebook", 0, 1)
        book = self._books().public
        whole = prove_whole(bench, solution, book, self._names, run=run)
        if run and not whole.findings and self._memory.still_holds():
            self._memory.keep_outputs()
        return whole

    def _remember(self, proven: Sequence[str]) -> None:
        if not self._memory.still_holds():
            return  # somebody has worked on the files meanwhile: which ones were proven?
        for name in proven:
            self._memory.keep(self._proofs[name])
        if self._only or len(self._proofs) < len(self._names):
            return
        assert self._whole is not None
        self._memory.keep_whole(self._whole)
        if self._options.pairs:
            books = self._books()
            keep_public(self._lab, books.public)
            keep_hidden(self._lab, books.hidden)

    def _books(self) -> Books:
        return Books.joined(self._lab, [proof.books for proof in self._proofs.values()])

    def _fill(self) -> None:
        """Put everything that was proven, now or before, into the report."""
        report = self._report
        proofs = [self._proofs[name] for name in self._names if name in self._proofs]
        for proof in proofs:
            report.findings += proof.findings
            report.matrix += proof.matrix
            report.mutation += proof.mutation
        if not report.solution_tests[1]:
            report.solution_tests = summed([proof.tests for proof in proofs])
        report.variants = summed([proof.variants for proof in proofs])
        report.flakes = Flakes.joined(self._options.seeds, [proof.flakes for proof in proofs])
        report.naming = apt_names.summed([row for proof in proofs for row in proof.naming])
        report.findings += apt_names.judge_rows(report.naming)
        if self._whole is not None:
            report.findings += self._whole.findings
            report.form = self._whole.form
