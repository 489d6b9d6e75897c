"""What student code can see and do inside the sandbox, and what is left when it has gone."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import REPOSITORY

from course_utils.calls.fault import StudentFault
from course_utils.calls.proxy import Student
from course_utils.ground.statuses import Reason, Status
from course_utils.sandbox import seccomp
from course_utils.sandbox.cells import CellRun
from course_utils.sandbox.client import Sandbox


def run(sandbox: Sandbox, *sources: str) -> list[CellRun]:
    with sandbox.open() as session:
        return session.run_cells(list(enumerate(sources)))


def text(run: CellRun) -> str:
    return "".join(
        o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in run.outputs
    )


def value(sandbox: Sandbox, source: str) -> Any:
    (done,) = run(sandbox, source)
    assert done.reason is None, done.message + text(done)
    return text(done)


@pytest.mark.parametrize(
    "path",
    [REPOSITORY / "solutions", REPOSITORY / "tests", REPOSITORY / "README.md", "/etc/passwd",
     Path.home() / ".ssh", "/var", "/proc/1/environ", "/proc/2/environ", "/proc/2/mem"],
    ids=str,
)  # fmt: skip
def test_nothing_of_the_machine_can_be_read(sandbox: Sandbox, path: Path | str) -> None:
    source = f"import os\nprint(os.access({str(path)!r}, os.R_OK) and open({str(path)!r}).read(1))"
    (done,) = run(sandbox, source)
    assert text(done).strip() == "False" or done.reason is Reason.CELL_ERROR


def test_nothing_but_scratch_can_be_written(sandbox: Sandbox) -> None:
    source = (
        "import os\n"
        "writable, left_out = [], ('/proc', '/usr', '/dev/pts')\n"
        "for folder, folders, _ in os.walk('/'):\n"
        "    folders[:] = [f for f in folders if os.path.join(folder, f) not in left_out]\n"
        "    if os.access(folder, os.W_OK):\n"
        "        writable.append(folder)\n"
        "print(writable)"
    )
    assert value(sandbox, source).strip() == "['/scratch', '/dev/shm']"


def test_scratch_is_bounded_and_ones_own(sandbox: Sandbox) -> None:
    fill = "open('mine', 'wb').write(b'x')\nopen('a', 'wb').write(bytes(2**28))"
    (filled,) = run(sandbox, fill)
    assert filled.reason is Reason.CELL_ERROR
    assert value(sandbox, "import os\nprint(os.listdir())").strip() == "[]"


def test_there_is_no_network(sandbox: Sandbox) -> None:
    """A server on this machine, which anybody else reaches, cannot be reached from inside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), 5).close()
        source = (
            "import socket\n"
            f"try:\n    socket.create_connection(('127.0.0.1', {port}), 5)\n    print('reached')\n"
            "except OSError as error:\n    print(type(error).__name__)"
        )
        assert text(run(sandbox, source)[0]).strip() in ("OSError", "ConnectionRefusedError")


def test_other_processes_cannot_be_killed(sandbox: Sandbox) -> None:
    source = (
        "import os, signal\n"
        "for pid in (1, os.getppid()):\n"
        "    try:\n        os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass\n"
        "print('still here')"
    )
    assert "still here" in value(sandbox, source)
    assert value(sandbox, "1 + 1") == "2"


@pytest.mark.skipif(not seccomp.available(), reason="libseccomp is not installed")
@pytest.mark.parametrize("call", ["unshare(1 << 28)", "ptrace(16, 1, 0, 0)", "mount(0, 0, 0, 0)"])
def test_dangerous_system_calls_are_refused(sandbox: Sandbox, call: str) -> None:
    load = "import ctypes\nlib = ctypes.CDLL(None, use_errno=True)\n"
    source = f"{load}print(lib.{call}, ctypes.get_errno())"
    assert value(sandbox, source).split() == ["-1", "1"]


def test_student_code_has_no_capabilities(sandbox: Sandbox) -> None:
    source = "print([line for line in open('/proc/self/status') if line[:3] in ('Cap', 'NoN')])"
    status = value(sandbox, source)
    assert "CapEff:\\t0000000000000000" in status
    assert "CapBnd:\\t0000000000000000" in status
    assert "NoNewPrivs:\\t1" in status


