"""pytest as the judge: the run that turns a lab's tests into outcomes.

A lab's tests are ordinary pytest functions. :func:`run_tests` runs them in this process against a
backend (the kernel's own namespace, a namespace of trusted code, or a sandbox) and returns one
:class:`~course_utils.verdict.outcome.TestOutcome` a test. The same function serves ``check`` in a
notebook, the grader, and the release gate.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from course_utils.ground.devices import resolve
from course_utils.ground.errors import LabTestsError
from course_utils.testing.hooks import BackendFor, Judge
from course_utils.testing.lab_tests import lab_tests
from course_utils.testing.settling import charged, withheld
from course_utils.verdict.outcome import TestOutcome


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

    Returns:
        One outcome a test: those of all public tests, exercise by exercise, then the hidden ones'.

    Raises:
        LabTestsError: pytest could not collect the files (a syntax error in a test, say), or the
            GPU failed the judge itself; the message quotes it.
        MemoryError: there was no room for the judge's own work in one of the tests.
    """
    judge = Judge(
        lab_tests(files[0]), backend_for, exercises, tests, seed,
        seed if hidden_seed is None else hidden_seed, lab, device or resolve(), enforce_forbid,
        together,
    )  # fmt: skip
    output = io.StringIO()
    arguments = [
        *(str(path) for path in files),
        "--import-mode=importlib", "-c", os.devnull, "--rootdir", str(files[0].parent),
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
    if judge.exhausted:
        raise MemoryError(f"the judge ran out of memory in {judge.exhausted}")
    if judge.collect_errors or code not in (
        pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        details = "\n".join(judge.collect_errors) or output.getvalue() or f"pytest exit code {code}"
        raise LabTestsError(f"the tests in {files[0].parent} cannot be run:\n{details}")
    return charged(withheld(list(judge.outcomes.values())))


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
