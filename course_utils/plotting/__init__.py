"""The course's pictures: one style for all labs, and the figures that come again and again.

A lab's setup cell says ``use_course_style()``; its picture cells draw with Matplotlib as always,
inside ``with picture():``, or hand a function that draws to :func:`sliders`.
"""

from course_utils.plotting.figures import (
    bands,
    contours,
    depth_histograms,
    heatmap,
    image_grid,
    trajectory,
)  # fmt: skip
from course_utils.plotting.sliders import sliders
from course_utils.plotting.style import (
    BLACK,
    BLUE,
    COLORS,
    DASHES,
    GREEN,
    GREY,
    HATCHES,
    MARKERS,
    ORANGE,
    PINK,
    SKY,
    YELLOW,
    picture,
    use_course_style,
)  # fmt: skip

__all__ = [
    "BLACK", "BLUE", "COLORS", "DASHES", "GREEN", "GREY", "HATCHES", "MARKERS", "ORANGE", "PINK",
    "SKY", "YELLOW", "bands", "contours", "depth_histograms", "heatmap", "image_grid", "picture",
    "sliders", "trajectory", "use_course_style",
]  # fmt: skip
