"""Odd submissions: written answers that are not where they should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from odd_cases import (
    LEFT,
    UNFOUND,
    UNSURE,
    WRITTEN,
    as_text,
    bare,
    edited,
    group,
    place,
    remove,
    strip,
    the,
)
from odd_lab import WHEN, WHY, code, text
from tiny import Notebook

from course_utils.ground.statuses import Reason
from course_utils.ground.stub import TEXT_STUB

group("Written answers")
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
    copy = the(notebook, "written_why") | {"source": TEXT_STUB, "id": "copy"}
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
        the(notebook, "written_why")["source"] = TEXT_STUB
        at = place(notebook, "written_why") + 1
        notebook["cells"][at:at] = json.loads(json.dumps(cells))

    return edit


def _in_question(notebook: Notebook) -> None:
    the(notebook, "written_why")["source"] = TEXT_STUB
    the(notebook, "question_why")["source"] += f"\n\n{WHY}"


def _picture(notebook: Notebook) -> None:
    the(notebook, "written_why").update(
        source="![my sheet](attachment:sheet.png)",
        attachments={"sheet.png": {"image/png": "iVBORw0KGgo="}},
    )


def _stubs_stripped(notebook: Notebook) -> None:
    _set(written_why=TEXT_STUB, written_when=TEXT_STUB)(notebook)
    strip(notebook)


def _to_the_end(notebook: Notebook) -> None:
    notebook["cells"].append(notebook["cells"].pop(place(notebook, "written_why")))


edited("answers-left", "answers left as they were released", _set(
    written_why=TEXT_STUB, written_when=TEXT_STUB), written=(LEFT, LEFT))  # fmt: skip
edited("answer-blanks", "an answer left as it was, with blanks added", _set(
    written_why=f"  {TEXT_STUB}\n\n"), written=(LEFT, WRITTEN))  # fmt: skip
edited("answers-left-stripped", "answers left as they were, all metadata lost", _stubs_stripped,
      Reason.CELL_RESTORED, written=(LEFT, LEFT))  # fmt: skip
edited("answer-emptied", "an answer whose cell was emptied", _set(written_why=""))
edited("answer-behind-stub", "an answer below the words of the release", _set(
    written_why=f"{TEXT_STUB}\n\n{WHY}"))  # fmt: skip
edited("answer-deleted", "an answer's cell deleted", remove("written_why"), _MISSING,
      written=(UNFOUND, WRITTEN))  # fmt: skip
edited("answer-retyped", "an answer's cell deleted and typed anew", _answer_retyped, _MOVED)
edited("answer-bare", "an answer's cell without metadata and id", lambda nb: bare(
    the(nb, "written_why")), _MOVED)  # fmt: skip
edited("answers-only", "metadata, ids and questions lost, the answers there", _everything_retyped,
      _MOVED)  # fmt: skip
edited("answer-code", "an answer turned into code", _as_code, Reason.CELL_RESTORED)
edited("answer-raw", "an answer turned raw", lambda nb: as_text(the(nb, "written_why"), "raw"),
       Reason.CELL_RESTORED)  # fmt: skip
edited("answer-code-bare", "an answer in a new code cell, as a comment", lambda nb: nb["cells"].
      __setitem__(place(nb, "written_why"), code(f"# {WHY}")), _MOVED)  # fmt: skip
edited("answer-in-question", "an answer written into the question's cell", _in_question, _MOVED,
      written=(UNSURE, WRITTEN))  # fmt: skip
edited("answer-below", "an answer in a new cell below", _beside(text(WHY, "below")), _MOVED,
      written=(UNSURE, WRITTEN))  # fmt: skip
edited("answer-below-code", "an answer as a comment in a new code cell", _beside(code(f"# {WHY}")),
      _MOVED, written=(UNSURE, WRITTEN))  # fmt: skip
edited("scratch-below", "scratch code below an answer that was left", _beside(code("2 + x")),
      Reason.CELL_ERROR, written=(LEFT, WRITTEN))  # fmt: skip
edited("answer-split", "an answer that goes on in a second cell", lambda nb: nb["cells"].insert(
    place(nb, "written_why") + 1, text("And more.", "more")))  # fmt: skip
edited("answer-twice-stub", "an answer, and a copy of its cell that was left", _stub_behind,
      Reason.DUPLICATE_CELLS)  # fmt: skip
edited("answer-twice", "two versions of an answer", _two_versions, _MOVED,
      written=(UNSURE, WRITTEN))  # fmt: skip
edited("answer-copied", "one answer's cell copied in place of the other's", _copied_for_the_other,
      _MOVED)  # fmt: skip
edited("answer-moved", "an answer at the end", _to_the_end)
edited("answer-picture", "an answer that is a pasted picture", _picture)

edited("answer-in-heading", "an answer written under the heading above the questions", lambda nb: (
    _set(written_why=TEXT_STUB, questions=f"## Written questions\n\n{WHY}")(nb)), _MOVED,
    written=(UNSURE, WRITTEN))  # fmt: skip
edited("answer-in-next", "an answer above the next question, in its cell", lambda nb: (
    _set(written_why=TEXT_STUB)(nb),
    the(nb, "question_when").update(source=f"{WHY}\n\n{the(nb, 'question_when')['source']}")),
    _MOVED, written=(UNSURE, WRITTEN))  # fmt: skip
edited("answer-printed", "an answer as `print(...)` in a code cell", _beside(
    code(f"print({WHY!r})")), _MOVED, written=(UNSURE, WRITTEN))  # fmt: skip
edited("answers-at-end", "all answers in one new cell at the end", lambda nb: (
    _set(written_why=TEXT_STUB, written_when=TEXT_STUB)(nb),
    nb["cells"].append(text(f"1: {WHY} 2: {WHEN}", "all"))), _MOVED,
    written=(UNSURE, UNSURE))  # fmt: skip
edited("own-notes", "notes of the student's own in between", lambda nb: nb["cells"].insert(
    4, text("I must look at this again.", "note")))  # fmt: skip
edited("everything-twice", "every cell twice", lambda nb: nb["cells"].extend(
    json.loads(json.dumps(nb["cells"]))), Reason.DUPLICATE_CELLS)  # fmt: skip
