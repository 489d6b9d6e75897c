"""The journal of class runs: every verdict is in it before the gradebook hears of it.

So a run that was killed, interrupted, or lost its database goes on where it stopped, a feedback
page can be made anew when a person has added marks or comments, and a regrade can say which claims
turned. It is a SQLite file beside the gradebook (``.course/journal.db``), in write-ahead mode: an
entry is there as a whole or not at all. It may be deleted at any time, at the price of these three.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from course_utils.grading.classrun.records import from_record, to_record
from course_utils.ground import strict_json
from course_utils.verdict.submission import SubmissionResult

_BUSY_SECONDS = 30.0
# A journal of another form is set aside, never misread.
VERSION = 1

_TABLES = f"""
    PRAGMA user_version = {VERSION};
    CREATE TABLE IF NOT EXISTS run (
        id INTEGER PRIMARY KEY, lab TEXT NOT NULL, key TEXT NOT NULL, who TEXT NOT NULL,
        started TEXT NOT NULL, finished TEXT
    );
    CREATE TABLE IF NOT EXISTS verdict (
        lab TEXT NOT NULL, student TEXT NOT NULL, run INTEGER NOT NULL, digest TEXT NOT NULL,
        record TEXT NOT NULL, notebook BLOB, written INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (lab, student)
    );
    CREATE TABLE IF NOT EXISTS fault (
        lab TEXT NOT NULL, student TEXT NOT NULL, message TEXT NOT NULL,
        PRIMARY KEY (lab, student)
    );
    CREATE TABLE IF NOT EXISTS before (
        run INTEGER NOT NULL, student TEXT NOT NULL, marks TEXT NOT NULL,
        PRIMARY KEY (run, student)
    );
