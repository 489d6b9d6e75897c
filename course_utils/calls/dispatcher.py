"""The student's side of a call: the dispatcher, which runs next to a student's code.

It finds what a request asks for, in the kernel or in the sandbox, calls it, and says how that
ended. Nothing here knows what the right answer is.
"""

from __future__ import annotations

import builtins
import difflib
import functools
import importlib
import linecache
import random
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from course_utils.calls.endings import MissingName, OutOfMemory, Raised, Unsendable, Value
from course_utils.calls.protocol import Request, Response
from course_utils.calls.watching import LIBRARIES, PROBE_FILE, CallWatch, entered, watching
from course_utils.ground import devices, wire

_MAX_TEXT = 500
# What a probe hands on of a student's so that its calls can be followed.
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, functools.partial)

Namespace = dict[str, Any]


# As it is before any student code has run: the stop button's, and no class of that name.
_STOPPED = KeyboardInterrupt


class MissingNameError(Exception):
    """The notebook does not define a name that a test asks for.

    Attributes:
        name: that name.
        near: one like it that the notebook defines; empty if there is none.
    """

    def __init__(self, name: str, near: str) -> None:
        super().__init__(f"the notebook does not define {name}")
        self.name = name
        self.near = near


class CallTimeout(BaseException):
    """The time for a cell or a call is up; raised by whoever set the alarm.

    Not an Exception, so that ``except Exception`` in student code does not swallow it.
    """


