"""What several test files share: a tiny lab, and one warm sandbox for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import write_tiny_lab

from course_utils.grading.judge import Grader
from course_utils.lab import Lab
from course_utils.sandbox import launch
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import Limits

# Short limits, so that tests of hanging code end soon; generous enough for a busy machine.
LIMITS = Limits(
    cell_seconds=4, call_seconds=3, submission_seconds=60, memory_bytes=384 * 2**20,
    output_bytes=100_000, processes=24,
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares fixtures in one worker: a file, and in a file about all labs each lab."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        lab = callspec.params.get("lab") if callspec is not None else None
        name = lab.name if isinstance(lab, Lab) else lab
        group = f"{item.path.stem}-{name}" if isinstance(name, str) else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def tiny_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.load(write_tiny_lab(tmp_path_factory.mktemp("course") / "solutions"))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    found = launch.probe()
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
