"""``course verify``, ``release``, ``new-lab``: from an author's folder to what students get."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from course_utils.commands.options import ERR, OUT, DeviceOption, FreshOption, known_labs, relative
from course_utils.ground.devices import VARIABLE, resolve
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab

if TYPE_CHECKING:
    from course_utils.gate.pool import Progress as Shown


def release(
    labs: Annotated[
        list[str], typer.Argument(help="e.g. lab02_softmax_nll", autocompletion=known_labs)
    ],
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Skip the release gate (course verify).")
    ] = False,
    with_solutions: Annotated[
        bool,
        typer.Option(
            "--with-solutions",
            help="For after the deadline: the notebook with solutions folded under its exercises, "
            "in answers/. Nothing else is changed.",
        ),
    ] = False,
    fresh: FreshOption = False,
) -> None:
    """Put labs through the release gate, and make the students' version in labs/.

    They are entered in the gradebook, too. A gate that was green for these very files is not gone
    through again.
    """
    from course_utils.gate.answers import write_answers
    from course_utils.gate.release import release as release_lab
    from course_utils.grading.course import Course

    course = Course(Path.cwd())
    for name in labs:
        lab = Lab.find(name)
        if with_solutions:
            folder = write_answers(lab, course.root / "answers")
            OUT.say(f"{name} with its solutions is in {relative(folder)}")
            continue
        if not unverified and not _passes_gate(lab, seeds=100, mutants=True, fresh=fresh):
            raise LabError(f"{name} was not released: mend what the gate has found above")
        folder = release_lab(course, lab)
        OUT.say(f"{name} released to {relative(folder)}")


def verify(
    labs: Annotated[
        list[str] | None, typer.Argument(help="Labs; all by default.", autocompletion=known_labs)
    ] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds the marks must agree under.")] = 100,
    mutants: Annotated[bool, typer.Option(help="Mutate the solution and see who notices.")] = True,
    pairs: Annotated[
        bool, typer.Option(help="Make mistakes in pairs and in right variants, too.")
    ] = True,
    exercise: Annotated[
        list[str] | None, typer.Option(help="Only these exercises, while you work on them.")
    ] = None,
    fresh: FreshOption = False,
    device: DeviceOption = "",
) -> None:
    """Prove labs before students see them: right code passes, wrong code fails and is named."""
    os.environ[VARIABLE] = resolve(device)  # the gate's workers have it from there
    names = labs or [lab.name for lab in Lab.all_in(Path.cwd())]
    verdicts = [
        _passes_gate(
            Lab.find(name), seeds=seeds, mutants=mutants, pairs=pairs, only=exercise or (),
            fresh=fresh,
        )
        for name in names
    ]
    if not all(verdicts):
        raise typer.Exit(1)


def preview(
    lab: Annotated[str, typer.Argument(help="e.g. lab02_softmax_nll")],
    seen_as: Annotated[
        str, typer.Option("--as", help="Whose eyes to look through: 'student'.")
    ] = "student",
    exercise: Annotated[
        list[str] | None, typer.Option(help="Only these exercises, while you work on them.")
    ] = None,
) -> None:
    """Show what check says to students with each known mistake: a page to judge hints by."""
    from course_utils.gate import preview as made
    from course_utils.grading.templating import write_page

    if seen_as != "student":
        raise typer.BadParameter(f"--as takes 'student'; {seen_as!r} is nobody who sees a lab")
    source = Lab.find(lab)
    started = time.perf_counter()
    with _progress(source) as show:
        found = made.preview(source, exercise or (), show)
    path = write_page(made.page(source, found), Path.cwd() / "reports" / f"{lab}.preview.html")
    count = sum(map(len, found.values()))
    OUT.say(f"{lab}: {count} mistakes in {time.perf_counter() - started:.0f} s")
    OUT.say(f"preview: {relative(path)}")


def new_lab(
    name: Annotated[str, typer.Argument(help="Folder's name, e.g. lab08_attention.")],
    title: Annotated[
        str, typer.Option(help="The notebook's title.", show_default="made from the name")
    ] = "",
) -> None:
    """Begin a lab: a folder under solutions/ with one small exercise, which the gate accepts."""
    from course_utils.gate.new_lab import make_lab

    folder = make_lab(Path.cwd(), name, title)
    OUT.say(f"{name} begun in {relative(folder)}")
    OUT.say(f"next: course verify {name}, then docs/authoring.md")


def _passes_gate(
    lab: Lab, *, seeds: int, mutants: bool, pairs: bool = True, only: Sequence[str] = (),
    fresh: bool = False,
) -> bool:  # fmt: skip
    """Run the release gate on a lab and print its report; whether it is green."""
    from course_utils.gate.verify import verify as prove

    with _progress(lab) as show:
        report = prove(
            lab, seeds=seeds, mutants=mutants, pairs=pairs, only=only, fresh=fresh, progress=show
        )
    OUT.say(report.render())
    return report.green


@contextmanager
def _progress(lab: Lab) -> Iterator[Shown]:
    """What a long look at a lab tells how far it is: a bar on a terminal, else plain lines."""
    from course_utils.gate.progress import PlainProgress

    if not ERR.is_terminal:
        yield PlainProgress(lambda line: ERR.say(f"{lab.name}: {line}"))
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task(lab.name)

        def draw(label: str, done: int, total: int) -> None:
            bar.update(task, description=f"{lab.name}: {label}", completed=done, total=total)

        yield draw
