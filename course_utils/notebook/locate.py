"""Where a check finds what it needs: the lab's folder, the student's definitions."""

from __future__ import annotations

import os
from pathlib import Path
from types import FrameType
from typing import Any

from course_utils.ground.errors import NotebookError
from course_utils.ground.surroundings import ipython_shell

TEST_FILE = "test_public.py"


def student_namespace(caller: FrameType) -> dict[str, Any]:
    """The definitions to be tested: the notebook's, or in plain Python the caller's globals."""
    shell = ipython_shell()
    return caller.f_globals if shell is None else shell.user_ns


def lab_folder(namespace: dict[str, Any]) -> Path:
    """The folder of the lab that the notebook belongs to.

    It is the working folder. Where a notebook has changed that, Jupyter and VS Code still know
    which file the kernel was started for.

    Raises:
        NotebookError: there is no ``test_public.py`` in any of these.
    """
    notebooks = [namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")]
    places = [Path.cwd(), *(Path(path).parent for path in notebooks if isinstance(path, str))]
    for place in places:
        if (place / TEST_FILE).is_file():
            return place.resolve()
    raise NotebookError(
        f"There is no {TEST_FILE} in {places[0]}, the folder that this notebook runs in. "
        f"Keep the notebook in its lab's folder, next to {TEST_FILE}, and open it from there."
    )
