"""Machines of a kind: network namespaces on a bridge, in which a folder cannot be seen either."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Of documentation's own addresses, which nobody else has.
_HERE, _THERE = "198.51.100.1", "198.51.100.{}"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def machines(count: int) -> Iterator[tuple[str, list[list[str]]] | None]:
    """Some machines: this one's address among them, and the command that runs another on each.

    None where this user may not have any.
    """
    with ExitStack() as stack:
        try:
            made = [_machine(stack, number) for number in _bridged(stack, count)]
        except (OSError, subprocess.CalledProcessError):
            made = []
        yield (_HERE, made) if made else None


def _bridged(stack: ExitStack, count: int) -> Iterator[int]:
    _ip("link", "add", _bridge(), "type", "bridge")
    stack.callback(_ip, "link", "del", _bridge())
    _ip("addr", "add", f"{_HERE}/24", "dev", _bridge())
    _ip("link", "set", _bridge(), "up")
    yield from range(count)


def _bridge() -> str:
    return f"cb{os.getpid()}"


def _machine(stack: ExitStack, number: int) -> list[str]:
    name, ours, theirs = (f"{letter}{number}-{os.getpid()}" for letter in "mvw")
    _ip("netns", "add", name)
    stack.callback(_ip, "netns", "del", name)
    _ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
    _ip("link", "set", ours, "master", _bridge(), "up")
    _ip("link", "set", theirs, "netns", name)
    _ip("-n", name, "addr", "add", f"{_THERE.format(number + 2)}/24", "dev", theirs)
    for device in (theirs, "lo"):
        _ip("-n", name, "link", "set", device, "up")
    return ["ip", "netns", "exec", name]


def without(folder: Path, machine: Sequence[str]) -> list[str]:
    """The command that runs another on a machine that does not have a folder."""
    hide = 'mount -t tmpfs none "$0" && exec "$@"'
    return [*machine, "unshare", "--mount", "sh", "-c", hide, str(folder)]
