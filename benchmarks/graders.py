"""The graders that are compared, each as a command over a course's folder.

Whatever a grader says of itself, what is measured is the command: from its start to its end, with
all its processes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.classes import STOCK_CONFIG

_LOOK_SECONDS = 0.2
OURS = (sys.executable, "-m", "course_utils", "grade")
WATCH = (sys.executable, "-m", "course_utils", "watch")


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        wall: seconds.
        cpu: seconds of all its processes that have ended.
        own_mib: the most that its first process held, in MiB.
        others_mib: the most that any other one of its processes held.
    """

    wall: float
    cpu: float
    own_mib: float = 0.0
    others_mib: float = 0.0


def ours(root: Path, lab: str, *options: str, cache: Path) -> Measured:
    """``course grade``.

    Args:
        root, lab: what.
        options: of the command.
        cache: the folder where it keeps what it need not make again.
    """
    return measured([*OURS, lab, "--json", *options], root, {"XDG_CACHE_HOME": str(cache)})


def nbgrader(root: Path, lab: str, at_once: int = 1) -> Measured:
    """``nbgrader autograde`` with its own steps: one process, or a part of the class for each.

    Args:
        root, lab: what; each process has a copy of its own with its part of the class, since its
            database is locked by whoever writes.
        at_once: how many processes.
    """
    students = sorted(path.name for path in (root / "submitted").iterdir())
    parts = []
    for number in range(at_once):
        part = root.with_name(f"{root.name}-stock{at_once}-{number}")
        shutil.copytree(root, part)
        (part / "nbgrader_config.py").write_text(STOCK_CONFIG, "utf-8")
        for student in set(students) - set(students[number::at_once]):
            shutil.rmtree(part / "submitted" / student)
        parts.append(part)
    command = [sys.executable, "-m", "nbgrader", "autograde", lab]
    started = time.perf_counter()
    with_all = [_Started(command, part) for part in parts]
    found = [one.ended() for one in with_all]
    wall = time.perf_counter() - started
    return Measured(
        wall, sum(one.cpu for one in found), sum(one.own_mib for one in found),
        max(one.others_mib for one in found),
    )  # fmt: skip


def otter(root: Path, lab: str, programs: Path, exercises: Sequence[str], count: int) -> Measured:
    """``otter run``, one notebook after the other; its tests ask what the lab's public ones ask.

    Args:
        root, lab: what.
        programs: the ``bin`` of otter's own environment.
        exercises: the lab's.
        count: of how many submissions.
    """
    place = root.with_name(f"{root.name}-otter")
    (place / "tests").mkdir(parents=True)
    for name in exercises:
        test = _otter_test(name, root / "labs" / lab / "test_public.py")
        (place / "tests" / f"{name}.py").write_text(test, "utf-8")
    (place / "otter_config.json").write_text("{}", "utf-8")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    made = [str(programs / "otter"), "generate", "-t", "tests", "-o", "autograder.zip",
            "--no-requirements", "--no-environment"]  # fmt: skip
    measured(made, place, environment)
    total = Measured(0.0, 0.0)
    for folder in sorted((root / "submitted").iterdir())[:count]:
        at = place / folder.name
        shutil.copytree(folder / lab, at)
        (notebook,) = at.glob("*.ipynb")
        run = [str(programs / "otter"), "run", notebook.name, "-a",
               str(place / "autograder.zip"), "-o", ".", "--no-logo"]  # fmt: skip
        one = measured(run, at, environment)
        if not (at / "results.json").exists():
            raise RuntimeError(f"otter run left no results for {folder.name}")
        total = Measured(
            total.wall + one.wall, total.cpu + one.cpu, max(total.own_mib, one.own_mib),
            max(total.others_mib, one.others_mib),
        )  # fmt: skip
    return total


def _otter_test(exercise: str, tests: Path) -> str:
    """A test in otter's form that holds where all public claims of an exercise hold."""
    lines = [
        "from pathlib import Path",
        "from course_utils.calls.backend import NamespaceBackend",
        "from course_utils.testing.run import run_tests",
        f"found = run_tests([Path({str(tests)!r})], lambda mark: NamespaceBackend(globals()), "
        f"exercises=[{exercise!r}])",
        "all(test.passed for test in found)",
    ]
    code = "\n".join(f">>> {line}" for line in lines) + "\nTrue"
    case = {"code": code, "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": exercise, "points": 1, "suites": [suite]}
    return f"OK_FORMAT = True\n\ntest = {test!r}\n"


def measured(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a command to its end."""
    return _Started(command, folder, environment).ended()


class _Started:
    """A command that is under way, and what its processes hold meanwhile."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._before = _children_seconds()
        self._began = time.perf_counter()
        self._said = (folder / ".said").open("w+b")
        self._process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said,
        )  # fmt: skip
        self._own = self._others = 0.0
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def ended(self) -> Measured:
        code = self._process.wait()
        wall = time.perf_counter() - self._began
        self._watching.join()
        with self._said as file:
            file.seek(0)
            said = file.read().decode("utf-8", "replace")
        if code not in (0, 1):  # 1: nbgrader's, where a notebook could not be run to its end
            raise RuntimeError(f"{self._process.args!r} ended with {code}: {said[-2000:]}")
        cpu = _children_seconds() - self._before
        return Measured(wall, cpu, self._own, self._others)

    def _watch(self) -> None:
        while self._process.poll() is None:
            self._own = max(self._own, held(self._process.pid))
            for pid in _descendants(self._process.pid):
                self._others = max(self._others, held(pid))
            time.sleep(_LOOK_SECONDS)


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def held(pid: int) -> float:
    """The most that a process has held so far, in MiB; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0.0


def _descendants(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    children = [int(word) for word in text.split()]
    return [*children, *(one for child in children for one in _descendants(child))]
