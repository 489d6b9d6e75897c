"""Point 6, the stored outputs: an instructor's notebook shows what its code gives now.

That every cell was run, in order and without an error, and that the check cells show today's
claims, is read off at once. Whether the other outputs are older than their code is known only by
running it, which the whole gate does and the sampling one leaves to ``tests/test_labs.py``.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from course_utils.gate.finding import Finding
from course_utils.ground.cells import check_of, grade_id, is_check, source
from course_utils.ground.lab import Lab
from course_utils.verdict import panel
from course_utils.verdict.outcome import TestOutcome

_AGAIN = "run the whole notebook again (Restart and Run All) and save it"
_SECONDS = 600
# How far numbers in outputs may lie apart on other hardware.
_CLOSE = 1e-3
_VARYING = [
    (re.compile(r"relative error \S+"), "relative error"),
    (re.compile(r"\d+(\.\d+)? ?(ms|s|seconds)\b"), "TIME"),
    (re.compile(r"0x[0-9a-f]+"), "ADDRESS"),
]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def judge_stored(lab: Lab, solution: Sequence[TestOutcome]) -> Iterator[Finding]:
    """What can be seen of the stored outputs without running anything.

    Args:
        solution: the outcomes of all tests on the solution.
    """
    cells = [(number, cell) for number, cell in _code(lab)]
    never = [_name(n, cell) for n, cell in cells if cell.get("execution_count") is None]
    if never:
        more = f" and {len(never) - 1} more" if never[1:] else ""
        place = f"{lab.notebook_path.name}, {never[0]}{more}"
        yield Finding(6, f"{place}, has no stored output: {_AGAIN}")
    elif [cell["execution_count"] for _, cell in cells] != list(range(1, len(cells) + 1)):
        yield Finding(
            6,
            f"{lab.notebook_path.name}: the cells were not run once each from top to bottom, so "
            f"their outputs are not those of one run: {_AGAIN}",
        )
    for number, cell in cells:
        place = f"{lab.notebook_path.name}, {_name(number, cell)}"
        failed = [one for one in cell.get("outputs", []) if one.get("output_type") == "error"]
        if failed:
            said = f"{failed[0].get('ename')}: {failed[0].get('evalue')}"
            yield Finding(6, f"{place}, has a stored error ({said}): mend the cell, then {_AGAIN}")
        elif is_check(cell) and not never:
            own = [o for o in solution if o.exercise == check_of(cell) and not o.hidden]
            if own and all(o.passed for o in own) and not _shows(cell, own):
                yield Finding(
                    6, f"{place}, has an output older than its tests (other claims): {_AGAIN}"
                )


def _shows(cell: dict[str, Any], own: Sequence[TestOutcome]) -> bool:
    """Whether a check cell's stored output is what check would show now."""
    title = f"public claims: {len(own)}/{len(own)}, all hold"
    name = check_of(cell)
    shown = panel.verdict(
        name, title, own, label=f"check of {name}", note=panel.GRADING_ASKS, fold_right=False
    )
    return _steady(_text(cell.get("outputs", []))) == _steady(shown.text)


def rerun(folder: Path) -> list[Finding]:
    """Run a lab's notebook in a kernel and compare what comes out with what is stored."""
    lab = Lab.load(folder)
    try:
        notebook = executed(lab.notebook, folder)
    except (TimeoutError, RuntimeError) as error:
        said = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        return [Finding(6, f"{lab.notebook_path.name} cannot be run in a kernel ({said}): mend it")]
    found = []
    for number, cell in _code(lab):
        fresh, where = notebook.cells[number], f"{lab.notebook_path.name}, {_name(number, cell)}"
        failed = next((o for o in fresh.outputs if o.output_type == "error"), None)
        if failed is not None:
            said = f"{failed.ename}: {failed.evalue}"
            found.append(Finding(6, f"{where}, raises when it is run ({said}): mend the cell"))
        elif cell.get("execution_count") is not None and not _alike(
            cell.get("outputs", []), fresh.outputs
        ):
            found.append(Finding(6, f"{where}, has an output older than its code: {_AGAIN}"))
    return found


def executed(notebook: dict[str, Any], folder: Path) -> Any:
    """A notebook as a run in a kernel leaves it; an error ends its cell only, and is among the
    cell's outputs.

    Raises:
        TimeoutError: a cell took minutes.
        RuntimeError: the kernel died, or did not start.
    """
    import nbformat
    from nbclient import NotebookClient

    run = nbformat.reads(json.dumps(notebook), as_version=4)
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(run, timeout=_SECONDS, resources=place, allow_errors=True)
    # What a kernel says of itself (its sockets, frozen modules) is no output of the notebook.
    client.execute(stderr=subprocess.DEVNULL)
    for cell in run.cells:
        cell.metadata.pop("execution", None)  # the times of this run
    return run


def _code(lab: Lab) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, cell in enumerate(lab.notebook["cells"]):
        if cell["cell_type"] == "code" and source(cell).strip():
            yield number, cell


def _name(number: int, cell: dict[str, Any]) -> str:
    return f"cell {number}" + (f" ({grade_id(cell)})" if grade_id(cell) else "")


def _alike(stored: Sequence[Any], fresh: Sequence[Any]) -> bool:
    pictures = [sum("image/png" in one.get("data", {}) for one in some) for some in (stored, fresh)]
    a, b = _steady(_text(stored)), _steady(_text(fresh))
    if pictures[0] != pictures[1] or _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
        return False
    numbers = zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True)
    return all(math.isclose(float(x), float(y), rel_tol=_CLOSE, abs_tol=1e-9) for x, y in numbers)


def _text(outputs: Sequence[Any]) -> str:
    """What is written in a cell's outputs, pictures and HTML aside."""
    found = []
    for one in outputs:
        text = one.get("text") if one["output_type"] == "stream" else one.get("data", {}).get(
            "text/plain", "")  # fmt: skip
        found.append(text if isinstance(text, str) else "".join(text or ()))
    return "\n".join(found)


def _steady(text: str) -> str:
    """A text without what differs from run to run: times, addresses, rounding errors, breaks."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return " ".join(text.split())
