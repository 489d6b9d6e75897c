"""What cannot be spared: the students' own compute and the judge's comparisons, in one process.

``python -m benchmarks.compute LAB FOLDER``: every notebook of a class is run and tested without
sandbox, pipes, pages or gradebook, after all imports; printed are the seconds, and of these those
inside the students' own functions and cells.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from course_utils.calls.backend import Backend, NamespaceBackend
from course_utils.calls.protocol import Request, Response
from course_utils.grading.reading.notebook import read_notebook
from course_utils.ground.cells import without_magics
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing.run import in_one_session, run_tests


def main(root: Path, name: str) -> Mapping[str, float]:
    """Run and test a class."""
    lab = Lab.find(name, root)
    found = sorted(root.glob(f"submitted/*/{name}/{lab.notebook_path.name}"))
    solution_namespace(lab)  # whatever is slow the first time
    in_one_session(lab.test_files, lambda: _judged(lab, solution_namespace(lab)))
    started = time.perf_counter()
    inside = in_one_session(lab.test_files, lambda: sum(_graded(lab, path) for path in found))
    return {"seconds": time.perf_counter() - started, "student": inside, "count": len(found)}


def _graded(lab: Lab, path: Path) -> float:
    """The seconds inside a notebook's own code."""
    module = ModuleType("student")
    sys.modules["student"] = module  # classes look their module up by name
    program = read_notebook(path.read_bytes(), lab).program
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        for number, source in program:
            with contextlib.suppress(Exception):
                code = compile(without_magics(source), f"<cell {number}>", "exec")
                exec(code, module.__dict__)
    cells = time.perf_counter() - started
    return cells + _judged(lab, module.__dict__)


def _judged(lab: Lab, namespace: dict[str, Any]) -> float:
    """The seconds inside the functions that the tests call."""
    backend = _Timed(NamespaceBackend(namespace))
    run_tests(lab.test_files, lambda mark: backend, lab=lab.name)
    return backend.seconds


class _Timed:
    """A backend that notes how long its calls take."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.seconds = 0.0

    def request(self, request: Request) -> Response:
        started = time.perf_counter()
        try:
            return self._backend.request(request)
        finally:
            self.seconds += time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[2]), sys.argv[1])))
