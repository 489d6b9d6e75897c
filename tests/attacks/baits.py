"""Secrets on the host, where student code may look for them; gone when the block is left."""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

# Attacks know these, as they would know a machine's usual places.
PORT = 47123
ABSTRACT = "\0course-attack-target"
SOCKET_PATH = Path("/tmp/course-attack-target.sock")
SHARED = Path("/dev/shm/course-attack-target")
SHM_KEY = 0x70776E64
_PREFIX = "CANARY-"


@dataclass(frozen=True)
class Baits:
    """The secrets' words, by the place where each lies."""

    words: dict[str, str] = field(default_factory=dict)

    def word(self, place: str) -> str:
        """The word for a place, made when it is first asked for."""
        return self.words.setdefault(place, f"{_PREFIX}{place}-{secrets.token_hex(8)}")

    def found_in(self, text: str) -> list[str]:
        """The places whose words stand in a text."""
        return [place for place, word in self.words.items() if word in text]


@contextmanager
def laid(baits: Baits, folder: Path) -> Iterator[dict[str, str]]:
    """Lay the host's baits; gives what belongs into the environment of whoever grades."""
    with ExitStack() as stack:
        (folder / "host_secret.txt").write_text(baits.word("host-file"), "utf-8")
        SHARED.write_text(baits.word("dev-shm"), "utf-8")
        stack.callback(SHARED.unlink, missing_ok=True)
        stack.enter_context(_bystander(baits.word("command-line")))
        stack.enter_context(_shared_segment(baits.word("sysv").encode()))
        SOCKET_PATH.unlink(missing_ok=True)
        stack.callback(SOCKET_PATH.unlink, missing_ok=True)
        for kind, address in (
            (socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_UNIX, ABSTRACT),
            (socket.AF_UNIX, str(SOCKET_PATH)),
        ):  # fmt: skip
            stack.enter_context(_served(kind, address, baits.word("socket").encode()))
        yield {"COURSE_ATTACK_SECRET": baits.word("environment")}


@contextmanager
def _bystander(word: str) -> Iterator[None]:
    """A process whose command line is a secret."""
    process = subprocess.Popen([sys.executable, "-c", "input()", word], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.kill()
        process.communicate()


@contextmanager
def _served(kind: int, address: str | tuple[str, int], said: bytes) -> Iterator[None]:
    """A server that tells a secret to whoever connects."""
    with socket.socket(kind) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(address)
        except OSError as error:
            raise SystemExit(f"{address!r} is taken: is another run at work? ({error})") from None
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def _shared_segment(said: bytes) -> Iterator[None]:
    """A System V segment, readable by all, that holds a secret."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    number = libc.shmget(SHM_KEY, 4096, 0o1666)
    if number < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    place = libc.shmat(number, None, 0)
    ctypes.memmove(place, said, len(said))
    try:
        yield
    finally:
        libc.shmdt(ctypes.c_void_p(place))
        libc.shmctl(number, 0, None)
