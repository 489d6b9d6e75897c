"""Memory, threads, files and cores: ways to have more than is allowed, and what comes of them."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import LIMITS
from test_sandbox import run, text, value

from course_utils.calls.proxy import Student
from course_utils.ground.statuses import Reason
from course_utils.sandbox import cores, seccomp
from course_utils.sandbox.channel import Channel
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import MIB
from course_utils.sandbox.outbox import Outbox

# Little memory and few imports, so that what is too much is soon reached.
SMALL = replace(LIMITS, memory_bytes=128 * MIB, file_bytes=64 * MIB, cell_seconds=20)
needs_seccomp = pytest.mark.skipif(not seccomp.available(), reason="libseccomp is not installed")


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    with Sandbox(limits=SMALL, preload=["numpy"]) as warm:
        yield warm


# -- memory that no process is seen to hold

HIDE = "import ctypes, mmap, os, socket\nMIB = 2**20\nlibc = ctypes.CDLL(None, use_errno=True)\n"
SHARED = "mmap.MAP_SHARED | mmap.MAP_ANONYMOUS"
HIDING = {
    "memfd": "files = [os.memfd_create('x') for _ in range(64)]\n"
    "for f in files:\n    os.write(f, bytes(8 * MIB))",
    "SysV shared memory": "one = libc.shmget(0, 512 * MIB, 0o1600)\n"
    "assert one >= 0, os.strerror(ctypes.get_errno())\n"
    "libc.shmat.restype = ctypes.c_void_p\nplace = libc.shmat(one, None, 0)\n"
    "ctypes.memset(place, 1, 512 * MIB)\nlibc.shmdt(ctypes.c_void_p(place))",
    "shared, then let go": f"m = mmap.mmap(-1, 512 * MIB, {SHARED})\n"
    "for i in range(512):\n    m[i * MIB:(i + 1) * MIB] = bytes([1]) * MIB\n"
    "    m.madvise(mmap.MADV_DONTNEED)",
    "shared, from a device": "zero = os.open('/dev/zero', os.O_RDWR)\n"
    "m = mmap.mmap(zero, 512 * MIB, mmap.MAP_SHARED)\n"
    "for i in range(512):\n    m[i * MIB:(i + 1) * MIB] = bytes([1]) * MIB\n"
    "    m.madvise(mmap.MADV_DONTNEED)",
    "pages in a pipe": "r, w = os.pipe()\n"
    "class Vector(ctypes.Structure):\n"
    "    _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]\n"
    "page = ctypes.create_string_buffer(4096)\n"
    "vector = Vector(ctypes.addressof(page), 4096)\n"
    "assert libc.vmsplice(w, ctypes.byref(vector), 1, 0) > 0, os.strerror(ctypes.get_errno())",
}


@needs_seccomp
@pytest.mark.parametrize("way", HIDING)
def test_memory_that_would_not_be_seen_is_refused(small: Sandbox, way: str) -> None:
    (done,) = run(small, HIDE + HIDING[way])
    assert done.reason is Reason.CELL_ERROR
    refusals = [os.strerror(number) for number in (errno.EPERM, errno.ENODEV, errno.EACCES)]
    assert any(refusal in done.message for refusal in refusals), done.message


# Each ends where it is let: what it says last is that it got everything.
GROWING = {
    "many programs": "import subprocess, sys, time\n"
    "source = 'x = bytes([1]) * (24 * 2**20); input()'\n"
    "them = [subprocess.Popen([sys.executable, '-S', '-c', source], stdin=subprocess.PIPE)"
    " for _ in range(16)]\ntime.sleep(8)\n"
    "print('alive' if all(t.poll() is None for t in them) else 'ended')",
    "many forks": "import os, time\nthem = []\n"
    "for _ in range(12):\n    pid = os.fork()\n    if pid == 0:\n"
    "        x = bytes([1]) * (24 * 2**20)\n        time.sleep(60)\n    them.append(pid)\n"
    "time.sleep(8)\n"
    "print('alive' if all(os.waitpid(t, os.WNOHANG)[0] == 0 for t in them) else 'ended')",
    "some that hide": "import ctypes, os, time\nthem = []\n"
    "for _ in range(3):\n    pid = os.fork()\n    if pid == 0:\n"
    "        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n"
    "        x = [bytes([1]) * 2**20 for _ in range(60)]\n"
    "        time.sleep(60)\n    them.append(pid)\n"
    "time.sleep(5)\n"
    "print('alive' if all(os.waitpid(t, os.WNOHANG)[0] == 0 for t in them) else 'ended')",
    "page tables": "import mmap, time\n"
    "kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000\n"
    "m = mmap.mmap(-1, 2**38, kind, mmap.PROT_READ)\n"
    "m.madvise(mmap.MADV_NOHUGEPAGE)\n"  # a page of zeros each, and a table for it
    "for i in range(0, 2**38, 2**21):\n    m[i]\ntime.sleep(5)\nprint('alive')",
    "sockets": "import resource, socket, time\npairs = []\n"
    "try:\n    for _ in range(900):\n"
    "        a, b = socket.socketpair()\n        a.setblocking(False)\n        pairs += [a, b]\n"
    "        try:\n            while True:\n                a.send(bytes(60000))\n"
    "        except BlockingIOError:\n            pass\n"
    "except OSError:\n    pass\ntime.sleep(3)\nprint('alive')",
}


@pytest.mark.parametrize("way", GROWING)
def test_memory_is_counted_however_it_is_held(small: Sandbox, way: str) -> None:
    (done,) = run(small, GROWING[way])
    assert "alive" not in text(done)
    assert done.reason is Reason.CELL_MEMORY or "ended" in text(done), (done.reason, done.message)


def test_what_forks_share_is_counted_once(small: Sandbox) -> None:
    """A data set of half the memory, and six workers that look at it."""
    source = (
        "import os, time\nimport numpy as np\ndata = np.ones(8 * 2**20)\nthem = []\n"
        "for _ in range(6):\n    pid = os.fork()\n    if pid == 0:\n"
        "        data.sum(); time.sleep(2); os._exit(7)\n    them.append(pid)\n"
        "print({os.waitstatus_to_exitcode(os.waitpid(t, 0)[1]) for t in them})"
    )
    assert value(small, source).strip() == "{7}"


def test_files_in_memory_are_counted(small: Sandbox) -> None:
    """Two file systems of 64 MiB each are as much as the memory that is allowed."""
    fill = (
        "for place in ('/scratch/a', '/dev/shm/a'):\n"
        "    with open(place, 'wb') as file:\n"
        "        for _ in range(60):\n            file.write(bytes(2**20))\n"
    )
    hold = "x = [bytes([1]) * 2**20 for _ in range(100)]\nimport time\ntime.sleep(2)\n"
    assert [r.reason for r in run(small, hold + "del x")] == [None]
    (done,) = run(small, fill + hold)
    assert done.reason is Reason.CELL_MEMORY


def test_the_number_of_files_is_bounded(small: Sandbox) -> None:
    source = (
        "made = 0\n"
        "for place in ('/scratch', '/dev/shm'):\n"
        "    try:\n        for i in range(100_000):\n"
        "            open(f'{place}/{i}', 'w').close()\n            made += 1\n"
        "    except OSError as error:\n        print(error.errno)\n"
        "print(made)"
    )
    first, second, made = value(small, source).split()
    assert int(first) == int(second) == errno.ENOSPC
    assert int(made) <= 2 * small.limits.files


# -- threads, and who watches

THREADS = """
import threading, time
threading.stack_size(2**16)
them = []
try:
    for _ in range({count}):
        them.append(threading.Thread(target=time.sleep, args=(60,), daemon=True))
        them[-1].start()
