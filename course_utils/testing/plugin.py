"""pytest as the judge: the marker, the fixtures and the run that turns tests into outcomes.

A lab's tests are ordinary pytest functions. :func:`run_tests` runs them in this process against a
backend (the kernel's own namespace, a namespace of trusted code, or a sandbox) and returns one
:class:`~course_utils.verdict.outcome.TestOutcome` a test. The same function serves ``check`` in a
notebook, the grader, and the release gate.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import os
import re
import sys
import traceback
import warnings
import zlib
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from course_utils.calls.policy import Cost, Policy, PolicyError, policy_of
from course_utils.calls.proxy import Backend, Student, StudentFault
from course_utils.ground import compare
from course_utils.ground.devices import context_lost, out_of_memory, resolve
from course_utils.ground.statuses import Aspect, Status
from course_utils.ground.stub import unwritten_in
from course_utils.verdict.outcome import TestOutcome


def exercise(
    name: str,
    *,
    about: str = "idea",
    stated: str = "",
    part: str = "",
    weight: float = 1.0,
    forbid: Sequence[str] = (),
    seconds: float | None = None,
    trains: bool = False,
) -> pytest.MarkDecorator:
    """Mark a test as one of an exercise's.

    Args:
        name: the exercise, as in ``check("name")``.
        about: what the claim is about: "idea", "detail", "edge", "form", "arguments" or
            "by hand" (see :class:`~course_utils.ground.statuses.Aspect`).
        stated: words, quoted from the stub's docstring or the Conventions box, that ask for what
            is tested; the release gate looks them up.
        part: where an exercise asks for several answers, which of them is judged; each part
            earns its points by itself.
        weight: the test's share of the exercise's points, relative to its other tests.
        forbid: dotted names of built-ins that must not be called, or ``"autograd"``; what one
            test of an exercise forbids holds for that test. A call costs the exercise's points;
            ``FORBIDDEN_COST = {name: "test"}``, or ``"warning"``, says otherwise for one exercise.
        seconds: time limit for each call of student code in this test, instead of the grader's
            own; it holds in grading and in the release gate. In a student's kernel there is no
            limit: the student can stop a call.
        trains: whether student code trains a network in this test; the release gate then tries the
            exercise under a tenth of its seeds.
    """
    return pytest.mark.exercise(
        name, about=Aspect(about), stated=stated, part=part, weight=weight,
        forbid=tuple(forbid), seconds=seconds, trains=trains,
    )  # fmt: skip


@dataclass(frozen=True)
class ExerciseMark:
    """What the marker on a test says, and how the test is run.

    Attributes:
        hidden: whether it is a hidden test's.
        alone: whether its exercise's public tests are run once more, by themselves; see
            :func:`run_tests`.
    """

    name: str
    about: Aspect
    stated: str
    part: str
    weight: float
    forbid: tuple[str, ...]
    seconds: float | None
    trains: bool
    hidden: bool = False
    alone: bool = False


def mark_of(item: Any) -> ExerciseMark | None:
    """The exercise marker of a pytest item, or of a test function."""
    marker = (
        item.get_closest_marker("exercise")
        if hasattr(item, "get_closest_marker")
        else next((m for m in getattr(item, "pytestmark", ()) if m.name == "exercise"), None)
    )
    if marker is None:
        return None
    return ExerciseMark(marker.args[0], **marker.kwargs, hidden=_is_hidden(item))


def _is_hidden(item: Any) -> bool:
    """Whether a pytest item is a test of a file in a folder named ``hidden``."""
    path = getattr(item, "path", None)
    return isinstance(path, Path) and path.parent.name == "hidden"


BackendFor = Callable[[ExerciseMark], Backend]


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
        RuntimeError: pytest could not collect the files (a syntax error in a test, say), or the
            GPU failed the judge itself; the message quotes it.
        MemoryError: there was no room for the judge's own work in one of the tests.
    """
    judge = _Judge(
        files[0], backend_for, exercises, tests, seed, seed if hidden_seed is None else hidden_seed,
        lab, device or resolve(), enforce_forbid, together,
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
        raise RuntimeError(f"the tests in {files[0].parent} cannot be run:\n{details}")
    outcomes = list(judge.outcomes.values())
    _withhold(outcomes)
    _charge(outcomes)
    return outcomes


# Which kinds of mismatch a claim speaks of that is not about values.
_OWN_KINDS = {
    Aspect.FORM: {"type", "structure", "shape", "dtype", "device"},
    Aspect.ARGUMENTS: {"modified"},
    Aspect.BY_HAND: set(),
}


def _withhold(outcomes: Sequence[TestOutcome]) -> None:
    """Leave open what cannot be judged: a claim about form, arguments or handwork has nothing to
    stand on where the values are wrong, and must neither accuse nor earn anything then."""
    ideas = {(o.exercise, o.part) for o in outcomes if o.about is Aspect.IDEA}
    telling = [
        o for o in outcomes
        if o.about is Aspect.IDEA or (o.about.of_values and (o.exercise, o.part) not in ideas)
    ]  # fmt: skip
    right = {(o.exercise, o.part) for o in telling if o.passed}
    judged = {(o.exercise, o.part) for o in telling}
    for outcome in outcomes:
        if outcome.about.of_values:
            continue
        mismatch, place = outcome.mismatch, (outcome.exercise, outcome.part)
        other = mismatch is not None and mismatch.kind not in _OWN_KINDS[outcome.about]
        hollow = outcome.passed and place in judged and place not in right
        # A wrong type or shape is what the claims about values have said already.
        said = mismatch is not None and mismatch.kind in ("type", "structure", "shape")
        repeated = said and place in judged and place not in right
        if (outcome.status is Status.FAILED and (other or repeated)) or hollow:
            outcome.status = Status.UNJUDGED
            outcome.message = "cannot be judged before the values are right"
            outcome.relative_error = outcome.tolerance = None
        elif outcome.status is Status.ERROR:
            outcome.status = Status.UNJUDGED
            outcome.message = f"cannot be judged: {outcome.message}"


# Without a value, or with one that went wrong; other ends of a call say more than what it called.
_CHARGED = (Status.PASSED, Status.FAILED, Status.ERROR, Status.UNJUDGED)


def _charge(outcomes: Sequence[TestOutcome]) -> None:
    """Let a test fail that saw a forbidden call, where the policy says more than a warning."""
    for outcome in outcomes:
        call = outcome.forbidden
        if call is not None and call.cost is not Cost.WARNING and outcome.status in _CHARGED:
            outcome.by_values, outcome.status = outcome.status, Status.FORBIDDEN
            outcome.message = call.sentence
            outcome.relative_error = outcome.tolerance = None


def policy_for(public: Path) -> Policy:
    """What the exercises of a lab withhold for a forbidden call.

    Args:
        public: its ``test_public.py``.

    Raises:
        PolicyError: the file says it wrongly.
    """
    return _policy(public, load_module(public))


@functools.lru_cache(maxsize=16)
def _policy(public: Path, module: ModuleType) -> Policy:
    return policy_of(public, module, list(forbidden_in(public)))


def forbidden_in(path: Path) -> dict[str, list[str]]:
    """What the tests of a file forbid, by exercise."""
    found: dict[str, list[str]] = {}
    for name, value in vars(load_module(path)).items():
        mark = mark_of(value) if name.startswith("test") else None
        if mark is not None and mark.forbid:
            known = found.setdefault(mark.name, [])
            known += [forbidden for forbidden in mark.forbid if forbidden not in known]
    return found


def load_module(path: Path) -> ModuleType:
    """Import a lab's Python file under a name of its own; again only when it has changed."""
    path = path.resolve()
    name = f"course_lab_{path.parent.name}_{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    stamp = path.stat().st_mtime_ns
    known = sys.modules.get(name)
    if known is not None and known.__dict__.get("__stamp__") == stamp:
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__stamp__"] = stamp
    sys.modules[name] = module
    try:
        # Compiled here rather than by the import system, so that no __pycache__ appears in a lab.
        exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


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


class _LabModule(pytest.Module):
    """A test file that is imported once a process, not once a run."""

    def _getobj(self) -> ModuleType:
        return load_module(self.path)


class _Judge:
    """The pytest plugin of one run."""

    def __init__(
        self,
        public: Path,
        backend_for: BackendFor,
        exercises: Sequence[str] | None,
        tests: Collection[str] | None,
        seed: int,
        hidden_seed: int,
        lab: str,
        device: str,
        enforce_forbid: bool,
        together: bool,
    ) -> None:
        self._public = public
        self._backend_for = backend_for
        self._exercises = exercises
        self._tests = tests
        self._seed = seed
        self._hidden_seed = hidden_seed
        self._lab = lab
        self._device = device
        self._enforce_forbid = enforce_forbid
        self._policy = Policy({}, {})
        self._together = together
        self._alone = False  # whether public tests are run once more
        self.outcomes: dict[str, TestOutcome] = {}
        self.collect_errors: list[str] = []
        self.exhausted = ""  # the test in which the judge's own memory was used up

    # -- collection

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "exercise(name): the exercise that a test belongs to")
        try:
            self._policy = policy_for(self._public)
        except PolicyError as error:
            self.collect_errors.append(str(error))
        # Fixtures of test_public.py serve the hidden tests as well.
        config.pluginmanager.register(_fixtures_of(load_module(self._public)), "lab-fixtures")

    def pytest_pycollect_makemodule(self, module_path: Path, parent: Any) -> Any:
        return _LabModule.from_parent(parent, path=module_path)

    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: object) -> list[Any] | None:
        """Pass over the tests of exercises that were not asked for before pytest looks at them."""
        mark = mark_of(obj) if name.startswith("test") else None
        if mark is None or self._exercises is None or mark.name in self._exercises:
            return None
        return []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collect_errors.append(str(report.longrepr))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if mark_of(item) is None:
                self.collect_errors.append(
                    f"{item.name} has no @exercise(...): say which exercise it tests"
                )
        if self._tests is not None:
            items[:] = [item for item in items if item.name in self._tests]
        # All public tests come before any hidden one, so that nothing of a hidden test can be told
        # in a public one; then exercise by exercise: a sandbox needs one process at a time.
        order = list(dict.fromkeys(_exercise_of(item) for item in items))
        items.sort(key=lambda item: (_is_hidden(item), order.index(_exercise_of(item))))

    # -- the run

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the public tests, those of exercises with a failure once more, then the hidden ones;
        pytest's own loop where nothing is run twice."""
        if not self._together or session.testsfailed:
            return None
        public = [item for item in session.items if not _is_hidden(item)]
        self._run(public)
        failed = {one.exercise for one in self.outcomes.values() if not one.passed}
        self._alone = True
        self._run([item for item in public if _exercise_of(item) in failed])
        self._run([item for item in session.items if _is_hidden(item)])
        return True

    def _run(self, items: Sequence[pytest.Item]) -> None:
        for item, following in zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    # -- fixtures

    @pytest.fixture
    def student(self, request: pytest.FixtureRequest) -> Student:
        """The handle on the student's definitions."""
        mark = mark_of(request.node)
        assert mark is not None
        forbid = mark.forbid if self._enforce_forbid else ()
        backend = self._backend_for(replace(mark, alone=self._alone and not mark.hidden))
        handle = Student(
            backend, seed=self._stream(request.node), forbid=forbid,
            seconds=mark.seconds, unwritten=_unwritten(load_module(self._public), self._lab),
        )  # fmt: skip
        request.node.stash[_HANDLE] = handle
        return handle

    @pytest.fixture
    def reference(self, device: Any) -> Any:
        """The oracle: ``Reference`` of ``test_public.py``, which calls torch."""
        return load_module(self._public).Reference

    @pytest.fixture
    def device(self) -> Any:
        """The torch device that the lab's tensors live on."""
        import torch

        return torch.device(self._device)

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """A NumPy generator of the test's own."""
        return np.random.default_rng(self._stream(request.node))

    @pytest.fixture
    def generator(self, request: pytest.FixtureRequest) -> Any:
        """A torch generator (on the CPU) of the test's own."""
        import torch

        return torch.Generator().manual_seed(self._stream(request.node))

    def _stream(self, item: pytest.Item) -> int:
        seed = self._hidden_seed if _is_hidden(item) else self._seed
        return zlib.crc32(f"{item.name}/{seed}".encode())

    # -- verdicts

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        mark = mark_of(item)
        with compare.recording(dtypes=mark is not None and not mark.about.of_values) as made:
            item.stash[_COMPARISONS] = made
            yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """Note the outcome, and spare pytest the rendering of tracebacks that nobody reads."""
        error = call.excinfo.value if call.excinfo else None
        if error is not None and _is_out_of_memory(error):
            self.exhausted = self.exhausted or item.name
        elif error is not None and (
            call.when != "call"
            or _is_of_our_gpu(error)
            or _is_of_the_test(error, self._public.parent)
        ):
            # In a fixture, of the test's own, or of the judge's GPU: not the student's fault.
            place = _place(error, self._public.parent)
            where = f"{place}, in {item.name}" if place else item.name
            self.collect_errors.append(f"{where}: {type(error).__name__}: {error}")
        elif call.when == "call":
            self.outcomes[item.nodeid] = self._outcome(item, call)
            if error is not None:  # its frames hold all that came back, and wait for a collection
                traceback.clear_frames(error.__traceback__)
        assert call.when != "collect"
        return pytest.TestReport(
            nodeid=item.nodeid, location=item.location, keywords={}, when=call.when,
            outcome="failed" if call.excinfo else "passed",
            longrepr="failed" if call.excinfo else None,
        )

    def _outcome(self, item: pytest.Item, call: pytest.CallInfo[None]) -> TestOutcome:
        mark = mark_of(item)
        assert mark is not None
        handle = item.stash.get(_HANDLE, None)
        made = item.stash.get(_COMPARISONS, [])
        outcome = TestOutcome(
            test=item.name,
            exercise=mark.name,
            claim=_claim(item),
            hidden=mark.hidden,
            weight=mark.weight,
            status=Status.PASSED,
            about=mark.about,
            part=mark.part,
            stated=mark.stated,
            trains=mark.trains,
            trace=handle.trace if handle else [],
            calls=handle.calls if handle else [],
            call_seconds=handle.seconds if handle else 0.0,
        )
        notes = handle.forbidden if handle else []
        outcome.forbidden = self._policy.charged(mark.name, notes, hidden=outcome.hidden)
        outcome.held = len(made)
        if made:
            worst = max(made, key=lambda c: c.relative_error / (c.tolerance or 1.0))
            outcome.relative_error, outcome.tolerance = worst.relative_error, worst.tolerance
        if call.excinfo is not None:
            _explain(outcome, call.excinfo.value, self._public.parent)
        return outcome


