"""What a submission got: secrets in what its student receives, and what is active in it."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from attacks.baits import Baits

# Said by an attack's code when something worked (see cases.py).
_ACHIEVED = re.compile(r"ACHIEVED: ([^\n\"'<\\]{1,120})")
_STALE = re.compile(r"STALE: ([^\n\"'<\\]{1,120})")
# HIDDEN_NUMBER in every form in which a sentence may have it.
_NUMBER = re.compile(r"(?<![\w.])8[ ,]?191(?!\d)|8\.19\d*e\+?0*3")
# Every payload names it, so that it is told from what pages have of their own.
PAYLOAD = "pwned"
_LARGEST_BYTES = 16 * 2**20
_ACTIVE = ("iframe", "object", "embed", "form", "base", "meta", "link", "frame", "foreignobject")
_CALLS = re.compile(r"^\s*(javascript|vbscript|data\s*:\s*text/html)", re.IGNORECASE)
_IN_MARKDOWN = re.compile(
    r"\]\(\s*<?\s*javascript:|\\(href|unicode|class)\s*\{\s*javascript:", re.IGNORECASE
)
# At a cell's beginning, or at what is one where another separator is in use (OWASP, CSV injection);
# behind a quotation mark a cell is text.
_FORMULA = re.compile(r"^(?!')(.*[;\t\r\n]\s*\"?)?[=+\-@\t\r＝＋－＠].*pwned", re.DOTALL)
# Everything but the end of a line: control characters, and marks that turn the writing about.
_COMMANDS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def achieved(outputs: str) -> list[str]:
    """What an attack says that it has done."""
    return sorted(set(_ACHIEVED.findall(outputs)))


def stale(outputs: str) -> list[str]:
    """What an attack has not found, where it is out of date."""
    return sorted(set(_STALE.findall(outputs)))


def secrets_in(text: str, baits: Baits) -> list[str]:
    """Which secrets stand in a text that a student receives."""
    found = [f"the secret of: {place}" for place in baits.found_in(text)]
    number = _NUMBER.search(text)
    return [*found, *([f"a hidden input ({number.group()})"] if number else [])]


class _Active(HTMLParser):
    """Notes what of a payload would act when a browser opens a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        values = [(name, value or "") for name, value in attributes]
        mine = any(PAYLOAD in value for _, value in values)
        for name, value in values:
            if PAYLOAD in value and (name.startswith("on") or _CALLS.match(value)):
                self.found.append(f"<{tag} {name}>")
            elif PAYLOAD in value and name == "style" and "url(" in value:
                self.found.append(f"<{tag} style>")
        if mine and (tag in _ACTIVE or tag == "script"):
            self.found.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script and re.search(rf"{PAYLOAD}\(", data):
            self.found.append("<script>")


def active_in_html(text: str) -> list[str]:
    """What of a payload acts in a page or a piece of one."""
    parser = _Active()
    parser.feed(text)
    parser.close()
    return sorted(set(parser.found))


def active_in_notebook(notebook: dict[str, Any]) -> list[str]:
    """What of a payload acts when a notebook is opened or converted."""
    found: set[str] = set()
    for cell in notebook.get("cells", []):
        if cell["cell_type"] != "code":
            source = "".join(cell.get("source", ""))
            found |= {f"in text: {what}" for what in _in_markdown(source)}
        for data in _bundles(cell):
            for kind, value in data.items():
                text = value if isinstance(value, str) else json.dumps(value)
                if "javascript" in kind and PAYLOAD in text:
                    found.add(kind)
                elif "html" in kind or "svg" in kind:
                    found |= {f"{kind}: {what}" for what in active_in_html(text)}
                elif "markdown" in kind or "latex" in kind:
                    found |= {f"{kind}: {what}" for what in _in_markdown(text)}
    return sorted(found)


def _in_markdown(text: str) -> list[str]:
    return active_in_html(text) + (["a link that runs"] if _IN_MARKDOWN.search(text) else [])


def _bundles(cell: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (output.get("data", {}) for output in cell.get("outputs", []))
    yield from cell.get("attachments", {}).values()


def outputs_of(notebook: dict[str, Any]) -> str:
    """All that the cells of a notebook show, as one text."""
    shown = [output for cell in notebook.get("cells", []) for output in cell.get("outputs", [])]
    return json.dumps(shown, ensure_ascii=False)


def strict_json(text: str) -> Any:
    """JSON as its standard has it.

    Raises:
        ValueError: it holds NaN or an infinity, or is no JSON at all.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def looked_at(
    folder: Path, baits: Baits, handed_bytes: int = 0
) -> tuple[list[str], list[str], list[str]]:
    """Look through all that lies in a student's folder after grading.

    Args:
        folder: below ``autograded/`` or ``feedback/``.
        baits: the secrets' words.
        handed_bytes: how large what the student handed in is, which may be passed on.

    Returns:
        (secrets, damage, achieved).
    """
    secrets: list[str] = []
    damage: list[str] = []
    done: list[str] = []
    for path in (Path(at, name) for at, _, names in os.walk(folder) for name in names):
        if path.is_symlink():
            damage.append(f"a link in {folder.parent.name}/")
            continue
        size = path.stat().st_size
        if size > _LARGEST_BYTES + handed_bytes:
            damage.append(f"{path.suffix} of {size // 2**20} MiB")
        text = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".ipynb":
            try:
                notebook = strict_json(text)
            except (ValueError, RecursionError) as error:
                damage.append(f"a notebook that is no JSON ({str(error)[:40]})")
                continue
            shown = outputs_of(notebook)
            secrets += secrets_in(shown, baits)
            done += achieved(shown)
            damage += [f"the attack is out of date: {what}" for what in stale(shown)]
            damage += active_in_notebook(notebook)
        elif path.suffix == ".html" and folder.parent.name == "feedback":
            # A page of nbconvert's holds the attack's own source: only words count there.
            found = secrets_in(text, baits) if "jp-Notebook" not in text else []
            secrets += found or [f"the secret of: {place}" for place in baits.found_in(text)]
            damage += [f"page: {what}" for what in active_in_html(text)]
        else:
            secrets += [f"the secret of: {place}" for place in baits.found_in(text)]
    return sorted(set(secrets)), sorted(set(damage)), sorted(set(done))


def commands_in(said: str) -> list[str]:
    """What in a program's output would command a terminal."""
    return sorted({repr(found) for found in _COMMANDS.findall(said)})


def formulas_in(path: Path) -> list[str]:
    """Cells of a report that a spreadsheet takes for a formula."""
    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    return sorted({cell[:40] for cell in cells if _FORMULA.search(cell)})
