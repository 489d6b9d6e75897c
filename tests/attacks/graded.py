"""A class of attacks and honest notebooks, graded by the real commands, and what came of it."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from class_of import descendants
from nbgrader.api import Gradebook
from tiny import REPOSITORY, as_bytes

from attacks import evidence, ordinary
from attacks.baits import Baits
from attacks.cases import Attack, write
from attacks.machine import Watched, left_processes, watched
from attacks.target import HONEST_NOTEBOOKS, LAB, NAME
from course_utils.grading.submissions import student_id

COURSE_ID = "training-neural-networks"
CELL_SECONDS, CALL_SECONDS, MEMORY_MIB = 5, 2, 512
_LIBRARIES_LEAVE = (".", "torchinductor_")  # in the temporary folder, whatever is graded
_BETWEEN = 3  # an honest notebook before every so many attacks


class Way(StrEnum):
    """By which command, and by whom."""

    ROOT = "course grade, by root"
    USER = "course grade, by an ordinary user"
    NBGRADER = "nbgrader autograde with our steps"


@dataclass
class Came:
    """What came of one submission."""

    score: float | None = None
    status: str = ""
    reason: str = ""
    seconds: float = 0.0
    secrets: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    achieved: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Class:
    """Whom a lab was handed in by.

    Attributes:
        lab: its name.
        hostile: student → the attack.
        honest: student → right marks.
    """

    lab: str = LAB
    hostile: dict[str, Attack] = field(default_factory=dict)
    honest: dict[str, float] = field(default_factory=dict)


@dataclass
class Run:
    """What came of one run over a class.

    Attributes:
        came: by student.
        damage: what is not one submission's.
        watched: the run's processes.
        seconds: from its start to its end.
    """

    came: dict[str, Came]
    damage: list[str]
    watched: Watched
    seconds: float = 0.0


def hand_in(root: Path, attacks: Sequence[Attack], baits: Baits) -> Class:
    """Fill ``submitted/``: attacks, and honest notebooks between them.

    Names begin with the attacks' numbers, so that those graded at the same time are an attack and
    an honest notebook, over and over.
    """
    handed = Class()
    for place, attack in enumerate(attacks):
        if place % _BETWEEN == 0:
            make, marks = HONEST_NOTEBOOKS[place // _BETWEEN % len(HONEST_NOTEBOOKS)]
            notebook = make()
            notebook["cells"][0]["source"] += f"\n\n{baits.word('others-work')}"
            name = f"{attack.number:03}-0-honest-{make.__name__.replace('_', '-')}"
            write(root / "submitted" / name / LAB, NAME, as_bytes(notebook))
            handed.honest[name] = marks
        for student in attack.students():
            folder = root / "submitted" / student / LAB
            folder.mkdir(parents=True)
            attack.make(folder)
            handed.hostile[student] = attack
    return handed


def enter_secret(root: Path, student: str, baits: Baits) -> None:
    """Give a student a last name that only the gradebook may know."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as book:
        book.update_or_create_student(student, last_name=baits.word("gradebook"))


def command_for(way: Way, lab: str, as_json: bool) -> list[str]:
    if way is Way.NBGRADER:
        return [
            sys.executable, "-m", "nbgrader", "autograde", lab,
            f"--Execute.cell_seconds={CELL_SECONDS}", f"--Execute.call_seconds={CALL_SECONDS}",
            f"--Execute.memory_mib={MEMORY_MIB}",
        ]  # fmt: skip
    command = [
        sys.executable, "-m", "course_utils", "grade", lab, "--cell-seconds", str(CELL_SECONDS),
        "--call-seconds", str(CALL_SECONDS), "--memory-mib", str(MEMORY_MIB), "--workers", "2",
    ]  # fmt: skip
    return [*command, "--json"] if as_json else command


