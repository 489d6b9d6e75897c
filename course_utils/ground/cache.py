"""The instructor's own cache folder: whatever is made again when it is lost.

A name in it says all that its content depends on, so nothing in it is ever out of date. What was
not asked for longest goes when there is too much of it.
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
MOST_BYTES = 512 * 2**20


def cache_folder() -> Path:
    """Where it lies: in ``$XDG_CACHE_HOME``, else where the platform keeps caches."""
    return platformdirs.user_cache_path(_NAME, appauthor=False)


def cached(name: str, make: Callable[[], bytes]) -> bytes:
    """What the cache folder holds under a name, made now if that is nothing; of several processes
    that miss it, one makes it."""
    with contextlib.suppress(OSError):
        return read_cached(name)
    with _locked(name):
        with contextlib.suppress(OSError):
            return read_cached(name)
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
        _make_room(folder, name)


def read_cached(name: str) -> bytes:
    """A file of the cache folder.

    Raises:
        OSError: there is none, or it cannot be read.
    """
    path = cache_folder() / name
    data = path.read_bytes()
    with contextlib.suppress(OSError):
        os.utime(path)  # for who makes room
    return data


def _make_room(folder: Path, newest: str) -> None:
    """Remove what was not asked for longest until the rest has room; never the newest."""
    with os.scandir(folder) as found:
        files = [(entry.stat(), entry.path) for entry in found if entry.is_file()]
    total = sum(of.st_size for of, _ in files)
    for of, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
        if total <= MOST_BYTES:
            return
        if os.path.basename(path) != newest:
            with contextlib.suppress(FileNotFoundError):  # another process makes room, too
                os.unlink(path)
            total -= of.st_size


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
