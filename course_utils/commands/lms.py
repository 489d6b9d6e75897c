"""``course handout``, ``collect``, ``gradescope``: a lab on its way to students, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course_utils.commands.options import ERR, OUT, IsolationOption, relative
from course_utils.ground.escaping import escaped
from course_utils.ground.lab import Lab
from course_utils.sandbox.launch import Isolation

# Sentences of one kind; a download that is not what it should be has one for every file.
_AT_MOST = 50


def handout(
    labs: Annotated[list[str], typer.Argument(help="Released labs, e.g. lab02_softmax_nll.")],
    install: Annotated[
        str,
        typer.Option(
            help="The command by which your students install the package.",
            show_default="from its wheel, which is put into the zip",
        ),
    ] = "",
    hand_in: Annotated[
        str, typer.Option(help="Where students hand in, as the end of the page's last line.")
    ] = "where your course asks for it",
    colab: Annotated[
        str,
        typer.Option(
            help="Where the zip's folder will lie on GitHub, as ORGANISATION/REPOSITORY or "
            "ORGANISATION/REPOSITORY@BRANCH:FOLDER: the notebook gets a badge that opens it in "
            "Colab, and a cell that prepares it there."
        ),
    ] = "",
) -> None:
    """Make a zip for students of each lab, in handouts/: the released notebook, the two files that
    its checks need, the package as a wheel, and a page of five lines. It is searched for solutions
    once more."""
    from course_utils.gate.colab import Place
    from course_utils.gate.handout import handout as made
    from course_utils.grading.course import Course

    course = Course(Path.cwd())
    for name in labs:
        lab = Lab.find(name)
        data = made(
            course, lab, install=install, hand_in=hand_in,
            colab=Place.parsed(colab) if colab else None,
        )  # fmt: skip
        path = course.root / "handouts" / f"{name}.zip"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        OUT.say(f"{name} for students is in {relative(path)}")


def collect(
    lab: Annotated[str, typer.Argument(help="e.g. lab02_softmax_nll")],
    download: Annotated[
        Path, typer.Argument(help="What the system gave: a zip archive, or the unpacked folder.")
    ],
    system: Annotated[str, typer.Option("--from", help="canvas, moodle or gradescope.")],
    roster: Annotated[
        Path | None,
        typer.Option(help="A CSV file of the class: id, last_name, first_name, email."),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(help="Who somebody is, as canvas-123=ada; it is remembered."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Replace what somebody has put into a folder, or a later download has."
        ),
    ] = False,
) -> None:
    """Put the submissions of a download into submitted/, where course grade finds them.

    Of several files of one name the last counts. Who is not in the class (the gradebook's, and
    --roster's) keeps the system's own id, and is named.
    """
    from course_utils.grading.collecting.collect import System
    from course_utils.grading.collecting.collect import collect as collected
    from course_utils.grading.collecting.placing import Placed
    from course_utils.grading.course import Course
    from course_utils.grading.roster import read_roster

    if system not in set(System):
        raise typer.BadParameter(f"--from takes {', '.join(System)}; {system!r} is none of them")
    pairs = [pair.partition("=") for pair in match or ()]
    if not all(own and student for own, _, student in pairs):
        raise typer.BadParameter("--match takes the system's id and yours, as in canvas-123=ada")
    made = collected(
        Course(Path.cwd()), Lab.find(lab), download, System(system),
        roster=read_roster(roster) if roster else (),
        settled={own: student for own, _, student in pairs},
        force=force,
    )  # fmt: skip
    states = list(made.placed.values())
    counts = ", ".join(f"{states.count(one)} {one}" for one in Placed if one in states)
    name = system.capitalize()
    OUT.say(f"{lab}: {len(states)} submissions from {name} ({counts or 'none could be placed'})")
    dated = "counted as a second late" if made.due else "the gradebook has no due date to count by"
    for what, lines in (
        (f"late, says {name}, but not how late; {dated}", made.late),
        ("not in the class; they keep the system's id, or say --match", made.unmatched),
        ("kept, since somebody has changed the folder; --force replaces it", made.of(Placed.KEPT)),
        ("kept, since a later download was collected before", made.of(Placed.OLDER)),
        ("known by another id now; delete the old folder in submitted/", made.moved),
        ("to look at", made.remarks),
    ):
        if lines:
            ERR.say(f"\n{what}:")
        for line in lines[:_AT_MOST]:
            ERR.say(f"  {escaped(line)}")
        if len(lines) > _AT_MOST:
            ERR.say(f"  and {len(lines) - _AT_MOST} more")


def gradescope(
    labs: Annotated[list[str], typer.Argument(help="e.g. lab02_softmax_nll")],
    show: Annotated[
        str,
        typer.Option(
            help="When students see points and hidden claims: after_due_date, after_published or "
            "visible."
        ),
    ] = "after_due_date",
    isolation: IsolationOption = Isolation.BUBBLEWRAP,
) -> None:
    """Make a Gradescope autograder of each lab, in autograders/; it holds hidden tests.

    docs/lms.md says how far student code is kept apart in a container of Gradescope's.
    """
    from course_utils.grading.course import Course
    from course_utils.grading.gradescope.archive import autograder
    from course_utils.grading.gradescope.settings import Show

    if show not in set(Show):
        raise typer.BadParameter(f"--show takes {', '.join(Show)}; {show!r} is none of them")
    course = Course(Path.cwd())
    for name in labs:
        data = autograder(course, Lab.find(name), isolation, Show(show))
        path = course.root / "autograders" / f"{name}.zip"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        OUT.say(f"the autograder of {name} is in {relative(path)}; for instructors only")
