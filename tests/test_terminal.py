"""Whatever reaches a terminal is shown there, and commands nothing; CSV and JSON are as strict."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest
from attacks import weapons
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

import course_utils
from course_utils.commands.terminal import Terminal
from course_utils.grading import spreadsheet
from course_utils.grading.roster import read_roster
from course_utils.ground import strict_json
from course_utils.ground.escaping import escaped, without_steering
from course_utils.ground.statuses import Reason
from course_utils.verdict.submission import Notice

# What rich itself sends: colours, and the moves of a bar.
_RICHS = re.compile(r"\x1b\[[0-9;]*[mAKl h]|\x1b\[\?25[lh]|\r")


class _Tty(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def written(encoding: str, *renderables: object) -> str:
    raw = io.BytesIO()
    terminal = Terminal(_Tty(raw, encoding=encoding, write_through=True))
    for one in renderables:
        if isinstance(one, str):
            terminal.say(one, style="bold red")
        terminal.print(one)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
@pytest.mark.parametrize("payload", weapons.TERMINAL)
def test_a_terminal_shows_and_does_not_obey(payload: str, encoding: str) -> None:
    table = Table(payload)
    table.add_row(payload)
    table.add_row(Text(payload))
    shown = _RICHS.sub("", written(encoding, payload, Text(f"✓ {payload}"), table))
    assert all(char.isprintable() or char == "\n" for char in shown)
    if "[bold red]" in payload:
        assert "[bold red]PWNED[/bold red]" in shown and ":skull:" in shown


@pytest.mark.parametrize("payload", weapons.TERMINAL)
def test_a_bar_shows_names_and_does_not_obey(payload: str) -> None:
    raw = io.BytesIO()
    terminal = Terminal(_Tty(raw, encoding="utf-8", write_through=True))
    with Progress(TextColumn("{task.description}", markup=False), console=terminal) as bar:
        bar.add_task(payload, total=1)
    shown = _RICHS.sub("", raw.getvalue().decode())
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_every_console_is_that_one() -> None:
    """A second console, or a bare print, would be a second way to a terminal."""
    for path in Path(course_utils.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        if "rich" in text and path.name != "terminal.py":
            # One that writes into a string is no way to a terminal.
            assert not re.search(r"\bConsole\((?!file=text\b)", text), path
        if path.parent.name == "commands" and path.name != "demo.py":
            assert re.findall(r"(?<![.\w])print\((?!strict_json)", text) == [], path


@pytest.mark.parametrize("payload", weapons.TERMINAL)
def test_a_notice_is_one_line_that_can_be_shown_anywhere(payload: str) -> None:
    assert Notice(Reason.CELL_ERROR, f"cell 1 raises {payload}").message.isprintable()


def test_escaping_and_dropping() -> None:
    assert escaped("Zoë 李 \U0001f600") == "Zoë 李 \U0001f600"
    assert escaped("a\x1b[2J\u202e\n\ud800") == r"a\x1b[2J\u202e\n\ud800"
    assert escaped("a\nb\x07", keep="\n") == "a\nb\\x07"
    assert without_steering("a\nb\x07\u200f", keep="\n") == "a\nb"


# -- spreadsheets


@pytest.mark.parametrize("text", [*weapons.FORMULAS, *weapons.NO_FORMULAS])
def test_csv_calculates_nothing_and_gives_the_text_back(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    spreadsheet.write(path, ["student", "last_name", "score"], [["ada", text, -1.5], [text, "", 2]])
    for separator in ",;\t|":
        with path.open(newline="", encoding="utf-8") as file:
            cells = [c for row in csv.reader(file, delimiter=separator) for c in row]
        assert [c for c in cells if re.match(r"[ \"]*[=+@\t\r＝＋－＠]|[ \"]*-(?!1\.5)", c)] == []
    _, first, second = spreadsheet.read(path)
    assert (first, second[0]) == (["ada", text, "-1.5"], text)


@pytest.mark.parametrize("text", weapons.NO_FORMULAS)
def test_csv_changes_nothing_else(text: str) -> None:
    assert spreadsheet.inert(text) == text
    assert spreadsheet.inert(-1.5) == -1.5


def test_a_roster_may_be_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    spreadsheet.write(path, ["student", "last_name"], [["=1+1", "@a;=2"], ["'=x", "O'Brien"]])
    assert [(s.id, s.last_name) for s in read_roster(path)] == [
        ("=1+1", "@a;=2"), ("'=x", "O'Brien"),
    ]  # fmt: skip


# -- JSON


def test_json_has_no_words_for_numbers() -> None:
    value = {"a": [math.nan, {"b": (math.inf, -math.inf)}], "c": 1.5, "d": "NaN", "e": "\x9b\ud800"}
    text = strict_json.dumps(value)
    assert text.isascii()
    read = json.loads(text, parse_constant=pytest.fail)
    assert read == {"a": ["NaN", {"b": ["Infinity", "-Infinity"]}], "c": 1.5, "d": "NaN",
                    "e": "\x9b\ud800"}  # fmt: skip
    assert math.isnan(float(read["a"][0]))
