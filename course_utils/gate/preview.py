"""What students with each of a lab's known mistakes see: ``check``'s panel beside the mistake.

An instructor reads it to judge hints: the mistake as it is made, and what is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.kept import made_from, originals, public_book
from course_utils.diagnosis.record import Recorder
from course_utils.diagnosis.released_book import book_in
from course_utils.diagnosis.rewriting import original_of
from course_utils.diagnosis.traces import TraceBook
from course_utils.gate.pool import Progress
from course_utils.gate.workbench import Workbench, workbench_of
from course_utils.grading import templating
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.notebook.answer import answer
from course_utils.testing.catalogue import Entry
from course_utils.testing.lab_tests import lab_tests
from course_utils.testing.run import in_one_session
from course_utils.verdict.outcome import Diagnosis, TestOutcome
from course_utils.verdict.render import Panel

# How a mistake is answered, the worst first.
ANOTHER = "another mistake is named"
SILENT = "check finds nothing wrong: every public claim holds"
CLAIMS = "the claims that fail, and no more"
NUMBERS = "what the numbers say"
PARTLY = "named, as a part of it"
NAMED = "named"
ANSWERS = (ANOTHER, SILENT, CLAIMS, NUMBERS, PARTLY, NAMED)


@dataclass(frozen=True)
class Seen:
    """A known mistake, and what a student who makes it sees.

    Attributes:
        before, after: what is written in the solution, and in its place; of a mistake that is an
            implementation of its own, nothing and all of it.
        answered: one of :data:`ANSWERS`.
        said: the name in the diagnosis; empty where there is none.
        panel: check's.
    """

    name: str
    hint: str
    before: str
    after: str
    answered: str
    said: str
    panel: Panel

    @property
    def hinted(self) -> bool:
        """Whether the mistake's own hint is in the panel."""
        return self.answered in (NAMED, PARTLY)


def preview(
    lab: Lab, only: Sequence[str] = (), progress: Progress | None = None
) -> dict[str, list[Seen]]:
    """Exercise → its mistakes, as students would see them answered.

    Args:
        lab: an instructor's folder.
        only: these exercises; all by default.
        progress: called with a label, how many mistakes are done, and how many there are.

    Raises:
        LabError: there is no such exercise, or the lab's files are not as they should be.
    """
    known = [one.name for one in lab.exercises]
    strange = [name for name in only if name not in known]
    if strange:
        raise LabError(
            f"{lab.name} has no exercise {strange[0]!r}; its exercises are: {', '.join(known)}"
        )
    with redirect_stdout(StringIO()):  # what mistakes print is no part of the preview
        bench = workbench_of(lab.folder)
        chosen = bench.exercises(only)
        book = _book(lab, chosen, whole=not only)
        entries = [entry for entry in bench.misconceptions if entry.exercise in chosen]

        def look() -> dict[str, list[Seen]]:
            found: dict[str, list[Seen]] = {exercise: [] for exercise in chosen}
            for done, entry in enumerate(entries):
                if progress is not None:
                    progress("mistakes", done, len(entries))
                found[entry.exercise].append(_seen(bench, book, entry))
            if progress is not None:
                progress("mistakes", len(entries), len(entries))
            return found

        return in_one_session([lab.test_public], look)


def page(lab: Lab, found: dict[str, list[Seen]]) -> str:
    """The page on which mistakes and answers stand side by side."""
    every = [seen for some in found.values() for seen in some]
    return templating.render(
        "preview",
        lab=lab.name, exercises=found, count=len(every), quiet=NAMED,
        answers=[(how, sum(seen.answered == how for seen in every)) for how in ANSWERS],
    )  # fmt: skip


def _book(lab: Lab, chosen: Sequence[str], *, whole: bool) -> TraceBook:
    """The traces that students have, or would have if the lab were released as it is now; of a few
    exercises, without the pairs, which take minutes."""
    released = book_in(lab.folder)
    fresh = released is not None and released.made_from == made_from(lab)
    if fresh or whole:
        return public_book(lab)
    return Recorder.of(originals(lab), hidden=False, exercises=chosen).book(chosen, pairs=False)


def _seen(bench: Workbench, book: TraceBook, entry: Entry) -> Seen:
    exercise, tests = entry.exercise, lab_tests(bench.lab.test_public)
    outcomes = bench.run(entry, exercises=[exercise], public=True)
    diagnosis = diagnose(outcomes, book)
    shown = answer(
        exercise, outcomes, diagnosis,
        derivation=tests.derivation.get(exercise, ""), hints=tests.hints.get(exercise, ()),
    )  # fmt: skip
    answered = _answered(entry, outcomes, diagnosis)
    said = diagnosis.name if diagnosis else ""
    return Seen(entry.name, entry.hint, *_code(entry), answered, said, shown)


def _answered(
    entry: Entry, outcomes: Sequence[TestOutcome], diagnosis: Diagnosis | None
) -> str:
    if all(outcome.passed for outcome in outcomes):
        return SILENT
    if diagnosis is None:
        return CLAIMS
    if not diagnosis.named:
        return NUMBERS
    if diagnosis.names != [entry.name]:
        return ANOTHER
    return NAMED if diagnosis.sure else PARTLY


def _code(entry: Entry) -> tuple[str, str]:
    """What the mistake changes: the text before it, and after it."""
    if not entry.rewrites:
        return "", original_of(entry).text
    before, after = zip(*entry.rewrites[0], strict=True)
    return "\n…\n".join(before), "\n…\n".join(after)
