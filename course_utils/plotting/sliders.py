"""A picture that a reader can change: sliders where there are widgets, a still everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_utils.ground.surroundings import ipython_shell, somebody_watches
from course_utils.plotting.style import picture

_STEPS = 40  # from one end of a slider to the other


def sliders(draw: Callable[..., None], **ranges: tuple[float, float, float]) -> None:
    """Show a picture, and where somebody watches it sliders that draw it anew.

    ::

        def drawn(T):
            figure, axes = plt.subplots()
            axes.bar(range(4), softmax(logits / T))

        sliders(drawn, T=(0.1, 5, 1))

    The first picture stays where it is, so that what a slider changes can be compared with it, and
    so that a printed page, a screen reader or a program that runs the notebook misses nothing.

    Args:
        draw: draws one figure with Matplotlib; called with a value for every slider, by name.
        ranges: for each slider its lowest and highest value, and the one to begin with.
    """
    with picture():
        draw(**{name: start for name, (_, _, start) in ranges.items()})
    if not somebody_watches() or getattr(ipython_shell(), "kernel", None) is None:
        return
    try:
        import ipywidgets
    except ImportError:
        return
    from IPython.display import display

    boxes = {name: _slider(ipywidgets, name, *ends) for name, ends in ranges.items()}
    below = ipywidgets.Output()

    def redraw(_: Any) -> None:
        below.clear_output(wait=True)
        with below, picture():
            draw(**{name: box.value for name, box in boxes.items()})

    for box in boxes.values():
        box.observe(redraw, names="value")
    display(ipywidgets.VBox([*boxes.values(), below]))


def _slider(ipywidgets: Any, name: str, lowest: float, highest: float, start: float) -> Any:
    return ipywidgets.FloatSlider(
        value=start, min=lowest, max=highest, step=(highest - lowest) / _STEPS, description=name,
        readout_format=".3g", continuous_update=False,
    )  # fmt: skip
