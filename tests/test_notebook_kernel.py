"""``check``, ``hint`` and ``progress`` in real kernels, and under a real ``nbgrader validate``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

PUBLIC = '''
import numpy as np
import pytest
import torch

from course_utils.testing import assert_close, assert_unmodified, exercise

HINTS = {
    "softmax": ["Softmax keeps its value when a row is shifted.", "Shift by `max`.", "Try [0, 0]."],
    "nll": ["Pick one entry of each row."],
}
DERIVATION = {"softmax": "step 2: what a constant added to every logit does"}


class Reference:
    @staticmethod
    def softmax(logits):
        return torch.softmax(torch.as_tensor(logits), dim=1).numpy()


@exercise("softmax")
def test_typical(student, reference, rng):
    """Each row is exp(f) over the row's sum."""
    x = rng.normal(size=(5, 3))
    assert_close(student.softmax(x), reference.softmax(x), name="softmax(logits)")


@exercise("softmax")
def test_large(student, reference, rng):
    """Logits near 1000 do not overflow."""
    x = 1000 + rng.normal(size=(4, 3))
    assert_close(student.softmax(x), reference.softmax(x), name="softmax(logits)")


@exercise("softmax")
def test_unmodified(student, rng):
    """The logits are left as they were."""
    student.softmax(rng.normal(size=(4, 3)))
    assert_unmodified(student)


@exercise("nll")
@pytest.mark.parametrize("size", [1, 2])
def test_sure(student, size):
    """A sure and right answer costs nothing."""
    assert student.nll(np.zeros((size, 1)), np.zeros(size, int)) == 0, "it costs <something>"