def test_daemons_do_not_survive(sandbox: Sandbox) -> None:
    mark = f"course-daemon-{os.getpid()}"
    source = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execv(sys.executable, ['python', '-c', 'input()', '{mark}'])\n"
        "    os._exit(0)\n"
        "time.sleep(0.3)"
    )
    run(sandbox, source)
    deadline = time.monotonic() + 5
    while (left := _commands_with(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def _commands_with(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if mark.encode() in command:
            found.append(str(path))
    return found


def test_sessions_do_not_see_each_other(sandbox: Sandbox) -> None:
    run(sandbox, "import builtins, numpy\nbuiltins.left = 1\nnumpy.left = 1")
    look = "import builtins, numpy\nprint([hasattr(m, 'left') for m in (builtins, numpy)])"
    assert value(sandbox, look).strip() == "[False, False]"


def test_magics_display_and_await_work(sandbox: Sandbox) -> None:
    runs = run(
        sandbox,
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "plt.plot([1, 2])\nplt.show()",
        "import asyncio\nawait asyncio.sleep(0)\n7",
        "_ + 1",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))",
        "%%time\nx = 1",
        "!echo shell",
        "print('out'); import sys; print('err', file=sys.stderr)",
    )
    assert [run.reason for run in runs] == [None] * 8, [run.message for run in runs]
    assert "image/png" in runs[1].outputs[0]["data"]
    assert text(runs[2]) == "7"
    assert text(runs[3]) == "8"
    assert runs[4].outputs[0]["data"]["text/html"] == "<b>x</b>"
    assert "shell" in text(runs[6])
    assert [o["name"] for o in runs[7].outputs] == ["stdout", "stderr"]


def test_a_cells_own_call_timeout_is_an_exception(sandbox: Sandbox) -> None:
    (done,) = run(sandbox, "class CallTimeout(BaseException): pass\nraise CallTimeout('mine')")
    assert done.reason is Reason.CELL_ERROR
    assert "CallTimeout: mine" in done.message


CALLS = """
import time
class CallTimeout(BaseException):
    pass
def sleep(seconds):
    time.sleep(seconds)
    return seconds
def time_out():
    raise CallTimeout("mine")
"""


def fault(student: Student, name: str, *args: Any) -> StudentFault:
    with pytest.raises(StudentFault) as caught:
        getattr(student, name)(*args)
    return caught.value


def test_a_limit_holds_for_every_call_of_its_test_and_is_named(sandbox: Sandbox) -> None:
    with sandbox.open() as session:
        session.run_cells([(0, CALLS)])
        backend = session.exercise()
        quick, usual = Student(backend, seconds=0.5), Student(backend)
        assert quick.sleep(0.01) == 0.01
        found = fault(quick, "sleep", 1.0)
        assert found.status is Status.TIMEOUT
        assert found.message == "sleep did not return within 0.5 s: a loop that never ends?"
        # The same process of the same exercise, another test: its own limit holds.
        assert usual.sleep(1.0) == 1.0
        assert fault(quick, "sleep", 0.01).message == found.message  # not waited for again
        found = fault(usual, "sleep", 60.0)
        assert f"within {sandbox.limits.call_seconds:g} s" in found.message
        assert fault(usual, "sleep", 0.01).message == found.message
        backend.close()


def test_a_call_that_a_longer_limit_allows_is_waited_for(sandbox: Sandbox) -> None:
    longer = sandbox.limits.call_seconds + 1.0
    with sandbox.open() as session:
        session.run_cells([(0, CALLS)])
        backend = session.exercise()
        patient = Student(backend, seconds=2 * longer)
        assert patient.sleep(longer) == longer
        found = fault(patient, "time_out")
        assert (found.status, found.message) == (
            Status.ERROR,
            'time_out raised CallTimeout: mine, in the line: raise CallTimeout("mine")',
        )  # fmt: skip
        backend.close()


def test_the_submissions_limit_is_named_where_it_ends_a_call(sandbox: Sandbox) -> None:
    limits = replace(sandbox.limits, submission_seconds=2.0, cell_seconds=1.0)
    with Sandbox(limits=limits) as own, own.open() as session:
        session.run_cells([(0, CALLS)])
        backend = session.exercise()
        student = Student(backend, seconds=30.0)
        found = fault(student, "sleep", 60.0)
        assert found.status is Status.TIMEOUT
        assert "the submission's 2 s were used up while sleep was running" in found.message
        assert "used up" in fault(student, "sleep", 0.01).message
        backend.close()


def test_zygote_that_dies_is_started_again(sandbox: Sandbox) -> None:
    with Sandbox(limits=sandbox.limits) as own:
        assert value(own, "1") == "1"
        own._started.process.kill()  # type: ignore[union-attr]
        own._started.process.wait()  # type: ignore[union-attr]
        assert value(own, "2") == "2"
