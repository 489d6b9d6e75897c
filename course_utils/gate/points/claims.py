"""Point 8: a claim asks for what the student was told, judges what it says, and costs its worth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.gate.finding import Finding
from course_utils.gate.points.trials import Trial
from course_utils.ground.cells import source
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Aspect
from course_utils.verdict.outcome import TestOutcome

# How far the cost of a mistake may lie from what its author says.
_MARGIN = 0.15


def judge_stated(
    lab: Lab, outcomes: Sequence[TestOutcome], exercises: Sequence[str]
) -> Iterator[Finding]:
    """Whether each test quotes words of its stub or of the Conventions box that ask for it."""
    common = plain(conventions(lab))
    stubs = {
        exercise: plain("\n".join(source(cell) for cell in cells))
        for exercise, cells in exercise_cells(lab).items()
    }
    for outcome in outcomes:
        if outcome.exercise not in exercises:
            continue
        words = plain(outcome.stated)
        if not words:
            yield Finding(
                8,
                f"{outcome.test} of {outcome.exercise} does not say where students are told what "
                'it tests: quote the words with stated="…"',
            )
        elif words not in stubs.get(outcome.exercise, "") and words not in common:
            yield Finding(
                8,
                f"{outcome.test} of {outcome.exercise} quotes “{outcome.stated}”, which is neither "
                "in the stub's docstring nor in the Conventions box: say it there",
            )


def conventions(lab: Lab) -> str:
    """The text of the Conventions box."""
    prose = [source(cell) for cell in lab.notebook["cells"] if cell["cell_type"] == "markdown"]
    return "\n".join(text for text in prose[:5] if "conventions" in text.lower())


def plain(text: str) -> str:
    """Words and signs alone: no marks of quotation, emphasis or code, no line breaks, one case."""
    unquoted = re.sub(r"^\s*> ?", "", text, flags=re.MULTILINE)
    return " ".join(re.sub(r"[*`_]", "", unquoted).split()).casefold()


def judge_aspects(found: Sequence[Trial]) -> Iterator[Finding]:
    """Whether a claim fails for a mistake of which it does not speak."""
    for trial in found:
        for failure in trial.own:
            if trial.about.of_values == failure.about.of_values:
                continue
            yield Finding(
                8,
                f"the misconception {trial.name} of {trial.exercise} is about {trial.about}, but "
                f"fails {failure}, a claim about {failure.about}: let that test judge its own "
                "claim only, or say with about=… what the misconception is about",
            )


def judge_costs(found: Sequence[Trial]) -> Iterator[Finding]:
    """Whether a mistake costs what it is worth."""
    for trial in found:
        cost = 1 - trial.kept
        if not trial.own:
            continue
        if trial.cost is not None:
            low, high = trial.cost - _MARGIN, trial.cost + _MARGIN
        else:
            low, high = (0.5, 1.0) if trial.about is Aspect.IDEA else (0.0, 0.5)
        if not low - 1e-9 <= cost <= high + 1e-9:
            yield Finding(
                8,
                f"the misconception {trial.name} of {trial.exercise}, about {trial.about}, costs "
                f"{100 * cost:.0f} % of the points instead of {100 * max(low, 0):.0f} to "
                f"{100 * min(high, 1):.0f} %: let other claims fail for it (about=…, weight=…), "
                "or say what it should cost with cost=…",
            )
