"""What is read off a Python file's syntax tree: names that it binds and imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from course_utils.testing.catalogue import TABLE


@lru_cache(maxsize=8)  # asked for once a piece of the same file
def imported_names(tree: ast.Module) -> frozenset[str]:
    """The names that a file's imports bind."""
    return frozenset(
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    )  # fmt: skip


def bound_names(nodes: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, but for those of imports."""
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        else:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    yield inner.id


def is_text(node: ast.AST) -> bool:
    """Whether it is a text that stands by itself, such as a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_table(node: ast.stmt) -> bool:
    """Whether it is the catalogue's table of mistakes."""
    names = set(bound_names([node])) if isinstance(node, (ast.Assign, ast.AnnAssign)) else set()
    return names == {TABLE} and isinstance(getattr(node, "value", None), ast.Dict)


def last_name(node: ast.expr) -> str:
    """The name itself of ``a.b.name``; empty for what has none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def root_name(node: ast.expr) -> str:
    """What ``name.a.b`` begins with; empty for what is no name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
