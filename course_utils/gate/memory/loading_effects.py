"""Whether loading a statement does more than to bind names."""

from __future__ import annotations

import ast
import re
from collections.abc import Container

from course_utils.gate.memory.syntax import (
    is_text,
    last_name,
    root_name,
)

# Decorators that only note something about what they stand on.
_QUIET = {
    "exercise", "probe", "misconception", "variant", "fixture", "parametrize", "staticmethod",
    "classmethod", "property", "cache", "lru_cache", "cached_property", "wraps", "dataclass",
}  # fmt: skip
_LOUD = re.compile(r"seed|^set_|^use|autouse|register|patch")
_LITERALS = {"dict", "frozenset", "list", "range", "set", "sorted", "tuple", "zip", "float", "int"}


def is_quiet(node: ast.stmt, imported: Container[str]) -> bool:
    """Whether loading a statement does nothing but bind names."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        run: list[ast.expr] = [*node.decorator_list, *node.args.defaults]
        run += [one for one in node.args.kw_defaults if one is not None]
    elif isinstance(node, ast.ClassDef):
        members = all(is_text(one) or is_quiet(one, imported) for one in node.body)
        return members and all(_calls_quietly(one, imported) for one in node.decorator_list)
    elif isinstance(node, ast.Assign):
        stored = (inner for target in node.targets for inner in ast.walk(target))
        if any(isinstance(inner, (ast.Attribute, ast.Subscript)) for inner in stored):
            return False
        run = [node.value]
    elif isinstance(node, ast.AnnAssign):
        run = [node.value] if node.value is not None else []
    else:
        return isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)) or is_text(node)
    return all(_calls_quietly(one, imported) for one in run)


def _calls_quietly(tree: ast.expr, imported: Container[str]) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name, root = last_name(node.func), root_name(node.func)
            known = name in _QUIET or name in _LITERALS or root in imported
            if not known or _LOUD.search(name):
                return False
        if isinstance(node, ast.keyword) and node.arg and _LOUD.search(node.arg):
            return False
        if isinstance(node, (ast.Await, ast.Yield, ast.NamedExpr)):
            return False
    return True
