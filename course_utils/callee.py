"""The near side of a call: what runs next to a student's code, in the kernel or in the sandbox.

A request names a function of the student's namespace (or carries the source of a probe) and its
arguments; the response carries the value that came back, or how it failed. Nothing here knows
what the right answer is.
"""

from __future__ import annotations

import builtins
import difflib
import functools
import importlib
import linecache
import os
import random
import site
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from course_utils import devices, wire

NOT_WRITTEN = "is not written yet"
AUTOGRAD = "autograd"
_MAX_TEXT = 500
_PROBE_FILE = "<probe>"
# Where Python and its packages live: what is raised there was raised by whoever called it.
_LIBRARIES = (
    sys.prefix, sys.base_prefix, site.getusersitepackages(), os.path.dirname(__file__), "<frozen",
)  # fmt: skip

Namespace = dict[str, Any]


class MissingNameError(Exception):
    """The notebook does not define a name that a test asks for."""


class ForbiddenCallError(Exception):
    """The exercise asks for this operation to be written by hand."""


class CallTimeout(BaseException):
    """The time for a cell or a call is up; raised by whoever set the alarm.

    Not an Exception, so that ``except Exception`` in student code does not swallow it.
    """


class View:
    """A student's definitions as attributes, which is what a probe receives.

    It notes which functions have returned None: a probe that trips over that cannot say so.

    Attributes:
        gave_none: their names, in order.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.gave_none: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _find(self._namespace, name)
        if not isinstance(found, types.FunctionType):
            return found

        @functools.wraps(found)
        def noted(*args: Any, **kwargs: Any) -> Any:
            value = found(*args, **kwargs)
            if value is None:
                self.gave_none.append(name)
            return value

        return noted


def invoke(namespace: Namespace, request: dict[str, Any]) -> dict[str, Any]:
    """Carry out one request against a namespace; never raises for what student code does.

    Args:
        namespace: the student's definitions, by name.
        request: ``{"name", "args", "kwargs", "seed", "forbid"}`` and, for a probe, ``"probe"``
            (the source of a function that takes a :class:`View` first).

    Returns:
        ``{"value", "modified", "seconds"}``, ``{"missing"}``, ``{"forbidden"}``, ``{"memory"}``
        (True, or "device" for a GPU's), ``{"raised"}`` or ``{"unsendable"}``; the value is packed,
        to be read after a crossing.

    Raises:
        CallTimeout: an alarm rang during the call.
    """
    args, kwargs = list(request["args"]), dict(request["kwargs"])
    if request.get("seed") is not None:
        seed_everything(request["seed"])
    before = [_fingerprint(value) for value in [*args, *kwargs.values()]]
    view = View(namespace)
    started = time.perf_counter()
    try:
        if request.get("probe"):
            function, args = _probe(request["probe"], request["name"]), [view, *args]
        else:
            function = _find(namespace, request["name"])
        # Numbers that vanish are no mistake, even where a notebook has asked NumPy to raise.
        with forbidding(request.get("forbid", ()), namespace), np.errstate(under="ignore"):
            value = function(*args, **kwargs)
    except MissingNameError as error:
        return {"missing": str(error)}
    except ForbiddenCallError as error:
        return {"forbidden": str(error)}
    except MemoryError:
        return {"memory": True}
    except CallTimeout:
        raise
    except BaseException as error:
        # SystemExit and KeyboardInterrupt too: a student's call may end in any way it likes.
        described = _describe_error(error)
        if devices.out_of_memory(described["type"], described["message"]):
            return {"memory": "device"}
        return {"raised": {**described, "gave_none": view.gave_none[:1]}}
    seconds = time.perf_counter() - started
    if request.get("probe"):
        args = args[1:]
    names: list[Any] = [*range(len(args)), *kwargs]
    after = [_fingerprint(value) for value in [*args, *kwargs.values()]]
    modified = [n for n, b, a in zip(names, before, after, strict=True) if b != a]
    try:
        packed = wire.Packed(value)
    except wire.UnsendableError as error:
        return {"unsendable": _clip(str(error))}
    except MemoryError:
        return {"memory": True}
    except CallTimeout:
        raise
    except BaseException as error:
        return {"unsendable": f"a value that raises {_kind_of(error)} when it is read"}
    return {"value": packed, "modified": modified, "seconds": seconds}


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


@contextmanager
def forbidding(names: Sequence[str], namespace: Namespace) -> Iterator[None]:
    """While the block runs, calling one of the named built-ins raises a clear message.

    This is a courtesy to students who have missed an instruction, not a security boundary: what
    decides a mark is the values that come back.

    Args:
        names: dotted names such as ``"torch.softmax"``, or ``"autograd"``.
        namespace: the student's definitions, where a forbidden function may be bound too.
    """
    if not names:
        yield
        return
    with ExitStack() as stack:
        targets = [name for name in names if name != AUTOGRAD]
        if AUTOGRAD in names:
            targets += ["torch.autograd.grad", "torch.autograd.backward", "torch.Tensor.backward"]
        later = [name for name in targets if name.partition(".")[0] not in sys.modules]
        for name in targets:
            if name not in later:
                _replace(name, namespace, stack)
        if later:
            _replace_on_import(later, namespace, stack)
        if "torch" in sys.modules:
            stack.enter_context(_function_mode({name.rpartition(".")[2] for name in targets}))
        yield


def _refusal(name: str) -> str:
    if name.endswith(("autograd.grad", "backward")):
        return "this exercise asks for the gradient by hand, so autograd may not be called here"
    return f"{name} may not be called here: this exercise asks you to write that operation by hand"


def _replace(name: str, namespace: Namespace, stack: ExitStack) -> None:
    """Put a refusing stand-in at a dotted name, and wherever the student has bound the original."""
    owner_name, _, attribute = name.rpartition(".")
    owner = _resolve(owner_name)
    original = getattr(owner, attribute, None)
    if owner is None or original is None:
        return

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ForbiddenCallError(_refusal(name))

    if isinstance(original, type):  # a class: also refuse it where it is a base
        constructor = original.__init__  # type: ignore[misc]
        original.__init__ = refuse  # type: ignore[misc]
        stack.callback(setattr, original, "__init__", constructor)
        return
    setattr(owner, attribute, refuse)
    stack.callback(setattr, owner, attribute, original)
    for key, value in list(namespace.items()):
        if value is original:
            namespace[key] = refuse
            stack.callback(namespace.__setitem__, key, original)


def _replace_on_import(names: list[str], namespace: Namespace, stack: ExitStack) -> None:
    """Refuse functions of packages that nobody has imported yet, should the call import them."""
    original = builtins.__import__
    waiting = list(names)
    depth = 0

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        depth += 1
        try:
            module = original(name, *args, **kwargs)
        finally:
            depth -= 1
        if depth == 0:  # what is imported on the way is not complete yet
            for dotted in [n for n in waiting if n.partition(".")[0] in sys.modules]:
                waiting.remove(dotted)
                _replace(dotted, namespace, stack)
        return module

    builtins.__import__ = importing
    stack.callback(setattr, builtins, "__import__", original)


def _resolve(dotted: str) -> Any:
    """The module or class at a dotted name, or None where this environment lacks it."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            found = getattr(found, part, None)
        return found
    return None


def _function_mode(names: set[str]) -> Any:
    """A torch mode that refuses functions by name, in all the guises torch gives them."""
    from torch.overrides import TorchFunctionMode

    class Refusing(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            name = getattr(func, "__name__", "").removeprefix("special_")
            if name in names:
                raise ForbiddenCallError(_refusal(f"torch's {name}"))
            return func(*args, **(kwargs or {}))

    return Refusing()


def _find(namespace: Namespace, name: str) -> Any:
    if name in namespace:
        return namespace[name]
    defined = [n for n, v in namespace.items() if callable(v) and not n.startswith("_")]
    near = difflib.get_close_matches(name, defined, n=1)
    hint = f"; it defines {near[0]}: was the function renamed?" if near else ""
    raise MissingNameError(f"the notebook does not define {name}{hint}")


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    return compile(source, _PROBE_FILE, "exec")


def _probe(source: str, name: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {"np": np, "__builtins__": builtins}
    if "torch" in source:
        scope["torch"] = importlib.import_module("torch")
    exec(_compiled(source), scope)  # the judge's own source, on its way into the sandbox
    function: Callable[..., Any] = scope[name]
    return function


def _fingerprint(value: Any) -> bytes:
    """The bytes of an argument, to see whether a call has changed it; generators may advance."""
    if type(value).__name__ == "Generator":
        return b""
    try:
        return wire.dumps(value)
    except CallTimeout:
        raise
    except BaseException:  # a student may have put anything into a list we sent
        return b"changed to something else"


def _describe_error(error: BaseException) -> dict[str, Any]:
    try:
        message = str(error)
    except CallTimeout:
        raise
    except BaseException:  # a student's exception may refuse to be printed
        message = ""
    return {
        "type": _kind_of(error),
        "message": _clip(message),
        "line": _clip(_student_line(error.__traceback__)),
        "in_probe": _is_of_probe(error.__traceback__),
        "not_written": isinstance(error, NotImplementedError) and message.endswith(NOT_WRITTEN),
    }


def _kind_of(error: BaseException) -> str:
    """The name of an exception's class, also where its metaclass hides it."""
    kind: type = type(error)
    name: str = type.__dict__["__name__"].__get__(kind)
    return _clip(name)


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
        if filename == _PROBE_FILE:
            in_probe = True
        elif in_probe and not filename.startswith(_LIBRARIES):
            return False
        traceback = traceback.tb_next
    return in_probe


def _clip(text: str) -> str:
    """Text of a bearable length, without the lone surrogates that no message can hold."""
    text = text[:_MAX_TEXT + 1].encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