def _fixtures_of(module: ModuleType) -> ModuleType:
    """A module's fixtures, and nothing else of it, in the form in which pytest takes plugins."""
    holder = ModuleType(f"{module.__name__}_fixtures")
    for name, value in vars(module).items():
        if type(value).__name__ == "FixtureFunctionDefinition":
            setattr(holder, name, value)
    return holder


@functools.lru_cache(maxsize=16)
def _unwritten(public: ModuleType, lab: str) -> re.Pattern[str]:
    """What the sentences of the lab's stubs match."""
    marks = (mark_of(test) for name, test in vars(public).items() if name.startswith("test"))
    return unwritten_in(dict.fromkeys(mark.name for mark in marks if mark), lab)


_HANDLE = pytest.StashKey[Student]()
_COMPARISONS = pytest.StashKey[list[compare.Comparison]]()


def _exercise_of(item: pytest.Item) -> str:
    mark = mark_of(item)
    return mark.name if mark else ""


def _claim(item: pytest.Item) -> str:
    """The first paragraph of a test's docstring, on one line."""
    doc = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    return " ".join(doc.partition("\n\n")[0].split()) or item.name.replace("_", " ")


def _is_of_our_gpu(error: BaseException) -> bool:
    """Whether the judge's own GPU failed a test, of which torch tells by RuntimeErrors; what fails
    in the student's is a StudentFault, and other errors may quote what a student has returned."""
    kind, message = type(error).__name__, str(error)
    told = isinstance(error, RuntimeError)
    return told and (out_of_memory(kind, message) or context_lost(message))


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether the judge itself had no room; what fails in the student's is a StudentFault."""
    of_torch = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or of_torch


