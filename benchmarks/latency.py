"""How long a student waits for feedback: ``python -m benchmarks.latency LAB…``.

``course watch`` is started on a folder in which a notebook lies; *cold* is from the command to the
result beside it. Then others are dropped, one after the other; *warm* is from there to the result.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.classes import course_of
from benchmarks.graders import WATCH

_DROPPED = 20
_PATIENCE_SECONDS = 60.0


def main(repository: Path, name: str) -> dict[str, float]:
    """Measure a lab's.

    Returns:
        Seconds: ``cold``, and ``warm`` with ``warm_most``, of notebooks right and wrong by turns.
    """
    with tempfile.TemporaryDirectory(prefix="latency-") as folder:
        root = Path(folder)
        lab = course_of(repository, name, root, _DROPPED)
        notebooks = sorted(root.glob(f"submitted/*/{name}/{lab.notebook_path.name}"))
        inbox = root / "inbox"
        inbox.mkdir()
        shutil.copy(lab.notebook_path, inbox / "first.ipynb")
        began = time.perf_counter()
        watching = subprocess.Popen(
            [*WATCH, name, str(inbox)], cwd=root,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            cold = _answered(inbox / "first.result.json", began)
            warm = []
            for number, notebook in zip(range(_DROPPED), itertools.cycle(notebooks), strict=False):
                began = time.perf_counter()
                shutil.copy(notebook, inbox / f"student{number}.ipynb")
                warm.append(_answered(inbox / f"student{number}.result.json", began))
        finally:
            watching.terminate()
            watching.wait()
    return {"cold": cold, "warm": median(warm), "warm_most": max(warm)}


def _answered(result: Path, began: float) -> float:
    while not result.exists():
        if time.perf_counter() - began > _PATIENCE_SECONDS:
            raise RuntimeError(f"course watch did not answer within {_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.005)
    return time.perf_counter() - began


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(each, json.dumps(main(Path.cwd(), each)))