"""


@dataclass(frozen=True)
class Entry:
    """One student's last verdict.

    Attributes:
        result: the verdict, with the notebook as it ran as long as that is not written.
        digest: of the submission's bytes.
        run: the number of the run that it belongs to.
        written: whether gradebook and files have it.
    """

    result: SubmissionResult
    digest: str
    run: int
    written: bool


class Journal:
    """The journal of a course; use it as a context manager.

    Args:
        folder: where it lies; made when it is first needed.
        reading: nothing is to be written, not even a file that is not there yet.

    Raises:
        sqlite3.Error, OSError: it cannot be opened, or, later, be written.
    """

    def __init__(self, folder: Path, *, reading: bool = False) -> None:
        path = folder / "journal.db"
        if reading:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            return
        folder.mkdir(parents=True, exist_ok=True)
        _set_aside_another_version(path)
        self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_TABLES)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._db.close()

    def unfinished(self, lab: str, key: str) -> int | None:
        """The number of the lab's last run, if that did not finish and graded the same way."""
        row = self._db.execute(
            "SELECT id, key, finished FROM run WHERE lab = ? ORDER BY id DESC LIMIT 1", (lab,)
        ).fetchone()
        return int(row[0]) if row and row[1] == key and row[2] is None else None

    def begin(self, lab: str, key: str, before: Mapping[str, Any]) -> int:
        """Enter a new run.

        What an unfinished run of the lab knew of the marks before it still holds: nobody was told
        yet what it has changed.

        Args:
            lab: its name.
            key: a checksum of all that decides the verdicts but the submissions.
            before: student → what is known of the marks that the run may change.

        Returns:
            The run's number.
        """
        before = dict(before) | self._untold(lab)
        with self._db:
            number = self._db.execute(
                "INSERT INTO run (lab, key, who, started) VALUES (?, ?, ?, ?)",
                (lab, key, whoami(), _now()),
            ).lastrowid
            self._db.executemany(
                "INSERT INTO before (run, student, marks) VALUES (?, ?, ?)",
                [(number, student, strict_json.dumps(marks)) for student, marks in before.items()],
            )
        assert number is not None
        return number

    def _untold(self, lab: str) -> dict[str, Any]:
        row = self._db.execute(
            "SELECT id, finished FROM run WHERE lab = ? ORDER BY id DESC LIMIT 1", (lab,)
        ).fetchone()
        return self.before(row[0]) if row and row[1] is None else {}

    def finish(self, run: int) -> None:
        """Close a run, and forget what only an unfinished one needs."""
        with self._db:
            self._db.execute("UPDATE run SET finished = ? WHERE id = ?", (_now(), run))
            self._db.execute(
                "DELETE FROM before WHERE run <= ? AND run IN "
                "(SELECT id FROM run WHERE lab = (SELECT lab FROM run WHERE id = ?))", (run, run),
            )  # fmt: skip

    def before(self, run: int) -> dict[str, Any]:
        """Student → what :meth:`begin` was told."""
        rows = self._db.execute("SELECT student, marks FROM before WHERE run = ?", (run,))
        return {student: json.loads(marks) for student, marks in rows}

    def add(self, run: int, digest: str, result: SubmissionResult) -> None:
        """Enter a verdict in place of the student's last one."""
        notebook = None
        if result.notebook is not None:
            notebook = zlib.compress(strict_json.dumps(result.notebook).encode(), 1)
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO verdict (lab, student, run, digest, record, notebook) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    result.lab, result.student, run, digest, strict_json.dumps(to_record(result)),
                    notebook,
                ),
            )  # fmt: skip
            self._db.execute(
                "DELETE FROM fault WHERE lab = ? AND student = ?", (result.lab, result.student)
            )

    def add_fault(self, result: SubmissionResult) -> None:
        """Note that a student's last grading met a fault of the grader's; the verdict stands."""
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO fault (lab, student, message) VALUES (?, ?, ?)",
                (result.lab, result.student, result.message),
            )

    def faults(self, lab: str) -> dict[str, str]:
        """The students of a lab whose last grading met a fault of the grader's, and its message."""
        return dict(self._db.execute("SELECT student, message FROM fault WHERE lab = ?", (lab,)))

    def mark_written(self, result: SubmissionResult) -> None:
        """Note that gradebook and files have a student's verdict; its notebook is among these."""
        with self._db:
            self._db.execute(
                "UPDATE verdict SET written = 1, notebook = NULL, record = ? "
                "WHERE lab = ? AND student = ?",
                (strict_json.dumps(to_record(result)), result.lab, result.student),
            )

    def entries(self, lab: str) -> dict[str, Entry]:
        """Student → last verdict; one that another version wrote is passed over."""
        rows = self._db.execute(
            "SELECT student, record, notebook, digest, run, written FROM verdict WHERE lab = ?",
            (lab,),
        )
        found: dict[str, Entry] = {}
        for student, record, notebook, checksum, run, written in rows:
            try:
                result = from_record(json.loads(record))
            except ValueError:
                continue
            if notebook is not None:
                result = replace(result, notebook=json.loads(zlib.decompress(notebook)))
            found[student] = Entry(result, checksum, run, bool(written))
        return found

    def labs(self) -> set[str]:
        """The labs of which there is a verdict."""
        return {lab for (lab,) in self._db.execute("SELECT DISTINCT lab FROM verdict")}

    def last_run(self, lab: str) -> str:
        """Who began the lab's last run, and when: a phrase for a sentence."""
        row = self._db.execute(
            "SELECT who, started FROM run WHERE lab = ? ORDER BY id DESC LIMIT 1", (lab,)
        ).fetchone()
        return f"{row[0]}, since {row[1]}" if row else "another run"


def whoami() -> str:
    """This process, for people: user, machine and number."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or f"user {os.getuid()}"
    return f"{user} on {socket.gethostname()} (process {os.getpid()})"


def _now() -> str:
    return datetime.now().astimezone().isoformat(" ", "seconds")


def _set_aside_another_version(path: Path) -> None:
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as db:
            known = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError:  # busy, or no place on the disk: it may be a good one
        raise
    except sqlite3.DatabaseError:  # no database at all
        known = None
    if known not in (0, VERSION):
        for part in (path, *path.parent.glob(f"{path.name}-*")):
            part.rename(part.with_name(f"{part.name}.old"))
