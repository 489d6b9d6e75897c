"""The figures that come again and again.

Every function draws into axes that it is given, except :func:`image_grid` and
:func:`depth_histograms`, which make a figure of their own. Arrays may be NumPy's, lists, or torch's
tensors on any device.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from course_utils.plotting.style import COLORS, MARKERS


def bands(
    axes: Any,
    x: Any,
    runs: Any,
    label: str,
    spread: Literal["range", "quartiles"] = "range",
    **line: Any,
) -> Any:
    """Draw several runs of one experiment: the line of their mean, and a band around it.

    Args:
        axes: where to draw.
        x: the places on the horizontal axis, shape (n,).
        runs: one row for each run (seed), shape (runs, n).
        label: the line's entry in the legend.
        spread: the band holds all runs (``"range"``) or the middle half of them
            (``"quartiles"``, around the median instead of the mean).
        line: options for the line, such as ``color``.

    Returns:
        The line.
    """
    x, runs = _array(x), _array(runs)
    if runs.ndim != 2 or runs.shape[1] != len(x):
        raise ValueError(
            f"runs must have a row for each run and {len(x)} columns, one for each entry of x; "
            f"its shape is {runs.shape}."
        )
    if spread == "range":
        low, middle, high = runs.min(axis=0), runs.mean(axis=0), runs.max(axis=0)
    else:
        low, middle, high = np.quantile(runs, [0.25, 0.5, 0.75], axis=0)
    (drawn,) = axes.plot(x, middle, label=label, **line)
    axes.fill_between(x, low, high, color=drawn.get_color(), alpha=0.18, linewidth=0)
    return drawn


def contours(
    axes: Any,
    function: Callable[[Any, Any], Any],
    x: tuple[float, float],
    y: tuple[float, float],
    levels: int | Sequence[float] = 12,
) -> None:
    """Draw a function of two variables as grey contour lines, for paths to be drawn upon.

    Args:
        axes: where to draw.
        function: takes two arrays of one shape, returns one of the same shape.
        x: the horizontal axis, from and to.
        y: the vertical axis, from and to.
        levels: how many lines, or the function's values on them.
    """
    grid = np.meshgrid(np.linspace(*x, 160), np.linspace(*y, 160))
    axes.contour(*grid, _array(function(*grid)), levels=levels, colors="0.78", linewidths=0.8)


def trajectory(axes: Any, points: Any, label: str | None = None, **line: Any) -> Any:
    """Draw the points that an optimizer visits, from a cross at the start to a dot at the end.

    Args:
        axes: where to draw.
        points: the points in their order, shape (n, 2).
        label: the path's entry in the legend.
        line: options for the line, such as ``color``; a marker is chosen if none is given.

    Returns:
        The line.
    """
    points = _array(points)
    number = sum(bool(drawn.get_gid() == _PATH) for drawn in axes.lines)
    marker = line.pop("marker", MARKERS[number % len(MARKERS)])
    (drawn,) = axes.plot(*points.T, label=label, gid=_PATH, linewidth=1.1, marker=marker,
                         markersize=3.5, **line)  # fmt: skip
    axes.plot(*points[0], "x", color="black", markersize=8, markeredgewidth=1.8, zorder=4)
    axes.plot(*points[-1], marker, color=drawn.get_color(), markersize=8,
              markeredgecolor="black", zorder=4)  # fmt: skip
    return drawn


_PATH = "trajectory"


def heatmap(
    axes: Any,
    values: Any,
    form: str = "g",
    *,
    signed: bool = False,
    label: str | None = None,
) -> Any:
    """Draw a matrix as coloured cells with their numbers in them. Zeros stay empty.

    Args:
        axes: where to draw; rows go down, columns to the right.
        values: the matrix.
        form: how numbers are written, as in an f-string: ``"d"``, ``".2f"``.
        signed: red above 0, blue below and white at 0. Otherwise white to blue, by the square
            root, so that a few wrong ones show beside many right ones.
        label: what the colours mean, for a colour bar; none without it.

    Returns:
        The image.
    """
    values = _array(values)
    colouring = _colouring(values, signed, "Blues")
    if not signed:
        limits = {end: colouring.pop(end) for end in ("vmin", "vmax")}
        colouring["norm"] = PowerNorm(0.5, **limits)
    image = axes.imshow(values, aspect="auto", **colouring)
    for (row, column), value in np.ndenumerate(values):
        if value:
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            axes.text(column, row, format(value, form), ha="center", va="center", fontsize=9,
                      color="white" if dark else "black")  # fmt: skip
    rows, columns = values.shape
    axes.set(xticks=range(columns), yticks=range(rows))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if label is not None:
        axes.figure.colorbar(image, ax=axes, label=label)
    return image


def image_grid(
    images: Any,
    titles: Sequence[str] | None = None,
    *,
    columns: int = 5,
    row_labels: Sequence[str] | None = None,
    signed: bool = False,
    label: str | None = None,
    smooth: bool = False,
    size: float = 1.3,
) -> Any:
    """Draw images side by side, all on one scale, in a figure of its own.

    Args:
        images: shape (n, height, width); a channel of its own, (n, 1, height, width), may stand
            between. Row by row.
        titles: what stands above each image.
        columns: images in a row.
        row_labels: what stands at the left of each row.
        signed: red above 0, blue below and white at 0, for weights and gradients; otherwise white
            to black.
        label: what the colours mean, for a colour bar; none without it.
        smooth: draw between the pixels, with a margin of zeros: so the eye reads a digit of 8 × 8
            pixels at once, and does not stop at the squares.
        size: the side of one image in inches.

    Returns:
        The figure.
    """
    images = _array(images)
    images = images.reshape(len(images), *images.shape[-2:])
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(
        rows, columns, squeeze=False,
        figsize=(columns * size + (1.0 if label else 0.2), rows * (size + (0.25 if titles else 0))),
    )  # fmt: skip
    drawing = _colouring(images, signed, "gray_r")
    if smooth:
        drawing["interpolation"] = "bicubic"
        images = np.pad(images, ((0, 0), (1, 1), (1, 1)))  # a margin, for strokes to end in
    for number, axes in enumerate(grid.flat):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(number < len(images))
        axes.spines[:].set_color("0.75")
        if number < len(images):
            shown = axes.imshow(images[number], **drawing)
            if titles:
                axes.set_title(titles[number], fontsize=9.5)
    for axes, name in zip(grid[:, 0], row_labels or (), strict=False):
        axes.set_ylabel(name)
    if label is not None:
        figure.colorbar(shown, ax=grid, label=label)
    return figure


def depth_histograms(
    networks: Mapping[str, Sequence[Any]],
    limits: tuple[float, float] | None = None,
    *,
    xlabel: str = "activation",
    bins: int = 80,
) -> Any:
    """Draw how numbers spread in each layer of one or several networks, in a figure of its own.

    Each network has a panel; in it the first layer is at the top, and every layer's histogram
    stands on a line of its own with the standard deviation beside it. All share one horizontal
    axis; heights are to be compared within a layer only.

    Args:
        networks: by name (``{"Glorot": [...]}``), an array for each layer, of any shape: the
            activations, the logits, or the gradients.
        limits: the horizontal axis, from and to; by default what holds 99 % of all numbers.
            What lies beyond is counted in the outermost bins.
        xlabel: what the numbers are.
        bins: how many bars each histogram has.

    Returns:
        The figure.
    """
    layers = {name: [_array(a).ravel() for a in arrays] for name, arrays in networks.items()}
    deepest = max(len(arrays) for arrays in layers.values())
    low, high = limits or _central(list(itertools.chain(*layers.values())))
    edges = np.linspace(low, high, bins + 1)
    figure, row = plt.subplots(
        1, len(layers), squeeze=False, sharex=True, sharey=True,
        figsize=(1.0 + 2.5 * len(layers), 0.9 + 0.5 * deepest),
    )  # fmt: skip
    for axes, (name, arrays), color in zip(row[0], layers.items(), itertools.cycle(COLORS)):
        for depth, values in enumerate(arrays):
            counts, _ = np.histogram(np.clip(values, low, high), edges)
            base = deepest - 1 - depth
            height = 0.85 * counts / max(1, counts.max())
            axes.stairs(base + height, edges, baseline=base, fill=True, color=color, alpha=0.75)
            axes.axhline(base, color="0.7", linewidth=0.6, linestyle="-", zorder=0)
            axes.text(1.02, base + 0.3, f"std\n{values.std():.2g}", fontsize=9, va="center",
                      transform=axes.get_yaxis_transform())  # fmt: skip
        axes.set(title=name, xlabel=xlabel, xlim=(low, high), ylim=(-0.05, deepest))
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    names = [f"layer {depth}" for depth in range(deepest, 0, -1)]
    row[0, 0].set_yticks(range(deepest), names)
    return figure


def _colouring(values: Any, signed: bool, plain: str) -> dict[str, Any]:
    """One scale for all: white at 0, and for signed numbers as far to one side as the other."""
    if signed:
        largest = float(np.abs(values).max()) or 1.0
        return {"cmap": "RdBu_r", "vmin": -largest, "vmax": largest}
    return {"cmap": plain, "vmin": min(0.0, float(values.min())), "vmax": float(values.max())}


def _central(arrays: list[Any]) -> tuple[float, float]:
    """A range that holds 99 % of all numbers, and that is not empty."""
    together = np.concatenate(arrays)
    low, high = np.quantile(together[np.isfinite(together)], [0.005, 0.995])
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(high) + 0.5)


def _array(values: Any) -> Any:
    """Numbers as a NumPy array, also a tensor's that has a graph or lies on another device."""
    if hasattr(values, "detach"):
        return values.detach().cpu().numpy()
    if isinstance(values, (list, tuple)):
        return np.asarray([_array(value) for value in values])
    return np.asarray(values)
