"""Who grades: what a class run asks of its workers, wherever they are; and this machine's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Protocol

from course_utils.grading.bench import Workshop
from course_utils.grading.machine import obstacles
from course_utils.grading.worker import Job, Settings
from course_utils.ground.lab import Lab
from course_utils.verdict.submission import SubmissionResult


class AtWork(Protocol):
    """A crew with a lab to grade."""

    def places(self) -> int:
        """How many submissions are graded at the same time now.

        Raises:
            ClusterError: the crew is gone, for longer than is waited for.
        """

    def submit(self, job: Job) -> Future[SubmissionResult]:
        """Have a submission graded. The future raises BrokenExecutor where a worker has ended on
        the way, and is cancelled where the crew is gone."""


class Crew(Protocol):
    """Whoever grades."""

    def obstacles(self, settings: Settings) -> Sequence[str]:
        """What keeps them from it, a sentence each."""

    def at_work(
        self, lab: Lab, settings: Settings, submissions: int
    ) -> AbstractContextManager[AtWork]:
        """Set up on a lab; what is under way when the block is left is given up."""


class Local:
    """Processes of this machine."""

    def obstacles(self, settings: Settings) -> list[str]:
        return obstacles(settings)

    @contextlib.contextmanager
    def at_work(self, lab: Lab, settings: Settings, submissions: int) -> Iterator[AtWork]:
        count = min(settings.processes, submissions)
        workshop, threads = Workshop(lab.folder, settings), ThreadPoolExecutor(count)
        try:
            workshop.set_up(count)
            yield _LocalAtWork(workshop, threads, count)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            workshop.close()
            threads.shutdown()


class _LocalAtWork:
    def __init__(self, workshop: Workshop, threads: ThreadPoolExecutor, count: int) -> None:
        self._workshop, self._threads, self._count = workshop, threads, count

    def places(self) -> int:
        return self._count

    def submit(self, job: Job) -> Future[SubmissionResult]:
        return self._threads.submit(self._workshop.grade, job)


LOCAL = Local()
