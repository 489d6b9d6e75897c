"""What a lab's Python files raise when they are loaded."""

from __future__ import annotations

import inspect
import pkgutil
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course_utils.calls.watching import AUTOGRAD
from course_utils.gate.finding import Finding
from course_utils.gate.sources.fatal import broken, raised
from course_utils.ground.lab import Lab
from course_utils.testing import marker
from course_utils.testing.loading import load_module


def imported(lab: Lab) -> list[Finding]:
    """What a lab's Python files raise when they are loaded."""
    found = []
    for path in (*lab.test_files, lab.misconceptions_path, lab.variants_path):
        if path.exists():
            try:
                module = load_module(path)
            except Exception as error:  # whatever an author's line may raise is told
                found.append(_loading(lab, path, error))
            else:
                found += _forbidden(lab, path, vars(module))
    return found


def _loading(lab: Lab, path: Path, error: Exception) -> Finding:
    place = str(path.relative_to(lab.folder))
    for frame in traceback.extract_tb(error.__traceback__):
        if lab.folder in Path(frame.filename).parents:
            place = f"{Path(frame.filename).relative_to(lab.folder)}, line {frame.lineno}"
    return broken(place, f"the file cannot be imported ({raised(error)}): mend that line")


def _forbidden(lab: Lab, path: Path, module: dict[str, Any]) -> Iterator[Finding]:
    """Built-ins that a test forbids and that are nowhere: nobody would be kept from them."""
    for value in list(module.values()):
        mark = marker.mark_of(value) if inspect.isfunction(value) else None
        for name in mark.forbid if mark else ():
            try:
                pkgutil.resolve_name(name if name != AUTOGRAD else "torch.autograd")
            except (ImportError, AttributeError, ValueError):
                yield broken(
                    f"{path.relative_to(lab.folder)}, line {value.__code__.co_firstlineno}",
                    f"{value.__name__} forbids {name}, which cannot be found: write it with its "
                    "module, such as torch.softmax",
                )
