"""The judge as a pytest plugin: fixtures, the order of the tests, and what each of them found."""

from __future__ import annotations

import traceback
import zlib
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course_utils.calls.backend import Backend
from course_utils.calls.policy import Policy
from course_utils.calls.proxy import Ledger, Student
from course_utils.ground import mismatch
from course_utils.ground.errors import PolicyError
from course_utils.ground.statuses import Status
from course_utils.testing.faults import (
    explained,
    is_of_our_gpu,
    is_of_the_test,
    is_out_of_memory,
    place_of,
)
from course_utils.testing.lab_tests import LabTests
from course_utils.testing.loading import load_module
from course_utils.testing.marker import ExerciseMark, exercise_of, is_hidden, mark_of
from course_utils.verdict.outcome import TestOutcome

BackendFor = Callable[[ExerciseMark], Backend]


class Judge:
    """The pytest plugin of one run."""

    def __init__(
        self,
        tests_of_lab: LabTests,
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
        self._lab_tests = tests_of_lab
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
            self._policy = self._lab_tests.policy
        except PolicyError as error:
            self.collect_errors.append(str(error))
        # Fixtures of test_public.py serve the hidden tests as well.
        config.pluginmanager.register(self._lab_tests.module, "lab-fixtures")

    def pytest_pycollect_makemodule(self, module_path: Path, parent: Any) -> Any:
        """A test file is imported once a process, not once a run."""
        module = pytest.Module.from_parent(parent, path=module_path)
        module.obj = load_module(module_path)
        return module

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
        order = list(dict.fromkeys(exercise_of(item) for item in items))
        items.sort(key=lambda item: (is_hidden(item), order.index(exercise_of(item))))

    # -- the run

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the public tests, those of exercises with a failure once more, then the hidden ones;
        pytest's own loop where nothing is run twice."""
        if not self._together or session.testsfailed:
            return None
        public = [item for item in session.items if not is_hidden(item)]
        self._run(public)
        failed = {one.exercise for one in self.outcomes.values() if not one.passed}
        self._alone = True
        self._run([item for item in public if exercise_of(item) in failed])
        self._run([item for item in session.items if is_hidden(item)])
        return True

    def _run(self, items: Sequence[pytest.Item]) -> None:
        for item, following in zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    # -- fixtures

    @pytest.fixture
    def student(self, request: pytest.FixtureRequest) -> Student:
        """The proxy of the student's definitions."""
        mark = mark_of(request.node)
        assert mark is not None
        forbid = mark.forbid if self._enforce_forbid else ()
        backend = self._backend_for(replace(mark, alone=self._alone and not mark.hidden))
        ledger = request.node.stash[_LEDGER] = Ledger()
        return Student(
            backend, ledger, seed=self._stream(request.node), forbid=forbid,
            seconds=mark.seconds, unwritten=self._lab_tests.unwritten(self._lab),
        )  # fmt: skip

    @pytest.fixture
    def reference(self, device: Any) -> Any:
        """The oracle: ``Reference`` of ``test_public.py``, which calls torch."""
        return self._lab_tests.reference

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
        seed = self._hidden_seed if is_hidden(item) else self._seed
        return zlib.crc32(f"{item.name}/{seed}".encode())

    # -- verdicts

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        mark = mark_of(item)
        with mismatch.recording(dtypes=mark is not None and not mark.about.of_values) as made:
            item.stash[_COMPARISONS] = made
            yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """Note the outcome, and spare pytest the rendering of tracebacks that nobody reads."""
        error = call.excinfo.value if call.excinfo else None
        if error is not None and is_out_of_memory(error):
            self.exhausted = self.exhausted or item.name
        elif error is not None and (
            call.when != "call"
            or is_of_our_gpu(error)
            or is_of_the_test(error, self._lab_tests.path.parent)
        ):
            # In a fixture, of the test's own, or of the judge's GPU: not the student's fault.
            place = place_of(error, self._lab_tests.path.parent)
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
        ledger = item.stash.get(_LEDGER, None) or Ledger()
        made = item.stash.get(_COMPARISONS, [])
        worst = max(made, key=lambda c: c.relative_error / (c.tolerance or 1.0), default=None)
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
            relative_error=worst.relative_error if worst else None,
            tolerance=worst.tolerance if worst else None,
            held=len(made),
            trace=tuple(ledger.trace),
            calls=tuple(ledger.calls),
            call_seconds=ledger.seconds,
            forbidden=self._policy.charged(mark.name, ledger.forbidden, hidden=mark.hidden),
        )
        if call.excinfo is None:
            return outcome
        return explained(outcome, call.excinfo.value, self._lab_tests.path.parent)


_LEDGER = pytest.StashKey[Ledger]()
_COMPARISONS = pytest.StashKey[list[mismatch.Comparison]]()


def _claim(item: pytest.Item) -> str:
    """The first paragraph of a test's docstring, on one line."""
    doc = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    return " ".join(doc.partition("\n\n")[0].split()) or item.name.replace("_", " ")
