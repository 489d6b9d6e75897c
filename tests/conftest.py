"""What several test files share: a tiny lab, and one warm sandbox for the whole session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY_LAB, write_tiny_course, write_tiny_lab
from xdist.scheduler import LoadScopeScheduling

from course_utils.grading.judge import Grader
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import Limits

# Short limits, so that tests of hanging code end soon; generous enough for a busy machine.
LIMITS = Limits(
    cell_seconds=4, call_seconds=3, submission_seconds=60, memory_bytes=384 * 2**20,
    output_bytes=100_000, processes=24,
)  # fmt: skip


# What takes longest, the longest first: files, and in files about all labs each lab by itself.
_LONG = (
    "test_labs lab07", "test_labs lab06", "test_labs lab05", "test_labs lab04", "test_labs lab03",
    "test_labs lab02", "test_labs lab01", "test_far_device lab07", "test_gate", "test_two_ways",
    "test_readme", "test_class_run", "test_browser_notebook", "test_course", "test_hostile_class",
    "test_class_plan", "test_cluster", "test_notebook_kernel", "test_browser_formgrader",
    "test_far_device", "test_class_seed", "test_gradebooks", "test_attacks",
)


def _group(nodeid: str) -> str:
    """What stays in one worker, since it shares fixtures: a file, or a lab of it."""
    lab = re.search(r"\[(lab\d\d)_\w+\]$", nodeid)
    name = nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py")
    return f"{name} {lab[1]}" if lab else name


class _ByFileAndLab(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives out groups of tests in their order.

    Marks of groups would say the same, but xdist 3.8 does not see them with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left with it in the end."""
    items.sort(key=lambda item: _place(_group(item.nodeid)))


def _place(group: str) -> int:
    return _LONG.index(group) if group in _LONG else len(_LONG)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # else what has the most tests comes first
    return _ByFileAndLab(config, log)


@pytest.fixture(scope="session")
def tiny_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.load(write_tiny_lab(tmp_path_factory.mktemp("course") / "solutions"))


@pytest.fixture(scope="session")
def released_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with its one lab released and in the gradebook; to be copied by who changes it."""
    from course_utils.gate.release import release  # nbgrader, which few tests need
    from course_utils.grading.course import Course

    course = Course(write_tiny_course(tmp_path_factory.mktemp("released") / "course"))
    release(course, Lab.find(TINY_LAB, course.root))
    return course.root


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    found = launch.availability()
    if not found.works:
        pytest.skip(f"bubblewrap does not work here: {found.detail}")
    with Sandbox(limits=LIMITS) as warm:
        yield warm


@pytest.fixture(scope="session")
def grader(tiny_lab: Lab, sandbox: Sandbox) -> Grader:
    return Grader(tiny_lab, sandbox)


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    return tmp_path / "tiny.ipynb"
