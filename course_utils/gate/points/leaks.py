"""Point 5: nothing of the solution, the hidden tests or the instructor's machine is released."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from course_utils.calls.digest import Digest
from course_utils.diagnosis.comparison import same
from course_utils.diagnosis.traces import Trace, TraceBook, digests
from course_utils.gate.finding import Finding
from course_utils.gate.points.copies import Text, copied, regions_of, strings_in
from course_utils.gate.released import DATA_SUFFIXES
from course_utils.ground.cells import is_solution, source
from course_utils.ground.lab import Lab
from course_utils.ground.stub import BEGIN_SOLUTION, END_SOLUTION
from course_utils.verdict.outcome import TestOutcome

# Shorter lines (n = len(x), return h / n) are anybody's.
_LINE = 24
_SENTENCE = 40
_ANYONES_HOME = re.compile(r"(/home/|/Users/|[A-Z]:\\+Users\\+)\w+")


def search(files: dict[str, bytes], lab: Lab) -> Iterator[Finding]:
    """Search what is to be released for what must stay with the instructors.

    Args:
        files: the release, by file name.
        lab: the instructor's folder.
    """
    solutions, secrets = regions_of(lab), [*_markers(lab), *_hidden(lab)]
    for name, data in files.items():
        if name.endswith(".ipynb"):
            yield from _outputs(name, data)
        elif name not in (lab.test_public.name, lab.traces_path.name) and not name.endswith(
            DATA_SUFFIXES
        ):
            yield Finding(
                5,
                f"{name} would be released: a lab's release is its notebook, test_public.py and "
                "the traces; move the file to hidden/ or out of the lab's folder",
            )
        programs, others = _texts(name, data)
        within = [text for program in programs for text in strings_in(program)]
        texts = [Text(text, code=True) for text in programs]
        texts += [Text(text, code=False) for text in within]
        texts += [Text(text, code=False, strict=True) for text in others]
        found = [("a line of the solution", secret) for secret in copied(solutions, texts)]
        code, prose = (_flat("\n".join(some)) for some in (programs, others))
        found += [(what, secret) for what, secret in secrets if secret in code or secret in prose]
        for what, secret in found:
            yield Finding(5, f"{name} contains {what}: “{_shorten(secret)}”; take it out")
        for place in _places(lab, f"{code} {prose}"):
            yield Finding(
                5, f"{name} contains the path {place} of an instructor's machine: take it out"
            )


def search_folder(folder: Path, lab: Lab) -> list[Finding]:
    """:func:`search` in a folder of released files."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    return list(search(files, lab))


def expected_values(book: TraceBook, solution: Sequence[TestOutcome]) -> Iterator[Finding]:
    """Look for traces in a book that are the right answers themselves, or a hidden test's."""
    right = digests(solution)
    hidden = {outcome.test for outcome in solution if outcome.hidden}
    public = {outcome.test for outcome in solution if not outcome.hidden}
    for exercise, entries in book.exercises.items():
        for entry in entries:
            where = f"the traces of {entry.name} ({exercise})"
            for key, trace in (item for dress in entry.dresses for item in dress.items()):
                if key.startswith("hidden/") or key in hidden - public:
                    yield Finding(5, f"{where} hold the hidden test {key}: release the lab again")
                elif _holds_right(trace, right.get(key, ())):
                    yield Finding(
                        5, f"{where} hold the right answer to {key}: release the lab again"
                    )


def _holds_right(trace: Trace, right: Sequence[Digest]) -> bool:
    """Whether a side of a call is in a trace that is the solution's."""
    return any(
        shown is not None and bool(shown.facets) and same(shown, other, shown.facets)
        for shown, other in zip(trace, right, strict=False)
    )


def _markers(lab: Lab) -> Iterator[tuple[str, str]]:
    """The solution markers, and the sentences of the model answers."""
    yield "the marker of a solution", BEGIN_SOLUTION
    yield "the marker of a solution", END_SOLUTION
    for cell in lab.notebook["cells"]:
        if cell["cell_type"] == "markdown" and is_solution(cell):
            for sentence in re.split(r"[.\n]\s", source(cell)):
                if len(_flat(sentence)) >= _SENTENCE:
                    yield "a model answer", _flat(sentence)


def _hidden(lab: Lab) -> Iterator[tuple[str, str]]:
    """Names, claims and lines of the hidden tests that are not in the public ones as well."""
    if not lab.test_hidden.exists():
        return
    text, public = lab.test_hidden.read_text("utf-8"), _flat(lab.test_public.read_text("utf-8"))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield "the name of a hidden test", node.name
            claim = _flat((ast.get_docstring(node) or "").partition("\n\n")[0])
            if len(claim) >= _LINE and claim not in public:
                yield "the claim of a hidden test", claim
    for line in text.splitlines():
        flat = _flat(line)
        if len(flat) >= _LINE and flat not in public and not flat.startswith(("#", '"', "import")):
            yield "a line of a hidden test", flat


def _outputs(name: str, data: bytes) -> Iterator[Finding]:
    for number, cell in enumerate(json.loads(data)["cells"]):
        if cell.get("outputs"):
            yield Finding(
                5,
                f"{name} keeps the outputs of cell {number}, which the solution computed: "
                "outputs must be cleared in a release",
            )


def _texts(name: str, data: bytes) -> tuple[list[str], list[str]]:
    """Every piece of text in a released file: the code, and everything else."""
    if name.endswith(".ipynb"):
        notebook = json.loads(data)
        code = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["source"] = ""
        return code, list(_strings(notebook))
    with contextlib.suppress(zlib.error):
        data = zlib.decompress(data)
    text = data.decode("utf-8", "replace")
    return ([text], []) if name.endswith(".py") else ([], [text])


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list):
        if all(isinstance(item, str) for item in tree):
            yield "".join(tree)  # a text that is stored line by line
        else:
            for item in tree:
                yield from _strings(item)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield str(key)
            yield from _strings(value)


def _places(lab: Lab, text: str) -> list[str]:
    """Paths of the instructor's machine that occur in a text."""
    own = {str(lab.folder), str(lab.folder.parent), str(lab.folder.parent.parent)} - {"/"}
    found = sorted(path for path in own if path in text)[-1:]
    return found + sorted({match.group(0) for match in _ANYONES_HOME.finditer(text)})


def _flat(text: str) -> str:
    return " ".join(text.split())


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
