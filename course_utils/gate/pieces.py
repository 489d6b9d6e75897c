"""Which pieces of a lab's files an exercise's verdict rests on, read off the source without a run.

A lab is a bag of *pieces*: a helper, a fixture, a member of ``Reference``, a test, the solution
cells of an exercise, its mistakes, a data file. An exercise rests on its own pieces, on whatever
they mention, and so on; on the mistakes of an exercise whose function they mention, since those
are tried there as well; and on every piece that does something when it is loaded. Where the source
does not say what is mentioned (``globals()``, ``eval``), it rests on everything. What is counted in
without need costs time; what is left out would be a lie, so every doubt counts in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.diagnosis.rewriting import exercise_cells
from course_utils.ground.cells import is_run, source, without_magics
from course_utils.ground.lab import Lab
from course_utils.testing.catalogue import TABLE

EQUIVALENT = "equivalent_mutants.txt"
# What of a lab's folder students never get: what editors and programs leave there, and hidden/.
IGNORED = ("hidden", "__pycache__", ".ipynb_checkpoints", ".pytest_cache")

# Decorators that only note something about what they stand on.
_QUIET = {
    "exercise", "probe", "misconception", "variant", "fixture", "parametrize", "staticmethod",
    "classmethod", "property", "cache", "lru_cache", "cached_property", "wraps", "dataclass",
}  # fmt: skip
_LOUD = re.compile(r"seed|^set_|^use|autouse|register|patch")
_ANYTHING = {"globals", "locals", "vars", "eval", "exec", "compile", "__import__", "import_module"}
_LITERALS = {"dict", "frozenset", "list", "range", "set", "sorted", "tuple", "zip", "float", "int"}
_MEMBERS = "Reference"


@dataclass(frozen=True)
class Piece:
    """A part of a lab's files.

    Attributes:
        text: what it says.
        binds: the names by which others may mention it.
        words: the names that it mentions; ``stems`` are the fixed parts of names that it makes up.
        owner: the exercise that it belongs to; empty for what is shared.
        entry: whether it is a mistake or variant of its owner, tried wherever that is called.
        always: whether every verdict rests on it.
        eager: whether what it mentions is needed as soon as the file is loaded.
        anything: whether it may mention what its source does not say.
    """

    text: str
    binds: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    stems: tuple[tuple[str, str], ...] = ()
    owner: str = ""
    entry: bool = False
    always: bool = False
    eager: bool = False
    anything: bool = False


def pieces_of(lab: Lab) -> list[Piece]:
    """All pieces of a lab, in the files' order.

    Raises:
        SyntaxError: a file is no Python.
    """
    found: list[Piece] = [*_notebook(lab)]
    for path in lab.test_files:
        found += _python(path.read_text("utf-8"))
    for path in (lab.misconceptions_path, lab.variants_path):
        if path.exists():
            found += _python(path.read_text("utf-8"))
    known = {exercise.name for exercise in lab.exercises}
    found += _marked(lab.folder / "hidden" / EQUIVALENT, known)
    found += _others(lab)
    return found


def rests_on(exercise: str, pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that the verdict on an exercise depends on, in their order."""
    every = list(pieces)
    reached = {i for i, piece in enumerate(every) if piece.owner == exercise or piece.eager}
    fresh = set(reached)
    words: set[str] = set()
    stems: set[tuple[str, str]] = set()
    while fresh:
        if any(every[i].anything for i in fresh):
            return every
        for i in fresh:
            words |= every[i].words
            stems |= set(every[i].stems)
        called = {
            piece.owner for i, piece in enumerate(every)
            if piece.owner and piece.binds and not piece.entry
            and (i in reached or _mentioned(piece, words, stems))
        }  # fmt: skip
        now = {
            i for i, piece in enumerate(every)
            if _mentioned(piece, words, stems) or (piece.entry and piece.owner in called)
        }  # fmt: skip
        fresh = now - reached
        reached |= now
    return [piece for i, piece in enumerate(every) if i in reached or piece.always]


def _mentioned(piece: Piece, words: set[str], stems: set[tuple[str, str]]) -> bool:
    if not piece.binds.isdisjoint(words):
        return True
    return any(
        name.startswith(head) and name.endswith(tail)
        for name in piece.binds for head, tail in stems
    )  # fmt: skip


def _notebook(lab: Lab) -> Iterator[Piece]:
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
        names = frozenset(_bound(tree.body))
        if owner:
            quiet = all(_is_quiet(node, _imported(tree)) for node in tree.body)
            yield _piece(text, tree.body, tree, names, owner=owner, always=not quiet,
                         eager=not quiet)  # fmt: skip
            continue
        yield Piece(text, always=True)
        for node in tree.body:
            yield _piece("", [node], tree, frozenset(_bound([node])),
                         eager=not _is_quiet(node, _imported(tree)))  # fmt: skip


def _python(text: str) -> Iterator[Piece]:
    """The top-level statements of a file; of a table of mistakes the entries, of Reference the
    members."""
    tree = ast.parse(text)
    imported = _imported(tree)
    for node in tree.body:
        if _is_text(node):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield Piece(ast.unparse(node), always=True)
            continue
        if _is_table(node):
            yield from _table(node, tree)
            continue
        if isinstance(node, ast.ClassDef) and node.name == _MEMBERS and not node.decorator_list:
            yield from _class(node, tree)
            continue
        owner, entry = _owner(node)
        quiet = _is_quiet(node, imported)
        yield _piece(
            ast.unparse(node), [node], tree, frozenset() if owner else frozenset(_bound([node])),
            owner=owner, entry=entry, always=not quiet, eager=not quiet,
        )  # fmt: skip


