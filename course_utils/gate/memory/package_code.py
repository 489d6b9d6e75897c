"""The package's code that something rests on, and the libraries that it asks for."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

PACKAGE = "course_utils"
ROOT = Path(__file__).resolve().parents[2]
assert ROOT.name == PACKAGE, ROOT  # else no change of the code would be noticed


@lru_cache(maxsize=1)
def versions() -> tuple[str, ...]:
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
def code_checksum(roots: tuple[str, ...]) -> str:
    """A checksum of the package's modules that some of them rest on."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):  # what is remembered, and how
        digest.update(path.read_bytes())
    for name, path in sorted(reached_by(roots).items()):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def reached_by(roots: Sequence[str]) -> dict[str, Path]:
    """The package's modules that some of them import, directly or through others."""
    known = {_module(path): path for path in sorted(ROOT.rglob("*.py"))}
    waiting, found = [name for name in roots if name in known], dict[str, Path]()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = known[name]
            waiting += _imported_by(known[name], known)
    return found


def _module(path: Path) -> str:
    parts = (PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported_by(path: Path, known: Container[str]) -> Iterator[str]:
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