class View:
    """A student's definitions as attributes, which is what a probe receives.

    It notes which functions have returned None: a probe that trips over that cannot say so. All
    that it keeps is private: a student may define a function of any other name.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._gave_none: list[str] = []  # the names of those functions, in order
        self._handed: Namespace = {}  # what the probe has asked for, by name
        self._missing: list[MissingNameError] = []

    def _find(self, name: str) -> Any:
        """What the notebook defines under a name.

        Raises:
            MissingNameError: it defines nothing of that name.
        """
        if name in self._namespace:
            return self._namespace[name]
        self._missing.append(MissingNameError(name, _near(self._namespace, name)))
        raise self._missing[-1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._handed[name] = self._find(name)
        if not isinstance(found, _FUNCTIONS):
            return found

        @functools.wraps(found)
        def noted(*args: Any, **kwargs: Any) -> Any:
            value = entered(name, found, args, kwargs)
            if value is None:
                self._gave_none.append(name)
            return value

        return noted


def invoke(namespace: Namespace, request: Request) -> Response:
    """Carry out one request against a namespace; never raises for what student code does.

    Args:
        namespace: the student's definitions, by name.
        request: what to call, with arguments that nobody else holds; a probe gets a :class:`View`
            first.

    Returns:
        How the call ended, and the notes that :class:`~course_utils.calls.watching.CallWatch` took
        meanwhile. A value is packed, to be read after a crossing.

    Raises:
        CallTimeout: an alarm rang during the call.
    """
    view = View(namespace)
    watch = CallWatch(namespace, view._handed)
    response = _carry_out(view, watch, request)
    return replace(response, forbidden=tuple(watch.notes)) if watch.notes else response


def _carry_out(view: View, watch: CallWatch, request: Request) -> Response:
    if request.seed is not None:
        seed_everything(request.seed)
    before = request.encoded
    name = request.name
    started = time.perf_counter()
    try:
        probe = _probe(request.probe, name) if request.probe else None
        # Numbers that vanish are no mistake, even where a notebook has asked NumPy to raise.
        with watching(request.forbid, watch), np.errstate(under="ignore"):
            if probe is not None:
                value = probe(view, *request.args, **request.kwargs)
            else:  # found only now: the name may stand for a forbidden function itself
                value = entered(name, view._find(name), request.args, request.kwargs)
    except MemoryError:
        return Response(OutOfMemory())
    except CallTimeout:
        raise
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: a student's call may end in any way it likes.
        if any(error is one for one in view._missing):  # not one of its own making
            return Response(MissingName(view._missing[-1].name, view._missing[-1].near))
        raised = _describe_error(error, sys.exc_info()[2], view._gave_none[:1])
        if devices.out_of_memory(raised.kind, raised.message):
            return Response(OutOfMemory(on_device=True))
        return Response(raised)
    seconds = time.perf_counter() - started
    compared = zip(request.labels, request.values, before, strict=True)
    modified = tuple(label for label, value, sent in compared if _changed(value, sent))
    try:
        packed = wire.Packed(value)
    except wire.UnsendableError as error:
        return Response(Unsendable(clip(str(error))))
    except MemoryError:
        return Response(OutOfMemory())
    except CallTimeout:
        raise
    except BaseException as error:
        return Response(Unsendable(f"a value that raises {_kind_of(error)} when it is read"))
    return Response(Value(packed, modified, seconds))


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        # torch.manual_seed would also queue the seed for every kind of device that is not in use.
        torch.random.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)


def _near(namespace: Namespace, name: str) -> str:
    defined = [n for n, v in namespace.items() if callable(v) and not n.startswith("_")]
    return next(iter(difflib.get_close_matches(name, defined, n=1)), "")


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    return compile(source, PROBE_FILE, "exec")


def _probe(source: str, name: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {"np": np, "__builtins__": builtins}
    if "torch" in source:
        scope["torch"] = importlib.import_module("torch")
    exec(_compiled(source), scope)  # the judge's own source, on its way into the sandbox
    function: Callable[..., Any] = scope[name]
    return function


def _changed(value: Any, sent: bytes) -> bool:
    """Whether a call has changed an argument, which came as these bytes; generators may advance."""
    if type(value).__name__ == "Generator":
        return False
    # Where they differ, what was sent may have had more than one form: a Boolean's byte, say.
    left = _fingerprint(value)
    return left != sent and left != _fingerprint(wire.loads(sent))


def _fingerprint(value: Any) -> bytes:
    """The bytes of an argument as a call has left it."""
    try:
        return wire.dumps(value)
    except CallTimeout:
        raise
    except BaseException:  # a student may have put anything into a list we sent
        return b"changed to something else"


def _describe_error(
    error: BaseException, traceback: TracebackType | None, gave_none: Sequence[str]
) -> Raised:
    try:
        message = str(error)
    except CallTimeout:
        raise
    except BaseException:  # a student's exception may refuse to be printed
        message = ""
    return Raised(
        _kind_of(error),
        clip(message),
        line=clip(_student_line(traceback)),
        in_probe=_is_of_probe(traceback),
        stopped=type(error) is _STOPPED,
        gave_none=tuple(gave_none),
    )


def _kind_of(error: BaseException) -> str:
    """The name of an exception's class, also where its metaclass hides it."""
    kind: type = type(error)
    name: str = type.__dict__["__name__"].__get__(kind)
    return clip(name)


def _student_line(traceback: TracebackType | None) -> str:
    """The last source line of a notebook cell on the way to an exception, if there is one."""
    found = ""
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if "ipython-input" in filename or "ipykernel" in filename or "<cell" in filename:
            found = linecache.getline(filename, traceback.tb_lineno).strip() or found
        traceback = traceback.tb_next
    return found


def _is_of_probe(traceback: TracebackType | None) -> bool:
    """Whether a probe tripped over what it was given, with no student's code at work."""
    in_probe = False
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if filename == PROBE_FILE:
            in_probe = True
        elif in_probe and not filename.startswith(LIBRARIES):
            return False
        traceback = traceback.tb_next
    return in_probe


def clip(text: str) -> str:
    """Text of a bearable length, without the lone surrogates that no message can hold.

    It is plain text: what a student's exception says may be of a class that they have derived from
    str, whose methods are theirs.
    """
    text = str.__getitem__(text, slice(_MAX_TEXT + 1)).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
