"""``training_bar``: how far a long loop is, and its loss, while somebody watches.

The bar is tqdm's: the notebook's where there are widgets, text elsewhere. Where nobody watches
(in grading, and where a program runs the notebook) the loop runs without one, so that what is
stored below a cell stays the same from run to run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

from course_utils.ground.surroundings import ipython_shell, somebody_watches

T = TypeVar("T")

_EVERY = 0.1  # seconds between two looks at the loss; as often as tqdm draws


class TrainingBar(Generic[T]):
    """A loop with a bar. Made by :func:`training_bar`; walked once."""

    def __init__(self, steps: Iterable[T], name: str) -> None:
        self._steps = steps
        self._name = name
        self._bar: Any = None
        self._values: dict[str, Any] = {}
        self._looked = 0.0

    def __iter__(self) -> Iterator[T]:
        self._bar = _open_bar(self._steps, self._name)
        if self._bar is None:
            yield from self._steps
            return
        try:
            for step in self._steps:
                yield step
                if time.monotonic() - self._looked >= _EVERY:
                    self._write_values()
                self._bar.update(1)
        except GeneratorExit:  # the loop was left by ``break``: that is its end, and no failure
            self._bar.total = self._bar.total and self._bar.n
            self._bar.leave = self._bar.n > 0
        finally:
            self._write_values()
            self._bar.close()

    def set(self, **values: Any) -> None:
        """Show these numbers behind the bar, until others are set: ``bar.set(loss=loss)``.

        A tensor may be given as it is. Its number is asked for only when the bar is drawn, ten
        times a second at most, so that a GPU need not be waited for in every step.
        """
        if self._bar is not None:
            self._values = {name: _without_graph(value) for name, value in values.items()}

    def _write_values(self) -> None:
        self._looked = time.monotonic()
        text = ", ".join(f"{name} {float(value):.4g}" for name, value in self._values.items())
        self._bar.set_postfix_str(text, refresh=False)


def training_bar(steps: int | Iterable[T], name: str = "training") -> TrainingBar[Any]:
    """Go through a long loop with a progress bar that shows the loss.

    ::

        bar = training_bar(500, "digits")
        for step in bar:
            ...
            bar.set(loss=loss)

    Args:
        steps: a number of steps (counted from 0), or whatever the loop goes through, such as
            mini-batches.
        name: what stands before the bar.

    Returns:
        An iterable over the same things. Its method ``set`` shows numbers behind the bar.
    """
    return TrainingBar(range(steps) if isinstance(steps, int) else steps, name)


def _open_bar(steps: Iterable[Any], name: str) -> Any:
    """A bar at 0, or None where nobody watches."""
    if not somebody_watches():
        return None
    total = len(steps) if isinstance(steps, Sized) else None
    if not hasattr(ipython_shell(), "kernel"):
        from tqdm import tqdm

        return tqdm(total=total, desc=name)
    try:
        import ipywidgets  # noqa: F401  # tqdm's own complaint is long, and asked for by nobody
        from tqdm.notebook import tqdm as notebook_tqdm
    except ImportError:
        from tqdm import tqdm

        return tqdm(total=total, desc=name, file=sys.stdout)  # stderr would have a red background
    return notebook_tqdm(total=total, desc=name)


def _without_graph(value: Any) -> Any:
    """A tensor's numbers, so that keeping it does not keep all that it was computed from."""
    return value.detach() if hasattr(value, "detach") else value
