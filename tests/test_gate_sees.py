"""What the gate sees: tests that compare nothing, solutions in disguise, outputs that are old."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import small_lab

from course_utils.gate.new_lab import make_lab
from course_utils.gate.points import blindness, stored_outputs
from course_utils.gate.points.copies import Text, copied, regions_of, strings_in
from course_utils.gate.workbench import workbench_of
from course_utils.ground.errors import LabError
from course_utils.ground.lab import Lab


def blind_tests(tmp_path: Path, **files: str) -> str:
    lab = small_lab.write(tmp_path, **files)
    job = blindness.BlindnessJob(lab.folder, "softmax")
    return "\n".join(str(finding) for finding in blindness.blind_tests(job))


@pytest.mark.parametrize(
    ("head", "body", "seen"),
    [
        ("", "student.softmax(logits)", False),
        ("", "assert student.softmax(logits).shape == logits.shape", False),
        ("", "assert student.softmax(logits) is not None", False),
        ("", "h = student.softmax(logits)\n    student.softmax(h)", False),
        ("", "assert (student.softmax(logits) < 1).all(), 'above 1'", True),
        ("", "assert np.isfinite(student.softmax(logits)).all(), 'not finite'", True),
        ("", "assert_close(student.softmax(logits), student.softmax(logits))", True),
        (', about="form"', "assert student.softmax(logits).shape == logits.shape, 'shape'", True),
        (', about="form"', "student.softmax(logits)", False),
        (', about="arguments"', "student.softmax(logits)\n    assert_unmodified(student)", True),
        (', about="arguments"', "student.softmax(logits)", False),
        (', about="by hand", forbid=["torch.softmax"]', "student.softmax(logits)", True),
        (', about="by hand"', "student.softmax(logits)", False),
    ],
)
def test_a_test_must_fail_for_something_of_its_kind(
    tmp_path: Path, head: str, body: str, seen: bool
) -> None:
    test = f'\n\n@exercise("softmax"{head})\ndef test_new(student, logits):\n    """New."""\n'
    found = blind_tests(tmp_path, test_public=f"{small_lab.TEST_PUBLIC}{test}    {body}\n")
    assert ("test_new of softmax passes whatever comes back" in found) is not seen
    assert found.count("passes whatever") == (not seen)


def test_a_claim_about_values_must_fail_for_a_mistake(tmp_path: Path) -> None:
    bench = workbench_of(small_lab.write(tmp_path).folder)
    own = [outcome for outcome in bench.run() if outcome.exercise == "softmax"]
    keys = {"test_rows_sum_to_one", "test_large_logits", "hidden/test_three_dimensions"}
    (finding,) = blindness.judge_unmoved("softmax", own, keys)
    assert "test_first_axis of softmax fails for no misconception" in str(finding)


IN_DISGUISE = {
    "spacing": "e=np.exp( shifted )\nreturn e/np.sum( e,axis = axis,keepdims = True )",
    "fenced": "Look:\n\n```python\nreturn (e /\n    np.sum(e, axis=axis,  # so\n"
    "    keepdims=True))\n```\n",
    "span": "It is `return e/np.sum(e, axis=axis, keepdims=True)`, of course.",
    "html": "<pre>return e / np.sum(e, axis=axis, keepdims=True)</pre>",
    "renamed": "```\na = z - np.max(z, axis=k, keepdims=True)\nb = np.exp(a)  # up\n"
    "return b / np.sum(b, axis=k, keepdims=True)\n```",
    "prompt": ">>> shifted = x - np.max(x, axis = axis, keepdims = True)\n",
}


@pytest.mark.parametrize("name", IN_DISGUISE)
def test_a_solution_in_prose_is_recognised_however_it_is_set(tmp_path: Path, name: str) -> None:
    regions = regions_of(small_lab.write(tmp_path))
    assert list(copied(regions, [Text(IN_DISGUISE[name], code=False, strict=True)]))


CODE = '''
def answer(z, k=-1):
    """Other names, other comments."""
    # first
    a = z - np.max(z, axis=k, keepdims=True)
    b = np.exp(a)
    return (b / np.sum(b, axis=k,
                       keepdims=True))
'''


def test_a_solution_in_code_is_recognised_under_other_names(tmp_path: Path) -> None:
    regions = regions_of(small_lab.write(tmp_path))
    assert list(copied(regions, [Text(CODE, code=True)]))
    in_string = f'"""A docstring.\n\n    >>> 1\n{CODE.replace(chr(34) * 3, chr(39) * 3)}"""\n'
    within = [Text(text, code=False) for text in strings_in(in_string)]
    assert within
    assert list(copied(regions, within))


@pytest.mark.parametrize(
    "text",
    [
        "def broken(x, axis=-1):\n    e = np.exp(x)\n"
        "    return e / np.sum(e, axis=axis, keepdims=True)",
        "def other(a):\n    b = a - 1\n    c = b + 1\n    return c * b",
        'HINT = "`return e / np.sum(e, axis=axis, keepdims=True)` is the last line"',
    ],
)
def test_given_code_and_hints_may_share_a_line(tmp_path: Path, text: str) -> None:
    given = [Text(text, code=True), *(Text(one, code=False) for one in strings_in(text))]
    assert not list(copied(regions_of(small_lab.write(tmp_path)), given))


def stored(tmp_path: Path, name: str, **changes: object) -> str:
    """What is said of the stored outputs when one cell's are others."""
    notebook = copy.deepcopy(small_lab.notebook())
    next(cell for cell in notebook["cells"] if cell["id"] == name).update(changes)
    lab = small_lab.write(tmp_path, notebook=json.dumps(notebook))
    return "\n".join(map(str, stored_outputs.judge_stored(lab, workbench_of(lab.folder).run())))


