"""Grades the one submission in an autograder's container: ``python -m … [--warm-up]``.

Gradescope's folders lie in ``/autograder``, or where ``AUTOGRADER_ROOT`` says: ``source`` (the
archive), ``submission``, and ``results``, where ``results.json`` is to be. Where the submission
cannot be graded through no fault of its own, no file is written and the exit code is not 0: the
autograder has failed then, and the student has no mark instead of a wrong one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from course_utils.diagnosis.ignorance import all_fulfilled
from course_utils.diagnosis.kept import hidden_book, public_book
from course_utils.grading.gradescope.results import to_results
from course_utils.grading.gradescope.settings import LABS, Settings
from course_utils.grading.judge import Grader, grade_submission, sandbox_of
from course_utils.grading.submissions import look
from course_utils.ground import strict_json
from course_utils.ground.devices import resolve
from course_utils.ground.errors import CourseError
from course_utils.ground.lab import Lab
from course_utils.ground.streams import libraries_to_stderr
from course_utils.sandbox.limits import Limits


def grade(root: Path) -> Path:
    """Grade what lies in ``submission``; where the results are.

    Raises:
        CourseError: it cannot be graded here; the message says why and what to do.
    """
    root = root.resolve()
    path = root / "results" / "results.json"
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)  # student code is somebody else's process, where it can be
    settings, lab = _source(root)
    limits = Limits(device=resolve("cpu"))
    with (
        libraries_to_stderr(),
        sandbox_of(lab, settings.isolation, limits) as sandbox,
    ):
        grader = Grader(lab, sandbox, hidden_seed=settings.hidden_seed)
        result = grade_submission(look("", root / "submission", lab), grader)
    text = strict_json.dumps(to_results(result, settings.show), indent=1)
    fresh = path.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    os.replace(fresh, path)
    return path


def warm_up(root: Path) -> None:
    """Compute what every submission's verdict needs, and see whether the sandbox works here.

    Raises:
        CourseError: it does not.
    """
    settings, lab = _source(root.resolve())
    sandbox_of(lab, settings.isolation, Limits(device=resolve("cpu"))).try_out()
    public_book(lab)
    for exercise in lab.exercises:
        hidden_book(lab, exercise.name, settings.hidden_seed)
        all_fulfilled(lab, exercise.name)


def _source(root: Path) -> tuple[Settings, Lab]:
    source = root / "source"
    settings = Settings.read(source)
    return settings, Lab.load(source / LABS / settings.lab)


def main() -> None:
    """Grade, or warm up; an error is a sentence, for the instructor."""
    root = Path(os.environ.get("AUTOGRADER_ROOT", "/autograder"))
    try:
        if "--warm-up" in sys.argv[1:]:
            warm_up(root)
        else:
            print(f"graded: {grade(root)}")
    except CourseError as error:
        print(error.told, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
