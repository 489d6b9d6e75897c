"""The nouns of a verdict: what a test, an exercise and a submission came to.

Everything here is plain data. Floors above fill it in, print it, and store it; nothing in this
module knows how a verdict is formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from course_utils import said
from course_utils.calls import CallInfo
from course_utils.digest import Returned
from course_utils.escaping import escaped
from course_utils.forbidden import Cost, ForbiddenCall

SCHEMA_VERSION = 1


class Status(StrEnum):
    """How one test, or one whole exercise, ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    MEMORY = "memory"
    MISSING = "missing"
    NOT_WRITTEN = "not_written"
    FORBIDDEN = "forbidden"
    UNJUDGED = "unjudged"


class Aspect(StrEnum):
    """What a claim is about: it decides what its test may fail for, and what it is worth.

    ``IDEA``: the exercise's main idea, judged by values; ``DETAIL``: values under one option or
    constant; ``EDGE``: values at the edge (p = 0, an infinite row, an empty batch); ``FORM``:
    type, shape, dtype, device; ``ARGUMENTS``: arguments left as they were; ``BY_HAND``: no
    built-in does the work. Claims of the last three hold only together with a right value, and
    where there is none they are not judged.
    """

    IDEA = "idea"
    DETAIL = "detail"
    EDGE = "edge"
    FORM = "form"
    ARGUMENTS = "arguments"
    BY_HAND = "by hand"

    @property
    def of_values(self) -> bool:
        """Whether the claim is about which values come back."""
        return self in (Aspect.IDEA, Aspect.DETAIL, Aspect.EDGE)


class SubmissionStatus(StrEnum):
    """How the grading of one submission ended."""

    GRADED = "graded"
    PARTLY_GRADED = "partly_graded"
    UNREADABLE = "unreadable"
    NO_NOTEBOOK = "no_notebook"
    WRONG_LAB = "wrong_lab"
    INTERNAL_ERROR = "internal_error"
    NOT_SUBMITTED = "not_submitted"
    UNGRADED = "ungraded"


class Reason(StrEnum):
    """Why a submission has its status, or what a grader should know about it.

    The first group ends the grading of a submission; the others are noticed on the way and the
    submission is graded as far as it goes.
    """

    OK = "ok"
    EMPTY_FILE = "empty_file"
    NOT_JSON = "not_json"
    NOT_A_NOTEBOOK = "not_a_notebook"
    TOO_LARGE = "too_large"
    NO_NOTEBOOK = "no_notebook"
    WRONG_LAB = "wrong_lab"
    INTERNAL_ERROR = "internal_error"
    NOT_SUBMITTED = "not_submitted"
    VANISHED = "vanished"

    CELL_ERROR = "cell_error"
    CELL_TIMEOUT = "cell_timeout"
    CELL_KILLED = "cell_killed"
    CELL_MEMORY = "cell_memory"
    SUBMISSION_TIMEOUT = "submission_timeout"
    UNREADABLE_ANSWER = "unreadable_answer"
    OUTPUT_CUT = "output_cut"
    CALL_TIMEOUT = "call_timeout"
    CALL_CRASHED = "call_crashed"
    CALL_MEMORY = "call_memory"
    DEVICE_OUT_OF_MEMORY = "device_out_of_memory"
    FORBIDDEN_CALL = "forbidden_call"
    NOT_WRITTEN = "not_written"
    FUNCTION_MISSING = "function_missing"
    WRITTEN_ANSWER_MISSING = "written_answer_missing"
    WRITTEN_ANSWER_MOVED = "written_answer_moved"
    CHECK_CELL_MISSING = "check_cell_missing"
    CHECK_CELL_EDITED = "check_cell_edited"
    SOLUTION_CELL_MISSING = "solution_cell_missing"
    LOCKED_CELL_EDITED = "locked_cell_edited"
    CELL_RESTORED = "cell_restored"
    DUPLICATE_CELLS = "duplicate_cells"
    METADATA_REPAIRED = "metadata_repaired"
    OLD_FORMAT = "old_format"
    PACKED_NOTEBOOK = "packed_notebook"
    RENAMED_NOTEBOOK = "renamed_notebook"
    EXTRA_NOTEBOOK = "extra_notebook"
    DUPLICATE_STUDENT = "duplicate_student"
    TIMESTAMP_UNREADABLE = "timestamp_unreadable"
    LATE = "late"


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
class Diagnosis:
    """The most likely mistake: its name (a misconception's, or a general pattern's) and a hint.

    Attributes:
        sure: False where it explains a part of what failed only.
        named: whether it is a mistake of the lab's catalogue, not what the numbers say.
    """

    name: str
    hint: str
    details: tuple[str, ...] = ()
    sure: bool = True
    named: bool = True

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "hint": self.hint}


