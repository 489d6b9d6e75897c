"""Groups of the kernel's: where they are looked for, and what a group does that has been made.

Limits themselves need a machine whose cgroup v2 has the controllers; where it has none, what is
tested is a group's life in the real hierarchy, and that the absence is noticed and said.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from conftest import LIMITS
from test_sandbox import run, value

from course_utils.ground.statuses import Reason
from course_utils.sandbox import cgroups
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import MIB, Limits

MOUNTED = cgroups.mounted_at(Path("/proc/self/mountinfo").read_text())
WRITABLE = MOUNTED is not None and os.access(MOUNTED / "cgroup.procs", os.W_OK)
with_hierarchy = pytest.mark.skipif(not WRITABLE, reason="no cgroup v2 hierarchy to write in")
with_limits = pytest.mark.skipif(
    cgroups.place().folder is None, reason=f"no limits by cgroup: {cgroups.place().detail}"
)


def test_the_hierarchy_is_found_among_mounts() -> None:
    lines = (
        "24 1 0:22 / /proc rw - proc proc rw\n"
        "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "32 23 0:28 / /sys/fs/cgroup/with\\040space rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
    )
    assert cgroups.mounted_at(lines) == Path("/sys/fs/cgroup/with space")
    assert cgroups.mounted_at(lines.split("\n", 1)[0]) is None
    assert cgroups.own_group("4:memory:/x\n0::/user.slice/a.scope\n") == "/user.slice/a.scope"
    assert cgroups.own_group("4:memory:/x\n") is None


def test_it_is_looked_for_above_ones_own_group() -> None:
    top = Path("/c")
    assert list(cgroups.above(top, "/a/b/c")) == [Path("/c/a/b"), Path("/c/a"), Path("/c")]
    assert list(cgroups.above(top, "/")) == [top]
    assert list(cgroups.above(top, "/../../outside")) == []


def test_the_same_limits_are_said_to_the_kernel() -> None:
    values = cgroups.settings(Limits(memory_bytes=300 * MIB, processes=20))
    assert values["memory.max"] == str(300 * MIB)
    assert int(values["pids.max"]) > 20


@with_hierarchy
def test_a_place_without_the_controllers_is_said_to_be_none() -> None:
    assert MOUNTED is not None
    have = set((MOUNTED / "cgroup.controllers").read_text().split())
    found = cgroups.place()
    if {"memory", "pids"} <= have:
        assert found.folder is not None or found.detail
    else:
        assert found.folder is None
        assert "without the controllers" in found.detail


@pytest.fixture
def group() -> Iterator[cgroups.Group]:
    assert MOUNTED is not None
    made = cgroups.Group(MOUNTED, {})
    yield made
    made.remove()


@with_hierarchy
def test_a_groups_members_end_with_it(group: cgroups.Group) -> None:
    with group.entrance() as entrance:
        enter = "echo 0 >&0; sleep 600 & exec sleep 600"
        with subprocess.Popen(["sh", "-c", enter], stdin=entrance) as member:
            members = group.folder / "cgroup.procs"
            while len(members.read_text().split()) < 2:
                assert member.poll() is None
            group.remove()
            assert member.wait(10) == -9
    while group.folder.exists():  # the other one is init's to bury
        group.remove()


@with_hierarchy
def test_a_group_can_be_entered_by_the_sandboxs_user() -> None:
    assert MOUNTED is not None
    before = {entry.name for entry in MOUNTED.iterdir()}
    cgroups.try_out(MOUNTED, {})
    assert {entry.name for entry in MOUNTED.iterdir()} == before


@with_hierarchy
def test_a_submissions_processes_are_members_and_the_group_goes_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the real hierarchy, with or without limits in it: cgroup.events stands in for the file of
    the same form that comes with the memory controller."""
    assert MOUNTED is not None
    monkeypatch.setattr(cgroups, "place", lambda: cgroups.Place(MOUNTED, "a test's"))
    monkeypatch.setattr(cgroups.Group, "events", lambda self: _open(self.folder / "cgroup.events"))
    source = "import subprocess\nsleeping = subprocess.Popen(['sleep', '60'])"
    with Sandbox(limits=LIMITS, preload=["numpy"]) as sandbox:
        with sandbox.open() as session:
            assert session.run_cells([(0, source)])[0].reason is None
            (made,) = MOUNTED.glob(f"course-{os.getpid()}-*")
            members = (made / "cgroup.procs").read_text().split()
            names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in members]
        assert len(members) == 3 and "sleep" in names, names  # besides it supervisor and runner
        assert not made.exists()


def _open(path: Path) -> BinaryIO:
    return open(path, "rb", buffering=0)


@with_hierarchy
def test_what_a_killed_worker_left_is_removed() -> None:
    assert MOUNTED is not None
    process = subprocess.Popen(["true"])
    process.wait()
    left = MOUNTED / f"course-{process.pid}-0"
    left.mkdir()
    cgroups._remove_left(MOUNTED)
    assert not left.exists()


@with_limits
def test_the_kernel_keeps_memory_where_the_watch_does_not_look() -> None:
    limits = replace(LIMITS, memory_bytes=192 * MIB, file_bytes=512 * MIB, cell_seconds=30)
    source = (
        "with open('/dev/shm/a', 'wb') as file:\n"
        "    for _ in range(400):\n        file.write(bytes(2**20))"
    )
    with Sandbox(limits=limits, preload=["numpy"]) as sandbox:
        (done,) = run(sandbox, source)
        assert done.reason is Reason.CELL_MEMORY
        assert value(sandbox, "1 + 1") == "2"
