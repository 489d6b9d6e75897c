"""What the supervisor has to say, to a judge who may not be listening."""

from __future__ import annotations

import socket

from course_utils.sandbox.channel import frame

Event = dict[str, object]


class Outbox:
    """Events on their way; sending one never waits, and one that waits already is not added again.

    Args:
        sock: a connected stream socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._begun = b""
        self._waiting: list[Event] = []

    def put(self, event: Event) -> None:
        """Send an event, now or when there is room again."""
        if event not in self._waiting:
            self._waiting.append(event)
        self.flush()

    def flush(self) -> None:
        """Send what there is room for."""
        while self._begun or self._waiting:
            if not self._begun:
                self._begun = frame(self._waiting.pop(0))
            try:
                sent = self._socket.send(self._begun, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:  # nobody is there any more; the next command will not come either
                self._begun = b""
                self._waiting.clear()
                return
            self._begun = self._begun[sent:]
