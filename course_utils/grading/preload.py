"""The server that workers are forked from, and what it imports once for all of them.

Nothing else is imported here, so that a command can begin with it: the server needs seconds, in
which the command imports what is its own.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

# What torch imports when an optimizer or a second backward pass is first used: hundreds of modules,
# which every fork would import again.
TORCHS_LATE_IMPORTS = ("torch._dynamo", "torch.fx.experimental.symbolic_shapes")
# What every worker needs sooner or later, whatever the lab: its reference is torch.
PRELOAD = (
    "course_utils.grading.server", "torch", *TORCHS_LATE_IMPORTS, "scipy.special",
    "course_utils.grading.worker",
)  # fmt: skip


def context() -> BaseContext:
    """Workers that share nothing with the coordinator (its threads, its open gradebook).

    They are forked from a server that has imported what all of them need, so that torch is
    imported once and not once a worker. None of that starts CUDA, which would not survive it.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(list(PRELOAD))
    return made


def warm_up() -> None:
    """Begin with the imports that workers need, beside whatever the caller does meanwhile."""
    if context().get_start_method() == "forkserver":
        forkserver.ensure_running()
