"""What the fuzzers share: mutations of bytes and of trees, and a runner that measures each case.

Cases come in bulk from a seeded generator, so that a run can be repeated and a million take
minutes; Hypothesis makes a smaller part of them, where it can shrink what it finds.
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# Of this process's own time, many times what any case takes with tracemalloc at work.
MOST_SECONDS = 60.0
SAID_EVERY = 20_000


@dataclass
class Tally:
    """What became of the cases of one run.

    Attributes:
        ends: how many were accepted, and how many refused with which error.
        slowest: seconds of its own time, and the case.
        largest: bytes that the case took at its peak, for each byte of its own; and the case.
    """

    name: str
    ends: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, bytes] = (0.0, b"")
    largest: tuple[float, bytes] = (0.0, b"")
    peak: int = 0

    def __str__(self) -> str:
        total = sum(self.ends.values())
        ends = ", ".join(f"{count:,} {end}" for end, count in self.ends.most_common())
        return (
            f"{self.name}: {total:,} cases: {ends}\n"
            f"  slowest {self.slowest[0]:.3f} s ({len(self.slowest[1]):,} bytes), "
            f"most memory {self.peak / 2**20:.1f} MiB, and of cases of 1 KiB or more "
            f"{self.largest[0]:.1f} bytes for each of their own ({len(self.largest[1]):,} bytes)"
        )


def run(
    name: str,
    cases: Iterable[bytes],
    target: Callable[[bytes], Any],
    allowed: type[Exception],
    most: Callable[[bytes], int],
) -> Tally:
    """Give every case to the target; only one kind of error may come of it.

    Args:
        name: what is fuzzed.
        cases: the inputs.
        target: what is to bear them.
        allowed: the documented error.
        most: how many bytes a case may take at its peak.

    Raises:
        AssertionError: another error came, or a case took more than it may; the case is in it.
    """
    tally = Tally(name)
    tracemalloc.start()
    try:
        for number, case in enumerate(cases):
            if number and number % SAID_EVERY == 0:
                print(tally, file=sys.stderr, flush=True)
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            started = time.process_time()
            end = _end(case, target, allowed)
            seconds = time.process_time() - started
            peak = tracemalloc.get_traced_memory()[1] - held
            tally.ends[end] += 1
            tally.slowest = max(tally.slowest, (seconds, case), key=lambda pair: pair[0])
            tally.peak = max(tally.peak, peak)
            if len(case) >= 1024:
                tally.largest = max(tally.largest, (peak / len(case), case), key=lambda p: p[0])
            assert peak <= most(case), f"{peak:,} bytes for {len(case):,}: {case[:2000]!r}"
            assert seconds < MOST_SECONDS, f"{seconds:.0f} s: {case[:2000]!r}"
    finally:
        tracemalloc.stop()
    return tally


def _end(case: bytes, target: Callable[[bytes], Any], allowed: type[Exception]) -> str:
    try:
        target(case)
    except allowed:
        return f"refused ({allowed.__name__})"
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}, for {case[:2000]!r}") from error
    return "accepted"


def mutated(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Bytes with some of them changed, lost, repeated, or taken from elsewhere."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(made) + 1)
        end = min(len(made), at + rng.choice((1, 1, 2, 4, 9, 40)))
        match rng.randrange(6):
            case 0 if at < len(made):
                made[at] = rng.choice((0, 1, 0x7F, 0x80, 0x90, 0xDD, 0xFF, rng.randrange(256)))
            case 1:
                del made[at:end]
            case 2:
                made[at:at] = made[at:end] * rng.choice((1, 1, 2, 30))
            case 3:
                made[at:at] = rng.randbytes(rng.choice((1, 2, 5, 9)))
            case 4:
                del made[at:]
            case _:
                other = rng.choice(others)
                start = rng.randrange(len(other) + 1)
                made[at:end] = other[start : start + rng.choice((1, 5, 20, 100))]
    return bytes(made)


def retold(rng: random.Random, tree: Any, odd: Callable[[random.Random], Any]) -> Any:
    """A tree of dicts and lists with some of its parts replaced, lost, repeated or moved."""
    places = list(_places(tree))
    if not places:
        return odd(rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        holder, key = rng.choice(places)
        if isinstance(holder, list):
            if key >= len(holder):
                continue
            match rng.randrange(5):
                case 0:
                    holder[key] = odd(rng)
                case 1:
                    del holder[key]
                case 2:
                    holder[key:key] = [holder[key]] * rng.choice((1, 2, 50))
                case 3:
                    holder[key] = [holder[key]]
                case _:
                    rng.shuffle(holder)
        elif key in holder:
            match rng.randrange(4):
                case 0 | 1:
                    holder[key] = odd(rng)
                case 2:
                    del holder[key]
                case _:
                    holder[rng.choice(list(holder))] = holder[key]
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every part of a tree, as what holds it and under which key."""
    if not isinstance(tree, (dict, list)):
        return
    for key, item in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(item, (dict, list)):
            yield from _places(item)
