"""What a careless, confused or unlucky student may hand in, and what must come of it.

``SUBMISSIONS`` is graded by the tests through our engine and by ``make agree`` through both
``course grade`` and ``nbgrader autograde``; it is the table in ``docs/odd-submissions.md``, which
``python tests/odd_submissions.py`` prints.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odd_lab import (
    FULL,
    NAME,
    SCALE_ONLY,
    WHEN,
    WHY,
    answer,
    code,
    lesson,
    other_lesson,
    text,
)
from tiny import SCALE, SOFTMAX, Notebook, as_bytes

from course_utils.outcome import AnswerState, Reason

LEFT, WRITTEN = AnswerState.LEFT, AnswerState.WRITTEN
UNSURE, UNFOUND = AnswerState.UNSURE, AnswerState.UNFOUND
STUB = "YOUR ANSWER HERE"


@dataclass(frozen=True)
class Odd:
    """An odd submission and what must come of it.

    Attributes:
        name: a student's id.
        group: the part of the table that it is in.
        what: a sentence on what is handed in.
        make: writes it into a folder.
        score: the automatic marks, of 5.
        reason: the gravest reason code.
        written: what becomes of the two written answers; nothing where no notebook is read.
    """

    name: str
    group: str
    what: str
    make: Callable[[Path], None]
    score: float
    reason: Reason
    written: tuple[AnswerState, ...]


SUBMISSIONS: list[Odd] = []
_BOTH = (WRITTEN, WRITTEN)
_group = ""


def _add(
    name: str, what: str, make: Callable[[Path], None], score: float = FULL,
    reason: Reason = Reason.OK, written: tuple[AnswerState, ...] = _BOTH,
) -> None:  # fmt: skip
    SUBMISSIONS.append(Odd(name, _group, what, make, score, reason, written))


def _file(name: str, what: str, path: str | bytes, data: bytes | None = None,
          reason: Reason = Reason.RENAMED_NOTEBOOK, score: float = FULL) -> None:  # fmt: skip
    """One file of another name, or with other bytes, than a notebook should have."""
    def make(folder: Path) -> None:
        _write(folder, path, as_bytes(lesson()) if data is None else data)

    _add(name, what, make, score, reason, _BOTH if score else ())


def _bytes(name: str, what: str, data: bytes, reason: Reason, score: float = 0.0) -> None:
    """The notebook's own name, and other bytes in it."""
    _file(name, what, NAME, data, reason, score)


def _edit(name: str, what: str, edit: Callable[[Notebook], Any], reason: Reason = Reason.OK,
          score: float = FULL, written: tuple[AnswerState, ...] = _BOTH) -> None:  # fmt: skip
    """A perfect submission with something done to it."""
    def make(folder: Path) -> None:
        notebook = lesson()
        made = edit(notebook)  # most change it, some make another
        other = isinstance(made, dict) and {"cells", "worksheets"} & made.keys()
        _write(folder, NAME, as_bytes(made if other else notebook))

    _add(name, what, make, score, reason, written)


