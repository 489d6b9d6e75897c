"""What a GPU needs of the labs, seen on the far device: see far_device and far_device_checks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tiny import REPOSITORY

from course_utils.ground.lab import Lab

LABS = [lab.name for lab in Lab.all_in(REPOSITORY) if "torch" in lab.imports]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("lab", [*LABS, "itself"])
def test_on_the_far_device(lab: str) -> None:
    """In a fresh process, since torch cannot forget a device."""
    chosen = f"not ({' or '.join(LABS)})" if lab == "itself" else lab
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen,
               "tests/far_device_checks.py"]  # fmt: skip
    here = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
