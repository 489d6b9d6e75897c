"""What a student waits for: the import of ``check``, the first one, and the others.

``python -m benchmarks.student LAB``. The lab's own solution is checked, so the student's compute is
the solution's, and is part of the figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median


def main(repository: Path, lab: str) -> dict[str, float]:
    """Measure and print: seconds."""
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
        f"lab = Lab.find({lab!r}, Path({str(repository)!r}))\n"
        "globals().update(solution_namespace(lab))\n"
        "from course_utils import check\n"
        "import os; os.chdir(lab.folder)\n"
        "def timed(name):\n"
        "    start = time.perf_counter()\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        check(name)\n"
        "    return time.perf_counter() - start\n"
        "first = timed(lab.exercises[0].name)\n"
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
    return {"import": after_torch, "first check": first, "median": median(others),
            "most": max(others)}  # fmt: skip


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main(Path.cwd(), sys.argv[1])
