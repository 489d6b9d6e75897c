"""What students with each known mistake see, as an instructor looks at it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import small_lab
from tiny import REPOSITORY

from course_utils.gate.preview import CLAIMS, NAMED, SILENT, page, preview
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.notebook.check import check
from course_utils.testing.catalogue import load

# A mistake that only a hidden test shows, and a whole implementation.
HIDDEN_ONLY = """
        "three_axes_refused": edit(
            "### BEGIN SOLUTION", "x = x if x.ndim < 3 else 0 * x", hint="Any shape will do.",
        ),
    },
    "softmax_nll_grad": {"""
WHOLE = """

from course_utils.testing import misconception


@misconception("softmax_nll_grad", hint="A constant <b>is</b> no gradient.")
def all_ones(logits, targets):
    print("I am called")
    return np.ones_like(logits)
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    mistakes = small_lab.MISCONCEPTIONS.replace(
        "\n    },\n    \"softmax_nll_grad\": {", HIDDEN_ONLY, 1
    )
    assert "three_axes_refused" in mistakes
    return small_lab.write(tmp_path, misconceptions=mistakes + WHOLE)


def test_every_mistake_is_there_with_what_is_said_of_it(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    found = preview(lab)
    assert {(exercise, seen.name) for exercise, some in found.items() for seen in some} == {
        (entry.exercise, entry.name) for entry in load(lab.misconceptions_path)
    }
    softmax = {seen.name: seen for seen in found["softmax"]}
    assert softmax["no_max_shift"].answered == NAMED
    assert "Most likely mistake: no max shift" in softmax["no_max_shift"].panel.text
    assert softmax["no_max_shift"].after == "shifted = x"
    assert softmax["three_axes_refused"].answered == SILENT
    assert "all hold" in softmax["three_axes_refused"].panel.text
    whole = next(seen for seen in found["softmax_nll_grad"] if seen.name == "all_ones")
    assert whole.before == "" and whole.after.startswith("def all_ones(logits, targets):")
    assert "I am called" not in capsys.readouterr().out


def test_the_panel_is_the_one_that_check_shows(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a student's folder, with the traces that are released."""
    from course_utils.diagnosis.kept import public_book
    from course_utils.gate.workbench import workbench_of

    public_book(lab).save(lab.traces_path)
    (seen,) = (one for one in preview(lab, ["softmax"])["softmax"] if one.name == "global_max")
    bench = workbench_of(lab.folder)
    (entry,) = (one for one in bench.misconceptions if one.name == "global_max")
    monkeypatch.chdir(lab.folder)
    namespace = {**bench.originals.with_entry(entry), "check": check}
    with pytest.raises(Exception, match="softmax: 1 of 5 public claims does not hold"):
        exec('check("softmax")', namespace)
    assert seen.panel.text in capsys.readouterr().out


def test_a_few_exercises_need_no_pairs_and_name_the_same(lab: Lab) -> None:
    """The traces of one exercise are taken where those in the folder are none, or old ones."""
    few, whole = preview(lab, ["softmax"]), preview(lab)
    assert list(few) == ["softmax"]
    assert [(one.name, one.answered) for one in few["softmax"]] == [
        (one.name, one.answered) for one in whole["softmax"]
    ]


def test_an_exercise_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(LabError, match="has no exercise 'soft'; its exercises are: softmax, soft"):
        preview(lab, ["soft"])


def test_the_page_is_inert_and_shows_both_sides(lab: Lab) -> None:
    found = preview(lab)
    text = page(lab, found)
    assert "default-src 'none'" in text and "<script" not in text and "<b>is</b>" not in text
    assert text.count('class="pair"') == sum(map(len, found.values())) == 10
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels[:3] == [1, 2, 3] and set(levels) == {1, 2, 3}
    assert CLAIMS not in text or any(s.answered == CLAIMS for v in found.values() for s in v)


def test_the_command_says_how_long_it_took(lab: Lab, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "course_utils.commands.cli", "preview", lab.name, "--as", "student",
         "--exercise", "softmax"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = f"{lab.name}: 5 mistakes in \\d+ s\npreview: reports/{lab.name}.preview.html\n"
    assert re.fullmatch(said, done.stdout)
    assert (tmp_path / "reports" / f"{lab.name}.preview.html").exists()


def test_a_real_exercise_is_named_throughout() -> None:
    """Lab 02's softmax, with the traces that lie beside it."""
    found = preview(Lab.find("lab02_softmax_nll", REPOSITORY), ["softmax"])["softmax"]
    assert len(found) > 20 and sum(seen.answered == NAMED for seen in found) > len(found) - 3
