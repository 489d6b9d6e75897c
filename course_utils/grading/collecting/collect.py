"""A whole download into ``submitted/``, where ``course grade`` and nbgrader find it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from nbgrader.api import Gradebook

from course_utils.grading.assignment import enter
from course_utils.grading.classrun.locking import holding
from course_utils.grading.collecting import canvas, gradescope, moodle
from course_utils.grading.collecting.collected import Record, read_records, write_records
from course_utils.grading.collecting.download import Download, Member
from course_utils.grading.collecting.handed_in import Found, HandedIn, Person
from course_utils.grading.collecting.matching import match
from course_utils.grading.collecting.placing import (
    Placed,
    contents,
    digest,
    is_late,
    place,
)
from course_utils.grading.course import Course
from course_utils.grading.reading.naming import shown
from course_utils.grading.roster import Student, enter_students, known_students
from course_utils.ground.errors import DownloadError
from course_utils.ground.lab import Lab

_MAX_BYTES = 16 * 2**30  # of a whole class


class System(StrEnum):
    """A learning management system whose downloads can be read."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    GRADESCOPE = "gradescope"


_READ: dict[System, Callable[[Sequence[Member], str], Found]] = {
    System.CANVAS: canvas.read, System.MOODLE: moodle.read, System.GRADESCOPE: gradescope.read,
}  # fmt: skip


@dataclass
class Collection:
    """What became of a download.

    Attributes:
        placed: student → what became of their folder.
        late: students whom the system calls late, without a date.
        due: whether the gradebook knows when the lab was due.
        unmatched: of those who are not in the class, a sentence each.
        remarks: what was left out, and why, a sentence each.
        moved: folders of an earlier collection whose owner has another id now, a sentence each.
    """

    placed: dict[str, Placed] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    due: bool = False
    unmatched: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def of(self, state: Placed) -> list[str]:
        """Students whose folder has that state."""
        return sorted(student for student, placed in self.placed.items() if placed is state)


def collect(
    course: Course, lab: Lab, path: Path, system: System,
    *, roster: Sequence[Student] = (), settled: Mapping[str, str] | None = None,
    force: bool = False,
) -> Collection:  # fmt: skip
    """Put what a system gives to download where it is graded.

    Args:
        course, lab: whose.
        path: the download, a zip archive or a folder.
        system: which it is from.
        roster: students of the class besides those whom the gradebook knows; they are entered.
        settled: the student's id by the system's own, where the caller knows it.
        force: replace what somebody has put into a student's folder, or a later download has.

    Raises:
        DownloadError: it cannot be read, or holds nothing that the system would write.
        LabError: the lab is not released.
        BusyError: the lab is being graded.
    """
    with Download(path) as download, holding(course.root / ".course", lab):
        found = _READ[system](download.members, lab.notebook_path.name)
        if not found.files:
            raise DownloadError(
                f"{path} holds no submission as {system.capitalize()} names them"
                + (f"; {found.remarks[0]}" if found.remarks else "")
            )
        enter(course, lab)
        with Gradebook(course.db_url, course.course_id) as gradebook:
            enter_students(gradebook, roster)
            known = known_students(gradebook)
            due = gradebook.find_assignment(lab.name).duedate
        made = Collection(due=due is not None)
        made.remarks = [*download.refused, *found.remarks]
        placing = _Placing(course, lab, system, due, made, force)
        files = _by_person(found.files)
        settled = {**placing.settled, **(settled or {})}
        students, made.unmatched = match(list(files), known, settled)
        by_age = sorted(files, key=lambda person: _order(files[person]))
        last = {students[person]: person for person in by_age}
        _refuse_odd_ids(last)
        for student, person in last.items():
            placing.put(student, person, files[person])
    return made


def _refuse_odd_ids(students: Iterable[str]) -> None:
    for student in students:
        if student != Path(student).name or student == "..":
            raise DownloadError(
                f"{shown(student)} cannot be a folder's name, and so no student's id; change it in "
                "the roster or the gradebook"
            )


def _by_person(files: Sequence[HandedIn]) -> dict[Person, list[HandedIn]]:
    found: defaultdict[Person, list[HandedIn]] = defaultdict(list)
    for file in files:
        found[file.person].append(file)
    return dict(found)


def _order(files: Sequence[HandedIn]) -> float:
    return max(file.order for file in files)


class _Placing:
    """Puts one submission after the other into its folder, and keeps a record of it.

    Attributes:
        settled: student's ids by the system's own, as an earlier collection has found them.
    """

    def __init__(
        self, course: Course, lab: Lab, system: System, due: datetime | None, made: Collection,
        force: bool,
    ) -> None:  # fmt: skip
        self._course, self._lab, self._system = course, lab, system
        self._due, self._made, self._force = due, made, force
        self._records = read_records(course.root, lab.name)
        self._before = {record.id: student for student, record in self._records.items()}
        self.settled = {own: name for own, name in self._before.items() if own != name}
        self._left = _MAX_BYTES

    def put(self, student: str, person: Person, files: Sequence[HandedIn]) -> None:
        """Fill a student's folder.

        Raises:
            DownloadError: the class's files are too much together.
        """
        held = contents(files, self._due, self._made.remarks)
        self._left -= sum(map(len, held.values()))
        if self._left < 0:
            raise DownloadError(
                f"the download unpacks to more than {_MAX_BYTES // 2**30} GiB; nothing was "
                f"collected from {person.id} ({shown(person.name)}) on: unpack it, and look"
            )
        if not held:
            return
        if is_late(files) and not any(file.moment for file in files):
            self._made.late.append(student)
        if (other := self._before.get(person.id, student)) != student:
            self._made.moved.append(f"{shown(other)} is {shown(student)} now")
        done = self._done(student, held, _order(files))
        self._made.placed[student] = done
        if done not in (Placed.KEPT, Placed.OLDER):
            record = Record(self._system, person.id, person.name, digest(held), _order(files))
            self._records[student] = record
            write_records(self._course.root, self._lab.name, self._records)

    def _done(self, student: str, held: dict[Path, bytes], order: float) -> Placed:
        earlier = self._records.get(student)
        folder = self._course.folder("submitted", student, self._lab.name)
        later = earlier and earlier.system == self._system and earlier.order > order
        if later and folder.is_dir() and not self._force:
            return Placed.OLDER
        return place(folder, held, earlier.digest if earlier else "", force=self._force)
