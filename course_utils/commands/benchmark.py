"""The figures of the README, measured: ``make bench``.

Machines are noisy, so what counts are ratios within one run. Nothing here is asserted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from course_utils.commands.demo import DEMO_LAB
from course_utils.gate.filled_in import solved, with_entry
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.ground.lab import Lab
from course_utils.testing import catalogue

CLASS_SIZE = 40
# nbgrader as it comes: only our folder names, its own Execute and SaveAutoGrades.
_STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "training-neural-networks"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.ignore = ["hidden", "__pycache__", ".*"]
"""


def main() -> None:
    """Measure and print."""
    repository = Path.cwd()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    _print_student_side(repository)
    with tempfile.TemporaryDirectory() as temporary:
        ours, stock = Path(temporary) / "ours", Path(temporary) / "stock"
        count = _build_class(repository, ours)
        shutil.copytree(ours, stock)
        (stock / "nbgrader_config.py").write_text(_STOCK_CONFIG)
        wall_ours = _timed(["course", "grade", DEMO_LAB, "--json"], ours)
        wall_stock = _timed(["nbgrader", "autograde", DEMO_LAB], stock)
    print(f"\na class of {count} submissions of {DEMO_LAB}   seconds   seconds a submission")
    for name, wall in (("nbgrader autograde (stock)", wall_stock), ("course grade", wall_ours)):
        print(f"  {name:<40} {wall:8.1f}   {wall / count:8.2f}")
    print(f"  ratio {wall_stock / wall_ours:.1f}×")


def _build_class(repository: Path, root: Path) -> int:
    root.mkdir(parents=True)
    shutil.copytree(repository / "solutions" / DEMO_LAB, root / "solutions" / DEMO_LAB)
    shutil.copy(repository / "nbgrader_config.py", root)
    lab = Lab.find(DEMO_LAB, root)
    stub = release(Course(root), lab) / lab.notebook_path.name
    notebooks = [solved(lab, stub)]
    for path in (lab.misconceptions_path, lab.variants_path):
        for entry in catalogue.load(path):
            if len(notebooks) < CLASS_SIZE and not entry.built_in:
                notebooks.append(with_entry(lab, stub, path, entry))
    for number, notebook in enumerate(notebooks):
        folder = root / "submitted" / f"student{number:02}" / DEMO_LAB
        folder.mkdir(parents=True)
        (folder / lab.notebook_path.name).write_text(json.dumps(notebook), "utf-8")
        # The stock grader runs check() in the kernel, which needs the released files.
        for name in ("test_public.py", "traces.msgpack"):
            shutil.copy(lab.folder / name, folder)
    return len(notebooks)


def _timed(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    return time.perf_counter() - started


def _print_student_side(repository: Path) -> None:
    imports = (
        "import time, torch; t = time.perf_counter(); from course_utils import check; "
        "print(time.perf_counter() - t)"
    )
    checks = (
        "import contextlib, io, json, time\n"
        "from pathlib import Path\n"
        "import torch\n"
        "from course_utils.ground.lab import Lab\n"
        "from course_utils.ground.solution import solution_namespace\n"
        f"lab = Lab.find({DEMO_LAB!r}, Path({str(repository)!r}))\n"
        "globals().update(solution_namespace(lab))\n"
        "from course_utils import check\n"
        "import os; os.chdir(lab.folder)\n"
        "def timed(name):\n"
        "    start = time.perf_counter()\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        check(name)\n"
        "    return time.perf_counter() - start\n"
        "first = timed('softmax')\n"
        "print(json.dumps([first, *(timed(e.name) for e in lab.exercises)]))\n"
    )
    after_torch = median(float(_python(imports)) for _ in range(3))
    first, *others = json.loads(_python(checks))
    print(f"import of check after torch            {after_torch:6.3f} s")
    print(f"first check in a kernel                {first:6.3f} s  (imports pytest)")
    print(
        f"further checks, the call included      {median(others):6.3f} s  "
        f"(median of {len(others)} exercises; at most {max(others):.3f} s)"
    )


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
