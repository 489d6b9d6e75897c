"""Where calls are carried out: what a backend is, and the one whose functions live right here."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.random import mtrand

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
        self._generators = _Generators()

    def request(self, request: Request) -> Response:
        errors = np.geterr()
        try:
            with self._generators.theirs(seeded=request.seed is not None):
                response = dispatcher.invoke(self._namespace, Request.from_wire(request.to_wire()))
                return Response.from_wire(response.to_wire(), request)
        except (wire.UnsendableError, wire.WireError) as error:
            raise StudentFault(
                Status.ERROR, f"{request.caller} gave an unreadable answer: {error}"
            ) from None
        finally:
            np.seterr(**errors)


class _Generators:
    """The process's global random generators, lent to the other side for the time of a call.

    To read and write NumPy's state takes longer than a short call, so the other side is given a
    generator of its own in its place. The second of a pair of normal numbers, which NumPy keeps
    outside of it, is lost in an exchange: where there is one, the whole state is put back.
    """

    def __init__(self) -> None:
        self._numpy = np.random.MT19937(0)
        self._states: tuple[Any, Any, Any] | None = None

    @contextmanager
    def theirs(self, *, seeded: bool) -> Iterator[None]:
        """Let the other side's generators take the place of the process's in the block.

        Args:
            seeded: whether the call begins by seeding them, whatever they were.
        """
        ours, bits = _states(), mtrand.get_bit_generator()
        if self._states is None:  # theirs begin where the process's are
            mtrand.set_bit_generator(self._numpy)
            if ours[1]["bit_generator"] == "MT19937":  # a notebook may have chosen another kind
                np.random.set_state(ours[1])
        else:
            self._exchange(self._numpy, None if seeded else self._states)
        try:
            yield
        finally:
            self._states = _states()
            self._exchange(bits, ours)

    @staticmethod
    def _exchange(numpy: Any, states: tuple[Any, Any, Any] | None) -> None:
        """Put other generators in the place of the process's, in the states that they were in."""
        mtrand.set_bit_generator(numpy)
        if states is None:
            return
        python, of_numpy, torch = states
        random.setstate(python)
        if of_numpy["has_gauss"]:
            np.random.set_state(of_numpy)
        if torch is not None:
            sys.modules["torch"].set_rng_state(torch)


def _states() -> tuple[Any, Any, Any]:
    """The states of Python's, NumPy's and torch's global generators."""
    torch = sys.modules.get("torch")
    numpy = np.random.get_state(legacy=False)
    return random.getstate(), numpy, torch.get_rng_state() if torch else None
