"""``course handout``, ``collect``, ``gradescope``: a lab on its way to students, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course_utils.commands.options import OUT, relative
from course_utils.ground.lab import Lab


def handout(
    labs: Annotated[list[str], typer.Argument(help="Released labs, e.g. lab02_softmax_nll.")],
    install: Annotated[
        str,
        typer.Option(
            help="The command by which your students install the package.",
            show_default="from the address that this repository was cloned from",
        ),
    ] = "",
    hand_in: Annotated[
        str, typer.Option(help="Where students hand in, as the end of the page's last line.")
    ] = "where your course asks for it",
) -> None:
    """Make a zip for students of each lab, in handouts/: the released notebook, the two files that
    its checks need, and a page of five lines. It is searched for solutions once more."""
    from course_utils.gate.handout import handout as made
    from course_utils.gate.handout import install_command
    from course_utils.grading.course import Course

    course = Course(Path.cwd())
    for name in labs:
        lab = Lab.find(name)
        data = made(
            course, lab, install=install or install_command(course.root), hand_in=hand_in
        )
        path = course.root / "handouts" / f"{name}.zip"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        OUT.say(f"{name} for students is in {relative(path)}")
