"""What can go wrong for a person to mend: one tree, and the exit codes of the command line.

::

    CourseError                what was asked for makes no sense, or cannot be had here         2
    ├── LabError               a lab's folder is not as it should be
    │   ├── PolicyError        its FORBIDDEN_COST names no cost
    │   └── LabTestsError      its tests cannot be run
    ├── TraceBookError         a file is no book of traces
    ├── DownloadError          what came from a learning management system cannot be read
    ├── RequirementError       packages are missing
    ├── DeviceError            the device that was asked for cannot be used
    ├── SandboxError           the sandbox cannot be used
    ├── ClusterError           a cluster of other machines cannot be used
    ├── NotebookError          in a student's kernel: a sentence in place of a traceback
    │   └── CheckFailed        not every public claim of an exercise holds
    └── RunError               a class run did not end
        ├── NotReady           it cannot begin; nothing was written                             3
        ├── Stopped            it could not go on; the same command goes on                     4
        ├── BusyError          another run is at work on this lab                               5
        └── Interrupted        a person, or the system, has ended it                          130

A message is a sentence, or several, that say what happened and what to do; ``course`` prints it and
ends with the exit code. A run that ended, but has left somebody ungraded, is no error and ends with
:data:`NOT_ALL_GRADED`.

What student code and foreign bytes do is nobody's to mend and not in this tree: ``StudentFault``
and ``Mismatch`` become a test's outcome, ``UnreadableError`` a submission's reason code,
``WireError`` and the channel's errors a refused answer.
"""

from __future__ import annotations

from typing import ClassVar

NOT_ALL_GRADED = 1


class CourseError(Exception):
    """Something that a person can mend; the message says what and how."""

    exit_code: ClassVar[int] = 2

    @property
    def told(self) -> str:
        """What the command line prints."""
        return f"error: {self}"


class LabError(CourseError):
    """A lab's folder is not as it should be; the message says what to mend."""


class PolicyError(LabError):
    """``FORBIDDEN_COST`` of a lab is not as it should be; the message says what to mend."""


class LabTestsError(LabError):
    """A lab's tests could not be run: pytest could not collect them, or the GPU failed the judge
    itself; the message quotes why, a line each."""


class TraceBookError(CourseError):
    """A file is not a book of traces that this version can read; the message says why."""


class DownloadError(CourseError):
    """A download of submissions is not what it should be; the message says why and what to do."""


class RequirementError(CourseError):
    """Packages are missing; the message says which, and how to get them."""


class DeviceError(CourseError):
    """The device that was asked for cannot be used; the message says why and what to do."""


class SandboxError(CourseError):
    """The sandbox cannot be used; the message says why and what to do."""


class ClusterError(CourseError):
    """A cluster of other machines cannot be used; the message says why and what to do."""


class NotebookError(CourseError):
    """Something the student, or the instructor, has to mend; the message says what and how.

    In a notebook it shows as one line, without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [str(self)]


class CheckFailed(NotebookError):
    """Not every public claim of an exercise holds; raised so that Validate sees it."""


class RunError(CourseError):
    """A class run did not end; the message says why and what to do."""

    @property
    def told(self) -> str:
        return str(self)


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

    @property
    def told(self) -> str:
        return f"Nothing was written, since the run cannot begin:\n{self}"


class Stopped(RunError):
    """A run could not go on; what it has done is kept, and the same command goes on."""

    exit_code = 4


class BusyError(RunError):
    """Another run is at work on this lab; the message says whose."""

    exit_code = 5


class Interrupted(RunError):
    """A person, or the system, has ended the run; the same command goes on."""

    exit_code = 130
