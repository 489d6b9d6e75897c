"""Point 3: what students receive gets 0, and says which exercise is not written yet."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from course_utils.calls.limited import LimitedBackend
from course_utils.gate.finding import Finding
from course_utils.ground.cells import is_run, is_solution, source, without_magics
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Status
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome


def judge_stub(lab: Lab, released: dict[str, Any]) -> Iterator[Finding]:
    """Run all tests on a released notebook's definitions."""
    namespace, problems = _namespace(released)
    yield from problems
    backend = LimitedBackend(namespace)
    outcomes = run_tests(lab.test_files, lambda mark: backend, lab=lab.name)
    for outcome in outcomes:
        if outcome.passed:
            yield Finding(
                3,
                f"{outcome.test} of {outcome.exercise} passes although nothing is written yet: "
                "let it call the student's code and compare what comes back",
            )
    for exercise in lab.exercises:
        own = [outcome for outcome in outcomes if outcome.exercise == exercise.name]
        if own and not any(_names(outcome, exercise.name) for outcome in own):
            yield Finding(
                3,
                f"the stub of {exercise.name} does not say which exercise is not written yet "
                f"({own[0].status}: {own[0].message or 'no message'}): put its whole solution "
                "between ### BEGIN SOLUTION and ### END SOLUTION, in the cell of that name",
            )


def _names(outcome: TestOutcome, exercise: str) -> bool:
    return outcome.status is Status.NOT_WRITTEN and exercise in outcome.message


def _namespace(released: dict[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """What the released notebook defines; cells that need a solution may raise that it lacks."""
    module = ModuleType("released_stub")
    problems = []
    for number, cell in enumerate(released["cells"]):
        if not is_run(cell):
            continue
        code = without_magics(source(cell))
        try:
            exec(compile(code, f"<cell {number} of the stub>", "exec"), module.__dict__)
        except NotImplementedError:
            if not is_solution(cell):
                problems.append(
                    Finding(
                        3,
                        f"cell {number} calls an exercise that is not written yet: tag it "
                        "'explore', so that it is not run in grading",
                    )
                )
        except Exception as error:
            problems.append(
                Finding(
                    3,
                    f"cell {number} of the released notebook raises {type(error).__name__}: "
                    f"{error}; tag it 'explore', or let it not depend on solutions",
                )
            )
    return module.__dict__, problems
