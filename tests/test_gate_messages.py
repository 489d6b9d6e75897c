"""What the gate says of a lab whose files are broken: file, line, what to do, in a sentence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_lab

from course_utils.gate.progress import PlainProgress
from course_utils.gate.verify import verify

PUBLIC, HIDDEN = small_lab.TEST_PUBLIC, small_lab.TEST_HIDDEN
WRONG, RIGHT = small_lab.MISCONCEPTIONS, small_lab.VARIANTS
NOTEBOOK = json.dumps(small_lab.notebook(), indent=1)


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def said(tmp_path: Path, **files: str) -> list[str]:
    """The findings on the small lab with other files."""
    lab = small_lab.write(tmp_path, **files)
    report = verify(lab, seeds=1, mutants=False, pairs=False, workers=1)
    assert not report.green
    for finding in report.findings:
        assert "Traceback" not in finding.sentence and "\n" not in finding.sentence
        assert len(finding.sentence) < 400
    return [finding.sentence for finding in report.findings]


def changed(name: str, change: Callable[[dict[str, Any]], object]) -> str:
    notebook = copy.deepcopy(small_lab.notebook())
    change(next(cell for cell in notebook["cells"] if cell["id"] == name))
    return json.dumps(notebook, indent=1)


def swapped(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"notebook": changed("check_softmax", lambda c: c["metadata"]["nbgrader"].pop("points"))},
         "small.ipynb, cell 4 (check_softmax): the check cell of softmax has no points"),
        ({"notebook": swapped(NOTEBOOK, '"cells": [', '"cells": [,')},
         "small.ipynb, line 2: this is no JSON"),
        ({"notebook": "[]"}, "small.ipynb: this is no notebook"),
        ({"notebook": changed("setup", lambda c: c.update(source="import numpy as np\nx = (1"))},
         "small.ipynb, cell 1 (setup), line 2: this is no Python"),
        ({"notebook": changed("setup", lambda c: c.update(source="import numpy as np\n1 / 0"))},
         "small.ipynb, cell 1 (setup), line 2: the solution raises ZeroDivisionError"),
        ({"test_public": swapped(PUBLIC, "def logits(rng):", "def logits(rng)")},
         "test_public.py, line 28: this is no Python"),
        ({"misconceptions": swapped(WRONG, '"no_mean": edit(', '"no_mean": edit((')},
         "hidden/misconceptions.py, line 40: this is no Python"),
        ({"test_public": swapped(PUBLIC, "import pytest\n", "import sklern\n")},
         "test_public.py, line 3: the file cannot be imported (ModuleNotFoundError"),
        ({"variants": swapped(RIGHT, "import variant", "import varient")},
         "hidden/variants.py, line 4: the file cannot be imported (ImportError"),
        ({"misconceptions": swapped(WRONG, 'hint="The axis argument is ignored."', 'hint=""')},
         "hidden/misconceptions.py, line 19: the file cannot be imported (ValueError"),
        ({"misconceptions": swapped(WRONG, '" / n", ""', '" / m", ""')},
         "hidden/misconceptions.py, line 31: no_mean of softmax_nll_grad edits ' / m'"),
        ({"test_public": swapped(PUBLIC, "x = rng.normal(size=(3, 5))", "x = rgn.normal(size=3)")},
         "test_public.py, line 49, in test_first_axis: NameError: name 'rgn' is not defined: mend "
         "the test, this is no fault of a solution"),
        ({"test_public": swapped(PUBLIC, "return 3 * rng", "return 3 * rgn")},
         "test_public.py, line 29, in test_rows_sum_to_one: NameError: name 'rgn' is not defined"),
        ({"test_public": swapped(PUBLIC, "np.array([[1000.0]", "np.arrray([[1000.0]")},
         "test_public.py, line 41, in test_large_logits: AttributeError"),
        ({"test_hidden": swapped(HIDDEN, '"softmax", stated', '"sofmax", stated')},
         "hidden/test_hidden.py, line 7: test_three_dimensions names the exercise sofmax, for "
         "which the notebook has no check cell; did you mean softmax?"),
        ({"test_public": swapped(PUBLIC, "test_input_kept(student, logits)",
                                 "test_input_kept(student, logit)")},
         "test_public.py, line 54: test_input_kept asks for the fixture logit, which there is not; "
         "did you mean logits?"),
        ({"test_public": swapped(PUBLIC, 'stated="stable"', 'statde="stable"')},
         "test_public.py, line 38: @exercise of test_large_logits has no argument statde; did you "
         "mean stated?"),
        ({"test_public": swapped(PUBLIC, 'about="arguments"', 'about="argument"')},
         "test_public.py, line 53: test_input_kept is about='argument'"),
        ({"test_public": swapped(PUBLIC, 'stated="stable"', 'stated="stable", forbid=["torch.x"]')},
         "test_public.py, line 38: test_large_logits forbids torch.x, which cannot be found"),
    ],
)  # fmt: skip
def test_broken_files_are_named_by_line(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    findings = said(tmp_path, **files)
    assert len(findings) == 1 and findings[0].startswith(sentence), findings


def test_a_solution_that_raises_is_one_sentence_an_exercise(tmp_path: Path) -> None:
    broken = small_lab.GRAD.replace("    return h", '    raise ValueError("bad")\n    return h')
    notebook = changed("softmax_nll_grad", lambda c: c.update(source=broken))
    findings = [one for one in said(tmp_path, notebook=notebook) if "bad" in one]
    assert findings == [
        "small.ipynb, cell 6: the solution of softmax_nll_grad does not get through test_gradient "
        "and 2 more (softmax_nll_grad raised ValueError: bad, in the line: raise "
        'ValueError("bad")): mend the solution, or the test that calls it'
    ]


def test_a_test_that_cannot_use_the_right_answer_names_its_line(tmp_path: Path) -> None:
    call = "student.softmax(x, axis=0)"
    tests = swapped(PUBLIC, f"{call}, ref", f"{call} + {{}}, ref")
    (finding,) = said(tmp_path, test_public=tests)
    assert finding.startswith("test_public.py, line 50: test_first_axis of softmax cannot use what")


def test_an_exercise_that_was_asked_for_and_is_not_there(tmp_path: Path) -> None:
    report = verify(small_lab.write(tmp_path), only=["sofmax"])
    assert "there is no exercise sofmax; there are softmax" in report.render()


def test_a_log_has_a_line_at_both_ends_of_a_part_and_now_and_then_between() -> None:
    lines: list[str] = []
    now = [0.0]
    show = PlainProgress(lines.append, lambda: now[0])
    for done in range(101):
        show("seeds", done, 100)
        now[0] += 1
    show("pairs", 0, 0)
    assert lines == [
        "seeds 0/100", "seeds 20/100, about 80 s left", "seeds 40/100, about 60 s left",
        "seeds 60/100, about 40 s left", "seeds 80/100, about 20 s left", "seeds 100/100",
    ]  # fmt: skip
