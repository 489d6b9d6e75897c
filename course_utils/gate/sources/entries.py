"""Mistakes and variants as text: each of an exercise that there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from course_utils.gate.finding import Finding
from course_utils.gate.sources.decorators import decorator, named_exercise
from course_utils.ground.lab import Lab
from course_utils.testing.catalogue import TABLE


def read_entries(lab: Lab, path: Path, tree: ast.Module, known: list[str]) -> Iterator[Finding]:
    """Whether mistakes and variants name exercises that there are."""
    name = path.relative_to(lab.folder)
    for exercise, line, what in _catalogue(tree):
        yield from named_exercise(f"{name}, line {line}", what, exercise, known)


def _catalogue(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """(exercise, line, what it is) of everything in a file that a catalogue would hold."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for kind in ("misconception", "variant"):
                mark = decorator(node, kind)
                if mark is not None and mark.args and isinstance(mark.args[0], ast.Constant):
                    yield str(mark.args[0].value), mark.lineno, f"the {kind} {node.name}"
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and any(
            isinstance(target, ast.Name) and target.id == TABLE for target in targets
        ):
            for key in node.value.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value), key.lineno, TABLE


def with_line(lab: Lab, sentence: str) -> str:
    """A sentence about a mistake of the catalogue, with the line where its table names it."""
    match = re.search(r"(\w+) of (\w+) (?:edits|makes)", sentence)
    path = lab.misconceptions_path
    short = sentence.replace(str(path), str(path.relative_to(lab.folder)))
    if match is None:
        return short
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and node.value == match.group(1):
            file, _, rest = short.partition(":")
            return f"{file}, line {node.lineno}:{rest}"
    return short
