"""The words of a verdict: how a test, a submission ended, and why; closed lists, all of them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


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

    @property
    def cuts_short(self) -> bool:
        """Whether something could not be run to its end, and only the rest was graded."""
        return self in _CUTTING_SHORT


_CUTTING_SHORT = frozenset({
    Reason.CELL_TIMEOUT, Reason.CELL_KILLED, Reason.CELL_MEMORY, Reason.SUBMISSION_TIMEOUT,
    Reason.CALL_TIMEOUT, Reason.CALL_CRASHED, Reason.CALL_MEMORY, Reason.DEVICE_OUT_OF_MEMORY,
    Reason.UNREADABLE_ANSWER,
})  # fmt: skip


class Status(StrEnum):
    """How one test, or one whole exercise, ended, and the words that go with it; gravest first.

    A test that could not be run says more about an exercise than one that ran and failed, and one
    that failed more than one that raised: where all raised it is an error, and where only some did
    the student sees the failed claims first.

    Attributes:
        ending: what is said of a hidden test that ended so, of which nothing may be quoted; empty
            where its claim says it.
        advice: what an exercise's diagnosis says where this is all that is known; empty where the
            values say more.
        reason: a grader's code for it; None where it is an ordinary verdict.
    """

    ending: str
    advice: str
    reason: Reason | None

    def __new__(
        cls, value: str, ending: str = "", advice: str = "", reason: Reason | None = None
    ) -> Status:
        made = str.__new__(cls, value)
        made._value_ = value
        made.ending, made.advice, made.reason = ending, advice, reason
        return made

    MISSING = (
        "missing",
        "the notebook does not define what is asked for",
        "The notebook does not define this function: was the cell deleted, or the function "
        "renamed?",
        Reason.FUNCTION_MISSING,
    )
    NOT_WRITTEN = (
        "not_written", "not written yet", "This exercise is not written yet.", Reason.NOT_WRITTEN,
    )  # fmt: skip
    MEMORY = (
        "memory",
        "the call needed more memory than is allowed",
        "The call needed more memory than is allowed: look for an array that grows with the "
        "square of the input, or a list that grows in a loop.",
        Reason.CALL_MEMORY,
    )
    CRASHED = (
        "crashed",
        "the call ended the whole process",
        "The call ended the whole Python process.",
        Reason.CALL_CRASHED,
    )
    TIMEOUT = (
        "timeout",
        "the call did not return in time",
        "The call did not come to an end in time: look for a loop whose condition never becomes "
        "false, or a loop over entries that NumPy could do at once.",
        Reason.CALL_TIMEOUT,
    )
    FORBIDDEN = (
        "forbidden",
        "a built-in was called that does what you are asked to write by hand",
        "This exercise asks for an operation to be written by hand, and a built-in that does it "
        "was called.",
    )
    FAILED = "failed"
    ERROR = (
        "error",
        "the call raised an exception or returned something unusable",
        "The function raised an exception.",
    )
    UNJUDGED = ("unjudged", "cannot be judged yet")
    PASSED = "passed"

    @property
    def unwritten(self) -> bool:
        """Whether there is nothing to be judged: not written, or its cell is gone or was not run.
        """
        return self in (Status.MISSING, Status.NOT_WRITTEN)

    @property
    def cut_short(self) -> bool:
        """Whether a call was ended from outside, without a value or an exception."""
        return self in (Status.MEMORY, Status.CRASHED, Status.TIMEOUT)

    @property
    def valueless(self) -> bool:
        """Whether the call came back without a value: raised, or was ended from outside."""
        return self is Status.ERROR or self.cut_short

    @classmethod
    def gravest(cls, statuses: Iterable[Status]) -> Status:
        """The one that says most about an exercise; of none at all, that of an error."""
        seen = set(statuses)
        return next((status for status in cls if status in seen), cls.ERROR)


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
