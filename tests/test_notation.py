"""One name for one thing: docs/notation.md has every argument of every stub, and no other."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from tiny import REPOSITORY

from course_utils.ground.cells import is_solution, source
from course_utils.ground.lab import Lab

NOTATION = REPOSITORY / "docs" / "notation.md"


def arguments() -> dict[str, set[str]]:
    """Every argument that a stub has, with the labs in which it has one ("lab01")."""
    found: dict[str, set[str]] = defaultdict(set)
    for lab in Lab.all_in(REPOSITORY):
        for cell in lab.notebook["cells"]:
            if cell["cell_type"] != "code" or not is_solution(cell):
                continue
            for node in ast.walk(ast.parse(source(cell))):
                if isinstance(node, ast.FunctionDef):
                    taken = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                    for one in taken:
                        found[one.arg].add(lab.name.partition("_")[0])
    return {name: labs for name, labs in found.items() if name != "self"}


def rows() -> list[tuple[set[str], set[str]]]:
    """The rows of the page's tables: the names in code, and the labs that stand beside them."""
    lines = [line.split("|") for line in NOTATION.read_text("utf-8").splitlines()]
    return [
        (set(re.findall(r"`(\w+)`", cells[2])), {f"lab{n}" for n in re.findall(r"\d\d", cells[4])})
        for cells in lines
        if len(cells) == 6 and re.fullmatch(r"[ \d]+", cells[4])
    ]


def test_the_notation_page_has_every_argument_of_every_stub_and_no_other() -> None:
    used = arguments()
    assert set().union(*(names for names, _ in rows())) == set(used)
    for name, labs in used.items():
        told = set().union(*(where for names, where in rows() if name in names))
        assert labs <= told, f"{name} is used in {sorted(labs - told)}, which its row does not say"
    for names, where in rows():
        there = set().union(*(used[name] for name in names))
        assert where <= there, f"{sorted(names)} in {sorted(where - there)}"
