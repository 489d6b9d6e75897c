"""Zip archives that strangers made, opened within bounds.

No list of files is read that takes much memory, and whoever reads a file asks first what it is.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from typing import BinaryIO

_END = b"PK\x05\x06"
_TAIL_BYTES = 2**16 + 100  # with the longest comment, and what stands before it in a large one
# Of archives for which the old form has no room: this, right before the end, and before it their
# own record, which zipfile believes then, whatever the other says.
_LARGE, _LARGE_AT, _RECORD_AT = b"PK\x06\x07", -20, -76
# Others need memory that the archive chooses (LZMA), or are not read by zipfile at all.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


def open_zip(file: BinaryIO, most_of_names: int) -> zipfile.ZipFile:
    """Open an archive, unless its list of names alone would take much memory to read.

    Args:
        file: the archive, open.
        most_of_names: bytes that the list may have.

    Raises:
        zipfile.BadZipFile, and whatever else zipfile fails with on what is damaged.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    end = tail.rfind(_END)
    if end < 0:
        raise zipfile.BadZipFile("its list of files is missing")
    (names,) = struct.unpack_from("<L", tail, end + 12)
    if tail[max(0, end + _LARGE_AT) :].startswith(_LARGE) and end + _RECORD_AT >= 0:
        (names,) = struct.unpack_from("<Q", tail, end + _RECORD_AT + 40)
    if names > most_of_names:
        raise zipfile.BadZipFile("it holds too many files")
    file.seek(0)
    return zipfile.ZipFile(file)


def is_locked(info: zipfile.ZipInfo) -> bool:
    """Whether a file in an archive asks for a password."""
    return bool(info.flag_bits & _ENCRYPTED)


def is_usual(info: zipfile.ZipInfo) -> bool:
    """Whether it is compressed in a way that is safe to undo."""
    return info.compress_type in _METHODS


def is_file(info: zipfile.ZipInfo) -> bool:
    """Whether it is an ordinary file: no folder, and no link or device of a system with such."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    return not info.is_dir() and kind in (0, stat.S_IFREG)
