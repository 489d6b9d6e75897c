"""Where this process runs: in a notebook, at a grader's, in plain Python."""

from __future__ import annotations

import os
import sys
from typing import Any

GRADING = "COURSE_UTILS_GRADING"


def in_grading() -> bool:
    """Whether this process runs a notebook for the grader, which judges from outside."""
    return bool(os.environ.get(GRADING))


def run_by_nbgrader() -> bool:
    """Whether nbgrader itself runs this notebook, and asks whether all is there."""
    return bool(os.environ.get("NBGRADER_EXECUTION"))


def ipython_shell() -> Any:
    """The running IPython shell (a notebook's kernel or a terminal), or None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def somebody_watches() -> bool:
    """Whether a person waits for what this process shows.

    A kernel is told with every cell whether it may ask for input. JupyterLab, VS Code and Colab
    let it, because there is somebody to answer; nbclient, nbval and nbconvert do not.
    """
    if in_grading():
        return False
    kernel = getattr(ipython_shell(), "kernel", None)
    if kernel is None:
        return bool(sys.stderr.isatty())
    return bool(kernel.get_parent("shell").get("content", {}).get("allow_stdin"))
