"""The verdict on one submission: its exercises, its written answers, and what is to be known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from course_utils.ground.cells import exercise_of
from course_utils.ground.escaping import escaped
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import Diagnosis
from course_utils.verdict.render import Panel

SCHEMA_VERSION = 1


class AnswerState(StrEnum):
    """What became of an answer that a person reads."""

    LEFT = "left"  # as students received it: nothing was written
    WRITTEN = "written"
    UNSURE = "unsure"  # the student's text stands beside it, or in several copies
    UNFOUND = "unfound"


@dataclass(frozen=True)
class WrittenAnswer:
    """An answer that a person reads: its cell's id, what it is worth, and what became of it."""

    name: str
    max_score: float
    state: AnswerState

    @property
    def score(self) -> float | None:
        """Its automatic score: 0 where nothing was written, else None, and a person grades it."""
        return 0.0 if self.state is AnswerState.LEFT else None

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "max_score": self.max_score, "state": str(self.state)}


@dataclass(frozen=True)
class Notice:
    """Something that a grader or a student should know, as a code and a sentence.

    The sentence may quote what a student chose (a name, an exception); it is on one line, and
    nothing in it commands a terminal.
    """

    code: Reason
    message: str
    cell: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", escaped(self.message))

    def to_dict(self) -> dict[str, Any]:
        return {"code": str(self.code), "message": self.message, "cell": self.cell}


@dataclass(frozen=True)
class SubmissionResult:
    """Everything that grading one submission found; ``to_dict`` is the documented JSON.

    Attributes:
        written: an entry for each answer that a person reads, where the notebook could be read.
        notebook: the submission as it ran, outputs included; not part of the JSON.
        panels: the verdict on each exercise as it stands in the notebook, for the feedback page;
            not part of the JSON, nor kept.
        phases: where the wall seconds went; not part of the JSON, nor kept.
    """

    lab: str
    student: str
    status: SubmissionStatus
    max_score: float
    exercises: tuple[ExerciseResult, ...] = ()
    written: tuple[WrittenAnswer, ...] = ()
    notices: tuple[Notice, ...] = ()
    wall_seconds: float = 0.0
    student_cpu_seconds: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)
    notebook: dict[str, Any] | None = field(default=None, repr=False)
    panels: Mapping[str, Panel] = field(default_factory=dict, repr=False)
    phases: Mapping[str, float] = field(default_factory=dict, repr=False, compare=False)

    @property
    def score(self) -> float:
        return round(sum(exercise.score for exercise in self.exercises), 2)

    @property
    def reason(self) -> Reason:
        """The gravest notice's code; ``ok`` where there is none."""
        order = list(Reason)
        return min((n.code for n in self.notices), key=order.index, default=Reason.OK)

    @property
    def message(self) -> str:
        """The sentence that goes with :attr:`reason`."""
        return next((n.message for n in self.notices if n.code is self.reason), "")

    @property
    def to_look_for(self) -> set[str]:
        """Written answers that a person must look for, whatever their cell holds."""
        lost = (AnswerState.UNSURE, AnswerState.UNFOUND)
        return {answer.name for answer in self.written if answer.state in lost}

    @property
    def main_diagnosis(self) -> Diagnosis | None:
        """The diagnosis of the exercise that lost the most points."""
        lost = [e for e in self.exercises if e.diagnosis]
        return max(lost, key=lambda e: e.max_score - e.score).diagnosis if lost else None

    def automatic(self, cell: str) -> float | None:
        """What a graded cell is worth without a person: an exercise's score, 0 for an answer that
        was not written, 0 where the notebook could not be read; else None, and a person grades it.

        Args:
            cell: its id in the notebook.
        """
        name = exercise_of(cell)
        if name or not self.exercises:
            return self.score_of(name)
        return next((answer.score for answer in self.written if answer.name == cell), None)

    def score_of(self, exercise: str) -> float:
        """An exercise's score; 0 where there is no verdict on it."""
        return next((one.score for one in self.exercises if one.name == exercise), 0.0)

    # -- other results made of this one

    def noting(self, notices: Iterable[Notice]) -> SubmissionResult:
        """The result with further notices, without those that say what is said already."""
        known = {notice.message for notice in self.notices}
        fresh = [notice for notice in notices if notice.message not in known]
        return replace(self, notices=(*self.notices, *fresh))

    def missed(self, cause: str) -> SubmissionResult:
        """The result where, after all, a fault of the grader's came in its way."""
        notice = Notice(Reason.INTERNAL_ERROR, cause)
        fault = SubmissionStatus.INTERNAL_ERROR
        return replace(self, status=fault, notices=(notice,)).without_notebook()

    def without_notebook(self) -> SubmissionResult:
        """The result without what is large and was shown; a large class must not pile up."""
        return replace(self, notebook=None, panels={})

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA_VERSION,
            "lab": self.lab,
            "student": self.student,
            "status": str(self.status),
            "reason": str(self.reason),
            "message": self.message,
            "score": self.score,
            "max_score": self.max_score,
            "exercises": [exercise.to_dict() for exercise in self.exercises],
            "written": [answer.to_dict() for answer in self.written],
            "notices": [notice.to_dict() for notice in self.notices],
            "seconds": {
                "wall": round(self.wall_seconds, 3),
                "student_cpu": round(self.student_cpu_seconds, 3),
            },
            "environment": self.environment,
        }
