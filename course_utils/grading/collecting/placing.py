"""One student's files, put into ``submitted/STUDENT/LAB`` as a whole, within bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from course_utils.grading.collecting.download import UnreadableFile
from course_utils.grading.collecting.handed_in import HandedIn
from course_utils.grading.reading.naming import shown
from course_utils.grading.replacing import replacing
from course_utils.ground.escaping import escaped

# Of one student; each file may have what a notebook may have.
_MAX_FILES = 200
_MAX_BYTES = 128 * 2**20
_MAX_DEPTH = 6
_LONGEST = 100
TIMESTAMP = "timestamp.txt"
_KEPT_HIDDEN = {".ipynb_checkpoints"}


class Placed(StrEnum):
    """What became of a student's folder."""

    NEW = "new"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    KEPT = "kept"  # somebody has changed it
    OLDER = "older"  # a later download was collected before


def contents(
    files: Sequence[HandedIn], due: datetime | None, remarks: list[str]
) -> dict[Path, bytes]:
    """What a student's folder is to hold.

    Args:
        files: what the student handed in.
        due: when the lab was due, for those who are late without a date.
        remarks: a sentence is added for everything that is left out.
    """
    chosen: dict[str, tuple[Path, HandedIn]] = {}
    for file in sorted(files, key=lambda file: file.order):
        path = _own_path(file.parts)
        if path is None:
            continue
        told = f"{shown(file.member.name)} was left out"
        if path.parts[0].casefold() == TIMESTAMP:
            remarks.append(f"{told}: a date is not the student's to say")
        elif len(path.parts) > _MAX_DEPTH:
            remarks.append(f"{told}: it lies too deep in folders")
        else:
            # Where capitals are no difference to the disk, they are none here.
            if (key := str(path).casefold()) in chosen:
                older = shown(chosen[key][1].member.name)
                remarks.append(f"{older} was left out: a later file has that name")
            chosen[key] = (path, file)
    held = _held(list(chosen.values()), remarks)
    if held and (moment := _moment(files, due)):
        held[Path(TIMESTAMP)] = f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC\n".encode()
    return held


def place(folder: Path, files: dict[Path, bytes], collected: str, *, force: bool) -> Placed:
    """Make a folder hold these files, unless somebody has put something else there.

    Args:
        folder: the student's, of this lab.
        files: what it is to hold.
        collected: :func:`digest` of what an earlier collection has put there.
        force: replace what somebody has put there, too.
    """
    there = _there(folder) if folder.is_dir() else {}
    if there and digest(there) == digest(files):
        return Placed.UNCHANGED
    if there and digest(there) != collected and not force:
        return Placed.KEPT
    with replacing(folder) as fresh:
        for path, data in files.items():
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            (fresh / path).write_bytes(data)
    return Placed.REPLACED if there else Placed.NEW


def digest(files: dict[Path, bytes]) -> str:
    """A checksum of files with their names."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0{len(files[path])}\0".encode("utf-8", "surrogatepass"))
        total.update(files[path])
    return total.hexdigest()[:32]


def _own_path(parts: Sequence[str]) -> Path | None:
    """Where a file goes in the student's folder; None where nobody would look for it."""
    sound = [_sound(part) for part in parts]
    if any(part.startswith(".") and part not in _KEPT_HIDDEN for part in sound):
        return None
    return Path(*sound)


def _sound(part: str) -> str:
    """A name that every disk takes: steering characters written out, and not too long."""
    text = escaped(part)
    if len(text.encode("utf-8", "replace")) <= _LONGEST:
        return text
    stem, dot, ending = text.rpartition(".")
    ending = dot + ending if len(ending) <= 10 else ""
    short = (stem or text).encode("utf-8", "replace")[: _LONGEST - 20].decode("utf-8", "ignore")
    return f"{short}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}{ending}"


def _held(chosen: Sequence[tuple[Path, HandedIn]], remarks: list[str]) -> dict[Path, bytes]:
    """The chosen files' bytes, as far as the bounds go."""
    held: dict[Path, bytes] = {}
    folders: set[str] = set()
    left = _MAX_BYTES
    for path, file in chosen:
        names = [str(Path(*path.parts[:n])).casefold() for n in range(1, len(path.parts))]
        try:
            if len(held) == _MAX_FILES:
                raise UnreadableFile(f"there are more than {_MAX_FILES} files of this person")
            if str(path).casefold() in folders or {str(p).casefold() for p in held} & set(names):
                raise UnreadableFile("its name is a folder's as well")
            data = file.member.read()
            if len(data) > left:
                raise UnreadableFile(
                    f"this person's files have more than {_MAX_BYTES // 2**20} MiB together"
                )
        except UnreadableFile as error:
            remarks.append(f"{shown(file.member.name)} was left out: {error}")
            continue
        left -= len(data)
        folders.update(names)
        held[path] = data
    return held


def _moment(files: Sequence[HandedIn], due: datetime | None) -> datetime | None:
    """When the submission was handed in: its last file's date; a second after the lab was due,
    where the system calls it late and does not say how late."""
    if moments := [file.moment for file in files if file.moment]:
        return max(moments).astimezone(UTC)
    if due is not None and is_late(files):
        return due.replace(tzinfo=UTC) + timedelta(seconds=1)
    return None


def is_late(files: Sequence[HandedIn]) -> bool:
    """Whether the system calls the last of a person's files late."""
    return max(files, key=lambda file: file.order).late


def _there(folder: Path) -> dict[Path, bytes]:
    """What a folder holds now; links are not followed."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
