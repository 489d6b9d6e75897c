"""A folder that takes another one's place as a whole: whoever looks sees the one or the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to be filled, which then takes the place of another one as a whole."""
    bring_back(folder)
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    yield fresh
    for path in (*fresh.rglob("*"), fresh):
        _to_disk(path)
    old = _set_aside(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def _set_aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def bring_back(folder: Path) -> None:
    """Undo the first half of an exchange that was interrupted in its middle."""
    old = _set_aside(folder)
    if old.is_dir() and not folder.exists():
        os.replace(old, folder)


def _to_disk(path: Path) -> None:
    """Wait until a file is on the disk: after a power cut it must not be empty where it is said to
    be written."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
