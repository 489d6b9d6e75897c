"""Imported first by the server that workers are forked from, and by nothing else.

The server imports torch, for seconds, before it looks whether its parent still lives. So it asks
the kernel to be ended with it, and leaves a terminal's Ctrl-C to the coordinator.
"""

from __future__ import annotations

import signal
import sys

from course_utils.sandbox import linux

signal.signal(signal.SIGINT, signal.SIG_IGN)
if sys.platform == "linux":
    linux.die_with_parent()
