"""From a file's bytes to a notebook in nbformat 4's shape, whatever the bytes are.

Nothing here knows a lab's content. What comes back holds only what the floors above can rely on:
every field of the type that nbformat promises, text that can be written as UTF-8, and no nesting
that a writer could stumble over.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from course_utils.grading.reading.metadata import leave_out_of_cell, leave_out_of_notebook
from course_utils.grading.reading.naming import shown
from course_utils.grading.reading.unpacking import MAX_FILE_BYTES, unpacked
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.ground import cells as lab_cells
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import Notice

_CELL_TYPES = ("code", "markdown", "raw")
_CELL_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_MAX_DEPTH = 20
# A notebook has some thousand values and a hundred cells. A byte of JSON may be a value, or two an
# escaped letter, which while they are read take a hundred times as much.
_MAX_VALUES = 1_000_000
_MAX_ESCAPES = 2_000_000
_MAX_CELLS = 5_000
# Possessive, and to the end where none closes it: nothing is looked at twice.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)', re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udfff]")
# What is handed in now and then in a notebook's place: (how it begins, what it is).
_OTHER_KINDS = (
    (re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE), "a web page, not the notebook"),
    (re.compile(rb"%PDF"), "a PDF, not the notebook"),
    (re.compile(rb"\{\\rtf"), "a text document (RTF), not the notebook"),
    (re.compile(rb"version https://git-lfs"), "git LFS's pointer to a file, not the file"),
    (re.compile(rb"[\s\S]*?^(<<<<<<<|>>>>>>>) ", re.MULTILINE),
     "marked by git as a merge that was not finished; solve the conflict"),
)  # fmt: skip


def parsed(data: bytes, expected: str, notices: list[Notice]) -> dict[str, Any]:
    """The notebook in a file's bytes, repaired where that is safe.

    Args:
        data: the file's bytes; gzip and zip are unpacked.
        expected: what the lab's notebook is called.
        notices: what was repaired is added to them.

    Raises:
        UnreadableError: it is empty, too large, not JSON, or not a notebook.
    """
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(
            Reason.TOO_LARGE,
            f"the file has {len(data) / 2**20:.0f} MiB; at most "
            f"{MAX_FILE_BYTES // 2**20} MiB are accepted",
        )
    data = unpacked(data, expected, notices)
    if not data.strip(b"\x00 \t\r\n"):
        raise UnreadableError(Reason.EMPTY_FILE, "the file is empty")
    notebook = _from_json(data, notices)
    if isinstance(notebook.get("worksheets"), list):
        notebook = _upgraded(notebook)
        message = "the notebook is in an old format (3 or older); it was converted"
        notices.append(Notice(Reason.OLD_FORMAT, message))
    if not isinstance(notebook.get("cells"), list):
        raise UnreadableError(
            Reason.NOT_A_NOTEBOOK, "the file is JSON but has no cells: it is not a notebook"
        )
    if len(notebook["cells"]) > _MAX_CELLS:
        raise UnreadableError(
            Reason.TOO_LARGE,
            f"the notebook has {len(notebook['cells']):,} cells; at most {_MAX_CELLS:,} are graded",
        )
    return _repaired(notebook, notices)


def _from_json(data: bytes, notices: list[Notice]) -> dict[str, Any]:
    try:
        text = _text(data, notices)
        _refuse_too_many_values(text)
        notebook: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = next((what for begin, what in _OTHER_KINDS if begin.match(data)), None)
        why = f"the file is {kind}" if kind else f"the file is not a notebook's JSON: {error}"
        raise UnreadableError(Reason.NOT_JSON, why[:200]) from None
    if not isinstance(notebook, dict):
        raise UnreadableError(
            Reason.NOT_A_NOTEBOOK, f"the file holds a JSON {type(notebook).__name__}, no notebook"
        )
    return notebook


def _refuse_too_many_values(text: str) -> None:
    """Refuse JSON that would take much more memory than its text, before any of it is built."""
    many = _openings(text) > _MAX_VALUES and _openings(_STRING.sub("", text)) > _MAX_VALUES
    if many or text.count("\\") > _MAX_ESCAPES:
        raise UnreadableError(
            Reason.TOO_LARGE,
            f"the notebook holds more than {_MAX_VALUES:,} values, or {_MAX_ESCAPES:,} escaped "
            "letters; clear its outputs (Kernel > Restart and Clear) and hand it in again",
        )


def _openings(text: str) -> int:
    """How many values JSON can hold at most: each is the first of something, or has a comma."""
    return sum(text.count(sign) for sign in ",[{")


def _text(data: bytes, notices: list[Notice]) -> str:
    """The file's text: UTF-8, else UTF-16 or -32 by how it begins, else Windows' old code page.

    Raises:
        ValueError: it is none of these.
    """
    encoding: str = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        if not encoding.startswith("utf-8") or not text.lstrip().startswith("{"):
            raise ValueError("it is not text in UTF-8") from None
        encoding = "Windows-1252"
    if not encoding.startswith("utf-8"):
        message = f"the file is in {encoding}, not in UTF-8; it was converted"
        notices.append(Notice(Reason.METADATA_REPAIRED, message))
    return text.strip("\x00 \t\r\n\ufeff")


def _upgraded(notebook: dict[str, Any]) -> dict[str, Any]:
    import nbformat

    try:
        converted = nbformat.convert(nbformat.from_dict(notebook), 4)
        plain: dict[str, Any] = json.loads(json.dumps(converted))
        return plain
    except Exception as error:  # nbformat fails in many ways on broken old notebooks
        raise UnreadableError(
            Reason.NOT_A_NOTEBOOK,
            f"the notebook's old format cannot be converted: {shown(str(error))}",
        ) from None


class _Repair:
    """Counts what had to be set aside."""

    def __init__(self) -> None:
        self.places = 0

    def plain(self, value: Any, depth: int = 0) -> Any:
        """A JSON value that can be written again: no half characters, no NaN, no deep nesting."""
        if isinstance(value, str):
            if not _SURROGATES.search(value):
                return value
            self.places += 1
            return _SURROGATES.sub("\ufffd", value)
        if isinstance(value, float) and not math.isfinite(value):
            self.places += 1
            return None
        if isinstance(value, (dict, list)) and depth >= _MAX_DEPTH:
            self.places += 1
            return None
        if isinstance(value, dict):
            return {
                self.plain(key): self.plain(item, depth + 1) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.plain(item, depth + 1) for item in value]
        return value

    def mapping(self, value: Any) -> dict[str, Any]:
        """A JSON object; an empty one in place of anything else."""
        if isinstance(value, dict):
            found: dict[str, Any] = self.plain(value)
            return found
        self.places += 1
        return {}


def _repaired(notebook: dict[str, Any], notices: list[Notice]) -> dict[str, Any]:
    """The notebook with the fields that nbformat knows, each of the type that it promises."""
    repair = _Repair()
    cells: list[dict[str, Any]] = []
    ids: set[str] = set()
    for number, raw in enumerate(notebook["cells"]):
        if isinstance(raw, dict):
            cell = _repaired_cell(raw, repair)
            name = raw.get("id")
            known = isinstance(name, str) and _CELL_ID.fullmatch(name) and name not in ids
            cell["id"] = name if known else f"cell-{number}"
            ids.add(cell["id"])
            cells.append(cell)
        else:
            repair.places += 1
    metadata = repair.mapping(notebook.get("metadata"))
    repair.places += leave_out_of_notebook(metadata)
    if repair.places:
        plural = "s" if repair.places > 1 else ""
        message = (
            f"the file is damaged in {repair.places} place{plural} (metadata or cells of the "
            "wrong form), which were mended or set aside"
        )
        notices.append(Notice(Reason.METADATA_REPAIRED, message))
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _repaired_cell(raw: dict[str, Any], repair: _Repair) -> dict[str, Any]:
    kind = raw.get("cell_type")
    if kind not in _CELL_TYPES:
        repair.places += 1
        kind = "code" if "outputs" in raw or "execution_count" in raw else "markdown"
    source = raw.get("source", raw.get("input", ""))
    if not isinstance(source, (str, list)):
        repair.places += 1
        source = ""
    if isinstance(source, list) and not all(isinstance(line, str) for line in source):
        repair.places += 1
        source = [line for line in source if isinstance(line, str)]
    metadata = repair.mapping(raw.get("metadata"))
    repair.places += leave_out_of_cell(metadata)
    text = repair.plain(lab_cells.source({"source": source}))
    cell = {"cell_type": kind, "id": "", "metadata": metadata, "source": text}
    if kind == "code":
        return cell | {"outputs": [], "execution_count": None}
    attachments = _pictures(raw.get("attachments"), repair)
    return cell | ({"attachments": attachments} if attachments else {})


def _pictures(attachments: Any, repair: _Repair) -> dict[str, dict[str, str]]:
    """Pictures that were pasted into a text cell: name → media type → base64."""
    if not isinstance(attachments, dict):
        return {}
    return {
        repair.plain(name): {repair.plain(kind): repair.plain(data) for kind, data in bundle.items()
                             if isinstance(data, str)}
        for name, bundle in attachments.items() if isinstance(bundle, dict)
    }  # fmt: skip