def _write(folder: Path, path: str | bytes, data: bytes) -> None:
    target = os.path.join(os.fsencode(folder), os.fsencode(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)


def _several(**files: bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name, data in files.items():
            _write(folder, name, data)

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


def place(notebook: Notebook, name: str) -> int:
    """The number of the cell with an id."""
    return next(n for n, cell in enumerate(notebook["cells"]) if cell["id"] == name)


def the(notebook: Notebook, name: str) -> dict[str, Any]:
    """The cell with an id."""
    cell: dict[str, Any] = notebook["cells"][place(notebook, name)]
    return cell


def strip(notebook: Notebook, *, ids: bool = True) -> None:
    """Take all metadata, and the cells' ids, as some services do."""
    notebook["metadata"] = {}
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {}
        if ids:
            cell["id"] = f"new{number}"


def _as_text(cell: dict[str, Any], kind: str = "markdown") -> None:
    cell["cell_type"] = kind
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


def _bare(cell: dict[str, Any], name: str = "fresh") -> None:
    cell |= {"metadata": {}, "id": name}


_RIGHT = as_bytes(lesson())
_TEXT = _RIGHT.decode()

# ---------------------------------------------------------------- files
_group = "Files and folders"
_file("right", "the notebook as it should be", NAME, reason=Reason.OK)
_file("subfolder", "in a folder of its own", "my work/lab/tiny.ipynb")
_file("folder-of-that-name", "in a folder that is called like the notebook", f"{NAME}/{NAME}")
_file("too-deep", "seven folders deep", "a/b/c/d/e/f/g/tiny.ipynb", None, Reason.NO_NOTEBOOK, 0)
_file("upper-case", "`.IPYNB`", "TINY.IPYNB")
_file("ending-txt", "`.ipynb.txt`", "tiny.ipynb.txt")
_file("ending-json", "`.ipynb.json`", "tiny.ipynb.json")
_file("ending-number", "`.ipynb (1)`", "tiny.ipynb (1)")
_file("ending-twice", "`.ipynb.ipynb`", "tiny.ipynb.ipynb")
_file("copy-1", "a browser's or Jupyter's copy, `-Copy1 (2)`", "tiny-Copy1 (2).ipynb")
_file("no-ending", "no ending at all", "tiny")
_file("only-json", "`.json`", "tiny.json")
_file("renamed", "another name", "my homework.ipynb")
_file("control-name", "control characters in the name", "my\nlab\x1b[31m.ipynb")
_file("latin-1-name", "bytes in the name that are no UTF-8", b"L\xf6sung.ipynb")
_file("trailing-dot", "a file name of blanks and dots", " . .ipynb")
_add(
    "copy-beside", "a second notebook beside it: the one of the right name is graded",
    _several(**{NAME: _RIGHT, "tiny (1).ipynb": b"{}"}), reason=Reason.EXTRA_NOTEBOOK,
)
_add(
    "two-others", "two notebooks, both of other names: which one is meant is not guessed",
    _several(**{"a.ipynb": _RIGHT, "b.ipynb": _RIGHT}), 0, Reason.NO_NOTEBOOK, (),
)
_add(
    "one-of-two", "two notebooks, one of which has the name but for its ending",
    _several(**{"notes.ipynb": b"{}", "Tiny (3).ipynb": _RIGHT}), reason=Reason.RENAMED_NOTEBOOK,
)
_add(
    "empty-and-good", "an empty file of the right name and a good one of another",
    _several(**{NAME: b"", "tiny (1).ipynb": _RIGHT}), reason=Reason.RENAMED_NOTEBOOK,
)
_add(
    "checkpoint", "nothing but the copy that Jupyter keeps in `.ipynb_checkpoints`",
    _several(**{".ipynb_checkpoints/tiny-checkpoint.ipynb": _RIGHT}),
    reason=Reason.RENAMED_NOTEBOOK,
)
_add(
    "mac-leftovers", "with what macOS leaves in folders (`.DS_Store`, `._tiny.ipynb`)",
    _several(**{NAME: _RIGHT, ".DS_Store": b"\0", f"._{NAME}": b"\0\5\x16\7"}),
)
_add(
    "stray-json", "beside a settings file that looks like a notebook",
    _several(**{"tiny.ipynb.txt": _RIGHT, "settings.json": b'{"cells": 3}'}),
    reason=Reason.RENAMED_NOTEBOOK,
)
_add("nothing", "an empty folder", lambda folder: None, 0, Reason.NO_NOTEBOOK, ())
_file("essay", "an essay", "essay.docx", _zipped(("word/document.xml", b"<w/>")),
      Reason.NO_NOTEBOOK, 0)  # fmt: skip
_file("script", "a `.py` export", "tiny.py", SOFTMAX.encode(), Reason.NO_NOTEBOOK, 0)
_file("hidden", "a hidden file", ".tiny.ipynb", None, Reason.NO_NOTEBOOK, 0)


def _link(target: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder.parent / "elsewhere.ipynb").write_bytes(_RIGHT)
        os.symlink(target, folder / NAME)

    return make


def _inner_link(folder: Path) -> None:
    _write(folder, "work/final.ipynb", _RIGHT)
    os.symlink("work/final.ipynb", folder / NAME)


_add("link-out", "a link that leads out of the submission", _link("../elsewhere.ipynb"), 0,
     Reason.NO_NOTEBOOK, ())  # fmt: skip
_add("link-nowhere", "a link that leads nowhere", _link("lost.ipynb"), 0, Reason.NO_NOTEBOOK, ())
_add("link-round", "a link to itself", _link(NAME), 0, Reason.NO_NOTEBOOK, ())
_add("link-inside", "a link to a notebook in the same submission", _inner_link,
     reason=Reason.EXTRA_NOTEBOOK)  # fmt: skip
_add("pipe", "a named pipe", lambda folder: os.mkfifo(folder / NAME), 0, Reason.NO_NOTEBOOK, ())
_add("huge", "200 MiB", lambda folder: _sparse(folder / NAME), 0, Reason.TOO_LARGE, ())


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 2**20)


# ---------------------------------------------------------------- archives
_group = "Archives"
_P = Reason.PACKED_NOTEBOOK
_file("gzip", "gzipped", "tiny.ipynb.gz", gzip.compress(_RIGHT), _P)
_bytes("gzip-inside", "gzipped, under the notebook's own name", gzip.compress(_RIGHT), _P, FULL)
_file("zip", "alone in a zip", "tiny.zip", _zipped((NAME, _RIGHT)), _P)
_bytes("zip-inside", "a zip under the notebook's own name", _zipped((NAME, _RIGHT)), _P, FULL)
_file("zip-others", "the only notebook in a zip with other files", "lab.zip",
      _zipped(("lab/data.csv", b"1"), ("lab/odd name.ipynb", _RIGHT),
              ("__MACOSX/lab/._odd name.ipynb", b"\0")), _P)  # fmt: skip
_file("zip-named", "a zip with two notebooks, one of the right name", "lab.zip",
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
    _file(_name, _what, _path, _data, _reason, 0)

# ---------------------------------------------------------------- bytes
_group = "What is in the file"
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
    ("list", "a JSON list", b"[1, 2]", Reason.NOT_A_NOTEBOOK),
    ("no-cells", "JSON without cells", b'{"a": 1}', Reason.NOT_A_NOTEBOOK),
    ("cells-number", "a number where the cells should be", b'{"cells": 3}', Reason.NOT_A_NOTEBOOK),
    ("no-cell", "a notebook without a cell", b'{"cells": [], "metadata": {}}', Reason.WRONG_LAB),
    ("old-broken", "format 3 with cells of no form", b'{"worksheets": [{"cells": [3]}], '
     b'"nbformat": 3, "nbformat_minor": 0, "metadata": {}}', Reason.NOT_A_NOTEBOOK),
):  # fmt: skip
    _bytes(_name, _what, _data, _reason)
_R = Reason.METADATA_REPAIRED
_bytes("bom", "UTF-8 with a byte order mark", b"\xef\xbb\xbf" + _RIGHT, Reason.OK, FULL)
_bytes("utf-16", "UTF-16, as PowerShell writes it", _TEXT.encode("utf-16"), _R, FULL)
_bytes("windows", "Windows' code page", _TEXT.replace("The logits.", "Größe")
       .encode("cp1252", "replace"), _R, FULL)  # fmt: skip
_bytes("padded", "zeros behind its end", _RIGHT + bytes(100), Reason.OK, FULL)


def _format_3(notebook: Notebook) -> Notebook:
    cells = [
        {"cell_type": "code", "language": "python", "metadata": {}, "collapsed": False,
         "input": source, "outputs": [], "prompt_number": 1}
        for source in ("import numpy as np", SOFTMAX, SCALE)
    ]  # fmt: skip
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
            "worksheets": [{"metadata": {}, "cells": cells}]}  # fmt: skip