def _table(node: ast.stmt, tree: ast.Module) -> Iterator[Piece]:
    assert isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict)
    for key, value in zip(node.value.keys, node.value.values, strict=True):
        known = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        yield _piece(ast.unparse(value), [value], tree, owner=known, entry=bool(known),
                     always=not known, eager=not known)  # fmt: skip


def _class(node: ast.ClassDef, tree: ast.Module) -> Iterator[Piece]:
    head = ast.ClassDef(node.name, node.bases, node.keywords, [ast.Pass()], [])
    yield Piece(ast.unparse(ast.fix_missing_locations(head)), always=True)
    for member in node.body:
        if _is_text(member):
            continue
        names = frozenset(_bound([member]))
        also = {f"{_MEMBERS}.{name}" for name in names}
        plain = bool(names) and not any(name.startswith("__") for name in names)
        yield _piece(ast.unparse(member), [member], tree, names | also, always=not plain,
                     eager=not plain)  # fmt: skip


def _owner(node: ast.stmt) -> tuple[str, bool]:
    """The exercise that a test, or a whole implementation, is marked with."""
    for mark in getattr(node, "decorator_list", ()):
        if not isinstance(mark, ast.Call) or not mark.args:
            continue
        name, first = _last(mark.func), mark.args[0]
        if name in ("exercise", "misconception", "variant") and isinstance(first, ast.Constant):
            return str(first.value), name != "exercise"
    return "", False


def _piece(
    text: str, nodes: Sequence[ast.AST], tree: ast.Module,
    binds: frozenset[str] = frozenset(), *, owner: str = "", entry: bool = False,
    always: bool = False, eager: bool = False,
) -> Piece:  # fmt: skip
    words: set[str] = set()
    stems: set[tuple[str, str]] = set()
    modules = _imported(tree)
    for node in nodes:
        _collect(node, modules, words, stems)
    anything = not words.isdisjoint(_ANYTHING) or ("", "") in stems
    return Piece(text, binds, frozenset(words), tuple(sorted(stems)), owner, entry, always, eager,
                 anything)  # fmt: skip


def _collect(
    tree: ast.AST, modules: set[str], words: set[str], stems: set[tuple[str, str]]
) -> None:
    """The names that a piece of source mentions, in code and in strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, (ast.arg, ast.keyword)):
            words.add(node.arg or "")
        elif isinstance(node, ast.Attribute):
            root = _root(node)
            if root in ("reference", _MEMBERS):
                words |= {f"{_MEMBERS}.{node.attr}"}
            elif root not in modules:  # what a library defines is not the lab's
                words.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words |= set(re.findall(r"[A-Za-z_]\w*", node.value))
        elif isinstance(node, ast.Call) and _last(node.func) == "getattr" and len(node.args) > 1:
            stems |= _made_up(node.args[1])


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


def _is_quiet(node: ast.stmt, imported: set[str]) -> bool:
    """Whether loading a statement does nothing but bind names."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        run: list[ast.expr] = [*node.decorator_list, *node.args.defaults]
        run += [one for one in node.args.kw_defaults if one is not None]
    elif isinstance(node, ast.ClassDef):
        members = all(_is_text(one) or _is_quiet(one, imported) for one in node.body)
        return members and all(_calls_quietly(one, imported) for one in node.decorator_list)
    elif isinstance(node, ast.Assign):
        stored = (inner for target in node.targets for inner in ast.walk(target))
        if any(isinstance(inner, (ast.Attribute, ast.Subscript)) for inner in stored):
            return False
        run = [node.value]
    elif isinstance(node, ast.AnnAssign):
        run = [node.value] if node.value is not None else []
    else:
        return isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)) or _is_text(node)
    return all(_calls_quietly(one, imported) for one in run)


def _calls_quietly(tree: ast.expr, imported: set[str]) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name, root = _last(node.func), _root(node.func)
            known = name in _QUIET or name in _LITERALS or root in imported
            if not known or _LOUD.search(name):
                return False
        if isinstance(node, ast.keyword) and node.arg and _LOUD.search(node.arg):
            return False
        if isinstance(node, (ast.Await, ast.Yield, ast.NamedExpr)):
            return False
    return True


def _imported(tree: ast.Module) -> set[str]:
    """The names that a file's imports bind."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }  # fmt: skip


def _bound(nodes: Iterable[ast.stmt]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        else:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    yield inner.id


def _is_table(node: ast.stmt) -> bool:
    names = set(_bound([node])) if isinstance(node, (ast.Assign, ast.AnnAssign)) else set()
    return names == {TABLE} and isinstance(getattr(node, "value", None), ast.Dict)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _marked(path: Path, exercises: set[str]) -> Iterator[Piece]:
    """The lines of the file of equivalent mutants, each of which names its exercise."""
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        name = line.partition(":")[0].strip()
        if line.strip() and not line.startswith("#"):
            yield Piece(line, owner=name if name in exercises else "",
                        always=name not in exercises)  # fmt: skip


def _others(lab: Lab) -> Iterator[Piece]:
    """Whatever else lies in the folder: data that tests read, modules that they import."""
    known = {
        lab.notebook_path, lab.traces_path, *lab.test_files, lab.misconceptions_path,
        lab.variants_path, lab.folder / "hidden" / EQUIVALENT,
    }  # fmt: skip
    for path in sorted(lab.folder.rglob("*")):
        parts = path.relative_to(lab.folder).parts
        if path.is_file() and path not in known and not set(parts) & (set(IGNORED) - {"hidden"}):
            yield Piece(f"{path.relative_to(lab.folder)}\n{path.read_bytes().hex()}", always=True)
