"""pytest as the judge: the run that turns a lab's tests into outcomes.

A lab's tests are ordinary pytest functions. :func:`run_tests` runs them in this process against a
backend (the kernel's own namespace, a namespace of trusted code, or a sandbox) and returns one
:class:`~course_utils.verdict.outcome.TestOutcome` a test. The same function serves ``check`` in a
notebook, the grader, and the release gate. The gate makes thousands of runs, in each of which
starting pytest would take longer than the tests do: see :func:`in_one_session`.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

import pytest

from course_utils.ground.devices import resolve
from course_utils.ground.errors import LabTestsError
from course_utils.testing.asked import BackendFor, Run
from course_utils.testing.hooks import Judge
from course_utils.testing.settling import charged, withheld
from course_utils.verdict.outcome import TestOutcome

Made = TypeVar("Made")


def run_tests(
    files: Sequence[Path],
    backend_for: BackendFor,
    *,
    exercises: Sequence[str] | None = None,
    tests: Collection[str] | None = None,
    seed: int = 0,
    hidden_seed: int | None = None,
    lab: str = "",
    device: str | None = None,
    enforce_forbid: bool = True,
    together: bool = False,
    evidence: bool = True,
) -> list[TestOutcome]:
    """Run a lab's test files against a student's definitions.

    Args:
        files: ``test_public.py`` first (it defines ``Reference`` and shared fixtures), then
            ``hidden/test_hidden.py`` where there is one. Tests of a file in a folder named
            ``hidden`` are hidden tests.
        backend_for: gives, for a test's marker, the backend that carries out its calls.
        exercises: only these; all by default.
        tests: of them only these, by name; all by default.
        seed: every test's random stream follows from this and the test's name.
        hidden_seed: the same for hidden tests, where it is another one.
        lab: the lab's name, as its stubs write it; in a student's kernel, where its folder may be
            called anything, it is not known.
        device: "cpu" or "cuda"; by default see :func:`course_utils.ground.devices.resolve`.
        enforce_forbid: False where a variant that adapts a forbidden built-in is tested.
        together: whether ``backend_for`` gives the public tests of all exercises one backend. Where
            one does not pass, those of its exercise are run once more, marked as alone, before any
            hidden one; only that counts, so that no exercise pays for what another one has left.
        evidence: whether outcomes hold what the calls were like and what they returned, from which
            a mistake is named; False where only the marks are wanted.

    Returns:
        One outcome a test: those of all public tests, exercise by exercise, then the hidden ones'.

    Raises:
        LabTestsError: pytest could not collect the files (a syntax error in a test, say), or the
            GPU failed the judge itself; the message quotes it.
        MemoryError: there was no room for the judge's own work in one of the tests.
    """
    run = Run(
        backend_for, exercises, tests, seed, seed if hidden_seed is None else hidden_seed, lab,
        device or resolve(), enforce_forbid, together, evidence,
    )  # fmt: skip
    shared = _shared.get()
    if shared is not None and shared.collected(files):
        shared.make(run)
        errors = shared.collect_errors + run.errors
    else:
        errors = _alone(files, run)
    if run.exhausted:
        raise MemoryError(f"the judge ran out of memory in {run.exhausted}")
    if errors:
        raise _cannot_be_run(files, "\n".join(errors))
    return charged(withheld(list(run.outcomes.values())))


def in_one_session(files: Sequence[Path], work: Callable[[], Made]) -> Made:
    """Do some work in which every :func:`run_tests` of these files is made in one pytest session.

    No run learns of another: modules are imported once a process anyway, and after each run all
    fixtures are taken down.

    Returns:
        What the work returns.

    Raises:
        LabTestsError: pytest could not collect the files.
        BaseException: whatever the work raises.
    """
    made: list[Made] = []
    stderr = sys.stderr

    def sharing() -> None:
        token = _shared.set(judge)
        try:
            with contextlib.redirect_stderr(stderr):  # what pytest prints is all that is kept back
                made.append(work())
        finally:
            _shared.reset(token)

    judge = Judge(files, None, sharing)
    _session(files, judge)
    return made[0]


def _alone(files: Sequence[Path], run: Run) -> list[str]:
    """Make a run in a session of its own: what was wrong that is not the student's."""
    judge = Judge(files, run.exercises, lambda: judge.make(run))
    _session(files, judge)
    return judge.collect_errors + run.errors


# The session in which runs are made, where they share one.
_shared: ContextVar[Judge | None] = ContextVar("shared", default=None)


def _session(files: Sequence[Path], judge: Judge) -> None:
    """A session of pytest, from its start to its end."""
    output = io.StringIO()
    folder = str(files[0].parent)
    arguments = [
        *(str(path) for path in files),
        "--import-mode=importlib", "-c", os.devnull, "--rootdir", folder,
        # Else pytest looks through every folder from the root of the file system down.
        "--confcutdir", folder, "--noconftest",
        "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:doctest", "-p", "no:unittest",
        "-p", "no:logging", "-p", "no:junitxml", "-p", "no:warnings", "-p", "no:faulthandler",
        "-p", "no:capture", "-p", "no:unraisableexception", "-p", "no:threadexception",
        "-p", "no:setuponly", "-p", "no:setupplan", "-p", "no:stepwise", "-p", "no:pastebin",
        "-p", "no:legacypath", "-p", "no:subtests", "-p", "no:recwarn", "-p", "no:python_path",
    ]  # fmt: skip
    with (
        _no_plugin_autoload(),
        _one_thread(),
        warnings.catch_warnings(),
        contextlib.redirect_stderr(output),
    ):
        warnings.simplefilter("ignore")  # a library's warning must never cost a mark
        code = pytest.main(arguments, plugins=[judge])
    if judge.failure is not None:
        raise judge.failure
    if not judge.collect_errors and code not in (
        pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        raise _cannot_be_run(files, output.getvalue() or f"pytest exit code {code}")


def _cannot_be_run(files: Sequence[Path], details: str) -> LabTestsError:
    return LabTestsError(f"the tests in {files[0].parent} cannot be run:\n{details}")


@contextlib.contextmanager
def _no_plugin_autoload() -> Iterator[None]:
    """Keep whatever pytest plugins a machine has out of a verdict."""
    kept = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    addopts = os.environ.pop("PYTEST_ADDOPTS", None)
    current = os.environ.get("PYTEST_CURRENT_TEST")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        if kept is None:
            os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
        else:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = kept
        if addopts is not None:
            os.environ["PYTEST_ADDOPTS"] = addopts
        if current is not None:
            os.environ["PYTEST_CURRENT_TEST"] = current


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Compute references on one thread: on a test's small arrays, waking a pool costs the most."""
    import torch

    kept = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(kept)
