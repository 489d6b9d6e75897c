"""Odd submissions: code cells that were moved, turned, merged, deleted or edited."""

from __future__ import annotations

import json
from collections.abc import Callable

from odd_cases import as_text, bare, edited, group, place, remove, strip, the
from odd_lab import SCALE_ONLY, code
from tiny import SCALE, SOFTMAX, TINY_LAB, Notebook

from course_utils.ground.statuses import Reason
from course_utils.ground.stub import stub_source

group("Code cells")


def _turned(kind: str, *, stripped: bool = False) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        cell = the(notebook, "softmax")
        as_text(cell, kind)
        if stripped:
            bare(cell)

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
        bare(the(notebook, name), f"new-{name}")


def _split(notebook: Notebook) -> None:
    the(notebook, "softmax")["source"] = "TOO_MUCH = 700"
    notebook["cells"].insert(place(notebook, "softmax") + 1, code(SOFTMAX))


def _as_lambda(notebook: Notebook) -> None:
    the(notebook, "scale")["source"] = "scale = lambda x, factor: factor * x"
    strip(notebook)


_C = Reason.CELL_RESTORED
_STUB = f"{stub_source(SOFTMAX, TINY_LAB, 'softmax')}\n"
edited("solution-text", "a solution cell turned into text", _turned("markdown"), _C)
edited("solution-raw", "a solution cell turned raw", _turned("raw"), _C)
edited("solution-text-bare", "a solution cell turned into text, its metadata lost",
      _turned("markdown", stripped=True), _C)  # fmt: skip
edited("solution-retyped", "solution cells deleted and typed anew", _retyped, _C)
edited("solution-deleted", "a solution cell deleted", remove("softmax"),
      Reason.FUNCTION_MISSING, SCALE_ONLY)  # fmt: skip
edited("solution-repeated", "a solution cell twice, first wrong, then right", _repeat,
      Reason.DUPLICATE_CELLS)  # fmt: skip
edited("solution-moved", "a function moved to a cell of its own", _moved)
edited("solution-split", "a solution cell split in two", _split)
edited("solution-in-picture", "a function written into a cell that is for looking only", _in_look)
edited("solution-one-cell", "all code in one cell", _one_cell,
      Reason.CHECK_CELL_MISSING)  # fmt: skip
edited("solution-stub", "a function that was not written", lambda nb: the(nb, "softmax").update(
    source=_STUB), Reason.NOT_WRITTEN, SCALE_ONLY)  # fmt: skip
edited("solution-typo", "a function with a syntax error", lambda nb: the(nb, "softmax").update(
    source=SOFTMAX.replace("):", ")")), Reason.CELL_ERROR, SCALE_ONLY)  # fmt: skip
edited("solution-name", "a function of another name", lambda nb: the(nb, "softmax").update(
    source=SOFTMAX.replace("softmax", "Softmax")), Reason.FUNCTION_MISSING, SCALE_ONLY)  # fmt: skip
edited("timed", "`%%time` above a function", lambda nb: the(nb, "softmax").update(
    source=f"%%time\n{SOFTMAX}"))  # fmt: skip
edited("installs", "`!pip install` in a cell", lambda nb: nb["cells"].insert(
    1, code("!pip install torch")))  # fmt: skip
edited("asks", "`input()` in a cell", lambda nb: nb["cells"].append(code("n = input('n? ')")),
      Reason.CELL_ERROR)  # fmt: skip
edited("exits", "`exit()` in a cell", lambda nb: nb["cells"].append(code("exit()")))
edited("endless", "an endless cell", lambda nb: nb["cells"].append(code("while True: pass")),
      Reason.CELL_TIMEOUT)  # fmt: skip
edited("reversed", "all cells in reverse order", lambda nb: nb["cells"].reverse())
edited("setup-deleted", "the set-up cell deleted", remove("setup"))
edited("setup-edited", "an import written into the set-up cell", _own_import,
      Reason.LOCKED_CELL_EDITED)  # fmt: skip
edited("checks-deleted", "check cells deleted", remove("check_softmax", "check_scale"),
      Reason.CHECK_CELL_MISSING)  # fmt: skip
edited("check-edited", "a check cell edited", lambda nb: the(nb, "check_softmax").update(
    source="print('all claims hold')"), Reason.CHECK_CELL_EDITED)  # fmt: skip
edited("check-solution", "a function written into the check cell", lambda nb: (
    the(nb, "softmax").update(source=""),
    the(nb, "check_softmax").update(source=f'{SOFTMAX}\n\ncheck("softmax")')),
    Reason.CHECK_CELL_EDITED)  # fmt: skip
edited("check-merged", "a check cell merged into the solution's", lambda nb: (
    the(nb, "softmax").update(source=f'{SOFTMAX}\n\ncheck("softmax")'),
    remove("check_softmax")(nb)), Reason.CHECK_CELL_MISSING)  # fmt: skip
edited("stub-above", "right code below the stub's line that raises", lambda nb: the(
    nb, "softmax").update(source=_STUB + SOFTMAX.partition("\n")[2]),
    Reason.NOT_WRITTEN, SCALE_ONLY)  # fmt: skip
edited("lambda", "a function as a lambda, all metadata lost", _as_lambda,
      Reason.WRITTEN_ANSWER_MOVED)  # fmt: skip
edited("helper-file", "functions imported from a file that is not there", lambda nb: the(
    nb, "softmax").update(source="from my_functions import softmax"), Reason.CELL_ERROR,
    SCALE_ONLY)  # fmt: skip
edited("colab-drive", "a cell that asks for Colab's drive", lambda nb: nb["cells"].insert(
    0, code("from google.colab import drive\ndrive.mount('/content/drive')")),
    Reason.CELL_ERROR)  # fmt: skip
edited("check-text", "a check cell turned into text", lambda nb: as_text(
    the(nb, "check_softmax")), _C)  # fmt: skip
edited("check-repeated", "a check cell twice", lambda nb: nb["cells"].append(
    the(nb, "check_softmax") | {"id": "again"}), Reason.DUPLICATE_CELLS)  # fmt: skip
edited("text-deleted", "all text deleted but the answers", lambda nb: nb.update(cells=[
    c for c in nb["cells"] if c["metadata"] or c["cell_type"] == "code"]))  # fmt: skip
