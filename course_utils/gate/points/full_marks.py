"""Point 1: right code gets full marks, the solution's and every variant's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.gate.finding import Finding
from course_utils.gate.points.trials import Trial
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome

_OPEN = "cannot be judged: "


def judge_solution(lab: Lab, outcomes: Sequence[TestOutcome]) -> Iterator[Finding]:
    """Point 1, for the solution: one sentence for everything that goes wrong in one way."""
    seen: dict[tuple[str, str], list[TestOutcome]] = {}
    for outcome in outcomes:
        if not outcome.passed:
            raised = outcome.status in (Status.ERROR, Status.UNJUDGED)
            ways = outcome.message.removeprefix(_OPEN) if raised else outcome.test
            seen.setdefault((outcome.exercise, outcome.tripped or ways), []).append(outcome)
    for (exercise, _), failed in seen.items():
        first, place = failed[0], place_of_solution(lab, exercise)
        tests = f"{first.test} and {len(failed) - 1} more" if failed[1:] else first.test
        if first.tripped:
            sentence = f"{first.tripped}: {tests} of {exercise} cannot use what the solution gave"
            advice = f"mend the test, or the solution ({place})"
        elif first.status in (Status.ERROR, Status.UNJUDGED):
            sentence = f"{place}: the solution of {exercise} does not get through {tests}"
            advice = "mend the solution, or the test that calls it"
        else:
            sentence = f"the solution of {exercise} fails {tests}"
            advice = f"mend the solution ({place}) or the test"
        said = first.message.removeprefix("what your code gave cannot be used here: ")
        said = said.removeprefix(_OPEN)
        yield Finding(1, f"{sentence} ({said}): {advice}")


def place_of_solution(lab: Lab, exercise: str) -> str:
    """Where an exercise's solution stands: the notebook and its cell."""
    cells = exercise_cells(lab).get(exercise, [])
    numbers = [str(i) for i, cell in enumerate(lab.notebook["cells"]) if cell in cells]
    return f"{lab.notebook_path.name}, cell {' and '.join(numbers)}"


def judge_variants(found: Sequence[Trial]) -> Iterator[Finding]:
    """Point 1, for the variants."""
    for trial in found:
        for failure in trial.own:
            yield Finding(
                1,
                f"the variant {trial.name} of {trial.exercise} is right but fails {failure}: "
                "make the test accept it, or take the variant out if it is wrong",
            )
