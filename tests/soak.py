"""A long run: thousands of submissions, good, broken and hostile, graded by one command.

``make soak``, that is ``python tests/soak.py [COUNT] [SEED]``, mixes honest notebooks with attacks
and odd ones, as a seeded generator has it. Every honest notebook must have its exact marks, every
submission a row, and nothing may be left behind; what the run held on the way is printed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from attack import harm_of, learnt, marks_gained
from attacks import collection
from attacks.baits import Baits, laid
from attacks.cases import Family, write
from attacks.graded import Class, Run, Way, enter_secret, grade
from attacks.machine import Machine, adopt_orphans
from attacks.target import HONEST_NOTEBOOKS, LAB, NAME, write_course
from tiny import as_bytes

# Of a hundred submissions; the rest are hostile.
_HONEST, _BROKEN = 70, 15
# Grown by more than this from the run's second third to its last, something piles up.
_MOST_GROWTH_BYTES, _MOST_GROWTH_DESCRIPTORS = 64 * 2**20, 16


def hand_in(
    root: Path, count: int, draw: random.Random, baits: Baits
) -> tuple[Class, list[str]]:
    """Fill ``submitted/`` with so many submissions; the class, and who handed in a broken file."""
    hostile = [a for a in collection() if not a.student and a.copies == 1]
    handed, broken = Class(), []
    for number in range(count):
        kind = draw.randrange(100)
        name = f"{number:05}"
        folder = root / "submitted" / name / LAB
        if kind < _HONEST:
            make, marks = draw.choice(HONEST_NOTEBOOKS)
            notebook = make()
            notebook["cells"][0]["source"] += f"\n\n{baits.word('others-work')}"
            write(folder, NAME, as_bytes(notebook))
            handed.honest[name] = marks
        elif kind < _HONEST + _BROKEN:
            write(folder, NAME, _broken(draw))
            broken.append(name)
        else:
            handed.hostile[name] = draw.choice(hostile)
            folder.mkdir(parents=True)
            handed.hostile[name].make(folder)
    return handed, broken


def _broken(draw: random.Random) -> bytes:
    """A good notebook's bytes, cut off, with other bytes in it, or none at all."""
    data = bytearray(as_bytes(draw.choice(HONEST_NOTEBOOKS)[0]()))
    kind = draw.randrange(3)
    if kind == 0:
        return bytes(data[: draw.randrange(len(data))])
    if kind == 1:
        for _ in range(draw.randrange(1, 40)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        return bytes(data)
    return draw.choice([b"", b"{}", b"[]", b"null", b"PK\x03\x04", b"Dear TA"])


def _third(values: Sequence[tuple[float, int, int]], last: bool) -> tuple[float, float]:
    """The median of memory and descriptors in the second or the last third of a run; in the first
    one things are still imported and opened."""
    size = max(1, len(values) // 3)
    some = values[-size:] if last else values[size : 2 * size] or values
    middle = len(some) // 2
    return sorted(v[1] for v in some)[middle], sorted(v[2] for v in some)[middle]


def faults(handed: Class, broken: Sequence[str], made: Run) -> Iterator[str]:
    """Everything that is not as it should be, a line each."""
    for student, right in handed.honest.items():
        if student not in broken and (score := made.came[student].score) != right:
            yield f"{student} has {score} and should have {right:g}"
    for student in broken:
        came = made.came[student]
        if came.score is None or came.status == "internal_error":
            yield f"{student}, a broken file: {came.status or 'no row'}"
    for student, attack in handed.hostile.items():
        came = made.came[student]
        told = [*learnt(attack, came), *harm_of(attack, came)]
        if gained := marks_gained(attack, came):
            told.append(f"+{gained:g} marks")
        if told:
            yield f"{student}, {attack.name}: {'; '.join(told)}"
    yield from made.damage
    (bytes_before, open_before), (bytes_after, open_after) = (
        _third(made.watched.coordinator, last) for last in (False, True)
    )
    if bytes_after - bytes_before > _MOST_GROWTH_BYTES:
        yield f"the coordinator grew by {(bytes_after - bytes_before) / 2**20:.0f} MiB"
    if open_after - open_before > _MOST_GROWTH_DESCRIPTORS:
        yield f"the coordinator holds {open_after - open_before:.0f} descriptors more than before"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=2000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    arguments = parser.parse_args()
    adopt_orphans()
    baits = Baits()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        os.chmod(folder, 0o755)
        root = Path(folder) / "course"
        write_course(root, baits.word("hidden-tests"))
        draw = random.Random(arguments.seed)
        handed, broken = hand_in(root, arguments.count, draw, baits)
        enter_secret(root, next(iter(handed.honest)), baits)
        # Their folders hold no secrets to be looked for.
        handed.honest.update(dict.fromkeys(broken, 0.0))
        with laid(baits, Path(folder)) as environment:
            before = Machine.now()
            way = Way.ROOT if os.getuid() == 0 else Way.USER
            made = grade(root, way, handed, baits, environment)
            made.damage += before.changes(Machine.now())
    _print(handed, broken, made)
    found = list(faults(handed, broken, made))
    for line in found:
        print(f"⚠ {line}")
    print(f"{len(found)} faults")
    return int(bool(found))


def _print(handed: Class, broken: Sequence[str], made: Run) -> None:
    families = Counter(attack.family for attack in handed.hostile.values())
    shown = ", ".join(f"{families[family]} {family}" for family in Family)
    seen = made.watched
    first, last = (_third(seen.coordinator, end) for end in (False, True))
    print(
        f"{len(made.came)} submissions in one run of {made.seconds:.0f} s: "
        f"{len(handed.honest) - len(broken)} honest, {len(broken)} broken, "
        f"{len(handed.hostile)} hostile ({shown})\n"
        f"the coordinator: {first[0] / 2**20:.0f} MiB and {first[1]:.0f} descriptors in the second "
        f"third, {last[0] / 2**20:.0f} MiB and {last[1]:.0f} in the last\n"
        f"at most {seen.judge_bytes / 2**20:.0f} MiB in one process of the judge's, "
        f"{seen.processes} processes of students' at once"
    )


if __name__ == "__main__":
    sys.exit(main())