def _no_ids(notebook: Notebook) -> None:
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        del cell["id"]


_edit("format-3", "the old format 3, without text cells", _format_3,
      Reason.WRITTEN_ANSWER_MISSING, written=(UNFOUND, UNFOUND))  # fmt: skip
_edit("format-4.4", "format 4.4, whose cells have no ids", _no_ids)

# ---------------------------------------------------------------- metadata
_group = "Metadata and form"


def _each(change: Callable[[int, dict[str, Any]], Any]) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        for number, cell in enumerate(notebook["cells"]):
            change(number, cell)

    return edit


def _deep(levels: int) -> Any:
    return json.loads('{"a":' * levels + "1" + "}" * levels)


_edit("no-notebook-metadata", "the notebook's metadata are lost", lambda nb: nb.pop("metadata"),
      Reason.METADATA_REPAIRED)  # fmt: skip
_edit("stripped", "all metadata are lost, as some services leave it",
      lambda nb: strip(nb, ids=False), Reason.CELL_RESTORED)  # fmt: skip
_edit("stripped-ids", "all metadata and all ids are lost", strip, Reason.WRITTEN_ANSWER_MOVED)
_edit("colab", "the cells' ids stand in their metadata, as Colab has them", _each(
    lambda n, c: c.update(metadata={"id": c["id"], "colab": {"x": 1}}, id=f"x{n}")),
    Reason.CELL_RESTORED)  # fmt: skip
