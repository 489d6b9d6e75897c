"""An exercise with several answers, explained answer by answer.

A mistake in one answer says nothing of the others, and must not hide what is wrong with them: an
exp that overflows in ``sigmoid`` left a wrong ``sigmoid_grad`` without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import Diagnosis, TestOutcome

Explain = Callable[[Sequence[TestOutcome]], Diagnosis | None]


def by_part(outcomes: Sequence[TestOutcome], explain: Explain) -> Diagnosis | None:
    """Each answer that fails by itself, beside all claims that hold; the surest first.

    Args:
        outcomes: of one exercise.
        explain: what may be said of all that failed among some outcomes.

    Returns:
        None where fewer than two answers fail, or nothing can be said of any.
    """
    parts = list(dict.fromkeys(one.part for one in outcomes if one.refuted))
    if len(parts) < 2:
        return None
    said: dict[tuple[str, str], tuple[Diagnosis, list[str]]] = {}
    for part in parts:
        found = explain([one for one in outcomes if one.passed or one.part == part])
        if found is not None:
            said.setdefault((found.name, found.hint), (found, []))[1].append(part)
    if not said:
        return None
    (first, where), *others = sorted(said.values(), key=lambda one: _rank(one[0]))
    if not others and len(where) == len(parts):
        return first
    details = [*first.details, *(_in(names, other.hint) for other, names in others)]
    return replace(first, hint=_in(where, first.hint), details=tuple(details))


def _rank(found: Diagnosis) -> tuple[bool, bool, bool]:
    return not found.named, not found.sure, found.name in list(Status)


def _in(parts: Sequence[str], hint: str) -> str:
    *others, last = (f"`{part}`" for part in parts)
    return f"{', '.join(others)} and {last}: {hint}" if others else f"{last}: {hint}"
