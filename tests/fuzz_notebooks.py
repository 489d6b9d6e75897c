"""Two hundred thousand files that were handed in as notebooks: ``make fuzz``, and a short part in
the suite."""

from __future__ import annotations

import copy
import gzip
import io
import json
import pickle
import random
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fuzzing
import nbformat
from tiny import SCALE, SOFTMAX, tiny_notebook, write_tiny_lab

from course_utils.grading.reading.notebook import read_notebook
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.ground.lab import Lab

NOTEBOOKS = 200_000
_VALIDATED = 50  # one in so many: nbformat's validation takes longer than all the rest

TEXTS = ("", "code", "markdown", "raw", "softmax", "check_softmax", "\ud800", "\x00", "﷽",
         "a" * 300, "def softmax(x): return x", "-" * 3000 + "1", "print" + ".a" * 2000 + "(1)",
         "(" * 500,
         "lab99_other", "../../etc/passwd", "<script>", "\x1b]52;c;x\x07")  # fmt: skip
KEYS = ("cells", "metadata", "source", "nbgrader", "id", "cell_type", "outputs", "attachments",
        "grade_id", "worksheets", "nbformat", "tags", "course", "lab", "input")  # fmt: skip


def most(case: bytes) -> int:
    """Unpacking may make 50 MiB of a few kilobytes, which these cases do not."""
    return 600 * len(case) + 64 * 2**20


def odd(rng: random.Random, depth: int = 0) -> Any:
    """A piece of JSON that has no business where it is put."""
    match rng.randrange(9 if depth < 3 else 5):
        case 0:
            return rng.choice((None, True, False, 0, -1, 10**30, 1.5))
        case 1:
            return rng.choice((float("nan"), float("inf"), -float("inf")))
        case 2 | 3 | 4:
            return rng.choice(TEXTS)
        case 5:
            deep: Any = rng.choice((1, "x", {}))
            for _ in range(rng.choice((5, 25, 400, 900))):
                deep = [deep] if rng.randrange(2) else {"": deep}
            return deep
        case 6:
            return [odd(rng, depth + 1) for _ in range(rng.randrange(5))]
        case _:
            return {rng.choice(KEYS): odd(rng, depth + 1) for _ in range(rng.randrange(5))}


def files(count: int, seed: int) -> Iterator[bytes]:
    """Of ten: five notebooks retold, two with bytes changed, two packed ones, one made up."""
    rng = random.Random(seed)
    notebooks = [tiny_notebook(), _old(), _bare()]
    texts = [json.dumps(notebook).encode() for notebook in notebooks]
    packs = [gzip.compress(texts[0], mtime=0), _zipped(texts[0], "tiny.ipynb"),
             _zipped(texts[0], "a/../b.ipynb"), _zipped(b"x", "c.txt")]  # fmt: skip
    for _ in range(count):
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4:
                tree = fuzzing.retold(rng, copy.deepcopy(rng.choice(notebooks)), odd)
                yield _encoded(rng, json.dumps(tree))
            case 5 | 6:
                yield fuzzing.mutated(rng, rng.choice(texts), texts)
            case 7 | 8:
                yield fuzzing.mutated(rng, rng.choice(packs), packs)
            case _:
                yield _encoded(rng, json.dumps(odd(rng)))


def _encoded(rng: random.Random, text: str) -> bytes:
    encoding = rng.choice(("utf-8",) * 12 + ("utf-16", "utf-32", "utf-8-sig", "cp1252"))
    return text.encode(encoding, "replace")


def _old() -> dict[str, Any]:
    cells = [{"cell_type": "code", "language": "python", "metadata": {}, "collapsed": False,
              "input": source, "outputs": [], "prompt_number": 1}
             for source in (SOFTMAX, SCALE)]  # fmt: skip
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
            "worksheets": [{"metadata": {}, "cells": cells}]}  # fmt: skip


def _bare() -> dict[str, Any]:
    notebook = tiny_notebook()
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell["source"] = cell["source"].splitlines(keepends=True)
    return notebook


def _zipped(data: bytes, name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


class Reader:
    """Reads a notebook, and writes it and passes it on as grading does."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._read = 0

    def __call__(self, case: bytes) -> None:
        reading = read_notebook(case, self._lab)
        text = json.dumps(reading.notebook, allow_nan=False, ensure_ascii=False).encode()
        pickle.loads(pickle.dumps(reading))
        self._read += 1
        if self._read % _VALIDATED == 0:
            nbformat.validate(nbformat.from_dict(json.loads(text)))


def main(count: int = NOTEBOOKS, seed: int = 0) -> fuzzing.Tally:
    """Fuzz the reader; prints and returns what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab.load(write_tiny_lab(Path(folder)))
        reader = Reader(lab)
        reader(json.dumps(_old()).encode())  # what is imported once
        tally = fuzzing.run("notebooks", files(count, seed), reader, UnreadableError, most)
    print(tally, flush=True)
    return tally


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
