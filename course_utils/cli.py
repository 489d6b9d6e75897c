"""The ``course`` command: release labs, grade classes, look at the machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from course_utils.devices import VARIABLE, DeviceError, resolve
from course_utils.lab import Lab, LabError
from course_utils.outcome import SubmissionResult
from course_utils.sandbox.launch import Isolation, SandboxError
from course_utils.sandbox.limits import Limits

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Release labs, grade classes of notebooks, give feedback.",
)  # fmt: skip
# A log or a pipe has no width of its own; a table needs one.
_out = Console() if sys.stdout.isatty() else Console(width=120)
_err = Console(stderr=True)

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
    from course_utils.grading.course import Course
    from course_utils.grading.release import release as release_lab

    course = Course(Path.cwd())
    for name in labs:
        lab = Lab.find(name)
        if not unverified and not _passes_gate(lab, seeds=100, mutants=True, fresh=fresh):
            raise LabError(f"{name} was not released: mend what the gate has found above")
        folder = release_lab(course, lab)
        _out.print(f"[bold]{name}[/] released to {_relative(folder)}")


@app.command()
def verify(
    labs: Annotated[list[str] | None, typer.Argument(help="Labs; all by default.")] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds the marks must agree under.")] = 100,
    mutants: Annotated[bool, typer.Option(help="Mutate the solution and see who notices.")] = True,
    pairs: Annotated[bool, typer.Option(help="Try pairs of mistakes, for the diagnosis.")] = True,
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
    from course_utils.grading.new_lab import make_lab

    folder = make_lab(Path.cwd(), name, title)
    _out.print(f"[bold]{name}[/] begun in {_relative(folder)}", soft_wrap=True)
    _out.print(f"next: course verify {name}, then docs/authoring.md", soft_wrap=True)


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
) -> None:
    """Grade a class under submitted/, or one notebook without any database."""
    from course_utils.grading.classroom import Settings, warm_up

    if not target.endswith(".ipynb"):
        warm_up()
    limits = Limits(
        cell_seconds=cell_seconds, call_seconds=call_seconds, memory_bytes=memory_mib * 2**20,
        device=resolve(device), device_bytes=device_memory_mib * 2**20,
    )  # fmt: skip
    settings = Settings(workers, isolation, limits)
    if target.endswith(".ipynb"):
        if lab is None:
            raise typer.BadParameter("name the notebook's lab: --lab lab02_softmax_nll")
        _grade_file(Path(target), Lab.find(lab), settings, as_json=as_json)
    else:
        _grade_class(Path.cwd(), Lab.find(target), settings, as_json=as_json)


@app.command()
def doctor() -> None:
    """Say what this machine has, which isolation will be used, and what to do about the rest."""
    from course_utils.grading.doctor import examine

    findings = examine()
    for finding in findings:
        sign = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        _out.print(f"{sign} {finding.part:<12} {finding.found}", highlight=False)
        if finding.advice and not finding.ok:
            _out.print(f"  {'':<12} → {finding.advice}", highlight=False)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo course is built.")] = Path(
        "build/demo"
    ),
) -> None:
    """Release lab02, build a class of real notebooks, grade it, and say where everything lies."""
    from course_utils.grading.classroom import Settings
    from course_utils.grading.demo import DEMO_LAB, build_course

    root = build_course(Path.cwd(), folder)
    _out.print(f"released [bold]{DEMO_LAB}[/] and built a class in {_relative(root)}\n")
    limits = Limits(
        cell_seconds=5, call_seconds=3, memory_bytes=512 * 2**20, device=resolve()
    )
    lab = Lab.find(DEMO_LAB, root)
    _grade_class(root, lab, Settings(limits=limits), as_json=False)
    _out.print(f"\nLook around in it: cd {_relative(root)} && nbgrader formgrader")


def main() -> None:
    """Entry point: known errors become one sentence and exit code 2."""
    try:
        app()
    except (LabError, SandboxError, DeviceError) as error:
        _err.print(f"[bold red]error:[/] {error}", highlight=False, markup=True)
        sys.exit(2)


def _passes_gate(
    lab: Lab, *, seeds: int, mutants: bool, pairs: bool = True, only: Sequence[str] = (),
    fresh: bool = False,
) -> bool:  # fmt: skip
    """Run the release gate on a lab and print its report; whether it is green."""
    from course_utils.grading.verify import verify as prove
    from course_utils.grading.verify.pool import Progress as Shown
    from course_utils.grading.verify.progress import PlainProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task(lab.name)

        def draw(label: str, done: int, total: int) -> None:
            bar.update(task, description=f"{lab.name}: {label}", completed=done, total=total)

        log = PlainProgress(lambda line: print(f"{lab.name}: {line}", file=sys.stderr, flush=True))
        show: Shown = draw if _err.is_terminal else log
        report = prove(
            lab, seeds=seeds, mutants=mutants, pairs=pairs, only=only, fresh=fresh, progress=show
        )
    print(report.render(), flush=True)
    return report.green


def _grade_file(path: Path, lab: Lab, settings: object, *, as_json: bool) -> None:
    from course_utils.grading.classroom import Settings
    from course_utils.grading.feedback import exercise_panel
    from course_utils.grading.judge import Grader, grade_file
    from course_utils.sandbox.client import Sandbox

    assert isinstance(settings, Settings)
    with Sandbox(settings.isolation, settings.limits, lab.imports) as sandbox:
        result = grade_file(path, Grader(lab, sandbox), path.stem)
    if as_json:
        print(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    for exercise in result.exercises:
        print(exercise_panel(exercise).text, end="\n\n")
    for notice in result.notices:
        print(f"{notice.code}: {notice.message}")
    _warn_of(settings.isolation)
    print(f"{result.score:g} of {result.max_score:g} points · {result.status}")


def _grade_class(root: Path, lab: Lab, settings: object, *, as_json: bool) -> None:
    from course_utils.grading.classroom import Settings, find_submissions, grade_class, warm_up

    warm_up()  # if it was not done before
    from course_utils.grading import report
    from course_utils.grading.course import Course
    from course_utils.grading.gradebook import GradebookWriter

    assert isinstance(settings, Settings)
    course = Course(root)
    submissions = find_submissions(course, lab)
    if not submissions:
        raise LabError(f"there are no submissions under {root}/submitted/*/{lab.name}")
    results: list[SubmissionResult] = []
    with GradebookWriter(course, lab) as writer:
        graded = grade_class(lab, submissions, settings)
        for result in _with_progress(graded, len(submissions), quiet=as_json):
            writer.write(result)
            result.notebook = None  # written; a large class must not pile up in memory
            if as_json:
                print(json.dumps(result.to_dict(), ensure_ascii=False), flush=True)
            results.append(result)
    results.sort(key=lambda result: result.student)
    report_path = root / "report.csv"
    report.write_csv(results, report_path)
    if as_json:
        return
    _out.print(report.table(results))
    _warn_of(settings.isolation)
    _out.print(f"\ngradebook  {course.db_url}", highlight=False, soft_wrap=True)
    feedback = course.folder("feedback", "*", lab.name)
    for label, path in (("feedback", feedback), ("report", report_path)):
        _out.print(f"{label:<10} {_relative(path)}", highlight=False, soft_wrap=True)


def _with_progress(
    results: Iterable[SubmissionResult], total: int, *, quiet: bool
) -> Iterator[SubmissionResult]:
    """Pass results on, with a progress bar on a terminal and plain lines in a log."""
    if quiet:
        yield from results
        return
    if not _err.is_terminal:
        for number, result in enumerate(results, 1):
            _err.print(
                f"{number}/{total} {result.student}: {result.score:g}/{result.max_score:g} "
                f"{result.status} ({result.reason})",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
            yield result
        return
    columns = (
        TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("ETA"), TimeRemainingColumn(), TextColumn("{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=_err, transient=True) as progress:
        task = progress.add_task("", total=total)
        for result in results:
            progress.update(task, advance=1, description=result.student)
            yield result


def _warn_of(isolation: Isolation) -> None:
    if isolation is Isolation.PROCESS:
        _err.print(
            "[bold yellow]Graded without a sandbox (isolation: process), as asked: student code "
            "could read and change files of this machine.[/]"
        )


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
