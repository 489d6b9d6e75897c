"""What a class report counts: exercises, claims, mistakes, reasons; over made-up verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import write_tiny_lab

from course_utils.grading.insight.items import Item, items
from course_utils.grading.insight.measures import (
    correlation,
    histogram,
    reliability,
    spread,
)
from course_utils.grading.insight.mistakes import mistakes
from course_utils.grading.insight.noticed import noticed, times
from course_utils.grading.insight.roll import Roll, Work
from course_utils.grading.report import total_of
from course_utils.grading.templating import percent
from course_utils.grading.totals import CellMark, StudentMarks
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, Status, SubmissionStatus
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import Diagnosis, TestOutcome
from course_utils.verdict.submission import Notice, SubmissionResult

P, F, U, OPEN = Status.PASSED, Status.FAILED, Status.UNJUDGED, Status.NOT_WRITTEN
LABEL = {False: "public", True: "hidden"}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.load(write_tiny_lab(tmp_path))


def verdict(
    name: str, public: list[Status], hidden: list[Status], diagnosis: Diagnosis | None = None
) -> ExerciseResult:
    tests = tuple(
        TestOutcome(f"test_{n}", name, f"{LABEL[is_hidden]} claim {n}", is_hidden, 1.0, status)
        for is_hidden, statuses in ((False, public), (True, hidden))
        for n, status in enumerate(statuses)
    )
    return ExerciseResult(name, {"softmax": 4.0, "scale": 1.0}[name], tests, diagnosis)


def work(student: str, *verdicts: ExerciseResult, **more: Any) -> Work:
    manual = more.pop("manual", {})
    result = SubmissionResult(
        "lab00_tiny", student, SubmissionStatus.GRADED, 5.0, verdicts, **more
    )
    marks = StudentMarks({
        f"check_{one.name}": CellMark(one.score, manual.get(one.name), 0.0, one.max_score, False)
        for one in verdicts
    } | {"written_why": CellMark(None, manual.get("why"), 0.0, 2.0, "why" not in manual)})
    return Work(student, "", result, marks, total_of(result, marks))


def by_name(roll: Roll) -> dict[str, Item]:
    return {item.name: item for item in items(roll)}


def test_an_item_is_what_the_gradebook_says(lab: Lab) -> None:
    """A person's mark counts in place of the grader's; who was not read is not counted."""
    roll = Roll(lab, [
        work("a", verdict("softmax", [P, P], [P]), verdict("scale", [P], [])),
        work("b", verdict("softmax", [F, P], [F]), verdict("scale", [OPEN], []), manual={
            "softmax": 3.0, "why": 1.0}),
    ])  # fmt: skip
    found = by_name(roll)
    assert list(found) == ["softmax", "scale", "written_why"]
    assert found["softmax"].earned == pytest.approx((1 + 0.75) / 2)
    assert (found["scale"].full, found["scale"].not_written) == (1, 1)
    assert found["written_why"].shares == (0.5,) and found["written_why"].unread == 1


def test_claims_count_those_who_wrote_the_exercise_and_could_be_judged(lab: Lab) -> None:
    roll = Roll(lab, [
        work("a", verdict("softmax", [P, P], [F])), work("b", verdict("softmax", [F, U], [F])),
        work("c", verdict("softmax", [OPEN, OPEN], [OPEN])),
    ])  # fmt: skip
    item = by_name(roll)["softmax"]
    counts = {c.claim: (c.asked, c.failed, c.unjudged, c.failing) for c in item.claims}
    assert counts == {
        "public claim 0": (2, 1, 0, 0.5), "public claim 1": (2, 0, 1, 0.0),
        "hidden claim 0": (2, 2, 0, 1.0),
    }  # fmt: skip
    assert [claim.claim for claim in item.failed] == ["hidden claim 0", "public claim 0"]


def test_claims_of_the_same_words_are_told_apart(lab: Lab) -> None:
    tests = tuple(
        TestOutcome(f"test_it[{p}]", "softmax", "Same.", False, 1.0, status)
        for p, status in (("mean", P), ("sum", F))
    )
    roll = Roll(lab, [work("a", ExerciseResult("softmax", 4.0, tests))])
    assert [c.claim for c in by_name(roll)["softmax"].claims] == ["Same. (mean)", "Same. (sum)"]


def test_green_in_check_and_not_in_the_grade(lab: Lab) -> None:
    green = [work(f"g{n}", verdict("softmax", [P, P], [F])) for n in range(3)]
    right = [work(f"r{n}", verdict("softmax", [P, P], [P])) for n in range(3)]
    both = [work("b", verdict("softmax", [F, P], [F]))]
    item = by_name(Roll(lab, [*green, *right, *both]))["softmax"]
    assert item.green == ("g0", "g1", "g2") and item.surprises
    assert not by_name(Roll(lab, [*green[:2], *right]))["softmax"].surprises  # too few to say
    assert by_name(Roll(lab, both))["softmax"].green == ()


def test_discrimination_is_numpys_correlation_with_the_rest(lab: Lab) -> None:
    generator = np.random.default_rng(5)
    works, own, rest = [], [], []
    for number in range(30):
        held = [P if x else F for x in generator.random(3) < 0.6]
        done = P if generator.random() < 0.5 else F
        works.append(work(f"s{number}", verdict("softmax", held, []), verdict("scale", [done], [])))
        own.append(works[-1].shares["softmax"])
        rest.append(works[-1].shares["scale"])
    item = by_name(Roll(lab, works))["softmax"]
    assert item.discrimination == pytest.approx(np.corrcoef(own, rest)[0, 1])  # type: ignore[arg-type]


def test_mistakes_are_ranked_and_pairs_count_for_both(lab: Lab) -> None:
    def held(name: str, hint: str, **more: Any) -> ExerciseResult:
        return verdict("softmax", [F], [], Diagnosis(name, hint, **more))

    roll = Roll(lab, [
        work("a", held("axis_ignored, and no_shift", "Two things at once. …")),
        work("b", held("no_shift", "Subtract the maximum.")),
        work("c", held("no_shift", "Subtract the maximum.", sure=False)),
        work("d", held("factor", "Half of it.", named=False)),
        work("e", held(str(Status.TIMEOUT), "It took too long.")),
    ])  # fmt: skip
    first, *others = mistakes(roll)
    assert (first.name, first.count, first.unsure) == ("no_shift", 3, ["c"])
    assert first.hint == "Subtract the maximum." and first.lost == pytest.approx(12)
    assert {(one.name, one.named) for one in others} == {("axis_ignored", True), ("factor", False)}


def test_reasons_are_listed_with_who_has_them_and_the_gravest_first(lab: Lab) -> None:
    late, killed = Notice(Reason.LATE, "60 s late"), Notice(Reason.CELL_KILLED, "cell 2 ended it")
    roll = Roll(
        lab, [work("a", notices=(late,)), work("b", notices=(killed, late))],
        faults={"a": "the judge fell"},
    )  # fmt: skip
    found = [(one.reason, list(one.who)) for one in noticed(roll)]
    assert found == [
        (Reason.INTERNAL_ERROR, ["a"]), (Reason.CELL_KILLED, ["b"]), (Reason.LATE, ["a", "b"]),
    ]  # fmt: skip


def test_times_are_of_those_that_ran(lab: Lab) -> None:
    ran = [work(f"s{n}", verdict("scale", [P], []), wall_seconds=n, student_cpu_seconds=n / 2)
           for n in range(1, 8)]  # fmt: skip
    wall, cpu = times(Roll(lab, [*ran, work("unreadable")]))
    assert (wall.spread.count, wall.spread.median, cpu.spread.high) == (7, 4.0, 3.5)
    assert [student for student, _ in wall.longest] == ["s7", "s6", "s5", "s4", "s3"]
    assert times(Roll(lab, [work("unreadable")])) == []


def test_measures_agree_with_numpy_and_say_nothing_of_too_few() -> None:
    values = np.random.default_rng(1).random(37).tolist()
    found = spread(values)
    assert found is not None
    expected = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    five = [found.low, found.quarter, found.median, found.three_quarters, found.high]
    assert five == pytest.approx(expected.tolist())
    assert found.deviation == pytest.approx(np.std(values))
    assert spread([]) is None
    assert correlation(values[:9], values[:9]) is None and correlation([1.0] * 20, values) is None
    assert correlation(values, values) == pytest.approx(1)


def test_reliability_is_cronbachs_alpha() -> None:
    rng = np.random.default_rng(2)
    ability = rng.normal(size=(40, 1))
    points = ability + rng.normal(size=(40, 6))
    covariances = np.cov(points.T)
    alpha = 6 / 5 * (1 - np.trace(covariances) / covariances.sum())
    assert reliability(points.tolist()) == pytest.approx(alpha)
    assert reliability(np.repeat(ability, 4, axis=1).tolist()) == pytest.approx(1)
    assert reliability(points[:9].tolist()) is None  # too few
    assert reliability(points[:, :1].tolist()) is None  # one part
    assert reliability([[1.0, 2.0]] * 20) is None and reliability([]) is None


def test_every_share_has_its_column() -> None:
    assert histogram([0.0, 0.05, 0.3, 0.999, 1.0, 1.2]) == [2, 0, 0, 1, 0, 0, 0, 0, 0, 3]
    for tenth in range(10):
        assert histogram([tenth / 10])[tenth] == 1


def test_nothing_but_all_is_a_hundred_percent() -> None:
    told = {share: percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)}
    assert json.dumps(list(told.values())) == '["0 %", "1 %", "50 %", "99 %", "100 %"]'
