"""A graded notebook that does nothing to whoever opens it, in formgrader, JupyterLab or a page.

What the student wrote stays to be read; what would run, load something or draw over the page around
it does not. Closed lists say what an output, an attachment and metadata may hold: for all that is
not on them, there will be an attack.
"""

from __future__ import annotations

import base64
import binascii
import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from course_utils.grading import markup
from course_utils.grading.reading.naming import listed
from course_utils.ground import cells as lab_cells

Cell = dict[str, Any]

# How a picture begins, by its media type.
_PICTURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}  # fmt: skip

def notebook(graded: Mapping[str, Any], lab: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook without outputs: its text made inert, its metadata the lab's.

    Args:
        graded: the submission's notebook, in nbformat 4's shape.
        lab: the instructor's, whose own text cells are left as they are.
    """
    own = {lab_cells.source(cell): cell for cell in lab["cells"] if cell["cell_type"] != "code"}
    return {
        "cells": [_cell(cell, own) for cell in graded["cells"]],
        "metadata": copy.deepcopy(lab.get("metadata", {})),
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def outputs(shown: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A cell's outputs, in nbformat's form, with nothing in them but what :func:`media` lets by."""
    return [made for made in map(_output, shown) if made is not None]


def media(data: Mapping[str, Any]) -> dict[str, str]:
    """What one output may hold, of what it holds: media type → text or base64.

    Plain text, HTML, markdown and LaTeX are made inert; PNG, JPEG and GIF stay where they are such.
    All else is left out, and named where nothing remains.
    """
    kept: dict[str, str] = {}
    for kind, value in data.items():
        text = "".join(value) if _is_lines(value) else value
        make = _MEDIA.get(kind)
        made = make(text) if make and isinstance(text, str) else None
        if made is not None:
            kept[kind] = made
    if not kept and data:
        kept["text/plain"] = f"[left out: {listed(sorted(map(str, data)))}]"
    return kept


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _output(output: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = output["output_type"]
    if kind == "stream":
        name = "stderr" if output["name"] == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": markup.terminal(output["text"])}
    if kind == "error":
        return {
            "output_type": kind,
            "ename": markup.terminal(output["ename"]),
            "evalue": markup.terminal(output["evalue"]),
            "traceback": [markup.terminal(line) for line in output["traceback"]],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    data = media(output["data"])
    made = {"output_type": kind, "data": data, "metadata": _described(output, data)}
    count = {"execution_count": output["execution_count"]} if kind == "execute_result" else {}
    return made | count


_NO_MARKUP = re.compile(r"[^\w .,;:!?%#()'’+=×/°−–-]")


def _described(output: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, Any]:
    """The alternative texts of an output's pictures, as nbconvert looks for them."""
    metadata = output.get("metadata")
    described = {}
    for kind in filter(data.__contains__, _PICTURES):
        about = metadata.get(kind) if isinstance(metadata, Mapping) else None
        text = about.get("alt") if isinstance(about, Mapping) else None
        if isinstance(text, str):
            described[kind] = {"alt": _NO_MARKUP.sub(" ", text)}
    return described


def _picture(kind: str) -> Callable[[str], str | None]:
    def made(text: str) -> str | None:
        try:
            data = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
        return base64.b64encode(data).decode() if data.startswith(_PICTURES[kind]) else None

    return made


_MEDIA: dict[str, Callable[[str], str | None]] = {
    "text/plain": markup.terminal,
    "text/html": markup.html,
    "text/markdown": markup.markdown,
    "text/latex": markup.latex,
    **{kind: _picture(kind) for kind in _PICTURES},
}


# -- cells


def _cell(cell: Cell, own: Mapping[str, Cell]) -> Cell:
    made = {name: cell[name] for name in ("cell_type", "id", "source")}
    made["metadata"] = _metadata(cell["metadata"])
    if cell["cell_type"] == "code":
        return made | {"outputs": [], "execution_count": None}
    if cell["source"] in own:
        attachments = own[cell["source"]].get("attachments", {})
    else:
        attachments, source = _attached(cell)
        made["source"] = markup.markdown(source, list(attachments))
    return made | ({"attachments": attachments} if attachments else {})


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What nbgrader needs, which is the lab's own, and the mark of a cell for looking around."""
    kept = {"nbgrader": metadata["nbgrader"]} if "nbgrader" in metadata else {}
    tags = metadata.get("tags")
    explore = isinstance(tags, list) and lab_cells.EXPLORE_TAG in tags
    return kept | ({"tags": [lab_cells.EXPLORE_TAG]} if explore else {})


_ATTACHED = re.compile(r"attachment:([^\s()\"'<>]+)")


def _attached(cell: Cell) -> tuple[dict[str, dict[str, str]], str]:
    """A text cell's pictures, under plain names, and its text with those names in it."""
    kept: dict[str, dict[str, str]] = {}
    plain: dict[str, str] = {}
    for name, bundle in cell.get("attachments", {}).items():
        pictures = {kind: data for kind, data in media(bundle).items() if kind in _PICTURES}
        if pictures:
            plain[name] = plain[quote(name)] = f"picture-{len(kept) + 1}"
            kept[plain[name]] = pictures
    text = _ATTACHED.sub(lambda f: f"attachment:{plain.get(f[1], 'lost')}", cell["source"])
    return kept, text
