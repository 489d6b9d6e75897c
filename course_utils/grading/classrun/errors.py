"""How a class run can fail to end well; each way has an exit code of its own (docs/faults.md)."""

from __future__ import annotations

from typing import ClassVar

# The run ended, and a fault of the grader's has left somebody ungraded.
NOT_ALL_GRADED = 1
# What was asked for makes no sense: an unknown lab, a file that is not there.
USAGE = 2


class RunError(Exception):
    """A class run did not end; the message says why and what to do."""

    exit_code: ClassVar[int]


class NotReady(RunError):
    """A run cannot begin; nothing was written.

    Args:
        obstacles: what is in the way, a sentence each.
        busy: whether it is only that another program holds the gradebook for a while.
    """

    exit_code = 3

    def __init__(self, obstacles: list[str], *, busy: bool = False) -> None:
        super().__init__("\n".join(obstacles))
        self.busy = busy


class Stopped(RunError):
    """A run could not go on; what it has done is kept, and the same command goes on."""

    exit_code = 4


class BusyError(RunError):
    """Another run is at work on this lab; the message says whose."""

    exit_code = 5


class Interrupted(RunError):
    """A person, or the system, has ended the run; the same command goes on."""

    exit_code = 130