_edit("nbgrader-word", "nbgrader's metadata are a word", lambda nb: the(nb, "softmax").update(
    metadata={"nbgrader": "yes"}), Reason.CELL_RESTORED)  # fmt: skip
_edit("nbgrader-old", "nbgrader's metadata lack their version", _each(
    lambda n, c: c["metadata"].get("nbgrader", {}).pop("schema_version", 0)))  # fmt: skip
_edit("nbgrader-half", "nbgrader's metadata are an id only", lambda nb: the(nb, "softmax").update(
    metadata={"nbgrader": {"grade_id": "softmax"}}))  # fmt: skip
_edit("nbgrader-strange", "an nbgrader id that no lab has", lambda nb: nb["cells"].append(
    answer("mine", "mine")))  # fmt: skip
_edit("points-raised", "more points, written into the metadata", lambda nb: the(
    nb, "check_softmax")["metadata"]["nbgrader"].update(points=400))  # fmt: skip
_edit("metadata-list", "a list where a cell's metadata should be", lambda nb: the(
    nb, "softmax").update(metadata=[]), Reason.CELL_RESTORED)  # fmt: skip
_edit("metadata-deep", "metadata 400 levels deep", lambda nb: the(nb, "softmax")["metadata"].update(
    deep=_deep(400)), Reason.METADATA_REPAIRED)  # fmt: skip
_edit("metadata-nan", "NaN in the metadata", lambda nb: nb["metadata"].update(
    x=float("nan")), Reason.METADATA_REPAIRED)  # fmt: skip
_edit("half-character", "half of an emoji in an answer", lambda nb: the(nb, "written_why").update(
    source="The logits \ud83d"), Reason.METADATA_REPAIRED)  # fmt: skip
_edit("same-ids", "every cell has the same id", _each(lambda n, c: c.update(id="x")))
_edit("id-number", "ids that are numbers", _each(lambda n, c: c.update(id=n)))
_edit("lines", "sources as lists of lines", _each(
    lambda n, c: c.update(source=c["source"].splitlines(keepends=True))))  # fmt: skip
_edit("windows-lines", "Windows' line ends", _each(
    lambda n, c: c.update(source=c["source"].replace("\n", "\r\n"))))  # fmt: skip
_edit("word-for-cell", "a word among the cells", lambda nb: nb["cells"].insert(1, "cell"),
      Reason.METADATA_REPAIRED)  # fmt: skip
_edit("no-type", "a cell without a type", lambda nb: the(nb, "softmax").pop("cell_type"),
      Reason.METADATA_REPAIRED)  # fmt: skip
_edit("no-source", "a text cell without text", lambda nb: the(nb, "end").pop("source"))
_edit("number-source", "a number as a text", lambda nb: the(nb, "end").update(source=3),
      Reason.METADATA_REPAIRED)  # fmt: skip
_edit("outputs-word", "outputs of no form", lambda nb: the(nb, "softmax").update(outputs="yes"))
_edit("other-kernel", "another kernel's name", lambda nb: nb["metadata"].update(
    kernelspec={"name": "ir", "language": "R", "display_name": "R"}))  # fmt: skip

# ---------------------------------------------------------------- which lab
_group = "Which lab it is"
_OTHER: dict[str, Any] = {"reason": Reason.WRONG_LAB, "score": 0, "written": ()}


def _no_metadata(notebook: Notebook) -> Notebook:
    notebook["metadata"] = {}
    return notebook


def _bare_other(notebook: Notebook) -> Notebook:
    other = other_lesson()
    strip(other)
    return other


def _one_function(notebook: Notebook) -> None:
    notebook["cells"] = [code(SOFTMAX)]
    notebook["metadata"] = {}


def _into_the_other(notebook: Notebook) -> Notebook:
    other = other_lesson()
    other["cells"] += [code(SOFTMAX), code(SCALE)]
    return other


_edit("other-lab", "another lab's notebook, which shares names with this one",
      lambda nb: other_lesson(), **_OTHER)  # fmt: skip
