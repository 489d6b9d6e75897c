"""What the gate objects to, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A reason why the lab may not be released: which of the nine points, and what to do.

    Attributes:
        fatal: whether nothing can be run before it is mended.
    """

    point: int
    sentence: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"[{self.point}] {self.sentence}"
