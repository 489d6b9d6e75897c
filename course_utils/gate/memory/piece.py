"""A piece of a lab's files, made of source."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from course_utils.gate.memory.mentions import collect
from course_utils.gate.memory.syntax import imported_names

# Calls by which source may mention what it does not say.
_ANYTHING = {"globals", "locals", "vars", "eval", "exec", "compile", "__import__", "import_module"}


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


def piece_of(
    text: str, nodes: Sequence[ast.AST], tree: ast.Module,
    binds: frozenset[str] = frozenset(), *, owner: str = "", entry: bool = False,
    always: bool = False, eager: bool = False,
) -> Piece:  # fmt: skip
    """The piece that some nodes of a file's tree are, with the names that they mention."""
    words: set[str] = set()
    stems: set[tuple[str, str]] = set()
    modules = imported_names(tree)
    for node in nodes:
        collect(node, modules, words, stems)
    anything = not words.isdisjoint(_ANYTHING) or ("", "") in stems
    return Piece(text, binds, frozenset(words), tuple(sorted(stems)), owner, entry, always, eager,
                 anything)  # fmt: skip
