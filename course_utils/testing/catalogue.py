"""A lab's mistakes and right variants, as its authors write them in ``hidden/``.

A mistake is an *edit* of a right implementation: this expression becomes that one. Edits stand in
tables, by exercise, and compose, so that two mistakes at once are known as well::

    MISTAKES = {
        "softmax_nll_grad": {
            "sign_flipped": edit("(h - y) / n", "(y - h) / n", hint="y − h points uphill: …"),
        },
    }

Where no edit will do, a mistake is a whole implementation, and so is a variant::

    @misconception("softmax_nll_grad", hint="…")
    def written_in_another_way(logits, targets, reduction="mean"): ...

    @variant("softmax_nll_grad")
    def torch_autograd(logits, targets, reduction="mean"): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from course_utils.ground.statuses import Aspect
from course_utils.testing.loading import load_module

Implementation = TypeVar("Implementation", bound=Callable[..., Any])
Replacement = tuple[str, str]
Rewrite = tuple[Replacement, ...]

TABLE = "MISTAKES"
_TAG = "__course_entry__"


@dataclass(frozen=True)
class Edit:
    """A mistake as a change of source text; made by :func:`edit`.

    Attributes:
        rewrites: ways of making it; of each, all replacements are made together. The first is
            one of the solution's source.
        hint, about, cost: as in :class:`Entry`.
    """

    rewrites: tuple[Rewrite, ...]
    hint: str
    about: Aspect
    cost: float | None


def edit(
    old: str,
    new: str,
    *further: Replacement,
    hint: str,
    about: str = "idea",
    cost: float | None = None,
    also: Sequence[Replacement | Sequence[Replacement]] = (),
) -> Edit:
    """A named mistake: in the solution's cell, ``old`` becomes ``new``.

    Args:
        old: source text that occurs exactly once in the exercise's solution cells.
        new: what people write in its place.
        further: more (old, new) that belong to the same mistake.
        hint: what a student who wrote this should be told, in one or two sentences.
        about: what the mistake is about; the same words as for a test's claim.
        cost: the share of the points it should cost, where that is not what its aspect suggests
            (at least half for "idea", at most half otherwise).
        also: other ways of writing the same mistake: (old, new), or a list of them, each found
            in the solution or in a variant.
    """
    if not hint.strip():
        raise ValueError(f"the edit {old!r} -> {new!r} needs a hint: what should a student read?")
    others = tuple(_rewrite(one) for one in also)
    return Edit((((old, new), *further), *others), hint, Aspect(about), cost)


def _rewrite(one: Replacement | Sequence[Replacement]) -> Rewrite:
    if isinstance(one[0], str):
        return ((one[0], str(one[1])),)
    return tuple((str(pair[0]), str(pair[1])) for pair in one)


@dataclass(frozen=True)
class Entry:
    """One mistake or one variant of an exercise.

    Attributes:
        name: its name in the table, or the function's or class's own.
        exercise: the exercise that it belongs to.
        hint: what a student with this mistake is told; empty for a variant.
        about: what the mistake is about.
        cost: the share of the points that it should cost, where the author says so.
        rewrites: of an edit; see :class:`Edit`.
        replaces: of a whole implementation: the notebook's name that it stands for.
        implementation: the function or class, where it is no edit.
        built_in: whether it adapts a built-in that the exercise forbids to students.
    """

    name: str
    exercise: str
    hint: str = ""
    about: Aspect = Aspect.IDEA
    cost: float | None = None
    rewrites: tuple[Rewrite, ...] = ()
    replaces: str = ""
    implementation: Any = None
    built_in: bool = False


def misconception(
    exercise: str,
    *,
    hint: str,
    replaces: str | None = None,
    about: str = "idea",
    cost: float | None = None,
) -> Callable[[Implementation], Implementation]:
    """Mark a function or class as a named wrong implementation, where no edit will do.

    Args:
        exercise: the exercise it belongs to.
        hint, about, cost: as for :func:`edit`.
        replaces: the notebook's name that it stands for, where that is not the exercise's.
    """
    if not hint.strip():
        raise ValueError(f"a misconception of {exercise} needs a hint: what should a student read?")
    return _tag(exercise, replaces, hint=hint, about=Aspect(about), cost=cost)


def variant(
    exercise: str, *, replaces: str | None = None, built_in: bool = False
) -> Callable[[Implementation], Implementation]:
    """Mark a function or class as another right implementation, which must get full marks.

    Mistakes whose text it holds are tried in it as well, so that they are known in more than one
    dress.

    Args:
        exercise: the exercise it belongs to.
        replaces: the notebook's name that it stands for, where that is not the exercise's.
        built_in: it adapts a built-in that students may not call here; what the exercise forbids
            is not held against it.
    """
    return _tag(exercise, replaces, built_in=built_in)


def _tag(
    exercise: str, replaces: str | None, **options: Any
) -> Callable[[Implementation], Implementation]:
    def mark(implementation: Implementation) -> Implementation:
        entry = Entry(
            implementation.__name__, exercise, replaces=replaces or exercise,
            implementation=implementation, **options,
        )  # fmt: skip
        setattr(implementation, _TAG, entry)
        return implementation

    return mark


def load(path: Path) -> list[Entry]:
    """The entries of a catalogue file: its table, then its functions, as they are written.

    Raises:
        ValueError: the table's form is wrong; the message says where.
    """
    if not path.exists():
        return []
    module = vars(load_module(path))
    found = (getattr(value, _TAG, None) for value in module.values())
    return [
        *_from_table(module.get(TABLE, {})),
        *(entry for entry in found if isinstance(entry, Entry)),
    ]


def _from_table(table: dict[str, dict[str, Edit]]) -> Iterator[Entry]:
    for exercise, mistakes in table.items():
        for name, one in mistakes.items():
            if not isinstance(one, Edit):
                raise ValueError(f"{TABLE}[{exercise!r}][{name!r}] must be an edit(old, new, …)")
            yield Entry(name, exercise, one.hint, one.about, one.cost, one.rewrites)
