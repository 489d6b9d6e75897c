"""A lab's solution as a namespace of trusted code, for the release gate and the traces."""

from __future__ import annotations

import contextlib
import io
import linecache
import sys
from types import ModuleType
from typing import Any

from course_utils.ground.cells import is_run, source, without_magics
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab


def solution_namespace(lab: Lab) -> dict[str, Any]:
    """Run the solution notebook's defining cells in this process and return what they define.

    Check cells and ``explore`` cells are left out, and lines that begin with ``%`` or ``!``.

    Raises:
        LabError: a cell raised; the message names the cell and quotes the exception.
    """
    module = ModuleType(f"solution_of_{lab.name}")
    # Classes look their module up by name (dataclasses, nn.Module), so it must be findable.
    sys.modules[module.__name__] = module
    for number, cell in enumerate(lab.notebook["cells"]):
        if not is_run(cell):
            continue
        code = without_magics(source(cell))
        try:
            # What a cell prints is for its reader, not for whoever reads our own output.
            name = f"<cell {number} of {lab.name}>"
            # So that a call that raises can quote its line, as in a student's kernel.
            linecache.cache[name] = len(code), None, code.splitlines(keepends=True), name
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, name, "exec"), module.__dict__)
        except Exception as error:
            raise LabError(
                f"{lab.name}: cell {number} of the solution raises "
                f"{type(error).__name__}: {error}"
            ) from error
    return module.__dict__
