"""Grading a class: spread the submissions over workers, collect every result.

Every submission gives exactly one result, whatever it is; a worker that dies costs a retry, not
the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

from course_utils.grading.judge import Grader, not_graded, refused
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.submissions import Submission
from course_utils.ground import devices
from course_utils.ground.errors import SandboxError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits, bound_data
from course_utils.verdict.submission import Notice, SubmissionResult

# What every worker needs sooner or later; the two inner modules are what torch.optim and backward
# import when they are first used.
_PRELOAD = ["torch", "torch._dynamo", "torch.fx.experimental.symbolic_shapes", "scipy.stats"]

# What a worker may come to hold beyond what it holds when it is warm.
_WORKER_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Handed:
    """A submission with its result, and a checksum of the bytes that were graded, if any were."""

    submission: Submission
    digest: str
    result: SubmissionResult


@dataclass(frozen=True)
class Settings:
    """How a class is graded.

    Attributes:
        workers: how many processes grade; 0 for one on every core, and on a GPU for as many as it
            has room for. Each has one submission under way, and so one of its CUDA contexts.
        isolation: how student code is kept apart.
        limits: of a submission; they say on which device it computes.
        hidden_seed: of the hidden tests; None for the class's own, or 0 where there is no class.
    """

    workers: int = 0
    isolation: Isolation = Isolation.BUBBLEWRAP
    limits: Limits = field(default_factory=Limits)
    hidden_seed: int | None = None

    @property
    def processes(self) -> int:
        """How many workers that is."""
        cores = os.cpu_count() or 1
        if self.workers or not self.limits.on_gpu:
            return self.workers or cores
        return devices.workers_on(devices.gpu(), cores, self.limits.device_bytes)


def grade_class(
    lab: Lab, submissions: Sequence[Submission], settings: Settings
) -> Generator[Handed, None, None]:
    """Grade submissions in parallel; results come as they are ready, one for each.

    Memory stays flat: only as many submissions are read ahead as keep the workers busy.

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
                            future = pool.submit(_grade, data, submission.student)
                            running[future] = submission, data
                        waiting.pop()  # only now: a broken pool takes no more, and raises
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
            result = _graded_alone(lab, submission.student, data, settings)
            yield Handed(submission, digest(data), result.noting(submission.notices))


def prove(lab: Lab, settings: Settings) -> SubmissionResult:
    """Grade the lab's own solution, in a worker as students' are: the grader's proof of itself."""
    with workers(lab, settings, 1) as pool:
        try:
            return pool.submit(_grade, lab.notebook_path.read_bytes(), "").result()
        except BrokenProcessPool:
            why = "the worker that was to grade the lab's own solution was killed"
            return not_graded(lab, "", why)


def digest(data: bytes) -> str:
    """A checksum of a submission's bytes."""
    return hashlib.sha256(data).hexdigest()


def _graded_alone(lab: Lab, student: str, data: bytes, settings: Settings) -> SubmissionResult:
    with workers(lab, settings, 1) as pool:
        try:
            return _result(lab, student, pool.submit(_grade, data, student))
        except BrokenProcessPool:
            message = (
                "the grader's own worker ended twice while grading this: it was killed, or what "
                f"came back needed more than the {_WORKER_BYTES // 2**20} MiB that a worker has "
                "for one submission"
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


# -- the workers' processes, as the coordinator sees them


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
            initializer=_start_worker,
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
    context.set_forkserver_preload(["course_utils.grading.server", *_PRELOAD, __name__])
    return context


def warm_up() -> None:
    """Begin with the imports that workers need, beside whatever the caller does meanwhile."""
    if _context().get_start_method() == "forkserver":
        forkserver.ensure_running()


# -- in the workers

_grader: Grader | None = None
_task: tuple[Path, Settings] | None = None


def _start_worker(folder: Path, settings: Settings, leash: Connection) -> None:
    global _task
    _task = folder, settings
    # Ctrl-C reaches every process of a terminal; what is to be done about it, the coordinator says.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_coordinator, args=(leash,), daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a worker for every core
    os.environ[devices.VARIABLE] = settings.limits.device
    with contextlib.suppress(Exception):  # whatever it is, the first submission meets it, too
        _ready()
    bound_data(_WORKER_BYTES, on_gpu=settings.limits.on_gpu)


def _ready() -> Grader:
    """This worker's grader, whose sandbox is on its way."""
    global _grader
    if _grader is None:
        assert _task is not None
        folder, settings = _task
        lab = Lab.load(folder)
        sandbox = Sandbox(settings.isolation, settings.limits, lab.imports)
        sandbox.start()
        _grader = Grader(lab, sandbox, hidden_seed=settings.hidden_seed or 0)
    return _grader


def _end_with_coordinator(leash: Connection) -> None:
    """Wait for the other end to be closed, by a coordinator that is done or dead."""
    multiprocessing.connection.wait([leash])
    try:
        if _grader is not None:
            _grader.close()
    finally:
        os._exit(0)


def _grade(data: bytes, student: str) -> SubmissionResult:
    try:
        return _ready().grade(data, student)
    except MemoryError:
        os._exit(1)  # whoever used it up: another process tries once again, with this one alone
    except Exception as error:  # ours, not the student's: one result must come back all the same
        said = str(error)
        if not isinstance(error, SandboxError):
            said = f"the grader failed: {type(error).__name__}: {error}"
        if devices.context_lost(said):
            os._exit(1)  # this process can use the GPU no more: another one tries once again
        lab = _task[0].name if _task else ""
        notice = Notice(Reason.INTERNAL_ERROR, said)
        fault = SubmissionStatus.INTERNAL_ERROR
        return SubmissionResult(lab, student, fault, max_score=0.0, notices=(notice,))