def _explain(outcome: TestOutcome, error: BaseException, folder: Path) -> None:
    if isinstance(error, StudentFault):
        outcome.status, outcome.message = error.status, error.message
        outcome.reason = error.reason
    elif isinstance(error, compare.Mismatch):
        outcome.status, outcome.message = Status.FAILED, str(error)
        outcome.mismatch = error.kept()
        outcome.relative_error = error.relative_error
        outcome.tolerance = error.tolerance
    elif isinstance(error, AssertionError):
        outcome.status, outcome.message = Status.FAILED, str(error)
    else:
        # The test tripped over what the student's function gave it.
        outcome.status = Status.FAILED
        last = f"{outcome.trace[-1].words} " if outcome.trace else ""
        outcome.message = (
            f"what your code gave cannot be used here: {last}"
            f"({type(error).__name__}: {str(error)[:200]})"
        )
        outcome.tripped = _place(error, folder) or outcome.test


def _place(error: BaseException, folder: Path) -> str:
    """The last line of a lab's own files on the way to an exception ("test_public.py, line 12")."""
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if folder in path.parents:
            found = f"{path.relative_to(folder)}, line {frame.lineno}"
    return found


def _is_of_the_test(error: BaseException, folder: Path) -> bool:
    """Whether an exception is a test's own fault, whatever a student's code has returned: its
    file writes a name that there is not, or that a module does not have."""
    if not isinstance(error, (AttributeError, NameError, ImportError)):
        return False
    written: tuple[str, ...] = ()
    frame = error.__traceback__
    while frame is not None:  # the last that is the lab's: NumPy raises for a missing name itself
        code = frame.tb_frame.f_code
        written = code.co_names if folder in Path(code.co_filename).parents else written
        frame = frame.tb_next
    if isinstance(error, AttributeError):
        return isinstance(error.obj, ModuleType) and error.name in written
    if isinstance(error, UnboundLocalError):
        return False  # which way a test has gone may hang on what came back
    if isinstance(error, NameError):
        return error.name in written
    return isinstance(error, ImportError)
