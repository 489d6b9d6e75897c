"""``course report``: a graded class as a page for its teachers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course_utils.commands.options import OUT, relative
from course_utils.ground.lab import Lab


def report(
    labs: Annotated[
        list[str] | None, typer.Argument(help="Labs; all that were graded by default.")
    ] = None,
) -> None:
    """Make a page of how a class has done: scores, mistakes, exercises, what was noticed. Without
    a lab, the pages of all labs and one of the course. Nothing is graded."""
    from course_utils.grading.classrun.lookup import graded_labs
    from course_utils.grading.course import Course
    from course_utils.grading.insight import course_page, lab_page

    course = Course(Path.cwd())
    chosen = [Lab.find(name) for name in labs] if labs else graded_labs(course)
    insights = [lab_page.look_at(course, lab) for lab in chosen]
    for insight in insights:
        name = insight.roll.lab.name
        OUT.say(f"{name}: {relative(lab_page.write(course, insight))}")
        OUT.say(f"{name}, as a table: {relative(lab_page.write_table(course, insight))}")
    if not labs:
        OUT.say(f"course: {relative(course_page.write(course, insights))}")
