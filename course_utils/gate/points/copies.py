"""Solutions recognised as syntax trees, wherever in a text they stand and however they are set.

Spacing, line breaks, comments, quotes and brackets are nothing to a tree; local names are numbered
in the order in which they come, so that renaming them changes nothing either. A tree can only be
made of what is Python: of a text, its code blocks, its strings and its lines are tried. Where none
of them is, the statements are looked for with all blanks taken out.
"""

from __future__ import annotations

import ast
import html
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.ground.cells import source, without_magics
from course_utils.ground.lab import Lab
from course_utils.ground.stub import solution_regions

# Shorter statements (n = len(x), return h / n) are anybody's; of a region of such, the whole.
_LINE = 24
_REGION = 12
# So many nodes must be alike for two pieces under other names to be the same piece of work.
_NODES = 14

_BODIES = ("body", "orelse", "finalbody")

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n]*\n(.*?)^[ \t]*\1", re.DOTALL | re.MULTILINE)
_TAGGED = re.compile(r"<(pre|code)\b[^>]*>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_PROMPT = re.compile(r"^[ \t]*(>>>|\.\.\.|In ?\[\d*\]:) ?", re.MULTILINE)


@dataclass(frozen=True)
class Region:
    """A solution region.

    Attributes:
        exercise: whose solution it is part of.
        text: its source, dedented.
    """

    exercise: str
    text: str

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """Its statements, without docstrings."""
        tree = _parsed(self.text)
        return _plain(tree.body) if tree is not None else []

    @cached_property
    def telling(self) -> list[ast.stmt]:
        """The simple statements in it that nobody else would write by chance."""
        return [node for node in _simple(self.statements) if len(_written(node)) >= _LINE]

    @cached_property
    def marks(self) -> list[str]:
        """What gives it away in any text: its telling statements, or all of it, without blanks."""
        if self.telling:
            return [_squeezed(_written(node)) for node in self.telling]
        whole = _squeezed("".join(_written(node) for node in _simple(self.statements)))
        return [whole] if len(whole) >= _REGION else []

    @cached_property
    def shape(self) -> str:
        """All of it with its names numbered; empty where it is too short to be anybody's own."""
        nodes = sum(1 for node in self.statements for _ in ast.walk(node))
        return _shape(self.statements) if nodes >= _NODES and self.marks else ""


def regions_of(lab: Lab) -> list[Region]:
    """The solution regions of a lab's notebook."""
    return [
        Region(exercise, textwrap.dedent("\n".join(lines)))
        for exercise, cells in exercise_cells(lab).items()
        for cell in cells for lines in regions(source(cell))
    ]  # fmt: skip


def regions(text: str) -> list[list[str]]:
    """The lines of each solution region of a cell's source."""
    lines = text.splitlines()
    return [lines[region.start : region.stop - 1] for region in solution_regions(text)]


@dataclass(frozen=True)
class Text:
    """A released text in which solutions are looked for.

    Attributes:
        code: whether it is a program, and not a text in which there may be one.
        strict: whether one line of a solution is one too many, as in the notebook's prose. Code
            that is given (a Break it exercise, a bug to be found) and hints may share lines with
            a solution, but not all of a region's.
    """

    text: str
    code: bool
    strict: bool = False

    @cached_property
    def trees(self) -> list[ast.Module]:
        """What of it is Python."""
        if "\0" in self.text or "\ufffd" in self.text:
            return []  # bytes of another kind
        pieces = [self.text] if self.code else _snippets(self.text)
        found = [tree for piece in pieces if (tree := _parsed(piece)) is not None]
        return found

    @cached_property
    def written(self) -> set[str]:
        """The simple statements, and the values in them, of what is Python."""
        found = set()
        for tree in self.trees:
            for node in _simple(tree.body):
                found.add(_squeezed(_written(node)))
        return found

    @cached_property
    def squeezed(self) -> str:
        """The whole text without blanks, comments of code left out."""
        return _squeezed(re.sub(r"#[^\n]*", "", self.text) if self.code else self.text)

    @cached_property
    def bodies(self) -> list[list[ast.stmt]]:
        """Every run of statements in it, at any depth."""
        return [body for tree in self.trees for body in _bodies(tree)]

    def has(self, mark: str) -> bool:
        """Whether it says what a mark says."""
        return mark in self.written or mark in self.squeezed

    def has_shape(self, region: Region) -> bool:
        """Whether a run of its statements is a region under other names."""
        if not region.shape:
            return False
        kinds = [type(node) for node in region.statements]
        return any(
            [type(node) for node in body[i : i + len(kinds)]] == kinds
            and _shape(body[i : i + len(kinds)]) == region.shape
            for body in self.bodies for i in range(len(body) - len(kinds) + 1)
        )  # fmt: skip


def copied(some: Sequence[Region], texts: Sequence[Text]) -> Iterator[str]:
    """What of solution regions stands in the texts of a file: a statement of each."""
    prose = [text for text in texts if text.strict]
    given = [text for text in texts if not text.strict]
    for region in some:
        if not region.statements:
            continue
        said = [mark for mark in region.marks if any(text.has(mark) for text in prose)]
        inside = region.marks and all(any(text.has(m) for text in given) for m in region.marks)
        if said or inside or any(text.has_shape(region) for text in texts):
            shown = region.telling or region.statements
            marks = region.marks if region.telling else []
            yield ast.unparse(shown[marks.index(said[0])] if said and marks else shown[0])


def strings_in(code: str) -> list[str]:
    """The texts in a program: its docstrings and other strings, and its comments as one."""
    tree = _parsed(code)
    found = [] if tree is None else [
        node.value for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]  # fmt: skip
    comments = re.findall(r"^[ \t]*#+ ?([^\n]*)$", code, re.MULTILINE)
    return [*found, "\n".join(comments)] if comments else found


def _snippets(text: str) -> list[str]:
    """What of a text may be Python: itself, its code blocks, indented parts and spans."""
    found = [text]
    found += [match.group(2) for match in _FENCE.finditer(text)]
    found += [html.unescape(match.group(2)) for match in _TAGGED.finditer(text)]
    found += [match.group(2) for match in _SPAN.finditer(text)]
    block: list[str] = []
    for line in [*text.splitlines(), "."]:
        if line.startswith(("    ", "\t", "> ", ">>> ")) or not line.strip():
            block.append(re.sub(r"^> ", "", line))
        else:
            found += ["\n".join(block)] if any(line.strip() for line in block) else []
            block = []
    found += text.splitlines()
    return [_PROMPT.sub("", piece) for piece in found if piece.strip()]


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(textwrap.dedent(without_magics(text)).strip("\n"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _plain(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    return [
        node for node in body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]  # fmt: skip


def _simple(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that hold no others, at any depth."""
    for node in _plain(body):
        inner = [part for field in _BODIES for part in getattr(node, field, ())]
        inner += [part for handler in getattr(node, "handlers", ()) for part in handler.body]
        if inner:
            yield from _simple(inner)
        else:
            yield node


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in _BODIES:
            body = getattr(node, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield _plain(body)


def _written(node: ast.stmt) -> str:
    return ast.unparse(node)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\\]+", "", text).replace('"', "'")


def _shape(body: Sequence[ast.stmt]) -> str:
    """Statements as text, with every name replaced by its number, and no docstrings."""
    numbers: dict[str, str] = {}
    return " ".join(part for node in body for part in _parts(node, numbers))


def _parts(tree: Any, numbers: dict[str, str]) -> Iterator[str]:
    if isinstance(tree, list):
        yield "["
        some = _plain(tree) if tree and isinstance(tree[0], ast.stmt) else tree
        for item in some:
            yield from _parts(item, numbers)
        yield "]"
    elif not isinstance(tree, ast.AST):
        yield repr(tree)
    else:
        yield type(tree).__name__
        for field, value in ast.iter_fields(tree):
            if field in ("annotation", "returns", "type_comment", "ctx"):
                continue
            named = isinstance(tree, (ast.Name, ast.arg, ast.FunctionDef, ast.ClassDef))
            if named and isinstance(value, str):
                yield numbers.setdefault(value, f"v{len(numbers)}")
            else:
                yield from _parts(value, numbers)
