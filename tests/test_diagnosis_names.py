"""The diagnosis names the mistake, from a folder that holds only what students receive."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.digest import of_call, returned
from course_utils.diagnosis.comparison import differing
from course_utils.diagnosis.diagnose import diagnose, diagnose_public
from course_utils.diagnosis.record import record
from course_utils.diagnosis.traces import KnownMistake, Trace, TraceBook
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.ground.statuses import Status
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

Function = Callable[..., Any]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return small_lab.write(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def received(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a student has: the public tests and the traces."""
    folder = tmp_path_factory.mktemp("student") / lab.name
    folder.mkdir()
    shutil.copy(lab.test_public, folder)
    record(lab, hidden=False).save(folder / "traces.msgpack")
    return folder


def run(lab: Lab, folder: Path, exercise: str, function: Function) -> list[TestOutcome]:
    namespace = {**solution_namespace(lab), exercise: function}
    files = [folder / "test_public.py"]
    if folder == lab.folder:
        files.append(lab.test_hidden)
    return run_tests(files, lambda mark: NamespaceBackend(namespace), exercises=[exercise])


def right_softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def right_grad(logits: Any, targets: Any) -> Any:
    h = right_softmax(logits)
    h[np.arange(len(targets)), targets] -= 1
    return h / len(targets)


def no_shift(x: Any, axis: int = -1) -> Any:
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def no_shift_and_no_axis(x: Any, axis: int = -1) -> Any:
    return no_shift(x, -1)


def in_place(x: Any, axis: int = -1) -> Any:
    x -= x.max(axis=axis, keepdims=True)
    return right_softmax(x, axis)


def in_place_and_no_axis(x: Any, axis: int = -1) -> Any:
    x -= x.max(axis=-1, keepdims=True)
    return right_softmax(x, -1)


def flipped(logits: Any, targets: Any) -> Any:
    y = np.eye(logits.shape[1])[targets]
    return (y - right_softmax(logits)) / len(logits)


def without_mean(logits: Any, targets: Any) -> Any:
    return right_softmax(logits) - np.eye(logits.shape[1])[targets]


def probabilities_without_mean(logits: Any, targets: Any) -> Any:
    return right_softmax(logits)


@pytest.mark.parametrize(
    ("exercise", "function", "name"),
    [
        ("softmax", no_shift, "no_max_shift"),
        ("softmax", in_place, "input_changed"),
        ("softmax_nll_grad", flipped, "sign_flipped"),
        ("softmax_nll_grad", without_mean, "no_mean"),
    ],
)
def test_a_mistake_written_otherwise_is_named_by_its_values(
    lab: Lab, received: Path, exercise: str, function: Function, name: str
) -> None:
    found = diagnose_public(received, run(lab, received, exercise, function))
    assert found is not None and found.name == name and found.hint


def test_right_code_gets_no_diagnosis(lab: Lab, received: Path) -> None:
    assert diagnose_public(received, run(lab, received, "softmax", right_softmax)) is None


@pytest.mark.parametrize("function", [no_shift_and_no_axis, in_place_and_no_axis])
def test_two_mistakes_in_different_tests_are_both_said(
    lab: Lab, received: Path, function: Function
) -> None:
    found = diagnose_public(received, run(lab, received, "softmax", function))
    assert found is not None and found.sure and ", and " in found.name
    assert "axis argument is ignored" in found.hint


def test_a_misconception_times_a_factor_is_named_with_the_factor(lab: Lab, received: Path) -> None:
    def half(logits: Any, targets: Any) -> Any:
        return right_softmax(logits) / (2 * len(targets))

    found = diagnose_public(received, run(lab, received, "softmax_nll_grad", half))
    assert found is not None and found.name == "h_only"
    assert "1/2" in found.details[0]


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (probabilities_without_mean, {"no_mean", "h_only"}),
        (lambda logits, targets: -without_mean(logits, targets), {"sign_flipped", "no_mean"}),
    ],
)
def test_two_mistakes_in_one_value_are_named_as_a_pair(
    lab: Lab, received: Path, function: Function, names: set[str]
) -> None:
    found = diagnose_public(received, run(lab, received, "softmax_nll_grad", function))
    assert found is not None and found.sure and set(found.name.split(", and ")) == names


def test_a_misconception_that_explains_only_some_failures_is_not_named(
    lab: Lab, received: Path
) -> None:
    def odd(x: Any, axis: int = -1) -> Any:
        return no_shift(x, axis) if np.max(x) > 900 else right_softmax(x, axis) * 1.5

    found = diagnose_public(received, run(lab, received, "softmax", odd))
    assert found is None or not (found.sure and found.named)


