"""A notebook that was handed in packed: taken out of gzip or zip, within bounds.

Packed bytes are known by how they begin, whatever the file is called. Nothing is written to disk,
nothing is unpacked twice, and no more is unpacked than a notebook may have.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from course_utils.grading.reading.naming import is_notebook_name, listed, plain_stem, shown
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.reading.zips import is_locked, is_usual, open_zip
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import Notice

MAX_FILE_BYTES = 50 * 2**20
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_TAR, _TAR_AT = b"ustar", 257
_MAX_DIRECTORY_BYTES = 2**20  # some ten thousand names


def is_packed(data: bytes) -> bool:
    """Whether bytes begin as gzip or zip do."""
    return data.startswith((_GZIP, _ZIP))


def unpacked(data: bytes, expected: str, notices: list[Notice]) -> bytes:
    """The notebook in a packed file, with a notice; other bytes as they are.

    Args:
        data: the file's bytes.
        expected: what the lab's notebook is called, to choose among several.
        notices: a notice is added where something was unpacked.

    Raises:
        UnreadableError: it holds no notebook or several, is damaged, encrypted or too large, or
            what it holds is packed again.
    """
    if not is_packed(data):
        return data
    if data.startswith(_GZIP):
        inner, how = _gunzipped(data), "the file was compressed with gzip; it was unpacked"
    else:
        inner, name = _only_notebook(data, expected)
        how = f"the notebook was taken out of a zip archive: {shown(name)}"
    if is_packed(inner) or inner[_TAR_AT:].startswith(_TAR):
        raise UnreadableError(
            Reason.NO_NOTEBOOK,
            "the file is an archive in an archive; hand in the notebook itself",
        )
    notices.append(Notice(Reason.PACKED_NOTEBOOK, how))
    return inner


def _gunzipped(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        inner = stream.decompress(data, MAX_FILE_BYTES + 1)
    except zlib.error as error:
        raise _damaged("gzip", error) from None
    if len(inner) > MAX_FILE_BYTES:
        raise _too_large()
    if not stream.eof:
        raise _damaged("gzip", "it ends too early")
    return inner


def _only_notebook(data: bytes, expected: str) -> tuple[bytes, str]:
    """The bytes and the name of the notebook in a zip archive."""
    try:
        with open_zip(io.BytesIO(data), _MAX_DIRECTORY_BYTES) as archive:
            info = _chosen(archive.infolist(), expected)
            with archive.open(info) as member:
                inner = member.read(MAX_FILE_BYTES + 1)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # zipfile fails in many ways on what is damaged
        raise _damaged("zip", error) from None
    if len(inner) > MAX_FILE_BYTES:
        raise _too_large()
    return inner, info.filename


def _chosen(members: list[zipfile.ZipInfo], expected: str) -> zipfile.ZipInfo:
    notebooks = [info for info in members if _is_notebook(info)]
    if len(notebooks) > 1:
        right = [i for i in notebooks if plain_stem(_base(i.filename)) == plain_stem(expected)]
        notebooks = right if len(right) == 1 else notebooks
    if len(notebooks) != 1:
        names = [info.filename for info in notebooks or members]
        what = f"{len(notebooks)} notebooks" if notebooks else "no notebook"
        raise UnreadableError(
            Reason.NO_NOTEBOOK,
            f"the zip archive holds {what}: {listed(names) or 'it is empty'}; hand in {expected}",
        )
    info = notebooks[0]
    if is_locked(info):
        raise UnreadableError(
            Reason.NO_NOTEBOOK,
            f"the zip archive asks for a password; hand in {expected} without one",
        )
    if not is_usual(info):
        raise zipfile.BadZipFile("it is compressed in an unusual way")
    if info.file_size > MAX_FILE_BYTES:
        raise _too_large()
    return info


def _is_notebook(info: zipfile.ZipInfo) -> bool:
    folders = info.filename.split("/")[:-1]
    left_over = any(name == "__MACOSX" or name.startswith(".") for name in folders)
    name = _base(info.filename)
    return not (info.is_dir() or left_over or name.startswith(".")) and is_notebook_name(name)


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _damaged(kind: str, error: object) -> UnreadableError:
    message = f"the file is packed with {kind} and cannot be unpacked: {shown(str(error))}"
    return UnreadableError(Reason.NOT_A_NOTEBOOK, message)


def _too_large() -> UnreadableError:
    return UnreadableError(
        Reason.TOO_LARGE,
        f"the notebook in the archive has more than {MAX_FILE_BYTES // 2**20} MiB; clear its "
        "outputs (Kernel > Restart and Clear) and hand it in again",
    )
