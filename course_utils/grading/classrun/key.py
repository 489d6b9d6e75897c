"""What decides a verdict besides the submission, as checksums: where they are the same, so is the
verdict.

A change of one exercise's hidden test leaves all other exercises' checksums as they were, so only
that one is judged again. Whatever is not plainly one exercise's own counts for all of them.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from course_utils.grading.kit import kit
from course_utils.grading.worker import Settings
from course_utils.ground.lab import Lab


@dataclass(frozen=True)
class Keys:
    """Checksums of what decides the verdicts of a lab.

    Attributes:
        told: of what is only said of what failed: the catalogue of mistakes, and their traces.
        exercises: of all else, by exercise: its own tests and its points; the tests' other code,
            the lab's notebook and data; this package's code, Python, the libraries; limits,
            isolation, device and the hidden tests' seed.
    """

    told: str = ""
    exercises: Mapping[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Keys:
        """What :meth:`to_text` made."""
        return cls(**json.loads(text))


def keys_of(lab: Lab, settings: Settings) -> Keys:
    """The checksums of a lab as its files and this package stand now."""
    catalogue = [lab.misconceptions_path, lab.variants_path, lab.traces_path]
    tests = [_Tests(path) for path in lab.test_files]
    others = [path for path in _files(lab) if path not in [*catalogue, *lab.test_files]]
    shared = checksum([
        repr(settings.limits), str(settings.isolation), str(settings.hidden_seed), repr(kit()),
        *(path.read_bytes() for path in others),
        *(file.shared for file in tests),
    ])  # fmt: skip
    return Keys(
        told=checksum([path.read_bytes() for path in catalogue if path.exists()]),
        exercises={
            one.name: checksum(
                [shared, repr(one.points), *(file.own.get(one.name, "") for file in tests)]
            )
            for one in lab.exercises
        },
    )


class _Tests:
    """A file of tests, taken apart.

    Attributes:
        own: exercise → the source of its tests.
        shared: the rest.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        self.own: dict[str, str] = {}
        self.shared = ""
        try:
            statements = ast.parse(data).body
        except (SyntaxError, ValueError):  # no Python, or no text: whoever runs the tests says so
            self.shared = repr(data)
            return
        for node in statements:
            source = ast.unparse(node)
            if name := _exercise_of(node):
                self.own[name] = self.own.get(name, "") + source
            else:
                self.shared += source + "\n"


def _exercise_of(node: ast.stmt) -> str:
    """The exercise whose test a statement is, where ``@exercise("…")`` says it; else "" ."""
    if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test"):
        return ""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="exercise"), args=[ast.Constant(value=str(name)), *_]):
                return name
    return ""


def _files(lab: Lab) -> list[Path]:
    """What of a lab's folder a verdict may depend on."""
    return sorted(
        path for path in lab.folder.rglob("*")
        if path.is_file() and not any(
            part.startswith(".") or part == "__pycache__"
            for part in path.relative_to(lab.folder).parts
        )
    )  # fmt: skip


def checksum(parts: Sequence[str | bytes]) -> str:
    """One checksum of several parts."""
    made = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        made.update(len(data).to_bytes(8, "big") + data)  # so that no two lists read the same
    return made.hexdigest()
