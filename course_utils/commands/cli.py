"""The ``course`` command: its commands put together, and errors made into sentences."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from course_utils.commands import grade as grading
from course_utils.commands import labs, lms
from course_utils.commands import report as reports
from course_utils.commands import watch as watching
from course_utils.commands.options import OUT, complain, relative
from course_utils.ground import requirements
from course_utils.ground.devices import resolve
from course_utils.ground.errors import CourseError, Interrupted
from course_utils.ground.lab import Lab
from course_utils.sandbox.limits import Limits

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False,
    help="Release labs, grade classes of notebooks, give feedback.",
    epilog="course COMMAND --help says more of a command, with an example.",
)  # fmt: skip


def _example(arguments: str) -> str:
    """The last line of a command's help."""
    return f"Example: course {arguments}"


app.command(epilog=_example("release lab02_softmax_nll"))(labs.release)
app.command(epilog=_example("verify lab02_softmax_nll --exercise softmax --seeds 3"))(labs.verify)
app.command(epilog=_example("preview lab02_softmax_nll --as student --exercise softmax"))(
    labs.preview
)
app.command("new-lab", epilog=_example("new-lab lab08_attention"))(labs.new_lab)
app.command(epilog=_example("grade lab02_softmax_nll --dry-run"))(grading.grade)
app.command(epilog=_example("feedback lab02_softmax_nll"))(grading.feedback)
app.command(epilog=_example("report lab02_softmax_nll"))(reports.report)
app.command(epilog=_example("watch lab02_softmax_nll inbox"))(watching.watch)
app.command(epilog=_example("handout lab02_softmax_nll"))(lms.handout)
app.command(epilog=_example("collect lab02_softmax_nll submissions.zip --from canvas"))(lms.collect)
app.command(epilog=_example("gradescope lab02_softmax_nll"))(lms.gradescope)
# Click's own, or that of the copy of click that newer versions of typer hold.
_UsageError: Any = typer.BadParameter.__base__


@app.callback()
def _before(context: typer.Context) -> None:
    """Nothing is begun with half of the packages; only the doctor may say what else there is."""
    if context.invoked_subcommand != "doctor":
        requirements.check()


@app.command(epilog=_example("doctor"))
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


@app.command(epilog=_example("demo --folder build/demo"))
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
    # nbformat imports jsonschema, which then compiles a grammar for half a second and more, for a
    # format of addresses that no notebook's schema asks for; without it, it passes over that.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None: cannot be had
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
