"""Messages over a socket: a length, then the wire format; file descriptors may come along.

Whoever is at the other end may stop reading, write half a message, or write for ever. So nothing
here waits on the other side but with a deadline, for sending as for receiving, unless a channel
was made without one, as those inside the sandbox are, which have nothing else to do.
"""

from __future__ import annotations

import array
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

from course_utils.ground import wire

_HEADER = struct.Struct("<I")
_CHUNK = 1 << 20


class ChannelClosed(ConnectionError):
    """The other side has gone."""


class ChannelTimeout(TimeoutError):
    """A message could not be sent or received in time: half of it may have crossed, and the
    channel is of no further use."""


def frame(message: Any) -> bytes:
    """A message as it goes over the socket."""
    data = wire.dumps(message)
    return _HEADER.pack(len(data)) + data


class Channel:
    """One end of a stream socket that carries messages.

    Args:
        sock: a connected stream socket; the channel owns it.
        limit: the largest message that is accepted, in bytes.
        patience: how many seconds a message may take, to be sent or received, where a call names
            no time of its own; None for any time, which only those may take who can be killed.
    """

    def __init__(
        self,
        sock: socket.socket,
        limit: int = wire.MAX_MESSAGE_BYTES,
        patience: float | None = None,
    ) -> None:
        self._socket = sock
        self._limit = limit
        self._patience = patience
        sock.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(
        self, message: Any, descriptors: Sequence[int] = (), seconds: float | None = None
    ) -> None:
        """Send a message, and descriptors with its first byte.

        Raises:
            ChannelClosed: the other side has gone.
            ChannelTimeout: the other side did not take it within ``seconds``.
        """
        data = wire.dumps(message)
        deadline = self._deadline(seconds)
        if descriptors:
            self._wait(deadline, to_write=True)
            try:
                socket.send_fds(self._socket, [_HEADER.pack(len(data))], list(descriptors))
            except OSError as error:
                raise ChannelClosed(str(error)) from None
        else:
            data = _HEADER.pack(len(data)) + data
        left = memoryview(data)
        while left:
            self._wait(deadline, to_write=True)
            try:
                left = left[self._socket.send(left[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelClosed(str(error)) from None

    def receive(self, seconds: float | None = None) -> Any:
        """The next message.

        Raises:
            ChannelClosed: the other side has gone.
            ChannelTimeout: the message was not complete within ``seconds``.
            course_utils.ground.wire.WireError: what came is no message of the format, or too large.
        """
        return self.receive_with_descriptors(seconds, 0)[0]

    def receive_with_descriptors(
        self, seconds: float | None, count: int
    ) -> tuple[Any, list[int]]:
        """The next message and up to ``count`` descriptors that came with it.

        Raises:
            as :meth:`receive` does.
        """
        deadline = self._deadline(seconds)
        descriptors = array.array("i")
        header = self._read(_HEADER.size, deadline, descriptors, count)
        (length,) = _HEADER.unpack(header)
        if length > self._limit:
            raise wire.WireError(
                f"a message of {length} bytes; at most {self._limit} are accepted"
            )
        return wire.loads(self._read(length, deadline)), list(descriptors)

    def _read(
        self,
        length: int,
        deadline: float | None,
        descriptors: array.array[int] | None = None,
        count: int = 0,
    ) -> bytearray:
        """So many bytes. Descriptors that come with them are added to those given, up to a count;
        any others are closed by the kernel."""
        parts = bytearray()
        room = socket.CMSG_SPACE(count * 4) if count else 0
        while len(parts) < length:
            self._wait(deadline)
            try:
                data, ancillary, _, _ = self._socket.recvmsg(
                    min(_CHUNK, length - len(parts)), room
                )
            except BlockingIOError:  # a process that shares our socket was quicker
                continue
            except OSError as error:
                raise ChannelClosed(str(error)) from None
            if not data:
                raise ChannelClosed("the other side has closed the connection")
            parts += data
            for _, kind, content in ancillary:
                if kind == socket.SCM_RIGHTS and descriptors is not None:
                    descriptors.frombytes(content)
        return parts

    def _deadline(self, seconds: float | None) -> float | None:
        allowed = self._patience if seconds is None else seconds
        return None if allowed is None else time.monotonic() + allowed

    def _wait(self, deadline: float | None, *, to_write: bool = False) -> None:
        """Until the socket can be read or written."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLOUT if to_write else select.POLLIN)
        left = None if deadline is None else deadline - time.monotonic()
        late = left is not None and left <= 0
        if late or not waiting.poll(None if left is None else 1000 * left):
            raise ChannelTimeout("the other side did not " + ("read" if to_write else "answer"))
