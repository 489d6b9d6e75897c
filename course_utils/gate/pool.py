"""The gate's work done by a pool of processes, in order and with progress."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]


class Pool(Protocol):
    """Whoever carries out jobs."""

    def map(
        self, function: Callable[[Job], Result], jobs: Sequence[Job], label: str
    ) -> list[Result]:
        """The function's results for each of the jobs, in their order.

        Args:
            label: what the work is called while progress is shown.
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
        with ProcessPoolExecutor(workers or _cores(), mp_context=context) as executor:
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
        self, function: Callable[[Job], Result], jobs: Sequence[Job], label: str
    ) -> list[Result]:
        results = []
        for number, job in enumerate(jobs):
            self._progress(label, number, len(jobs))
            results.append(function(job))
        self._progress(label, len(jobs), len(jobs))
        return results


class _Pooled:
    def __init__(self, executor: ProcessPoolExecutor, progress: Progress) -> None:
        self._executor = executor
        self._progress = progress

    def map(
        self, function: Callable[[Job], Result], jobs: Sequence[Job], label: str
    ) -> list[Result]:
        futures: list[Future[Result]] = [self._executor.submit(function, job) for job in jobs]
        self._progress(label, 0, len(jobs))
        try:
            for number, future in enumerate(as_completed(futures), 1):
                future.result()
                self._progress(label, number, len(jobs))
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return [future.result() for future in futures]


def _silent(label: str, done: int, total: int) -> None:
    pass


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
