"""Which pieces of a lab's files an exercise's verdict rests on, read off the source without a run.

A lab is a bag of *pieces*: a helper, a fixture, a member of ``Reference``, a test, the solution
cells of an exercise, its mistakes, a data file. An exercise rests on its own pieces, on whatever
they mention, and so on; on the mistakes of an exercise whose function they mention, since those
are tried there as well; and on every piece that does something when it is loaded. Where the source
does not say what is mentioned (``globals()``, ``eval``), it rests on everything. What is counted in
without need costs time; what is left out would be a lie, so every doubt counts in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from course_utils.gate.lab_files import EQUIVALENT, own_files
from course_utils.gate.memory.piece import Piece
from course_utils.gate.memory.python_pieces import pieces_of_file, pieces_of_notebook
from course_utils.ground.lab import Lab


def pieces_of(lab: Lab) -> list[Piece]:
    """All pieces of a lab, in the files' order.

    Raises:
        SyntaxError: a file is no Python.
    """
    found: list[Piece] = [*pieces_of_notebook(lab)]
    for path in lab.test_files:
        found += pieces_of_file(path.read_text("utf-8"))
    for path in (lab.misconceptions_path, lab.variants_path):
        if path.exists():
            found += pieces_of_file(path.read_text("utf-8"))
    known = {exercise.name for exercise in lab.exercises}
    found += _pieces_of_equivalents(lab.folder / EQUIVALENT, known)
    found += _other_pieces(lab)
    return found


def rests_on(exercise: str, pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that the verdict on an exercise depends on, in their order."""
    every = list(pieces)
    reached = {i for i, piece in enumerate(every) if piece.owner == exercise or piece.eager}
    fresh = set(reached)
    words: set[str] = set()
    stems: set[tuple[str, str]] = set()
    while fresh:
        if any(every[i].anything for i in fresh):
            return every
        for i in fresh:
            words |= every[i].words
            stems |= set(every[i].stems)
        called = {
            piece.owner for i, piece in enumerate(every)
            if piece.owner and piece.binds and not piece.entry
            and (i in reached or _mentioned(piece, words, stems))
        }  # fmt: skip
        now = {
            i for i, piece in enumerate(every)
            if _mentioned(piece, words, stems) or (piece.entry and piece.owner in called)
        }  # fmt: skip
        fresh = now - reached
        reached |= now
    return [piece for i, piece in enumerate(every) if i in reached or piece.always]


def _mentioned(piece: Piece, words: set[str], stems: set[tuple[str, str]]) -> bool:
    if not piece.binds.isdisjoint(words):
        return True
    return any(
        name.startswith(head) and name.endswith(tail)
        for name in piece.binds for head, tail in stems
    )  # fmt: skip


def _pieces_of_equivalents(path: Path, exercises: set[str]) -> Iterator[Piece]:
    """The lines of the file of equivalent mutants, each of which names its exercise."""
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        name = line.partition(":")[0].strip()
        if line.strip() and not line.startswith("#"):
            yield Piece(line, owner=name if name in exercises else "",
                        always=name not in exercises)  # fmt: skip


def _other_pieces(lab: Lab) -> Iterator[Piece]:
    """Whatever else lies in the folder: data that tests read, modules that they import."""
    known = {
        lab.notebook_path, *lab.test_files, lab.misconceptions_path, lab.variants_path,
        lab.folder / EQUIVALENT,
    }  # fmt: skip
    for path in own_files(lab):
        if path not in known:
            yield Piece(f"{path.relative_to(lab.folder)}\n{path.read_bytes().hex()}", always=True)
