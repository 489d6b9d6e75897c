"""What sets the claims that fail apart from those that hold: one option or kind of input.

"It goes wrong exactly where weight_decay is given" is true whatever the mistake is, and tells a
student which line to read. Only what a line of code could ask for is a condition: that one axis is
missing in some argument was true as well, and led astray.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from course_utils.calls.evidence import Argument, CallInfo
from course_utils.diagnosis.observation import PLACE, Observation
from course_utils.ground import said
from course_utils.ground.statuses import Aspect
from course_utils.verdict.outcome import TestOutcome

_OF_VALUES = (Aspect.IDEA, Aspect.DETAIL, Aspect.EDGE)
_HOLDING = 2


def contrast(outcomes: Sequence[TestOutcome], *, hidden: bool) -> Observation | None:
    """The one condition on the arguments under which all failed claims fail and no other does.

    Args:
        outcomes: of one exercise, passed and failed.
        hidden: whether hidden tests are among them; then no value is in what is said.
    """
    judged = [o for o in outcomes if o.about in _OF_VALUES]
    wrong = [o for o in judged if o.refuted and not o.passed_by_values]
    if not all(o.calls for o in wrong):
        return None  # of a call that was not seen, nothing can be said
    failed = [o.calls[-1] for o in wrong]
    names = {call.name for call in failed}
    right = [o for o in judged if o.calls and o.passed_by_values]
    held = [o for o in right if names <= {call.name for call in o.calls}]
    if len(names) != 1 or len(held) < _HOLDING:
        return None
    common = set.intersection(*(set(_conditions(call, hidden)) for call in failed))
    elsewhere = {one for o in held for call in o.calls for one in _conditions(call, hidden)}
    for where, without in _conditions(failed[0], hidden):
        if (where, without) in common - elsewhere:
            return Observation(
                f"only_where_{where}",
                f"It goes wrong exactly where {where}; in every claim {without} the values are "
                "right.",
                PLACE,
            )
    return None


def _conditions(call: CallInfo, hidden: bool) -> Iterator[tuple[str, str]]:
    """What is so in a call, as "where …" and "in every claim …" for calls in which it is not."""
    for argument in call.arguments:
        if argument.text is not None and argument.name:
            where = said.told("", f'{argument.name} is "{argument.text}"', hidden=hidden)
            yield from [(where, "with another")] if where else []
        yield from _of_argument(argument)


def _of_argument(argument: Argument) -> Iterator[tuple[str, str]]:
    name = argument.name
    if name:
        if argument.number is None or argument.number != 0:
            yield f"{name} is given", "without it"
        if argument.number is not None and argument.number < 0:
            yield f"{name} is negative", "where it is not"
    if argument.infinite:
        yield "an argument holds an infinity", "without one"
    if argument.shape is not None and len(argument.shape) > 2:
        yield "an argument has more than two axes", "with two or fewer"
