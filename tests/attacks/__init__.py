"""Hostile submissions: what a clever student would try, in five families.

Each module of a family is plain data: a name, what it tries, and how a folder is filled with it.
``tests/attack.py`` grades them among honest notebooks and counts what they got and what it cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attacks.cases import Attack


def collection() -> list[Attack]:
    """Every attack, family by family."""
    from attacks import forge, harm, learn, reach, weapon  # noqa: F401  # these fill the list
    from attacks.cases import ATTACKS, Family

    families = list(Family)
    ordered = sorted(ATTACKS, key=lambda attack: families.index(attack.family))
    return [replace(attack, number=number) for number, attack in enumerate(ordered)]
