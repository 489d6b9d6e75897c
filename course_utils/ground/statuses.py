"""The words of a verdict: how a test, a submission ended, and why; closed lists, all of them."""

from __future__ import annotations

from enum import StrEnum


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
