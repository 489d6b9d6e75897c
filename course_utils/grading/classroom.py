"""Grading a class: hand the submissions to a crew of workers, collect every result.

Every submission gives exactly one result, whatever it is; a worker that dies costs a retry, not
the run.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass

from course_utils.grading.crew import AtWork
from course_utils.grading.judge import not_graded, refused
from course_utils.grading.kept import Kept
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.submissions import Submission
from course_utils.grading.worker import ROOM_BYTES, Job
from course_utils.ground.errors import ClusterError
from course_utils.ground.lab import Lab
from course_utils.ground.phases import phase
from course_utils.verdict.submission import Notice, SubmissionResult

# How often the crew is asked how many they are, while nothing comes back.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Handed:
    """A submission with its result, and a checksum of the bytes that were graded, if any were."""

    submission: Submission
    digest: str
    result: SubmissionResult


def grade_class(
    lab: Lab,
    submissions: Sequence[Submission],
    work: AtWork,
    kept_of: Callable[[str], Kept] = lambda student: Kept(),
) -> Iterator[Handed]:
    """Grade submissions in parallel; results come as they are ready, one for each.

    Memory stays flat: only as many submissions are read ahead as keep the workers busy.

    Args:
        lab, submissions: what, whose.
        work: who grades.
        kept_of: gives what of a student's last verdict need not be formed again.

    Raises:
        ClusterError: the crew is gone.
    """
    waiting = list(reversed(submissions))
    running: dict[Future[SubmissionResult], tuple[Submission, bytes]] = {}
    suspects: list[Submission] = []
    while waiting or running:
        room = 2 * work.places() - len(running)
        while waiting and room > 0:
            submission = waiting.pop()
            read = _read(lab, submission)
            if isinstance(read, Handed):
                yield read
            else:
                running[work.submit(_job(submission, read, kept_of))] = submission, read
                room -= 1
        if waiting and not running:
            time.sleep(_LOOK_SECONDS)  # nobody is there now
        with phase("waiting for workers"):
            done, _ = wait(running, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            submission, data = running.pop(future)
            try:
                result = _result(lab, submission.student, future)
            except BrokenExecutor:
                suspects.append(submission)
            else:
                yield _handed(submission, data, result)
    # Each with which a worker has ended is tried once more when all others are done, alone, so
    # that it has all of the machine's memory.
    for submission in suspects:
        read = _read(lab, submission)
        if isinstance(read, Handed):
            yield read
        else:
            result = _graded_alone(lab, _job(submission, read, kept_of), work)
            yield _handed(submission, read, result)


def prove(lab: Lab, work: AtWork) -> SubmissionResult:
    """Grade the lab's own solution, in a worker as students' are: the grader's proof of itself."""
    try:
        return _awaited(lab, Job(lab.notebook_path.read_bytes()), work)
    except BrokenExecutor:
        why = "the worker that was to grade the lab's own solution was killed"
        return not_graded(lab, "", why)


def digest(data: bytes) -> str:
    """A checksum of a submission's bytes."""
    return hashlib.sha256(data).hexdigest()


def _job(submission: Submission, data: bytes, kept_of: Callable[[str], Kept]) -> Job:
    """What a worker is asked for."""
    return Job(data, submission.student, kept_of(submission.student).of(digest(data)))


def _graded_alone(lab: Lab, job: Job, work: AtWork) -> SubmissionResult:
    try:
        return _awaited(lab, job, work)
    except BrokenExecutor:
        message = (
            "the grader's own worker ended twice while grading this: it was killed, or what "
            f"came back needed more than the {ROOM_BYTES // 2**20} MiB that a worker "
            "has for one submission"
        )
        return not_graded(lab, job.student, message)


def _awaited(lab: Lab, job: Job, work: AtWork) -> SubmissionResult:
    """A result that nothing else is waited for beside."""
    future = work.submit(job)
    while not wait([future], timeout=_LOOK_SECONDS).done:
        work.places()  # raises where nobody is left
    return _result(lab, job.student, future)


def _result(lab: Lab, student: str, future: Future[SubmissionResult]) -> SubmissionResult:
    """A worker's result, or what became of it on its way here.

    Raises:
        BrokenExecutor: the worker has ended.
        ClusterError: the crew is gone.
    """
    if future.cancelled():
        raise ClusterError("the scheduler has ended, or has lost the connection to this command")
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:  # pickling has many ways to fail
        why = f"the verdict could not be passed on: {type(error).__name__}: {error}"
        return not_graded(lab, student, why)


def _handed(submission: Submission, data: bytes, result: SubmissionResult) -> Handed:
    return Handed(submission, digest(data), result.noting(submission.notices))


def _read(lab: Lab, submission: Submission) -> bytes | Handed:
    """A submission's bytes, or what becomes of one that cannot be read."""
    try:
        return submission.read()
    except UnreadableError as error:
        notice = Notice(error.reason, error.message)
        result = refused(lab, submission.student, error.status, notice)
        return Handed(submission, "", result.noting(submission.notices))
    except OSError as error:
        # What was found a moment ago and cannot be read now is no student's fault.
        why = f"the notebook was found, and cannot be read now ({error.strerror or error})"
        return Handed(submission, "", not_graded(lab, submission.student, why))
