"""Green proofs are remembered in the instructor's cache folder, named by all that they rest on.

A proof rests on the pieces of the lab's files that it depends on (:mod:`.pieces`), the package's
code that makes it, Python and the libraries, the device, and how thorough it was. Whatever changes
there gives another name, under which nothing is found. Only green proofs are kept: a red one may
have been a busy machine's.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from course_utils.gate.lab_files import own_files
from course_utils.gate.memory.package_code import PACKAGE, ROOT, code_checksum, versions
from course_utils.gate.memory.pieces import pieces_of, rests_on
from course_utils.gate.memory.trees import proof_from, tree_of, whole_from
from course_utils.gate.proof import Options, Proof
from course_utils.gate.whole import Whole, stored_traces
from course_utils.ground import wire
from course_utils.ground.cache import cache_folder, read_cached, write_cached
from course_utils.ground.devices import resolve
from course_utils.ground.errors import TraceBookError
from course_utils.ground.lab import Lab

# Where the code that makes a proof is found from; a lab's own files name the rest.
OF_EXERCISE = (f"{PACKAGE}.gate.proof", f"{PACKAGE}.gate.memory.pieces")
OF_WHOLE = (f"{PACKAGE}.gate.whole", f"{PACKAGE}.gate.verify")
_KEPT = 8
_LETTERS = 40
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
        self._code = {
            roots: code_checksum((*roots, *_modules_named(lab)))
            for roots in (OF_EXERCISE, OF_WHOLE)
        }
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
        return _read(self._files[exercise], proof_from)

    def whole(self) -> Whole | None:
        """The proof of the lab as a whole, if it was green with all that it rests on."""
        found = _read(self._files[""], whole_from)
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
            self._write(proof.exercise, json.dumps(tree_of(proof)), proof.books.to_bytes())

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
        older = sorted(cache_folder().glob(f"{stem}*.proof"), key=_written)
        for path in older[:-_KEPT]:
            path.unlink(missing_ok=True)

    def _name(self, exercise: str, rests_on: Sequence[str]) -> str:
        """The file of a proof, or of the lab's with no exercise; empty where nobody knows what
        else it rests on."""
        libraries = versions()
        if not libraries:
            return ""
        roots = OF_EXERCISE if exercise not in ("", _OUTPUTS) else OF_WHOLE
        options = self._options
        facts = [
            self._lab.name, sys.version, platform.platform(), *libraries, resolve(),
            f"{options.seeds} {options.mutants} {options.pairs}",
            self._code[roots], *rests_on,
        ]  # fmt: skip
        digest = hashlib.sha256("\0".join(facts).encode())
        return f"{self._lab.name}-{exercise or 'the lab'}-{digest.hexdigest()[:_LETTERS]}.proof"


def _stamp(lab: Lab, *, shown: bool = False) -> str:
    """A checksum of the package's code and the lab's files, or of those that students have."""
    digest = hashlib.sha256()
    files = [path for path in own_files(lab) if not shown or path.parent.name != "hidden"]
    for path in (*files, *sorted(ROOT.rglob("*.py"))):
        digest.update(f"\0{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _modules_named(lab: Lab) -> tuple[str, ...]:
    """The package's modules that the lab's own files name."""
    text = "\n".join(
        path.read_text("utf-8", "replace") for path in own_files(lab)
        if path.suffix in (".py", ".ipynb")
    )  # fmt: skip
    return (PACKAGE, *sorted(set(re.findall(rf"\b{PACKAGE}(?:\.\w+)+", text))))


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # whoever made room in the cache was faster
        return 0.0


def _read(name: str, made: Callable[[dict[str, Any], bytes], Kept]) -> Kept | None:
    if not name:
        return None
    try:
        file: dict[str, Any] = wire.loads(read_cached(name))
        return made(json.loads(file["proof"]), file["books"])
    except (OSError, ValueError, KeyError, TypeError, TraceBookError):
        return None  # none, or damaged: the proof is made again
