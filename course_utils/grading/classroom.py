"""Grading a class: spread the submissions over workers, collect every result.

Every submission gives exactly one result, whatever it is; a worker that dies costs a retry, not
the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import forkserver

from course_utils.grading import worker
from course_utils.grading.judge import not_graded, refused
from course_utils.grading.kept import Kept
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.submissions import Submission
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab
from course_utils.ground.phases import phase
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.submission import Notice, SubmissionResult

# A submission's bytes, its student, and verdicts on some of its exercises.
Job = tuple[bytes, str, Mapping[str, ExerciseResult]]


@dataclass(frozen=True)
class Handed:
    """A submission with its result, and a checksum of the bytes that were graded, if any were."""

    submission: Submission
    digest: str
    result: SubmissionResult


def grade_class(
    lab: Lab,
    submissions: Sequence[Submission],
    settings: Settings,
    kept_of: Callable[[str], Kept] = lambda student: Kept(),
) -> Generator[Handed, None, None]:
    """Grade submissions in parallel; results come as they are ready, one for each.

    Memory stays flat: only as many submissions are read ahead as keep the workers busy.

    Args:
        lab, submissions, settings: what, whose, how.
        kept_of: gives what of a student's last verdict need not be formed again.

    Raises:
        SandboxError: no worker could be started; the message says why.
    """
    waiting = list(reversed(submissions))
    while waiting:
        running: dict[Future[SubmissionResult], tuple[Submission, bytes]] = {}
        with workers(lab, settings, min(settings.processes, len(waiting))) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < 2 * settings.processes:
                        submission = waiting[-1]
                        try:
                            data = submission.read()
                        except UnreadableError as error:
                            yield _unread(lab, submission, error)
                        except OSError as error:
                            yield _not_read(lab, submission, error)
                        else:
                            future = pool.submit(worker.grade, *_job(submission, data, kept_of))
                            running[future] = submission, data
                        waiting.pop()  # only now: a broken pool takes no more, and raises
                    with phase("waiting for workers"):
                        done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        submission, data = running[future]
                        result = _result(lab, submission.student, future)
                        del running[future]
                        yield Handed(
                            submission, digest(data), result.noting(submission.notices)
                        )
            except BrokenProcessPool:
                pass  # a worker was killed from outside
        # What was under way then is tried once more, each submission in a worker of its own, so
        # that one that kills its worker takes no other with it.
        for submission, data in running.values():
            result = _graded_alone(lab, _job(submission, data, kept_of), settings)
            yield Handed(submission, digest(data), result.noting(submission.notices))


def prove(lab: Lab, settings: Settings) -> SubmissionResult:
    """Grade the lab's own solution, in a worker as students' are: the grader's proof of itself."""
    with workers(lab, settings, 1) as pool:
        try:
            return pool.submit(worker.grade, lab.notebook_path.read_bytes(), "", {}).result()
        except BrokenProcessPool:
            why = "the worker that was to grade the lab's own solution was killed"
            return not_graded(lab, "", why)


def digest(data: bytes) -> str:
    """A checksum of a submission's bytes."""
    return hashlib.sha256(data).hexdigest()


def _job(submission: Submission, data: bytes, kept_of: Callable[[str], Kept]) -> Job:
    """What a worker is asked for."""
    return data, submission.student, kept_of(submission.student).of(digest(data))


def _graded_alone(lab: Lab, job: Job, settings: Settings) -> SubmissionResult:
    student = job[1]
    with workers(lab, settings, 1) as pool:
        try:
            return _result(lab, student, pool.submit(worker.grade, *job))
        except BrokenProcessPool:
            message = (
                "the grader's own worker ended twice while grading this: it was killed, or what "
                f"came back needed more than the {worker.ROOM_BYTES // 2**20} MiB that a worker "
                "has for one submission"
            )
            return not_graded(lab, student, message)


def _result(lab: Lab, student: str, future: Future[SubmissionResult]) -> SubmissionResult:
    """A worker's result, or what became of it on its way here.

    Raises:
        BrokenProcessPool: the worker has ended.
    """
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:  # pickling has many ways to fail
        why = f"the verdict could not be passed on: {type(error).__name__}: {error}"
        return not_graded(lab, student, why)


def _unread(lab: Lab, submission: Submission, error: UnreadableError) -> Handed:
    notice = Notice(error.reason, error.message)
    result = refused(lab, submission.student, error.status, notice)
    return Handed(submission, "", result.noting(submission.notices))


def _not_read(lab: Lab, submission: Submission, error: OSError) -> Handed:
    """What was found a moment ago and cannot be read now is no student's fault."""
    why = f"the notebook was found, and cannot be read now ({error.strerror or error})"
    return Handed(submission, "", not_graded(lab, submission.student, why))


@contextlib.contextmanager
def workers(lab: Lab, settings: Settings, count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of workers that end with this process, and at once where the block is left early.

    Raises:
        SandboxError: the GPU is to be used, and cannot be used in the sandbox.
    """
    theirs, ours = multiprocessing.Pipe(duplex=False)
    with ours, theirs:
        pool = ProcessPoolExecutor(
            max_workers=count,
            mp_context=_context(),
            initializer=worker.start,
            initargs=(lab.folder, settings, theirs),
        )
        try:
            yield pool
        finally:
            # Idle workers would end by themselves; one with a submission under way would first
            # finish that, which nobody waits for any more.
            ours.close()
            pool.shutdown(wait=True, cancel_futures=True)


def _context() -> multiprocessing.context.BaseContext:
    """Workers that share nothing with the coordinator (its threads, its open gradebook).

    They are forked from a server that has imported what all of them need, so that torch is
    imported once and not once a worker. None of that starts CUDA, which would not survive it.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    first = "course_utils.grading.server"
    context.set_forkserver_preload([first, *worker.PRELOAD, worker.__name__])
    return context


def warm_up() -> None:
    """Begin with the imports that workers need, beside whatever the caller does meanwhile."""
    if _context().get_start_method() == "forkserver":
        forkserver.ensure_running()
