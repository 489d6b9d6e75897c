"""Before anything is run: can a lab's files be read, and do they name what there is?

Every finding names the file, the line, and what to do, and all of them are found at once.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import pkgutil
import re
import traceback
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from course_utils.calls.watching import AUTOGRAD
from course_utils.gate.report import Finding
from course_utils.ground.cells import (
    check_id,
    check_of,
    grade_id,
    is_check,
    is_explore,
    source,
    without_magics,
)
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Aspect
from course_utils.testing import marker
from course_utils.testing.catalogue import TABLE
from course_utils.testing.loading import load_module

# What the judge gives, and what of pytest's own is there while it runs.
_FIXTURES = {
    "student", "reference", "device", "rng", "generator", "request", "tmp_path",
    "tmp_path_factory", "monkeypatch", "pytestconfig", "record_property",
}  # fmt: skip
_SHOWN = 5


def read(lab: Lab) -> list[Finding]:
    """What is wrong with a lab's files as text: no JSON, no Python, names that lead nowhere."""
    found = list(_notebook(lab))
    trees: dict[Path, ast.Module] = {}
    for path in (*lab.test_files, lab.misconceptions_path, lab.variants_path):
        if path == lab.test_public or path.exists():
            found += _python(lab, path, trees)
    if not any(finding.fatal for finding in found):
        known = [exercise.name for exercise in lab.exercises]
        for path, tree in trees.items():
            found += _tests(lab, path, tree, trees.get(lab.test_public), known)
            found += _entries(lab, path, tree, known)
    return found


def asked(lab: Lab, exercises: Sequence[str]) -> list[Finding]:
    """Exercises that were asked for and that the lab does not have."""
    known = [exercise.name for exercise in lab.exercises]
    return [
        _broken(lab.name, f"there is no exercise {name}; there are {', '.join(known)}")
        for name in exercises if name not in known
    ]  # fmt: skip


def imported(lab: Lab) -> list[Finding]:
    """What a lab's Python files raise when they are loaded."""
    found = []
    for path in (*lab.test_files, lab.misconceptions_path, lab.variants_path):
        if path.exists():
            try:
                module = load_module(path)
            except Exception as error:  # whatever an author's line may raise is told
                found.append(_loading(lab, path, error))
            else:
                found += _forbidden(lab, path, vars(module))
    return found


def explained(lab: Lab, error: Exception) -> list[Finding]:
    """An error that ended the run of a lab's solution under its tests, by file and line."""
    if isinstance(error.__cause__, Exception):  # of a cell
        return [_cell_raised(lab, error.__cause__) or Finding(1, str(error), fatal=True)]
    if not isinstance(error, RuntimeError):
        return [Finding(6, _with_line(lab, str(error)), fatal=True)]
    ways: dict[tuple[str, str], str] = {}  # a broken fixture is one fault, whoever asks for it
    for line in str(error).splitlines()[1:]:
        match = re.match(r"(.*, line \d+), in \w+(?:\[.*?\])?: (.*)", line)
        if line.strip():
            ways.setdefault((match[1], match[2]) if match else (line, ""), line)
    said = list(ways.values())
    more = [f"and {len(said) - _SHOWN} more"] if len(said) > _SHOWN else []
    sentences = "; ".join([*said[:_SHOWN], *more]) or str(error)
    return [Finding(1, f"{sentences}: mend the test, this is no fault of a solution", fatal=True)]


