"""Files of tests as text: each test marked, with a claim, asking for fixtures that there are."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from course_utils.gate.finding import Finding
from course_utils.gate.sources.decorators import decorator, named_exercise
from course_utils.gate.sources.fatal import broken, near
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Aspect
from course_utils.testing import marker

# What the judge gives, and what of pytest's own is there while it runs.
_FIXTURES = {
    "student", "reference", "device", "rng", "generator", "request", "tmp_path",
    "tmp_path_factory", "monkeypatch", "pytestconfig", "record_property",
}  # fmt: skip


def read_tests(
    lab: Lab, path: Path, tree: ast.Module, public: ast.Module | None, known: list[str]
) -> Iterator[Finding]:
    """Whether the tests of a file are marked, claim something, and ask for what there is."""
    if path not in lab.test_files:
        return
    name = path.relative_to(lab.folder)
    given = _FIXTURES | _names(tree) | (_names(public) if public else set())
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        place = f"{name}, line {node.lineno}"
        is_test = node.name.startswith("test")
        mark = decorator(node, "exercise")
        if is_test and mark is None:
            yield broken(place, f'{node.name} has no @exercise("…"): say which exercise it tests')
        if is_test and not ast.get_docstring(node):
            yield Finding(
                8,
                f"{place}: {node.name} has no docstring, which is the claim that students read: "
                "write in a sentence what must hold",
            )
        if mark is not None:
            yield from _marker(f"{name}, line {mark.lineno}", node.name, mark, known)
        if is_test or decorator(node, "fixture") is not None:
            also, certain = _parameters(node)
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if certain and argument.arg not in given | also:
                    hint = near(argument.arg, given)
                    yield broken(
                        f"{name}, line {argument.lineno}",
                        f"{node.name} asks for the fixture {argument.arg}, which there is not"
                        f"{hint or ': define it in test_public.py with @pytest.fixture'}",
                    )


def _marker(place: str, test: str, mark: ast.Call, known: list[str]) -> Iterator[Finding]:
    """Whether an @exercise(…) names an exercise, and has only arguments that there are."""
    words = inspect.signature(marker.exercise).parameters
    for keyword in mark.keywords:
        if keyword.arg and keyword.arg not in words:
            yield broken(
                place, f"@exercise of {test} has no argument {keyword.arg}"
                f"{near(keyword.arg, list(words)) or '; it has ' + ', '.join(words)}",
            )  # fmt: skip
        value = keyword.value
        if keyword.arg == "about" and isinstance(value, ast.Constant):
            aspects = [str(aspect) for aspect in Aspect]
            if value.value not in aspects:
                yield broken(
                    place, f"{test} is about={value.value!r}, which is none of "
                    f"{', '.join(aspects)}{near(str(value.value), aspects)}",
                )  # fmt: skip
    first = mark.args[0] if mark.args else None
    if first is None and not any(keyword.arg == "name" for keyword in mark.keywords):
        yield broken(place, f'@exercise of {test} names no exercise: write @exercise("name", …)')
    if isinstance(first, ast.Constant):
        yield from named_exercise(place, test, first.value, known)


def _names(tree: ast.Module) -> set[str]:
    """The fixtures of a file, and the names that it imports, which may be fixtures."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (mark := decorator(node, "fixture")) is not None:
            named = [k.value.value for k in mark.keywords
                     if k.arg == "name" and isinstance(k.value, ast.Constant)]  # fmt: skip
            found |= {str(named[0])} if named else {node.name}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):  # name = pytest.fixture(function)
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _parameters(node: ast.FunctionDef) -> tuple[set[str], bool]:
    """The arguments that parametrize gives, and whether that can be read off."""
    found: set[str] = set()
    for one in node.decorator_list:
        mark = one if isinstance(one, ast.Call) else None
        if mark is None or not isinstance(mark.func, ast.Attribute) or not mark.args:
            continue
        if mark.func.attr == "parametrize":
            try:
                names = ast.literal_eval(mark.args[0])
            except ValueError:
                return found, False
            found |= set(re.split(r"\s*,\s*", names.strip()) if isinstance(names, str) else names)
    optional = node.args.args[len(node.args.args) - len(node.args.defaults) :]
    return found | {argument.arg for argument in optional}, True
