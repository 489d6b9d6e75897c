"""What the coordinator of a class run holds: ``python -m benchmarks.memory``.

One verdict is formed in the sandbox; then a crew that costs nothing hands it out for every student,
so that what is left is what the coordinator does: journal, gradebook, files, report. Every run is a
process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from benchmarks.graders import held
from course_utils.grading.classrun.run import ClassRun
from course_utils.grading.course import Course
from course_utils.grading.crew import AtWork
from course_utils.grading.worker import Job, Settings
from course_utils.ground.lab import Lab
from course_utils.verdict.submission import SubmissionResult

_LAB = "lab02_softmax_nll"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 1000])
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        return _run(options.run)
    from benchmarks.classes import course_of  # here: the runs that are measured import no torch

    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="memory-") as folder:
            root = Path(folder)
            lab = course_of(Path.cwd(), _LAB, root, 1)
            (root / "verdict").write_bytes(pickle.dumps(_verdict(lab)))
            first = root / "submitted" / "student0000"
            for number in range(1, size):
                shutil.copytree(first, first.with_name(f"student{number:04}"))
            for what in ("graded", "unchanged"):
                seconds, mebibytes = _one_run(root)
                print(
                    f"{size:6} submissions, {what:<10} {mebibytes:6.0f} MiB {seconds:8.2f} s",
                    flush=True,
                )


def _verdict(lab: Lab) -> SubmissionResult:
    from course_utils.grading.judge import Grader, grade_file
    from course_utils.sandbox.client import Sandbox

    with Sandbox(preload=lab.imports) as sandbox:
        return grade_file(lab.notebook_path, Grader(lab, sandbox))


def _one_run(root: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.memory", "--run", str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, mebibytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, mebibytes


def _run(root: Path) -> None:
    """A class run in this process; prints its seconds and the most that it held."""
    verdict = pickle.loads((root / "verdict").read_bytes())
    started = time.perf_counter()
    run = ClassRun(Course(root), Lab.find(_LAB, root), Settings(), crew=_Known(verdict))
    outcome = run.run()
    seconds = time.perf_counter() - started
    assert not outcome.not_graded
    print(json.dumps([seconds, held(os.getpid())]))


class _Known:
    """A crew that knows the verdict."""

    def __init__(self, verdict: SubmissionResult) -> None:
        self._verdict = verdict

    def obstacles(self, settings: Settings) -> Sequence[str]:
        return ()

    @contextlib.contextmanager
    def at_work(self, lab: Lab, settings: Settings, submissions: int) -> Iterator[AtWork]:
        yield self

    def places(self) -> int:
        return 2

    def submit(self, job: Job) -> Future[SubmissionResult]:
        done: Future[SubmissionResult] = Future()
        done.set_result(replace(self._verdict, student=job.student))
        return done


if __name__ == "__main__":
    main()
