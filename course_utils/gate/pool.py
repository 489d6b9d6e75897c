"""The gate's work done by a pool of processes, in order and with progress."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from course_utils.ground.lab import Lab
from course_utils.ground.streams import print_to_stderr
from course_utils.testing.run import in_one_session


class OfLab(Protocol):
    """A job on a lab."""

    @property
    def folder(self) -> Path:
        """The lab's."""


Job = TypeVar("Job", bound=OfLab)
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]


class Pool(Protocol):
    """Whoever carries out jobs."""

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Sequence[Job],
        label: str,
        size: Callable[[Job], float] = lambda job: 0.0,
    ) -> list[Result]:
        """The function's results for each of the jobs, in their order.

        Args:
            label: what the work is called while progress is shown.
            size: about how long a job takes, in any unit. The longest are begun first, so that
                nobody waits for one of them in the end.
        """


@contextmanager
def worker_pool(workers: int, progress: Progress | None) -> Iterator[Pool]:
    """Worker processes, or this process where there is to be one worker.

    The workers are fresh interpreters: torch's threads and autograd do not survive a fork.

    Args:
        workers: how many processes; 0 for as many as this one may use cores.
        progress: called with a label, how many jobs are done, and how many there are.
    """
    report = progress or _silent
    if (workers or _cores()) == 1:
        yield _Inline(report)
        return
    context = multiprocessing.get_context("spawn")
    kept = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # one thread a worker, or they stand in each other's way
    try:
        with ProcessPoolExecutor(
            workers or _cores(), mp_context=context, initializer=print_to_stderr
        ) as executor:
            yield _Pooled(executor, report)
    finally:
        if kept is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = kept


class _Inline:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Sequence[Job],
        label: str,
        size: Callable[[Job], float] = lambda job: 0.0,
    ) -> list[Result]:
        results = []
        for number, job in enumerate(jobs):
            self._progress(label, number, len(jobs))
            results.append(_carry_out(function, job))
        self._progress(label, len(jobs), len(jobs))
        return results


class _Pooled:
    def __init__(self, executor: ProcessPoolExecutor, progress: Progress) -> None:
        self._executor = executor
        self._progress = progress

    def map(
        self,
        function: Callable[[Job], Result],
        jobs: Sequence[Job],
        label: str,
        size: Callable[[Job], float] = lambda job: 0.0,
    ) -> list[Result]:
        futures: dict[int, Future[Result]] = {
            place: self._executor.submit(_carry_out, function, jobs[place])
            for place in sorted(range(len(jobs)), key=lambda place: -size(jobs[place]))
        }
        self._progress(label, 0, len(jobs))
        try:
            for number, future in enumerate(as_completed(futures.values()), 1):
                future.result()
                self._progress(label, number, len(jobs))
        except BaseException:
            for future in futures.values():
                future.cancel()
            raise
        return [futures[place].result() for place in range(len(jobs))]


def _carry_out(function: Callable[[Job], Result], job: Job) -> Result:
    """Carry out a job, all its runs of the lab's tests in one pytest session."""
    return in_one_session(Lab.load(job.folder).test_files, lambda: function(job))


def _silent(label: str, done: int, total: int) -> None:
    pass


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
