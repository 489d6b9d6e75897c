"""A lab on its way to another machine: its files, and a checksum that both ends must agree on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from course_utils.ground.errors import ClusterError
from course_utils.ground.lab import Lab

_LEFT_HERE = {"__pycache__", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class Parcel:
    """What workers need of a course to grade one lab.

    Attributes:
        lab: the lab's name.
        files: path in the ``solutions`` folder → content; all of the lab, hidden tests included,
            and the other labs' notebooks, which a submission may turn out to be.
    """

    lab: str
    files: dict[str, bytes]

    @classmethod
    def of(cls, lab: Lab) -> Parcel:
        """Pack a lab."""
        solutions = lab.folder.parent
        own = [
            path for path in lab.folder.rglob("*")
            if path.is_file() and not _LEFT_HERE & {*path.relative_to(solutions).parts}
        ]  # fmt: skip
        files = {
            path.relative_to(solutions).as_posix(): path.read_bytes()
            for path in [*own, *lab.neighbours]
        }
        return cls(lab.name, files)

    @property
    def digest(self) -> str:
        """A checksum of names and contents."""
        checksum = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                checksum.update(len(part).to_bytes(8, "big") + part)
        return checksum.hexdigest()

    def unpack(self, solutions: Path, digest: str) -> Lab:
        """Lay the files into a folder, and look whether they are what was sent.

        Args:
            solutions: the folder; empty, and only this user's.
            digest: the sender's.

        Raises:
            ClusterError: they are not.
        """
        for name, content in self.files.items():
            path = solutions / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        lab = Lab.load(solutions / self.lab)
        if Parcel.of(lab).digest != digest:
            raise ClusterError(
                f"{self.lab} did not arrive as it was sent: try again, and look at this disk"
            )
        return lab
