"""A folder into which notebooks are dropped: each is graded, and what came of it laid beside it.

There is no gradebook here. Beside ``ada.ipynb`` come ``ada.feedback.html``, the page that students
read, and ``ada.result.json``, the documented JSON. A notebook is graded as soon as two looks find
it the same. The verdict is laid beside it when it has been the same for a while, and thrown away
where it has changed: then it is graded again. Whoever may write there may put links, pipes and
folders there: only regular files are read, and what is written takes the place of a name and goes
through no link.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading import feedback
from course_utils.grading.judge import not_graded, refused
from course_utils.grading.reading.files import read_found
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.totals import CellMark, StudentMarks
from course_utils.ground import strict_json
from course_utils.ground.cells import check_id
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import SubmissionStatus
from course_utils.verdict.submission import Notice, SubmissionResult

# How often the folder is looked at, and for how long a file must be the same to be answered.
LOOK_SECONDS = 0.05
_REST_SECONDS = 0.5
_NOTEBOOK, _PAGE, _RESULT = ".ipynb", ".feedback.html", ".result.json"


@dataclass(frozen=True)
class _State:
    """What tells one content of a file from another, without reading it; ``changed`` is when it
    was written or came under this name, which nobody who hands in can set."""

    size: int
    changed: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> _State:
        return cls(found.st_size, found.st_ctime_ns, found.st_ino)


@dataclass(frozen=True)
class _Running:
    """A notebook that is graded: since when, and which content of it."""

    future: Future[SubmissionResult]
    since: float
    state: _State


@dataclass(frozen=True)
class Answered:
    """A notebook, what came of it, and the seconds from the moment it was seen at rest.

    ``why`` says why nothing could be laid beside it, where that is so.
    """

    name: str
    result: SubmissionResult
    seconds: float
    why: str = ""


class Inbox:
    """Grades what is dropped into a folder.

    Args:
        folder: the folder.
        lab: whose notebooks these are.
        submit: has a notebook's bytes graded, of a student who is called as the file is.
    """

    def __init__(
        self, folder: Path, lab: Lab, submit: Callable[[bytes, str], Future[SubmissionResult]]
    ) -> None:
        self._folder, self._lab, self._submit = folder.resolve(), lab, submit
        self._seen: dict[str, _State] = {}
        self._taken: dict[str, _State] = {}
        self._running: dict[str, _Running] = {}

    def look(self) -> list[Answered]:
        """Look once: take what is at rest and not answered, answer what is graded."""
        self.take()
        return self.answers()

    def take(self) -> None:
        """Have graded what is at rest and not answered."""
        now = dict(self._notebooks())
        for name, state in now.items():
            at_rest = self._seen.get(name) == state
            if at_rest and name not in self._running and self._taken.get(name) != state:
                known = name not in self._taken and self._is_answered(name, state)
                self._taken[name] = state
                if not known:
                    began = time.perf_counter()
                    self._running[name] = _Running(self._graded(name), began, state)
        self._seen = now
        self._taken = {name: state for name, state in self._taken.items() if name in now}

    def answers(self) -> list[Answered]:
        """Lay what is graded beside the notebooks."""
        late = time.perf_counter() - _REST_SECONDS
        ready = [
            name for name, one in self._running.items() if one.future.done() and one.since <= late
        ]
        return [answered for name in ready if (answered := self._answered(name)) is not None]

    @property
    def busy(self) -> bool:
        """Whether something is graded now, or is not at rest yet."""
        return bool(self._running) or self._seen != self._taken

    def _notebooks(self) -> Iterator[tuple[str, _State]]:
        with os.scandir(self._folder) as found:
            for entry in sorted(found, key=lambda entry: entry.name):
                name = entry.name
                with suppress(OSError):  # gone by now
                    if (
                        name.endswith(_NOTEBOOK) and not name.startswith(".")
                        and entry.is_file(follow_symlinks=False)
                    ):  # fmt: skip
                        yield name, _State.of(entry.stat(follow_symlinks=False))

    def _is_answered(self, name: str, state: _State) -> bool:
        """Whether its result is of this very content: an earlier watch has graded it."""
        with suppress(OSError):
            dated = os.lstat(self._beside(name, _RESULT)).st_mtime_ns
            return dated // 1000 == state.changed // 1000  # some file systems keep microseconds
        return False

    def _state(self, name: str) -> _State | None:
        with suppress(OSError):
            return _State.of(os.lstat(self._folder / name))
        return None

    def _graded(self, name: str) -> Future[SubmissionResult]:
        student = name.removesuffix(_NOTEBOOK)
        try:
            return self._submit(read_found(self._folder / name), student)
        except UnreadableError as error:
            result = refused(self._lab, student, error.status, Notice(error.reason, error.message))
        except OSError as error:
            result = not_graded(self._lab, student, f"{name} cannot be read: {error.strerror}")
        done: Future[SubmissionResult] = Future()
        done.set_result(result)
        return done

    def _answered(self, name: str) -> Answered | None:
        """Lay the verdict beside a notebook, unless that is by now another one, or gone."""
        one = self._running.pop(name)
        if self._state(name) != one.state:
            self._taken.pop(name, None)
            return None
        try:
            result = one.future.result()
        except Exception as error:  # a worker that was killed, or lost on the way
            why = f"the grader failed: {type(error).__name__}: {error}"
            result = not_graded(self._lab, name.removesuffix(_NOTEBOOK), why)
        why = ""
        if result.status is SubmissionStatus.INTERNAL_ERROR:
            why = result.message  # nothing that a student should read
        else:
            try:
                self._lay(name, _PAGE, feedback.page(result, marks_of(result)))
                self._lay(name, _RESULT, strict_json.dumps(result.to_dict(), indent=1) + "\n")
                # By this a later watch knows which content it is of.
                os.utime(self._beside(name, _RESULT), ns=(one.state.changed,) * 2)
            except OSError as error:
                why = f"nothing could be laid beside it: {error.strerror or error}"
        return Answered(name, result, time.perf_counter() - one.since, why)

    def _beside(self, name: str, ending: str) -> Path:
        return self._folder / f"{name.removesuffix(_NOTEBOOK)}{ending}"

    def _lay(self, name: str, ending: str, text: str) -> None:
        descriptor, made = tempfile.mkstemp(dir=self._folder, prefix=".")
        try:
            with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            os.chmod(made, 0o644)
            os.replace(made, self._beside(name, ending))
        except BaseException:
            with suppress(OSError):
                os.unlink(made)
            raise


def marks_of(result: SubmissionResult) -> StudentMarks:
    """What a gradebook would hold of a verdict that nobody has looked at yet."""
    cells = {
        check_id(one.name): CellMark(
            automatic=one.score, manual=None, extra=0.0, max_score=one.max_score, to_grade=False
        )
        for one in result.exercises
    }
    cells |= {
        one.name: CellMark(
            automatic=one.score, manual=None, extra=0.0, max_score=one.max_score,
            to_grade=one.score is None,
        )
        for one in result.written
    }  # fmt: skip
    return StudentMarks(cells)
