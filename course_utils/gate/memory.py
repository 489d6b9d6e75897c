"""Green proofs are remembered in the instructor's cache folder, named by all that they rest on.

A proof rests on the pieces of the lab's files that it depends on (:mod:`.pieces`), the package's
code that makes it, Python and the libraries, the device, and how thorough it was. Whatever changes
there gives another name, under which nothing is found. Only green proofs are kept: a red one may
have been a busy machine's.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import re
import sys
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from course_utils.diagnosis.traces import TraceBook, TraceBookError
from course_utils.gate.books import Books
from course_utils.gate.figures import Flakes, MatrixRow, MutationRow, NamingRow, NotebookForm
from course_utils.gate.finding import Finding
from course_utils.gate.pieces import IGNORED, pieces_of, rests_on
from course_utils.gate.proof import Options, Proof
from course_utils.gate.whole import Whole, stored_traces
from course_utils.ground import wire
from course_utils.ground.cache import cache_folder, write_cached
from course_utils.ground.devices import resolve
from course_utils.ground.lab import Lab

_PACKAGE = "course_utils"
_ROOT = Path(__file__).resolve().parent.parent
# Where the code that makes a proof is found from; a lab's own files name the rest.
_OF_EXERCISE = (f"{_PACKAGE}.gate.proof", f"{_PACKAGE}.gate.pieces")
_OF_WHOLE = (f"{_PACKAGE}.gate.whole", f"{_PACKAGE}.gate.verify")
_KEPT = 8
_LETTERS = 40
_NO_BOOKS = Books(TraceBook(""), TraceBook(""))

_OUTPUTS = "its outputs"

Kept = TypeVar("Kept")


class Memory:
    """The green proofs of one lab as its files stood when this was made.

    Args:
        lab: an instructor's folder, whose files can be read.
        options: how thorough the proofs must have been.
    """

    def __init__(self, lab: Lab, options: Options) -> None:
        self._lab = lab
        self._options = options
        self._stamp = _stamp(lab)
        pieces = pieces_of(lab)
        names = [exercise.name for exercise in lab.exercises]
        self._files = {
            name: self._name(name, [f"\0{p.owner}\0{p.text}" for p in rests_on(name, pieces)])
            for name in names
        }
        self._files[""] = self._name("", [self._stamp])
        self._files[_OUTPUTS] = self._name(_OUTPUTS, [_stamp(lab, shown=True)])

    def file_of(self, exercise: str = "") -> str:
        """The name of the file of an exercise's proof, or of the lab's as a whole."""
        return self._files[exercise]

    def still_holds(self) -> bool:
        """Whether the lab's files and the package's code are what they were at first."""
        return _stamp(self._lab) == self._stamp

    def proof(self, exercise: str) -> Proof | None:
        """The proof of an exercise, if it was green with all that it rests on."""
        return _read(self._files[exercise], _proof_from)

    def whole(self) -> Whole | None:
        """The proof of the lab as a whole, if it was green with all that it rests on."""
        found = _read(self._files[""], _whole_from)
        known = found is not None and stored_traces(self._lab) in ("", *found.traces)
        return found if known else None

    def outputs_are_right(self) -> bool:
        """Whether the stored outputs were those of a run of this very notebook."""
        return _read(self._files[_OUTPUTS], lambda tree, books: True) is True

    def keep_outputs(self) -> None:
        """Remember that they were."""
        self._write(_OUTPUTS, "{}", b"")

    def keep(self, proof: Proof) -> None:
        """Remember an exercise's proof if it is green."""
        if not proof.findings:
            tree = asdict(replace(proof, books=_NO_BOOKS))
            del tree["books"]
            self._write(proof.exercise, json.dumps(tree), proof.books.to_bytes())

    def keep_whole(self, whole: Whole) -> None:
        """Remember the proof of the lab as a whole if it is green."""
        if not whole.findings:
            self._write("", json.dumps(asdict(whole)), b"")

    def _write(self, exercise: str, tree: str, books: bytes) -> None:
        name = self._files[exercise]
        if not name:
            return
        write_cached(name, wire.dumps({"proof": tree, "books": books}))
        stem = name[: -len(".proof") - _LETTERS]
        older = sorted(cache_folder().glob(f"{stem}*.proof"), key=lambda path: path.stat().st_mtime)
        for path in older[:-_KEPT]:
            path.unlink(missing_ok=True)

    def _name(self, exercise: str, rests_on: Sequence[str]) -> str:
        """The file of a proof, or of the lab's with no exercise; empty where nobody knows what
        else it rests on."""
        versions = _versions()
        if not versions:
            return ""
        roots = _OF_EXERCISE if exercise not in ("", _OUTPUTS) else _OF_WHOLE
        options = self._options
        facts = [
            self._lab.name, sys.version, platform.platform(), *versions, resolve(),
            f"{options.seeds} {options.mutants} {options.pairs}",
            _code((*roots, *_imported(self._lab))), *rests_on,
        ]  # fmt: skip
        digest = hashlib.sha256("\0".join(facts).encode())
        return f"{self._lab.name}-{exercise or 'the lab'}-{digest.hexdigest()[:_LETTERS]}.proof"


