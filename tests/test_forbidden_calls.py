"""Forbidden calls: who pays and how much, and who is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import forbidding_lab
import jsonschema
import nbformat
import pytest
from forbidding_lab import BUILT_IN, notebook
from nbclient import NotebookClient
from tiny import as_bytes, cell

from course_utils.calls.backend import NamespaceBackend
from course_utils.calls.policy import Cost, ForbiddenCall
from course_utils.calls.protocol import ForbiddenNote
from course_utils.gate.points.forbids import judge_forbids
from course_utils.grading import feedback
from course_utils.grading.judge import Grader
from course_utils.grading.totals import StudentMarks
from course_utils.ground.errors import LabTestsError, PolicyError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, Status
from course_utils.sandbox.client import Sandbox
from course_utils.testing.lab_tests import lab_tests
from course_utils.testing.run import run_tests
from course_utils.verdict.exercise import ExerciseResult
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.submission import SubmissionResult

REPOSITORY = Path(__file__).resolve().parent.parent

# -- what it costs


def outcome(
    status: Status = Status.PASSED, *, part: str = "", cost: Cost | None = None, **fields: Any
) -> TestOutcome:
    call = ForbiddenCall("torch.softmax", "f", cost) if cost else None
    by_values = Status.PASSED if status is Status.FORBIDDEN else None
    return TestOutcome(
        "test_it", "f", "It is so.", False, 1.0, status, part=part, forbidden=call,
        by_values=by_values, **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('{"softmaxx": "test"}', "did you mean 'softmax'?"),
        ('{"softmax": "exersise"}', 'can cost "exercise", "test", "warning"'),
        ('{"softmax": 3}', 'can cost "exercise", "test", "warning"'),
        ('["softmax"]', "must be a table"),
    ],
)
def test_a_misspelt_policy_is_an_error_that_says_so(tmp_path: Path, table: str, said: str) -> None:
    old = '{"scaled": "test", "shifted": "warning"}'
    folder = forbidding_lab.write(tmp_path, forbidding_lab.TEST_PUBLIC.replace(old, table))
    with pytest.raises(PolicyError) as caught:
        _ = lab_tests(folder / "test_public.py").policy
    assert said in str(caught.value)
    backend = NamespaceBackend({})
    with pytest.raises(LabTestsError) as told:
        run_tests([folder / "test_public.py"], lambda mark: backend, device="cpu")
    assert str(caught.value) in str(told.value)
    assert "Traceback" not in str(told.value)


def test_notes_of_any_text_are_shown_as_names_only(lab: Lab) -> None:
    note = ForbiddenNote("<b>" * 99, ("a b", "softmax"))
    found = lab_tests(lab.test_public).policy.charged("softmax", [note])
    assert found is not None
    assert found.sentence == "softmax calls a built-in"


# -- in the sandbox


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.load(forbidding_lab.write(tmp_path_factory.mktemp("solutions")))


@pytest.fixture(scope="module")
def graded(lab: Lab, sandbox: Sandbox) -> Any:
    grader = Grader(lab, sandbox)
    return lambda **changed: grader.grade(as_bytes(notebook(**changed)), "student")


def scores(result: SubmissionResult) -> dict[str, float]:
    return {exercise.name: exercise.score for exercise in result.exercises if exercise.score < 2}


def told(result: SubmissionResult) -> list[str]:
    return [n.message for n in result.notices if n.code is Reason.FORBIDDEN_CALL]


def test_what_is_written_by_hand_has_full_marks(graded: Any) -> None:
    result = graded()
    assert scores(result) == {}
    assert result.reason is Reason.OK


def test_the_exercise_whose_function_makes_the_call_pays(graded: Any) -> None:
    """cross_entropy, scaled and shifted call the student's softmax, and do not pay for it."""
    result = graded(softmax=BUILT_IN)
    assert scores(result) == {"softmax": 0.0}
    assert result.reason is Reason.FORBIDDEN_CALL
    assert told(result) == [
        "softmax: softmax calls torch.softmax, which costs 2 points. "
        "The values alone would have earned 2 of 2 points."
    ]
    verdict = result.exercises[0]
    assert verdict.status is Status.FORBIDDEN
    assert (verdict.score, verdict.score_by_values) == (0.0, 2.0)


