"""A hundred thousand damaged books of traces: ``make fuzz``, and a short part in the suite."""

from __future__ import annotations

import copy
import random
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fuzzing
import numpy as np

from course_utils.calls.digest import PROJECTIONS, ended, of_call, returned
from course_utils.calls.evidence import describe_call
from course_utils.diagnosis.comparison import differing
from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.traces import KnownMistake, Trace, TraceBook
from course_utils.ground import wire
from course_utils.ground.errors import TraceBookError
from course_utils.ground.statuses import Status
from course_utils.verdict.outcome import TestOutcome

BOOKS = 100_000
_X = np.arange(6.0)


def most(case: bytes) -> int:
    """A file is unpacked to what a book may have, and no further."""
    return 64 * 2**20 + 600 * len(case)


def outcomes() -> list[TestOutcome]:
    """Two failed tests and one that passed, of which the book knows something."""
    call = describe_call("f", [_X], {"axis": 1})
    made = [
        TestOutcome(f"t{n}", "f", "c", False, 1.0, Status.FAILED, trace=[returned(v)], calls=[call])
        for n, v in enumerate((2 * _X, _X + 1))
    ]
    made.append(TestOutcome("t2", "f", "c", False, 1.0, Status.PASSED, trace=[returned(_X)]))
    broken = [ended("error", "ValueError: no")]
    made.append(TestOutcome("t3", "f", "c", False, 1.0, Status.ERROR, trace=broken))
    return made


def a_book() -> TraceBook:
    """Two mistakes, and the pair of them."""
    right, wrong, other = of_call(_X), of_call(2 * _X), of_call(_X + 1)
    raised = ended("error", "ValueError: no").digest
    shifted = differing(other, right)
    one: dict[str, Trace] = {"t0": (differing(wrong, right),), "t1": (None, shifted)}
    two: dict[str, Trace] = {"t1": (shifted,), "t3": (differing(raised, right),)}
    entries = [
        KnownMistake(("one",), "The first.", dresses=(one, two)),
        KnownMistake(("two",), "The second.", dresses=(two,)),
        KnownMistake(("one", "two"), "Two things at once.", dresses=({"t0": ()},)),
        KnownMistake(("two",), "Elsewhere.", "g", (one,)),
    ]
    return TraceBook("lab", "abc", {"f": entries, "g": entries[:1]}, {"t2"})


def odd(rng: random.Random) -> Any:
    """A piece of a book that has no business where it is put."""
    match rng.randrange(7):
        case 0:
            return rng.choice((None, True, -1, 0, 7, 2**40, 1.5, float("nan"), float("inf")))
        case 1:
            return rng.choice(("", "f", "t0", "one", "hidden/t0", "x" * 3000))
        case 2:
            return rng.choice((b"", b"abc", (), (1, 2), {}, {"a": 1}, {1: 2}))
        case 3:
            shape = rng.choice(((0,), (3,), (2, 2), (1, 1, 1), ()))
            fill = rng.choice((0.0, 1.0, float("nan"), float("inf"), -1.0, 1e308))
            with np.errstate(all="ignore"):
                return np.full(shape, fill).astype(rng.choice("?bBHIfdgF"))
        case 4:
            return [rng.choice((0, 1, -1, 10**6, 2**62, 1.0, "t0", None))] * rng.choice((1, 3, 40))
        case 5:
            return [[["one", "two"], "h", "", [[0, 1, 1]]]] * rng.choice((1, 30))
        case _:
            return [["one"], "h" * 2000, "", [[0, 1, 1], [1, 2, 0, 1]]]


def files(count: int, seed: int) -> Iterator[bytes]:
    """Of ten: seven books retold, two with bytes changed before they are packed, one after; of a
    thousand, one is a bomb."""
    rng = random.Random(seed)
    packed = a_book().to_bytes()
    plain = zlib.decompress(packed)
    tree = wire.loads(plain)
    for number in range(count):
        if number % 1000 == 999:
            yield bomb(rng, tree)
            continue
        match rng.randrange(10):
            case 0 | 1 | 2 | 3 | 4 | 5 | 6:
                made = fuzzing.retold(rng, copy.deepcopy(tree), odd)
                try:
                    yield zlib.compress(wire.dumps(made), 1)
                except wire.UnsendableError:
                    yield b""
            case 7 | 8:
                yield zlib.compress(fuzzing.mutated(rng, plain, [plain]), 1)
            case _:
                yield fuzzing.mutated(rng, packed, [packed])


def bomb(rng: random.Random, tree: dict[str, Any]) -> bytes:
    """A small file of very many mistakes, hints or digests."""
    made = copy.deepcopy(tree)
    match rng.randrange(4):
        case 0:
            made["exercises"]["f"] = [[["one"], "h" * 10**6, "", [[0, 1, 1]]]] + [
                [["one", "one"], "", "", [[0, 1, 1]]]
            ] * rng.choice((10, 9000))
        case 1:
            rows = 300_000
            made["digests"] = {
                "facets": np.zeros(rows, np.uint8), "sums": np.zeros((rows, 4), np.uint8),
                "counts": np.zeros(rows, np.uint8), "scales": np.zeros(rows, np.float16),
                "projections": np.zeros((rows, PROJECTIONS), np.float16),
                "rtol": np.zeros(rows, np.float16),
            }  # fmt: skip
        case 2:
            made["exercises"]["f"] = [[["x"], "h", "", [[0, 1, 1]] * 50]] * rng.choice((50, 1500))
        case _:
            return zlib.compress(bytes(60 * 2**20), 9)
    return zlib.compress(wire.dumps(made), 1)


def target(case: bytes) -> None:
    """Read a book, and look for a student's mistakes in it."""
    diagnose(outcomes(), TraceBook.from_bytes(case))


def main(count: int = BOOKS, seed: int = 0) -> fuzzing.Tally:
    """Fuzz the book; prints and returns what came of it."""
    TraceBook.from_bytes(a_book().to_bytes(), str(Path("book")))
    tally = fuzzing.run("traces", files(count, seed), target, TraceBookError, most)
    print(tally, flush=True)
    return tally


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
