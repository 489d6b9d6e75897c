"""A class run as people see it: a bar on a terminal, plain lines in a log, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from course_utils.grading import report
from course_utils.grading.classrun.events import (
    Checking,
    Event,
    Graded,
    NotGraded,
    Started,
    Tell,
    Waiting,
)
from course_utils.grading.classrun.summary import Outcome

_WAITING = "the gradebook is busy or away; it is tried again"


@contextmanager
def listener(err: Console, *, as_json: bool) -> Iterator[Tell]:
    """What a run may tell its events to.

    Args:
        err: where progress goes.
        as_json: print one object a submission, and no progress.
    """
    if as_json:
        yield _as_json
    elif err.is_terminal:
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=err, transient=True) as bar:
            yield _Bar(bar).tell
    else:
        yield _Lines(err).tell


def _as_json(event: Event) -> None:
    match event:
        case Graded(result, total):
            print(
                json.dumps(result.to_dict() | {"total": total.to_dict()}, ensure_ascii=False),
                flush=True,
            )
        case NotGraded(result):
            print(
                json.dumps(result.to_dict() | {"total": None}, ensure_ascii=False), flush=True
            )


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("looking at the machine and the lab", total=None)

    def tell(self, event: Event) -> None:
        match event:
            case Started(to_grade, resumed):
                self._bar.update(self._task, description="grading", total=to_grade + resumed)
            case Graded(result) | NotGraded(result):
                self._bar.update(self._task, advance=1, description=_escaped(result.student))
            case Waiting():
                self._bar.update(self._task, description=_WAITING)


class _Lines:
    def __init__(self, err: Console) -> None:
        self._err = err
        self._done = self._all = 0
        self._waiting = False

    def tell(self, event: Event) -> None:
        match event:
            case Checking():
                self._say("looking at the machine and the lab")
            case Started(to_grade, resumed):
                self._all = to_grade + resumed
                if resumed:
                    self._say(f"an earlier run has graded {resumed} of {self._all}; going on")
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
        self._err.print(_escaped(text), markup=False, highlight=False, soft_wrap=True)


def show(outcome: Outcome, out: Console, *, dry_run: bool) -> None:
    """The class as a table, what has changed, and what a grader must know."""
    out.print(report.table(outcome.lines))
    if outcome.changes:
        would = "would change" if dry_run else "have changed"
        out.print(f"\nAutomatic marks that {would}:", highlight=False)
        out.print(report.changes_table(outcome.changes))
    elif dry_run:
        out.print("\nNo automatic mark would change.", highlight=False)
    for students, what in (
        (outcome.vanished, "graded before, and without a submission now; their marks stand"),
        (outcome.not_graded, "NOT GRADED through a fault of the grader's; their marks stand"),
    ):
        if students:
            out.print(Text(f"\n{what}: {', '.join(students)}"), soft_wrap=True)
    if dry_run:
        out.print("\nNothing was written (--dry-run).", highlight=False)


def _escaped(text: str) -> str:
    """Text in which nothing can command a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