except RuntimeError as error:
    print(error)
time.sleep(1)
print('alive', len(them))
"""


def test_threads_are_counted_like_processes(small: Sandbox) -> None:
    (done,) = run(small, THREADS.format(count=300))
    assert done.reason is Reason.CELL_KILLED
    assert f"more processes than the {small.limits.processes}" in done.message
    assert "alive" in value(small, THREADS.format(count=12))


@needs_seccomp
@pytest.mark.parametrize(
    "call",
    ["os.sched_setaffinity(0, range(64))", "os.sched_setscheduler(1, 5, os.sched_param(0))",
     "os.setpriority(os.PRIO_PROCESS, 1, 19)", "os.setpriority(os.PRIO_USER, 0, 19)",
     "resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))"],
)  # fmt: skip
def test_the_one_that_watches_is_not_slowed_or_blinded(small: Sandbox, call: str) -> None:
    (done,) = run(small, f"import ctypes, os, resource\n{call}\nprint('done')")
    assert "PermissionError" in done.message


def test_one_may_still_be_nice_and_bound_oneself(small: Sandbox) -> None:
    source = (
        "import os, resource\nos.nice(1)\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (50, 60))\nprint('done')"
    )
    assert value(small, source).strip() == "done"


def test_events_in_a_loop_do_not_silence_the_supervisor(small: Sandbox) -> None:
    """Killed for their memory as fast as they come; the judge, who does not read meanwhile, is
    answered all the same."""
    source = (
        "import os, time\nend = time.monotonic() + 6\n"
        "while time.monotonic() < end:\n    pid = os.fork()\n    if pid == 0:\n"
        "        x = [bytes([1]) * 2**20 for _ in range(60)]\n"
        "        for _ in range(3):\n            if os.fork() == 0:\n"
        "                y = [bytes([2]) * 2**20 for _ in range(50)]\n"
        "                time.sleep(1)\n                os._exit(0)\n"
        "        for _ in range(3):\n            os.wait()\n        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
    )
    with small.open() as session:
        runs = session.run_cells([(0, source), (1, "def two():\n    return 2")])
        assert [done.reason for done in runs] == [None, None], runs[0].message
        for _ in range(2):
            backend = session.exercise()
            assert Student(backend).two() == 2
            backend.close()


def test_an_unread_outbox_keeps_one_of_each_and_waits_for_nobody() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(ours)
        for _ in range(20_000):
            outbox.put({"event": "limit", "kind": "memory"})
        outbox.put({"event": "killed"})
        judge = Channel(theirs)
        last: dict[str, str] = {}
        while last != {"event": "killed"}:
            last = judge.receive(5.0)
            outbox.flush()


def test_an_outbox_outlives_its_reader() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        outbox = Outbox(ours)
        theirs.close()
        for _ in range(3):
            outbox.put({"event": "limit", "kind": "memory"})


# -- cores


def test_all_of_a_submission_is_on_one_core(small: Sandbox) -> None:
    source = (
        "import os, subprocess, sys\nprint(sorted(os.sched_getaffinity(0)))\n"
        "ask = 'import os; print(sorted(os.sched_getaffinity(0)))'\n"
        "print(subprocess.run([sys.executable, '-c', ask], capture_output=True, text=True).stdout)"
    )
    mine, childs = value(small, source).split()
    assert mine == childs and len(eval(mine)) == 1


def test_a_core_is_claimed_once_and_given_back() -> None:
    there = os.sched_getaffinity(0)
    claims = [cores.claim() for _ in there]
    own = [claim for claim in claims if claim._name is not None]
    assert len({claim.core for claim in own}) == len(own)
    assert cores.claim().core in there  # shared, where all are taken
    for claim in claims:
        claim.give_back()
    again = cores.claim()
    assert again.core in there
    again.give_back()

