"""Calls to trusted code under a time limit: a mistake edited in may never come to an end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.dispatcher import CallTimeout
from course_utils.calls.fault import StudentFault
from course_utils.calls.protocol import Request, Response
from course_utils.ground.statuses import Status

CALL_SECONDS = 10.0


class LimitedBackend:
    """Calls functions of a namespace, each within a time limit: its test's own, or this one.

    After a call that took too long, none is made that would be waited for as long again. The limit
    is kept by a signal, so it holds in a process's main thread only; elsewhere calls run without
    it.
    """

    def __init__(self, namespace: dict[str, Any], seconds: float = CALL_SECONDS) -> None:
        self._inner = NamespaceBackend(namespace)
        self._seconds = seconds
        self._expired: StudentFault | None = None
        self._expired_seconds = 0.0

    def request(self, request: Request) -> Response:
        """Carry out one request.

        Raises:
            StudentFault: the call took too long, or an earlier one did.
        """
        seconds = float(request.seconds or self._seconds)
        if self._expired is not None and seconds <= self._expired_seconds:
            raise self._expired
        try:
            with time_limit(seconds):
                return self._inner.request(request)
        except CallTimeout:
            self._expired_seconds = seconds
            self._expired = StudentFault(
                Status.TIMEOUT, f"{request.caller} did not return within {seconds:g} s"
            )
        raise self._expired


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`course_utils.calls.dispatcher.CallTimeout` in the block when its time is up."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(signum: int, frame: object) -> None:
        raise CallTimeout

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
