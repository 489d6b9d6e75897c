"""The pages that this package makes: one look, one policy, and one place where text becomes HTML.

Every value that a template writes goes through :func:`_shown` and Jinja's escaping, so that a page
need not think of what students may have chosen. The pages have no script and load nothing: a
content-security policy in ``base.html.j2`` forbids all but their own styles.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from course_utils.ground.cells import exercise_of
from course_utils.ground.errors import CourseError
from course_utils.verdict.render import inline, printable


def render(template: str, **values: Any) -> str:
    """A page as text.

    Args:
        template: its file's name in ``templates/``, without endings.
        values: what it shows.
    """
    return str(_environment().get_template(f"{template}.html.j2").render(**values))


def write_page(text: str, path: Path) -> Path:
    """Replace a page as a whole: whoever reads it meanwhile sees the old one or the new one.

    Raises:
        CourseError: it cannot be written.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, "utf-8", errors="replace")
        os.replace(fresh, path)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def points(value: float) -> str:
    """Points as people write them: 3, 2.5, 0.67."""
    return f"{round(value, 2):g}"


def percent(share: float) -> str:
    """A share as a percentage; 100 % and 0 % are said of nothing less and nothing more."""
    rounded = round(100 * share)
    if rounded in (0, 100) and not (share <= 0 or share >= 1):
        rounded = 99 if rounded else 1
    return f"{rounded} %"


def title(cell: str) -> str:
    """A cell's name as people read it: ``written_row_sums`` is "row sums"."""
    return (exercise_of(cell) or cell).removeprefix("written_").replace("_", " ")


def _shown(value: Any) -> Any:
    """What a template writes: text without what would steer a page; HTML of our own as it is."""
    plain = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(value) if plain else value


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("course_utils.grading", "templates"), autoescape=True,
        undefined=StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "points": points, "percent": percent, "title_of": title,
        "prose": lambda text: Markup(inline(text)),
        # A name may break after any of its words, on a narrow page.
        "name": lambda text: Markup("_<wbr>").join(printable(text).split("_")),
    }  # fmt: skip
    return made
