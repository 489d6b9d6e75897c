"""Fifty kills: a class of a hundred is graded again, by runs that are killed at random moments.

It was graded before, people have given marks, and a test was mended since, so that there is
something to lose: marks by hand, and who is told of what changed.

``make kills`` prints how many of the kills left something behind, or something lost: after each,
no process may live on, and after the last, one more run must leave exactly what an uninterrupted
one leaves.
"""

from __future__ import annotations

import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from class_of import course_with_class, descendants, grade, left_after, left_by, set_by_hand, start
from tiny import TINY_LAB

SIZE, KILLS = 100, 50
_ENDS_WITHIN_SECONDS = 2.0


def main(seed: int = 0) -> int:
    """Kill, go on, compare; the number of things that were not as they should be."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        course_with_class(whole, SIZE)
        grade(whole)
        _change(whole)
        shutil.copytree(whole, killed)
        began = time.perf_counter()
        grade(whole)
        seconds = time.perf_counter() - began
        print(f"a class of {SIZE} is graded again, uninterrupted: {seconds:.0f} s")
        survivors = finished = 0
        for number in range(1, KILLS + 1):
            process = start(killed)
            # From the first import to the end of a run; resumed runs are short.
            time.sleep(draw.uniform(0.0, 0.35 * seconds))
            inhabitants = descendants(process.pid)
            finished += process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.communicate()
            survivors += len(left_after(_ENDS_WITHIN_SECONDS, inhabitants))
            if number % 10 == 0:
                print(f"{number} kills", flush=True)
        grade(killed)
        found, wanted = left_by(killed), left_by(whole)
    names = found.keys() | wanted.keys()
    different = [name for name in names if found.get(name) != wanted.get(name)]
    print(
        f"{KILLS} kills ({finished} of them after the run had ended): {survivors} processes lived "
        f"on for {_ENDS_WITHIN_SECONDS:g} s, {len(different)} differences from the uninterrupted "
        f"run in {len(wanted)} things compared"
    )
    for name in sorted(different):
        print(f"  {name}")
    return survivors + len(different)


def _change(root: Path) -> None:
    """What people do between two runs: marks by hand, and a hidden test that is mended."""
    for number in range(0, SIZE, 7):
        done = {"manual_score": 1.5, "needs_manual_grade": False}
        set_by_hand(root, f"s{number:03}", "written_why", **done)
    for number in range(2, SIZE, 9):
        set_by_hand(root, f"s{number:03}", "check_softmax", manual_score=3.5)
    hidden = root / "solutions" / TINY_LAB / "hidden" / "test_hidden.py"
    mended = hidden.read_text("utf-8").replace("+ 1000.0", "+ 10.0")
    hidden.write_text(mended, "utf-8")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