def test_hidden_tests_are_explained_without_their_numbers(lab: Lab) -> None:
    def wrong_in_three_dimensions(x: Any, axis: int = -1) -> Any:
        return right_softmax(x, axis) * (7.25 if np.ndim(x) == 3 else 1.0)

    outcomes = run(lab, lab.folder, "softmax", wrong_in_three_dimensions)
    assert [o.test for o in outcomes if not o.passed] == ["test_three_dimensions"]
    found = diagnose(
        outcomes, record(lab, hidden=False), lambda: record(lab, hidden=True, pairs=False)
    )
    assert found is not None and not found.named
    assert "7.25" not in found.hint + "".join(found.details)


def test_what_check_said_is_what_the_grade_says(lab: Lab) -> None:
    def other_in_three_dimensions(x: Any, axis: int = -1) -> Any:
        return 0.01111 * no_shift(x, axis) if np.ndim(x) == 3 else no_shift(x, axis)

    outcomes = run(lab, lab.folder, "softmax", other_in_three_dimensions)
    public, hidden = record(lab, hidden=False), record(lab, hidden=True, pairs=False)
    check = diagnose([outcome for outcome in outcomes if not outcome.hidden], public)
    assert check is not None and check.name == "no_max_shift"
    assert diagnose(outcomes, public, lambda: hidden) == check


@pytest.mark.parametrize(("shared", "said"), [(2, "known"), (1, None)])
def test_a_part_is_called_a_part_from_two_thirds_on(shared: int, said: str | None) -> None:
    values = np.random.default_rng(0).normal(size=(3, 5))
    outcomes = [
        TestOutcome(f"t{i}", "f", "c", False, 1.0, Status.FAILED, trace=[returned(values[i])])
        for i in range(3)
    ]
    right = of_call(np.zeros(5))
    dress: dict[str, Trace] = {
        f"t{i}": (differing(of_call(values[i]), right),) for i in range(shared)
    }
    book = TraceBook("lab", exercises={"f": [KnownMistake(("known",), "…", dresses=(dress,))]})
    found = diagnose(outcomes, book)
    assert (found and found.name) == said
    assert found is None or not found.sure


@pytest.mark.parametrize("count", [2, 3])
def test_mistakes_that_never_meet_in_a_test_are_named_together(count: int) -> None:
    values = np.random.default_rng(0).normal(size=(count + 1, 5))
    right = of_call(np.zeros(5))
    outcomes = [
        TestOutcome(f"t{i}", "f", "c", False, 1.0, Status.FAILED, trace=[returned(values[i])])
        for i in range(count)
    ]
    passed = TestOutcome("t9", "f", "c", False, 1.0, Status.PASSED, trace=[returned(np.zeros(5))])
    outcomes.append(passed)
    dresses: list[dict[str, Trace]] = [
        {f"t{i}": (differing(of_call(values[i]), right),)} for i in range(count)
    ]
    entries = [KnownMistake((f"m{i}",), f"h{i}", dresses=(d,)) for i, d in enumerate(dresses)]
    contradicted: dict[str, Trace] = {"t9": (differing(of_call(values[count]), right),)}
    entries.append(KnownMistake(("no",), "…", dresses=(dresses[0] | contradicted,)))
    found = diagnose(outcomes, TraceBook("lab", exercises={"f": entries}))
    assert found is not None and found.sure
    assert found.name == ", and ".join(f"m{i}" for i in range(count))
    assert all(f"h{i}" in found.hint for i in range(count))


def test_without_traces_the_numeric_look_still_speaks(lab: Lab, tmp_path: Path) -> None:
    shutil.copy(lab.test_public, tmp_path)
    found = diagnose_public(tmp_path, run(lab, tmp_path, "softmax_nll_grad", flipped))
    assert found is not None and "sign" in found.hint


def test_a_damaged_file_of_traces_costs_the_names_only(lab: Lab, tmp_path: Path) -> None:
    shutil.copy(lab.test_public, tmp_path)
    (tmp_path / "traces.msgpack").write_bytes(b"damaged")
    assert diagnose_public(tmp_path, run(lab, tmp_path, "softmax_nll_grad", flipped)) is not None


_ENDED = [s for s in Status if s not in (Status.PASSED, Status.FAILED, Status.UNJUDGED)]


@pytest.mark.parametrize("status", _ENDED)
def test_a_test_that_did_not_reach_a_comparison_is_explained(status: Status) -> None:
    outcome = TestOutcome("t", "softmax", "claim", True, 1.0, status, message="secret 1.2345")
    found = diagnose([outcome], None)
    assert found is not None and found.name == str(status) and len(found.hint) > 20
    shown = "".join(found.details)
    assert "secret" not in shown


def test_an_exception_is_quoted_for_public_tests_only() -> None:
    for hidden in (False, True):
        outcome = TestOutcome(
            "t", "e", "c", hidden, 1.0, Status.ERROR, message="raised KeyError: 3"
        )
        found = diagnose([outcome], None)
        assert found is not None and bool(found.details) is not hidden
