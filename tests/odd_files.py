"""Odd submissions: files, folders, archives, and bytes that are no notebook."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from odd_cases import add, group, in_bytes, in_file, write
from odd_lab import FULL, NAME, lesson
from tiny import SOFTMAX, as_bytes

from course_utils.ground.statuses import Reason


def _several(**files: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name, data in files.items():
            write(folder, name, data)

    return make


def _zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def _with_password(archive: bytes) -> bytes:
    """A zip archive whose members say that they are encrypted."""
    at = archive.index(b"PK\x01\x02") + 8
    return archive[:6] + b"\x01" + archive[7:at] + b"\x01" + archive[at + 1 :]


_RIGHT = as_bytes(lesson())
_TEXT = _RIGHT.decode()

group("Files and folders")
in_file("right", "the notebook as it should be", NAME, reason=Reason.OK)
in_file("subfolder", "in a folder of its own", "my work/lab/tiny.ipynb")
in_file("folder-of-that-name", "in a folder that is called like the notebook", f"{NAME}/{NAME}")
in_file("too-deep", "seven folders deep", "a/b/c/d/e/f/g/tiny.ipynb", None, Reason.NO_NOTEBOOK, 0)
in_file("upper-case", "`.IPYNB`", "TINY.IPYNB")
in_file("ending-txt", "`.ipynb.txt`", "tiny.ipynb.txt")
in_file("ending-json", "`.ipynb.json`", "tiny.ipynb.json")
in_file("ending-number", "`.ipynb (1)`", "tiny.ipynb (1)")
in_file("ending-twice", "`.ipynb.ipynb`", "tiny.ipynb.ipynb")
in_file("copy-1", "a browser's or Jupyter's copy, `-Copy1 (2)`", "tiny-Copy1 (2).ipynb")
in_file("no-ending", "no ending at all", "tiny")
in_file("only-json", "`.json`", "tiny.json")
in_file("renamed", "another name", "my homework.ipynb")
in_file("control-name", "control characters in the name", "my\nlab\x1b[31m.ipynb")
in_file("latin-1-name", "bytes in the name that are no UTF-8", b"L\xf6sung.ipynb")
in_file("trailing-dot", "a file name of blanks and dots", " . .ipynb")
add(
    "copy-beside", "a second notebook beside it: the one of the right name is graded",
    _several(**{NAME: _RIGHT, "tiny (1).ipynb": b"{}"}), reason=Reason.EXTRA_NOTEBOOK,
)
add(
    "two-others", "two notebooks, both of other names: which one is meant is not guessed",
    _several(**{"a.ipynb": _RIGHT, "b.ipynb": _RIGHT}), 0, Reason.NO_NOTEBOOK, (),
)
add(
    "one-of-two", "two notebooks, one of which has the name but for its ending",
    _several(**{"notes.ipynb": b"{}", "Tiny (3).ipynb": _RIGHT}), reason=Reason.RENAMED_NOTEBOOK,
)
add(
    "empty-and-good", "an empty file of the right name and a good one of another",
    _several(**{NAME: b"", "tiny (1).ipynb": _RIGHT}), reason=Reason.RENAMED_NOTEBOOK,
)
add(
    "checkpoint", "nothing but the copy that Jupyter keeps in `.ipynb_checkpoints`",
    _several(**{".ipynb_checkpoints/tiny-checkpoint.ipynb": _RIGHT}),
    reason=Reason.RENAMED_NOTEBOOK,
)
add(
    "mac-leftovers", "with what macOS leaves in folders (`.DS_Store`, `._tiny.ipynb`)",
    _several(**{NAME: _RIGHT, ".DS_Store": b"\0", f"._{NAME}": b"\0\5\x16\7"}),
)
add(
    "stray-json", "beside a settings file that looks like a notebook",
    _several(**{"tiny.ipynb.txt": _RIGHT, "settings.json": b'{"cells": 3}'}),
    reason=Reason.RENAMED_NOTEBOOK,
)
add(
    "whole-course", "the whole course's folder",
    _several(**{f"labs/{lab}": _RIGHT for lab in ("lab01/other.ipynb", f"lab00/{NAME}")}),
    reason=Reason.RENAMED_NOTEBOOK,
)
in_file("shortcut", "Windows' shortcut to the notebook", "tiny.ipynb - Shortcut.lnk", b"L\0",
      Reason.NO_NOTEBOOK, 0)  # fmt: skip
in_file("download", "a download that was not finished", "tiny.ipynb.crdownload", _RIGHT[:500],
      Reason.NOT_JSON, 0)  # fmt: skip
add("nothing", "an empty folder", lambda folder: None, 0, Reason.NO_NOTEBOOK, ())
in_file("essay", "an essay", "essay.docx", _zipped(("word/document.xml", b"<w/>")),
      Reason.NO_NOTEBOOK, 0)  # fmt: skip
in_file("script", "a `.py` export", "tiny.py", SOFTMAX.encode(), Reason.NO_NOTEBOOK, 0)
in_file("hidden", "a hidden file", ".tiny.ipynb", None, Reason.NO_NOTEBOOK, 0)


def _link(target: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder.parent / "elsewhere.ipynb").write_bytes(_RIGHT)
        os.symlink(target, folder / NAME)

    return make


def _inner_link(folder: Path) -> None:
    write(folder, "work/final.ipynb", _RIGHT)
    os.symlink("work/final.ipynb", folder / NAME)


add("link-out", "a link that leads out of the submission", _link("../elsewhere.ipynb"), 0,
     Reason.NO_NOTEBOOK, ())  # fmt: skip
add("link-nowhere", "a link that leads nowhere", _link("lost.ipynb"), 0, Reason.NO_NOTEBOOK, ())
add("link-round", "a link to itself", _link(NAME), 0, Reason.NO_NOTEBOOK, ())
add("link-inside", "a link to a notebook in the same submission", _inner_link,
     reason=Reason.EXTRA_NOTEBOOK)  # fmt: skip
add("pipe", "a named pipe", lambda folder: os.mkfifo(folder / NAME), 0, Reason.NO_NOTEBOOK, ())
add("huge", "200 MiB", lambda folder: _sparse(folder / NAME), 0, Reason.TOO_LARGE, ())


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 2**20)


group("Archives")
_P = Reason.PACKED_NOTEBOOK
in_file("gzip", "gzipped", "tiny.ipynb.gz", gzip.compress(_RIGHT), _P)
in_bytes("gzip-inside", "gzipped, under the notebook's own name", gzip.compress(_RIGHT), _P, FULL)
in_file("zip", "alone in a zip", "tiny.zip", _zipped((NAME, _RIGHT)), _P)
in_bytes("zip-inside", "a zip under the notebook's own name", _zipped((NAME, _RIGHT)), _P, FULL)
in_file("zip-others", "the only notebook in a zip with other files", "lab.zip",
      _zipped(("lab/data.csv", b"1"), ("lab/odd name.ipynb", _RIGHT),
              ("__MACOSX/lab/._odd name.ipynb", b"\0")), _P)  # fmt: skip
in_file("zip-named", "a zip with two notebooks, one of the right name", "lab.zip",
      _zipped(("old.ipynb", b"{}"), (NAME, _RIGHT)), _P)  # fmt: skip
for _name, _what, _path, _data, _reason in (
    ("zip-two", "a zip with two notebooks of other names", "lab.zip",
     _zipped(("a.ipynb", _RIGHT), ("b.ipynb", _RIGHT)), Reason.NO_NOTEBOOK),
    ("zip-empty", "a zip without a notebook", "lab.zip", _zipped(("data.csv", b"1")),
     Reason.NO_NOTEBOOK),
    ("zip-nested", "a zip in a zip", "lab.zip", _zipped((NAME, _zipped((NAME, _RIGHT)))),
     Reason.NO_NOTEBOOK),
    ("zip-locked", "a zip with a password", "lab.zip", _with_password(_zipped((NAME, _RIGHT))),
     Reason.NO_NOTEBOOK),
    ("zip-cut", "a zip that was cut off", "lab.zip", _zipped((NAME, _RIGHT))[:200],
     Reason.NOT_A_NOTEBOOK),
    ("zip-bomb", "a zip that unpacks to 100 MiB", "lab.zip", _zipped((NAME, bytes(100 * 2**20))),
     Reason.TOO_LARGE),
    ("gzip-bomb", "gzip that unpacks to 100 MiB", "tiny.ipynb.gz",
     gzip.compress(bytes(100 * 2**20)), Reason.TOO_LARGE),
    ("gzip-cut", "gzip that was cut off", "tiny.ipynb.gz", gzip.compress(_RIGHT)[:100],
     Reason.NOT_A_NOTEBOOK),
):  # fmt: skip
    in_file(_name, _what, _path, _data, _reason, 0)
in_file("tar", "a tar archive, compressed with gzip", "lab.tar.gz", gzip.compress(
    bytes(257) + b"ustar" + bytes(250)), Reason.NO_NOTEBOOK, 0)  # fmt: skip
in_file("seven-zip", "an archive of another kind", "lab.7z", b"7z\xbc\xaf", Reason.NO_NOTEBOOK, 0)

group("What is in the file")
for _name, _what, _data, _reason in (
    ("empty", "nothing", b"", Reason.EMPTY_FILE),
    ("blank", "blanks", b" \n\t", Reason.EMPTY_FILE),
    ("zeros", "zeros, as a full disk leaves them", bytes(5000), Reason.EMPTY_FILE),
    ("letter", "a letter to the TA", b"Dear TA, it is attached.", Reason.NOT_JSON),
    ("web-page", "a web page that was saved in its place", b"<!DOCTYPE html><html>",
     Reason.NOT_JSON),
    ("pointer", "git LFS's pointer", b"version https://git-lfs.github.com/spec/v1\n",
     Reason.NOT_JSON),
    ("conflict", "git's marks of a conflict", _RIGHT[:90] + b"\n<<<<<<< HEAD\n" + _RIGHT[90:],
     Reason.NOT_JSON),
    ("cut", "a file that was cut off", _RIGHT[: len(_RIGHT) // 2], Reason.NOT_JSON),
    ("twice", "the notebook twice, one after the other", _RIGHT * 2, Reason.NOT_JSON),
    ("brackets", "100,000 brackets", b"[" * 100_000, Reason.NOT_JSON),
    ("binary", "no text at all", b"\xff\xfe\x00\x01\xd8", Reason.NOT_JSON),
    ("comma", "a comma too many, from an editor", _RIGHT[:-1] + b",}", Reason.NOT_JSON),
    ("drive", "Google Drive's pointer to a file", b'{"url": "x", "doc_id": "y"}',
     Reason.NOT_A_NOTEBOOK),
    ("list", "a JSON list", b"[1, 2]", Reason.NOT_A_NOTEBOOK),
    ("no-cells", "JSON without cells", b'{"a": 1}', Reason.NOT_A_NOTEBOOK),
    ("cells-number", "a number where the cells should be", b'{"cells": 3}', Reason.NOT_A_NOTEBOOK),
    ("no-cell", "a notebook without a cell", b'{"cells": [], "metadata": {}}', Reason.WRONG_LAB),
    ("old-broken", "format 3 with cells of no form", b'{"worksheets": [{"cells": [3]}], '
     b'"nbformat": 3, "nbformat_minor": 0, "metadata": {}}', Reason.NOT_A_NOTEBOOK),
):  # fmt: skip
    in_bytes(_name, _what, _data, _reason)
_R = Reason.METADATA_REPAIRED
in_bytes("bom", "UTF-8 with a byte order mark", b"\xef\xbb\xbf" + _RIGHT, Reason.OK, FULL)
in_bytes("utf-16", "UTF-16, as PowerShell writes it", _TEXT.encode("utf-16"), _R, FULL)
in_bytes("windows", "Windows' code page", _TEXT.replace("The logits.", "Größe")
       .encode("cp1252", "replace"), _R, FULL)  # fmt: skip
in_bytes("padded", "zeros behind its end", _RIGHT + bytes(100), Reason.OK, FULL)
