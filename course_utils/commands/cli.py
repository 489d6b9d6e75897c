"""The ``course`` command: release labs, grade classes, look at the machine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from course_utils.commands.terminal import Terminal
from course_utils.grading.classrun.errors import (
    NOT_ALL_GRADED,
    USAGE,
    Interrupted,
    NotReady,
    RunError,
)
from course_utils.ground import requirements, strict_json
from course_utils.ground.devices import VARIABLE, DeviceError, resolve
from course_utils.ground.lab import Lab, LabError
from course_utils.sandbox.launch import Isolation, SandboxError
from course_utils.sandbox.limits import Limits

if TYPE_CHECKING:  # nbgrader and torch are imported when a command needs them
    from course_utils.grading.classroom import Settings
    from course_utils.grading.classrun.choice import Choice
    from course_utils.grading.roster import Student

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Release labs, grade classes of notebooks, give feedback.",
)  # fmt: skip
_out = Terminal()
_err = Terminal(stderr=True)

IsolationOption = Annotated[
    Isolation, typer.Option(help="'process' grades without a sandbox; it is said on every report.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a submission.")]
CellSeconds = Annotated[float, typer.Option(help="Time limit of one cell.")]
CallSeconds = Annotated[float, typer.Option(help="Time limit of one call by a test.")]
MemoryMiB = Annotated[int, typer.Option(help="Memory limit of a submission, in MiB.")]
DeviceOption = Annotated[
    str,
    typer.Option(
        help="'auto', 'cpu' or 'cuda'; COURSE_DEVICE says the same. With 'auto', a GPU is used "
        "where torch sees one.", show_default="COURSE_DEVICE, else auto",
    ),
]  # fmt: skip
DeviceMiB = Annotated[
    int, typer.Option(help="On a GPU: memory limit of each of a submission's processes, in MiB.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Prove everything again, whatever was green before.")
]
_DEFAULTS = Limits()
# Click's own, or that of the copy of click that newer versions of typer hold.
_UsageError: Any = typer.BadParameter.__base__


@app.callback()
def _before(context: typer.Context) -> None:
    """Nothing is begun with half of the packages; only the doctor may say what else there is."""
    if context.invoked_subcommand != "doctor":
        requirements.check()


@app.command()
def release(
    labs: Annotated[list[str], typer.Argument(help="e.g. lab02_softmax_nll")],
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Skip the release gate (course verify).")
    ] = False,
    fresh: FreshOption = False,
) -> None:
    """Put labs through the release gate, make the students' version in labs/, and enter them in
    the gradebook. A gate that was green for these very files is not gone through again."""
    from course_utils.gate.release import release as release_lab
    from course_utils.grading.course import Course

    course = Course(Path.cwd())
    for name in labs:
        lab = Lab.find(name)
        if not unverified and not _passes_gate(lab, seeds=100, mutants=True, fresh=fresh):
            raise LabError(f"{name} was not released: mend what the gate has found above")
        folder = release_lab(course, lab)
        _out.say(f"{name} released to {_relative(folder)}")


@app.command()
def verify(
    labs: Annotated[list[str] | None, typer.Argument(help="Labs; all by default.")] = None,
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


@app.command("new-lab")
def new_lab(
    name: Annotated[str, typer.Argument(help="Folder's name, e.g. lab08_attention.")],
    title: Annotated[
        str, typer.Option(help="The notebook's title.", show_default="made from the name")
    ] = "",
) -> None:
    """Begin a lab: a folder under solutions/ with one small exercise, which the gate accepts."""
    from course_utils.gate.new_lab import make_lab

    folder = make_lab(Path.cwd(), name, title)
    _out.say(f"{name} begun in {_relative(folder)}")
    _out.say(f"next: course verify {name}, then docs/authoring.md")


@app.command()
def grade(
    target: Annotated[str, typer.Argument(help="A lab (the whole class), or a notebook file.")],
    lab: Annotated[str | None, typer.Option(help="The lab of a notebook file.")] = None,
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
    roster: Annotated[
        Path | None,
        typer.Option(help="A CSV file of the class: id, last_name, first_name, email."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of the hidden tests; public ones have the one that check has.",
            show_default="the class's own, in .course/hidden_seed; 0 for a notebook file",
        ),
    ] = None,
) -> None:
    """Grade a class under submitted/, or one notebook without any database.

    Exit codes: 0 all graded; 1 somebody was not graded through a fault of the grader's; 2 the
    command makes no sense; 3 the run could not begin, and nothing was written; 4 it stopped on the
    way, and goes on when the command is given again; 5 another run is at work; 130 interrupted.
    """
    from course_utils.grading.classroom import Settings, warm_up

    if not target.endswith(".ipynb"):
        warm_up()
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
    _grade_class(
        Path.cwd(), Lab.find(target), settings,
        choice=Choice(tuple(student or ()), Only(only) if only else None),
        dry_run=dry_run,
        roster=read_roster(roster) if roster else (),
        as_json=as_json,
    )  # fmt: skip


@app.command()
def feedback(
    labs: Annotated[list[str], typer.Argument(help="Labs that were graded.")],
) -> None:
    """Make feedback pages anew, with the marks and comments that people have added since."""
    from course_utils.grading.classrun.pages import renew
    from course_utils.grading.course import Course

    course = Course(Path.cwd())
    done = {name: renew(course, Lab.find(name)) for name in labs}
    for name, renewed in done.items():
        _out.say(f"{name}: {renewed.changed} of {renewed.known} pages have changed")
        for student, why in renewed.failed.items():
            _say(f"{name}: the page of {student} could not be written ({why})")
    if any(renewed.failed for renewed in done.values()):
        raise typer.Exit(NOT_ALL_GRADED)


@app.command()
def doctor() -> None:
    """Say what this machine has, which isolation will be used, and what to do about the rest."""
    from course_utils.commands.doctor import examine

    checks = examine()
    for check in checks:
        sign = Text("✓", "green") if check.ok else Text("✗", "red")
        _out.print(sign, Text(f"{check.part:<12} {check.found}"))
        if check.advice and not check.ok:
            _out.print(f"  {'':<12} → {check.advice}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo course is built.")] = Path(
        "build/demo"
    ),
) -> None:
    """Release lab02, build a class of real notebooks, grade it, and say where everything lies."""
    from course_utils.commands.demo import DEMO_LAB, build_course, shell_commands
    from course_utils.grading.classroom import Settings

    root = build_course(Path.cwd(), folder)
    _out.say(f"released {DEMO_LAB} and built a class in {_relative(root)}\n")
    # Its endless cell need not take half a minute, nor its memory bomb all that a submission may
    # have; but a call may be the first to import torch, and a CUDA build's import takes 0.7 GiB.
    limits = Limits(cell_seconds=5, memory_bytes=2**30, device=resolve())
    lab = Lab.find(DEMO_LAB, root)
    _grade_class(root, lab, Settings(limits=limits))
    _out.say("\nLook around in it, in nbgrader's formgrader:")
    for command in shell_commands(root):
        _out.say(f"  {command}")


def main() -> None:
    """Entry point: known errors become sentences, and exit codes of their own."""
    # What ends this process in an orderly way ends its workers, too, and keeps what was done.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except _UsageError as error:  # quotes what was typed, or the names that a pattern stood for
        if message := error.format_message():  # else no argument was given, and help was
            _say(f"error: {message}")
        sys.exit(USAGE)
    except typer.Abort:
        sys.exit(Interrupted.exit_code)
    except (LabError, SandboxError, DeviceError, requirements.RequirementError) as error:
        _say(f"error: {error}")
        sys.exit(USAGE)
    except NotReady as error:
        _say(f"Nothing was written, since the run cannot begin:\n{error}")
        sys.exit(error.exit_code)
    except RunError as error:
        _say(str(error))
        sys.exit(error.exit_code)


def _say(text: str) -> None:
    _err.say(text, style="bold red")


def _passes_gate(
    lab: Lab, *, seeds: int, mutants: bool, pairs: bool = True, only: Sequence[str] = (),
    fresh: bool = False,
) -> bool:  # fmt: skip
    """Run the release gate on a lab and print its report; whether it is green."""
    from course_utils.gate.pool import Progress as Shown
    from course_utils.gate.progress import PlainProgress
    from course_utils.gate.verify import verify as prove

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task(lab.name)

        def draw(label: str, done: int, total: int) -> None:
            bar.update(task, description=f"{lab.name}: {label}", completed=done, total=total)

        log = PlainProgress(lambda line: _err.say(f"{lab.name}: {line}"))
        show: Shown = draw if _err.is_terminal else log
        report = prove(
            lab, seeds=seeds, mutants=mutants, pairs=pairs, only=only, fresh=fresh, progress=show
        )
    _out.say(report.render())
    return report.green


def _grade_file(path: Path, lab: Lab, settings: Settings, *, as_json: bool) -> None:
    from course_utils.grading.feedback import exercise_panel
    from course_utils.grading.judge import Grader, grade_file
    from course_utils.sandbox.client import Sandbox

    with Sandbox(settings.isolation, settings.limits, lab.imports) as sandbox:
        grader = Grader(lab, sandbox, hidden_seed=settings.hidden_seed or 0)
        result = grade_file(path, grader, path.stem)
    if as_json:
        print(strict_json.dumps(result.to_dict()))
        return
    for exercise in result.exercises:
        _out.say(f"{exercise_panel(exercise).text}\n")
    for notice in result.notices:
        _out.say(f"{notice.code}: {notice.message}")
    _warn_of(settings.isolation)
    _out.say(f"{result.score:g} of {result.max_score:g} points · {result.status}")


def _grade_class(
    root: Path,
    lab: Lab,
    settings: Settings,
    *,
    choice: Choice | None = None,
    dry_run: bool = False,
    roster: Sequence[Student] = (),
    as_json: bool = False,
) -> None:
    from course_utils.grading.classroom import warm_up

    warm_up()  # if it was not done before
    from course_utils.commands import console
    from course_utils.grading.classrun.choice import Choice
    from course_utils.grading.classrun.run import ClassRun
    from course_utils.grading.course import Course

    course = Course(root)
    run = ClassRun(
        course, lab, settings, choice=choice or Choice(), dry_run=dry_run, roster=roster
    )
    with console.listener(_err, as_json=as_json) as tell:
        outcome = run.run(tell)
    if not as_json:
        console.show(outcome, _out, dry_run=dry_run)
        _warn_of(settings.isolation)
    if not as_json and not dry_run:
        places = {"gradebook": course.db_url, "feedback": course.folder("feedback", "*", lab.name)}
        _out.print()
        for label, place in (places | outcome.files).items():
            shown = _relative(place) if isinstance(place, Path) else place
            _out.say(f"{label:<10} {shown}")
        seed = f"{outcome.hidden_seed}, of the hidden tests; --seed repeats it (not for students)"
        _out.say(f"{'seed':<10} {seed}")
    if outcome.not_graded:
        sys.exit(NOT_ALL_GRADED)


def _warn_of(isolation: Isolation) -> None:
    if isolation is Isolation.PROCESS:
        _err.say(
            "Graded without a sandbox (isolation: process), as asked: student code could read and "
            "change files of this machine.",
            style="bold yellow",
        )


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
