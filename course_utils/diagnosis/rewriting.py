"""Right implementations as source text, and what becomes of them when mistakes are edited in."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import FunctionType
from typing import Any

from course_utils.ground.cells import check_of, is_check, is_solution, source
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing import catalogue
from course_utils.testing.catalogue import Entry, Rewrite

Namespace = dict[str, Any]
Span = tuple[int, int]


@dataclass(frozen=True)
class Original:
    """A right implementation of an exercise: the solution's cells, or a variant.

    Attributes:
        name: the variant's name; empty for the solution.
        text: its source.
        scope: what a variant's file defines beside it.
        binds: for a variant: its own name, and the name in the notebook that it stands for.
    """

    name: str
    text: str
    scope: Namespace = field(default_factory=dict, repr=False)
    binds: tuple[str, str] | None = None

    @cached_property
    def names(self) -> set[str]:
        """The functions and classes that it defines."""
        tree = ast.parse(self.text)
        kinds = (ast.FunctionDef, ast.ClassDef)
        return {node.name for node in tree.body if isinstance(node, kinds)}

    @cached_property
    def uses(self) -> set[str]:
        """The names that occur in it."""
        return {node.id for node in ast.walk(ast.parse(self.text)) if isinstance(node, ast.Name)}

    def spans(self, rewrites: Sequence[Rewrite]) -> list[Span] | None:
        """Where the replaced texts stand, sorted; None unless each stands there exactly once."""
        found: list[Span] = []
        for old, _ in _all(rewrites):
            start = self.text.find(old)
            if start < 0 or self.text.find(old, start + 1) >= 0:
                return None
            found.append((start, start + len(old)))
        found.sort()
        apart = all(a[1] <= b[0] for a, b in pairwise(found))
        return found if apart else None

    def changed(self, rewrites: Sequence[Rewrite]) -> list[Span] | None:
        """The spans, without what old and new text have in common at their ends."""
        if self.spans(rewrites) is None:
            return None
        return sorted(_core(self.text.find(old), old, new) for old, new in _all(rewrites))

    def edited(self, rewrites: Sequence[Rewrite]) -> str | None:
        """The source with all replacements made; None where they do not fit it."""
        spans = self.spans(rewrites)
        if spans is None:
            return None
        new_at = {self.text.find(old): new for old, new in _all(rewrites)}
        text = self.text
        for start, end in reversed(spans):
            text = text[:start] + new_at[start] + text[end:]
        return text

    def define(self, base: Namespace, text: str) -> Namespace:
        """The definitions of ``base`` with those of an edited text laid over them."""
        namespace = {**base, **self.scope}
        exec(compile(text, f"<{self.name or 'solution'}, edited>", "exec"), namespace)
        if self.binds is not None:
            own, notebook = self.binds
            namespace[notebook] = namespace[own]
        return namespace


def _all(rewrites: Sequence[Rewrite]) -> list[tuple[str, str]]:
    return [replacement for rewrite in rewrites for replacement in rewrite]


def _core(start: int, old: str, new: str) -> Span:
    """Where the two texts differ: common words and signs at both ends are left out."""
    a, b = re.findall(r"\w+|\s+|.", old), re.findall(r"\w+|\s+|.", new)
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    left = start + len("".join(a[:head]))
    return left, max(left, start + len(old) - len("".join(a[len(a) - tail :])))


class Originals:
    """The right implementations of a lab, by exercise, and the mistakes edited into them.

    Args:
        lab: an instructor's folder.

    Attributes:
        base: what the solution notebook defines.
        misconceptions, variants: the entries of the lab's catalogue.

    Raises:
        LabError: the solution does not run, or the text that a mistake edits is not in it.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.misconceptions = catalogue.load(lab.misconceptions_path)
        self.variants = catalogue.load(lab.variants_path)
        self.base: Namespace = solution_namespace(lab)
        self._by_exercise: dict[str, list[Original]] = {}
        for exercise, cells in exercise_cells(lab).items():
            text = "\n\n".join(source(cell) for cell in cells)
            # Students may not call the built-in that an exercise forbids: no dress of theirs.
            own = [
                original_of(entry) for entry in self.variants
                if entry.exercise == exercise and not entry.built_in
            ]  # fmt: skip
            self._by_exercise[exercise] = [Original("", text), *own]
        self._require(self.misconceptions)

    def of(self, exercise: str) -> list[Original]:
        """The solution of an exercise, and its variants.

        Raises:
            LabError: the notebook has no such exercise.
        """
        try:
            return self._by_exercise[exercise]
        except KeyError:
            raise LabError(
                f"{self.lab.misconceptions_path} names the exercise {exercise!r}, for which "
                f"{self.lab.notebook_path.name} has no check cell"
            ) from None

    def _require(self, entries: Sequence[Entry]) -> None:
        """Every edit's text is in the solution once; of another way, there or in a variant."""
        for entry in entries:
            for number, rewrite in enumerate(entry.rewrites):
                places = self.of(entry.exercise)[: None if number else 1]
                if all(place.spans([rewrite]) is None for place in places):
                    where = "the solution or a variant" if number else "the solution"
                    texts = ", ".join(repr(old) for old, _ in rewrite)
                    raise LabError(
                        f"{self.lab.misconceptions_path}: {entry.name} of {entry.exercise} edits "
                        f"{texts}, which must occur exactly once in {where} of that exercise"
                    )
            if entry.rewrites and next(self.dresses(entry), None) is None:
                raise LabError(
                    f"{self.lab.misconceptions_path}: {entry.name} of {entry.exercise} makes "
                    "source that is no Python: mend its new text"
                )

    def with_entry(self, entry: Entry | None) -> Namespace:
        """The solution's definitions with one entry in their place, in its first form."""
        if entry is None:
            return self.base
        if entry.implementation is not None:
            return {**self.base, entry.replaces: _at_home(entry.implementation, self.base)}
        solution = self.of(entry.exercise)[0]
        text = solution.edited(entry.rewrites[:1])
        assert text is not None, f"{entry.name} was not looked up"
        return solution.define(self.base, text)

    def dresses(self, *entries: Entry) -> Iterator[tuple[Original, str]]:
        """Every text in which these edits of one exercise are made together, the plainest first."""
        seen: set[str] = set()
        for original in self.of(entries[0].exercise):
            for rewrites in _choices([entry.rewrites for entry in entries]):
                text = original.edited(rewrites)
                if text is not None and text not in seen and _compiles(text):
                    seen.add(text)
                    yield original, text


