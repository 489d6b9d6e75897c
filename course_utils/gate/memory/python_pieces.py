"""The pieces of Python: of a notebook's cells, and of a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.gate.memory.loading_effects import is_quiet
from course_utils.gate.memory.mentions import MEMBERS
from course_utils.gate.memory.piece import Piece, piece_of
from course_utils.gate.memory.syntax import (
    bound_names,
    imported_names,
    is_table,
    is_text,
    last_name,
)
from course_utils.ground.cells import is_run, source, without_magics
from course_utils.ground.lab import Lab


def pieces_of_notebook(lab: Lab) -> Iterator[Piece]:
    """The cells that are run: solutions belong to their exercise, all others to everybody."""
    owners = {
        id(cell): name for name, cells in exercise_cells(lab).items() for cell in cells
    }
    for cell in lab.notebook["cells"]:
        if not is_run(cell):
            continue
        text = source(cell)
        tree = ast.parse(without_magics(text))
        owner = owners.get(id(cell), "")
        names = frozenset(bound_names(tree.body))
        if owner:
            quiet = all(is_quiet(node, imported_names(tree)) for node in tree.body)
            yield piece_of(text, tree.body, tree, names, owner=owner, always=not quiet,
                         eager=not quiet)  # fmt: skip
            continue
        yield Piece(text, always=True)
        for node in tree.body:
            yield piece_of("", [node], tree, frozenset(bound_names([node])),
                         eager=not is_quiet(node, imported_names(tree)))  # fmt: skip


def pieces_of_file(text: str) -> Iterator[Piece]:
    """The top-level statements of a file; of a table of mistakes the entries, of Reference the
    members."""
    tree = ast.parse(text)
    imported = imported_names(tree)
    for node in tree.body:
        if is_text(node):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield Piece(ast.unparse(node), always=True)
            continue
        if is_table(node):
            yield from _table(node, tree)
            continue
        if isinstance(node, ast.ClassDef) and node.name == MEMBERS and not node.decorator_list:
            yield from _class(node, tree)
            continue
        owner, entry = _owner(node)
        quiet = is_quiet(node, imported)
        names = frozenset() if owner else frozenset(bound_names([node]))
        yield piece_of(
            ast.unparse(node), [node], tree, names,
            owner=owner, entry=entry, always=not quiet, eager=not quiet,
        )  # fmt: skip


def _table(node: ast.stmt, tree: ast.Module) -> Iterator[Piece]:
    assert isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict)
    for key, value in zip(node.value.keys, node.value.values, strict=True):
        known = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        yield piece_of(ast.unparse(value), [value], tree, owner=known, entry=bool(known),
                     always=not known, eager=not known)  # fmt: skip


def _class(node: ast.ClassDef, tree: ast.Module) -> Iterator[Piece]:
    head = ast.ClassDef(node.name, node.bases, node.keywords, [ast.Pass()], [])
    yield Piece(ast.unparse(ast.fix_missing_locations(head)), always=True)
    for member in node.body:
        if is_text(member):
            continue
        names = frozenset(bound_names([member]))
        also = {f"{MEMBERS}.{name}" for name in names}
        plain = bool(names) and not any(name.startswith("__") for name in names)
        yield piece_of(ast.unparse(member), [member], tree, names | also, always=not plain,
                     eager=not plain)  # fmt: skip


def _owner(node: ast.stmt) -> tuple[str, bool]:
    """The exercise that a test, or a whole implementation, is marked with."""
    for mark in getattr(node, "decorator_list", ()):
        if not isinstance(mark, ast.Call) or not mark.args:
            continue
        name, first = last_name(mark.func), mark.args[0]
        if name in ("exercise", "misconception", "variant") and isinstance(first, ast.Constant):
            return str(first.value), name != "exercise"
    return "", False
