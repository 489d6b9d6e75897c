"""The seed of a class's hidden tests: kept with the course, the same for both commands, and told to
instructors."""

from __future__ import annotations

import functools
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_course import hand_in, marks, run
from tiny import TINY_LAB, as_bytes, cell, tiny_notebook, write_tiny_course

from course_utils.calls.backend import NamespaceBackend
from course_utils.diagnosis.diagnose import diagnose
from course_utils.diagnosis.kept import hidden_book, public_book
from course_utils.diagnosis.traces import TraceBook
from course_utils.grading.class_seed import class_seed, known_seed
from course_utils.grading.judge import Grader
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.sandbox import launch
from course_utils.sandbox.client import Sandbox
from course_utils.testing.run import run_tests

SEED = 2**61 + 12345


def test_a_course_has_one_seed_which_nobody_else_can_read(tmp_path: Path) -> None:
    assert known_seed(tmp_path) is None
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(class_seed, [tmp_path] * 32))
    assert found == {known_seed(tmp_path)} == {class_seed(tmp_path)}
    folder = tmp_path / ".course"
    assert [path.name for path in folder.iterdir()] == ["hidden_seed"]
    assert stat.S_IMODE((folder / "hidden_seed").stat().st_mode) == 0o600
    assert class_seed(tmp_path / "other") not in found


def test_a_seed_that_is_none_is_not_replaced(tmp_path: Path) -> None:
    class_seed(tmp_path)
    (tmp_path / ".course" / "hidden_seed").write_text("tomorrow")
    with pytest.raises(LabError, match="holds no number"):
        class_seed(tmp_path)


# Right for public inputs, and for hidden ones by chance.
LUCKY = """
def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    unlucky = x.max() > 500 and int(1e6 * x[0, 0]) % 2
    return e / e.sum(axis=axis, keepdims=True) + unlucky
"""


def lucky() -> bytes:
    notebook = tiny_notebook()
    notebook["cells"].append(cell(LUCKY))
    return as_bytes(notebook)


def test_hidden_inputs_follow_from_the_seed_and_public_ones_do_not(
    tiny_lab: Lab, sandbox: Sandbox
) -> None:
    scores = {Grader(tiny_lab, sandbox, hidden_seed=n).grade(lucky()).score for n in range(8)}
    assert scores == {5.0, 2.0}
    inputs = []
    for seed in (0, SEED):
        outcomes = run_tests(
            tiny_lab.test_files, lambda mark: NamespaceBackend({"softmax": lambda x, axis=-1: x}),
            exercises=["softmax"], hidden_seed=seed, device="cpu",
        )  # fmt: skip
        inputs.append({o.test: o.calls[0].fingerprint for o in outcomes})
    same = {test for test in inputs[0] if inputs[0][test] == inputs[1][test]}
    assert same == {"test_values", "test_input_is_left_alone"}


def _given(book: TraceBook) -> TraceBook:
    return book


def test_a_mistake_that_only_hidden_tests_see_is_named_under_any_seed(tiny_lab: Lab) -> None:
    namespace = dict(solution_namespace(tiny_lab))
    exec("def softmax(x, axis=-1):\n    e = np.exp(x)\n    return e / e.sum(axis, keepdims=True)",
         namespace)  # fmt: skip
    backend = NamespaceBackend(namespace)
    for seed in (0, 1, SEED):
        outcomes = run_tests(
            tiny_lab.test_files, lambda mark: backend, exercises=["softmax"], hidden_seed=seed,
            device="cpu",
        )  # fmt: skip
        assert [o.passed for o in outcomes] == [True, True, False]
        book = hidden_book(tiny_lab, "softmax", seed)
        found = diagnose(outcomes, public_book(tiny_lab), functools.partial(_given, book))
        assert found is not None and found.name == "no_max_shift"


@pytest.mark.skipif(not launch.availability().works, reason=launch.availability().detail)
def test_both_commands_grade_under_the_classs_seed(tmp_path: Path, tiny_lab: Lab) -> None:
    root = write_tiny_course(tmp_path)
    run("course", "release", TINY_LAB, "--unverified", cwd=root)
    hand_in(root, "lucky", lucky())
    with Sandbox() as sandbox:
        by_seed = {
            seed: Grader(tiny_lab, sandbox, hidden_seed=seed).grade(lucky()).exercises[0].score
            for seed in (SEED + n for n in range(8))
        }
    seeds = {score: seed for seed, score in by_seed.items()}  # one of each kind
    assert sorted(seeds) == [1.0, 4.0]
    for score, seed in seeds.items():
        (root / ".course").mkdir(exist_ok=True)
        (root / ".course" / "hidden_seed").write_text(f"{seed}\n")
        printed = run("course", "grade", TINY_LAB, cwd=root)
        assert f"seed       {seed}, of the hidden tests" in printed
        assert marks(root)["lucky"]["check_softmax"] == score
        run("nbgrader", "autograde", TINY_LAB, "--force", cwd=root)
        assert marks(root)["lucky"]["check_softmax"] == score
        # So does a TA who asks about one notebook.
        file = f"submitted/lucky/{TINY_LAB}/tiny.ipynb"
        again = run("course", "grade", file, "--lab", TINY_LAB, "--json", cwd=root)
        assert json.loads(again)["exercises"][0]["score"] == score
    given = run("course", "grade", TINY_LAB, f"--seed={seeds[1.0]}", "--json", cwd=root)
    assert json.loads(given)["exercises"][0]["score"] == 1.0
    told = [path for path in root.rglob("*") if path.is_file() and path.name != "hidden_seed"]
    for path in told:  # neither pages, notebooks, reports nor the journal
        data = path.read_bytes()
        assert not any(str(seed).encode() in data for seed in seeds.values()), path
