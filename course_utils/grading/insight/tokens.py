"""Code as tokens that stay the same when somebody renames, reformats and comments it anew.

Python's own ``tokenize`` takes a text apart; nothing is run, and nothing needs to parse to its end.
Comments, blank lines, docstrings and the depth of indentation go. A name that its writer could have
chosen becomes the same sign everywhere. What nobody chooses stays: keywords, built-ins, what stands
after a dot (``np.exp``), and the names that the lab itself has given.
"""

from __future__ import annotations

import builtins
import io
import keyword
import tokenize
from collections.abc import Collection, Iterator

from course_utils.ground.cells import without_magics

CHOSEN = "name"  # what stands for every name that a student could have chosen
_TEXT = "text"

_SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip
# From Python 3.12 on, an f-string comes in parts.
_TEXTS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_NOT_CHOSEN = frozenset([*keyword.kwlist, *dir(builtins)])


def tokens(code: str, given: Collection[str] = ()) -> list[str]:
    """The tokens of a cell's code, as far as it can be taken apart.

    Args:
        code: its source; magics are passed over.
        given: names that the lab has given to everybody.
    """
    found: list[str] = []
    begins, after_dot = True, False  # of a statement; of an attribute
    for kind, text in _raw(code):
        if kind == tokenize.NEWLINE:
            begins = True
            continue
        if kind in _TEXTS and begins:  # a docstring, or a text that stands for nothing
            continue
        if kind == tokenize.NAME:
            fixed = after_dot or text in _NOT_CHOSEN or text in given
            found.append(text if fixed else CHOSEN)
        else:
            found.append(_TEXT if kind in _TEXTS else text)
        begins, after_dot = False, text == "."
    return found


def names(code: str) -> set[str]:
    """Every name in a text."""
    return {text for kind, text in _raw(code) if kind == tokenize.NAME}


def _raw(code: str) -> Iterator[tuple[int, str]]:
    lines = io.StringIO(without_magics(code) + "\n")
    try:
        for token in tokenize.generate_tokens(lines.readline):
            if token.type not in _SILENT:
                yield token.type, token.string
    except (tokenize.TokenError, SyntaxError, ValueError):
        return  # what came before the place is kept
