"""Why a submission cannot be graded: a reason code, and a sentence that a person can act on."""

from __future__ import annotations

from course_utils.ground.statuses import Reason, SubmissionStatus

_STATUS = {
    Reason.WRONG_LAB: SubmissionStatus.WRONG_LAB,
    Reason.NO_NOTEBOOK: SubmissionStatus.NO_NOTEBOOK,
}


class UnreadableError(Exception):
    """This submission cannot be graded; ``status`` and ``reason`` say why in a word each."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.status = _STATUS.get(reason, SubmissionStatus.UNREADABLE)
