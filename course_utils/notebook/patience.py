"""A call that takes long says so while it runs, and how to stop it.

One thread watches the calls of one check. It works wherever Python does (no signals), and ends
with the check.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from course_utils.verdict import render
from course_utils.verdict.render import Panel, Sign

NAME = "course_utils: still running?"
SECONDS = 5.0
_LOOK_EVERY = 0.5


class Watch:
    """Watches calls from a thread of its own; a context manager.

    Args:
        seconds: after how long a call is mentioned, ``SECONDS`` by default; once in a watch's life.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = SECONDS if seconds is None else seconds
        self._call: tuple[str, float] | None = None
        self._mentioned: tuple[str, float] | None = None
        self._took = 0.0
        self._shown: Any = None
        self._ended = threading.Event()
        # With the context of this thread, what is shown lands below the cell that runs.
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._watch,), name=NAME, daemon=True
        )

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._mentioned is not None and self._shown is not None:
            self._shown.update(_ran(self._mentioned[0], self._took))

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """While the block runs, a call of this name is under way."""
        call = self._call = name, time.monotonic()
        try:
            yield
        finally:
            self._call = None
            if self._mentioned is call:
                self._took = time.monotonic() - call[1]

    def _watch(self) -> None:
        while not self._ended.wait(min(_LOOK_EVERY, self._seconds)):
            call = self._call
            if call is not None and time.monotonic() - call[1] >= self._seconds:
                self._mentioned = call
                self._shown = render.show(_still_running(call[0], self._seconds))
                return


def _still_running(name: str, seconds: float) -> Panel:
    return _panel(
        name,
        f"still running after {seconds:g} s. It may need the time, or be in a loop that never "
        f"ends. To stop it: ■ in the toolbar (Kernel → Interrupt), or Ctrl+C in a terminal.",
    )


def _ran(name: str, seconds: float) -> Panel:
    """What stands in its place afterwards, in a notebook that is kept."""
    return _panel(name, f"one call ran for {seconds:.3g} s.")


def _panel(name: str, said: str) -> Panel:
    return Panel(
        render.wrap(f"{name} · {said}", first=f"{Sign.RUNNING.glyph} "),
        render.frame(f"{name} takes long", Sign.RUNNING, render.heading(name, said)),
    )
