"""Fifty kills: a class of a hundred is graded by runs that are killed at random moments.

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

from class_of import alive, course_with_class, descendants, grade, left_by, start

SIZE, KILLS = 100, 50
_ENDS_WITHIN_SECONDS = 2.0


def main(seed: int = 0) -> int:
    """Kill, go on, compare; the number of things that were not as they should be."""
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        course_with_class(whole, SIZE)
        shutil.copytree(whole, killed)
        began = time.perf_counter()
        grade(whole)
        seconds = time.perf_counter() - began
        print(f"a class of {SIZE}, uninterrupted: {seconds:.0f} s")
        survivors = finished = 0
        for number in range(1, KILLS + 1):
            process = start(killed)
            # From the first import to the end of a run; resumed runs are short.
            time.sleep(draw.uniform(0.0, 0.35 * seconds))
            inhabitants = descendants(process.pid)
            finished += process.poll() is not None
            process.send_signal(signal.SIGKILL)
            process.communicate()
            deadline = time.monotonic() + _ENDS_WITHIN_SECONDS
            while alive(inhabitants) and time.monotonic() < deadline:
                time.sleep(0.02)
            survivors += len(alive(inhabitants))
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


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