@dataclass
class TestOutcome:
    """What one test found.

    Attributes:
        test: the test function's name.
        about: what the claim is about.
        part: which of several answers of the exercise it judges; empty where there is one.
        stated: the words of the docstring or the Conventions box that ask for what is tested.
        trains: whether student code trains a network in it, which takes its time.
        claim: the sentence that the student reads (first line of the test's docstring).
        message: what was seen instead, a sentence; empty for a passed test.
        relative_error: the largest relative error met in the test's comparisons, if there was one.
        tolerance: the relative tolerance it was held against.
        held: how many comparisons held, before one failed if one did.
        trace: what is kept of what the student's code returned, call by call (never shown for a
            hidden test).
        calls: what those calls were like, for the diagnosis (never shown for a hidden test).
        mismatch: the arrays that differed, for the numeric look (never shown for a hidden test).
        call_seconds: time spent inside the student's functions.
        tripped: where the test itself raised something that is no failed claim ("test_public.py,
            line 12"), for the release gate.
        reason: a grader's code for what happened, where the status leaves open which.
        forbidden: the forbidden call that was made in it, whatever it costs.
        by_values: the status that it would have without that call.
        wrong_value: whether a call in it came back with a value, and a wrong one; known once its
            trace and mismatch are gone.
        hollow: whether it holds in company of such only as hold for an answer that knows nothing,
            too: it earns nothing then.
    """

    __test__ = False  # pytest would take the name for a test class

    test: str
    exercise: str
    claim: str
    hidden: bool
    weight: float
    status: Status
    about: Aspect = Aspect.IDEA
    part: str = ""
    stated: str = ""
    trains: bool = False
    message: str = ""
    relative_error: float | None = None
    tolerance: float | None = None
    held: int = 0
    trace: list[Returned] = field(default_factory=list, repr=False)
    calls: list[CallInfo] = field(default_factory=list, repr=False)
    mismatch: Any = field(default=None, repr=False)
    call_seconds: float = 0.0
    tripped: str = ""
    reason: Reason | None = None
    forbidden: ForbiddenCall | None = None
    by_values: Status | None = None
    wrong_value: bool = False
    hollow: bool = False

    @property
    def told(self) -> str:
        """What may be said of it where it does not hold."""
        return said.of_test(self.status, self.message, hidden=self.hidden)

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    @property
    def passed_by_values(self) -> bool:
        """Whether it would pass if a forbidden call cost nothing."""
        return (self.by_values or self.status) is Status.PASSED

    def to_dict(self) -> dict[str, Any]:
        """The public face: a hidden test shows its claim and verdict, never what was seen."""
        return {
            "claim": self.claim,
            "passed": self.passed,
            "hidden": self.hidden,
            "status": str(self.status),
            "message": said.told("", self.message, hidden=self.hidden),
        }

    def sealed(self) -> TestOutcome:
        """The outcome as it may be kept and shown: a hidden test's holds nothing that was seen in
        it, whatever is made of it afterwards."""
        if not self.hidden:
            return self
        call = self.forbidden
        return TestOutcome(
            self.test, self.exercise, self.claim, self.hidden, self.weight, self.status,
            about=self.about, part=self.part, stated=self.stated, trains=self.trains,
            message=self.told, reason=self.reason, by_values=self.by_values,
            forbidden=None if call is None else ForbiddenCall("", "", call.cost),
            wrong_value=self.wrong_value, hollow=self.hollow,
        )  # fmt: skip


# A test that could not be run says more about an exercise than one that ran and failed.
_GRAVITY = (
    Status.MISSING,
    Status.NOT_WRITTEN,
    Status.MEMORY,
    Status.CRASHED,
    Status.TIMEOUT,
    Status.FORBIDDEN,
    Status.FAILED,
    Status.ERROR,
    Status.UNJUDGED,
    Status.PASSED,
)


