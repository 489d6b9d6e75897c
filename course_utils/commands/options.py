"""Options that several commands have, and where they print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from course_utils.commands.terminal import Terminal
from course_utils.sandbox.launch import Isolation

OUT = Terminal()
ERR = Terminal(stderr=True)

IsolationOption = Annotated[
    Isolation, typer.Option(help="'process' grades without a sandbox; every feedback page says so.")
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


def known_labs(incomplete: str) -> list[str]:
    """The labs of this course whose names begin so, for the shell's completion."""
    names = sorted(folder.name for folder in Path("solutions").glob("*/"))
    return [name for name in names if name.startswith(incomplete)]


def complain(text: str) -> None:
    ERR.say(text, style="bold red")


def relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
