"""How a cell ended, rebuilt from what its process sent: nothing there is taken on trust.

Outputs have been bounded once, beside the student's code. They are bounded here again, each
cell's and all of a notebook's together, and rebuilt field by field, so that what is passed on is
of nbformat's form whatever came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from course_utils.ground import devices
from course_utils.ground.fields import flag_of, seconds_of
from course_utils.ground.statuses import Reason
from course_utils.ground.wire import WireError

Output = dict[str, Any]

# How many cells' worth of output a whole notebook may have.
NOTEBOOK_CELLS = 4
# What one output takes in a file, whatever it holds; so their number is bounded, too.
_OVERHEAD = 64
_MAX_COUNT = 10**6
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_TEXTS = (
    "text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", *_PICTURES,
)  # fmt: skip
_LONGEST_ALT = 500
_JSON = "application/json"


@dataclass
class CellRun:
    """How one cell ended, and what it showed (in nbformat's form)."""

    index: int
    outputs: list[Output] = field(default_factory=list)
    execution_count: int | None = None
    reason: Reason | None = None
    message: str = ""
    seconds: float = 0.0


class Allowance:
    """How much output a notebook may still have, in characters.

    Args:
        cell: what one cell may have.
    """

    def __init__(self, cell: int) -> None:
        self.cell = cell
        self.left = NOTEBOOK_CELLS * cell


def cell_run(index: int, answer: Any, allowance: Allowance) -> CellRun:
    """What a cell's process has answered.

    Args:
        index: the cell's number.
        answer: what came.
        allowance: how much output is let through; it is lessened by what is.

    Raises:
        WireError: it is no answer to a cell.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("outputs"), list):
        raise WireError("it is no cell's answer")
    timed_out, ok, cut = (flag_of(answer.get(name)) for name in ("timed_out", "ok", "cut"))
    bounded = _Bounded(min(2 * allowance.cell, allowance.left))
    bounded.add(answer["outputs"])
    allowance.left -= bounded.size
    run = CellRun(
        index, bounded.outputs, _count(answer.get("execution_count")),
        seconds=seconds_of(answer.get("seconds")),
    )  # fmt: skip
    if timed_out:
        run.reason = Reason.CELL_TIMEOUT
        run.message = f"cell {index + 1} was interrupted: it took too long"
    elif not ok:
        run.reason, run.message = _how_it_failed(index, run.outputs)
    elif cut or bounded.full:
        run.reason = Reason.OUTPUT_CUT
        run.message = f"cell {index + 1} printed too much; its output was cut off"
    return run


def _how_it_failed(index: int, outputs: list[Output]) -> tuple[Reason, str]:
    error = next((o for o in outputs if o["output_type"] == "error"), None)
    if error and devices.out_of_memory(error["ename"], error["evalue"]):
        return Reason.DEVICE_OUT_OF_MEMORY, (
            f"cell {index + 1} needed more memory than there is on the GPU, or is allowed "
            f"there: {devices.OUT_OF_MEMORY_ADVICE}"
        )
    what = f"{error['ename']}: {error['evalue']}"[:200] if error else "an error"
    return Reason.CELL_ERROR, f"cell {index + 1} raises {what}"


def _count(value: Any) -> int | None:
    """An execution count: a small whole number, or none."""
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None


class _Bounded:
    """Outputs of nbformat's form, up to a number of characters."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = 0
        self.full = False
        self.outputs: list[Output] = []

    def add(self, outputs: list[Any]) -> None:
        for output in outputs:
            clean = _clean(output) if isinstance(output, dict) else None
            if clean is None:
                continue
            size = _OVERHEAD + _size(clean)
            if self.size + size > self._most:
                self.full = True
                note = f"\n[the rest of this output was cut off after {self.size} characters]\n"
                self.outputs.append({"output_type": "stream", "name": "stderr", "text": note})
                return
            self.size += size
            self.outputs.append(clean)


def _clean(output: dict[str, Any]) -> Output | None:
    """One output with the fields that nbformat knows, each of its type; None if it is none."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": _text(output.get("text"))}
    if kind == "error":
        lines = output.get("traceback")
        return {
            "output_type": kind,
            "ename": _text(output.get("ename")),
            "evalue": _text(output.get("evalue")),
            "traceback": [_text(line) for line in lines] if isinstance(lines, list) else [],
        }
    if kind in ("display_data", "execute_result"):
        entry: Output = {
            "output_type": kind, "data": _bundle(output.get("data")),
            "metadata": _described(output.get("metadata")),
        }  # fmt: skip
        if kind == "execute_result":
            entry["execution_count"] = _count(output.get("execution_count"))
        return entry
    return None


def _bundle(data: Any) -> dict[str, Any]:
    """What is displayed, by media type, of those types that a grader's pages show."""
    if not isinstance(data, dict):
        return {}
    texts = {kind: _text(data[kind]) for kind in _TEXTS if kind in data}
    return texts | ({_JSON: _plain(data[_JSON])} if _JSON in data else {})


def _described(metadata: Any) -> dict[str, Any]:
    """The alternative texts of pictures; pages show no other metadata of an output."""
    if not isinstance(metadata, dict):
        return {}
    pictures = {kind: metadata[kind] for kind in _PICTURES if isinstance(metadata.get(kind), dict)}
    texts = {kind: _text(about.get("alt"))[:_LONGEST_ALT] for kind, about in pictures.items()}
    return {kind: {"alt": text} for kind, text in texts.items() if text}


def _text(value: Any) -> str:
    """A text; empty for anything else, but lines are put together."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else ""


def _plain(value: Any) -> Any:
    """A value that JSON can hold: what it cannot is None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if isinstance(key, str)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, bool, int, float)) else None


def _size(value: Any) -> int:
    """Characters that a value takes, more or less."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(8 + len(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(8 + _size(item) for item in value)
    return 24
