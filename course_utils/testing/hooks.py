"""The judge as a pytest plugin: fixtures, the order of the tests, and what each of them found.

A session of pytest collects the tests once; in it the judge makes one run of them after another.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from course_utils.calls.policy import Policy
from course_utils.calls.proxy import Ledger, Student
from course_utils.ground import mismatch
from course_utils.ground.errors import PolicyError
from course_utils.ground.statuses import Status
from course_utils.testing.asked import Run
from course_utils.testing.faults import (
    explained,
    is_of_our_gpu,
    is_of_the_test,
    is_out_of_memory,
    place_of,
)
from course_utils.testing.lab_tests import lab_tests
from course_utils.testing.loading import load_module
from course_utils.testing.marker import exercise_of, is_hidden, mark_of
from course_utils.verdict.outcome import TestOutcome


class Judge:
    """The pytest plugin of one session.

    Args:
        files: the tests' files, the public ones' first.
        exercises: those whose tests are collected; all by default.
        work: called once the tests are collected; makes the runs.
    """

    def __init__(
        self, files: Sequence[Path], exercises: Sequence[str] | None, work: Callable[[], None]
    ) -> None:
        self._modules = {path: load_module(path) for path in files}
        self._lab_tests = lab_tests(files[0])
        self._exercises = exercises
        self._work = work
        self._policy = Policy({}, {})
        self._items: list[pytest.Item] = []
        self._run: Run | None = None
        self._test: pytest.Item | None = None
        self.collect_errors: list[str] = []
        self.failure: BaseException | None = None  # what the work has raised

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
        # All public tests come before any hidden one, so that nothing of a hidden test can be told
        # in a public one; then exercise by exercise: a sandbox needs one process at a time.
        order = list(dict.fromkeys(exercise_of(item) for item in items))
        items.sort(key=lambda item: (is_hidden(item), order.index(exercise_of(item))))
        self._items = items

    # -- the runs

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Let the work make its runs. What it raises is kept: pytest would only print it."""
        try:
            self._work()
        except BaseException as error:
            self.failure = error
        return True

    def collected(self, files: Sequence[Path]) -> bool:
        """Whether this session's tests are those of these files as they are now."""
        return list(files) == list(self._modules) and all(
            load_module(path) is module for path, module in self._modules.items()
        )

    def make(self, run: Run) -> None:
        """Run the public tests, where that was asked for those of exercises with a failure once
        more, then the hidden ones."""
        if self.collect_errors:
            return
        self._run = run
        asked = [item for item in self._items if run.asks_for(item)]
        if not run.together:
            self._run_items(asked)
            return
        public = [item for item in asked if not is_hidden(item)]
        self._run_items(public)
        failed = {one.exercise for one in run.outcomes.values() if not one.passed}
        run.alone = True
        self._run_items([item for item in public if exercise_of(item) in failed])
        self._run_items([item for item in asked if is_hidden(item)])

    def _run_items(self, items: Sequence[pytest.Item]) -> None:
        # After the last one pytest takes down all fixtures: nothing is left to the next run.
        for item, following in zip_longest(items, items[1:]):
            self._test = item
            self._run_item(item, following)

    def _run_item(self, item: Any, following: pytest.Item | None) -> None:
        """Make one test: its fixtures, its call, their end.

        pytest's own protocol makes a report of each of the three and tells every plugin of it,
        which takes a tenth of a short test's time, and here nobody listens.
        """
        hook = item.config.hook
        item._initrequest()  # an item that is run again needs its fixtures anew
        ready = self._step(item, "setup", lambda: hook.pytest_runtest_setup(item=item))
        if ready:
            self._step(item, "call", lambda: hook.pytest_runtest_call(item=item))
        self._step(
            item, "teardown", lambda: hook.pytest_runtest_teardown(item=item, nextitem=following)
        )

    def _step(
        self, item: pytest.Item, when: Literal["setup", "call", "teardown"],
        step: Callable[[], None],
    ) -> bool:  # fmt: skip
        """Take one of a test's steps and note its outcome: whether it came to a good end."""
        call = pytest.CallInfo.from_call(
            step, when, reraise=(pytest.exit.Exception, KeyboardInterrupt)
        )
        self._note(item, call)
        return call.excinfo is None

    @property
    def _now(self) -> Run:
        assert self._run is not None
        return self._run

    @property
    def _item(self) -> pytest.Item:
        assert self._test is not None
        return self._test

    # -- fixtures

    # None asks pytest for `request`, which it makes anew each time, at the cost of a short test.

    @pytest.fixture
    def student(self) -> Student:
        """The proxy of the student's definitions."""
        run, item = self._now, self._item
        mark = mark_of(item)
        assert mark is not None
        forbid = mark.forbid if run.enforce_forbid else ()
        backend = run.backend_for(replace(mark, alone=run.alone and not mark.hidden))
        ledger = item.stash[_LEDGER] = Ledger(evidence=run.evidence)
        return Student(
            backend, ledger, seed=run.stream(item), forbid=forbid,
            seconds=mark.seconds, unwritten=self._lab_tests.unwritten(run.lab),
        )  # fmt: skip

    @pytest.fixture
    def reference(self, device: Any) -> Any:
        """The oracle: ``Reference`` of ``test_public.py``, which calls torch."""
        return self._lab_tests.reference

    @pytest.fixture
    def device(self) -> Any:
        """The torch device that the lab's tensors live on."""
        import torch

        return torch.device(self._now.device)

    @pytest.fixture
    def rng(self) -> np.random.Generator:
        """A NumPy generator of the test's own."""
        return np.random.default_rng(self._now.stream(self._item))

    @pytest.fixture
    def generator(self) -> Any:
        """A torch generator (on the CPU) of the test's own."""
        import torch

        return torch.Generator().manual_seed(self._now.stream(self._item))

    # -- verdicts

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        mark = mark_of(item)
        with mismatch.recording(dtypes=mark is not None and not mark.about.of_values) as made:
            item.stash[_COMPARISONS] = made
            yield

    def _note(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Note what a step of a test has come to."""
        run = self._now
        error = call.excinfo.value if call.excinfo else None
        if error is not None and is_out_of_memory(error):
            run.exhausted = run.exhausted or item.name
        elif error is not None and (
            call.when != "call"
            or is_of_our_gpu(error)
            or is_of_the_test(error, self._lab_tests.path.parent)
        ):
            # In a fixture, of the test's own, or of the judge's GPU: not the student's fault.
            place = place_of(error, self._lab_tests.path.parent)
            where = f"{place}, in {item.name}" if place else item.name
            run.errors.append(f"{where}: {type(error).__name__}: {error}")
        elif call.when == "call":
            run.outcomes[item.nodeid] = self._outcome(item, call)
            if error is not None:  # its frames hold all that came back, and wait for a collection
                traceback.clear_frames(error.__traceback__)

    def _outcome(self, item: pytest.Item, call: pytest.CallInfo[None]) -> TestOutcome:
        mark = mark_of(item)
        assert mark is not None
        ledger = item.stash.get(_LEDGER, None) or Ledger()  # none: the test has no student
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
