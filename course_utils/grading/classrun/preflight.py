"""What has to hold before a class run writes its first row; each obstacle is one sentence.

Nothing is written here. The strongest proof comes last: the lab's own solution is graded as a
student's notebook is, in a worker and its sandbox, and must get full marks.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from course_utils.grading.classroom import prove
from course_utils.grading.course import Course
from course_utils.grading.crew import AtWork, Crew
from course_utils.grading.database import is_busy
from course_utils.grading.worker import Settings
from course_utils.ground.errors import NotReady
from course_utils.ground.lab import Lab
from course_utils.ground.phases import phase
from course_utils.ground.requirements import install
from course_utils.ground.statuses import Status
from course_utils.verdict.submission import SubmissionResult

# A graded notebook with pictures, its page, and the journal's copy of it.
_BYTES_A_SUBMISSION = 2 * 2**20
_SPARE_BYTES = 64 * 2**20


def check_places(course: Course, folders: list[Path], submissions: int) -> None:
    """Whether gradebook and folders can be written, and have room.

    Raises:
        NotReady: with everything that is in the way.
    """
    obstacles = [*_gradebook(course), *_folders(folders, submissions)]
    if obstacles:
        raise NotReady(obstacles, busy=len(obstacles) == 1 and is_busy(obstacles[0]))


@contextmanager
def proven(lab: Lab, settings: Settings, crew: Crew, submissions: int) -> Iterator[AtWork]:
    """A crew at work which has shown that it can: the tests collect, the solution gets full marks.

    Raises:
        NotReady: with what is wrong.
    """
    with ExitStack() as stack:
        with phase("the lab's own solution"):
            work = stack.enter_context(hired(lab, settings, crew, submissions))
            check_solution(lab, work)
        yield work


@contextmanager
def hired(lab: Lab, settings: Settings, crew: Crew, submissions: int) -> Iterator[AtWork]:
    """A crew at work, of which nothing is proven yet.

    Raises:
        NotReady: with what keeps it from work.
    """
    if found := crew.obstacles(settings):
        raise NotReady([*found])
    with crew.at_work(lab, settings, submissions) as work:
        yield work


def check_solution(lab: Lab, work: AtWork) -> None:
    """Whether a crew grades the lab's own solution, and it gets full marks.

    Raises:
        NotReady: with what is wrong.
    """
    result = prove(lab, work)
    if result.exercises:
        obstacles = list(_lost_points(result))
    else:
        obstacles = [result.message or "the lab's own solution could not be graded"]
    if obstacles:
        raise NotReady(obstacles)


def _lost_points(result: SubmissionResult) -> Iterator[str]:
    for exercise in result.exercises:
        test = next((test for test in exercise.tests if not test.passed), None)
        if not exercise.tests:
            yield f"{exercise.name} has points and no test: mend the lab (course verify says more)"
        elif test is not None:
            seen = test.message if test.status is not Status.NOT_WRITTEN else "not written"
            yield (
                f"the lab's own solution gets {exercise.score:g} of {exercise.max_score:g} points "
                f"for {exercise.name} here: {test.test} says \u201c{seen or test.status}\u201d. "
                "Mend the test, the solution or the machine (course verify says more)"
            )


def _gradebook(course: Course) -> Iterator[str]:
    try:
        engine = create_engine(course.db_url)
    except ModuleNotFoundError as error:
        yield (
            f"the gradebook {course.shown_db_url} wants the package {error.name}, which is not "
            f"installed here. In the course's folder, run:  {install('postgres')}"
        )
        return
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            if tables and (trouble := _another_schema(connection, tables)):
                yield f"{trouble} ({course.shown_db_url})"
            elif tables:
                # Changes nothing, but needs the right and the lock to write.
                connection.execute(text("UPDATE course SET id = id"))
                connection.rollback()
    except SQLAlchemyError as error:
        yield (
            f"the gradebook {course.shown_db_url} cannot be used: {_first_line(error)}"
            f"{_advice(error)}"
        )
    finally:
        engine.dispose()


def _another_schema(connection: Any, tables: list[str]) -> str:
    if "alembic_version" not in tables:
        return "the database is no gradebook of nbgrader's, or one of a very old version"
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found == _newest_schema():
        return ""
    return (
        "the gradebook has the schema of another nbgrader version. Make a copy of it, then run: "
        "nbgrader db upgrade"
    )


def _newest_schema() -> str:
    import nbgrader
    from alembic.script import ScriptDirectory

    folder = Path(nbgrader.__file__).parent / "alembic"
    return str(ScriptDirectory(str(folder)).get_current_head())


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]


def _advice(error: SQLAlchemyError) -> str:
    said = str(error).lower()
    if is_busy(said):
        return ". Another program holds it: close that, or wait for it"
    if "readonly" in said or "unable to open" in said:
        return ". Give this user the right to write it and its folder"
    return ""


def _folders(folders: list[Path], submissions: int) -> Iterator[str]:
    needed = _SPARE_BYTES + submissions * _BYTES_A_SUBMISSION
    for folder in folders:
        place = folder
        while not place.exists():
            place = place.parent
        if not place.is_dir():
            yield f"{place} is a file where a folder is needed: move it away"
            continue
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            yield f"{folder} cannot be written ({error.strerror}): give this user the right to"
            continue
        free = shutil.disk_usage(place).free
        if free < needed:
            yield (
                f"the disk of {folder} has {free / 2**20:.0f} MiB left, and this run may need "
                f"{needed / 2**20:.0f} MiB: make room"
            )
