"""``course new-lab``: a folder under ``solutions/`` with one small exercise, complete and green."""

from __future__ import annotations

import json
import re
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from course_utils.ground.errors import LabError

# Where each template goes; they end in .txt so that nobody takes them for the package's code.
_FILES = {
    "test_public.py.txt": "test_public.py",
    "test_hidden.py.txt": "hidden/test_hidden.py",
    "misconceptions.py.txt": "hidden/misconceptions.py",
    "variants.py.txt": "hidden/variants.py",
}
_NAME = re.compile(r"(lab(\d\d))_([a-z][a-z0-9_]*)")


def make_lab(root: Path, name: str, title: str = "") -> Path:
    """Write a new lab with one exercise, its outputs stored by a run in a kernel.

    Args:
        root: the course repository.
        name: the folder's name, such as ``lab08_attention``.
        title: what the notebook is headed by; made from the name by default.

    Returns:
        The lab's folder.

    Raises:
        LabError: the name is of another form or taken, or this is no course repository.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise LabError(
            f"{name!r} is no name for a lab: write lab, two digits, _ and a word in small "
            "letters, such as lab08_attention"
        )
    solutions = root / "solutions"
    if not (root / "nbgrader_config.py").exists():
        raise LabError(f"{root} has no nbgrader_config.py: run this from the course repository")
    taken = sorted(path.name for path in solutions.glob(f"{match[1]}_*"))
    if taken:
        raise LabError(f"there is {taken[0]} already: take another number, or remove that folder")
    solutions.mkdir(exist_ok=True)
    heading = title or f"Lab {match[2]} · {match[3].replace('_', ' ').capitalize()}"
    with tempfile.TemporaryDirectory(dir=solutions, prefix=".new-") as made:
        folder = Path(made) / name
        (folder / "hidden").mkdir(parents=True)
        templates = resources.files("course_utils.gate") / "templates" / "new_lab"
        for template, target in _FILES.items():
            (folder / target).write_text((templates / template).read_text("utf-8"), "utf-8")
        _write_notebook(folder, f"{match[3]}.ipynb", templates, name, heading)
        return folder.rename(solutions / name)


def _write_notebook(
    folder: Path, file: str, templates: Traversable, name: str, heading: str
) -> None:
    """Write the notebook as a run leaves it."""
    import nbformat

    from course_utils.gate.points.stored_outputs import executed

    text = (templates / "notebook.ipynb").read_text("utf-8")
    tree: dict[str, Any] = json.loads(text.replace("LAB_NAME", name))
    first = tree["cells"][0]
    first["source"] = first["source"].replace("LAB_TITLE", heading)
    path = folder / file
    path.write_text(json.dumps(tree, indent=1, ensure_ascii=False), "utf-8")  # check reads it
    nbformat.write(executed(tree, folder), path)