def _at_home(implementation: Any, base: Namespace) -> Any:
    """A whole implementation as it would be in the notebook: it may call what is defined there."""
    if not isinstance(implementation, FunctionType):
        return implementation
    made = FunctionType(
        implementation.__code__, {**base, **implementation.__globals__}, implementation.__name__,
        implementation.__defaults__, implementation.__closure__,
    )  # fmt: skip
    made.__kwdefaults__ = implementation.__kwdefaults__
    return made


def _compiles(text: str) -> bool:
    try:
        compile(text, "<edited>", "exec")
    except SyntaxError:  # two edits, or one in another dress, may not fit after all
        return False
    return True


def _choices(rewrites: Sequence[Sequence[Rewrite]]) -> Iterator[list[Rewrite]]:
    if not rewrites:
        yield []
        return
    for first in rewrites[0]:
        for rest in _choices(rewrites[1:]):
            yield [first, *rest]


def exercise_cells(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """The solution cells of each exercise: those before its check cell."""
    found: dict[str, list[dict[str, Any]]] = {}
    waiting: list[dict[str, Any]] = []
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "code" and is_solution(cell):
            waiting.append(cell)
        elif is_check(cell):
            found[check_of(cell)] = waiting
            waiting = []
    return found


def original_of(entry: Entry) -> Original:
    lines = textwrap.dedent(inspect.getsource(entry.implementation)).splitlines()
    while not lines[0].startswith(("def ", "class ")):  # the marker above it
        del lines[0]
    scope = vars(sys.modules[entry.implementation.__module__])
    return Original(
        entry.name, "\n".join(lines), scope, (entry.implementation.__name__, entry.replaces)
    )
