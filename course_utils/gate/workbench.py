"""The workbench on which a lab is tried: its solution, entries and tests, loaded."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from course_utils.calls.backend import Backend
from course_utils.calls.limited import CALL_SECONDS, LimitedBackend
from course_utils.diagnosis.rewriting import Originals
from course_utils.ground.fresh import FileMemo
from course_utils.ground.lab import Lab
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome


@dataclass(frozen=True)
class Workbench:
    """A lab with its solution run and its catalogue read."""

    originals: Originals

    @property
    def lab(self) -> Lab:
        return self.originals.lab

    @property
    def namespace(self) -> dict[str, Any]:
        """What the solution defines."""
        return self.originals.base

    @property
    def misconceptions(self) -> list[Entry]:
        return self.originals.misconceptions

    @property
    def variants(self) -> list[Entry]:
        return self.originals.variants

    def exercises(self, only: Sequence[str] = ()) -> list[str]:
        """The names of the lab's exercises, or of those of them that are asked for."""
        return [one.name for one in self.lab.exercises if not only or one.name in only]

    def backend(self, entry: Entry | None = None, seconds: float = CALL_SECONDS) -> Backend:
        """The solution's definitions, with an entry laid over them."""
        return LimitedBackend(self.originals.with_entry(entry), seconds)

    def run(
        self,
        entry: Entry | None = None,
        *,
        exercises: Sequence[str] | None = None,
        seed: int = 0,
        public: bool = False,
    ) -> list[TestOutcome]:
        """Run the public and hidden tests, or only the public ones, on the solution, or on an entry
        in its place."""
        backend = self.backend(entry)
        return run_tests(
            [self.lab.test_public] if public else self.lab.test_files,
            lambda mark: backend,
            exercises=exercises,
            seed=seed,
            enforce_forbid=entry is None or not entry.built_in,
        )

    def run_text(
        self, exercise: str, text: str, *, seed: int = 0, seconds: float = CALL_SECONDS
    ) -> list[TestOutcome]:
        """Run an exercise's tests on another source of its solution cells.

        Raises:
            BaseException: whatever defining that source raises.
        """
        namespace = self.originals.of(exercise)[0].define(self.namespace, text)
        backend = LimitedBackend(namespace, seconds)
        return run_tests(
            self.lab.test_files, lambda mark: backend, exercises=[exercise], seed=seed
        )


_workbenches = FileMemo[Workbench]()


def workbench_of(folder: Path) -> Workbench:
    """The workbench of a lab's folder, made once a process as long as no file changes.

    Raises:
        LabError: the solution notebook does not run, or a mistake's text is not in it.
        Exception: whatever importing a file of ``hidden/`` raises.
    """
    lab = Lab.load(folder)
    paths = [lab.notebook_path, *lab.test_files, lab.misconceptions_path, lab.variants_path]
    return _workbenches.get(paths, lambda: _made(lab))


def _made(lab: Lab) -> Workbench:
    with redirect_stdout(StringIO()):  # what the solution's cells print is not the gate's
        made = Workbench(Originals(lab))
    if multiprocessing.parent_process() is not None:
        gc.freeze()  # in a worker, torch's and SymPy's objects need no looking through again
    return made
