"""What several test files share: a tiny lab, and one warm sandbox for the whole session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny import write_tiny_lab
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


class _ByFileAndLab(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Keeps what shares fixtures in one worker: a file, and in a file about all labs each lab.

    Marks of groups would say the same, but xdist 3.8 does not see them with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        lab = re.search(r"\[(lab\d\d_\w+)\]$", nodeid)
        return f"{nodeid.partition('::')[0]} {lab[1] if lab else ''}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByFileAndLab(config, log)


@pytest.fixture(scope="session")
def tiny_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.load(write_tiny_lab(tmp_path_factory.mktemp("course") / "solutions"))


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