def grade(
    root: Path, way: Way, handed: Class, baits: Baits, environment: dict[str, str], *,
    as_json: bool = False,
) -> Run:  # fmt: skip
    """Grade the class in one uninterrupted run, and look at everything that it left."""
    command = command_for(way, handed.lab, as_json)
    scratch = root.parent / "scratch"  # the run's own, so that what it leaves there is seen
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    environment = {
        **os.environ, **environment, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(scratch),
        "HOME": str(scratch), "XDG_CACHE_HOME": str(root.parent / "cache"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    if way is Way.USER and os.getuid() == 0:
        command = [sys.executable, "-m", "attacks.ordinary", str(ordinary.UID), *command]
        environment["PYTHONPATH"] += f":{REPOSITORY / 'tests'}"
        owner = f"{ordinary.UID}:{ordinary.UID}"
        subprocess.run(["chown", "-R", "-h", owner, str(root.parent)], check=True)
    before, known = _checksum(root), descendants(os.getpid())
    most = 300 + 12 * (len(handed.hostile) + len(handed.honest))
    seconds, code, said, seen = _carried_out(root, command, environment, most)
    damage = [f"a process: {name}" for name in left_processes(known)]
    if _checksum(root) != before:
        damage.append("the instructor's files, or what was handed in, were changed")
    left = [path.name for path in scratch.iterdir() if not path.name.startswith(_LIBRARIES_LEAVE)]
    damage += [f"in the temporary folder: {name}" for name in left]
    if code != 0:
        damage.append("the run did not end" if code is None else f"exit code {code}")
    damage += [f"a terminal is commanded: {what}" for what in evidence.commands_in(said)]
    if way is Way.NBGRADER:
        _feedback(root, handed.lab, environment)
    came = dict(_came(root, handed, baits, said))
    for path in sorted((root / "reports").glob("*.csv")):
        damage += [f"a formula in {path.name}: {cell}" for cell in evidence.formulas_in(path)]
    return Run(came, damage, seen, seconds)


def _carried_out(
    root: Path, command: list[str], environment: dict[str, str], most_seconds: float
) -> tuple[float, int | None, str, Watched]:
    """Run a command; (seconds, exit code or None where it hung, what it said, what was seen)."""
    began = time.monotonic()
    log = root.parent / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=file, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        with watched(process.pid) as seen:
            try:
                code: int | None = process.wait(most_seconds)
            except subprocess.TimeoutExpired:
                code = None
                process.kill()
                process.wait()
    return time.monotonic() - began, code, log.read_text("utf-8", "replace"), seen


def _feedback(root: Path, lab: str, environment: dict[str, str]) -> None:
    """nbgrader's own pages of what its autograde has made."""
    command = [sys.executable, "-m", "nbgrader", "generate_feedback", lab]
    subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)


def _checksum(root: Path) -> str:
    """Of everything that a run may only read."""
    checksum = hashlib.sha256()
    for folder in ("solutions", "submitted", "nbgrader_config.py"):
        for at, folders, names in os.walk(root / folder):
            folders.sort()
            for name in sorted(names):
                path = Path(at, name)
                kind = path.lstat()
                if "__pycache__" in at or name.endswith(".msgpack"):
                    continue  # made anew by whoever reads them
                checksum.update(os.fsencode(path) + str(kind.st_mode).encode())
                if stat.S_ISREG(kind.st_mode) and kind.st_size < 2**26:
                    checksum.update(path.read_bytes())
    return checksum.hexdigest()


def _came(
    root: Path, handed: Class, baits: Baits, said: str
) -> Iterator[tuple[str, Came]]:
    scores = _scores(root, handed.lab)
    lines = {}
    report = root / "reports" / f"{handed.lab}.csv"
    if report.exists():
        with report.open(newline="", encoding="utf-8") as file:
            lines = {row["student"].removeprefix("'"): row for row in csv.DictReader(file)}
    for student in (*handed.hostile, *handed.honest):
        name = student_id(student)
        line = lines.get(name, {})
        came = Came(
            scores.get(name), line.get("status", ""), line.get("reasons", "").partition(" ")[0],
            float(line.get("seconds") or 0),
        )  # fmt: skip
        if student in handed.hostile:
            handed_bytes = _size(root / "submitted" / student)
            for step in ("feedback", "autograded"):
                for spelt in {student, name}:
                    folder = root / step / spelt
                    secrets, damage, done = evidence.looked_at(folder, baits, handed_bytes)
                    came.secrets += [what for what in secrets if what not in came.secrets]
                    came.damage += [what for what in damage if what not in came.damage]
                    came.achieved += [what for what in done if what not in came.achieved]
            mine = [row for row in said.splitlines() if f'"student": "{name}"' in row]
            told = "\n".join([*mine, *(value for value in line.values() if value)])
            came.secrets += [w for w in evidence.secrets_in(told, baits) if w not in came.secrets]
        yield student, came


def _size(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder)
        for name in names
    )  # fmt: skip


def _scores(root: Path, lab: str) -> dict[str, float]:
    """Student → the automatic marks that the gradebook holds."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as book:
        return {
            submission.student.id: sum(
                grade.auto_score or 0.0 for notebook in submission.notebooks
                for grade in notebook.grades
            )
            for submission in book.assignment_submissions(lab)
        }  # fmt: skip
