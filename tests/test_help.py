"""``course --help``: an example for every command, and names that the shell completes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tiny import REPOSITORY
from typer.main import get_command
from typer.testing import CliRunner

from course_utils.commands.cli import app
from course_utils.ground.lab import Lab

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example_that_makes_sense(command: str) -> None:
    shown = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    example = shown.rpartition("Example: course ")[2].split()
    assert example[0] == command
    parser = get_command(app).commands[command]  # type: ignore[attr-defined]
    parser.make_context(command, example[1:])  # raises where an argument is none of the command's


def completed(words: str) -> list[str]:
    """What a shell offers when the tabulator key is pressed behind some words."""
    asked = {"_COURSE_COMPLETE": "complete_bash", "COMP_WORDS": words,
             "COMP_CWORD": str(words.count(" "))}  # fmt: skip
    program = "import sys; sys.argv = ['course']; from course_utils.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=os.environ | asked,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_the_shell_completes_commands_and_labs() -> None:
    assert completed("course gr") == ["grade", "gradescope"]
    assert completed("course grade ") == [lab.name for lab in Lab.all_in(REPOSITORY)]
    assert completed("course release lab02") == ["lab02_softmax_nll"]