def test_what_calls_it_itself_pays(graded: Any) -> None:
    source = """def own(x):
    return torch.softmax(torch.as_tensor(x), 1).numpy()

def cross_entropy(x, y):
    return -np.log(own(x)[np.arange(len(y)), y])"""
    result = graded(cross_entropy=source)
    assert scores(result) == {"cross_entropy": 0.0}
    assert told(result)[0].startswith("cross_entropy: own calls torch.softmax, which costs 2")


def test_the_test_alone_or_nothing_is_withheld_where_the_lab_says_so(graded: Any) -> None:
    direct = "return torch.softmax(torch.as_tensor({}), 1).numpy()"
    result = graded(
        scaled=f"def scaled(x):\n    {direct.format('3 * x')}",
        shifted=f"def shifted(x):\n    {direct.format('x + 1')}",
    )
    assert scores(result) == {"scaled": 1.5}
    assert told(result) == [
        "scaled: scaled calls torch.softmax, which costs 0.5 points. "
        "The values alone would have earned 2 of 2 points.",
        "shifted: shifted calls torch.softmax, which costs nothing here.",
    ]
    shifted = next(e for e in result.exercises if e.name == "shifted")
    assert shifted.status is Status.PASSED
    page = feedback.exercise_panel(shifted).text
    assert "A call to avoid: shifted calls torch.softmax" in page


def test_of_two_functions_one_pays(graded: Any) -> None:
    source = "def twice(x):\n    return np.multiply(2, x)\n\ndef thrice(x):\n    return 3 * x"
    assert scores(graded(pair=source)) == {"pair": 1.0}


def test_a_class_in_its_built_in_form_pays(graded: Any) -> None:
    result = graded(Descent="class Descent(torch.optim.SGD):\n"
                    "    def __init__(self, p): super().__init__(p, lr=0.1)")  # fmt: skip
    assert scores(result) == {"Descent": 0.0}


def test_a_look_cell_may_call_what_it_likes(lab: Lab, sandbox: Sandbox) -> None:
    book = notebook()
    look = cell("torch.softmax(torch.zeros(2, 2), 1)", "look")
    look["metadata"] = {"tags": ["explore"]}
    elsewhere = cell("x = torch.ones(2, requires_grad=True)\nx.sum().backward()")
    book["cells"] += [look, elsewhere]
    assert scores(Grader(lab, sandbox).grade(as_bytes(book), "student")) == {}


def test_values_that_are_wrong_earn_what_they_would(graded: Any) -> None:
    result = graded(softmax=BUILT_IN.replace(").numpy()", ").numpy() * 2"))
    verdict = result.exercises[0]
    assert (verdict.score, verdict.score_by_values) == (0.0, 0.0)


def test_the_page_and_the_json_say_what_was_withheld(graded: Any) -> None:
    result = graded(softmax=BUILT_IN)
    page = feedback.page(result, StudentMarks())
    assert "Points withheld: softmax calls torch.softmax" in page
    assert "The values alone would have earned 2 of 2 points." in page
    schema = json.loads((REPOSITORY / "docs" / "result.schema.json").read_text("utf-8"))
    told = json.loads(json.dumps(result.to_dict()))
    jsonschema.validate(told, schema)
    assert told["reason"] == "forbidden_call"
    assert told["exercises"][0]["forbidden"] == {
        "call": "torch.softmax", "function": "softmax", "cost": "exercise",
    }  # fmt: skip
    assert set(schema["$defs"]["reason"]["enum"]) == {str(reason) for reason in Reason}


def test_of_a_hidden_test_no_name_is_told() -> None:
    call = ForbiddenCall("", "", Cost.EXERCISE)
    seen = replace(outcome(Status.FORBIDDEN, message="x"), hidden=True, forbidden=call)
    shown = feedback.exercise_panel(ExerciseResult("f", 2.0, (outcome(), seen))).text
    assert "Points withheld: a built-in was called" in shown
    assert "torch.softmax" not in shown


# -- in a kernel


