"""``hint``: an exercise's hints, one layer at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.ground.errors import NotebookError
from course_utils.ground.surroundings import in_grading
from course_utils.notebook.locate import lab_folder, student_namespace
from course_utils.verdict import render
from course_utils.verdict.render import Panel, Row, Sign

_given: dict[tuple[Path, str], int] = {}  # how many hints of an exercise this kernel has shown


def hint(
    exercise: str | Callable[..., Any], number: int | None = None, *, all: bool = False
) -> None:
    """Show a hint for an exercise: each call gives the next one, up to the last.

    Args:
        exercise: its name, e.g. ``"softmax"``, or the function or class itself.
        number: show this one (1 is the first) instead of the next.
        all: show them all at once.

    Raises:
        NotebookError: there is no such exercise or hint; the message says which there are.
    """
    if in_grading():
        return
    namespace = student_namespace(sys._getframe(1))
    folder = lab_folder(namespace)
    from course_utils.notebook.public_tests import PublicTests  # pytest comes with it: not earlier

    tests = PublicTests(folder)
    name = tests.require(exercise, namespace)
    hints = tests.hints(name)
    if not hints:
        raise NotebookError(f"There are no hints for {name}: look at its docstring and formula.")
    if number is not None and number not in range(1, len(hints) + 1):
        raise NotebookError(
            f"There is no hint {number!r} for {name}: they are numbered 1 to {len(hints)}."
        )
    key = (folder, name)
    if all:
        chosen = list(range(1, len(hints) + 1))
    else:
        chosen = [number or min(_given.get(key, 0) + 1, len(hints))]
    _given[key] = max(chosen[-1], _given.get(key, 0)) if number is None else chosen[-1]
    render.show(_panel(name, hints, chosen, tests.derivation(name)))


def _panel(name: str, hints: list[str], chosen: list[int], derivation: str) -> Panel:
    total = len(hints)
    last = chosen[-1] == total
    which = f"all {total} hints" if len(chosen) > 1 else f"hint {chosen[0]} of {total}"
    if not last:
        after = f'`hint("{name}")` gives the next one.'
    elif derivation:
        after = f"That is the last hint. Where to look: {derivation}"
    else:
        after = "That is the last hint."
    rows = [Row(Sign.HINT, hints[number - 1]) for number in chosen]
    text = [render.wrap(f"{name} · {which}")]
    text += [render.wrap(hints[n - 1], first=f"  {Sign.HINT.glyph} ") for n in chosen]
    text.append(render.wrap(after))
    return Panel(
        text="\n".join(text),
        html=render.frame(
            f"hint for {name}",
            Sign.HINT,
            render.heading(name, which),
            render.signed_list(rows),
            render.note(after),
        ),
    )
