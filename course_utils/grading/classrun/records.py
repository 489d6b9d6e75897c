"""A verdict as plain JSON and back, with all that reports and feedback pages are made of.

This is the journal's own form. What a run prints for others is
:meth:`course_utils.verdict.submission.SubmissionResult.to_dict`, which is documented and says less.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from course_utils.ground import strict_json
from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.submission import SubmissionResult

# A number that JSON has no sign for is kept as a string: strict=False takes it for one again.
_decoder = msgspec.json.Decoder(SubmissionResult, strict=False)


def to_record(result: SubmissionResult) -> str:
    """A result without its notebook."""
    return strict_json.dumps(msgspec.to_builtins(_light(result)))


def from_record(record: str) -> SubmissionResult:
    """The result that a record was made from.

    Raises:
        ValueError: it is no such record, or another version of this package wrote it.
    """
    try:
        return _decoder.decode(record)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(f"this is no verdict: {error}") from None


def _light(result: SubmissionResult) -> SubmissionResult:
    """A result without what the diagnosis was made from, which is large and needed no more, and
    without its notebook, which is kept by itself, and what it shows, which can be written again."""
    exercises = tuple(
        replace(one, tests=tuple(map(_spent, one.tests))) for one in result.exercises
    )
    return replace(result, exercises=exercises, notebook=None, panels={}, phases={})


def _spent(test: TestOutcome) -> TestOutcome:
    return replace(test, trace=(), calls=(), mismatch=None)