@pytest.fixture(scope="module")
def checked(lab: Lab) -> dict[str, tuple[str, str]]:
    """What ``check`` shows, and the error it ends in, for notebooks in a real kernel."""
    direct = "def {0}(x):\n    return torch.softmax(torch.as_tensor({1}), 1).numpy()"
    book = notebook(
        softmax=BUILT_IN, scaled=direct.format("scaled", "3 * x"),
        shifted=direct.format("shifted", "x + 1"),
    )  # fmt: skip
    read = nbformat.reads(json.dumps(book), as_version=4)
    NotebookClient(
        read, timeout=120, allow_errors=True, resources={"metadata": {"path": str(lab.folder)}}
    ).execute()
    found = {}
    for made in read.cells:
        name = made.metadata.get("nbgrader", {}).get("grade_id", "")
        if name.startswith("check_"):
            shown = [o["data"]["text/plain"] for o in made.outputs if "data" in o]
            error = [o["traceback"] for o in made.outputs if o["output_type"] == "error"]
            found[name.removeprefix("check_")] = (
                " ".join("\n".join(shown).split()), "\n".join(error[0]) if error else "",
            )  # fmt: skip
    return found


def test_check_says_at_once_what_it_will_cost(checked: dict[str, tuple[str, str]]) -> None:
    text, error = checked["softmax"]
    assert (
        "Forbidden call: softmax calls torch.softmax Here that operation is to be written by hand. "
        "In grading this call costs all points of softmax, even where the values are right. "
        "Write it out in softmax instead."
    ) in text
    assert "1 of 2 public claims does not hold" in error
    assert len(error.splitlines()) < 5


def test_check_knows_the_other_policies(checked: dict[str, tuple[str, str]]) -> None:
    assert "costs the points of the claim that fails for it" in checked["scaled"][0]
    text, error = checked["shifted"]
    assert "A call to avoid: shifted calls torch.softmax" in text
    assert "costs nothing" in text
    assert not error


def test_check_accuses_no_exercise_of_anothers_call(
    checked: dict[str, tuple[str, str]],
) -> None:
    assert checked["cross_entropy"][1] == ""
    assert "calls torch" not in checked["cross_entropy"][0]


# -- at the gate


def findings(lab: Lab, box: str = "") -> list[str]:
    book = notebook()
    book["cells"][0]["source"] = box or book["cells"][0]["source"]
    lab.notebook_path.write_text(json.dumps(book), "utf-8")
    lab = Lab.load(lab.folder)
    return [str(found) for found in judge_forbids(lab, [e.name for e in lab.exercises])]


def test_the_gate_asks_for_what_is_forbidden_and_what_it_costs(tmp_path: Path) -> None:
    lab = Lab.load(forbidding_lab.write(tmp_path))
    found = findings(lab)
    unsaid = {line.split()[1] for line in found if "does not say what one costs" in line}
    assert unsaid == {"softmax", "cross_entropy", "scaled", "shifted", "pair", "Descent"}
    assert len(found) == len(unsaid)
    box = forbidding_lab.CONVENTIONS + "".join(f"> {cost.stated}.\n" for cost in Cost)
    assert findings(lab, box) == []
    silent = "# Conventions\n" + "".join(f"> {cost.stated}.\n" for cost in Cost)
    assert any("of which neither its text" in line for line in findings(lab, silent))


def test_the_gate_sees_what_cannot_be_seen(tmp_path: Path) -> None:
    public = forbidding_lab.TEST_PUBLIC.replace('"torch.mul"', '"torch.mull", "torch.mul"')
    folder = forbidding_lab.write(tmp_path, public)
    hidden = folder / "hidden" / "test_hidden.py"
    hidden.write_text(hidden.read_text().replace('"torch.softmax"', '"torch.exp"'), "utf-8")
    box = forbidding_lab.CONVENTIONS + "".join(f"> {cost.stated}.\n" for cost in Cost)
    found = findings(Lab.load(folder), box)
    assert [line for line in found if "pair forbids torch.mull, and there is no such" in line]
    assert [line for line in found if "hidden tests of softmax forbid torch.exp" in line]
    assert len(found) == 2


@pytest.mark.parametrize("lab", Lab.all_in(REPOSITORY), ids=lambda lab: lab.name)
def test_every_lab_says_what_is_forbidden_and_what_it_costs(lab: Lab) -> None:
    names = [exercise.name for exercise in lab.exercises]
    assert [str(found) for found in judge_forbids(lab, names)] == []
