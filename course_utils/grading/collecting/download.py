"""A download as it lies on the disk, a zip archive or a folder: its files, one after the other.

Nothing is unpacked to the disk, and no name in it is ever used as a path. What is no ordinary file,
asks for a password or has a name that leads elsewhere is left out, with a sentence.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading.reading.files import opened, raise_if_the_machines
from course_utils.grading.reading.naming import shown
from course_utils.grading.reading.unpacking import MAX_FILE_BYTES
from course_utils.grading.reading.zips import is_file, is_locked, is_usual, open_zip
from course_utils.ground.errors import DownloadError

# Some hundred thousand names; a class of two thousand with ten files each has a fifth of that.
_MAX_NAMES_BYTES = 16 * 2**20
_MAX_FILES = 100_000
_DRIVE = re.compile(r"[A-Za-z]:")
_UTF8 = 0x800
_NOBODYS = {"__MACOSX", ".DS_Store"}


class UnreadableFile(Exception):
    """A file of a download cannot be read; the message says why."""


@dataclass(frozen=True)
class Member:
    """A file in a download.

    Attributes:
        parts: its path from the download on, no part of it empty, ``.`` or ``..``.
        read: its bytes; raises :class:`UnreadableFile`.
    """

    parts: tuple[str, ...]
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        return "/".join(self.parts)


class Download:
    """The files of a zip archive or a folder; use it as a context manager.

    Args:
        path: where it is.

    Attributes:
        members: its files, in the archive's order, or by name.
        refused: what was left out, a sentence each.

    Raises:
        DownloadError: there is no such thing, or the archive is damaged or too large.
    """

    def __init__(self, path: Path) -> None:
        self.refused: list[str] = []
        try:
            with ExitStack() as opening:
                found = self._in_folder(path) if path.is_dir() else self._in_zip(path, opening)
                self.members = list(found)
                self._stack = opening.pop_all()
        except DownloadError:
            raise
        except OSError as error:
            raise DownloadError(f"{path} cannot be read: {error.strerror or error}") from None
        except Exception as error:  # zipfile fails in many ways on what is damaged
            raise DownloadError(
                f"{path} is no zip archive that can be read ({shown(str(error))}); download it "
                "again, or unpack it and give the folder"
            ) from None

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _in_zip(self, path: Path, opening: ExitStack) -> Iterator[Member]:
        file = opening.enter_context(path.open("rb"))
        archive = opening.enter_context(open_zip(file, _MAX_NAMES_BYTES))
        for info in archive.infolist():
            name = _name(info)
            parts = self._parts(name)
            if info.is_dir() or not parts:
                continue
            if not is_file(info):
                self._refuse(name, "it is a link or a device")
            elif is_locked(info):
                self._refuse(name, "it asks for a password")
            elif not is_usual(info):
                self._refuse(name, "it is compressed in an unusual way")
            else:
                yield Member(parts, _from_zip(archive, info))

    def _in_folder(self, root: Path) -> Iterator[Member]:
        root, seen = root.resolve(), 0
        for place, folders, files in os.walk(root, onerror=_raise):
            folders[:] = sorted(f for f in folders if not os.path.islink(os.path.join(place, f)))
            for name in sorted(files):
                seen += 1
                if seen > _MAX_FILES:
                    raise DownloadError(f"{root} holds more than {_MAX_FILES} files")
                path = Path(place, name)
                inside = os.path.relpath(path, root)
                if parts := self._parts(inside):
                    if path.is_symlink() or not path.is_file():
                        self._refuse(inside, "it is a link or a device")
                    else:
                        yield Member(parts, _from_folder(path))

    def _parts(self, name: str) -> tuple[str, ...]:
        """A name's parts, of which none leads elsewhere; none where there is nothing to collect."""
        slashed = name.replace("\\", "/")
        parts = tuple(part for part in slashed.split("/") if part not in ("", "."))
        if slashed.startswith("/") or _DRIVE.match(slashed) or ".." in parts:
            self._refuse(name, "its name leads out of the download")
            return ()
        return () if _NOBODYS & set(parts) else parts

    def _refuse(self, name: str, why: str) -> None:
        self.refused.append(f"{shown(name)} was left out: {why}")


def _name(info: zipfile.ZipInfo) -> str:
    """A file's name. Programs that write UTF-8 and forget to say so are as common as old ones."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _from_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(info) as file:
                return _bounded(file.read(MAX_FILE_BYTES + 1))
        except (UnreadableFile, MemoryError):
            raise
        except Exception as error:  # zipfile fails in many ways on what is damaged
            raise UnreadableFile(f"it cannot be unpacked ({shown(str(error))})") from None

    return read


def _from_folder(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with opened(path) as (file, _):
                return _bounded(file.read(MAX_FILE_BYTES + 1))
        except OSError as error:
            raise_if_the_machines(error)
            raise UnreadableFile(f"it cannot be read ({error.strerror or error})") from None

    return read


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableFile(f"it has more than {MAX_FILE_BYTES // 2**20} MiB")
    return data


def _raise(error: OSError) -> None:
    raise error
