"""What student code cannot reach: the machine's settings, its own watchers, other submissions."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import walls
from conftest import LIMITS
from test_sandbox import run, text, value
from tiny import REPOSITORY

from course_utils.ground.errors import SandboxError
from course_utils.sandbox import identity
from course_utils.sandbox.client import Sandbox

IS_ROOT = identity.unprivileged() is not None
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root has rights to give up")


# -- whose processes they are


@as_root
def test_graded_by_root_every_process_is_an_ordinary_users(sandbox: Sandbox) -> None:
    with sandbox.open() as session:
        session.run_cells([(0, "import subprocess\nsleeping = subprocess.Popen(['sleep', '60'])")])
        inside = _descendants(sandbox)
        assert len(inside) >= 4  # zygote, supervisor, runner, sleep
        for pid in inside:
            status = Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":", 1) for line in status.splitlines())
            users = {*fields["Uid"].split(), *fields["Gid"].split()}
            assert users == {str(sandbox.hello["uid"])} and int(*users) >= 65534, fields["Name"]
            assert not fields["Groups"].split()
            assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
            assert int(fields["CapAmb"], 16) == int(fields["CapInh"], 16) == 0


def _descendants(sandbox: Sandbox) -> list[int]:
    """What runs in a sandbox: bubblewrap's process outside is not of it."""
    assert sandbox._started is not None
    found = [sandbox._started.process.pid]
    for pid in found:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(word) for word in path.read_text().split()]
    return found[1:]


@as_root
def test_folders_that_only_root_may_pass_through_do_not_matter(sandbox: Sandbox) -> None:
    """As where the interpreter lies in root's home; nothing of that is changed for it."""
    way = Path(os.path.realpath(sys.executable)).parents
    others = [folder for folder in way if not folder.stat().st_mode & stat.S_IXOTH]
    source = "import os, sys\nprint(os.access(os.path.realpath(sys.executable), os.X_OK))"
    assert value(sandbox, source).strip() == "True"
    assert all(not folder.stat().st_mode & stat.S_IXOTH for folder in others)


@as_root
def test_packages_that_only_root_may_read_are_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "course_utils"
    subprocess.run(["cp", "-r", str(REPOSITORY / "course_utils"), str(package)], check=True)
    package.chmod(0o700)
    monkeypatch.setattr("course_utils.sandbox.world.package_folder", lambda: package)
    with pytest.raises(SandboxError, match=r"cannot be read by user \d+.*chmod -R go\+rX"):
        Sandbox(limits=LIMITS).try_out()
    assert "may not read" in capfd.readouterr().err


# -- what is open for writing


def test_no_setting_of_the_machine_opens_for_writing(sandbox: Sandbox) -> None:
    assert value(sandbox, walls.OPEN_SETTINGS).strip() == "[]"


def test_nothing_of_another_process_opens_for_writing(sandbox: Sandbox) -> None:
    """Not its memory, not how soon it is killed where memory is short, not its name."""
    assert value(sandbox, walls.OPEN_PROCESSES).strip() == "[]"


def test_how_soon_one_is_killed_cannot_be_changed(sandbox: Sandbox) -> None:
    source = (
        "def adjust(value):\n"
        "    try:\n        open('/proc/self/oom_score_adj', 'w').write(value)\n"
        "    except OSError as error:\n        return error.errno\n"
        "print(adjust('-1'), adjust('0'), adjust('1000'))"
    )
    assert value(sandbox, source).split() == [str(errno.EROFS)] * 3


def test_the_first_process_tells_nothing_of_the_machine(sandbox: Sandbox) -> None:
    """Its command line has the interpreter, which is in plain sight, and no path besides."""
    source = "import sys\nprint(open('/proc/1/cmdline').read().split('\\0')[:-1])"
    words = eval(value(sandbox, source))
    assert "course_utils.sandbox.enter" in words
    assert [word for word in words if "/" in word] == [os.path.abspath(sys.executable)]


# -- two submissions


@pytest.fixture(scope="module")
def patient() -> Iterator[Sandbox]:
    """One whose cells may take the time to walk through all that there is."""
    with Sandbox(limits=replace(LIMITS, cell_seconds=120, submission_seconds=300)) as warm:
        yield warm


def test_two_submissions_share_nothing_that_can_be_written(patient: Sandbox) -> None:
    (left,) = run(patient, walls.LEAVE)
    assert text(left).strip() == "left", left.message
    assert value(patient, walls.FIND).strip() == "[]"


def test_what_finds_marks_finds_ones_own(patient: Sandbox) -> None:
    """So that finding none in another submission says something."""
    _, found = run(patient, walls.LEAVE, walls.FIND)
    assert found.reason is None, found.message
    for kind in ("/scratch/MARK", "/dev/shm/MARK", "abstract socket"):
        assert kind in text(found)


@as_root  # who may look at the namespaces of processes that hide themselves
def test_a_submissions_namespaces_are_its_own(sandbox: Sandbox) -> None:
    rename = (
        "import socket\n"
        "def write(name):\n    open('/proc/sys/kernel/hostname', 'w').write(name)\n"
        "for change in (write, socket.sethostname):\n"
        "    try:\n        change('mine')\n    except OSError:\n        pass\n"
        "print(socket.gethostname())"
    )
    assert value(sandbox, rename).strip() == "sandbox"
    with sandbox.open() as session:
        session.run_cells([(0, "1")])
        zygote, *others = _descendants(sandbox)
        kinds = ("user", "pid", "mnt", "ipc", "uts", "net")
        shared = {
            kind for kind in kinds for pid in others
            if os.readlink(f"/proc/{pid}/ns/{kind}") == os.readlink(f"/proc/{zygote}/ns/{kind}")
        }  # fmt: skip
    assert not shared


def test_submissions_of_two_workers_hear_nothing_of_each_other(sandbox: Sandbox) -> None:
    with Sandbox(limits=LIMITS, preload=["numpy"]) as other, other.open() as session:
        bind = "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0here')"
        assert session.run_cells([(0, bind)])[0].reason is None
        source = (
            "import socket\ns = socket.socket(socket.AF_UNIX)\n"
            "try:\n    s.connect('\\0here')\nexcept OSError as error:\n    print(error.errno)"
        )
        assert value(sandbox, source).split() == ["111"]


# -- when the worker goes


WORKER = (
    "import sys, time\nfrom course_utils.sandbox.client import Sandbox\n"
    "with Sandbox(preload=['numpy']) as sandbox, sandbox.open() as session:\n"
    "    session.run_cells([(0, 'import os\\nfor _ in range(2):\\n    if os.fork() == 0:\\n"
    "        os.setsid()\\n        while True:\\n            pass')])\n"
    "    print(sandbox._started.process.pid, flush=True)\n    time.sleep(600)\n"
)


def test_no_process_lives_on_when_the_worker_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        wrapper = int(worker.stdout.readline())
        inside = _below(wrapper)
        assert len(inside) >= 5
        worker.kill()
    deadline = time.monotonic() + 10
    while (left := [pid for pid in inside if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def _below(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for path in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(word) for word in path.read_text().split()]
    return found


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