def test_stored_outputs_that_are_missing_errors_or_old(tmp_path: Path) -> None:
    assert not stored(tmp_path, "setup")
    assert "cell 1 (setup), has no stored output" in stored(tmp_path, "setup", execution_count=None)
    assert "not run once each from top" in stored(tmp_path, "setup", execution_count=9)
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []}
    assert "has a stored error (ValueError: no)" in stored(tmp_path, "softmax", outputs=[error])
    old = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "✓ 3/3"}}
    sentence = stored(tmp_path, "check_softmax", outputs=[old])
    assert "(check_softmax), has an output older" in sentence


def test_a_run_shows_outputs_that_are_older_than_their_code(tmp_path: Path) -> None:
    notebook = copy.deepcopy(small_lab.notebook())
    text = {"output_type": "stream", "name": "stdout", "text": "0.50001\n"}
    for name, value in (("fine", "0.5"), ("old", "0.7"), ("raises", "1 / 0")):
        cell = small_lab.cell("code", name, f"print({value})", {"tags": ["explore"]})
        notebook["cells"].append(cell | {"outputs": [text]})
    lab = small_lab.write(tmp_path, notebook=json.dumps(small_lab.ran(notebook)))
    old, raises = map(str, stored_outputs.rerun(lab.folder))
    assert "cell 9, has an output older than its code" in old
    assert "cell 10, raises when it is run (ZeroDivisionError" in raises


def test_a_new_lab_is_complete(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="run this from the course repository"):
        make_lab(tmp_path, "lab08_attention")
    (tmp_path / "nbgrader_config.py").write_text("")
    with pytest.raises(LabError, match="is no name for a lab"):
        make_lab(tmp_path, "Attention")
    lab = Lab.load(make_lab(tmp_path, "lab08_attention", "Lab 08 · All you need"))
    with pytest.raises(LabError, match="there is lab08_attention already"):
        make_lab(tmp_path, "lab08_other")
    assert lab.notebook["cells"][0]["source"][0].strip() == "# Lab 08 · All you need"
    assert lab.notebook["metadata"]["course"]["lab"] == "lab08_attention"
    assert [path.name for path in (tmp_path / "solutions").iterdir()] == ["lab08_attention"]
    solution = workbench_of(lab.folder).run()
    assert solution and all(outcome.passed for outcome in solution)
    assert not list(stored_outputs.judge_stored(lab, solution))
    assert not blindness.blind_tests(blindness.BlindnessJob(lab.folder, "centred"))
