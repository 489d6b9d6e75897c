"""Whom a run grades, and whose verdict it need not form again.

A verdict rests on the submission's bytes and on what ``key`` lists; where all of that is the same,
it would come out again. Where a cell or a call was cut short, a busy machine may have had a hand in
it: that is always tried again.

A class may be large: of all that is known of it, one student's is looked at at a time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.grading.classrun.choice import Choice, digest_of
from course_utils.grading.classrun.journal import Entry, Journal, is_readable
from course_utils.grading.classrun.key import Keys, checksum, keys_of
from course_utils.grading.kept import Kept
from course_utils.grading.submissions import Submission
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Status, SubmissionStatus
from course_utils.verdict.submission import SubmissionResult

_OF_THE_FILE = (SubmissionStatus.UNREADABLE, SubmissionStatus.WRONG_LAB)


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    Attributes:
        left: the submissions to grade.
        done: those whose verdict stands.
        begun: of those left, by student, the run that has a verdict on this very file.
    """

    left: Sequence[Submission] = ()
    done: Sequence[Submission] = ()
    begun: Mapping[str, int] = field(default_factory=dict)

    def going_on(self, run: int | None) -> Plan:
        """The plan where an unfinished run goes on: its own verdicts stand."""
        mine = {name for name, number in self.begun.items() if number == run}
        done = [*self.done, *(one for one in self.left if one.student in mine)]
        return Plan([one for one in self.left if one.student not in mine], done)

    def without(self, lost: Callable[[str], bool]) -> Plan:
        """The plan where some verdicts are lost, by student."""
        gone = {one.student for one in self.done if lost(one.student)}
        if not gone:
            return self
        left = [*self.left, *(one for one in self.done if one.student in gone)]
        return Plan(left, [one for one in self.done if one.student not in gone])


class Planner:
    """What is known before a run.

    Args:
        lab: what is graded.
        keys: of what verdicts rest on now.
        journal: of the course; None where there is none yet.
        anew: whether every verdict is to be formed again.

    Attributes:
        faults: students whose last grading met a fault of the grader's.
    """

    def __init__(self, lab: str, keys: Keys, journal: Journal | None, *, anew: bool) -> None:
        self.keys = keys
        self.faults: Collection[str] = journal.faults(lab) if journal else ()
        self._lab, self._journal, self._anew = lab, journal, anew

    @classmethod
    @contextlib.contextmanager
    def of(cls, state: Path, lab: Lab, settings: Settings, *, anew: bool) -> Iterator[Planner]:
        """What the journal of a course knows of a lab.

        Args:
            state: the folder where the journal lies.
            lab, settings: what is graded, and how.
            anew: as above.
        """
        with contextlib.ExitStack() as stack:
            known = is_readable(state)
            journal = stack.enter_context(Journal(state, reading=True)) if known else None
            yield cls(lab.name, keys_of(lab, settings), journal, anew=anew)

    def run_key(self, choice: Choice) -> str:
        """A checksum of what a run is: an unfinished one goes on only where that is the same."""
        return checksum([self.keys.to_text(), repr(choice), repr(self._anew)])

    def entry_of(self, student: str) -> Entry | None:
        """The journal's last verdict on a student."""
        return self._journal.entry(self._lab, student) if self._journal else None

    def result_of(self, student: str) -> SubmissionResult | None:
        """That verdict itself."""
        entry = self.entry_of(student)
        return entry.result if entry else None

    def plan(self, chosen: Iterable[Submission]) -> Plan:
        """Divide submissions into those to grade and those whose verdict stands."""
        left, done, begun = list[Submission](), list[Submission](), dict[str, int]()
        for submission in chosen:
            entry = self.entry_of(submission.student)
            if entry is None or entry.digest != digest_of(submission):
                left.append(submission)
            elif self._stands(entry, submission):
                done.append(submission)
            else:
                left.append(submission)
                begun[submission.student] = entry.run
        return Plan(left, done, begun)

    def kept_of(self, student: str) -> Kept:
        """What of a student's last verdict would come out again where the same file is graded."""
        entry = None if self._anew else self.entry_of(student)
        return Kept() if entry is None else _kept_of(entry, self.keys)

    def _stands(self, entry: Entry, submission: Submission) -> bool:
        """Whether a verdict on this very file would come out again."""
        noticed = set(submission.notices) <= set(entry.result.notices)
        if self._anew or not entry.digest or not noticed or submission.student in self.faults:
            return False
        if entry.result.status in _OF_THE_FILE:
            return entry.keys == self.keys
        return _kept_of(entry, self.keys).exercises.keys() == self.keys.exercises.keys()


def _kept_of(entry: Entry, keys: Keys) -> Kept:
    known = entry.keys
    if known is None or entry.result.status is not SubmissionStatus.GRADED:
        return Kept()
    return Kept(entry.digest, {
        one.name: one for one in entry.result.exercises
        if known.exercises.get(one.name) == keys.exercises.get(one.name, "")
        and (one.status is Status.PASSED or known.told == keys.told)
    })  # fmt: skip
