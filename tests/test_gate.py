"""The release gate: green on a complete lab, red with the right sentence on each planted fault."""

import copy
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_lab

from course_utils.calls.backend import NamespaceBackend
from course_utils.diagnosis.comparison import of_trace
from course_utils.diagnosis.record import record
from course_utils.diagnosis.traces import KnownMistake, TraceBook
from course_utils.gate.books import Books
from course_utils.gate.figures import MutationRow
from course_utils.gate.finding import Finding
from course_utils.gate.points import (
    equivalents,
    leaks,
    mutation,
    noticed_mutants,
    same_marks,
    seed_runs,
)
from course_utils.gate.pool import worker_pool
from course_utils.gate.verification import Verification
from course_utils.gate.verify import verify
from course_utils.gate.workbench import workbench_of
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

Notebook = dict[str, Any]


@pytest.fixture(autouse=True)
def _own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def gate(lab: Lab, *, seeds: int = 1, mutants: bool = False) -> Verification:
    return verify(lab, seeds=seeds, mutants=mutants, workers=1)


def test_without_seeds_nothing_is_run_again(tmp_path: Path) -> None:
    report = gate(small_lab.write(tmp_path), seeds=0)
    assert report.green and report.flakes.runs == 0


def with_notebook(root: Path, change: Callable[[Notebook], None]) -> Lab:
    """The small lab with a changed notebook."""
    notebook = copy.deepcopy(small_lab.notebook())
    change(notebook)
    return small_lab.write(root, notebook=json.dumps(small_lab.ran(notebook)))


def cell(notebook: Notebook, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if cell["id"] == name)
    return found


def said(report: Verification, point: int) -> str:
    """What the findings of one point say; the test fails if there is none."""
    found = [str(finding) for finding in report.findings if finding.point == point]
    assert found, report.render()
    assert not report.green
    return "\n".join(found)


def test_a_complete_lab_is_green(tmp_path: Path) -> None:
    report = gate(small_lab.write(tmp_path), seeds=3, mutants=True)
    assert report.green, report.render()
    assert report.solution_tests == (9, 9) and report.variants == (4, 4)
    assert len(report.matrix) == 8 and all(r.named and r.named_by_check for r in report.matrix)
    assert report.flakes.rate == 0 and report.flakes.runs == (2 + 4 + 8) * (3 + 1)
    assert report.mutation_rate == 1 and sum(row.total for row in report.mutation) >= 15
    text = report.render()
    for expected in ("green", "no_max_shift", "0.00 %", "100.0 % killed", "conventions box: yes"):
        assert expected in text


def test_the_gate_gives_the_same_report_from_worker_processes(tmp_path: Path) -> None:
    lab = small_lab.write(tmp_path)
    steps: list[tuple[str, int, int]] = []
    report = verify(
        lab, seeds=2, mutants=False, workers=2, progress=lambda *step: steps.append(step)
    )
    assert report.green, report.render()
    assert report.matrix == gate(lab).matrix
    labels = {label for label, _, _ in steps}
    assert labels == {"variants and misconceptions", "wrong answers", "seeds"}
    assert all(done <= total for _, done, total in steps)


# -- 1: right code gets full marks


