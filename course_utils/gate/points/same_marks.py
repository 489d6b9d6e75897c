"""Point 4: the same marks under every seed, and on a second run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from course_utils.gate.figures import Flakes
from course_utils.gate.finding import Finding
from course_utils.gate.points.seed_runs import NOTHING_SLOW, SECOND_RUN, Marks, Slow, Subject, fewer


def judge(
    marks: Marks, seeds: int, slow: Slow = NOTHING_SLOW
) -> tuple[Flakes, list[Finding]]:
    """The flake rate, and a sentence for every implementation whose marks are not constant."""
    differing: defaultdict[Subject, list[int]] = defaultdict(list)
    for (subject, run), failed in marks.items():
        if failed != marks[subject, 0]:
            differing[subject].append(run)
    subjects = {subject for subject, _ in marks}
    flakes = Flakes(
        seeds, len(marks), sum(len(runs) for runs in differing.values()),
        training=tuple(sorted({exercise for _, exercise, _ in subjects} & slow.training)),
        hanging=tuple(
            sorted(f"{name} of {exercise}" for _, exercise, name in subjects & slow.hanging)
        ),
        fewer=fewer(seeds),
    )  # fmt: skip
    findings = [
        Finding(
            4, _sentence(subject, sorted(runs), marks, fewer(seeds) if subject in slow else seeds)
        )
        for subject, runs in differing.items()
    ]
    return flakes, findings


def _sentence(subject: Subject, runs: Sequence[int], marks: Marks, seeds: int) -> str:
    kind, exercise, name = subject
    what = f"the solution of {exercise}" if kind == "solution" else f"the {kind} {name}"
    of = "" if kind == "solution" else f" of {exercise}"
    tests = ", ".join(sorted(marks[subject, runs[-1]] ^ marks[subject, 0]))
    if runs == [SECOND_RUN]:
        return (
            f"{what}{of} gets other marks on a second run ({tests}): something is kept between "
            "runs, or a random stream does not come from rng or generator"
        )
    advice = (
        "choose the inputs by construction, so that the mistake always shows"
        if kind == "misconception"
        else "loosen the test, or choose its inputs by construction"
    )
    return (
        f"{what}{of} gets other marks under {len([r for r in runs if r > 0])} of {seeds} seeds "
        f"than under seed 0 (under seed {runs[-1]}: {tests}): {advice}"
    )
