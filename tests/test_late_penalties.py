"""Who is late loses what the course's nbgrader plugin says, in every total there is."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import warnings
from datetime import timedelta
from pathlib import Path

import pytest
from downloads import NOTEBOOK, zip_of
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning
from tiny import TINY_LAB

from course_utils.grading.collecting.collect import System, collect
from course_utils.grading.course import Course
from course_utils.grading.exports import TableExport
from course_utils.grading.roster import Student
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)

# As docs/lms.md shows it.
PLUGIN = '''
from nbgrader.plugins import LateSubmissionPlugin


class OnePointADay(LateSubmissionPlugin):
    """A point for every day that has begun."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return -(-total_seconds_late // 86400)
'''
CONFIG = '''
import sys; sys.path.insert(0, "")
c.AssignLatePenalties.plugin_class = "penalties.OnePointADay"
'''
DATES = {
    "ada": "2026-11-20 11:59:59",  # in time
    "emmy": "2026-11-21 12:00:01",  # a day and a second late
    "pal": "2026-11-21 12:00:00",  # a day late, with a day's extension
}
EXPECTED = {"ada": (5.0, 0.0), "emmy": (3.0, 2.0), "pal": (5.0, 0.0)}


def download(path: Path) -> Path:
    text = "".join(
        f"submission_{n}:\n  :submitters:\n  - :name: X\n    :sid: {student}\n"
        f"  :created_at: {date}.000000000 Z\n"
        for n, (student, date) in enumerate(DATES.items())
    )
    files = {f"e/submission_{n}/tiny.ipynb": NOTEBOOK for n in range(len(DATES))}
    return zip_of(path, {"e/submission_metadata.yml": text.encode(), **files})


def test_totals_report_page_and_export_respect_it(released_course: Path, tmp_path: Path) -> None:
    root = shutil.copytree(released_course, tmp_path / "course")
    (root / "penalties.py").write_text(PLUGIN)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(CONFIG)
    course, lab = Course(root), Lab.find(TINY_LAB, root)
    with Gradebook(course.db_url, course.course_id) as book:
        book.update_or_create_assignment(TINY_LAB, duedate="2026-11-20 12:00:00 UTC")
    roster = [Student(name) for name in DATES]
    collect(course, lab, download(tmp_path / "x.zip"), System.GRADESCOPE, roster=roster)
    with Gradebook(course.db_url, course.course_id) as book, warnings.catch_warnings():
        # SQLAlchemy remarks on the order in which nbgrader links its new rows.
        warnings.simplefilter("ignore", SAWarning)
        extended = book.update_or_create_submission(TINY_LAB, "pal")
        extended.extension = timedelta(days=1)
        book.db.commit()
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "grade", TINY_LAB, "--json", "--workers", "1"],
        cwd=root, capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = {one["student"]: one for one in map(json.loads, done.stdout.splitlines())}
    totals = {name: one["total"] for name, one in results.items()}
    assert {name: (one["score"], one["penalty"]) for name, one in totals.items()} == EXPECTED
    late = {name for name, one in results.items() if "late" in {n["code"] for n in one["notices"]}}
    assert late == {"emmy"}
    with (root / "reports" / f"{TINY_LAB}.csv").open(newline="", encoding="utf-8") as file:
        report = {row["student"]: row for row in csv.DictReader(file)}
    found = {name: (float(row["score"]), float(row["penalty"])) for name, row in report.items()}
    assert found == EXPECTED
    page = (root / "feedback" / "emmy" / TINY_LAB / "tiny.html").read_text("utf-8")
    assert "− 2 for lateness" in page
    with Gradebook(course.db_url, course.course_id) as book:
        TableExport(to=str(root / "table.csv")).export(book)
    with (root / "table.csv").open(newline="", encoding="utf-8") as file:
        exported = {row["student_id"]: row for row in csv.DictReader(file)}
    found = {name: (float(row["score"]), float(row["penalty"])) for name, row in exported.items()}
    assert found == EXPECTED
