"""What an autograder archive was made for; it travels in it as ``course.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from course_utils.ground.errors import LabError
from course_utils.sandbox.launch import Isolation

FILE = "course.json"
LABS = "labs"


class Show(StrEnum):
    """When a student sees points, and which hidden claims hold: Gradescope's words."""

    AFTER_DUE_DATE = "after_due_date"
    AFTER_PUBLISHED = "after_published"
    VISIBLE = "visible"


@dataclass(frozen=True)
class Settings:
    """How submissions are graded there.

    Attributes:
        lab: its name; its folder is in ``labs/``.
        isolation: of student code.
        show: when points and hidden claims are shown.
        hidden_seed: of the hidden tests, the class's own.
    """

    lab: str
    isolation: Isolation
    show: Show
    hidden_seed: int

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """The settings in an unpacked archive.

        Raises:
            LabError: there are none.
        """
        try:
            found = json.loads((folder / FILE).read_text("utf-8"))
            return cls(
                str(found["lab"]), Isolation(found["isolation"]), Show(found["show"]),
                int(found["hidden_seed"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError(
                f"{folder} is no archive of course gradescope that was unpacked whole ({error})"
            ) from None
