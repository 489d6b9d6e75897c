"""Zip archives whose bytes say nothing of when and where they were made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping

_WHEN = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold
_UNIX = 3


def zipped(files: Mapping[str, bytes], programs: Collection[str] = ()) -> bytes:
    """An archive of files by their names: the same files, the same bytes, on every machine.

    Nothing is compressed, since what a compressor makes depends on its version.

    Args:
        files: content by name; a name may have folders, with ``/``.
        programs: the names of those that are to be executable.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _WHEN)
            info.create_system = _UNIX
            info.external_attr = (0o100755 if name in programs else 0o100644) << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()
