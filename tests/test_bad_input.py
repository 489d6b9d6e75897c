"""Whatever is handed in: a reason code and a sentence, and every other mark is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny import SCALE, SOFTMAX, Notebook, as_bytes, cell, tiny_notebook

from course_utils.grading.judge import Grader, grade_file
from course_utils.ground.statuses import Reason, Status, SubmissionStatus
from course_utils.ground.stub import stub_source
from course_utils.verdict.submission import SubmissionResult

FULL = 5.0
SCALE_ONLY = 1.0


def grade(grader: Grader, notebook: Notebook) -> SubmissionResult:
    return grader.grade(as_bytes(notebook), "student")


def codes(result: SubmissionResult) -> set[Reason]:
    return {notice.code for notice in result.notices}


def extra(*sources: str) -> Notebook:
    """The solved notebook with further cells at its end."""
    notebook = tiny_notebook()
    notebook["cells"] += [cell(source) for source in sources]
    return notebook


def with_softmax(source: str) -> Notebook:
    notebook = tiny_notebook()
    notebook["cells"][2]["source"] = source
    return notebook


def exercise(result: SubmissionResult, name: str) -> Any:
    return next(e for e in result.exercises if e.name == name)


def test_solution_gets_full_marks(grader: Grader) -> None:
    result = grade(grader, tiny_notebook())
    assert (result.status, result.score) == (SubmissionStatus.GRADED, FULL)
    assert result.reason is Reason.OK


# -- files


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", SubmissionStatus.UNREADABLE, Reason.EMPTY_FILE),
        (b"  \n", SubmissionStatus.UNREADABLE, Reason.EMPTY_FILE),
        (b"Dear TA", SubmissionStatus.UNREADABLE, Reason.NOT_JSON),
        (b"\xff\xfe\x00", SubmissionStatus.UNREADABLE, Reason.NOT_JSON),
        (b'{"cells": [', SubmissionStatus.UNREADABLE, Reason.NOT_JSON),
        (b"[" * 100_000, SubmissionStatus.UNREADABLE, Reason.NOT_JSON),
        (b"[1, 2]", SubmissionStatus.UNREADABLE, Reason.NOT_A_NOTEBOOK),
        (b'{"a": 1}', SubmissionStatus.UNREADABLE, Reason.NOT_A_NOTEBOOK),
        (b'{"cells": 3}', SubmissionStatus.UNREADABLE, Reason.NOT_A_NOTEBOOK),
        (b'{"cells": []}', SubmissionStatus.WRONG_LAB, Reason.WRONG_LAB),
    ],
)
def test_file_that_is_no_notebook(
    grader: Grader, data: bytes, status: SubmissionStatus, reason: Reason
) -> None:
    result = grader.grade(data)
    assert (result.status, result.reason, result.score) == (status, reason, 0)
    assert len(result.message) > 10


def test_huge_file_is_refused_without_being_read(grader: Grader, submission: Path) -> None:
    with submission.open("wb") as file:
        file.truncate(200 * 2**20)
    result = grade_file(submission, grader)
    assert result.reason is Reason.TOO_LARGE
    assert "200 MiB" in result.message


def test_missing_file(grader: Grader, submission: Path) -> None:
    assert grade_file(submission, grader).status is SubmissionStatus.NO_NOTEBOOK


def test_another_labs_notebook(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["metadata"]["course"]["lab"] = "lab09_other"
    notebook["cells"] = [cell("def other():\n    return 1", "other", solution=True)]
    result = grade(grader, notebook)
    assert (result.status, result.reason) == (SubmissionStatus.WRONG_LAB, Reason.WRONG_LAB)
    assert "lab09_other" in result.message


def test_notebook_of_format_3(grader: Grader) -> None:
    old = {
        "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
        "worksheets": [{"metadata": {}, "cells": [
            {"cell_type": "code", "language": "python", "metadata": {}, "collapsed": False,
             "input": source, "outputs": [], "prompt_number": 1}
            for source in ("import numpy as np", SOFTMAX, SCALE)
        ]}],
    }  # fmt: skip
    result = grader.grade(json.dumps(old).encode())
    assert result.score == FULL
    assert Reason.OLD_FORMAT in codes(result)


def test_cells_without_ids_as_in_format_4_4(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["nbformat_minor"] = 4
    for one in notebook["cells"]:
        del one["id"]
    assert grade(grader, notebook).score == FULL


def test_source_as_a_list_of_lines(grader: Grader) -> None:
    notebook = tiny_notebook()
    for one in notebook["cells"]:
        one["source"] = one["source"].splitlines(keepends=True)
    assert grade(grader, notebook).score == FULL


@pytest.mark.parametrize("broken", [None, 7, [], {"nbgrader": "yes"}, {"tags": 3}])
def test_broken_metadata_of_a_cell(grader: Grader, broken: Any) -> None:
    notebook = tiny_notebook()
    notebook["cells"][2]["metadata"] = broken
    assert grade(grader, notebook).score == FULL


def test_broken_metadata_of_the_notebook(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["metadata"] = "none"
    notebook["cells"].insert(0, "not a cell")
    result = grade(grader, notebook)
    assert result.score == FULL
    assert Reason.METADATA_REPAIRED in codes(result)


def test_all_cell_metadata_stripped_by_another_service(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["metadata"] = {}
    for one in notebook["cells"]:
        one["metadata"] = {}
    assert grade(grader, notebook).score == FULL


# -- cells that were moved, deleted, repeated, edited


def test_check_cells_deleted(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["cells"] = [c for c in notebook["cells"] if not c["id"].startswith("check_")]
    result = grade(grader, notebook)
    assert result.score == FULL
    assert codes(result) == {Reason.CHECK_CELL_MISSING}


def test_check_cell_edited(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["cells"][3]["source"] = "print('all claims hold')"
    result = grade(grader, notebook)
    assert result.score == FULL
    assert codes(result) == {Reason.CHECK_CELL_EDITED}


def test_check_cell_repeated(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["cells"].append(notebook["cells"][3])
    result = grade(grader, notebook)
    assert result.score == FULL
    assert codes(result) == {Reason.DUPLICATE_CELLS}


def test_setup_cell_deleted_is_put_back(grader: Grader) -> None:
    notebook = tiny_notebook()
    del notebook["cells"][1]
    assert grade(grader, notebook).score == FULL


def test_solution_cell_deleted_costs_its_exercise_only(grader: Grader) -> None:
    notebook = tiny_notebook()
    del notebook["cells"][2]
    result = grade(grader, notebook)
    assert result.score == SCALE_ONLY
    assert {Reason.SOLUTION_CELL_MISSING, Reason.FUNCTION_MISSING} <= codes(result)
    assert exercise(result, "softmax").status is Status.MISSING


def test_solution_cell_repeated_the_later_counts(grader: Grader) -> None:
    notebook = tiny_notebook()
    wrong = json.loads(json.dumps(notebook["cells"][2]))
    wrong["source"] = "def softmax(x, axis=-1):\n    return x"
    notebook["cells"].insert(2, wrong)
    result = grade(grader, notebook)
    assert result.score == FULL
    assert Reason.DUPLICATE_CELLS in codes(result)


def test_function_moved_to_another_cell(grader: Grader) -> None:
    notebook = tiny_notebook()
    notebook["cells"][2]["source"] = "# see below"
    notebook["cells"].append(cell(SOFTMAX))
    assert grade(grader, notebook).score == FULL


def test_function_renamed_is_named(grader: Grader) -> None:
    result = grade(grader, with_softmax(SOFTMAX.replace("def softmax", "def soft_max")))
    assert result.score == SCALE_ONLY
    assert exercise(result, "softmax").status is Status.MISSING
    assert "defines soft_max" in exercise(result, "softmax").tests[0].message


def test_stub_left_as_it_was(grader: Grader) -> None:
    stub = stub_source(SOFTMAX, "lab00_tiny", "softmax")
    result = grade(grader, with_softmax(stub))
    assert result.score == SCALE_ONLY
    assert result.reason is Reason.NOT_WRITTEN
    assert exercise(result, "softmax").status is Status.NOT_WRITTEN
    assert exercise(result, "softmax").diagnosis.name == "not_written"


# -- cells that fail


def test_syntax_error_in_a_cell(grader: Grader) -> None:
    result = grade(grader, with_softmax("def softmax(x, axis=-1)\n    return x"))
    assert result.score == SCALE_ONLY
    assert Reason.CELL_ERROR in codes(result)
    assert any("SyntaxError" in notice.message for notice in result.notices)


def test_exception_in_a_cell(grader: Grader) -> None:
    result = grade(grader, extra("1 / 0"))
    assert (result.score, result.reason) == (FULL, Reason.CELL_ERROR)
    assert "ZeroDivisionError" in result.message


KILLING_CELLS = {
    "os._exit": "import os\nos._exit(0)",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "SIGKILL": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "recursion in C": "import ctypes\nctypes.CDLL(None).abort()",
}


@pytest.mark.parametrize("source", KILLING_CELLS.values(), ids=KILLING_CELLS)
def test_cell_that_ends_the_process_costs_itself_only(grader: Grader, source: str) -> None:
    result = grade(grader, extra(source, "after = 1"))
    assert (result.score, result.reason) == (FULL, Reason.CELL_KILLED)
    assert result.status is SubmissionStatus.PARTLY_GRADED


def test_sys_exit_in_a_cell(grader: Grader) -> None:
    result = grade(grader, extra("import sys\nsys.exit(1)"))
    assert result.score == FULL


HANGING_CELLS = {
    "loop": ("while True:\n    pass", Reason.CELL_TIMEOUT),
    "loop that swallows everything": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass",
        Reason.CELL_TIMEOUT,
    ),
    "sleep": ("import time\ntime.sleep(10_000)", Reason.CELL_TIMEOUT),
}


@pytest.mark.parametrize(("source", "reason"), HANGING_CELLS.values(), ids=HANGING_CELLS)
def test_cell_that_hangs_costs_itself_only(grader: Grader, source: str, reason: Reason) -> None:
    result = grade(grader, extra(source))
    assert (result.score, result.reason) == (FULL, reason)


def test_memory_bomb_in_a_cell(grader: Grader) -> None:
    result = grade(grader, extra("import numpy as np\nx = [np.ones(2**22) for _ in range(10**6)]"))
    assert result.score == FULL
    assert codes(result) & {Reason.CELL_MEMORY, Reason.CELL_ERROR}


def test_fork_bomb_in_a_cell(grader: Grader) -> None:
    bomb = "import os, time\nfor _ in range(500):\n    if os.fork() == 0:\n        time.sleep(60)"
    result = grade(grader, extra(bomb))
    assert (result.score, result.reason) == (FULL, Reason.CELL_KILLED)
    assert "processes" in result.message


def test_a_gigabyte_printed(grader: Grader) -> None:
    result = grade(grader, extra("for _ in range(2**14):\n    print('x' * 2**16)"))
    assert (result.score, result.reason) == (FULL, Reason.OUTPUT_CUT)
    assert len(json.dumps(result.notebook)) < 500_000


def test_a_gigabyte_written_past_python(grader: Grader) -> None:
    loop = "import os\ntry:\n    for _ in range(2**14):\n        os.write(1, b'x' * 2**16)\n"
    result = grade(grader, extra(loop + "except OSError:\n    pass"))
    assert result.score == FULL
    assert len(json.dumps(result.notebook)) < 500_000


# -- calls that fail


CALLS: dict[str, tuple[str, Status, Reason | None]] = {
    "hangs": ("while True: pass", Status.TIMEOUT, Reason.CALL_TIMEOUT),
    "hangs in C": ("import time; time.sleep(10_000)", Status.TIMEOUT, Reason.CALL_TIMEOUT),
    "os._exit": ("import os; os._exit(0)", Status.CRASHED, Reason.CALL_CRASHED),
    "segfault": ("import ctypes; ctypes.string_at(0)", Status.CRASHED, Reason.CALL_CRASHED),
    "SIGKILL": ("import os; os.kill(os.getpid(), 9)", Status.CRASHED, Reason.CALL_CRASHED),
    "memory bomb": (
        "return [np.ones(2**22) for _ in range(10**6)]", Status.MEMORY, Reason.CALL_MEMORY,
    ),
    "sys.exit": ("import sys; sys.exit(0)", Status.ERROR, None),
    "raises": ("raise KeyError('x')", Status.ERROR, None),
    "prints a lot": ("print('x' * 10**8); return x", Status.FAILED, None),
    "returns None": ("return None", Status.FAILED, None),
    "returns a list": ("return x.tolist()", Status.FAILED, None),
    "returns float32": ("return x.astype(np.float32)", Status.FAILED, None),
    "wrong shape": ("return x.sum(axis=axis)", Status.FAILED, None),
    "returns a generator": ("return (v for v in x)", Status.ERROR, None),
    "returns a huge array": ("return np.zeros(10**7)", Status.ERROR, None),
    "hostile __array__": (
        "return type('A', (), {'__array__': lambda s, *a, **k: 1 / 0})()", Status.ERROR, None,
    ),
    "returns objects": ("return np.array([object()])", Status.ERROR, None),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "reason"), CALLS.values(), ids=CALLS)
def test_call_that_fails_costs_its_exercise_only(
    grader: Grader, body: str, status: Status, reason: Reason | None
) -> None:
    result = grade(grader, with_softmax(f"def softmax(x, axis=-1):\n    {body}"))
    found = exercise(result, "softmax")
    assert result.score - found.score == SCALE_ONLY
    # A function that leaves its input alone may keep the mark for that claim.
    assert found.score <= 1
    assert status in {test.status for test in found.tests}
    assert all(test.message for test in found.tests if not (test.passed or test.hidden))
    if reason is not None:
        assert reason in codes(result)


def test_threads_are_judged_in_a_fresh_process(grader: Grader) -> None:
    """A fork does not carry threads over, so the cells are run again instead."""
    start = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    thread = f"import threading, time\n{start}"
    assert grade(grader, extra(thread)).score == FULL


PATCHES = {
    "numpy.testing": "import numpy.testing\nnumpy.testing.assert_allclose = lambda *a, **k: None",
    "torch.allclose": "import torch\ntorch.allclose = lambda *a, **k: True",
    "pytest": "import sys, pytest\npytest.fail = print\nsys.modules['pytest'] = None",
    "AssertionError": "import builtins\nbuiltins.AssertionError = type('AssertionError', (), {})",
    "course_utils": (
        "import course_utils.calls.dispatcher, course_utils.ground.wire as w\n"
        "import course_utils.ground.closeness as k\n"
        "k.assert_close = lambda *a, **kw: None\nw.loads = lambda data: 1"
    ),
    "equality": (
        "import numpy as np\nclass Yes(np.ndarray):\n"
        "    def __eq__(self, other): return True\n"
        "    def __sub__(self, other): return 0\n"
        "old = softmax\ndef softmax(x, axis=-1): return old(x, axis).view(Yes)"
    ),
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
@pytest.mark.parametrize(
    ("softmax", "worth"),
    [(SOFTMAX, FULL), ("def softmax(x, axis=-1):\n    return x", SCALE_ONLY)],
    ids=["right", "wrong"],
)
def test_patching_the_grader_changes_no_mark(
    grader: Grader, patch: str, softmax: str, worth: float
) -> None:
    notebook = with_softmax(softmax)
    notebook["cells"].insert(3, cell(patch))
    assert grade(grader, notebook).score == worth


def test_second_run_gives_the_same_verdict(grader: Grader) -> None:
    notebook = with_softmax("def softmax(x, axis=-1):\n    return np.exp(x) / np.exp(x).sum()")
    first, second = (grade(grader, notebook).to_dict() for _ in range(2))
    del first["seconds"], second["seconds"]
    assert first == second