def _stamp(lab: Lab, *, shown: bool = False) -> str:
    """A checksum of the package's code and the lab's files, or of those that students have."""
    digest = hashlib.sha256()
    files = [path for path in _files(lab) if not shown or path.parent.name != "hidden"]
    for path in (*files, *sorted(_ROOT.rglob("*.py"))):
        digest.update(f"\0{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _imported(lab: Lab) -> tuple[str, ...]:
    """The package's modules that the lab's own files name."""
    text = "\n".join(
        path.read_text("utf-8", "replace") for path in _files(lab)
        if path.suffix in (".py", ".ipynb")
    )  # fmt: skip
    return (_PACKAGE, *sorted(set(re.findall(rf"\b{_PACKAGE}(?:\.\w+)+", text))))


def _files(lab: Lab) -> list[Path]:
    """The files of a lab's folder but for what is made from them."""
    left_out = set(IGNORED) - {"hidden"}
    return [
        path for path in sorted(lab.folder.rglob("*"))
        if path.is_file() and path != lab.traces_path
        and not left_out & set(path.relative_to(lab.folder).parts)
    ]  # fmt: skip


@lru_cache(maxsize=1)
def _versions() -> tuple[str, ...]:
    """The libraries that the package asks for, as they are installed; none if that is unknown."""
    try:
        asked = metadata.requires("course-utils") or []
    except metadata.PackageNotFoundError:
        return ()
    found = []
    for line in sorted(asked):
        match = re.match(r"[\w.-]+", line)
        name = match.group(0) if match else line
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} none")
    return tuple(found)


@lru_cache(maxsize=8)
def _code(roots: tuple[str, ...]) -> str:
    """A checksum of the package's modules that some of them rest on."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name, path in sorted(_reached(roots).items()):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _reached(roots: Sequence[str]) -> dict[str, Path]:
    """The package's modules that some of them import, directly or through others."""
    known = {_module(path): path for path in sorted(_ROOT.rglob("*.py"))}
    waiting, found = [name for name in roots if name in known], dict[str, Path]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = known[name]
            waiting += _named(known[name], known)
    return found


def _module(path: Path) -> str:
    parts = (_PACKAGE, *path.relative_to(_ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _named(path: Path, known: Container[str]) -> Iterator[str]:
    """The modules that a file imports, wherever in it, or writes out in a string."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            # What is no module itself is something that the module defines.
            names = [full if full in known else node.module for full in inside.values()]
        elif isinstance(node, ast.Constant):
            names = [str(node.value)]
        yield from (name for name in names if name in known)


def _read(name: str, made: Callable[[dict[str, Any], bytes], Kept]) -> Kept | None:
    if not name:
        return None
    try:
        file: dict[str, Any] = wire.loads((cache_folder() / name).read_bytes())
        return made(json.loads(file["proof"]), file["books"])
    except (OSError, ValueError, KeyError, TypeError, TraceBookError):
        return None  # none, or damaged: the proof is made again


def _findings(tree: Sequence[dict[str, Any]]) -> list[Finding]:
    return [Finding(**one) for one in tree]


def _proof_from(tree: dict[str, Any], books: bytes) -> Proof:
    flakes = Flakes(**{**tree["flakes"], "training": tuple(tree["flakes"]["training"])})
    return Proof(
        tree["exercise"], _findings(tree["findings"]), _pair(tree["tests"]),
        _pair(tree["variants"]),
        [
            MatrixRow(**{**row, "public": _pair(row["public"]), "hidden": _pair(row["hidden"])})
            for row in tree["matrix"]
        ],
        flakes,
        [MutationRow(**{**row, "survivors": tuple(row["survivors"])}) for row in tree["mutation"]],
        [NamingRow(**{**row, "sentences": tuple(row["sentences"])}) for row in tree["naming"]],
        Books.from_bytes(books),
    )  # fmt: skip


def _whole_from(tree: dict[str, Any], books: bytes) -> Whole:
    return Whole(_findings(tree["findings"]), NotebookForm(**tree["form"]), list(tree["traces"]))


def _pair(two: Sequence[int]) -> tuple[int, int]:
    return two[0], two[1]
