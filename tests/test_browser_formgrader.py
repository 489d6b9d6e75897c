"""Formgrader in a browser: an instructor makes an assignment, a TA grades by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_lab
from browser import asked_elsewhere, chromium, jupyterlab, needs_chromium, violations, visit
from class_of import course_with_class, expected, grade
from playwright.sync_api import Browser, Page, expect
from serving import Server
from test_course import read_csv, run
from tiny import TINY_LAB, as_bytes

from course_utils.sandbox import launch

# Half a minute by itself; beside the rest of the suite, minutes.
pytestmark = [
    needs_chromium, pytest.mark.timeout(900),
    pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail),
]  # fmt: skip

SIZE = 3
ANSWER = "The logits: $x_i - \\max_j x_j$ is at most 0."
REMARK = "Say *which* logits."


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with a graded class, and a lab that was not released yet."""
    root = course_with_class(tmp_path_factory.mktemp("course"), SIZE)
    handed_in = root / "submitted" / "s002" / TINY_LAB / "tiny.ipynb"
    notebook = json.loads(handed_in.read_bytes())
    (answer,) = (cell for cell in notebook["cells"] if cell["id"] == "written_why")
    answer["source"] = ANSWER
    handed_in.write_bytes(as_bytes(notebook))
    grade(root)
    small_lab.write(root)
    return root


@pytest.fixture(scope="module")
def server(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with jupyterlab(course, tmp_path_factory.mktemp("settings")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with visit(browser, server) as opened:
        yield opened


def test_an_instructor_makes_an_assignment(course: Path, server: Server, page: Page) -> None:
    elsewhere = asked_elsewhere(page, server)
    page.goto(f"{server.host}/formgrader")
    row = page.get_by_role("row").filter(has_text=small_lab.NAME)
    row.locator(".assign a").click()
    expect(page.get_by_role("dialog")).to_contain_text("Successfully created")
    released = course / "labs" / small_lab.NAME
    assert sorted(path.name for path in released.iterdir()) == ["small.ipynb", "test_public.py"]
    text = (released / "small.ipynb").read_text("utf-8")
    assert "softmax is not written yet" in text
    assert "BEGIN SOLUTION" not in text
    assert elsewhere == []


def listed(page: Page, server: Server, where: str) -> dict[str, float]:
    """Student → score, as one of formgrader's lists has them."""
    page.goto(f"{server.host}/formgrader/{where}")
    rows = page.locator("tbody tr", has_text=re.compile(r"s\d\d\d"))
    expect(rows).to_have_count(SIZE)
    texts = [row.inner_text() for row in rows.all()]
    found = [re.search(r"\t(s\d\d\d)\t.*?([\d.]+) / ", text) for text in texts]
    return {cells[1]: float(cells[2]) for cells in found if cells}


def test_a_ta_comments_and_gives_points(course: Path, server: Server, page: Page) -> None:
    """What is given by hand counts wherever a total stands."""
    marks = expected(SIZE)
    lists = [f"manage_submissions/{TINY_LAB}", "manage_students"]
    for place in lists:
        assert listed(page, server, place) == marks

    page.goto(f"{server.host}/formgrader/manage_students/s002/{TINY_LAB}")
    page.get_by_role("link", name="tiny", exact=True).click()
    expect(page.get_by_role("region", name="verdict on softmax")).to_be_visible()
    assert violations(page, "section[aria-label]") == []
    expect(page.locator(".nbgrader_cell math")).to_have_count(1)  # no script was to be had
    with page.expect_response(re.compile("/api/grade/")):
        page.locator("input#written_why").fill("1.5")
        page.keyboard.press("Tab")
    expect(page.get_by_text("For graders, not for students.").first).to_be_visible()
    with page.expect_response(re.compile("/api/comment/")):
        page.locator("#written_why-comment").fill(REMARK)
        page.keyboard.press("Tab")

    marks["s002"] += 1.5
    for place in lists:
        assert listed(page, server, place) == marks
    run("course", "grade", TINY_LAB, "--only", "changed", cwd=course)
    report = read_csv(course / "reports" / f"{TINY_LAB}.csv", "student")
    assert {who: float(row["score"]) for who, row in report.items()} == marks
    run("course", "feedback", TINY_LAB, cwd=course)
    page.goto((course / "feedback" / "s002" / TINY_LAB / "tiny.html").as_uri())
    expect(page.locator(".score")).to_have_text("3.5 of 7 points")
    expect(page.locator(".remarks")).to_contain_text(REMARK)
    assert violations(page, "body") == []

