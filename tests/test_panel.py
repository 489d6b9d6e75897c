"""What a student reads of a verdict: the same panel after ``check`` and after grading."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import write_tiny_lab

from course_utils.calls.digest import returned
from course_utils.grading import feedback
from course_utils.grading.totals import CellMark, StudentMarks
from course_utils.ground.errors import NotebookError
from course_utils.ground.mismatch import Mismatch
from course_utils.ground.statuses import Aspect, Status, SubmissionStatus
from course_utils.notebook import patience
from course_utils.notebook.cells import defining_cell
from course_utils.notebook.public_tests import PublicTests
from course_utils.verdict import panel, render
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import Diagnosis, TestOutcome
from course_utils.verdict.render import Panel, Sign, printable
from course_utils.verdict.submission import SubmissionResult

DERIVATION = "step 2: shifting all logits"
UNJUDGED = "cannot be judged before the values are right"


def outcome(status: Status = Status.PASSED, message: str = "", **fields: Any) -> TestOutcome:
    """A test's outcome; one that failed has met a wrong value."""
    claim = fields.pop("claim", f"Claim {next(_numbers)}.")
    hidden = fields.pop("hidden", False)
    if status is Status.FAILED:
        wrong = Mismatch(message, kind="value", actual=np.ones(1), expected=np.zeros(1))
        fields.setdefault("mismatch", wrong)
    return TestOutcome("test_it", "softmax", claim, hidden, 1.0, status, message=message, **fields)


_numbers = iter(range(10**6))


def shown(
    *outcomes: TestOutcome, diagnosis: Diagnosis | None = None, points: float = 4.0
) -> Panel:
    """The verdict as it stands on the feedback page."""
    return feedback.exercise_panel(
        ExerciseResult("softmax", points, outcomes, diagnosis, DERIVATION)
    )