_edit("other-lab-unnamed", "the same without the notebook's metadata",
      lambda nb: _no_metadata(other_lesson()), **_OTHER)  # fmt: skip
_edit("other-lab-stripped", "the same without any metadata", _bare_other, **_OTHER)
_edit("no-lab", "a notebook of the student's own", lambda nb: {
    **nb, "metadata": {}, "cells": [code("x = 1"), text("# Notes", "n")]}, **_OTHER)  # fmt: skip
_edit("lab-renamed", "this lab's, in whose metadata another lab is named",
      lambda nb: nb["metadata"]["course"].update(lab="lab01_other"))  # fmt: skip
_edit("one-function", "one function of this lab, in a notebook without metadata", _one_function,
      Reason.FUNCTION_MISSING, FULL - SCALE_ONLY, (UNFOUND, UNFOUND))  # fmt: skip
_edit("in-the-other", "this lab's functions, written into another lab's notebook", _into_the_other,
      Reason.WRITTEN_ANSWER_MISSING, written=(WRITTEN, UNFOUND))  # fmt: skip
_edit("many-own", "with forty functions of the student's own", lambda nb: nb["cells"].extend(
    code(f"def own_{n}():\n    return {n}") for n in range(40)))  # fmt: skip

# ---------------------------------------------------------------- cells
_group = "Code cells"


