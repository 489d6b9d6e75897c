"""``python -m benchmarks.bench``: one table from one run.

Machines are noisy, so what counts are ratios within a run. Nothing here is asserted. The smaller
sizes are measured several times, by turns, and the medians are shown; nbgrader and otter are
measured on a small class and extrapolated, as is said where it is so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import graders, latency, student
from benchmarks.classes import course_of
from benchmarks.graders import Measured
from benchmarks.machine import machine
from course_utils.ground.lab import Lab

LABS = ("lab02_softmax_nll", "lab04_optimizers")
SMALL = 20
OTTERS = 5  # each takes several seconds, one like the other
_STOCK = "nbgrader autograde, as it comes"
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", nargs="+", default=LABS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[SMALL, 100, 1000])
    parser.add_argument("--repeat", type=int, default=3, help="of what takes less than a minute")
    parser.add_argument("--otter", type=Path, help="the bin folder of otter's own environment")
    parser.add_argument("--name", default=date.today().isoformat(), help="of the results' file")
    options = parser.parse_args()
    found: dict[str, Any] = {"date": date.today().isoformat(), "machine": machine(), "labs": {}}
    print(json.dumps(found["machine"]))
    found["student"] = {name: student.main(Path.cwd(), name) for name in options.labs}
    found["latency"] = {name: _latency(name) for name in options.labs}
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{options.name}.json"
    for name in options.labs:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found["labs"][name] = _lab(name, Path(folder), options)
        kept.write_text(json.dumps(found, indent=1) + "\n", "utf-8")  # a lab takes half an hour
    print(f"\nkept in {kept.relative_to(Path.cwd())}; python -m benchmarks.plot draws it")


def _latency(name: str) -> dict[str, float]:
    seconds = latency.main(Path.cwd(), name)
    print(f"course watch, {name}: {json.dumps(seconds)}", flush=True)
    return seconds


def _lab(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    print(f"\n{name}")
    cache = folder / "cache"
    small = folder / "small"
    lab = course_of(Path.cwd(), name, small, SMALL)
    exercises = [one.name for one in lab.exercises]
    cores = os.cpu_count() or 1
    rows: dict[str, Any] = {}

    def row(what: str, size: int, one: Measured, **more: float) -> None:
        each = one.wall / size
        stock = rows.get(f"{_STOCK}, {SMALL}")
        times = stock["wall"] / SMALL / each if stock else 1.0
        rows[f"{what}, {size}"] = {"size": size, **vars(one), "times": times, **more}
        print(
            f"  {what:<46} {size:5} {one.wall:9.2f} s {each:8.3f} s each {times:6.1f} times "
            f"{one.cpu:9.1f} s of CPU {one.own_mib:6.0f} + {one.others_mib:6.0f} MiB", flush=True,
        )  # fmt: skip

    row(_STOCK, SMALL, graders.nbgrader(small, name))
    row(f"nbgrader autograde, {cores} at once", SMALL, graders.nbgrader(small, name, cores))
    if options.otter:
        programs = options.otter.absolute()
        otter = graders.otter(small, name, programs, exercises, OTTERS)
        row("otter run", OTTERS, otter)
    for size in options.sizes:
        root = folder / f"class{size}"
        course_of(Path.cwd(), name, root, size)
        if size == min(options.sizes):
            row("course grade, empty cache", size, graders.ours(root, name, cache=cache))
        ways = {"course grade": ("--anew",), "course grade, nothing changed": ()}
        times = options.repeat if size <= 100 else 1
        for what, some in _by_turns(root, name, cache, ways, times).items():
            walls = [one.wall for one in some]
            middle = min(some, key=lambda one: abs(one.wall - median(walls)))
            row(what, size, middle, least=min(walls), most=max(walls))
        if size == max(options.sizes):
            _mend(root, lab)
            row("course grade, one hidden test mended", size, graders.ours(root, name, cache=cache))
        if size <= 100:
            found = _compute(root, name)
            bare = Measured(found["seconds"], found["seconds"])
            row("in one process, no sandbox", size, bare, student=found["student"])
    return rows


def _by_turns(
    root: Path, name: str, cache: Path, ways: Mapping[str, Sequence[str]], times: int
) -> dict[str, list[Measured]]:
    """``course grade`` with one set of options after the other, several times."""
    seen: dict[str, list[Measured]] = {what: [] for what in ways}
    for _ in range(times):
        for what, options in ways.items():
            seen[what].append(graders.ours(root, name, *options, cache=cache))
    return seen


def _mend(root: Path, lab: Lab) -> None:
    """Change one hidden test of the class's lab, so that it asks the same in other words."""
    path = root / "solutions" / lab.name / "hidden" / "test_hidden.py"
    text = path.read_text("utf-8")
    at = text.index("):\n", text.index("def test_")) + len("):\n")
    end = text.index('"""\n', text.index('"""', at) + 3) + len('"""\n')
    path.write_text(text[:end] + "    assert True\n" + text[end:], "utf-8")


def _compute(root: Path, name: str) -> dict[str, float]:
    command: Sequence[str] = [sys.executable, "-m", "benchmarks.compute", name, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
