"""Messages over a socket: a length, then the wire format; file descriptors may come along."""

from __future__ import annotations

import array
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

from course_utils import wire

_HEADER = struct.Struct("<I")
_CHUNK = 1 << 20


class ChannelClosed(ConnectionError):
    """The other side has gone."""


class ChannelTimeout(TimeoutError):
    """No complete message came in time."""


def frame(message: Any) -> bytes:
    """A message as it goes over the socket."""
    data = wire.dumps(message)
    return _HEADER.pack(len(data)) + data


class Channel:
    """One end of a stream socket that carries messages.

    Args:
        sock: a connected stream socket; the channel owns it.
        limit: the largest message that is accepted, in bytes.
    """

    def __init__(self, sock: socket.socket, limit: int = wire.MAX_MESSAGE_BYTES) -> None:
        self._socket = sock
        self._limit = limit

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, message: Any, descriptors: Sequence[int] = ()) -> None:
        """Send a message, and descriptors with its first byte.

        Raises:
            ChannelClosed: the other side has gone.
        """
        data = wire.dumps(message)
        try:
            if descriptors:
                socket.send_fds(self._socket, [_HEADER.pack(len(data))], list(descriptors))
            else:
                self._socket.sendall(_HEADER.pack(len(data)))
            self._socket.sendall(data)
        except OSError as error:
            raise ChannelClosed(str(error)) from None

    def receive(self, seconds: float | None = None) -> Any:
        """The next message.

        Raises:
            ChannelClosed: the other side has gone.
            ChannelTimeout: the message was not complete within ``seconds``.
            course_utils.wire.WireError: what came is no message of the format, or too large.
        """
        return self.receive_with_descriptors(seconds, 0)[0]

    def receive_with_descriptors(
        self, seconds: float | None, count: int
    ) -> tuple[Any, list[int]]:
        """The next message and up to ``count`` descriptors that came with it."""
        deadline = None if seconds is None else time.monotonic() + seconds
        header, descriptors = b"", array.array("i")
        while len(header) < _HEADER.size:
            self._wait(deadline)
            try:
                data, ancillary, _, _ = self._socket.recvmsg(
                    _HEADER.size - len(header), socket.CMSG_SPACE(count * descriptors.itemsize)
                )
            except OSError as error:
                raise ChannelClosed(str(error)) from None
            for _, kind, content in ancillary:
                if kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(content)
            if not data:
                raise ChannelClosed("the other side has closed the connection")
            header += data
        (length,) = _HEADER.unpack(header)
        if length > self._limit:
            raise wire.WireError(
                f"a message of {length} bytes; at most {self._limit} are accepted"
            )
        return wire.loads(self._read(length, deadline)), list(descriptors)

    def _read(self, length: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            self._wait(deadline)
            try:
                data = self._socket.recv(min(_CHUNK, length - len(parts)))
            except OSError as error:
                raise ChannelClosed(str(error)) from None
            if not data:
                raise ChannelClosed("the other side has closed the connection")
            parts += data
        return bytes(parts)

    def _wait(self, deadline: float | None) -> None:
        if deadline is None:
            return
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._socket], [], [], left)[0]:
            raise ChannelTimeout("no answer in time")