def _remove(*names: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        notebook["cells"] = [c for c in notebook["cells"] if c["id"] not in names]

    return edit


def _turned(kind: str, *, bare: bool = False) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        cell = the(notebook, "softmax")
        _as_text(cell, kind)
        if bare:
            _bare(cell)

    return edit


def _repeat(notebook: Notebook) -> None:
    wrong = json.loads(json.dumps(the(notebook, "softmax")))
    wrong |= {"source": "def softmax(x, axis=-1):\n    return x", "id": "again"}
    notebook["cells"].insert(place(notebook, "softmax"), wrong)


def _moved(notebook: Notebook) -> None:
    the(notebook, "softmax")["source"] = "# see below"
    notebook["cells"].append(code(SOFTMAX))


def _in_look(notebook: Notebook) -> None:
    the(notebook, "softmax")["source"] = "# see the picture"
    the(notebook, "look")["source"] = SOFTMAX


def _one_cell(notebook: Notebook) -> None:
    notebook["cells"] = [c for c in notebook["cells"] if c["cell_type"] == "markdown"]
    notebook["cells"].append(code("\n\n".join(("import numpy as np", SOFTMAX, SCALE))))


def _own_import(notebook: Notebook) -> None:
    the(notebook, "setup")["source"] += "\nimport math"
    the(notebook, "scale")["source"] = "E = math.e\n" + SCALE


def _retyped(notebook: Notebook) -> None:
    for name in ("softmax", "scale"):
        _bare(the(notebook, name), f"new-{name}")


def _split(notebook: Notebook) -> None:
    the(notebook, "softmax")["source"] = "TOO_MUCH = 700"
    notebook["cells"].insert(place(notebook, "softmax") + 1, code(SOFTMAX))


_C = Reason.CELL_RESTORED
_edit("solution-text", "a solution cell turned into text", _turned("markdown"), _C)
_edit("solution-raw", "a solution cell turned raw", _turned("raw"), _C)
_edit("solution-text-bare", "a solution cell turned into text, its metadata lost",
      _turned("markdown", bare=True), _C)  # fmt: skip
_edit("solution-retyped", "solution cells deleted and typed anew", _retyped, _C)
_edit("solution-deleted", "a solution cell deleted", _remove("softmax"),
      Reason.FUNCTION_MISSING, SCALE_ONLY)  # fmt: skip
_edit("solution-repeated", "a solution cell twice, first wrong, then right", _repeat,
      Reason.DUPLICATE_CELLS)  # fmt: skip
_edit("solution-moved", "a function moved to a cell of its own", _moved)
_edit("solution-split", "a solution cell split in two", _split)
_edit("solution-in-picture", "a function written into a cell that is for looking only", _in_look)
_edit("solution-one-cell", "all code in one cell", _one_cell,
      Reason.CHECK_CELL_MISSING)  # fmt: skip
_edit("solution-stub", "a function that was not written", lambda nb: the(nb, "softmax").update(
    source='def softmax(x, axis=-1):\n    # YOUR CODE HERE\n    raise NotImplementedError('
    '"lab00 · softmax is not written yet")'), Reason.NOT_WRITTEN, SCALE_ONLY)  # fmt: skip
_edit("solution-typo", "a function with a syntax error", lambda nb: the(nb, "softmax").update(
    source=SOFTMAX.replace("):", ")")), Reason.CELL_ERROR, SCALE_ONLY)  # fmt: skip
_edit("solution-name", "a function of another name", lambda nb: the(nb, "softmax").update(
    source=SOFTMAX.replace("softmax", "Softmax")), Reason.FUNCTION_MISSING, SCALE_ONLY)  # fmt: skip
_edit("timed", "`%%time` above a function", lambda nb: the(nb, "softmax").update(
    source=f"%%time\n{SOFTMAX}"))  # fmt: skip
_edit("installs", "`!pip install` in a cell", lambda nb: nb["cells"].insert(
    1, code("!pip install torch")))  # fmt: skip
_edit("asks", "`input()` in a cell", lambda nb: nb["cells"].append(code("n = input('n? ')")),
      Reason.CELL_ERROR)  # fmt: skip
_edit("exits", "`exit()` in a cell", lambda nb: nb["cells"].append(code("exit()")))
_edit("endless", "an endless cell", lambda nb: nb["cells"].append(code("while True: pass")),
      Reason.CELL_TIMEOUT)  # fmt: skip
_edit("reversed", "all cells in reverse order", lambda nb: nb["cells"].reverse())
_edit("setup-deleted", "the set-up cell deleted", _remove("setup"))
_edit("setup-edited", "an import written into the set-up cell", _own_import,
      Reason.LOCKED_CELL_EDITED)  # fmt: skip
_edit("checks-deleted", "check cells deleted", _remove("check_softmax", "check_scale"),
      Reason.CHECK_CELL_MISSING)  # fmt: skip
_edit("check-edited", "a check cell edited", lambda nb: the(nb, "check_softmax").update(
    source="print('all claims hold')"), Reason.CHECK_CELL_EDITED)  # fmt: skip
_edit("check-text", "a check cell turned into text", lambda nb: _as_text(
    the(nb, "check_softmax")), _C)  # fmt: skip
_edit("check-repeated", "a check cell twice", lambda nb: nb["cells"].append(
    the(nb, "check_softmax") | {"id": "again"}), Reason.DUPLICATE_CELLS)  # fmt: skip
_edit("text-deleted", "all text deleted but the answers", lambda nb: nb.update(cells=[
    c for c in nb["cells"] if c["metadata"] or c["cell_type"] == "code"]))  # fmt: skip

# ---------------------------------------------------------------- answers
_group = "Written answers"
_MISSING, _MOVED = Reason.WRITTEN_ANSWER_MISSING, Reason.WRITTEN_ANSWER_MOVED


def _set(**sources: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        for name, source in sources.items():
            the(notebook, name)["source"] = source

    return edit


def _answer_retyped(notebook: Notebook) -> None:
    notebook["cells"][place(notebook, "written_why")] = text(WHY, "fresh")


def _everything_retyped(notebook: Notebook) -> None:
    strip(notebook)
    cells = notebook["cells"]
    notebook["cells"] = [c for c in cells if not c["source"].startswith(("**Question", "## W"))]


def _stub_behind(notebook: Notebook) -> None:
    copy = the(notebook, "written_why") | {"source": STUB, "id": "copy"}
    notebook["cells"].insert(place(notebook, "written_why") + 1, copy)


def _two_versions(notebook: Notebook) -> None:
    copy = the(notebook, "written_why") | {"source": "The logits, shifted.", "id": "copy"}
    notebook["cells"].insert(place(notebook, "written_why") + 1, copy)


def _copied_for_the_other(notebook: Notebook) -> None:
    copy = the(notebook, "written_why") | {"source": WHEN, "id": "copy"}
    notebook["cells"][place(notebook, "written_when")] = copy


def _as_code(notebook: Notebook) -> None:
    the(notebook, "written_why").update(cell_type="code", outputs=[], execution_count=None)


def _beside(*cells: dict[str, Any]) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        the(notebook, "written_why")["source"] = STUB
        at = place(notebook, "written_why") + 1
        notebook["cells"][at:at] = json.loads(json.dumps(cells))

    return edit


def _in_question(notebook: Notebook) -> None:
    the(notebook, "written_why")["source"] = STUB
    the(notebook, "question_why")["source"] += f"\n\n{WHY}"


def _picture(notebook: Notebook) -> None:
    the(notebook, "written_why").update(
        source="![my sheet](attachment:sheet.png)",
        attachments={"sheet.png": {"image/png": "iVBORw0KGgo="}},
    )


def _stubs_stripped(notebook: Notebook) -> None:
    _set(written_why=STUB, written_when=STUB)(notebook)
    strip(notebook)


def _to_the_end(notebook: Notebook) -> None:
    notebook["cells"].append(notebook["cells"].pop(place(notebook, "written_why")))


_edit("answers-left", "answers left as they were released", _set(
    written_why=STUB, written_when=STUB), written=(LEFT, LEFT))  # fmt: skip
_edit("answer-blanks", "an answer left as it was, with blanks added", _set(
    written_why=f"  {STUB}\n\n"), written=(LEFT, WRITTEN))  # fmt: skip
_edit("answers-left-stripped", "answers left as they were, all metadata lost", _stubs_stripped,
      Reason.CELL_RESTORED, written=(LEFT, LEFT))  # fmt: skip
_edit("answer-emptied", "an answer whose cell was emptied", _set(written_why=""))
_edit("answer-behind-stub", "an answer below the words of the release", _set(
    written_why=f"{STUB}\n\n{WHY}"))  # fmt: skip
_edit("answer-deleted", "an answer's cell deleted", _remove("written_why"), _MISSING,
      written=(UNFOUND, WRITTEN))  # fmt: skip
_edit("answer-retyped", "an answer's cell deleted and typed anew", _answer_retyped, _MOVED)
_edit("answer-bare", "an answer's cell without metadata and id", lambda nb: _bare(
    the(nb, "written_why")), _MOVED)  # fmt: skip
_edit("answers-only", "metadata, ids and questions lost, the answers there", _everything_retyped,
      _MOVED)  # fmt: skip
_edit("answer-code", "an answer turned into code", _as_code, _C)
_edit("answer-raw", "an answer turned raw", lambda nb: _as_text(the(nb, "written_why"), "raw"), _C)
_edit("answer-code-bare", "an answer in a new code cell, as a comment", lambda nb: nb["cells"].
      __setitem__(place(nb, "written_why"), code(f"# {WHY}")), _MOVED)  # fmt: skip
_edit("answer-in-question", "an answer written into the question's cell", _in_question, _MOVED,
      written=(UNSURE, WRITTEN))  # fmt: skip
_edit("answer-below", "an answer in a new cell below", _beside(text(WHY, "below")), _MOVED,
      written=(UNSURE, WRITTEN))  # fmt: skip
_edit("answer-below-code", "an answer as a comment in a new code cell", _beside(code(f"# {WHY}")),
      _MOVED, written=(UNSURE, WRITTEN))  # fmt: skip
_edit("scratch-below", "scratch code below an answer that was left", _beside(code("2 + x")),
      Reason.CELL_ERROR, written=(LEFT, WRITTEN))  # fmt: skip
_edit("answer-split", "an answer that goes on in a second cell", lambda nb: nb["cells"].insert(
    place(nb, "written_why") + 1, text("And more.", "more")))  # fmt: skip
_edit("answer-twice-stub", "an answer, and a copy of its cell that was left", _stub_behind,
      Reason.DUPLICATE_CELLS)  # fmt: skip
_edit("answer-twice", "two versions of an answer", _two_versions, _MOVED,
      written=(UNSURE, WRITTEN))  # fmt: skip
_edit("answer-copied", "one answer's cell copied in place of the other's", _copied_for_the_other,
      _MOVED)  # fmt: skip
_edit("answer-moved", "an answer at the end", _to_the_end)
_edit("answer-picture", "an answer that is a pasted picture", _picture)


def table() -> str:
    """The collection as the table of ``docs/odd-submissions.md``."""
    lines: list[str] = []
    for odd in SUBMISSIONS:
        if f"## {odd.group}" not in lines:
            lines += ["", f"## {odd.group}", "", "| handed in | marks of 5 | reason | answers |"]
            lines += ["|---|---:|---|---|"]
        states = " · ".join(odd.written) if len(set(odd.written)) > 1 else "".join(odd.written[:1])
        lines.append(f"| {odd.what} | {odd.score:g} | `{odd.reason}` | {states or '–'} |")
    return "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    print(table(), end="")
