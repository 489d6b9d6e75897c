"""One program at a time writes what belongs to a lab."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from course_utils.grading.classrun.journal import Journal
from course_utils.ground.errors import BusyError, NotReady
from course_utils.ground.lab import Lab


@contextlib.contextmanager
def holding(state: Path, lab: Lab) -> Iterator[None]:
    """Hold a lab's lock.

    Args:
        state: the course's own folder for such things; made when it is first needed.
        lab: whose.

    Raises:
        BusyError: somebody else holds it; the message says who.
        NotReady: the folder cannot be used.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        held = FileLock(state / f"{lab.name}.lock", timeout=0).acquire()
    except Timeout:
        raise BusyError(
            f"{lab.name} is being graded already ({_holder(state, lab)}). Wait for that run, or "
            "stop it"
        ) from None
    except OSError as error:
        raise NotReady([f"{state} cannot be used: {error.strerror or error}"]) from None
    with held:
        yield


def _holder(state: Path, lab: Lab) -> str:
    with contextlib.suppress(OSError, sqlite3.Error), Journal(state, reading=True) as journal:
        return journal.last_run(lab.name)
    return "another run"