def near(name: str, known: Collection[str]) -> str:
    """ "; did you mean …?" where something known looks like a name, else nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _broken(place: str, what: str) -> Finding:
    return Finding(6, f"{place}: {what}", fatal=True)


# -- the notebook


def _notebook(lab: Lab) -> Iterator[Finding]:
    name = lab.notebook_path.name
    try:
        text = lab.notebook_path.read_text("utf-8")
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        yield _broken(
            f"{name}, line {error.lineno}",
            f"this is no JSON ({error.msg}): undo the last change by hand there, or take the file "
            "from git again",
        )
        return
    except UnicodeDecodeError:
        yield _broken(name, "the file is not in UTF-8: save it again from JupyterLab")
        return
    cells = tree.get("cells") if isinstance(tree, dict) else None
    if not isinstance(cells, list) or not all(
        isinstance(cell, dict) and isinstance(cell.get("metadata"), dict) and "cell_type" in cell
        for cell in cells
    ):
        yield _broken(name, "this is no notebook of nbformat 4 (cells with metadata and a type): "
                      "open it in JupyterLab and save it again")  # fmt: skip
        return
    checks = 0
    for number, cell in enumerate(cells):
        place = f"{name}, cell {number}" + (f" ({grade_id(cell)})" if grade_id(cell) else "")
        if is_check(cell):
            checks += 1
            points = cell["metadata"]["nbgrader"].get("points")
            if isinstance(points, bool) or not isinstance(points, (int, float)):
                said = "no points" if points is None else f"{points!r} for points"
                yield _broken(
                    place, f"the check cell of {check_of(cell)} has {said}: write a number, such "
                    'as "points": 2, into its nbgrader metadata',
                )  # fmt: skip
        elif cell["cell_type"] == "code" and not is_explore(cell):
            yield from _cell(place, source(cell))
    if not checks:
        yield _broken(
            name, f"{lab.name} has no check cell: every exercise needs one, graded and locked, "
            "with the grade_id check_<exercise>",
        )  # fmt: skip


def _cell(place: str, text: str) -> Iterator[Finding]:
    try:
        compile(without_magics(text), "<cell>", "exec")
    except (SyntaxError, ValueError) as error:
        yield _broken(*_syntax(place, error))


def _syntax(place: str, error: SyntaxError | ValueError) -> tuple[str, str]:
    line = getattr(error, "lineno", None)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    text = (getattr(error, "text", None) or "").strip()
    quoted = f", in “{text[:60]}”" if text else ""
    where = f"{place}, line {line}" if line else place
    return where, f"this is no Python ({said}{quoted}): mend it"


def _cell_raised(lab: Lab, error: Exception) -> Finding | None:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        match = re.fullmatch(r"<cell (\d+) of .*>", frame.filename)
        if match:
            number = int(match.group(1))
            name = grade_id(lab.notebook["cells"][number])
            place = f"{lab.notebook_path.name}, cell {number}" + (f" ({name})" if name else "")
            return Finding(
                1,
                f"{place}, line {frame.lineno}: the solution raises {_error(error)} when the cell "
                "is run: mend the cell",
                fatal=True,
            )
    return None


def _error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


# -- Python files


def _python(lab: Lab, path: Path, trees: dict[Path, ast.Module]) -> Iterator[Finding]:
    name = str(path.relative_to(lab.folder))
    try:
        text = path.read_text("utf-8")
        compile(text, name, "exec", dont_inherit=True)
        trees[path] = ast.parse(text)
    except FileNotFoundError:
        yield _broken(name, "there is no such file: it holds Reference and the public tests")
    except UnicodeDecodeError:
        yield _broken(name, "the file is not in UTF-8: save it again in that encoding")
    except (SyntaxError, ValueError) as error:
        yield _broken(*_syntax(name, error))


def _loading(lab: Lab, path: Path, error: Exception) -> Finding:
    place = str(path.relative_to(lab.folder))
    for frame in traceback.extract_tb(error.__traceback__):
        if lab.folder in Path(frame.filename).parents:
            place = f"{Path(frame.filename).relative_to(lab.folder)}, line {frame.lineno}"
    return _broken(place, f"the file cannot be imported ({_error(error)}): mend that line")


def _forbidden(lab: Lab, path: Path, module: dict[str, Any]) -> Iterator[Finding]:
    """Built-ins that a test forbids and that are nowhere: nobody would be kept from them."""
    for value in list(module.values()):
        mark = marker.mark_of(value) if inspect.isfunction(value) else None
        for name in mark.forbid if mark else ():
            try:
                pkgutil.resolve_name(name if name != AUTOGRAD else "torch.autograd")
            except (ImportError, AttributeError, ValueError):
                yield _broken(
                    f"{path.relative_to(lab.folder)}, line {value.__code__.co_firstlineno}",
                    f"{value.__name__} forbids {name}, which cannot be found: write it with its "
                    "module, such as torch.softmax",
                )


def _tests(
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
        mark = _mark(node, "exercise")
        if is_test and mark is None:
            yield _broken(place, f'{node.name} has no @exercise("…"): say which exercise it tests')
        if is_test and not ast.get_docstring(node):
            yield Finding(
                8,
                f"{place}: {node.name} has no docstring, which is the claim that students read: "
                "write in a sentence what must hold",
            )
        if mark is not None:
            yield from _marker(f"{name}, line {mark.lineno}", node.name, mark, known)
        if is_test or _mark(node, "fixture") is not None:
            also, certain = _parameters(node)
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if certain and argument.arg not in given | also:
                    hint = near(argument.arg, given)
                    yield _broken(
                        f"{name}, line {argument.lineno}",
                        f"{node.name} asks for the fixture {argument.arg}, which there is not"
                        f"{hint or ': define it in test_public.py with @pytest.fixture'}",
                    )


def _marker(place: str, test: str, mark: ast.Call, known: list[str]) -> Iterator[Finding]:
    """Whether an @exercise(…) names an exercise, and has only arguments that there are."""
    words = inspect.signature(marker.exercise).parameters
    for keyword in mark.keywords:
        if keyword.arg and keyword.arg not in words:
            yield _broken(
                place, f"@exercise of {test} has no argument {keyword.arg}"
                f"{near(keyword.arg, list(words)) or '; it has ' + ', '.join(words)}",
            )  # fmt: skip
        value = keyword.value
        if keyword.arg == "about" and isinstance(value, ast.Constant):
            aspects = [str(aspect) for aspect in Aspect]
            if value.value not in aspects:
                yield _broken(
                    place, f"{test} is about={value.value!r}, which is none of "
                    f"{', '.join(aspects)}{near(str(value.value), aspects)}",
                )  # fmt: skip
    first = mark.args[0] if mark.args else None
    if first is None and not any(keyword.arg == "name" for keyword in mark.keywords):
        yield _broken(place, f'@exercise of {test} names no exercise: write @exercise("name", …)')
    if isinstance(first, ast.Constant):
        yield from _named(place, test, first.value, known)


def _named(place: str, what: str, exercise: Any, known: list[str]) -> Iterator[Finding]:
    if exercise not in known:
        missing = f": add one with the grade_id {check_id(str(exercise))}"
        hint = near(str(exercise), known) or missing
        yield _broken(
            place, f"{what} names the exercise {exercise}, for which the notebook has no check "
            f"cell{hint}",
        )  # fmt: skip


def _entries(lab: Lab, path: Path, tree: ast.Module, known: list[str]) -> Iterator[Finding]:
    """Whether mistakes and variants name exercises that there are."""
    name = path.relative_to(lab.folder)
    for exercise, line, what in _catalogue(tree):
        yield from _named(f"{name}, line {line}", what, exercise, known)


def _catalogue(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """(exercise, line, what it is) of everything in a file that a catalogue would hold."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for kind in ("misconception", "variant"):
                mark = _mark(node, kind)
                if mark is not None and mark.args and isinstance(mark.args[0], ast.Constant):
                    yield str(mark.args[0].value), mark.lineno, f"the {kind} {node.name}"
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and any(
            isinstance(target, ast.Name) and target.id == TABLE for target in targets
        ):
            for key in node.value.keys:
                if isinstance(key, ast.Constant):
                    yield str(key.value), key.lineno, TABLE


def _with_line(lab: Lab, sentence: str) -> str:
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


def _mark(node: ast.FunctionDef | ast.ClassDef, name: str) -> ast.Call | None:
    """The decorator of a name, as a call."""
    for one in node.decorator_list:
        call = one if isinstance(one, ast.Call) else ast.Call(one, [], [], lineno=one.lineno)
        function = call.func
        last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if last == name:
            return call
    return None


def _names(tree: ast.Module) -> set[str]:
    """The fixtures of a file, and the names that it imports, which may be fixtures."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (mark := _mark(node, "fixture")) is not None:
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
