"""A session of pytest that stands open, for a process that judges one submission after another."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from course_utils.testing.run import in_one_session

Made = TypeVar("Made")

_Job = tuple[Callable[[], Any], "Future[Any]"]


class StandingSession:
    """Does work in which every run of a lab's tests is made in one session of pytest.

    Such a session is a call that lasts as long as it does, so it has a thread of its own.

    Args:
        files: the tests' files, the public ones' first.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._over = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], Made]) -> Made:
        """Do some work in the session, when all that was asked for before is done.

        Raises:
            BaseException: whatever the work raises.
        """
        promise: Future[Made] = Future()
        self._jobs.put((work, promise))
        return promise.result()

    def close(self) -> None:
        """End the session once all that was asked for is done."""
        self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        # Where there can be no session, the work is done without: whoever makes a run of the tests
        # is told what is wrong with them.
        with contextlib.suppress(BaseException):
            in_one_session(self._files, self._work_off)
        if not self._over:
            self._work_off()

    def _work_off(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, promise = job
            try:
                made = work()
            except BaseException as error:
                promise.set_exception(error)
            else:
                promise.set_result(made)
            del job, work, promise  # what was made may be large, and the next job late
        self._over = True
