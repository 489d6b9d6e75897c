"""What was collected, kept with the course: whose folder is whose in the system, and what was put
there. Exports take the system's own ids from it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One student's.

    Attributes:
        system: where it was collected from.
        id: the system's own, of the person.
        name: theirs, there.
        digest: a checksum of what was put into the student's folder.
        order: how late it was handed in, compared with others of the system.
    """

    system: str
    id: str
    name: str
    digest: str
    order: float = 0.0


def read_records(root: Path, lab: str) -> dict[str, Record]:
    """Student → record, of a lab's last collection; none where nothing was collected, or where the
    file is damaged: what is lost then is asked for again.

    Args:
        root: the course's folder.
        lab: its name.
    """
    try:
        found = json.loads(_path(root, lab).read_text("utf-8"))
        return {student: Record(**record) for student, record in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_records(root: Path, lab: str, records: dict[str, Record]) -> None:
    """Keep them, at once or not at all."""
    path = _path(root, lab)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    text = json.dumps({student: asdict(one) for student, one in records.items()}, indent=1)
    fresh.write_text(text, "utf-8")
    os.replace(fresh, path)


def _path(root: Path, lab: str) -> Path:
    return root / ".course" / "collected" / f"{lab}.json"
