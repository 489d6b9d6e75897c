"""The words of a verdict: every status has all that others ask of it."""

from __future__ import annotations

import pickle

import pytest

from course_utils.ground import said
from course_utils.ground.statuses import Reason, Status

# Of a hidden test that simply fails, its claim says enough.
SILENT = {Status.FAILED, Status.PASSED}
# Where values came back, they say more than how the test has ended.
WITH_VALUES = {Status.FAILED, Status.PASSED, Status.UNJUDGED}


@pytest.mark.parametrize("status", Status)
def test_a_status_is_its_word_wherever_it_has_been(status: Status) -> None:
    assert f"{status}" == status.value == status
    assert Status(str(status)) is status
    assert pickle.loads(pickle.dumps(status)) is status


@pytest.mark.parametrize("status", Status)
def test_every_status_has_every_word(status: Status) -> None:
    assert bool(status.ending) is (status not in SILENT)
    assert bool(status.advice) is (status not in WITH_VALUES)
    assert status.advice == "" or status.advice[-1] in ".?"


def test_a_grader_has_a_code_for_each_end_without_a_verdict() -> None:
    without = [status for status in Status if status.unwritten or status.cut_short]
    assert [status for status in Status if status.reason is not None] == without
    assert len({status.reason for status in without}) == len(without)
    assert all(status.reason.cuts_short is status.cut_short for status in without if status.reason)


def test_nothing_is_both_unwritten_and_cut_short() -> None:
    assert not [status for status in Status if status.unwritten and status.cut_short]


def test_the_gravest_says_what_kept_a_test_from_its_values() -> None:
    order = list(Status)
    assert order[-1] is Status.PASSED
    for status in Status:
        assert Status.gravest([Status.PASSED, status]) is status
        if status.unwritten or status.cut_short:
            assert Status.gravest([Status.FAILED, status]) is status
    assert Status.gravest([Status.ERROR, Status.FAILED]) is Status.FAILED
    assert Status.gravest([Status.NOT_WRITTEN, Status.MISSING]) is Status.MISSING
    assert Status.gravest([]) is Status.ERROR


def test_what_ends_a_grading_cuts_nothing_short() -> None:
    """These leave nothing of which a rest was graded."""
    ending = (Reason.OK, Reason.NOT_JSON, Reason.NO_NOTEBOOK, Reason.WRONG_LAB, Reason.VANISHED)
    assert not any(reason.cuts_short for reason in ending)
    assert Reason.CELL_TIMEOUT.cuts_short and not Reason.CELL_ERROR.cuts_short


@pytest.mark.parametrize("status", Status)
def test_of_a_hidden_test_nothing_is_quoted(status: Status) -> None:
    assert said.of_test(status, "secret 1.2345", hidden=True) == status.ending
    assert said.of_test(status, "seen 1.2345", hidden=False) == "seen 1.2345"


def test_a_general_sentence_stands_where_nothing_was_seen() -> None:
    assert said.told("In general.", "", hidden=False) == "In general."
    assert said.told("In general.", "Seen.", hidden=False) == "Seen."
    assert said.told("In general.", "Seen.", hidden=True) == "In general."
