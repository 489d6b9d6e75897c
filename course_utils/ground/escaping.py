"""Text that somebody else chose, as it may be shown: nothing in it commands a terminal.

What a terminal, a log or a line of a table would obey instead of showing it, is controls (clear the
screen, write the clipboard), marks that turn the direction of writing round, and line ends.
"""

from __future__ import annotations

from unicodedata import category

# Controls, direction marks and other invisible signs, half characters, line and paragraph ends.
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def steers(character: str) -> bool:
    """Whether a character does something instead of being seen."""
    return not character.isprintable() and category(character) in _STEERING


def escaped(text: str, *, keep: str = "") -> str:
    """Text with every steering character written out (``\\x1b``, ``\\u202e``); the rest as it is.

    Args:
        text: anything.
        keep: steering characters that may stay, such as line ends.
    """
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if steers(character) and character not in keep else character
        for character in text
    )  # fmt: skip


def without_steering(text: str, *, keep: str = "") -> str:
    """Text without its steering characters, where what they are is of no interest."""
    if text.isprintable():
        return text
    return "".join(char for char in text if char in keep or not steers(char))
