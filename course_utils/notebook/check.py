"""``check``: an exercise's public tests, run on the notebook's own definitions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.notebook import render
from course_utils.notebook.errors import CheckFailed
from course_utils.notebook.locate import in_grading, lab_folder, student_namespace
from course_utils.notebook.render import Panel, Sign
from course_utils.outcome import Diagnosis, Status, TestOutcome

if TYPE_CHECKING:
    from course_utils.notebook.public_tests import PublicTests

_UNWRITTEN = (Status.NOT_WRITTEN, Status.MISSING)


def check(name: str) -> None:
    """Test an exercise on what this notebook defines, and show which public claims hold.

    The tests run on the functions as they are in the kernel now: after a change, run the changed
    cell first. In grading further, hidden tests are run.

    Args:
        name: the exercise, e.g. ``"softmax"``.

    Raises:
        CheckFailed: a claim does not hold, or the exercise is not written yet.
        NotebookError: there is no such exercise, or its tests cannot run; the message says why.
    """
    if in_grading():
        return
    namespace = student_namespace(sys._getframe(1))
    folder = lab_folder(namespace)
    # Not before now: pytest comes with it, and whoever only imports `check` need not wait for it.
    from course_utils.notebook.public_tests import PublicTests

    tests = PublicTests(folder)
    outcomes = tests.run(namespace, [tests.require(name)])
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if not failed:
        render.show(_passed(name, outcomes))
        return
    if all(outcome.status in _UNWRITTEN for outcome in outcomes):
        panel = _unwritten(name, failed, hints=bool(tests.hints(name)))
        render.show(panel)
        raise CheckFailed(f"{name}: nothing to check yet (see above)")
    render.show(_failed(name, outcomes, _diagnosis(folder, outcomes), tests))
    raise CheckFailed(
        f"{name}: {len(failed)} of {len(outcomes)} public claims "
        f"{'does' if len(failed) == 1 else 'do'} not hold (see above)"
    )


def _diagnosis(folder: Path, outcomes: list[TestOutcome]) -> Diagnosis | None:
    """The one most likely mistake, where something can be said beyond how the calls ended."""
    from course_utils.diagnosis import diagnose_public

    found = diagnose_public(folder, outcomes)
    # "It raised an exception" is what the claims' messages say already, and better.
    return None if found is None or found.name in list(Status) else found


# -- what is shown


def _passed(name: str, outcomes: Sequence[TestOutcome]) -> Panel:
    title = f"public claims: {len(outcomes)}/{len(outcomes)}, all hold"
    coming = "Hidden tests come with grading: they ask the same of other inputs."
    rows = list(_rows(outcomes))
    return Panel(
        text="\n".join([f"{name} · {title}", *_text_rows(rows), coming]),
        html=render.frame(
            f"check of {name}",
            Sign.HOLDS,
            render.heading(name, title),
            render.signed_list(rows),
            render.note(coming),
        ),
    )


def _unwritten(name: str, outcomes: Sequence[TestOutcome], *, hints: bool) -> Panel:
    """One friendly line for an exercise that is still to be done."""
    missing = next((o.message for o in outcomes if o.status is Status.MISSING), "")
    if missing:
        stop = "" if missing.endswith("?") else "."
        said = f"{missing}{stop} Run the cell that defines it, then this one again."
    else:
        nudge = f' `hint("{name}")` gives a first nudge.' if hints else ""
        said = f"not written yet: fill in the cell above, run it, then run this one again.{nudge}"
    return Panel(
        text=render.wrap(f"{name} · {said}".replace("`", ""), first=f"{Sign.OPEN.glyph} "),
        html=render.frame(f"check of {name}", Sign.OPEN, render.heading(name, said)),
    )


def _failed(
    name: str, outcomes: Sequence[TestOutcome], diagnosis: Diagnosis | None, tests: PublicTests
) -> Panel:
    holding = sum(outcome.passed for outcome in outcomes)
    title = f"public claims: {holding}/{len(outcomes)}"
    rows = list(_rows(outcomes))
    derivation = tests.derivation(name)
    nudge = f'`hint("{name}")` gives a nudge. ' if tests.hints(name) else ""
    coming = f"{nudge}Hidden tests come with grading."
    text = [f"{name} · {title}", *_text_rows(rows)]
    parts = [render.heading(name, title), render.signed_list(rows)]
    where = [("Where to look:", derivation)] if derivation else []
    if diagnosis is not None:
        mistake = f"Most likely mistake: {diagnosis.name.replace('_', ' ')}"
        more = [("Also seen:", detail) for detail in diagnosis.details] + where
        text += [mistake, render.wrap(diagnosis.hint, first="  ")]
        parts.append(render.callout(mistake, diagnosis.hint, *more))
    else:
        more = where
        parts += [render.callout(label, said) for label, said in where]
    text += [render.wrap(f"{label} {said}", rest="  ") for label, said in more]
    return Panel(
        text="\n".join([*text, coming.replace("`", "")]),
        html=render.frame(f"check of {name}", Sign.FAILS, *parts, render.note(coming)),
    )


def _rows(outcomes: Sequence[TestOutcome]) -> Iterator[tuple[Sign, str, str]]:
    """Sign, claim and detail of each outcome; what was said before is not said again."""
    claims = [outcome.claim for outcome in outcomes]
    said: set[str] = set()
    for outcome in outcomes:
        claim = outcome.claim
        if claims.count(claim) > 1 and "[" in outcome.test:  # a parametrised test
            claim += f" ({outcome.test.partition('[')[2].removesuffix(']')})"
        if outcome.passed:
            yield Sign.HOLDS, claim, _closeness(outcome)
            continue
        detail = outcome.message or _closeness(outcome)
        if detail and detail in said:
            detail = "(for the same reason)"
        said.add(detail)
        yield (Sign.OPEN if outcome.status in _UNWRITTEN else Sign.FAILS), claim, detail


def _closeness(outcome: TestOutcome) -> str:
    if outcome.relative_error is None or outcome.tolerance is None:
        return ""
    if outcome.tolerance == 0 and outcome.passed:
        return "exactly equal"
    seen, allowed = render.figure(outcome.relative_error), render.figure(outcome.tolerance)
    return f"relative error {seen}, expected below {allowed}"


def _text_rows(rows: Sequence[tuple[Sign, str, str]]) -> Iterator[str]:
    for sign, claim, detail in rows:
        yield render.wrap(claim, first=f"  {sign.glyph} ")
        if detail:
            yield render.wrap(detail, first="      ")
