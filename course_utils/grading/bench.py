"""Where submissions are graded one after the other: a worker process, and the next where it ended.

A *bench* has one worker, with one submission under way; a *workshop* has as many benches as it is
asked for submissions at the same time. Threads of a class's coordinator use one (``crew.py``), and
so do those of a cluster's workers (``cluster/``).
"""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path

from course_utils.grading import worker
from course_utils.grading.preload import context, warm_up
from course_utils.grading.worker import Job, Settings
from course_utils.verdict.submission import SubmissionResult


class Workshop:
    """Grades as many submissions at once as threads ask it to, each at a bench of its own.

    Args:
        folder: the lab's.
        settings: how it is graded.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        warm_up()  # here: the server would end with a thread that has started it
        self._folder, self._settings = folder, settings
        self._benches: list[_Bench] = []
        self._free: list[_Bench] = []
        self._lock = threading.Lock()
        self._closed = False

    def set_up(self, count: int) -> None:
        """Start so many workers now, while the caller does something else."""
        for bench in [self._bench() for _ in range(count)]:
            bench.set_up()
            self._free.append(bench)

    def grade(self, job: Job) -> SubmissionResult:
        """Grade a submission.

        Raises:
            BrokenProcessPool: its worker has ended on the way; the next submission gets another.
        """
        bench = self._bench()
        try:
            return bench.grade(job)
        finally:
            self._free.append(bench)

    def close(self) -> None:
        """End all workers, at once: whatever they have under way nobody waits for any more."""
        with self._lock:
            self._closed = True
        for bench in self._benches:
            bench.let_go(for_good=True)
        for bench in self._benches:
            bench.close()

    def _bench(self) -> _Bench:
        with self._lock:
            if self._closed:
                raise BrokenProcessPool("the run is over")
            if self._free:
                return self._free.pop()
            self._benches.append(_Bench(self._folder, self._settings))
            return self._benches[-1]


class _Bench:
    """One worker process, which ends with this one."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._task = folder, settings
        self._pool: ProcessPoolExecutor | None = None
        self._leash: tuple[Connection, ...] = ()
        self._lock = threading.Lock()
        self._over = False

    def set_up(self) -> None:
        """Start the worker; whatever it meets, its first submission meets, too."""
        self._worker().submit(int)

    def grade(self, job: Job) -> SubmissionResult:
        try:
            return self._worker().submit(worker.grade, job).result()
        except Exception:  # whatever it was, the next submission shall not meet it
            self.close()
            raise

    def let_go(self, *, for_good: bool = False) -> None:
        """Tell the worker to end; idle, it would do so by itself, but it may be at work."""
        with self._lock:
            self._over |= for_good
            for end in self._leash:
                end.close()
            self._leash = ()

    def close(self) -> None:
        self.let_go()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _worker(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._over:
                raise BrokenProcessPool("the run is over")
            if self._pool is None:
                theirs, _ = self._leash = multiprocessing.Pipe(duplex=False)
                self._pool = ProcessPoolExecutor(
                    max_workers=1,
                    mp_context=context(),
                    initializer=worker.start,
                    initargs=(*self._task, theirs),
                )
            return self._pool
