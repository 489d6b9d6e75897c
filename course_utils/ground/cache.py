"""The instructor's own cache folder: whatever is made again when it is lost.

A name in it says all that its content depends on, so nothing in it is ever out of date.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

_NAME = "course-utils"


def cache_folder() -> Path:
    """Where it lies: in ``$XDG_CACHE_HOME``, else where the platform keeps caches."""
    return platformdirs.user_cache_path(_NAME, appauthor=False)


def cached(name: str, make: Callable[[], bytes]) -> bytes:
    """What the cache folder holds under a name, made now if that is nothing; of several processes
    that miss it, one makes it."""
    path = cache_folder() / name
    with contextlib.suppress(OSError):
        return path.read_bytes()
    with _locked(name):
        with contextlib.suppress(OSError):
            return path.read_bytes()
        made = make()
        write_cached(name, made)
        return made


def write_cached(name: str, data: bytes) -> None:
    """Write a file of the cache folder, at once or not at all."""
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
        folder = cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(data)
        os.replace(file.name, folder / name)


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold a lock on a name, as far as the cache folder lets one."""
    path = cache_folder() / f"{name}.lock"
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fcntl.flock(stack.enter_context(path.open("wb")), fcntl.LOCK_EX)
        yield
        with contextlib.suppress(OSError):
            path.unlink()
