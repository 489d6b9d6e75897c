"""What libraries print, kept apart from what this program says.

LAPACK complains of a NaN in C, on the process's standard output, where a program that reads JSON
from there would stumble over it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT, _STDERR = 1, 2


def print_to_stderr() -> None:
    """From now on, let all that this process prints go to standard error."""
    os.dup2(_STDERR, _STDOUT)


@contextmanager
def libraries_to_stderr() -> Iterator[None]:
    """Let all that is printed inside the ``with`` block go to standard error."""
    sys.stdout.flush()
    kept = os.dup(_STDOUT)
    print_to_stderr()
    try:
        yield
    finally:
        sys.stdout.flush()
        if os.name == "posix":
            ctypes.CDLL(None).fflush(None)  # what C has buffered belongs to the block
        os.dup2(kept, _STDOUT)
        os.close(kept)