def test_1_a_wrong_solution(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        found = cell(notebook, "softmax")
        found["source"] = found["source"].replace("e = np.exp(shifted)", "e = 1 + np.exp(shifted)")

    sentence = said(gate(with_notebook(tmp_path, change)), 1)
    assert "the solution of softmax fails test_rows_sum_to_one" in sentence


def test_1_a_solution_that_does_not_run(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        cell(notebook, "softmax")["source"] = "import nothing_of_that_name"

    sentence = said(gate(with_notebook(tmp_path, change)), 1)
    assert "small.ipynb, cell 3 (softmax), line 1: the solution raises ModuleNotFound" in sentence


def test_1_a_variant_that_fails(tmp_path: Path) -> None:
    wrong = small_lab.VARIANTS.replace("return torch.softmax(torch.as_tensor(x), axis)",
                                       "return torch.softmax(torch.as_tensor(x), -1)")  # fmt: skip
    report = gate(small_lab.write(tmp_path, variants=wrong))
    assert "the variant torch_softmax of softmax is right but fails test_first_axis" in said(
        report, 1
    )
    assert report.variants == (3, 4)


# -- 2: wrong code loses marks, in its exercise only, and is named


def add_misconception(source: str) -> str:
    return f"{small_lab.MISCONCEPTIONS}\n\n{source}\n"


def test_2_a_misconception_that_passes(tmp_path: Path) -> None:
    wrong = add_misconception(
        '@misconception("softmax", hint="…")\ndef fine(x, axis=-1):\n    return _softmax(x, axis)'
    )
    sentence = said(gate(small_lab.write(tmp_path, misconceptions=wrong)), 2)
    assert "the misconception fine of softmax gets full marks: add a test that it fails" in sentence


def test_2_a_misconception_that_duplicates_another(tmp_path: Path) -> None:
    wrong = add_misconception(
        '@misconception("softmax", hint="…")\n'
        "def overflow(x, axis=-1):\n    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)"
    )
    sentence = said(gate(small_lab.write(tmp_path, misconceptions=wrong)), 2)
    assert "no_max_shift and overflow of softmax return the same values in every test" in sentence


def test_2_a_misconception_that_costs_another_exercise_too(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC + (
        '\n\n@exercise("softmax_nll_grad")\n'
        "def test_uses_the_other(student, reference, logits):\n"
        '    """The other one."""\n'
        "    x = np.vstack([logits, 1000 + logits])\n"
        "    assert_close(student.softmax(x, axis=0), reference.softmax(x, axis=0))\n"
    )
    sentence = said(gate(small_lab.write(tmp_path, test_public=tests)), 2)
    assert "the misconception axis_ignored of softmax also fails test_uses_the_other" in sentence


def test_2_a_misconception_that_is_not_named(tmp_path: Path) -> None:
    wrong = add_misconception(
        '@misconception("softmax", hint="…")\n'
        "def random_noise(x, axis=-1):\n    import os\n"
        "    return _softmax(x, axis) * (1 + int.from_bytes(os.urandom(4), 'big') / 1e9)"
    )
    sentence = said(gate(small_lab.write(tmp_path, misconceptions=wrong)), 2)
    assert "the misconception random_noise of softmax is caught but not named" in sentence


def test_2_a_misconception_that_only_hidden_tests_tell_apart(tmp_path: Path) -> None:
    wrong = add_misconception(
        '@misconception("softmax_nll_grad", hint="…")\n'
        "def few_classes_flipped(logits, targets):\n"
        "    sign = -1 if logits.shape[1] < 10 else 2\n"
        "    y = np.eye(logits.shape[1])[targets]\n"
        "    return sign * (_softmax(logits) - y) / len(targets)"
    )
    report = gate(small_lab.write(tmp_path, misconceptions=wrong))
    assert "few_classes_flipped of softmax_nll_grad is caught but not named" in said(report, 2)


# -- 3: the stub gets 0


def test_3_a_test_that_an_empty_stub_passes(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC + (
        '\n\n@exercise("softmax")\ndef test_nothing(rng):\n    """Nothing."""\n    assert rng\n'
    )
    sentence = said(gate(small_lab.write(tmp_path, test_public=tests)), 3)
    assert "test_nothing of softmax passes although nothing is written yet" in sentence


def test_3_a_stub_that_does_not_name_its_exercise(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        found = cell(notebook, "softmax")
        found["source"] = found["source"].replace(
            "    ### BEGIN SOLUTION\n", "    x = x.not_there\n    ### BEGIN SOLUTION\n"
        )  # fmt: skip

    report = gate(with_notebook(tmp_path, change))
    assert "the stub of softmax does not say which exercise is not written yet" in said(report, 3)


def test_3_a_cell_that_needs_a_solution_to_run(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        look = small_lab.cell("code", "look", "h = softmax(np.zeros((1, 2)))", {})
        notebook["cells"].append(look)

    sentence = said(gate(with_notebook(tmp_path, change)), 3)
    assert "cell 8 calls an exercise that is not written yet: tag it 'explore'" in sentence


# -- 4: the same marks under every seed and on a second run


def test_4_a_test_that_is_right_for_some_seeds_only(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC + (
        '\n\n@exercise("softmax")\ndef test_luck(student, rng):\n    """By luck."""\n'
        "    assert student.softmax(rng.normal(size=(1, 2)))[0, 0] > 0.5, 'no luck'\n"
    )
    report = gate(small_lab.write(tmp_path, test_public=tests), seeds=8)
    assert "other marks under" in said(report, 4) and report.flakes.rate > 0


def test_4_a_misconception_that_shows_for_some_seeds_only(tmp_path: Path) -> None:
    wrong = add_misconception(
        '@misconception("softmax", hint="…")\n'
        "def sometimes(x, axis=-1):\n"
        "    return _softmax(x, axis) * (1.5 if x.flat[0] > 0 else 1)"
    )
    report = gate(small_lab.write(tmp_path, misconceptions=wrong), seeds=4)
    assert "so that the mistake always shows" in said(report, 4)


def test_4_a_test_that_remembers(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC + (
        '\n\nSEEN = []\n\n\n@exercise("softmax")\ndef test_memory(student, logits):\n'
        '    """It remembers."""\n    SEEN.append(student.softmax(logits))\n'
        "    assert len(SEEN) < 2, 'seen before'\n"
    )
    bench = workbench_of(small_lab.write(tmp_path, test_public=tests).folder)
    with worker_pool(1, None) as pool:
        flakes, findings = same_marks.judge(seed_runs.under_seeds(bench, 1, pool), 1)
    assert flakes.differing == 1
    assert "the solution of softmax gets other marks on a second run (test_memory)" in str(
        findings[0]
    )


def test_4_marks_do_not_hang_on_evidence(tmp_path: Path) -> None:
    bench = workbench_of(small_lab.write(tmp_path).folder)

    def outcomes(entry: Entry | None, evidence: bool) -> list[TestOutcome]:
        backend = bench.backend(entry)
        by_hand = entry is None or not entry.built_in
        return run_tests(
            bench.lab.test_files, lambda mark: backend, enforce_forbid=by_hand, evidence=evidence
        )

    for entry in [None, *bench.misconceptions, *bench.variants]:
        full, bare = outcomes(entry, True), outcomes(entry, False)
        assert [(one.test, one.status) for one in bare] == [(one.test, one.status) for one in full]
        assert any(one.trace for one in full) and not any(one.trace for one in bare)


# -- 5: nothing leaks


def test_4_what_is_slow_is_tried_under_fewer_seeds(tmp_path: Path) -> None:
    bench = workbench_of(small_lab.write(tmp_path).folder)
    trains, other = bench.exercises()[:2]
    hangs = next(m for m in bench.misconceptions if m.exercise == other)
    hanging = "misconception", other, hangs.name
    slow = seed_runs.Slow(frozenset({trains}), frozenset({hanging}))
    with worker_pool(1, None) as pool:
        marks = seed_runs.under_seeds(bench, 30, pool, slow=slow)
    under = defaultdict(set)
    for subject, seed in marks:
        under[subject].add(seed)
    assert under[hanging] == {-1, 0, 1, 2}
    for subject, seeds in under.items():
        few = subject == hanging or subject[1] == trains
        assert seeds == ({-1, 0, 1, 2} if few else set(range(-1, 30)))
    flakes, _ = same_marks.judge(marks, 30, slow)
    assert (flakes.training, flakes.hanging) == ((trains,), (f"{hangs.name} of {other}",))


def test_4_a_mistake_that_never_returns_is_said_to_be_tried_less(tmp_path: Path) -> None:
    public, hidden = (
        tests.replace('"softmax", ', '"softmax", seconds=0.2, ')
        for tests in (small_lab.TEST_PUBLIC, small_lab.TEST_HIDDEN)
    )
    mistakes = small_lab.MISCONCEPTIONS.replace(
        '"softmax": {', '"softmax": {"never_ends": edit("shifted = x", "while 1: x", hint="Ends."),'
    )
    lab = small_lab.write(
        tmp_path, test_public=public, test_hidden=hidden, misconceptions=mistakes
    )
    report = verify(lab, seeds=11, mutants=False, pairs=False, only=["softmax"])
    assert report.flakes.hanging == ("never_ends of softmax",)
    assert "never_ends of softmax: 2 seeds, since a call runs into its time" in report.render()


def test_5_a_solution_line_in_the_prose(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        cell(notebook, "title")["source"] += "\n`return e / np.sum(e, axis=axis,  keepdims=True)`"

    sentence = said(gate(with_notebook(tmp_path, change)), 5)
    assert "small.ipynb contains a line of the solution: “return e / np.sum(e" in sentence


def test_5_a_solution_in_the_public_tests(tmp_path: Path) -> None:
    copied = small_lab.SOFTMAX.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
    report = gate(small_lab.write(tmp_path, test_public=f"{small_lab.TEST_PUBLIC}\n\n{copied}"))
    assert "test_public.py contains a line of the solution" in said(report, 5)


def test_5_given_code_may_share_lines_with_a_solution(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        text = "def broken(x, axis=-1):\n    e = np.exp(x)\n"
        text += "    return e / np.sum(e, axis=axis, keepdims=True)"
        notebook["cells"].append(small_lab.cell("code", "broken", text, {}))

    assert gate(with_notebook(tmp_path, change)).green


def test_5_a_hidden_claim_or_a_path_in_the_metadata(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        notebook["metadata"]["note"] = "The middle axis of three works as well."
        notebook["metadata"]["path"] = "/home/ada/course/solutions"

    sentence = said(gate(with_notebook(tmp_path, change)), 5)
    assert "contains the claim of a hidden test: “The middle axis of three" in sentence
    assert "contains the path /home/ada of an instructor's machine" in sentence


def test_5_a_file_that_is_not_for_students(tmp_path: Path) -> None:
    lab = small_lab.write(tmp_path)
    (lab.folder / "notes.md").write_text(f"see {lab.folder}")
    sentence = said(gate(lab), 5)
    assert "notes.md would be released" in sentence
    assert f"notes.md contains the path {lab.folder}" in sentence


def test_5_a_model_answer_and_outputs_in_a_released_folder(tmp_path: Path) -> None:
    answer = "The gradient is the difference of what was said and what was true, by row."

    def change(notebook: Notebook) -> None:
        flags = small_lab.nbgrader("written_why", grade=True, solution=True, points=2)
        notebook["cells"].append(small_lab.cell("markdown", "written_why", answer, flags))

    lab = with_notebook(tmp_path, change)
    released = tmp_path / "labs" / lab.name
    released.mkdir(parents=True)
    stale = copy.deepcopy(lab.notebook)
    output = {"output_type": "stream", "name": "stdout", "text": [answer]}
    cell(stale, "setup")["outputs"] = [output]
    (released / "small.ipynb").write_text(json.dumps(stale))
    sentence = "\n".join(map(str, leaks.search_folder(released, lab)))
    for what in ("a model answer", "the marker of a solution", "keeps the outputs of cell 1"):
        assert what in sentence


def test_5_traces_of_hidden_tests_and_right_answers(tmp_path: Path) -> None:
    lab = small_lab.write(tmp_path)
    backend = NamespaceBackend(solution_namespace(lab))
    outcomes = run_tests(lab.test_files, lambda mark: backend)
    right = {o.test: tuple(of_trace(o.trace)) for o in outcomes}
    book = record(lab, hidden=True, pairs=False)
    leaky = KnownMistake(("leaky",), "…", dresses=({"test_first_axis": right["test_first_axis"]},))
    book.exercises["softmax"].append(leaky)
    sentence = "\n".join(map(str, leaks.expected_values(book, outcomes)))
    assert "the traces of leaky (softmax) hold the right answer to test_first_axis" in sentence
    assert "hold the hidden test hidden/test_three_dimensions" in sentence
    assert not list(leaks.expected_values(record(lab, hidden=False), outcomes))


# -- 6: every exercise is complete


def test_6_an_exercise_without_what_it_needs(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        flags = small_lab.nbgrader("check_relu", grade=True, locked=True, points=1)
        heading = small_lab.cell("markdown", "text_relu", "### Exercise · relu · 1 point", {})
        check = small_lab.cell("code", "check_relu", 'check("relu")', flags)
        notebook["cells"] += [heading, check]

    sentence = said(gate(with_notebook(tmp_path, change)), 6)
    for lack in (
        "the exercise relu needs", "a ### BEGIN SOLUTION region", "a test in test_public.py",
        "a test in hidden/test_hidden.py", "4 more in hidden/misconceptions.py",
        "2 more in hidden/variants.py", "HINTS", "DERIVATION",
    ):  # fmt: skip
        assert lack in sentence


def test_6_points_that_do_not_add_up(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        cell(notebook, "check_softmax")["metadata"]["nbgrader"]["points"] = 7

    sentence = said(gate(with_notebook(tmp_path, change)), 6)
    assert "the heading of softmax says 2 points, its check cell 7" in sentence


def test_6_wrong_metadata(tmp_path: Path) -> None:
    def change(notebook: Notebook) -> None:
        cell(notebook, "check_softmax")["metadata"]["nbgrader"]["locked"] = False
        cell(notebook, "softmax_nll_grad")["metadata"]["nbgrader"]["grade_id"] = "softmax"
        cell(notebook, "setup")["metadata"]["nbgrader"]["schema_version"] = 2
        cell(notebook, "check_softmax_nll_grad")["source"] = "check('softmax')"
        cell(notebook, "title")["source"] = "# No box"
        notebook["metadata"]["course"]["lab"] = "another"

    sentence = said(gate(with_notebook(tmp_path, change)), 6)
    for fault in (
        "a check cell is graded, locked and no solution", "2 cells have the grade_id softmax",
        "schema_version 3", 'a check cell holds check("softmax_nll_grad") and nothing else',
        "box *Conventions*", '"course": {"lab": "lab90_small"}',
    ):  # fmt: skip
        assert fault in sentence


def test_6_entries_of_an_exercise_that_is_not_there(tmp_path: Path) -> None:
    wrong = small_lab.VARIANTS.replace('@variant("softmax")', '@variant("soft_max")', 1)
    sentence = said(gate(small_lab.write(tmp_path, variants=wrong)), 6)
    assert "variants.py, line 7: the variant torch_softmax names the exercise soft_max" in sentence
    assert "did you mean softmax?" in sentence


@pytest.mark.parametrize(
    ("part", "text", "sentence"),
    [
        ("misconceptions", "import nothing_of_that_name", "cannot be imported"),
        ("misconceptions", small_lab.MISCONCEPTIONS.replace('hint="The axis argument is ignored."',
                                                            'hint=""'), "needs a hint"),
        ("test_public", "def test_a(student): pass", "has no @exercise"),
        ("test_hidden", "def test_a(student:", "test_hidden.py, line 1: this is no Python"),
        ("notebook", json.dumps({**small_lab.notebook(), "cells": []}), "no check cell"),
    ],
)  # fmt: skip
def test_a_lab_that_cannot_be_loaded_is_red_with_the_reason(
    tmp_path: Path, part: str, text: str, sentence: str
) -> None:
    report = gate(small_lab.write(tmp_path, **{part: text}))
    assert not report.green and sentence in report.render()


# -- 7: small changes of the solution are noticed


def test_7_a_mutant_that_no_test_notices(tmp_path: Path) -> None:
    weak = small_lab.TEST_PUBLIC.replace("    x[:, 0] -= 900.0\n", "")
    lab = small_lab.write(tmp_path, test_public=weak)
    report = gate(lab, mutants=True)
    assert "1 mutants of softmax survive (only 89 % killed" in said(report, 7)
    (row,) = [row for row in report.mutation if row.survivors]
    (survivor,) = row.survivors
    assert survivor in report.render() and "np.max" in survivor and "-> shifted" in survivor

    marks = lab.folder / "hidden" / "equivalent_mutants.txt"
    marks.write_text(f"# seen by the test of this test\n{survivor}  # not so, but let it be\n")
    rows, findings = mutate(lab)
    assert not findings and [row.equivalent for row in rows] == [1, 0]
    marks.write_text(f"{survivor}\nsoftmax: gone -> gone away  # long ago\n")
    sentence = "\n".join(map(str, mutate(lab)[1]))
    assert "needs a reason" in sentence and "take the line out" in sentence


def test_7_an_exercise_of_answers_is_left_out_as_a_whole(tmp_path: Path) -> None:
    weak = small_lab.TEST_PUBLIC.replace("    x[:, 0] -= 900.0\n", "")
    lab = small_lab.write(tmp_path, test_public=weak)
    marks = lab.folder / "hidden" / "equivalent_mutants.txt"
    marks.write_text("softmax: *  # for the sake of this test\n")
    assert not mutate(lab)[1]


# -- 8: claims


def test_8_a_test_that_quotes_nothing_or_what_is_nowhere(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC.replace('stated="stable"', 'stated="very stable"').replace(
        ', stated="along one axis"', ""
    )
    sentence = said(gate(small_lab.write(tmp_path, test_public=tests)), 8)
    assert "test_large_logits of softmax quotes “very stable”, which is neither" in sentence
    assert "test_first_axis of softmax does not say where students are told" in sentence


def test_8_a_claim_that_fails_for_what_it_does_not_speak_of(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC.replace(
        "    student.softmax(logits)\n    assert_unmodified(student)",
        "    assert student.softmax(logits).sum() < 5.1, 'too much'",
    )
    wrong = small_lab.MISCONCEPTIONS.replace(
        '"### BEGIN SOLUTION", "axis = -1"', '"np.sum(e, axis=axis", "0.5 * np.sum(e, axis=axis"'
    )
    report = gate(small_lab.write(tmp_path, test_public=tests, misconceptions=wrong))
    sentence = said(report, 8)
    assert "axis_ignored of softmax is about idea, but fails test_input_kept" in sentence


def test_8_a_mistake_that_costs_too_little(tmp_path: Path) -> None:
    tests = small_lab.TEST_PUBLIC.replace('stated="stable"', 'about="edge", stated="stable"')
    sentence = said(gate(small_lab.write(tmp_path, test_public=tests)), 8)
    assert "no_max_shift of softmax, about idea, costs" in sentence


# -- 9: unknown mistakes are named rightly or not at all


def test_9_a_name_that_misleads(tmp_path: Path) -> None:
    wrong = small_lab.MISCONCEPTIONS.replace(
        '"h[np.arange(n), targets] -= 1", "pass"', '"return h / n", "return softmax(logits) / n"'
    )
    report = gate(small_lab.write(tmp_path, misconceptions=wrong), mutants=True)
    assert "get a misleading name" in said(report, 9)
    assert "h[np.arange(n), targets] -= 1 -> (removed) is called h_only" in report.render()


def mutate(lab: Lab) -> tuple[list[MutationRow], list[Finding]]:
    """The mutants of a lab, judged without any catalogue."""
    bench, books = workbench_of(lab.folder), lab.folder.parent / "books"
    Books(TraceBook(lab.name), TraceBook(lab.name)).save(books)
    made = mutation.by_exercise(bench)
    with worker_pool(1, None) as pool:
        tried = mutation.try_all(bench, books, made, pool)
    judged = [noticed_mutants.judge_mutants(lab, name, made[name], tried[name]) for name in made]
    found = [finding for _, findings in judged for finding in findings]
    return [row for row, _ in judged], [*found, *equivalents.judge_marks(lab)]
