"""The journal of class runs: every verdict is in it before the gradebook hears of it.

So a run that was killed, interrupted, or lost its database goes on where it stopped, a feedback
page can be made anew when a person has added marks or comments, a regrade can say which claims
turned, and what has not changed is not judged again: with a verdict stand the checksums of what it
rests on (``key.py``), signed, since only the course's own is believed. It is a SQLite file beside
the gradebook (``.course/journal.db``), in write-ahead mode: an entry is there as a whole or not at
all. It holds one verdict a student and lab, and may be deleted at any time, at the price of these
four.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from course_utils.grading.classrun.key import Keys
from course_utils.grading.classrun.records import from_record, to_record
from course_utils.grading.classrun.signing import Signer
from course_utils.ground import strict_json
from course_utils.verdict.submission import SubmissionResult

_BUSY_SECONDS = 30.0
# A journal of another form is set aside, never misread; one of version 1 gets the columns it lacks.
VERSION = 2

_TABLES = f"""
    PRAGMA user_version = {VERSION};
    CREATE TABLE IF NOT EXISTS run (
        id INTEGER PRIMARY KEY, lab TEXT NOT NULL, key TEXT NOT NULL, who TEXT NOT NULL,
        started TEXT NOT NULL, finished TEXT
    );
    CREATE TABLE IF NOT EXISTS verdict (
        lab TEXT NOT NULL, student TEXT NOT NULL, run INTEGER NOT NULL, digest TEXT NOT NULL,
        record TEXT NOT NULL, notebook BLOB, written INTEGER NOT NULL DEFAULT 0,
        keys TEXT NOT NULL DEFAULT '', signature TEXT NOT NULL DEFAULT '',
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
_FROM_VERSION_1 = """
    BEGIN;
    ALTER TABLE verdict ADD COLUMN keys TEXT NOT NULL DEFAULT '';
    ALTER TABLE verdict ADD COLUMN signature TEXT NOT NULL DEFAULT '';
    PRAGMA user_version = 2;
    COMMIT;
"""


@dataclass(frozen=True)
class Entry:
    """One student's last verdict.

    Attributes:
        result: the verdict, with the notebook as it ran as long as that is not written.
        digest: of the submission's bytes.
        run: the number of the run that it belongs to.
        written: whether gradebook and files have it.
        keys: of what else the verdict rests on; None where that is not known, or not signed.
    """

    result: SubmissionResult
    digest: str
    run: int
    written: bool
    keys: Keys | None = None


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
            self._signer = Signer(folder, reading=True)
            self._signed = self._db.execute("PRAGMA user_version").fetchone()[0] == VERSION
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._signer = Signer(folder)
        known = _version(path)
        if known not in (0, 1, VERSION):
            _set_aside(path)
        self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        self._db.execute("PRAGMA journal_mode = WAL")
        if known == 1:
            self._db.executescript(_FROM_VERSION_1)
        self._db.executescript(_TABLES)
        self._signed = True

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

    def begin(self, lab: str, key: str, before: Iterable[tuple[str, Any]]) -> int:
        """Enter a new run.

        What an unfinished run of the lab knew of the marks before it still holds: nobody was told
        yet what it has changed.

        Args:
            lab: its name.
            key: a checksum of all that decides the verdicts but the submissions.
            before: students, each with what is known of the marks that the run may change.

        Returns:
            The run's number.
        """
        with self._db:
            number = self._db.execute(
                "INSERT INTO run (lab, key, who, started) VALUES (?, ?, ?, ?)",
                (lab, key, whoami(), _now()),
            ).lastrowid
            self._db.executemany(
                "INSERT INTO before (run, student, marks) VALUES (?, ?, ?)",
                ((number, student, strict_json.dumps(marks)) for student, marks in before),
            )
            self._db.execute(
                "INSERT OR REPLACE INTO before (run, student, marks) "
                "SELECT ?, student, marks FROM before WHERE run = "
                "(SELECT id FROM run WHERE lab = ? AND id < ? AND finished IS NULL "
                " AND id = (SELECT max(id) FROM run WHERE lab = ? AND id < ?))",
                (number, lab, number, lab, number),
            )
        assert number is not None
        return number

    def finish(self, run: int) -> None:
        """Close a run, and forget what only an unfinished one needs."""
        with self._db:
            self._db.execute("UPDATE run SET finished = ? WHERE id = ?", (_now(), run))
            self._db.execute(
                "DELETE FROM before WHERE run <= ? AND run IN "
                "(SELECT id FROM run WHERE lab = (SELECT lab FROM run WHERE id = ?))", (run, run),
            )  # fmt: skip

    def touched(self, run: int) -> set[str]:
        """The students of whom :meth:`begin` was told; none once the run is finished."""
        rows = self._db.execute("SELECT student FROM before WHERE run = ?", (run,))
        return {row[0] for row in rows}

    def before(self, run: int, student: str) -> Any:
        """What :meth:`begin` was told of a student; None where it was not told of one."""
        row = self._db.execute(
            "SELECT marks FROM before WHERE run = ? AND student = ?", (run, student)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def add(self, run: int, digest: str, result: SubmissionResult, keys: Keys) -> None:
        """Enter a verdict in place of the student's last one."""
        notebook = None
        if result.notebook is not None:
            notebook = zlib.compress(strict_json.dumps(result.notebook).encode(), 1)
        record, rests_on = to_record(result), keys.to_text()
        signature = self._signer.sign(result.lab, result.student, digest, record, rests_on)
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO verdict "
                "(lab, student, run, digest, record, notebook, keys, signature) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (result.lab, result.student, run, digest, record, notebook, rests_on, signature),
            )
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
        of_whom = result.lab, result.student
        record = to_record(result)
        with self._db:
            digest, rests_on = self._db.execute(
                "SELECT digest, keys FROM verdict WHERE lab = ? AND student = ?", of_whom
            ).fetchone()
            signature = self._signer.sign(*of_whom, digest, record, rests_on)
            self._db.execute(
                "UPDATE verdict SET written = 1, notebook = NULL, record = ?, signature = ? "
                "WHERE lab = ? AND student = ?",
                (record, signature, *of_whom),
            )

    def students(self, lab: str) -> set[str]:
        """The students of a lab of whom there is a verdict."""
        rows = self._db.execute("SELECT student FROM verdict WHERE lab = ?", (lab,))
        return {row[0] for row in rows}

    def entry(self, lab: str, student: str) -> Entry | None:
        """A student's last verdict; None where there is none, or another version wrote it."""
        signed = "keys, signature" if self._signed else "'', ''"
        row = self._db.execute(
            f"SELECT record, notebook, digest, run, written, {signed} FROM verdict "
            "WHERE lab = ? AND student = ?", (lab, student),
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        record, notebook, checksum, run, written, rests_on, signature = row
        try:
            result = from_record(record)
        except ValueError:
            return None
        if notebook is not None:
            result = replace(result, notebook=json.loads(zlib.decompress(notebook)))
        ours = self._signer.is_ours(signature, lab, student, checksum, record, rests_on)
        keys = Keys.from_text(rests_on) if ours else None
        return Entry(result, checksum, run, bool(written), keys)

    def labs(self) -> set[str]:
        """The labs of which there is a verdict."""
        return {lab for (lab,) in self._db.execute("SELECT DISTINCT lab FROM verdict")}

    def last_run(self, lab: str) -> str:
        """Who began the lab's last run, and when: a phrase for a sentence."""
        row = self._db.execute(
            "SELECT who, started FROM run WHERE lab = ? ORDER BY id DESC LIMIT 1", (lab,)
        ).fetchone()
        return f"{row[0]}, since {row[1]}" if row else "another run"


def is_readable(folder: Path) -> bool:
    """Whether a journal lies in a folder, of a form that is known here. Another is set aside by
    whoever is the next to write."""
    return _version(folder / "journal.db") in (1, VERSION)


def whoami() -> str:
    """This process, for people: user, machine and number."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or f"user {os.getuid()}"
    return f"{user} on {socket.gethostname()} (process {os.getpid()})"


def _now() -> str:
    return datetime.now().astimezone().isoformat(" ", "seconds")


def _version(path: Path) -> int | None:
    """The form of the journal that lies there; 0 where there is none yet, None where what lies
    there is no database."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as db:
            return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.OperationalError:  # busy, or no place on the disk: it may be a good one
        raise
    except sqlite3.DatabaseError:
        return None


def _set_aside(path: Path) -> None:
    for part in (path, *path.parent.glob(f"{path.name}-*")):
        part.rename(part.with_name(f"{part.name}.old"))
