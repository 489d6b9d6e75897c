"""Proofs as trees of plain values, which files hold, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from course_utils.diagnosis.traces import TraceBook
from course_utils.gate.books import Books
from course_utils.gate.figures import Flakes, MatrixRow, MutationRow, NamingRow, NotebookForm
from course_utils.gate.finding import Finding
from course_utils.gate.proof import Proof
from course_utils.gate.whole import Whole

_NO_BOOKS = Books(TraceBook(""), TraceBook(""))


def tree_of(proof: Proof) -> dict[str, Any]:
    """A proof without its books, which have a form of their own."""
    tree = asdict(replace(proof, books=_NO_BOOKS))
    del tree["books"]
    return tree


def _findings(tree: Sequence[dict[str, Any]]) -> list[Finding]:
    return [Finding(**one) for one in tree]


def proof_from(tree: dict[str, Any], books: bytes) -> Proof:
    """The proof that :func:`tree_of` was given, and its books."""
    names = {name: tuple(tree["flakes"][name]) for name in ("training", "hanging")}
    flakes = Flakes(**{**tree["flakes"], **names})
    return Proof(
        tree["exercise"], _findings(tree["findings"]), _pair(tree["tests"]),
        _pair(tree["variants"]),
        [
            MatrixRow(**{**row, "public": _pair(row["public"]), "hidden": _pair(row["hidden"])})
            for row in tree["matrix"]
        ],
        flakes,
        [MutationRow(**{**row, "survivors": tuple(row["survivors"])}) for row in tree["mutation"]],
        [NamingRow(**{**row, "sentences": tuple(row["sentences"])}) for row in tree["naming"]],
        Books.from_bytes(books),
    )  # fmt: skip


def whole_from(tree: dict[str, Any], books: bytes) -> Whole:
    """The proof of a lab as a whole; it has no books."""
    return Whole(_findings(tree["findings"]), NotebookForm(**tree["form"]), list(tree["traces"]))


def _pair(two: Sequence[int]) -> tuple[int, int]:
    return two[0], two[1]
