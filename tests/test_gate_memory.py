"""What the gate remembers: the same files and nothing else, exercise by exercise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import small_lab

from course_utils.gate.memory import memory
from course_utils.gate.memory.memory import Memory
from course_utils.gate.memory.package_code import reached_by
from course_utils.gate.memory.pieces import pieces_of, rests_on
from course_utils.gate.proof import Options
from course_utils.gate.verification import Verification
from course_utils.gate.verify import THE_REST, verify
from course_utils.ground.cache import cache_folder
from course_utils.ground.lab import Lab

QUICK = Options(seeds=1, mutants=False, pairs=False)
BOTH = {"softmax", "softmax_nll_grad"}


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return small_lab.write(tmp_path)


def gate(lab: Lab, *, fresh: bool = False) -> Verification:
    return verify(lab, seeds=1, mutants=False, pairs=False, workers=1, fresh=fresh)


def replaced(lab: Lab, file: str, old: str, new: str) -> Lab:
    """The lab with a file changed on disk."""
    path = lab.folder / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1, text.count(old)
    path.write_text(text.replace(old, new), "utf-8")
    return Lab.load(lab.folder)


def names(lab: Lab, options: Options = QUICK) -> dict[str, str]:
    found = Memory(lab, options)
    return {name: found.file_of(name) for name in sorted(BOTH)}


def test_a_green_gate_is_remembered_and_one_changed_exercise_is_proven_again(lab: Lab) -> None:
    first = gate(lab)
    assert first.green and not first.remembered
    steps: list[str] = []
    again = verify(
        lab, seeds=1, mutants=False, pairs=False, workers=1,
        progress=lambda label, done, total: steps.append(label),
    )  # fmt: skip
    assert again.green and set(again.remembered) == {*BOTH, THE_REST} and not steps
    assert again.matrix == first.matrix and again.flakes == first.flakes
    assert again.form == first.form and again.variants == first.variants
    assert again.solution_tests == first.solution_tests
    assert "Remembered   softmax, softmax_nll_grad, the notebook" in again.render()
    assert not gate(lab, fresh=True).remembered

    changed = replaced(lab, "hidden/test_hidden.py", "size=(6, 11)", "size=(8, 11)")
    report = gate(changed)
    # The targets do not fit any more, which the reference is the first to notice.
    assert report.remembered == ("softmax",) and not report.green
    assert "test_public.py, line 23: test_hidden_gradient of softmax_nll_grad" in report.render()
    assert gate(changed).remembered == ("softmax",), "a red proof must not be remembered"


Change = Callable[[Lab], Lab]


def of_file(file: str, old: str, new: str) -> Change:
    return lambda lab: replaced(lab, file, old, new)


def in_notebook(cell: str, old: str, new: str) -> Change:
    def change(lab: Lab) -> Lab:
        notebook = json.loads(lab.notebook_path.read_text("utf-8"))
        found = next(one for one in notebook["cells"] if one["id"] == cell)
        assert found["source"].count(old) == 1
        found["source"] = found["source"].replace(old, new)
        lab.notebook_path.write_text(json.dumps(notebook), "utf-8")
        return Lab.load(lab.folder)

    return change


def new_file(name: str, text: str) -> Change:
    def change(lab: Lab) -> Lab:
        (lab.folder / name).write_text(text)
        return lab

    return change


PUBLIC, HIDDEN = "test_public.py", "hidden/test_hidden.py"
WRONG, RIGHT = "hidden/misconceptions.py", "hidden/variants.py"


@pytest.mark.parametrize(
    ("change", "again"),
    [
        # An exercise's own tests, solution, mistakes, variants and equivalent mutants.
        (of_file(PUBLIC, "size=(7, 3)", "size=(9, 3)"), {"softmax_nll_grad"}),
        (of_file(HIDDEN, "size=(2, 6, 3)", "size=(2, 7, 3)"), {"softmax"}),
        (in_notebook("softmax_nll_grad", "return h / n", "return h / float(n)"),
         {"softmax_nll_grad"}),
        (of_file(WRONG, "uphill: the", "uphill; the"), {"softmax_nll_grad"}),
        (of_file(RIGHT, "grad[i, k] -= 1", "grad[i, k] -= 1.0"), {"softmax_nll_grad"}),
        (new_file("hidden/equivalent_mutants.txt", "softmax_nll_grad: *  # why\n"),
         {"softmax_nll_grad"}),
        # What the other one calls: its solution, and the mistakes that are tried there, too.
        (in_notebook("softmax", "e = np.exp(shifted)", "e = np.exp(1.0 * shifted)"), BOTH),
        (of_file(WRONG, "exp overflows:", "exp does overflow:"), BOTH),
        # A fixture, a helper, a member of Reference: whoever uses it.
        (of_file(PUBLIC, "return 3 * rng", "return 2 * rng"), BOTH),
        (of_file(PUBLIC, "z.grad.numpy()", "z.grad.numpy().copy()"), {"softmax_nll_grad"}),
        # Set-up cells, imports, what runs when a file is loaded, data, helpers of the catalogue.
        (in_notebook("setup", "import check", "import check, hint"), BOTH),
        (of_file(PUBLIC, "import pytest\n", "import pytest\nimport os\n"), BOTH),
        (of_file(PUBLIC, "class Reference:", "torch.manual_seed(1)\n\n\nclass Reference:"), BOTH),
        (new_file("data.csv", "1,2\n"), BOTH),
        (new_file("hidden/helpers.py", "A = 1\n"), BOTH),
        (of_file(WRONG, 'SHIFT = "np.max', 'SHIFT = "" + "np.max'), BOTH),
        # What no verdict on an exercise rests on.
        (of_file(PUBLIC, "Exponentials first.", "The exponentials first."), set()),
        (in_notebook("title", "A row is an example.", "A row is one example."), set()),
    ],
)  # fmt: skip
def test_what_an_exercise_rests_on(lab: Lab, change: Change, again: set[str]) -> None:
    before, whole = names(lab), Memory(lab, QUICK).file_of()
    after = names(changed := change(lab))
    assert {name for name in BOTH if before[name] != after[name]} == again
    assert Memory(changed, QUICK).file_of() != whole  # the lab as a whole rests on everything


def test_names_that_are_made_up_count_in_whatever_they_may_mean(lab: Lab) -> None:
    text = lab.test_public.read_text("utf-8")
    helper = "\n\ndef soft_cap():\n    return 1\n\n\ndef other():\n    return 2\n"
    for look, found in (
        ('getattr(student, f"soft_{x}")', {"soft_cap"}),
        ("globals()[x]", {"soft_cap", "other"}),
        ('getattr(student, "so" + x)', {"soft_cap", "other"}),
        ("x", set()),
    ):
        head = '\n\n@exercise("softmax_nll_grad")\ndef test_b(student, x):\n    """B."""\n'
        test = f"{head}    {look}\n"
        lab.test_public.write_text(text + helper + test, "utf-8")
        pieces = rests_on("softmax_nll_grad", pieces_of(lab))
        texts = "\n".join(piece.text for piece in pieces)
        assert {name for name in ("soft_cap", "other") if f"def {name}()" in texts} == found, look


def test_options_versions_code_and_device_are_part_of_the_name(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = names(lab)
    for options in (Options(2, False, False), Options(1, True, False), Options(1, False, True)):
        assert not set(names(lab, options).values()) & set(first.values())
    with monkeypatch.context() as patched:
        patched.setattr(memory, "versions", lambda: ("numpy 0",))
        assert not set(names(lab).values()) & set(first.values())
    with monkeypatch.context() as patched:
        patched.setattr(memory, "code_checksum", lambda roots: "other code")
        assert not set(names(lab).values()) & set(first.values())
    with monkeypatch.context() as patched:
        patched.setattr(memory, "resolve", lambda: "cuda")
        assert not set(names(lab).values()) & set(first.values())
    with monkeypatch.context() as patched:
        patched.setattr(memory, "versions", lambda: ())  # nobody knows: nothing is remembered
        assert set(names(lab).values()) == {""}
    assert names(lab) == first


def test_the_code_that_matters_is_what_the_proof_imports() -> None:
    reached = {
        name
        for name in ("ground.closeness", "diagnosis.match", "gate.points.blindness",
                     "calls.proxy", "commands.cli", "sandbox.session", "commands.demo")
        if f"course_utils.{name}" in reached_by(memory.OF_EXERCISE)
    }  # fmt: skip
    assert reached == {
        "ground.closeness", "diagnosis.match", "gate.points.blindness", "calls.proxy"
    }  # fmt: skip


def test_files_that_change_during_the_proof_are_not_remembered(lab: Lab) -> None:
    def meddle(label: str, done: int, total: int) -> None:
        text = lab.test_public.read_text("utf-8")
        if "# meddled" not in text:
            lab.test_public.write_text(text + "# meddled\n", "utf-8")

    verify(lab, seeds=1, mutants=False, pairs=False, workers=1, progress=meddle)
    assert not list(cache_folder().glob("*.proof"))


def test_a_damaged_proof_is_made_again(lab: Lab) -> None:
    gate(lab)
    for path in cache_folder().glob("*softmax-*.proof"):
        path.write_bytes(b"not a proof")
    assert "softmax" not in gate(lab).remembered


def test_other_traces_in_the_folder_are_looked_through(lab: Lab) -> None:
    gate(lab)
    lab.traces_path.write_bytes(b"not traces")
    report = gate(lab)
    assert THE_REST not in report.remembered and "release the lab again" in report.render()
