"""The release gate: a lab proves itself before students see it.

Nine points: right code gets full marks (1), every misconception is caught and named (2), the stub
gets 0 (3), marks do not depend on the seed (4), nothing leaks (5), every exercise is complete (6),
small changes of the solution are noticed (7), claims ask for what was said, accuse of what is so,
and cost what the mistake is worth (8), and unknown mistakes are named rightly or not at all (9).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from course_utils.diagnosis.kept import keep
from course_utils.diagnosis.traces import TraceBook, TraceBookError
from course_utils.grading.verify import (
    claims,
    forbids,
    form,
    marks,
    mutation,
    naming,
    release_leaks,
    repeat,
    stub_marks,
)
from course_utils.grading.verify.bench import Bench, bench_of
from course_utils.grading.verify.pool import Map, Progress, mapping
from course_utils.grading.verify.released import released_files, released_notebook
from course_utils.grading.verify.report import (
    Finding,
    Flakes,
    MatrixRow,
    MutationRow,
    NotebookForm,
    VerifyReport,
)
from course_utils.lab import Lab, LabError
from course_utils.outcome import TestOutcome

__all__ = [
    "Finding",
    "Flakes",
    "MatrixRow",
    "MutationRow",
    "NotebookForm",
    "VerifyReport",
    "verify",
]


def verify(
    lab: Lab,
    *,
    seeds: int = 100,
    mutants: bool = True,
    pairs: bool = True,
    only: Sequence[str] = (),
    progress: Progress | None = None,
    workers: int = 0,
) -> VerifyReport:
    """Put a lab through the release gate.

    Args:
        lab: an instructor's folder.
        seeds: how many seeds the marks must be the same under.
        mutants: whether to mutate the solution (points 7 and 9).
        pairs: whether to try pairs of mistakes, which takes most of the time; without them, and
            without mutants, the gate samples.
        only: exercises to look at, while one is at work on them; a lab is released only after
            all of them were proven.
        progress: called with a label, how many jobs are done, and how many there are.
        workers: how many processes; 0 for one a core (none besides this one with ``only``).

    Returns:
        The report; it is green when nothing speaks against a release. A lab whose files cannot
        even be loaded gives a report with that one finding.
    """
    started = time.perf_counter()
    report = VerifyReport(lab.name)
    lab = Lab.load(lab.folder)  # as it is on disk now
    bench, solution = _load(lab, report)
    if bench is not None:
        # A few exercises are done before another process has imported torch.
        with mapping(workers or (1 if only else 0), progress) as spread:
            _prove(bench, solution, report, spread, seeds, mutants, pairs, only)
    report.seconds = time.perf_counter() - started
    return report


def _load(lab: Lab, report: VerifyReport) -> tuple[Bench | None, list[TestOutcome]]:
    """Run the solution under all tests once; without that nothing else can be said."""
    try:
        report.form = form.measure(lab)
        report.findings += form.judge_notebook(lab)
        bench = bench_of(lab.folder)
        if not lab.exercises:
            raise LabError(f"{lab.name} has no check cell: every exercise needs one")
        solution = bench.run()
    except LabError as error:
        report.findings.append(Finding(1, str(error)))
    except RuntimeError as error:
        report.findings.append(Finding(1, str(error)))
    except Exception as error:
        sentence = f"a file of the lab cannot be imported ({type(error).__name__}: {error})"
        report.findings.append(Finding(6, f"{sentence}: mend it"))
    else:
        return bench, solution
    return None, []


def _prove(
    bench: Bench,
    solution: list[TestOutcome],
    report: VerifyReport,
    spread: Map,
    seeds: int,
    mutants: bool,
    pairs: bool,
    only: Sequence[str],
) -> None:
    findings = report.findings
    report.solution_tests = sum(outcome.passed for outcome in solution), len(solution)
    findings += marks.judge_solution(solution)
    tried = marks.trials(bench, spread, only, pairs=pairs)
    passed = [not (trial.own or trial.others) for trial in tried.variants]
    report.variants = sum(passed), len(passed)
    findings += marks.judge_variants(tried.variants)
    report.matrix = marks.matrix(tried.misconceptions)
    findings += marks.judge_misconceptions(tried.misconceptions)
    findings += marks.judge_duplicates(tried.books.hidden)
    findings += claims.judge_stated(bench.lab, solution, bench.exercises(only))
    findings += forbids.judge_forbids(bench.lab, bench.exercises(only))
    findings += claims.judge_aspects(tried.misconceptions)
    findings += claims.judge_costs(tried.misconceptions)
    findings += _release(bench, solution, tried.books.public)
    training = {outcome.exercise for outcome in solution if outcome.trains}
    training &= set(bench.exercises(only))
    tried_again = repeat.under_seeds(bench, seeds, spread, only, training)
    report.flakes, flaky = repeat.judge(tried_again, seeds, training)
    findings += flaky
    findings += form.judge_exercises(bench, solution)
    findings += form.judge_form(report.form)
    if pairs and not only:
        keep(bench.lab, tried.books.public, hidden=False)
        keep(bench.lab, tried.books.hidden, hidden=True)
    if mutants:
        made = mutation.by_exercise(bench, only)
        with tempfile.TemporaryDirectory() as folder:
            books = Path(folder) / "books"
            tried.books.save(books)
            report.mutation, said, unkilled = mutation.mutate(bench, books, made, spread)
            report.naming, misled = naming.prove(bench, books, made, said, spread)
        findings += [*unkilled, *misled]


def _release(bench: Bench, solution: list[TestOutcome], book: TraceBook) -> list[Finding]:
    """Points 3 and 5: what students would receive now, and what lies in the lab's folder."""
    lab = bench.lab
    try:
        notebook = released_notebook(lab)
    except RuntimeError as error:
        return [Finding(5, f"nbgrader cannot make the release: {error}")]
    found = [
        *stub_marks.judge_stub(lab, notebook),
        *release_leaks.search(released_files(lab, notebook, book), lab),
        *release_leaks.expected_values(book, solution),
    ]
    if lab.traces_path.exists():
        try:
            stored = TraceBook.load(lab.traces_path)
        except TraceBookError as error:
            found.append(Finding(5, f"{error}; release the lab again"))
        else:
            found += release_leaks.expected_values(stored, solution)
    return found
