"""What libraries print in C does not get between what the program says."""

from __future__ import annotations

import json
import subprocess
import sys

PRINTS = """
import ctypes, json
from course_utils.ground.streams import libraries_to_stderr, print_to_stderr

libc = ctypes.CDLL(None)
print("ours", flush=True)
with libraries_to_stderr():
    libc.printf(b"complaint\\n")  # buffered in C until the end of the process, if nobody flushes
    print("seen inside")
print(json.dumps({"ours": 2}))
"""


def test_what_is_printed_in_the_block_goes_to_standard_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == "ours" and json.loads(second) == {"ours": 2}
    assert sorted(done.stderr.split("\n")) == ["", "complaint", "seen inside"]


def test_a_workers_output_is_not_the_commands() -> None:
    code = PRINTS.partition("with ")[0] + 'print_to_stderr()\nprint("late")\n'
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("ours\n", "late\n")
