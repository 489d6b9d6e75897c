"""``course grade`` and ``course feedback``: a class, or one notebook."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from course_utils.commands.options import (
    ERR,
    OUT,
    CallSeconds,
    CellSeconds,
    DeviceMiB,
    DeviceOption,
    IsolationOption,
    JsonOption,
    MemoryMiB,
    complain,
    known_labs,
    relative,
)
from course_utils.ground import requirements, strict_json
from course_utils.ground.devices import resolve
from course_utils.ground.errors import NOT_ALL_GRADED
from course_utils.ground.lab import Lab
from course_utils.ground.streams import libraries_to_stderr
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits

if TYPE_CHECKING:  # nbgrader and torch are imported when a command needs them
    from course_utils.grading.classrun.choice import Choice
    from course_utils.grading.crew import Crew
    from course_utils.grading.roster import Student
    from course_utils.grading.worker import Settings

_DEFAULTS = Limits()


def grade(
    target: Annotated[
        str,
        typer.Argument(
            help="A lab (the whole class), or a notebook file.", autocompletion=known_labs
        ),
    ],
    lab: Annotated[
        str | None, typer.Option(help="The lab of a notebook file.", autocompletion=known_labs)
    ] = None,
    as_json: JsonOption = False,
    workers: Annotated[
        int,
        typer.Option(
            help="Worker processes, each with one submission (on a GPU: and one CUDA context of "
            "it) at a time.", show_default="one a core; on a GPU, as many as it has room for",
        ),
    ] = 0,
    isolation: IsolationOption = Isolation.BUBBLEWRAP,
    cell_seconds: CellSeconds = _DEFAULTS.cell_seconds,
    call_seconds: CallSeconds = _DEFAULTS.call_seconds,
    memory_mib: MemoryMiB = _DEFAULTS.memory_bytes // 2**20,
    device: DeviceOption = "",
    device_memory_mib: DeviceMiB = _DEFAULTS.device_bytes // 2**20,
    student: Annotated[
        list[str] | None, typer.Option(help="Only this student; may be given several times.")
    ] = None,
    only: Annotated[
        str,
        typer.Option(
            help="'changed' (handed in anew), 'ungraded' (no verdict yet) or 'failed' (graded in "
            "part or not at all).", show_default="everybody",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say whose mark would change, and write nothing.")
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Grade again even where nothing that a verdict rests on has changed."
        ),
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say at the end where the time went.")
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Say nothing but whose mark has changed and who was not graded."
        ),
    ] = False,
    roster: Annotated[
        Path | None,
        typer.Option(help="A CSV file of the class: id, last_name, first_name, email."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of the hidden tests; public ones have the one that check has.",
            show_default="the class's own, in .course/hidden_seed; 0 where there is none",
        ),
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(
            help="Grade the class on other machines: tls://HOST:PORT of a dask scheduler "
            "(docs/cluster.md).", show_default="this machine",
        ),
    ] = "",
    scheduler_insecure: Annotated[
        bool,
        typer.Option(
            "--scheduler-insecure",
            help="Accept a scheduler without encryption: hidden tests then travel in the clear.",
        ),
    ] = False,
) -> None:
    """Grade a class under submitted/, or one notebook without any database.

    Exit codes: 0 all graded; 1 somebody was not graded through a fault of the grader's; 2 the
    command makes no sense; 3 the run could not begin, and nothing was written; 4 it stopped on the
    way, and goes on when the command is given again; 5 another run is at work; 130 interrupted.
    """
    from course_utils.grading.preload import warm_up

    if scheduler:
        _check_remote(target, workers)
    elif not target.endswith(".ipynb"):
        warm_up()
    from course_utils.grading.worker import Settings

    limits = Limits(
        cell_seconds=cell_seconds, call_seconds=call_seconds, memory_bytes=memory_mib * 2**20,
        device=resolve(device), device_bytes=device_memory_mib * 2**20,
    )  # fmt: skip
    settings = Settings(workers, isolation, limits, seed)
    if target.endswith(".ipynb"):
        if lab is None:
            raise typer.BadParameter("name the notebook's lab: --lab lab02_softmax_nll")
        _grade_file(Path(target), Lab.find(lab), settings, as_json=as_json)
        return
    from course_utils.grading.classrun.choice import Choice, Only
    from course_utils.grading.roster import read_roster

    if only and only not in set(Only):
        raise typer.BadParameter(f"--only takes {', '.join(Only)}; {only!r} is none of them")
    grade_class(
        Path.cwd(), Lab.find(target), settings,
        choice=Choice(tuple(student or ()), Only(only) if only else None),
        dry_run=dry_run, anew=anew, profile=profile, quiet=quiet,
        roster=read_roster(roster) if roster else (),
        as_json=as_json,
        scheduler=scheduler,
        insecure=scheduler_insecure,
    )  # fmt: skip


def _check_remote(target: str, workers: int) -> None:
    if target.endswith(".ipynb"):
        raise typer.BadParameter("--scheduler grades a class; a notebook file is graded here")
    if workers:
        raise typer.BadParameter(
            "--workers counts processes of this machine; on a cluster, say to each worker how many "
            "submissions it grades at the same time: dask worker --nthreads"
        )


def feedback(
    labs: Annotated[
        list[str], typer.Argument(help="Labs that were graded.", autocompletion=known_labs)
    ],
) -> None:
    """Make feedback pages anew, with the marks and comments that people have added since."""
    from course_utils.grading.classrun.pages import renew
    from course_utils.grading.course import Course

    course = Course(Path.cwd())
    done = {name: renew(course, Lab.find(name)) for name in labs}
    for name, renewed in done.items():
        OUT.say(f"{name}: {renewed.changed} of {renewed.known} pages have changed")
        for student, why in renewed.failed.items():
            complain(f"{name}: the page of {student} could not be written ({why})")
    if any(renewed.failed for renewed in done.values()):
        raise typer.Exit(NOT_ALL_GRADED)


def _grade_file(path: Path, lab: Lab, settings: Settings, *, as_json: bool) -> None:
    from course_utils.grading.class_seed import known_seed
    from course_utils.grading.feedback import exercise_panel
    from course_utils.grading.judge import Grader, grade_file, sandbox_of

    with (
        libraries_to_stderr(),
        sandbox_of(lab, settings.isolation, settings.limits) as sandbox,
    ):
        # As the class was: a TA who asks about one student wants the verdict that counts.
        seed = settings.seeded(known_seed(Path.cwd()) or 0).hidden_seed or 0
        grader = Grader(lab, sandbox, hidden_seed=seed)
        result = grade_file(path, grader, path.stem)
    if as_json:
        print(strict_json.dumps(result.to_dict()))
        return
    for exercise in result.exercises:
        OUT.say(f"{exercise_panel(exercise).text}\n")
    for notice in result.notices:
        OUT.say(f"{notice.code}: {notice.message}")
    _warn_of(settings.isolation)
    OUT.say(f"{result.score:g} of {result.max_score:g} points · {result.status}")


def grade_class(
    root: Path,
    lab: Lab,
    settings: Settings,
    *,
    choice: Choice | None = None,
    dry_run: bool = False,
    anew: bool = False,
    profile: bool = False,
    quiet: bool = False,
    roster: Sequence[Student] = (),
    as_json: bool = False,
    scheduler: str = "",
    insecure: bool = False,
) -> None:
    from course_utils.grading.preload import warm_up

    if not scheduler:
        warm_up()  # if it was not done before
    from course_utils.commands import console
    from course_utils.grading.classrun.choice import Choice
    from course_utils.grading.classrun.run import ClassRun
    from course_utils.grading.course import Course

    course = Course(root)
    with _crew(scheduler, insecure=insecure) as crew:
        run = ClassRun(
            course, lab, settings, choice=choice or Choice(), dry_run=dry_run, anew=anew,
            roster=roster, crew=crew,
        )  # fmt: skip
        with console.listener(ERR, as_json=as_json, quiet=quiet) as tell:
            outcome = run.run(tell)
    if not as_json:
        console.show(outcome, OUT, dry_run=dry_run, quiet=quiet)
        _warn_of(settings.isolation)
    if not as_json and not dry_run and not quiet:
        pages = course.folder("feedback", "*", lab.name)
        places = {"gradebook": course.shown_db_url, "feedback": pages}
        OUT.print()
        for label, place in (places | outcome.files).items():
            shown = relative(place) if isinstance(place, Path) else place
            OUT.say(f"{label:<10} {shown}")
        seed = f"{outcome.hidden_seed}, of the hidden tests; --seed repeats it (not for students)"
        OUT.say(f"{'seed':<10} {seed}")
    if profile and not dry_run:
        console.show_profile(outcome, ERR)
    if outcome.not_graded:
        sys.exit(NOT_ALL_GRADED)


def _crew(scheduler: str, *, insecure: bool) -> AbstractContextManager[Crew]:
    """Who grades: processes of this machine, or a cluster's."""
    from course_utils.grading.crew import LOCAL

    if not scheduler:
        return nullcontext(LOCAL)
    requirements.check("cluster")
    from course_utils.grading.cluster.crew import cluster

    return cluster(scheduler, insecure=insecure)


def _warn_of(isolation: Isolation) -> None:
    if isolation is Isolation.PROCESS:
        ERR.say(
            "Graded without a sandbox (isolation: process), as asked: student code could read and "
            "change files of this machine.",
            style="bold yellow",
        )
