"""Classes for tests about class runs: a released tiny course, submissions, and what runs leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from tiny import SOFTMAX, TINY_LAB, as_bytes, write_tiny_course

from course_utils.gate.filled_in import solved
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.grading.gradebook import GradebookWriter
from course_utils.ground.lab import Lab

NO_SHIFT = SOFTMAX.replace(" - x.max(axis=axis, keepdims=True)", "")
# What differs from run to run by its nature.
_TIMES = ("seconds",)


def course_with_class(root: Path, size: int) -> Path:
    """A course with the tiny lab released and ``size`` submissions, every third of them wrong."""
    write_tiny_course(root)
    lab = Lab.find(TINY_LAB, root)
    stub = release(Course(root), lab) / lab.notebook_path.name
    right, wrong = solved(lab, stub), solved(lab, stub, {"softmax": NO_SHIFT})
    for number in range(size):
        hand_in(root, f"s{number:03}", as_bytes(wrong if number % 3 == 2 else right))
    return root


def hand_in(root: Path, student: str, data: bytes, name: str = "tiny.ipynb") -> None:
    folder = root / "submitted" / student / TINY_LAB
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def expected(size: int) -> dict[str, float]:
    """Student → automatic marks of :func:`course_with_class`."""
    return {f"s{number:03}": 2.0 if number % 3 == 2 else 5.0 for number in range(size)}


def scores(root: Path) -> dict[str, float]:
    """Student → what the gradebook says the submission is worth."""
    with GradebookWriter(Course(root), Lab.find(TINY_LAB, root)) as writer:
        return {student: marks.total.score for student, marks in writer.marks().items()}


def set_by_hand(root: Path, student: str, cell: str, **values: Any) -> None:
    """Change a grade as a person would in formgrader."""
    with Gradebook(Course(root).db_url, "training-neural-networks") as book:
        grade = book.find_grade(cell, "tiny", TINY_LAB, student)
        for name, value in values.items():
            setattr(grade, name, value)
        book.db.commit()


def left_by(root: Path) -> dict[str, Any]:
    """All that a run leaves for people: marks, report, files; times aside."""
    with GradebookWriter(Course(root), Lab.find(TINY_LAB, root)) as writer:
        found: dict[str, Any] = {"marks": writer.marks()}
    for folder in ("autograded", "feedback", "reports"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                found[str(path.relative_to(root))] = _without_times(path)
    return found


def _without_times(path: Path) -> Any:
    if path.suffix == ".ipynb":
        return json.loads(path.read_text("utf-8"))
    text = path.read_text("utf-8")
    if path.suffix == ".csv":
        header, *rows = [row.split(",") for row in text.splitlines()]
        times = [number for number, name in enumerate(header) if name in _TIMES]
        return [[c for n, c in enumerate(row) if n not in times] for row in [header, *rows]]
    return text


def start(root: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """``course grade`` of the tiny lab, as a user starts it, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "course_utils.commands.cli", "grade", TINY_LAB, *arguments],
        cwd=root, env={**os.environ, **environment}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def grade(root: Path, *arguments: str, code: int = 0, **environment: str) -> tuple[str, str]:
    """The same, to its end: what it printed, and what it said of itself."""
    process = start(root, *arguments, **environment)
    out, err = process.communicate(timeout=280)
    assert process.returncode == code, out + err
    assert "Traceback" not in out + err
    return out, err


def await_line(process: subprocess.Popen[str], text: str) -> str:
    """Read what a process says until it says ``text``; everything read so far."""
    assert process.stderr is not None
    said = ""
    while text not in said:
        line = process.stderr.readline()
        assert line, f"it ended without {text!r}: {said}"
        said += line
    return said


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(after_name[1]), []).append(int(folder.name))
    found: set[int] = set()
    left = [pid]
    while left:
        children = parents.get(left.pop(), [])
        found |= set(children)
        left += children
    return found


def parents_of(pids: set[int], name: str) -> set[int]:
    """Of some processes, those that have started a program of this name and are none of it."""
    found, own = set(), set()
    for pid in pids:
        try:
            program, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        except OSError:
            continue
        if program.partition("(")[2] == name:
            own.add(pid)
            found.add(int(rest.split()[1]))
    return found & pids - own


def alive(pids: Sequence[int] | set[int]) -> set[int]:
    """Of some processes, those that still run (a zombie does not)."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def left_after(seconds: float, pids: set[int]) -> set[int]:
    """Of some processes, those that still run after a while; those of a dead parent end soon."""
    deadline = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive(pids)


def kill_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """What a terminal does for Ctrl-C: a signal for every process of the group."""
    os.killpg(process.pid, number)
