"""The consoles of the command line: whatever they are told to print, they show and do not obey."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from course_utils.ground.escaping import escaped

# A log or a pipe has no width of its own; a table needs one.
_WIDTH = 120


class Terminal(Console):
    """A console in which text is text: no mark-up in brackets, no emoji by name, and every control
    character, direction mark or sign that the encoding lacks is written out.

    Args:
        file: where it writes; standard output by default.
        stderr: write to standard error.
    """

    def __init__(self, file: TextIO | None = None, *, stderr: bool = False) -> None:
        shown = file or (sys.stderr if stderr else sys.stdout)
        super().__init__(
            file=file, stderr=stderr, width=None if shown.isatty() else _WIDTH,
            markup=False, emoji=False, highlight=False,
        )  # fmt: skip

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The pieces that are written, each with its text made harmless; rich's own commands, such
        as those that move a bar's cursor, are marked and pass."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else self._shown(text), style, control)

    def say(self, text: str, style: str = "") -> None:
        """Print a sentence or a few lines, as long as they are."""
        self.print(text, style=style or None, soft_wrap=True)

    def _shown(self, text: str) -> str:
        sound = escaped(text, keep="\n")
        return sound.encode(self.encoding, "backslashreplace").decode(self.encoding)
