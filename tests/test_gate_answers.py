"""After the deadline: the students' notebook with solutions folded under its exercises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import small_lab
from defining import defined
from tiny import REPOSITORY

from course_utils.gate.answers import answers, write_answers
from course_utils.gate.released import released_notebook
from course_utils.ground.cells import is_check, is_solution, source
from course_utils.ground.lab import Lab
from course_utils.ground.stub import BEGIN_SOLUTION, END_SOLUTION

LABS = sorted(path.name for path in (REPOSITORY / "solutions").glob("lab*"))


def folded(notebook: dict[str, Any]) -> list[str]:
    return [source(c) for c in notebook["cells"] if source(c).startswith("<details><summary><b>")]


def test_what_students_have_is_left_as_it_is(tmp_path: Path) -> None:
    lab = small_lab.write(tmp_path)
    made, released = answers(lab), released_notebook(lab)
    theirs = [source(cell) for cell in made["cells"] if source(cell) not in folded(made)]
    assert theirs == [source(cell) for cell in released["cells"]]
    nbformat.validate(nbformat.from_dict(made))


def test_the_code_that_is_shown_runs_and_is_right(tmp_path: Path) -> None:
    made = answers(small_lab.write(tmp_path))
    (softmax,) = (text for text in folded(made) if "<code>softmax</code>" in text)
    shown = re.findall(r"```python\n(.*?)\n```", softmax, re.DOTALL)
    assert len(shown) >= 1 and BEGIN_SOLUTION not in softmax and END_SOLUTION not in softmax
    f = defined(shown[0])["softmax"]
    assert np.allclose(f(np.array([[0.0, np.log(3.0)]])), [[0.25, 0.75]])


@pytest.mark.parametrize("name", LABS)
def test_every_exercise_and_question_has_its_answer(name: str, tmp_path: Path) -> None:
    lab = Lab.find(name, REPOSITORY)
    folder = write_answers(lab, tmp_path)
    notebook = nbformat.read(folder / lab.notebook_path.name, as_version=4)
    nbformat.validate(notebook)
    said = folded(notebook)
    for exercise in lab.exercises:
        (here,) = (text for text in said if f"<code>{exercise.name}</code>" in text)
        assert here.count("```python") == here.count("```") / 2 >= 2, exercise.name
    texts = [cell for cell in lab.notebook["cells"] if cell["cell_type"] == "markdown"]
    questions = [cell for cell in texts if is_solution(cell)]
    assert sum("What a good answer says" in text for text in said) == len(questions) > 0
    assert (folder / "test_public.py").exists() and not (folder / "hidden").exists()
    assert len([c for c in notebook.cells if is_check(c)]) == len(lab.exercises)
