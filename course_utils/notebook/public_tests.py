"""A lab's public tests as its notebook uses them: names, hints, and running them right here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.endings import Raised
from course_utils.calls.protocol import Request, Response
from course_utils.ground.describing import describe
from course_utils.ground.errors import LabTestsError, NotebookError
from course_utils.notebook.cells import defining_cell
from course_utils.notebook.device import best_device
from course_utils.notebook.locate import TEST_FILE
from course_utils.notebook.patience import Watch
from course_utils.testing.lab_tests import lab_tests
from course_utils.testing.marker import ExerciseMark
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

_NOT_YOURS = "This is no fault of your code: get a fresh copy of the file, or ask who teaches you."


class PublicTests:
    """The ``test_public.py`` of a lab's folder.

    Attributes:
        folder: the lab's folder.
        exercises: the exercises that have tests, in the file's order.
    """

    def __init__(self, folder: Path) -> None:
        """Read the tests.

        Raises:
            NotebookError: the file cannot be imported.
        """
        self.folder = folder
        try:
            self._tests = lab_tests(folder / TEST_FILE)
        except Exception as error:
            raise NotebookError(
                f"{TEST_FILE} cannot be read: {type(error).__name__}: {error}. {_NOT_YOURS}"
            ) from error
        self.exercises = self._tests.exercises

    def require(self, asked: object, namespace: dict[str, Any]) -> str:
        """The exercise that is asked for, by its name or by one of its functions.

        Args:
            asked: an exercise's name, a function's or a class's name, or one of these itself.
            namespace: the student's definitions, by name.

        Raises:
            NotebookError: there is none; the message gives the nearest name and the whole list.
        """
        names = _names_of(asked, namespace)
        for name in names:
            if name in self.exercises:
                return name
        for name in names:  # an exercise may ask for several functions that are called otherwise
            cell = defining_cell(self.folder, name)
            if cell is not None and cell.exercise in self.exercises:
                return cell.exercise
        exercises = f"exercises are: {', '.join(self.exercises) or 'none'}."
        if not names:
            raise NotebookError(
                f"This asks for an exercise, by its name in quotes or by its function itself, and "
                f"not for {describe(asked)}. This lab's {exercises}"
            )
        lowered = {name.lower(): name for name in self.exercises}
        near = difflib.get_close_matches(names[0].lower(), lowered, n=1)
        guess = f" Did you mean {lowered[near[0]]!r}?" if near else ""
        raise NotebookError(f"This lab has no exercise {names[0]!r}.{guess} Its {exercises}")

    def hints(self, name: str) -> list[str]:
        """The exercise's hints, from the first nudge to the most concrete."""
        return list(self._tests.hints.get(name, ()))

    def derivation(self, name: str) -> str:
        """Where in the lab's derivation the exercise's formula is found; empty if not said."""
        return self._tests.derivation.get(name, "")

    def run(
        self, namespace: dict[str, Any], exercises: Sequence[str] | None = None
    ) -> list[TestOutcome]:
        """Run the tests (of these exercises only) on the definitions of a namespace.

        Raises:
            NotebookError: the tests cannot run, or the student stopped them.
        """
        device = str(best_device())
        with Watch() as watch:
            backend = _KernelBackend(namespace, watch)
            try:
                return run_tests(
                    [self.folder / TEST_FILE],
                    backend.serving,
                    exercises=exercises,
                    device=device,
                )
            except KeyboardInterrupt:
                if not backend.interrupted_in:
                    raise
                raise NotebookError(
                    f"Stopped while {backend.interrupted_in} was running. "
                    "If it seemed to take for ever, look for a loop that never ends."
                ) from None
            except LabTestsError as error:
                raise NotebookError(
                    f"The tests of this lab cannot run here. {_NOT_YOURS}\n{error}"
                ) from error


def _names_of(asked: object, namespace: dict[str, Any]) -> list[str]:
    """What an exercise may be called that is asked for in this way; none if it has no name."""
    if isinstance(asked, str):
        return [asked]
    if not callable(asked):
        return []
    own = getattr(asked, "__name__", None)
    bound = [name for name, value in namespace.items() if value is asked]
    return [*([own] if isinstance(own, str) else []), *bound]


class _KernelBackend(NamespaceBackend):
    """Calls the student's functions in this kernel, and lets its stop button end the whole run."""

    def __init__(self, namespace: dict[str, Any], watch: Watch) -> None:
        super().__init__(namespace)
        self._watch = watch
        self._exercise = ""
        self.interrupted_in = ""

    def serving(self, mark: ExerciseMark) -> _KernelBackend:
        """This backend, for a test of an exercise."""
        self._exercise = mark.name
        return self

    def request(self, request: Request) -> Response:
        # A probe has a name that no student knows.
        name = self._exercise if request.probe else request.name
        with self._watch.call(name):
            response = super().request(request)
        if isinstance(response.ending, Raised) and response.ending.stopped:
            self.interrupted_in = name
            raise KeyboardInterrupt
        return response
