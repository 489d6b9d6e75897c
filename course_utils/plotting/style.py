"""The course's one style, and the block in which a picture is drawn.

Nothing is said by colour alone: lines have a pattern each, paths a marker, bars a hatch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

from course_utils.ground.surroundings import ipython_shell

# Okabe and Ito's colours, which people with any colour vision can tell apart.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, YELLOW, BLACK = "#56B4E9", "#E69F00", "#000000"
GREY = "#7f7f7f"  # for what stands behind: guides, a baseline, what was before

COLORS = (BLUE, ORANGE, GREEN, PINK, BLACK, YELLOW, SKY)
DASHES: tuple[Any, ...] = (
    "-", "--", "-.", (0, (1, 1)), (0, (7, 2, 1, 2, 1, 2)), (0, (9, 3)), (0, (2.5, 1)),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "//", "..", "xx", "\\\\", "++", "oo")

_STYLE: dict[str, Any] = {
    "axes.prop_cycle": plt.cycler(color=COLORS, linestyle=DASHES),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.formatter.min_exponent": 4,  # 0.2, not 2 × 10⁻¹, on a logarithmic axis
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": True,  # a veil over the lines behind, without an edge
    "legend.framealpha": 0.8,
    "legend.edgecolor": "none",
    "legend.handlelength": 2.8,  # long enough to show a pattern
    "figure.figsize": (6.4, 3.2),
    "figure.constrained_layout.use": True,
    "figure.titlesize": 11,
    "lines.linewidth": 1.7,
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
    "image.cmap": "gray_r",
    "image.interpolation": "nearest",
    "savefig.dpi": "figure",
}


def use_course_style() -> None:
    """Give all pictures of this notebook the course's style.

    Colours that everybody can tell apart, a line pattern with each, letters large enough to read,
    logarithmic axes with plain numbers, layouts in which nothing overlaps, and sharp pictures on
    screens with many pixels. Call it once, in the setup cell.
    """
    matplotlib.rcParams.update(_STYLE)
    shell = ipython_shell()
    if shell is not None:
        from matplotlib_inline.config import InlineBackend

        inline = InlineBackend.instance(parent=shell)
        inline.shell = shell
        inline.figure_formats = {"retina"}


@contextmanager
def picture() -> Iterator[None]:
    """Show the picture that the block draws, or say which function is still to be written.

    ::

        with picture():
            figure, axes = plt.subplots()
            axes.plot(z, sigmoid(z))

    A function that is not written yet raises ``NotImplementedError``; the picture is then passed
    over with one line, so that the notebook can be run from top to bottom at any time. Any other
    exception goes on as usual, without half a picture below it.
    """
    try:
        yield
    except NotImplementedError as missing:
        plt.close("all")
        print(f"Nothing to show yet: {missing}.")
    except BaseException:
        plt.close("all")
        raise
    else:
        plt.show()
