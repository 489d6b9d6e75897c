"""Requests and responses on the wire, and what is taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from forged_responses import RESPONSES

from course_utils.calls.endings import (
    Ending,
    MissingName,
    OutOfMemory,
    Raised,
    TimedOut,
    Unsendable,
    Value,
)
from course_utils.calls.protocol import ForbiddenNote, Request, Response
from course_utils.ground import wire
from course_utils.ground.wire import WireError

REQUEST = Request("f", [1, 2], {"axis": 0})


# -- requests


def crossed(request: Request) -> Request:
    return Request.from_wire(wire.loads(wire.dumps(request.to_wire())))


def test_a_request_crosses_with_arguments_of_its_own() -> None:
    x, y = np.arange(6.0).reshape(2, 3), torch.ones(2)
    sent = Request(
        "path", (x, "text", (1, [2])), {"y": y, "axis": None}, seed=3, forbid=("torch.softmax",),
        probe="def path(student): ...", seconds=0.5,
    )  # fmt: skip
    came = crossed(sent)
    assert came.values[0].tolist() == x.tolist() and came.values[0] is not x
    assert came.values[1:3] == ["text", (1, [2])]
    assert came.kwargs.keys() == {"y", "axis"} and torch.equal(came.kwargs["y"], y)
    assert (came.name, came.seed, came.forbid) == ("path", 3, ["torch.softmax"])
    assert (came.probe, came.seconds) == (sent.probe, 0.5)
    assert came.labels == sent.labels == [0, 1, 2, "y", "axis"]


def test_the_bytes_of_the_arguments_come_along() -> None:
    came = crossed(Request("f", (np.ones(3),), {"y": [1]}))
    assert came.encoded == (wire.dumps(np.ones(3)), wire.dumps([1]))
    came.args[0][0] = 5.0
    assert came.encoded[0] == wire.dumps(np.ones(3))


def test_of_a_probe_students_know_no_name() -> None:
    assert Request("f").caller == "f"
    assert Request("f", probe="def f(student): ...").caller == "your code"


def test_an_argument_that_cannot_cross_is_not_sent() -> None:
    with pytest.raises(wire.UnsendableError, match="a set"):
        Request("f", ({1},)).to_wire()


@pytest.mark.parametrize(
    "wrong",
    [None, [], {}, {"name": "f"}, REQUEST.to_wire() | {"more": 1},
     REQUEST.to_wire() | {"args": 3}, REQUEST.to_wire() | {"args": [1]},
     REQUEST.to_wire() | {"args": [b""]}, REQUEST.to_wire() | {"kwargs": {"axis": "x"}}],
    ids=str,
)  # fmt: skip
def test_what_is_no_request_is_refused(wrong: Any) -> None:
    with pytest.raises(WireError):
        Request.from_wire(wrong)


# -- responses


ENDINGS: list[Ending] = [
    Value(1.5), Value([1], (0, "axis"), 0.25), Value(None), MissingName("g", "f"),
    MissingName("g"), OutOfMemory(), OutOfMemory(on_device=True), TimedOut(), Unsendable("a set"),
    Raised("ValueError", "no"), Raised("E", "m", "x = 1", True, True, ("f", "g")),
]  # fmt: skip
NOTES = (ForbiddenNote("torch.softmax", ("f", "g")), ForbiddenNote("torch.exp", ()))


@pytest.mark.parametrize("notes", [(), NOTES], ids=["", "with notes"])
@pytest.mark.parametrize("ending", ENDINGS, ids=str)
def test_a_response_crosses(ending: Ending, notes: tuple[ForbiddenNote, ...]) -> None:
    response = Response(ending, notes)
    assert Response.from_wire(wire.loads(wire.dumps(response.to_wire())), REQUEST) == response


@pytest.mark.parametrize("by_wire", [True, False])
def test_a_packed_value_comes_out_whether_or_not_it_went_over_a_wire(by_wire: bool) -> None:
    message = Response(Value(wire.Packed((1, [2.0])))).to_wire()
    came = Response.from_wire(wire.loads(wire.dumps(message)) if by_wire else message, REQUEST)
    assert came == Response(Value((1, [2.0])))


@pytest.mark.parametrize("message", RESPONSES.values(), ids=RESPONSES)
def test_a_response_of_another_form_is_none(message: str) -> None:
    with pytest.raises(WireError, match=r"\w"):
        Response.from_wire(eval(message), REQUEST)
