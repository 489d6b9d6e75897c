"""Grading a class: spread the submissions over workers, collect every result.

Every submission gives exactly one result, whatever it is; a worker that dies costs a retry, not
the run.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path

from course_utils import devices
from course_utils.grading.judge import Grader, noted, refused
from course_utils.grading.submissions import Submission
from course_utils.grading.unreadable import UnreadableError
from course_utils.lab import Lab
from course_utils.outcome import Notice, Reason, SubmissionResult, SubmissionStatus
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits

# What every worker needs sooner or later; the two inner modules are what torch.optim and backward
# import when they are first used.
_PRELOAD = ["torch", "torch._dynamo", "torch.fx.experimental.symbolic_shapes", "scipy.stats"]


@dataclass(frozen=True)
class Settings:
    """How a class is graded.

    Attributes:
        workers: how many processes grade; 0 for one on every core, and on a GPU for as many as it
            has room for. Each has one submission under way, and so one of its CUDA contexts.
        isolation: how student code is kept apart.
        limits: of a submission; they say on which device it computes.
    """

    workers: int = 0
    isolation: Isolation = Isolation.BUBBLEWRAP
    limits: Limits = field(default_factory=Limits)

    @property
    def processes(self) -> int:
        """How many workers that is."""
        cores = os.cpu_count() or 1
        if self.workers or not self.limits.on_gpu:
            return self.workers or cores
        return devices.workers_on(devices.gpu(), cores, self.limits.device_bytes)


def grade_class(
    lab: Lab, submissions: Sequence[Submission], settings: Settings
) -> Iterator[SubmissionResult]:
    """Grade submissions in parallel; results come as they are ready, one for each.

    Memory stays flat: only as many submissions are read ahead as keep the workers busy.

    Raises:
        SandboxError: the GPU is to be used, and cannot be used in the sandbox.
    """
    if settings.limits.on_gpu:
        # A GPU that fails is the machine's fault and must not become every student's.
        Sandbox(settings.isolation, settings.limits, ["torch"]).try_out()
    waiting = list(reversed(submissions))
    while waiting:
        count = min(settings.processes, len(waiting))
        pool = _pool(lab, settings, count)
        running: dict[Future[SubmissionResult], Submission] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * count:
                    submission = waiting[-1]
                    try:
                        data = submission.read()
                    except UnreadableError as error:
                        yield noted(_unread(lab, submission, error), submission)
                    else:
                        running[pool.submit(_grade, data, submission.student)] = submission
                    waiting.pop()  # only now: a broken pool takes no more, and raises
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    yield noted(result, running.pop(future))
        except BrokenProcessPool:
            # A worker was killed from outside. What was under way is tried once more, alone.
            for submission in running.values():
                yield noted(_graded_alone(lab, submission, settings), submission)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _graded_alone(lab: Lab, submission: Submission, settings: Settings) -> SubmissionResult:
    with _pool(lab, settings, 1) as pool:
        try:
            return pool.submit(_grade, submission.read(), submission.student).result()
        except UnreadableError as error:
            return _unread(lab, submission, error)
        except BrokenProcessPool:
            return _lost(lab, submission)


def _unread(lab: Lab, submission: Submission, error: UnreadableError) -> SubmissionResult:
    return refused(
        lab, submission.student, error.status, Notice(error.reason, error.message)
    )


def _lost(lab: Lab, submission: Submission) -> SubmissionResult:
    message = "the grader's own worker ended twice while grading this; grade it alone to see why"
    notice = Notice(Reason.INTERNAL_ERROR, message)
    return refused(lab, submission.student, SubmissionStatus.INTERNAL_ERROR, notice)


# -- in the workers

_grader: Grader | None = None


def _pool(lab: Lab, settings: Settings, count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=count,
        mp_context=_context(),
        initializer=_start_worker,
        initargs=(lab.folder, settings),
    )


def _context() -> multiprocessing.context.BaseContext:
    """Workers that share nothing with the coordinator (its threads, its open gradebook).

    They are forked from a server that has imported what all of them need, so that torch is
    imported once and not once a worker. None of that starts CUDA, which would not survive it.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOAD, __name__])
    return context


def warm_up() -> None:
    """Begin with the imports that workers need, beside whatever the caller does meanwhile."""
    if _context().get_start_method() == "forkserver":
        forkserver.ensure_running()


def _start_worker(folder: Path, settings: Settings) -> None:
    global _grader
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a worker for every core
    os.environ[devices.VARIABLE] = settings.limits.device
    lab = Lab.load(folder)
    sandbox = Sandbox(settings.isolation, settings.limits, lab.imports)
    sandbox.start()
    _grader = Grader(lab, sandbox)


def _grade(data: bytes, student: str) -> SubmissionResult:
    assert _grader is not None
    try:
        result = _grader.grade(data, student)
    except Exception as error:  # ours, not the student's: one result must come back all the same
        message = f"the grader failed: {type(error).__name__}: {error}"
        if devices.context_lost(message):
            os._exit(1)  # this process can use the GPU no more: another one tries once again
        notice = Notice(Reason.INTERNAL_ERROR, message)
        return refused(_grader.lab, student, SubmissionStatus.INTERNAL_ERROR, notice)
    for exercise in result.exercises:
        for test in exercise.tests:
            test.trace, test.mismatch = [], None  # the diagnosis is made; spare the way back
    return result
