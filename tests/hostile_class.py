"""A class in which honest students sit between those who use their submissions as weapons."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks import weapons
from odd_lab import NAME, answer, code, lesson, text
from tiny import TINY_LAB, Notebook, as_bytes

FULL = 5.0  # of a perfect submission
_SHOW = """from IPython.display import display
import json
for data in json.loads({data!r}):
    display(data, raw=True)
for text in json.loads({texts!r}):
    print(text)
raise ValueError(json.loads({texts!r})[1] + "[bold red]")
"""


def _shown() -> Notebook:
    """Every payload as an output of the right media type, and as one of a wrong type."""
    bundles: list[dict[str, object]] = [{"text/html": html} for html in weapons.HTML]
    bundles += [{"text/markdown": one} for one in (*weapons.MARKDOWN, *weapons.HTML)]
    bundles += [{"text/latex": one} for one in weapons.LATEX]
    bundles += weapons.OUTPUTS
    # Half characters are no text that a cell could hold.
    texts = [one for one in weapons.TERMINAL if one.isascii() or "\ud800" not in one]
    notebook = lesson()
    source = _SHOW.format(data=json.dumps(bundles), texts=json.dumps(texts))
    notebook["cells"].append(code(source) | {"id": "show"})
    return notebook


def _written() -> Notebook:
    """Every payload as markdown, raw, in an answer, with hostile attachments and metadata."""
    notebook = lesson()
    payloads = [*weapons.MARKDOWN, *weapons.HTML, *weapons.LATEX, *weapons.TERMINAL[:-3]]
    for number, payload in enumerate(payloads):
        notebook["cells"].append(text(payload, f"m{number}"))
        notebook["cells"].append(text(payload, f"r{number}") | {"cell_type": "raw"})
    for number, bundle in enumerate(weapons.ATTACHMENTS):
        source = f"![x](attachment:{next(iter(bundle))})"
        notebook["cells"].append(text(source, f"a{number}") | {"attachments": bundle})
    for cell in notebook["cells"]:
        if cell["id"] == "written_why":
            cell["source"] = "\n\n".join(weapons.HTML)
    return notebook


def _forged() -> Notebook:
    """Metadata that ask for points, another kernel, another cell's name and running programs."""
    notebook = lesson()
    notebook["metadata"] |= {
        "kernelspec": {"name": "x", "language": "R", "argv": ["sh", "-c", "touch PWNED"]},
        "language_info": {"name": "\"><script>1</script>", "pygments_lexer": "html", "version": 1},
        "title": "</title><script>1</script>", "x": float("nan"),
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"</script>": "x"}}},
        "authors": [{"name": "\\input{/etc/passwd}"}], "nbgrader": {"points": 99},
    }  # fmt: skip
    for cell in notebook["cells"]:
        grader = cell["metadata"].get("nbgrader")
        if grader:
            grader |= {"points": 99, "grade": True, "checksum": "0", "cell_type": "code"}
        cell["metadata"] |= {"raw_mimetype": "text/html", "tags": ["\" onclick=\"1", 3],
                             "format": "text/html", "deep": float("inf")}  # fmt: skip
    mine = answer("give me points", "mine")
    mine["metadata"]["nbgrader"] |= {"points": 99, "locked": True}
    notebook["cells"] += [mine, mine | {"id": "again"}]
    own = code("x = 1")
    check = {"grade_id": "check_softmax", "grade": True, "points": 99, "locked": True}
    own["metadata"] = {"nbgrader": check | {"solution": False, "schema_version": 3}}
    notebook["cells"].append(own)
    return notebook


def _raising() -> Notebook:
    """A function whose exception is written for the terminal of whoever reads about it."""
    notebook = lesson()
    words = "".join(one for one in weapons.TERMINAL if "\ud800" not in one) + weapons.HTML[0]
    source = f"def scale(x, factor):\n    raise ValueError({words!r})"
    notebook["cells"].append(code(source) | {"id": "raising"})
    return notebook


NOTEBOOKS: dict[str, tuple[Callable[[], Notebook], float]] = {
    "shown": (_shown, FULL),
    "written": (_written, FULL),
    "forged": (_forged, FULL),
    "raising": (_raising, FULL - 1),
}


def _link_out(folder: Path) -> None:
    folder.symlink_to(folder.parent.parent.parent / "solutions" / TINY_LAB)


def _student_link(folder: Path) -> None:
    folder.parent.rmdir()
    folder.parent.symlink_to(folder.parent.parent / "honest-0")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder)


def _inside(*make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def made(folder: Path) -> None:
        folder.mkdir()
        (folder / NAME).write_bytes(as_bytes(lesson()))
        for one in make:
            one(folder)

    return made


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's address is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _linked_notebook(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).symlink_to("../../honest-0/" + f"{TINY_LAB}/{NAME}")


# Folders: student → (what is made, marks).
FOLDERS: dict[str, tuple[Callable[[Path], None], float]] = {
    "lab-is-link": (_link_out, 0.0),
    "student-is-link": (_student_link, 0.0),
    "lab-is-pipe": (_pipe, 0.0),
    "lab-is-socket": (_socket, 0.0),
    "notebook-is-link": (_linked_notebook, 0.0),
    "pipe-beside": (_inside(lambda f: os.mkfifo(f / "a.png"),
                            lambda f: os.mkfifo(f / "other.ipynb")), FULL),
    "stamp-is-pipe": (_inside(lambda f: os.mkfifo(f / "timestamp.txt")), FULL),
    "stamp-is-link": (_inside(lambda f: (f / "timestamp.txt").symlink_to("/etc/hostname")), FULL),
    "stamp-names-file": (_inside(
        lambda f: (f / "timestamp.txt").write_text("2026-01-01 12:00 /dev/zero")), FULL),
    "companions": (_inside(
        lambda f: (f / "secret.csv").symlink_to("/etc/passwd"),
        lambda f: (f / "folder").symlink_to("/etc"),
        lambda f: (f / "page.html").write_text(weapons.HTML[0]),
        lambda f: (f / "picture.svg").write_text(weapons.HTML[13]),
        lambda f: (f / f"{'x' * 251}.png").write_bytes(b"\x89PNG"),
        lambda f: os.mkdir(f / "data"), lambda f: (f / "data" / "a.csv").write_text("1")), FULL),
}  # fmt: skip


def fill(root: Path) -> dict[str, float]:
    """Hand everything in; the marks that everybody must have, by the folder's name in bytes that
    are no text where it is none."""
    submitted = root / "submitted"
    marks: dict[str, float] = {}
    for number in range(3):
        marks[f"honest-{number}"] = FULL
        (submitted / f"honest-{number}").mkdir(parents=True)
        _inside()(submitted / f"honest-{number}" / TINY_LAB)
    for student, (notebook, score) in NOTEBOOKS.items():
        folder = submitted / student / TINY_LAB
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(as_bytes(notebook()))
        marks[student] = score
    for student, (make, score) in FOLDERS.items():
        (submitted / student).mkdir()
        make(submitted / student / TINY_LAB)
        marks[student] = score
    for name in weapons.NAMES:
        folder = Path(os.fsdecode(os.path.join(os.fsencode(submitted), name)))
        shutil.copytree(submitted / "honest-0", folder)
        marks[os.fsdecode(name)] = FULL
    return marks
