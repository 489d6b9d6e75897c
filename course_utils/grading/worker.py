"""A process that grades: how it is set up, and one submission after another in it.

What runs here is nobody's thread and holds no gradebook; a coordinator (see ``classroom.py``) hands
it bytes and gets a result for them, or sees the process end.
"""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

from course_utils.grading.judge import Grader, sandbox_of
from course_utils.ground import devices
from course_utils.ground.errors import SandboxError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, SubmissionStatus
from course_utils.ground.streams import print_to_stderr
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits, bound_data
from course_utils.testing.standing import StandingSession
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.submission import Notice, SubmissionResult

# What a worker may come to hold beyond what it holds when it is warm.
ROOM_BYTES = 2 * 2**30


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

    def seeded(self, seed: int) -> Settings:
        """These settings with a seed of the hidden tests, unless they name one."""
        return self if self.hidden_seed is not None else replace(self, hidden_seed=seed)

    @property
    def processes(self) -> int:
        """How many workers that is."""
        cores = os.cpu_count() or 1
        if self.workers or not self.limits.on_gpu:
            return self.workers or cores
        return devices.workers_on(devices.gpu(), cores, self.limits.device_bytes)


@dataclass(frozen=True)
class Job:
    """What a worker is asked for.

    Attributes:
        data: a notebook's bytes.
        student: whose it is.
        kept: verdicts on some of its exercises that need not be formed again, by name.
    """

    data: bytes
    student: str = ""
    kept: Mapping[str, ExerciseResult] = field(default_factory=dict)


@dataclass(frozen=True)
class _Desk:
    """What a worker grades with: one sandbox, and one session of pytest for all submissions."""

    grader: Grader
    session: StandingSession


_desk: _Desk | None = None
_task: tuple[Path, Settings] | None = None


def start(folder: Path, settings: Settings, leash: Connection) -> None:
    global _task
    _task = folder, settings
    # Ctrl-C reaches every process of a terminal; what is to be done about it, the coordinator says.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print_to_stderr()  # standard output is the command's, and may be JSON
    threading.Thread(target=_end_with_coordinator, args=(leash,), daemon=True).start()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a worker for every core
    os.environ[devices.VARIABLE] = settings.limits.device
    with contextlib.suppress(Exception):  # whatever it is, the first submission meets it, too
        _ready()
    bound_data(ROOM_BYTES, on_gpu=settings.limits.on_gpu)


def _ready() -> _Desk:
    """This worker's desk, whose sandbox is on its way."""
    global _desk
    if _desk is None:
        assert _task is not None
        folder, settings = _task
        lab = Lab.load(folder)
        sandbox = sandbox_of(lab, settings.isolation, settings.limits)
        sandbox.start()
        grader = Grader(lab, sandbox, hidden_seed=settings.hidden_seed or 0)
        _desk = _Desk(grader, StandingSession(lab.test_files))
    return _desk


def _end_with_coordinator(leash: Connection) -> None:
    """Wait for the other end to be closed, by a coordinator that is done or dead."""
    multiprocessing.connection.wait([leash])
    try:
        if _desk is not None:
            _desk.grader.close()
    finally:
        os._exit(0)


def grade(job: Job) -> SubmissionResult:
    try:
        desk = _ready()
        return desk.session.do(lambda: desk.grader.grade(job.data, job.student, job.kept))
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
        return SubmissionResult(lab, job.student, fault, max_score=0.0, notices=(notice,))
