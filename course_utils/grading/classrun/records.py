"""A verdict as plain JSON and back, with all that reports and feedback pages are made of.

This is the journal's own form. What a run prints for others is
:meth:`course_utils.verdict.submission.SubmissionResult.to_dict`, which is documented and says less.
"""

from __future__ import annotations

from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from course_utils.verdict.outcome import TestOutcome
from course_utils.verdict.submission import SubmissionResult

# What the diagnosis was made from is large and needed no more; the notebook is kept by itself, and
# what it shows can be written again.
_SPENT: dict[type, tuple[str, ...]] = {
    TestOutcome: ("trace", "calls", "mismatch"),
    SubmissionResult: ("notebook", "panels"),
}


def _converter() -> cattrs.Converter:
    made = cattrs.Converter()
    for noun, fields in _SPENT.items():
        left_out: Any = {name: override(omit=True) for name in fields}
        made.register_unstructure_hook(noun, make_dict_unstructure_fn(noun, made, **left_out))
        made.register_structure_hook(noun, make_dict_structure_fn(noun, made, **left_out))
    return made


_converting = _converter()


def to_record(result: SubmissionResult) -> dict[str, Any]:
    """A result without its notebook, as values that JSON knows."""
    record: dict[str, Any] = _converting.unstructure(result)
    return record


def from_record(record: dict[str, Any]) -> SubmissionResult:
    """The result that a record was made from.

    Raises:
        ValueError: it is no such record, or another version of this package wrote it.
    """
    try:
        return _converting.structure(record, SubmissionResult)
    except Exception as error:  # cattrs passes on whatever a field's own type raises
        raise ValueError(f"this is no verdict: {error}") from None
