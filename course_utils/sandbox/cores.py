"""One core for one sandbox, so that many busy processes of a submission slow no other.

Student code may not choose its cores (seccomp refuses that), so all of it shares the one that its
zygote was given.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A core, or -1 for any; it is taken until it is given back, or the process that took it ends.

    Attributes:
        core: its number.
    """

    core: int
    _name: socket.socket | None = None

    def give_back(self) -> None:
        if self._name is not None:
            self._name.close()


def claim() -> Claim:
    """A core that no other sandbox of this machine has, if one is left; else one that is shared.

    The claim is a socket's name in the kernel, which goes with its process. The order is chance:
    workers in different containers do not see one another's names.
    """
    if sys.platform != "linux":
        return Claim(-1)
    cores = sorted(os.sched_getaffinity(0))
    random.SystemRandom().shuffle(cores)
    for core in cores:
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0course-utils-core-{core}")
        except OSError:
            name.close()
            continue
        return Claim(core, name)
    return Claim(cores[0])
