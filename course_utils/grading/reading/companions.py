"""What was handed in beside the notebook: pictures of written answers, data."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from course_utils.grading.reading.files import (
    File,
    Kind,
    files_in,
    is_own_folder,
    opened,
    own_place,
    raise_if_the_machines,
)

_COMPANION_BYTES = 64 * 2**20
_EXCHANGE_BYTES = 4096
# What a browser shows or saves: formgrader serves these from the address of Jupyter itself, where
# a page, or a picture that is a program (SVG), could do whatever the teacher may.
_COMPANIONS = {
    ".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".pdf", ".csv",
    ".tsv", ".txt", ".json", ".npy", ".npz", ".pt", ".pth", ".py",
}  # fmt: skip


def copy_companions(folder: Path, target: Path) -> None:
    """Copy what was handed in beside the notebook, such as the pictures of written answers, to
    where a person will read it. What cannot be read or written, is too much, or is of a kind that
    a browser would run, stays behind."""
    place = own_place(folder)
    if not is_own_folder(place):
        return
    left = _COMPANION_BYTES
    for file in files_in(place):
        if file.kind is not Kind.OTHER or Path(file.name).suffix.lower() not in _COMPANIONS:
            continue
        try:
            left -= _copied(file, target / file.name, left)
        except OSError as error:
            raise_if_the_machines(error)


def exchange_files(folder: Path) -> dict[str, bytes]:
    """What nbgrader's exchange has laid beside a notebook, and asks for beside its feedback: when
    it was handed in, and the secret by which only its student finds the feedback.

    They are text there: one that is none would end the release of everybody's feedback.
    """
    place = own_place(folder)
    found = {}
    for name in ("timestamp.txt", "submission_secret.txt"):
        with suppress(OSError), opened(place / name) as (source, size):
            if size <= _EXCHANGE_BYTES:
                text = source.read(_EXCHANGE_BYTES).decode("utf-8", "replace")
                found[name] = text.encode("utf-8")
    return found


def _copied(file: File, target: Path, most: int) -> int:
    """Copy a file of at most so many bytes; how many were copied."""
    with opened(file.path) as (source, size):
        data = source.read(most + 1) if size <= most else b""
    if not data or len(data) > most:
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return len(data)
