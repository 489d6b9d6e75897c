"""What decides a run's verdicts: an unfinished run goes on only where all of it is the same."""

from __future__ import annotations

import hashlib

from course_utils.grading.classrun.choice import Choice
from course_utils.grading.kit import kit
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab


def run_key(lab: Lab, settings: Settings, choice: Choice) -> str:
    """A checksum of what decides a run's verdicts besides the submissions themselves."""
    parts = [repr(settings.limits), str(settings.isolation), repr(choice)]
    parts += [str(settings.hidden_seed), repr(kit())]
    checksum = hashlib.sha256("\n".join(parts).encode())
    files = [
        path for path in lab.folder.rglob("*")
        if path.suffix in (".py", ".ipynb", ".msgpack") and ".ipynb_checkpoints" not in path.parts
    ]  # fmt: skip
    for path in sorted(files):
        checksum.update(path.read_bytes())
    return checksum.hexdigest()
