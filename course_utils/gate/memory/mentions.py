"""The names that a piece of source mentions, in code and in strings."""

from __future__ import annotations

import ast
import re
from collections.abc import Container

from course_utils.gate.memory.syntax import (
    last_name,
    root_name,
)

MEMBERS = "Reference"


def collect(
    tree: ast.AST, modules: Container[str], words: set[str], stems: set[tuple[str, str]]
) -> None:
    """The names that a piece of source mentions, in code and in strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, (ast.arg, ast.keyword)):
            words.add(node.arg or "")
        elif isinstance(node, ast.Attribute):
            root = root_name(node)
            if root in ("reference", MEMBERS):
                words |= {f"{MEMBERS}.{node.attr}"}
            elif root not in modules:  # what a library defines is not the lab's
                words.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words |= set(re.findall(r"[A-Za-z_]\w*", node.value))
        elif isinstance(node, ast.Call) and last_name(node.func) == "getattr":
            stems |= _made_up(node.args[1]) if len(node.args) > 1 else set()


def _made_up(name: ast.expr) -> set[tuple[str, str]]:
    """The fixed ends of a name that is put together where it is used; (“”, “”) for any name."""
    if isinstance(name, ast.JoinedStr) and name.values:
        ends = [
            str(part.value) if isinstance(part, ast.Constant) else ""
            for part in (name.values[0], name.values[-1])
        ]
        return {(ends[0], ends[1])}
    if isinstance(name, (ast.Constant, ast.Name, ast.Attribute, ast.Subscript)):
        return set()  # it was written out somewhere, and is among the words there
    return {("", "")}