class _Balance(HTMLParser):
    """Says whether every tag is closed, and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def well_formed(html: str) -> bool:
    parser = _Balance()
    parser.feed(html)
    parser.close()
    return not parser.open


# -- order


def test_the_diagnosis_comes_first_then_failures_and_the_rest_is_folded() -> None:
    seen = shown(
        outcome(claim="Rows sum to 1."),
        outcome(Status.UNJUDGED, UNJUDGED, claim="float32 stays.", about=Aspect.FORM),
        outcome(Status.FAILED, "you 0.2, torch 0.7", claim="Values."),
        outcome(claim="Columns sum to 1."),
        diagnosis=Diagnosis("no_max_shift", "Subtract the maximum first.", ("it is NaN",)),
    )
    assert seen.text.splitlines() == [
        "◐ softmax · 1 of 4 points · public 2/4",
        "  Most likely mistake: no max shift",
        "    Subtract the maximum first.",
        "    Also seen: it is NaN",
        f"    Where to look: {DERIVATION}",
        "  ✗ Values.",
        "      you 0.2, torch 0.7",
        "  – float32 stays.",
        f"      {UNJUDGED}",
        "  also: 2 claims hold",
    ]
    order = [
        seen.html.index(part)
        for part in ("Most likely", "Values.", "float32", "<details", "2 claims", "Rows", "Columns")
    ]
    assert order == sorted(order)
    assert "<details open" not in seen.html
    assert well_formed(seen.html)


def test_where_all_is_right_check_lists_and_feedback_folds() -> None:
    right = [outcome(claim="One."), outcome(claim="Two.", relative_error=3e-16, tolerance=1e-8)]
    listed = panel.verdict("softmax", "fine", right, label="check", fold_right=False)
    assert listed.text.splitlines()[1:] == [
        "  ✓ One.", "  ✓ Two.", "      relative error 3e-16, expected below 1e-8",
    ]  # fmt: skip
    assert "<details" not in listed.html
    folded = shown(*right)
    assert folded.text.splitlines() == [
        "✓ softmax · 4 of 4 points · public 2/2", "  also: 2 claims hold",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("diagnosis", "heading"),
    [
        (Diagnosis("no_shift, and no_mean", "h"), "Most likely mistake: no shift, and no mean"),
        (Diagnosis("no_shift", "h", sure=False), "Part of it looks like: no shift"),
        (Diagnosis("constant_factor", "h", named=False), "What the numbers say"),
        (Diagnosis("sign", "h", sure=False, named=False), "Part of it: what the numbers say"),
        (Diagnosis("timeout", "h"), "What happened"),
    ],
)
def test_the_heading_is_as_sure_as_the_diagnosis(diagnosis: Diagnosis, heading: str) -> None:
    lines = shown(outcome(Status.FAILED, "off"), diagnosis=diagnosis).text.splitlines()
    assert lines[1] == f"  {heading}"


def test_a_finding_about_no_numbers_is_not_called_one() -> None:
    found = Diagnosis("nothing_returned", "Is the return statement missing?", named=False)
    text = shown(outcome(Status.FAILED, "not None", mismatch=NONE), diagnosis=found).text
    assert text.splitlines()[1] == "  What was seen"


@pytest.mark.parametrize("name", ["error", "forbidden"])
def test_a_diagnosis_says_nothing_that_the_claims_say_better(name: str) -> None:
    seen = shown(outcome(Status(name), "it raised"), diagnosis=Diagnosis(name, "It raised."))
    assert seen.text.splitlines()[1].startswith("  ✗ Claim")


def test_a_detail_that_a_claim_says_is_not_repeated() -> None:
    slow = Diagnosis("timeout", "Look for a loop.", ("softmax took more than 3 s",))
    seen = shown(outcome(Status.TIMEOUT, "softmax took more than 3 s"), diagnosis=slow)
    assert seen.text.count("softmax took more than 3 s") == 1


# -- where to look


NONE = Mismatch("not None", kind="type", actual=None, expected=np.zeros(2))
SHAPE = Mismatch("shape", kind="shape", actual=np.zeros(3), expected=np.zeros(2))


@pytest.mark.parametrize(
    ("met", "helps"),
    [
        (outcome(Status.FAILED, "off"), True),
        (outcome(Status.FAILED, "it costs", mismatch=None, trace=[returned(2.0)]), True),
        (outcome(Status.FAILED, "it costs", mismatch=None, trace=[returned(None)]), False),
        (outcome(Status.FAILED, "should not be None", mismatch=NONE), False),
        (outcome(Status.FAILED, "has shape (3,)", mismatch=SHAPE), False),
        (outcome(Status.FAILED, "changes its argument", about=Aspect.ARGUMENTS), False),
        (outcome(Status.ERROR, "softmax raised NameError: name 'ee' is not defined"), False),
        (outcome(Status.TIMEOUT, "softmax took more than 3 s"), False),
        (outcome(Status.FORBIDDEN, "torch.softmax may not be called here"), False),
    ],
)
def test_the_derivation_is_named_only_where_values_are_wrong(
    met: TestOutcome, helps: bool
) -> None:
    assert ("Where to look" in shown(met, outcome()).text) is helps
    named = shown(met, outcome(), diagnosis=Diagnosis("a_mistake", "Mend it."))
    assert (DERIVATION in named.text) is helps


# -- what is said once


def test_one_reason_for_many_claims_is_said_once() -> None:
    raised = "raised NameError: name 'ee' is not defined"
    seen = shown(
        outcome(Status.ERROR, f"softmax {raised}", claim="First."),
        *(outcome(Status.ERROR, f"softmax {raised}", claim=f"Other {n}.") for n in range(3)),
        *(outcome(Status.UNJUDGED, f"cannot be judged: softmax {raised}") for _ in range(2)),
    )
    assert seen.text.splitlines()[1:] == [
        "  ✗ First.",
        f"      softmax {raised}",
        "  ✗ 3 more claims do not hold, for the same reason",
        "  – 2 claims cannot be judged, for the same reason",
    ]
    assert all(f"Other {n}." in seen.html for n in range(3))
    two = shown(outcome(Status.ERROR, raised), outcome(Status.ERROR, raised, claim="Second."))
    assert two.text.splitlines()[3:] == ["  ✗ Second.", "      (for the same reason)"]


def test_unjudged_claims_are_one_quiet_line_and_not_called_failing() -> None:
    seen = shown(
        outcome(Status.FAILED, "off"),
        *(outcome(Status.UNJUDGED, UNJUDGED, hidden=hidden) for hidden in (False, True) * 2),
    )
    assert seen.text.splitlines()[-2:] == [
        f"  – 2 claims {UNJUDGED}", "  – 2 hidden claims cannot be judged yet",
    ]  # fmt: skip
    assert seen.text.count("✗") == 2  # the exercise, and the claim that fails
    assert 'aria-label="not judged yet"' in seen.html


def test_an_unjudged_claim_says_why_where_nothing_else_does() -> None:
    reason = "cannot be judged: softmax raised TypeError: float32"
    assert f"      {reason}" in shown(outcome(), outcome(Status.UNJUDGED, reason)).text


def test_claims_of_the_same_words_are_told_apart() -> None:
    many = [
        replace(outcome(claim="It costs nothing."), test=f"test_it[{number}]")
        for number in range(2)
    ]
    text = panel.verdict("nll", "t", many, label="l", fold_right=False).text
    assert "It costs nothing. (0)" in text and "It costs nothing. (1)" in text


# -- hidden tests


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.PASSED])
def test_a_hidden_test_tells_nothing_of_what_it_saw(status: Status) -> None:
    secret = "SECRET: softmax raised SECRET is not written yet"
    hidden = [
        outcome(status, secret, hidden=True, relative_error=0.123, tolerance=1e-8)
        for _ in range(3)
    ]
    for seen in (shown(outcome(), *hidden), shown(*hidden), shown(outcome(), hidden[0])):
        assert "SECRET" not in seen.text + seen.html
        assert "0.12" not in seen.text + seen.html


def test_where_only_hidden_claims_fail_it_says_so() -> None:
    only_hidden = shown(outcome(), outcome(Status.FAILED, "SECRET", hidden=True, claim="Empty."))
    assert "✗ Empty. (hidden)" in only_hidden.text
    assert "All public claims hold. The hidden ones were asked of inputs" in only_hidden.text
    both = shown(outcome(Status.FAILED, "off"), outcome(Status.FAILED, "SECRET", hidden=True))
    assert "All public claims hold" not in both.text


def test_hidden_calls_that_ended_alike_are_one_line() -> None:
    seen = shown(
        outcome(Status.TIMEOUT, "softmax took more than 3 s"),
        *(outcome(Status.TIMEOUT, "SECRET", hidden=True) for _ in range(4)),
    )
    assert "✗ 4 hidden claims do not hold: the call did not return in time" in seen.text


# -- the feedback page


def test_an_exercise_that_is_not_there_is_one_line() -> None:
    stub = shown(*(outcome(Status.NOT_WRITTEN, "lab00 · softmax is not written yet") for _ in "ab"))
    assert stub.text == "○ softmax · 0 of 4 points · not written yet"
    gone = shown(outcome(Status.MISSING, "the notebook does not define softmax"))
    assert gone.text == "○ softmax · 0 of 4 points · the notebook does not define softmax"


def test_an_exercise_without_tests_does_not_look_right() -> None:
    assert shown().text.startswith("✗ softmax · 0 of 4 points")


def test_the_page_shows_points_and_escapes_everything() -> None:
    bad = "<script>alert('&')</script>"
    exercise = ExerciseResult(
        "softmax", 4.0, (outcome(Status.FAILED, bad, claim=f"Claim {bad}."), outcome()),
        Diagnosis("a<b", bad, (bad,)), bad,
    )  # fmt: skip
    result = SubmissionResult(
        "lab00_tiny", bad, SubmissionStatus.GRADED, 4.0, (exercise,), environment={"python": bad}
    )
    marks = StudentMarks(
        {
            "check_softmax": CellMark(1.0, None, 0.0, 4.0, to_grade=False),
            "written_why": CellMark(None, None, 0.0, 2.0, to_grade=True),
        },
        {"written_why": bad},
    )
    page = feedback.page(result, marks)
    assert "<script" not in page
    assert "1 <small>of 6 points" in page and "1 of 4 points" in page and "public 1/2" in page
    assert "1 automatic · 1 answer is still to be graded by hand" in page
    assert re.search(r'<td class="points">1 / 4</td>', page)
    assert well_formed(re.sub(r"<(!DOCTYPE|meta)[^>]*>", "", page))
    assert exercise.to_dict()["diagnosis"] == {"name": "a<b", "hint": bad}


def test_the_page_shows_the_panel_that_stands_in_the_notebook() -> None:
    exercise = ExerciseResult("softmax", 4.0, (outcome(Status.FAILED, "off"), outcome()))
    written = feedback.exercise_panel(exercise)
    result = SubmissionResult(
        "lab00_tiny", "ada", SubmissionStatus.GRADED, 4.0, (exercise,),
        panels={"softmax": Panel(written.text, f"{written.html}<!-- the same -->")},
    )  # fmt: skip
    page = feedback.page(result, StudentMarks())
    assert page.count("<!-- the same -->") == 1
    assert feedback.page(result.without_notebook(), StudentMarks()) == page.replace(
        "<!-- the same -->", ""
    )


def test_the_page_begins_with_where_most_was_lost() -> None:
    """As the marks count in the end: what a person has given back is not lost."""

    def exercise(name: str, points: float, *outcomes: TestOutcome, **more: Any) -> ExerciseResult:
        return ExerciseResult(name, points, outcomes, **more)

    result = SubmissionResult("lab00_tiny", "ada", SubmissionStatus.GRADED, 20.0, (
        exercise("small", 1.0, outcome(Status.FAILED, "off")),
        exercise("right", 5.0, outcome()),
        exercise("named", 4.0, outcome(Status.FAILED, "off"),
                 diagnosis=Diagnosis("no_shift", "Subtract `max` <first>.")),
        exercise("given_back", 6.0, outcome(Status.FAILED, "off")),
        exercise("hidden", 3.0, outcome(Status.FAILED, "SECRET", hidden=True, claim="All do.")),
        exercise("later", 2.0, outcome(Status.NOT_WRITTEN, "not written yet")),
    ))  # fmt: skip
    marks = StudentMarks(
        {"check_given_back": CellMark(0.0, 6.0, 0.0, 6.0, to_grade=False)},
        {"written_why": "Well!", "later": "No response."},
    )
    page = feedback.page(result, marks)
    first = page.partition("Look at this first")[2].partition("<h2")[0]
    assert re.findall(r'<li><a href="#(\w+)">', first) == ["named", "hidden", "small"]
    assert "Most likely mistake: no shift." in first
    assert re.search(r"Subtract <code[^>]*>max</code> &lt;first&gt;\.", first)
    assert "A hidden claim does not hold." in first and "All do." in first
    assert "SECRET" not in page
    assert "Nothing to judge yet: <a" in first and "2 points in all" in first
    assert '<a href="#comments">1 comment</a>' in page
    assert "<dd>Well!</dd>" in page and "No response: later." in page
    assert page.index('id="comments"') > page.index('id="named"')
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels))


def test_where_nothing_was_lost_there_is_nothing_to_look_at() -> None:
    exercise = ExerciseResult("softmax", 4.0, (outcome(),))
    result = SubmissionResult("lab00_tiny", "ada", SubmissionStatus.GRADED, 4.0, (exercise,))
    assert "Look at this first" not in feedback.page(result, StudentMarks())


def test_what_steers_a_terminal_is_taken_out() -> None:
    raised = "\x1b[31mred\x1b[0m\x00\x07 \ud800 \u202eline\u2066\nnext\tcolumn\x9b"
    assert printable(raised) == "red ? line\nnext\tcolumn"
    seen = shown(outcome(Status.ERROR, raised))
    (seen.text + seen.html).encode("utf-8")
    assert "\x1b" not in seen.text + seen.html


def test_every_state_has_a_text_for_screen_readers() -> None:
    html = shown(outcome(), outcome(Status.FAILED, "off"), outcome(Status.UNJUDGED, UNJUDGED)).html
    assert 'aria-label="verdict on softmax"' in html
    for sign in (Sign.HOLDS, Sign.FAILS, Sign.UNJUDGED):
        assert f'role="img" aria-label="{sign.value[1]}"' in html


# -- which cell, which exercise


def notebook_file(folder: Path, *cells: tuple[str, str]) -> None:
    made = [
        {
            "cell_type": "code", "source": code,
            "metadata": {"nbgrader": {"grade_id": name, "solution": name != "setup"}},
        }
        for name, code in cells
    ]  # fmt: skip
    (folder / "lab.ipynb").write_text(json.dumps({"cells": made}), "utf-8")


def test_the_cell_that_defines_a_name_is_found(tmp_path: Path) -> None:
    notebook_file(
        tmp_path,
        ("setup", "import numpy as np\nimport matplotlib.pyplot as plt\nfrom torch import nn"),
        ("shift", "@torch.no_grad()\ndef numerator(x):\n    pass\n\nclass Net(nn.Module): pass"),
        ("half", "def half_written(x:\n    return"),
        ("", "rng, seed = make(), 3"),
    )
    words = {
        name: cell.words if (cell := defining_cell(tmp_path, name)) else None
        for name in ("np", "plt", "nn", "numerator", "Net", "half_written", "seed", "pyplot")
    }
    top = "the setup cell at the top"
    assert words == {
        "np": top, "plt": top, "nn": top,
        "numerator": "the cell with `def numerator(x):`",
        "Net": "the cell with `class Net(nn.Module): pass`",
        "half_written": "the cell with `def half_written(x:`",
        "seed": "the cell with `rng, seed = make(), 3`",
        "pyplot": None,
    }  # fmt: skip
    found = defining_cell(tmp_path, "Net")
    assert found is not None and found.exercise == "shift"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}', "\x00"])
def test_a_damaged_notebook_file_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.ipynb").write_text(text, "utf-8")
    assert defining_cell(tmp_path, "np") is None


def test_an_exercise_is_found_by_its_functions(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    tests = PublicTests(folder)

    def softmax(x: Any) -> Any:
        return x

    class scale:  # noqa: N801
        pass

    assert tests.require("softmax", {}) == tests.require(softmax, {}) == "softmax"
    assert tests.require(scale, {}) == "scale"
    unnamed = lambda x: x  # noqa: E731
    assert tests.require(unnamed, {"scale": unnamed}) == "scale"
    notebook_file(folder, ("setup", "import numpy"), ("scale", "def factor(x): return x"))
    assert tests.require("factor", {}) == "scale"
    with pytest.raises(NotebookError, match=r"no exercise 'SOFTMAKS'. Did you mean 'softmax'\?"):
        tests.require("SOFTMAKS", {})
    with pytest.raises(NotebookError, match="not for the number 3"):
        tests.require(3, {})
    with pytest.raises(NotebookError, match="not for None"):
        tests.require(None, {})


# -- patience


def test_a_long_call_is_mentioned_once_and_no_thread_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panels: list[Panel] = []
    after: list[Panel] = []

    class Handle:
        update = staticmethod(after.append)

    def show(panel: Panel) -> Handle:
        panels.append(panel)
        return Handle()

    monkeypatch.setattr(render, "show", show)
    with patience.Watch(0.02) as watch:
        for _ in range(3):
            with watch.call("softmax"):
                time.sleep(0.1)
    assert [shown.text.partition(" s.")[0] for shown in panels] == [
        "… softmax · still running after 0.02"
    ]
    assert "Interrupt" in panels[0].text
    assert [re.sub(r"0\.[12]\d*", "0.1", shown.text) for shown in after] == [
        "… softmax · one call ran for 0.1 s."
    ]
    assert patience.NAME not in {thread.name for thread in threading.enumerate()}


def test_short_calls_are_not_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    panels: list[Panel] = []
    monkeypatch.setattr(render, "show", panels.append)
    with patience.Watch(60) as watch:
        for _ in range(20):
            with watch.call("softmax"):
                pass
    assert panels == []
    assert patience.NAME not in {thread.name for thread in threading.enumerate()}


def test_a_probe_is_called_by_its_exercises_name(tmp_path: Path) -> None:
    folder = write_tiny_lab(tmp_path)
    text = (folder / "test_public.py").read_text("utf-8")
    text += (
        "\nfrom course_utils.testing import probe\n\n@probe\ndef inner_helper(student, x):\n"
        "    return student.scale(x, 1.0)\n\n\n@exercise('scale')\ndef test_probe(student):\n"
        '    """It runs."""\n    student.run(inner_helper, 1.0)\n'
    )
    (folder / "test_public.py").write_text(text, "utf-8")

    def scale(x: Any, factor: float) -> Any:
        if isinstance(x, float):
            raise KeyboardInterrupt
        return factor * x

    with pytest.raises(NotebookError, match="Stopped while scale was running"):
        PublicTests(folder).run({"scale": scale}, ["scale"])
    assert patience.NAME not in {thread.name for thread in threading.enumerate()}


# -- exceptions of classes that students have made


def named(name: str, base: type[BaseException], **members: Any) -> type[BaseException]:
    return type(name, (base,), members)


class Sly(str):
    """Text whose methods are its own."""

    def __getitem__(self, key: Any) -> Any:
        raise SystemExit("not to be cut")

    def encode(self, *how: Any) -> Any:
        raise KeyboardInterrupt

    def endswith(self, *end: Any) -> Any:
        return True


def _lying(self: Any) -> str:
    return Sly("lab00 · scale is not written yet, or is it")


def _raising(self: Any) -> Any:
    raise SystemExit


class Hidden(type):
    """A class of classes that answers for nothing."""

    def __getattribute__(cls, name: str) -> Any:
        raise KeyboardInterrupt(name)

    def __instancecheck__(cls, instance: Any) -> bool:
        return True


# As functions: pytest would look at a class to give its case a name.
RAISED: dict[str, Callable[[], Any]] = {
    "KeyboardInterrupt": lambda: named("KeyboardInterrupt", Exception),
    "KeyboardInterrupt of no Exception": lambda: named("KeyboardInterrupt", BaseException),
    "heir of KeyboardInterrupt": lambda: named("Halt", KeyboardInterrupt),
    "SystemExit": lambda: named("SystemExit", BaseException),
    "CallTimeout": lambda: named("CallTimeout", Exception),
    "MissingNameError": lambda: named("MissingNameError", Exception),
    "lying": lambda: named("NotImplementedError", NotImplementedError, __str__=_lying),
    "unsayable": lambda: named("Unsayable", Exception, __str__=_raising),
    "untraced": lambda: named("Untraced", Exception, __traceback__=property(_raising)),
    "hidden": lambda: Hidden("Nobody", (Exception,), {}),
    "exit": lambda: SystemExit,
    "generator's exit": lambda: GeneratorExit,
}


@pytest.mark.parametrize("kind", RAISED.values(), ids=RAISED)
def test_whatever_is_raised_is_an_exception_of_the_students(tmp_path: Path, kind: Any) -> None:
    """It does not stop the check, and does not pass for something else."""

    def scale(x: Any, factor: float) -> Any:
        raise kind()

    found = PublicTests(write_tiny_lab(tmp_path)).run({"scale": scale}, ["scale"])
    assert [outcome.status for outcome in found] == [Status.ERROR]
    assert found[0].message.startswith("scale raised ")
