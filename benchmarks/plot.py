"""``python -m benchmarks.plot``: seconds against the size of a class, from the latest results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.bench import RESULTS, SMALL
from course_utils.plotting import style

PICTURE = Path("docs") / "pictures" / "seconds-by-class-size.png"
# In the order of the legend: what it is called in the results, marker, line.
_CURVES = (
    ("nbgrader autograde, as it comes", "s", "-"),
    ("course grade", "o", "-"),
    ("course grade, nothing changed", "^", "--"),
    ("in one process, no sandbox", "x", ":"),
)


def main() -> None:
    """Draw the picture that the README shows."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    latest = max(RESULTS.glob("*.json"))
    found = json.loads(latest.read_text("utf-8"))
    style.use_course_style()
    stock = f"{_CURVES[0][0]}, {SMALL}"
    compared = {lab: rows for lab, rows in found["labs"].items() if stock in rows}
    figure, ((*axes,),) = plt.subplots(
        1, len(compared), figsize=(4.5 * len(compared), 3.6), sharey=True, squeeze=False
    )
    for ax, (lab, rows) in zip(axes, compared.items(), strict=True):
        _draw(ax, lab, rows)
    axes[0].set_ylabel("seconds for the class")
    axes[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1.1))  # above the lines
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=130)
    print(f"{PICTURE}, from {latest.name}")


def _draw(ax: Any, lab: str, rows: dict[str, Any]) -> None:
    sizes = sorted({row["size"] for name, row in rows.items() if name.startswith("course grade,")})
    for what, marker, line in _CURVES:
        some = [row for name, row in rows.items() if name.rpartition(", ")[0] == what]
        seen = {row["size"]: row["wall"] for row in some}
        if not seen:
            continue
        label = what
        if what.startswith("nbgrader"):  # measured on a small class; each takes as long as the next
            each = seen[SMALL] / SMALL
            seen |= {size: each * size for size in sizes if size > SMALL}
            label += f" (beyond {SMALL}: extrapolated)"
        ax.plot(list(seen), list(seen.values()), marker=marker, linestyle=line, label=label)
    ax.set(xscale="log", yscale="log", xlabel="submissions", title=lab)


if __name__ == "__main__":
    main()
