"""A class run as people see it: a bar on a terminal, plain lines in a log, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from course_utils.commands.terminal import Terminal
from course_utils.grading import report
from course_utils.grading.classrun.events import (
    Checking,
    Event,
    Graded,
    NotGraded,
    Started,
    Tell,
    Waiting,
    silent,
)
from course_utils.grading.classrun.summary import Outcome
from course_utils.grading.totals import Total
from course_utils.ground import strict_json
from course_utils.ground.escaping import escaped
from course_utils.verdict.submission import SubmissionResult

_WAITING = "the gradebook is busy or away; it is tried again"


@contextmanager
def listener(err: Terminal, *, as_json: bool, quiet: bool) -> Iterator[Tell]:
    """What a run may tell its events to.

    Args:
        err: where progress goes.
        as_json: print one object a submission, and no progress.
        quiet: no progress.
    """
    if as_json:
        yield _as_json
    elif quiet:
        yield silent
    elif err.is_terminal:
        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=err, transient=True) as bar:
            yield _Bar(bar).tell
    else:
        yield _Lines(err).tell


def _as_json(event: Event) -> None:
    match event:
        case Graded(result, total):
            _print_json(result, total)
        case NotGraded(result):
            _print_json(result, None)


def _print_json(result: SubmissionResult, total: Total | None) -> None:
    record = result.to_dict() | {"total": total.to_dict() if total else None}
    print(strict_json.dumps(record), flush=True)


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("looking at the machine and the lab", total=None)

    def tell(self, event: Event) -> None:
        match event:
            case Started(to_grade, done):
                self._bar.update(self._task, description="grading", total=to_grade + done)
            case Graded(result) | NotGraded(result):
                self._bar.update(self._task, advance=1, description=escaped(result.student))
            case Waiting():
                self._bar.update(self._task, description=_WAITING)


class _Lines:
    def __init__(self, err: Terminal) -> None:
        self._err = err
        self._done = self._all = 0
        self._waiting = False

    def tell(self, event: Event) -> None:
        match event:
            case Checking():
                self._say("looking at the machine and the lab")
            case Started(to_grade, done):
                self._all = to_grade + done
                if done:
                    self._say(
                        f"{done} of {self._all} are graded, and nothing has changed since "
                        "(--anew grades them again)"
                    )
            case Graded(stands=True):
                self._done += 1  # that nothing has changed was said of all of them
            case Graded(result, total):
                self._count(
                    f"{result.student}: {total.score:g}/{total.max_score:g} {result.status} "
                    f"({result.reason})"
                )
            case NotGraded(result):
                self._count(f"{result.student}: {result.message}")
            case Waiting() if not self._waiting:
                self._say(_WAITING)
        self._waiting = isinstance(event, Waiting)

    def _count(self, text: str) -> None:
        self._done += 1
        self._say(f"{self._done}/{self._all} {text}")

    def _say(self, text: str) -> None:
        self._err.say(escaped(text))


def show(outcome: Outcome, out: Terminal, *, dry_run: bool, quiet: bool) -> None:
    """The class as a table, what has changed, and what a grader must know.

    Args:
        outcome, out: of what, and where.
        dry_run: whether nothing was written.
        quiet: no table, and nothing where nothing is to be known.
    """
    if not quiet:
        out.print(report.table(outcome.lines))
    if outcome.changes:
        would = "would change" if dry_run else "have changed"
        out.say(f"\nAutomatic marks that {would}:")
        out.print(report.changes_table(outcome.changes))
    elif dry_run and not quiet:
        out.say("\nNo automatic mark would change.")
    for students, what in (
        (outcome.vanished, "graded before, and without a submission now; their marks stand"),
        (outcome.not_graded, "NOT GRADED through a fault of the grader's; their marks stand"),
    ):
        if students:
            out.say(f"\n{what}: {', '.join(map(escaped, students))}")
    if dry_run and not quiet:
        out.say("\nNothing was written (--dry-run).")


def show_profile(outcome: Outcome, err: Terminal) -> None:
    """Where the time went; the workers' seconds are those of all of them together."""
    err.print()
    err.print(report.profile_table({
        "run": outcome.profile.run, "workers, together": outcome.profile.workers,
    }))  # fmt: skip
