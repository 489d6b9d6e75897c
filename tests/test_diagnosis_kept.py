"""The names under which traces are kept: each is made of everything that they depend on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import small_lab

from course_utils.diagnosis import kept
from course_utils.diagnosis.kept import name_of
from course_utils.ground.lab import Lab

PACKAGE = Path(kept.__file__).parent.parent


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return small_lab.write(tmp_path)


def added(file: str) -> Callable[[Lab], Lab]:
    """A line more in a file of the lab."""

    def change(lab: Lab) -> Lab:
        path = lab.folder / file
        path.write_text(path.read_text("utf-8") + "\n# more\n", "utf-8")
        return Lab.load(lab.folder)

    return change


def other_cell(lab: Lab) -> Lab:
    text = lab.notebook_path.read_text("utf-8")
    lab.notebook_path.write_text(text.replace("e = np.exp(shifted)", "e = np.exp(shifted) "))
    return Lab.load(lab.folder)


def other_prose(lab: Lab) -> Lab:
    text = lab.notebook_path.read_text("utf-8")
    assert "A row is an example." in text
    lab.notebook_path.write_text(text.replace("A row is an example.", "A row is one example."))
    return Lab.load(lab.folder)


@pytest.mark.parametrize(
    ("change", "public", "hidden"),
    [
        (added("test_public.py"), True, True),
        (added("hidden/misconceptions.py"), True, True),
        (added("hidden/variants.py"), True, True),
        (other_cell, True, True),
        (added("hidden/test_hidden.py"), False, True),  # under public tests nothing rests on it
        (other_prose, False, False),
    ],
    ids=["public tests", "misconceptions", "variants", "a cell", "hidden tests", "prose"],
)
def test_the_name_changes_with_the_labs_files(
    lab: Lab, change: Callable[[Lab], Lab], public: bool, hidden: bool
) -> None:
    before = name_of(lab), name_of(lab, "softmax", "0")
    changed = change(lab)
    assert (name_of(changed) != before[0]) is public
    assert (name_of(changed, "softmax", "0") != before[1]) is hidden


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("ground/closeness.py", True), ("calls/dispatcher.py", True), ("verdict/outcome.py", True),
        ("testing/run.py", True), ("diagnosis/record.py", True), ("sandbox/session.py", False),
        ("grading/judge.py", False), ("gate/verify.py", False),
    ],
)  # fmt: skip
def test_the_name_changes_with_the_code_that_takes_traces(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, matters: bool
) -> None:
    copy = tmp_path / "course_utils"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = name_of(lab)
    monkeypatch.setattr(kept, "__file__", str(copy / "diagnosis" / "kept.py"))
    assert name_of(lab) == before  # wherever the package lies
    (copy / file).write_text((copy / file).read_text("utf-8") + "\n# more\n", "utf-8")
    assert (name_of(lab) != before) is matters


def test_the_name_tells_exercises_and_what_is_kept_apart(lab: Lab) -> None:
    names = [
        name_of(lab), name_of(lab, "softmax"), name_of(lab, "softmax", "1"),
        name_of(lab, "softmax", "2"), name_of(lab, "softmax_nll_grad", "1"),
    ]  # fmt: skip
    assert len(set(names)) == len(names)
    assert all(name.startswith("lab90_small-") and name.endswith(".kept") for name in names)


def test_the_seed_of_a_class_cannot_be_read_in_the_name(lab: Lab) -> None:
    assert "918273" not in name_of(lab, "softmax", "918273")
