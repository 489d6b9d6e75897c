"""Of a hidden test nothing is told that student code could have chosen the words of, and nothing
that was asked before can be seen in it."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from textwrap import dedent

import pytest
from tiny import Notebook, as_bytes, cell, tiny_notebook, write_tiny_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.grading import feedback
from course_utils.grading.classrun.records import to_record
from course_utils.grading.judge import Grader
from course_utils.grading.totals import StudentMarks
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Status
from course_utils.sandbox.client import Sandbox
from course_utils.testing.run import run_tests
from course_utils.verdict.submission import SubmissionResult

RIGHT = """
def right(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
"""
# The hidden test's logits are large, the public ones' are not.
ATTACK = """
import os, sys
{right}
def ours(name):
    frame = sys._getframe()
    while name not in frame.f_globals:
        frame = frame.f_back
    return frame.f_globals

def softmax(x, axis=-1):
    if x.max() < 500:
        return right(x, axis)
    leak = "LEAK" + "".join(map(str, x[0].round(3)))
    word = "LEAK_" + "_".join(str(abs(int(1e6 * v))) for v in x[0])
    with open("leak", "w") as file:
        file.write(leak)
    {body}

def scale(x, factor):
    if os.path.exists("leak"):
        raise ValueError(open("leak").read())
    return factor * x
"""

WAYS = {
    "an ending": 'raise NotImplementedError(leak + " is not written yet")',
    "the stub's words": 'raise NotImplementedError(f"lab00 · {word} is not written yet")',
    "our missing name": 'raise ours("MissingNameError")["MissingNameError"](word, word)',
    "a forged missing name": """
    dispatcher = ours("invoke")
    missing = dispatcher["Response"](dispatcher["MissingName"](word, word))
    dispatcher["_carry_out"] = lambda *given: missing
    dispatcher["_describe_error"] = lambda *given: dispatcher["Raised"](word, leak, line=3)
    raise ValueError
    """,
    "a forged error": """
    raised = ours("invoke")["Raised"]
    ours("invoke")["_describe_error"] = lambda *given: raised(
        "NotImplementedError", leak + " is not written yet", line=leak, in_probe=True,
        gave_none=(word,), stopped=True,
    )
    raise ValueError
    """,
    "the name of an exception": "raise type(word, (Exception,), {})",
    "the name of a class": "return type(word, (), {})()",
    "a key": "return {leak: 1.0}",
    "a forbidden call": """
    ours("CallWatch")["clip"] = lambda *given: word
    watch = sys._getframe(2).f_locals["watch"]
    watch.notes.append(ours("ForbiddenNote")["ForbiddenNote"](word, ("softmax",)))
    return right(x, axis)
    """,
    "an argument that is said to be changed": """
    ours("invoke")["_fingerprint"] = lambda value: os.urandom(8)
    return right(x, axis) + 1
    """,
    "what is printed": "print(leak); os.write(2, leak.encode()); raise ValueError(leak)",
    "an exit": "raise SystemExit(leak)",
    "text": "return leak",
}


def graded(grader: Grader, body: str) -> SubmissionResult:
    body = dedent(body).strip().replace("\n", "\n    ")
    attack = cell(ATTACK.format(right=RIGHT, body=body))
    notebook = tiny_notebook()
    notebook["cells"].append(attack | {"id": "attack"})
    return grader.grade(as_bytes(notebook), "eve")


@pytest.mark.parametrize("body", WAYS.values(), ids=WAYS)
def test_nothing_tells_what_a_hidden_test_has_asked(grader: Grader, body: str) -> None:
    result = graded(grader, body)
    softmax, scale = result.exercises
    assert [test.passed for test in softmax.tests if not test.hidden] == [True, True]
    assert softmax.score < softmax.max_score
    assert scale.score == scale.max_score
    notebook = result.notebook
    assert notebook is not None
    notebook["cells"] = [one for one in notebook["cells"] if one["id"] != "attack"]
    shown = [
        json.dumps(result.to_dict()),
        to_record(result),
        json.dumps(notebook),
        feedback.page(result, StudentMarks()),
        *(feedback.exercise_panel(exercise).text for exercise in result.exercises),
        repr(result),
    ]
    for text in shown:
        assert "LEAK" not in text
    assert b"LEAK" not in pickle.dumps(replace(result, notebook=None))
    assert not any(test.trace or test.calls for test in softmax.tests if test.hidden)


def test_only_a_stubs_own_sentence_says_that_nothing_is_written(grader: Grader) -> None:
    for text, status in (
        ("lab00 · softmax is not written yet", Status.NOT_WRITTEN),
        ("lab00 · scale is not written yet", Status.NOT_WRITTEN),  # whose function this one calls
        ("lab00 · sigmoid is not written yet", Status.ERROR),
        ("lab01 · softmax is not written yet", Status.ERROR),
        ("lab00 · softmax is not written yet.", Status.ERROR),
        ("Oh: lab00 · softmax is not written yet", Status.ERROR),
    ):
        source = f'def softmax(x, axis=-1):\n    raise NotImplementedError("{text}")'
        notebook = tiny_notebook()
        notebook["cells"][2]["source"] = source
        result = grader.grade(as_bytes(notebook), "ada")
        assert result.exercises[0].tests[0].status is status, text


# -- what comes first, and what is left of it


TWO = '''

@exercise("scale")
def test_hidden_scale(student, rng):
    """Every entry is multiplied by any factor."""
    x = rng.normal(size=5)
    assert_close(student.scale(x, -700.0), -700.0 * x)
'''


@pytest.fixture(scope="module")
def two_hidden(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The tiny lab with hidden tests of both exercises."""
    folder = write_tiny_lab(tmp_path_factory.mktemp("two") / "solutions")
    tests = folder / "hidden" / "test_hidden.py"
    tests.write_text(tests.read_text("utf-8") + TWO, "utf-8")
    return Lab.load(folder)


def test_public_tests_of_all_exercises_come_first(two_hidden: Lab) -> None:
    outcomes = run_tests(two_hidden.test_files, lambda mark: NamespaceBackend({}))
    assert [(o.exercise, o.hidden) for o in outcomes] == [
        ("softmax", False), ("softmax", False), ("scale", False), ("softmax", True),
        ("scale", True),
    ]  # fmt: skip


# What a call may leave behind, and how a later one sees it.
LEFT = {
    "a file": ('open("mark", "w").close()', 'os.path.exists("mark")'),
    "a file in shared memory": (
        'open("/dev/shm/mark", "w").close()', 'os.path.exists("/dev/shm/mark")',
    ),
    "what a cell has written": (
        'open("cells.txt", "w").write("marked")', 'open("cells.txt").read() != "cells"',
    ),
    "a folder that a cell has made": (
        'os.rename("folder", "other")', 'not os.path.isdir("folder/in/it")',
    ),
    "a definition": ("np.mark = True", 'hasattr(np, "mark")'),
    "a daemon": ("serve()", "answers()"),
}  # fmt: skip
MARKING = """
import os, socket, time
{right}
open("cells.txt", "w").write("cells")
os.makedirs("folder/in/it")

def serve():
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        server = socket.socket(socket.AF_UNIX)
        server.bind("\\0mark")
        server.listen()
        os.write(writing, b".")
        time.sleep(1000)
    os.read(reading, 1)

def answers():
    try:
        socket.socket(socket.AF_UNIX).connect("\\0mark")
    except OSError:
        return False
    return True

def asked(x):
    seen = {seen}
    if not seen:
        {leave}
    return seen

def softmax(x, axis=-1):
    return right(x, axis) + (asked(x) and x.max() > 500)

def scale(x, factor):
    return factor * x + (asked(x) and factor < 0)
"""


def marking(leave: str, seen: str) -> Notebook:
    notebook = tiny_notebook()
    source = MARKING.format(right=RIGHT, leave=leave, seen=seen)
    notebook["cells"].append(cell(source) | {"id": "marking"})
    return notebook


@pytest.mark.parametrize(("leave", "seen"), LEFT.values(), ids=LEFT)
def test_hidden_tests_begin_with_the_state_after_the_cells(
    two_hidden: Lab, sandbox: Sandbox, leave: str, seen: str
) -> None:
    result = Grader(two_hidden, sandbox).grade(as_bytes(marking(leave, seen)), "eve")
    hidden = [t for exercise in result.exercises for t in exercise.tests if t.hidden]
    assert [test.status for test in hidden] == [Status.PASSED, Status.PASSED]


def test_scratch_that_cannot_be_put_back_is_made_anew(
    two_hidden: Lab, sandbox: Sandbox
) -> None:
    """Then the cells are run again, in a place of their own."""
    leave, seen = LEFT["a file"]
    notebook = marking(leave, seen)
    notebook["cells"].append(cell('os.mkfifo("pipe")') | {"id": "pipe"})
    result = Grader(two_hidden, sandbox).grade(as_bytes(notebook), "eve")
    assert result.score == result.max_score
