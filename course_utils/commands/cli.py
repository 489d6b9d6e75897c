"""The ``course`` command: its commands put together, and errors made into sentences."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from course_utils.commands import grade as grading
from course_utils.commands import labs
from course_utils.commands import report as reports
from course_utils.commands.options import OUT, complain, relative
from course_utils.ground import requirements
from course_utils.ground.devices import resolve
from course_utils.ground.errors import CourseError, Interrupted
from course_utils.ground.lab import Lab
from course_utils.sandbox.limits import Limits

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Release labs, grade classes of notebooks, give feedback.",
)  # fmt: skip
app.command()(labs.release)
app.command()(labs.verify)
app.command()(labs.preview)
app.command("new-lab")(labs.new_lab)
app.command()(grading.grade)
app.command()(grading.feedback)
app.command()(reports.report)
# Click's own, or that of the copy of click that newer versions of typer hold.
_UsageError: Any = typer.BadParameter.__base__


@app.callback()
def _before(context: typer.Context) -> None:
    """Nothing is begun with half of the packages; only the doctor may say what else there is."""
    if context.invoked_subcommand != "doctor":
        requirements.check()


@app.command()
def doctor() -> None:
    """Say what this machine has, which isolation will be used, and what to do about the rest."""
    from course_utils.commands.doctor import examine

    checks = examine()
    for check in checks:
        sign = Text("✓", "green") if check.ok else Text("✗", "red")
        OUT.print(sign, Text(f"{check.part:<12} {check.found}"))
        if check.advice and not check.ok:
            OUT.print(f"  {'':<12} → {check.advice}")
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
    from course_utils.grading.worker import Settings

    root = build_course(Path.cwd(), folder)
    OUT.say(f"released {DEMO_LAB} and built a class in {relative(root)}\n")
    # Its endless cell need not take half a minute, nor its memory bomb all that a submission may
    # have; but a call may be the first to import torch, and a CUDA build's import takes 0.7 GiB.
    limits = Limits(cell_seconds=5, memory_bytes=2**30, device=resolve())
    lab = Lab.find(DEMO_LAB, root)
    grading.grade_class(root, lab, Settings(limits=limits))
    OUT.say("\nLook around in it, in nbgrader's formgrader:")
    for command in shell_commands(root):
        OUT.say(f"  {command}")


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
            complain(f"error: {message}")
        sys.exit(CourseError.exit_code)
    except typer.Abort:
        sys.exit(Interrupted.exit_code)
    except CourseError as error:
        complain(error.told)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