def share(tests: Sequence[TestOutcome], *, by_values: bool = False) -> float:
    """The share of an exercise's points that its tests' outcomes are worth, from 0 to 1.

    Half of the points are for the main idea: they are earned when all claims about it hold. The
    other half is shared by all claims by weight. So a mistake in the main idea costs at least
    half, one in a detail or at the edge a little. An exercise of several parts is worth the mean
    of its parts, each weighing as much as its tests.

    A part in which no claim holds but such as hold for an answer that knows nothing is worth
    nothing. So is a part in which a forbidden call was made, unless the exercise's policy lets that
    call cost the one test, or nothing (:class:`~course_utils.forbidden.Cost`).

    Args:
        tests: the outcomes.
        by_values: what they would be worth if forbidden calls cost nothing.
    """
    parts: dict[str, list[TestOutcome]] = {}
    for test in tests:
        parts.setdefault(test.part, []).append(test)
    total = sum(test.weight for test in tests)
    withheld = set() if by_values else _withheld(tests)
    if not total or "" in withheld:
        return 0.0
    passed = {
        id(test) for test in tests
        if (test.passed_by_values if by_values else test.passed) and not test.hollow
    }  # fmt: skip
    earned = 0.0
    for part, some in parts.items():
        if part in withheld:
            continue
        idea = [test for test in some if test.about is Aspect.IDEA] or some
        weight = sum(test.weight for test in some)
        held = sum(test.weight for test in some if id(test) in passed)
        earned += (weight * all(id(test) in passed for test in idea) + held) / 2
    return earned / total


def _withheld(tests: Sequence[TestOutcome]) -> set[str]:
    """The parts of which a forbidden call costs all points; the part "" is the whole exercise."""
    calls = ((test.part, test.forbidden) for test in tests)
    return {part for part, call in calls if call is not None and call.cost is Cost.EXERCISE}


@dataclass
class ExerciseResult:
    """The verdict on one exercise: its tests, and the score they are worth.

    ``derivation`` says where in the lab's derivation to look when something is wrong.
    """

    name: str
    max_score: float
    tests: list[TestOutcome] = field(default_factory=list)
    diagnosis: Diagnosis | None = None
    derivation: str = ""

    @property
    def status(self) -> Status:
        seen = {test.status for test in self.tests}
        if not seen:
            return Status.ERROR
        # All tests raised: an error; some: the student sees the failed claims first.
        return next(status for status in _GRAVITY if status in seen)

    @property
    def score(self) -> float:
        """Points × :func:`share`, rounded to a hundredth of a point."""
        return round(self.max_score * share(self.tests), 2)

    @property
    def score_by_values(self) -> float:
        """What the score would be if a forbidden call cost nothing."""
        return round(self.max_score * share(self.tests, by_values=True), 2)

    @property
    def forbidden(self) -> ForbiddenCall | None:
        """The forbidden call that was made, if there was one: the first that may be told."""
        calls = [test.forbidden for test in self.tests if test.forbidden is not None]
        return next((call for call in calls if call.call), calls[0] if calls else None)

    def count(self, *, hidden: bool) -> dict[str, int]:
        """``{"passed": …, "total": …}`` over the public or over the hidden tests."""
        tests = [test for test in self.tests if test.hidden is hidden]
        return {"passed": sum(test.passed for test in tests), "total": len(tests)}

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": str(self.status),
            "score": self.score,
            "max_score": self.max_score,
            "score_by_values": self.score_by_values,
            "forbidden": self.forbidden.to_dict() if self.forbidden else None,
            "public": self.count(hidden=False),
            "hidden": self.count(hidden=True),
            "diagnosis": self.diagnosis.to_dict() if self.diagnosis else None,
            "tests": [test.to_dict() for test in self.tests],
        }


@dataclass
class SubmissionResult:
    """Everything that grading one submission found; ``to_dict`` is the documented JSON.

    ``notebook`` is the submission as it ran, outputs included; it is not part of the JSON.
    ``written`` has an entry for each answer that a person reads, where the notebook could be read.
    """

    lab: str
    student: str
    status: SubmissionStatus
    max_score: float
    exercises: list[ExerciseResult] = field(default_factory=list)
    written: list[WrittenAnswer] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    wall_seconds: float = 0.0
    student_cpu_seconds: float = 0.0
    environment: dict[str, str] = field(default_factory=dict)
    notebook: dict[str, Any] | None = field(default=None, repr=False)

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
