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
    as they were.
    """

    def __init__(self, namespace: dispatcher.Namespace) -> None:
        self._namespace = namespace

    def request(self, request: Request) -> Response:
        kept, errors = _random_states(), np.geterr()
        try:
            response = dispatcher.invoke(self._namespace, Request.from_wire(request.to_wire()))
            return Response.from_wire(response.to_wire(), request)
        except (wire.UnsendableError, wire.WireError) as error:
            raise StudentFault(
                Status.ERROR, f"{request.caller} gave an unreadable answer: {error}"
            ) from None
        finally:
            _restore_random_states(kept)
            np.seterr(**errors)


def _random_states() -> tuple[Any, Any, Any]:
    torch = sys.modules.get("torch")
    return random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None


def _restore_random_states(states: tuple[Any, Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    if states[2] is not None:
        sys.modules["torch"].set_rng_state(states[2])