'''

MISCONCEPTIONS = """
import numpy as np

from course_utils.testing import misconception


@misconception("softmax", hint="You sum down the columns: `axis=1` runs along a row.")
def sum_over_columns(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=0)
"""

SETUP = "import numpy as np\nfrom course_utils import check, device, hint, progress"
SOFTMAX = """
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""
NLL = """
def nll(log_h, y):
    return -log_h[np.arange(len(y)), y].mean()
"""
NLL_STUB = """
def nll(log_h, y):
    raise NotImplementedError("lab99 · nll is not written yet")
"""


def code_cell(source: str, **nbgrader: Any) -> Any:
    cell = new_code_cell(source.strip())
    if nbgrader:
        role = {"grade": False, "solution": False, "locked": False, "task": False}
        cell.metadata["nbgrader"] = {"schema_version": 3, **role, **nbgrader}
    return cell


def check_cell(name: str, points: float) -> Any:
    return code_cell(
        f'check("{name}")', grade=True, locked=True, points=points, grade_id=f"check_{name}"
    )


def notebook(softmax: str, nll: str, *more: str) -> Any:
    return new_notebook(
        cells=[
            code_cell(SETUP, locked=True, grade_id="setup"),
            code_cell(softmax, solution=True, grade_id="softmax"),
            check_cell("softmax", 2),
            code_cell(nll, solution=True, grade_id="nll"),
            check_cell("nll", 1.5),
            *(code_cell(source) for source in more),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": ""}},
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small lab's folder as students get it: notebook, public tests, traces."""
    from course_utils.diagnosis.record import record
    from course_utils.ground.lab import Lab

    source = tmp_path_factory.mktemp("solutions") / "lab99"
    (source / "hidden").mkdir(parents=True)
    (source / "test_public.py").write_text(PUBLIC, "utf-8")
    (source / "hidden" / "misconceptions.py").write_text(MISCONCEPTIONS, "utf-8")
    nbformat.write(notebook(SOFTMAX, NLL), source / "small.ipynb")
    released = tmp_path_factory.mktemp("labs") / "lab99"
    released.mkdir()
    record(Lab.load(source), hidden=False).save(released / "traces.msgpack")
    (released / "test_public.py").write_text(PUBLIC, "utf-8")
    nbformat.write(notebook(SOFTMAX, NLL_STUB), released / "small.ipynb")
    return released


class Seen:
    """What a cell put out: plain text, HTML, and the error as a frontend shows it."""

    def __init__(self, cell: Any) -> None:
        data = [o["data"] for o in cell.outputs if o["output_type"] == "display_data"]
        errors = [o for o in cell.outputs if o["output_type"] == "error"]
        self.text = "\n".join(d["text/plain"] for d in data)
        self.html = "\n".join(d["text/html"] for d in data)
        self.error = "\n".join(errors[0]["traceback"]) if errors else ""
        self.error_name = errors[0]["ename"] if errors else ""
        self.streams = "".join(o["text"] for o in cell.outputs if o["output_type"] == "stream")


AXIS_0 = SOFTMAX.replace("e.sum(axis=1, keepdims=True)", "e.sum(axis=0)")
CELLS = {
    "wrong": AXIS_0 + 'check("softmax")',
    "raising": "def softmax(logits):\n    return logitz\ncheck('softmax')",
    "in_place": SOFTMAX.replace("e = np", "logits -= 1\n    e = np") + 'check("softmax")',
    "renamed": "del softmax\n" + SOFTMAX.replace("softmax", "soft_max") + 'check("softmax")',
    "unknown": 'check("sofmax")',
    "not_run": "del soft_max\ncheck('softmax')",
    "without_setup": "kept = np\ndel np\n" + SOFTMAX + 'check("softmax")',
    "itself": "np = kept\ncheck(softmax)",
    "itself_unnamed": "def other(x):\n    return x\ncheck(other)",
    "value": "check(softmax(np.zeros((2, 1))))",
    "hint_1": 'hint("softmax")',
    "hint_2": 'hint("softmax")',
    "hint_3": 'hint("softmax")',
    "hint_4": 'hint("softmax")',
    "hint_first": 'hint("softmax", 1)',
    "hint_all": 'hint("softmax", all=True)',
    "hint_itself": "hint(softmax, 1)",
    "hint_none": 'hint("softmax", 9)',
    "html": "def nll(log_h, y):\n    raise ValueError('<b>bold</b>')\ncheck('nll')",
    "progress": NLL_STUB + AXIS_0 + "progress()",
    "elsewhere": "import os\nhome = os.getcwd()\nos.chdir(os.sep)\ncheck('softmax')",
    "session": 'os.environ["JPY_SESSION_NAME"] = os.path.join(home, "small.ipynb")\n'
    "check('softmax')",
    "device": "device",
}


@pytest.fixture(scope="module")
def seen(lab: Path) -> dict[str, Seen]:
    """Everything above, run in one real kernel."""
    book = notebook(SOFTMAX, NLL_STUB, *CELLS.values())
    client = NotebookClient(
        book, timeout=60, allow_errors=True, resources={"metadata": {"path": str(lab)}}
    )
    client.execute()
    names = ["setup", "softmax", "right", "nll", "stub", *CELLS]
    return {name: Seen(cell) for name, cell in zip(names, book.cells, strict=True)}


def test_passing_check_says_what_holds_and_how_closely(seen: dict[str, Seen]) -> None:
    right = seen["right"]
    assert not right.error
    assert right.text.startswith("✓ softmax · public claims: 3/3, all hold")
    assert "✓ Each row is exp(f) over the row's sum." in right.text
    assert re.search(r"relative error (0|\de-\d+), expected below 1e-8", right.text)
    assert "Grading asks the same of other inputs, up to the edge cases" in right.text
    assert 'aria-label="holds"' in right.html


def test_failing_check_names_one_mistake_and_raises_one_line(seen: dict[str, Seen]) -> None:
    wrong = seen["wrong"]
    assert wrong.error_name == "CheckFailed"
    assert wrong.error == "softmax: 2 of 3 public claims do not hold (see above)"
    assert "◐ softmax · public claims: 1/3" in wrong.text
    assert "✗ Each row is exp(f) over the row's sum." in wrong.text
    assert "also: 1 claim holds" in wrong.text
    assert "<details" in wrong.html and "The logits are left as they were." in wrong.html
    assert "Most likely mistake: sum over columns" in wrong.text
    assert "You sum down the columns: `axis=1` runs along a row." in wrong.text
    assert ">axis=1</code> runs along a row" in wrong.html
    assert wrong.text.count("Most likely") == 1
    assert wrong.text.index("Most likely") < wrong.text.index("✗ Each row")  # what to mend is first
    assert "Where to look: step 2: what a constant" in wrong.text
    assert '`hint("softmax")` gives a nudge. Grading asks the same of other inputs' in wrong.text


def test_a_message_is_said_once(seen: dict[str, Seen]) -> None:
    raising = seen["raising"].text
    assert raising.count("NameError: name 'logitz' is not defined") == 1
    assert "return logitz" in raising
    assert "✗ 2 more claims do not hold, for the same reason" in raising
    assert "Most likely mistake" not in raising
    assert "Where to look" not in raising  # a derivation does not help against a typo


def test_an_argument_changed_in_place_is_seen(seen: dict[str, Seen]) -> None:
    assert seen["in_place"].error == "softmax: 1 of 3 public claims does not hold (see above)"
    assert "softmax changes its argument number 1 in place" in seen["in_place"].text


def test_a_stub_gets_one_friendly_line(seen: dict[str, Seen]) -> None:
    stub = seen["stub"]
    assert stub.text.startswith("○ nll · not written yet: fill in the cell above")
    assert "✗" not in stub.text + stub.html
    assert not stub.error  # "Run all" goes on; nbgrader's Validate is another matter


def test_a_renamed_function_is_guessed(seen: dict[str, Seen]) -> None:
    text = " ".join(seen["renamed"].text.split())
    assert "it defines soft_max: was the function renamed? Run the cell that defines it" in text


def test_it_says_which_cell_to_run_first(seen: dict[str, Seen]) -> None:
    assert " ".join(seen["not_run"].text.split()) == (
        "○ softmax · not defined yet: "
        "run the cell with `def softmax(logits):`, then this one again."
    )
    lines = [line.strip() for line in seen["without_setup"].text.splitlines()]
    assert lines[1:3] == [
        "np is not defined yet", "Run the setup cell at the top, then this one again.",
    ]  # fmt: skip
    assert seen["without_setup"].text.count("name 'np' is not defined") == 1


def test_the_function_itself_stands_for_its_name(seen: dict[str, Seen]) -> None:
    assert seen["itself"].text == seen["right"].text
    assert "hint 1 of 3" in seen["hint_itself"].text
    assert seen["itself_unnamed"].error.startswith("This lab has no exercise 'other'.")
    assert seen["value"].error == (
        "This asks for an exercise, by its name in quotes or by its function itself, and not for "
        "an array of shape (2, 1) and dtype float64. This lab's exercises are: softmax, nll."
    )


def test_an_unknown_exercise_gets_the_nearest_name_and_the_list(seen: dict[str, Seen]) -> None:
    assert seen["unknown"].error == (
        "This lab has no exercise 'sofmax'. Did you mean 'softmax'? "
        "Its exercises are: softmax, nll."
    )


def test_hints_come_one_by_one(seen: dict[str, Seen]) -> None:
    assert "hint 1 of 3" in seen["hint_1"].text
    assert "Softmax keeps its value" in seen["hint_1"].text
    assert "Shift by" not in seen["hint_1"].text
    assert ">max</code>" in seen["hint_2"].html
    for last in ("hint_3", "hint_4"):
        assert "hint 3 of 3" in seen[last].text
        assert "That is the last hint. Where to look: step 2" in seen[last].text
    assert "hint 1 of 3" in seen["hint_first"].text
    assert seen["hint_all"].text.count("→") == 3
    assert seen["hint_none"].error == ("There is no hint 9 for softmax: they are numbered 1 to 3.")


def test_what_a_student_wrote_is_escaped(seen: dict[str, Seen]) -> None:
    assert "<b>" not in seen["html"].html
    assert "&lt;b&gt;bold&lt;/b&gt;" in seen["html"].html
    assert "A sure and right answer costs nothing. (1)" in seen["html"].text


def test_progress_shows_every_exercise(seen: dict[str, Seen]) -> None:
    lines = [line.split() for line in seen["progress"].text.splitlines()]
    assert lines[0] == ["lab99", "·", "0", "of", "2", "exercises", "·", "public", "claims:", "1/5"]
    assert lines[2] == ["softmax", "2", "1/3", "◐", "1", "of", "3", "claims", "hold"]
    assert lines[3] == ["nll", "1.5", "0/2", "○", "not", "written", "yet"]
    assert lines[4] == ["total", "3.5", "1/5"]
    assert seen["progress"].html.count("<tr") == 4


def test_the_folder_is_looked_for_and_asked_for(seen: dict[str, Seen]) -> None:
    assert "There is no test_public.py in" in seen["elsewhere"].error
    assert "next to test_public.py" in seen["elsewhere"].error
    assert "public claims: 1/3" in seen["session"].text


def test_no_cell_prints_anything_of_pytest(seen: dict[str, Seen]) -> None:
    assert {name: cell.streams for name, cell in seen.items() if cell.streams} == {}


@pytest.fixture
def kernel(lab: Path) -> Iterator[Any]:
    manager = KernelManager()
    manager.start_kernel(cwd=str(lab))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    try:
        yield client, manager
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_stop_button_ends_a_check_and_says_what_ran(kernel: Any) -> None:
    client, manager = kernel
    setup = SETUP + "\ndef softmax(x):\n    print('running', flush=True)\n    while True: pass"
    client.execute_interactive(setup, timeout=60)
    messages: list[Any] = []

    def on_output(message: Any) -> None:
        messages.append(message)
        if message["msg_type"] == "stream":
            time.sleep(0.1)
            manager.interrupt_kernel()

    reply = client.execute_interactive('check("softmax")', timeout=60, output_hook=on_output)
    assert reply["content"]["traceback"] == [
        "Stopped while softmax was running. "
        "If it seemed to take for ever, look for a loop that never ends."
    ]
    assert [m["msg_type"] for m in messages].count("stream") == 1


def test_a_long_call_says_so_while_it_runs(kernel: Any) -> None:
    client, manager = kernel
    setup = (
        f"{SETUP}\nimport threading\nfrom course_utils.notebook import patience\n"
        "patience.SECONDS = 0.3\ndef softmax(x):\n    while True: pass"
    )
    client.execute_interactive(setup, timeout=60)
    messages: list[Any] = []

    def on_output(message: Any) -> None:
        messages.append(message)
        if message["msg_type"] == "display_data":
            manager.interrupt_kernel()

    reply = client.execute_interactive('check("softmax")', timeout=60, output_hook=on_output)
    shown = [m for m in messages if m["msg_type"] == "display_data"]
    assert [m["content"]["data"]["text/plain"].partition(".")[0] for m in shown] == [
        "… softmax · still running after 0"
    ]
    (after,) = [m for m in messages if m["msg_type"] == "update_display_data"]
    assert after["content"]["data"]["text/plain"].startswith("… softmax · one call ran for ")
    assert shown[0]["parent_header"]["msg_id"] == reply["parent_header"]["msg_id"]
    assert reply["content"]["traceback"][0].startswith("Stopped while softmax was running.")
    threads = "assert not [t for t in threading.enumerate() if t.name == patience.NAME]"
    assert client.execute_interactive(threads, timeout=60)["content"]["status"] == "ok"


def test_in_grading_nothing_is_run_or_shown(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_UTILS_GRADING", "1")
    names = "{'pytest', 'course_utils.testing.run'}"
    judged = f"import sys\nprint(sorted({names} & set(sys.modules)))"
    book = notebook(AXIS_0, NLL_STUB, 'hint("softmax")\nprogress()\ncheck("no such")', judged)
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(lab)}}).execute()
    outputs = [output for cell in book.cells for output in cell.outputs]
    assert [output["text"] for output in outputs] == ["[]\n"]


def test_nbgrader_validate_means_something(lab: Path, tmp_path: Path) -> None:
    for name in ("test_public.py", "traces.msgpack"):
        shutil.copy(lab / name, tmp_path)
    nbformat.write(notebook(SOFTMAX, NLL), tmp_path / "right.ipynb")
    nbformat.write(notebook(AXIS_0, NLL_STUB), tmp_path / "wrong.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "validate", "right.ipynb", "wrong.ipynb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    right, _, wrong = done.stdout.partition("VALIDATION FAILED")
    assert "Success! Your notebook passes all the tests." in right
    assert wrong.startswith(" ON 2 CELL(S)!")
    likely = "Most likely mistake: sum over columns."
    assert f"softmax: 2 of 3 public claims do not hold. {likely}" in wrong
    assert "nll: nothing to check yet" in wrong
    assert "Traceback" not in wrong


def test_tests_that_cannot_run_are_not_the_students_fault(tmp_path: Path) -> None:
    broken = {
        "syntax": "def test_(:",
        "fixture": PUBLIC.replace("def test_sure(student,", "def test_sure(absent, student,"),
    }
    said = {}
    for name, source in broken.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "test_public.py").write_text(source, "utf-8")
        said[name] = run_plainly(folder, f"{SETUP}\ncheck('nll')", fails=True)
    assert "test_public.py cannot be read: SyntaxError" in said["syntax"]
    assert "The tests of this lab cannot run here" in said["fixture"]
    assert "test_sure" in said["fixture"]
    assert "'absent'" in said["fixture"]
    assert all("This is no fault of your code" in text for text in said.values())


def run_plainly(folder: Path, source: str, *, fails: bool = False, encoding: str = "utf-8") -> str:
    """Run a script in plain Python, without IPython, and give back what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        cwd=folder,
        capture_output=True,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert (done.returncode != 0) is fails, done.stderr.decode()
    return (done.stdout + done.stderr).decode(encoding)


# What a student's machine may lack: the instructor's packages, and everything POSIX-only.
WITHOUT = """
import sys

ABSENT = {"nbgrader", "typer", "rich", "dask", "distributed", "sqlalchemy", "bubblewrap",
          "fcntl", "grp", "pwd", "pty", "resource", "syslog", "termios", "tty"}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ABSENT:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
"""


def test_it_works_without_the_graders_packages_and_without_posix(lab: Path) -> None:
    script = "\n".join(
        [
            WITHOUT,
            SETUP,
            SOFTMAX,
            NLL,
            'check("softmax")',
            'hint("nll")',
            "progress()",
            "assert not ABSENT & set(sys.modules)",
        ]
    )
    text = run_plainly(lab, script, encoding="cp1252")  # a Windows console: no ✓ there
    assert "softmax · public claims: 3/3, all hold" in text
    assert "? Logits near 1000 do not overflow." in text
    assert "nll · hint 1 of 1" in text
    assert "lab99 · 2 of 2 exercises · public claims: 5/5" in text


def test_points_are_left_out_where_no_single_notebook_says_them(lab: Path, tmp_path: Path) -> None:
    (tmp_path / "test_public.py").write_text(PUBLIC, "utf-8")
    text = run_plainly(tmp_path, "\n".join([SETUP, SOFTMAX, "progress()"]))
    assert "points  " not in text
    assert re.search(r"softmax +3/3  ✓ all public claims hold", text)
    assert re.search(r"nll +0/2  ○ missing: run the cell that defines it", text)
