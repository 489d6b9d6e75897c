"""What one test found, and the most likely mistake behind what several have found.

Plain data, finished where it is made: floors above make another of it, print it, and store it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from course_utils.calls.digest import Returned
from course_utils.calls.evidence import CallInfo
from course_utils.calls.policy import ForbiddenCall
from course_utils.ground import said
from course_utils.ground.statuses import Aspect, Reason, Status

# Comparisons that fail for something else than a value.
_NOT_VALUES = ("type", "structure", "shape", "dtype", "device", "modified")


@dataclass(frozen=True)
class Diagnosis:
    """The most likely mistake: its name (a misconception's, or a general pattern's) and a hint.

    Attributes:
        sure: False where it explains a part of what failed only.
        named: whether it is a mistake of the lab's catalogue, not what the numbers say.
    """

    name: str
    hint: str
    details: tuple[str, ...] = ()
    sure: bool = True
    named: bool = True

    @property
    def names(self) -> list[str]:
        """Of each mistake, where it is several at once."""
        return self.name.split(", and ") if self.named else [self.name]

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "hint": self.hint}


@dataclass(frozen=True)
class TestOutcome:
    """What one test found.

    Attributes:
        test: the test function's name.
        about: what the claim is about.
        part: which of several answers of the exercise it judges; empty where there is one.
        stated: the words of the docstring or the Conventions box that ask for what is tested.
        trains: whether student code trains a network in it, which takes its time.
        claim: the sentence that the student reads (first line of the test's docstring).
        message: what was seen instead, a sentence; empty for a passed test.
        relative_error: the largest relative error met in the test's comparisons, if there was one.
        tolerance: the relative tolerance it was held against.
        held: how many comparisons held, before one failed if one did.
        trace: what is kept of what the student's code returned, call by call (never shown for a
            hidden test).
        calls: what those calls were like, for the diagnosis (never shown for a hidden test).
        mismatch: the arrays that differed, for the numeric look (never shown for a hidden test).
        chart: where the values of an open test differ (``ground/chart``).
        call_seconds: time spent inside the student's functions.
        tripped: where the test itself raised something that is no failed claim ("test_public.py,
            line 12"), for the release gate.
        reason: a grader's code for what happened, where the status leaves open which.
        forbidden: the forbidden call that was made in it, whatever it costs.
        by_values: the status that it would have without that call.
        wrong_value: what :attr:`has_wrong_value` said before trace and mismatch went.
        hollow: whether it holds in company of such only as hold for an answer that knows nothing,
            too: it earns nothing then.
    """

    __test__ = False  # pytest would take the name for a test class

    test: str
    exercise: str
    claim: str
    hidden: bool
    weight: float
    status: Status
    about: Aspect = Aspect.IDEA
    part: str = ""
    stated: str = ""
    trains: bool = False
    message: str = ""
    relative_error: float | None = None
    tolerance: float | None = None
    held: int = 0
    trace: Sequence[Returned] = field(default=(), repr=False)
    calls: Sequence[CallInfo] = field(default=(), repr=False)
    mismatch: Any = field(default=None, repr=False)
    call_seconds: float = 0.0
    tripped: str = ""
    reason: Reason | None = None
    forbidden: ForbiddenCall | None = None
    by_values: Status | None = None
    wrong_value: bool = False
    hollow: bool = False
    chart: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """What may be said of it where it does not hold."""
        return said.of_test(self.status, self.message, hidden=self.hidden)

    def quoted(self, seen: str) -> str:
        """What was seen in it, where that may be told: it lies open. Else nothing."""
        return said.told("", seen, hidden=self.hidden)

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    @property
    def passed_by_values(self) -> bool:
        """Whether it would pass if a forbidden call cost nothing."""
        return (self.by_values or self.status) is Status.PASSED

    @property
    def refuted(self) -> bool:
        """Whether its claim was judged and does not hold, however it ended."""
        return not self.passed and self.status is not Status.UNJUDGED

    @property
    def has_wrong_value(self) -> bool:
        """Whether a call in it came back with a value, and a wrong one."""
        if self.wrong_value:
            return True
        if self.status is not Status.FAILED or not self.about.of_values:
            return False
        if self.mismatch is not None:
            return self.mismatch.kind not in _NOT_VALUES and self.mismatch.actual is not None
        return any(not one.nothing for one in self.trace)

    def to_dict(self) -> dict[str, Any]:
        """The public face: a hidden test shows its claim and verdict, never what was seen."""
        return {
            "claim": self.claim,
            "passed": self.passed,
            "hidden": self.hidden,
            "status": str(self.status),
            "message": self.quoted(self.message),
        }

    def sealed(self) -> TestOutcome:
        """The outcome as it may be kept and shown, once the diagnosis is made.

        What that was made from is large, and goes; a hidden test's holds nothing that was seen in
        it, whatever is made of it afterwards.
        """
        wrong = self.has_wrong_value
        if not self.hidden:
            return replace(self, trace=(), calls=(), mismatch=None, wrong_value=wrong)
        call = self.forbidden
        return TestOutcome(  # made from nothing: what is not named here is not kept
            self.test, self.exercise, self.claim, self.hidden, self.weight, self.status,
            about=self.about, part=self.part, stated=self.stated, trains=self.trains,
            message=self.told, reason=self.reason, by_values=self.by_values,
            forbidden=None if call is None else ForbiddenCall("", "", call.cost),
            wrong_value=wrong, hollow=self.hollow,
        )  # fmt: skip
