"""A lab's public tests as its notebook uses them: names, hints, and running them right here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course_utils.notebook.device import best_device
from course_utils.notebook.errors import NotebookError
from course_utils.notebook.locate import TEST_FILE
from course_utils.outcome import TestOutcome
from course_utils.plugin import load_module, mark_of, run_tests
from course_utils.student import NamespaceBackend

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
            module = vars(load_module(folder / TEST_FILE))
        except Exception as error:
            raise NotebookError(
                f"{TEST_FILE} cannot be read: {type(error).__name__}: {error}. {_NOT_YOURS}"
            ) from error
        self._hints: dict[str, Sequence[str]] = module.get("HINTS", {})
        self._derivation: dict[str, str] = module.get("DERIVATION", {})
        marks = (mark_of(test) for name, test in module.items() if name.startswith("test_"))
        self.exercises: list[str] = list(dict.fromkeys(mark.name for mark in marks if mark))

    def require(self, name: str) -> str:
        """The name itself, if the lab has such an exercise.

        Raises:
            NotebookError: it has none; the message gives the nearest name and the whole list.
        """
        if name in self.exercises:
            return name
        near = difflib.get_close_matches(str(name), self.exercises, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise NotebookError(
            f"This lab has no exercise {name!r}.{guess} "
            f"Its exercises are: {', '.join(self.exercises) or 'none'}."
        )

    def hints(self, name: str) -> list[str]:
        """The exercise's hints, from the first nudge to the most concrete."""
        return list(self._hints.get(name, ()))

    def derivation(self, name: str) -> str:
        """Where in the lab's derivation the exercise's formula is found; empty if not said."""
        return self._derivation.get(name, "")

    def run(
        self, namespace: dict[str, Any], exercises: Sequence[str] | None = None
    ) -> list[TestOutcome]:
        """Run the tests (of these exercises only) on the definitions of a namespace.

        Raises:
            NotebookError: the tests cannot run, or the student stopped them.
        """
        backend = _KernelBackend(namespace)
        device = str(best_device())
        try:
            return run_tests(
                [self.folder / TEST_FILE],
                lambda mark: backend,
                exercises=exercises,
                device=device,
            )
        except RuntimeError as error:
            if backend.interrupted_in:
                raise NotebookError(
                    f"Stopped while {backend.interrupted_in} was running. "
                    "If it seemed to take for ever, look for a loop that never ends."
                ) from None
            raise NotebookError(
                f"The tests of this lab cannot run here. {_NOT_YOURS}\n{error}"
            ) from error


class _KernelBackend(NamespaceBackend):
    """Calls the student's functions in this kernel, and lets its stop button end the whole run."""

    interrupted_in = ""

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        response = super().request(request)
        if response.get("raised", {}).get("type") == "KeyboardInterrupt":
            self.interrupted_in = str(request["name"])
            raise KeyboardInterrupt
        return response
