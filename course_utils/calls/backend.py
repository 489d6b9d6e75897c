"""Where calls are carried out: what a backend is, and the one whose functions live right here."""

from __future__ import annotations

import random
import sys
from typing import Any, Protocol

import numpy as np

from course_utils.calls import dispatcher
from course_utils.calls.fault import StudentFault
from course_utils.calls.protocol import Request, Response
from course_utils.ground import wire
from course_utils.ground.statuses import Status


class Backend(Protocol):
    """Something that carries out requests (see :func:`~course_utils.calls.dispatcher.invoke`)."""

    def request(self, request: Request) -> Response:
        """Carry out one request.

        Raises:
            StudentFault: the code on the other side hung, crashed or ran out of memory.
        """
        ...


class NamespaceBackend:
    """Calls functions of a namespace in this process: the student's own kernel, or trusted code.

    Arguments and results are copied as the wire would copy them, so a test sees the same values
    as it would in grading, and the process's random generators and NumPy's error handling are left
    as they were. The generators' stream on the other side goes on from call to call, as it does in
    a process of its own: code that draws without a seed draws the same here and in grading.
    """

    def __init__(self, namespace: dispatcher.Namespace) -> None:
        self._namespace = namespace
        self._theirs: _RandomStates | None = None

    def request(self, request: Request) -> Response:
        ours, errors = _random_states(), np.geterr()
        if self._theirs is not None:
            _restore_random_states(self._theirs)
        try:
            response = dispatcher.invoke(self._namespace, Request.from_wire(request.to_wire()))
            return Response.from_wire(response.to_wire(), request)
        except (wire.UnsendableError, wire.WireError) as error:
            raise StudentFault(
                Status.ERROR, f"{request.caller} gave an unreadable answer: {error}"
            ) from None
        finally:
            self._theirs = _random_states()
            _restore_random_states(ours)
            np.seterr(**errors)


_RandomStates = tuple[Any, Any, Any]


def _random_states() -> _RandomStates:
    torch = sys.modules.get("torch")
    return random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None


def _restore_random_states(states: _RandomStates) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    if states[2] is not None:
        sys.modules["torch"].set_rng_state(states[2])
