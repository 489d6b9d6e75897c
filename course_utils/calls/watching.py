"""The student's side of ``forbid``: which forbidden built-ins a student's code calls, and where.

A call that is forbidden is carried out all the same: what it costs is decided by whoever judges,
and the values that come back are judged like any others. This is a courtesy to students who have
missed an instruction, not a security boundary.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import os
import site
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType, FunctionType
from typing import Any

from course_utils.calls.endings import MAX_NAMES
from course_utils.calls.protocol import MAX_NOTES, ForbiddenNote

AUTOGRAD = "autograd"
PROBE_FILE = "<probe>"
# Where Python and its packages live: what happens there was done for whoever called it.
LIBRARIES = (
    sys.prefix, sys.base_prefix, site.getusersitepackages(), os.path.dirname(__file__), "<frozen",
)  # fmt: skip

_AUTOGRAD = ("torch.autograd.grad", "torch.autograd.backward", "torch.Tensor.backward")
# One operation has a function in each of these, and torch tells them apart by nothing but a name.
_GUISES = ("torch", "torch.nn.functional", "torch.special", "torch.Tensor")


@dataclass
class CallWatch:
    """What was seen while student code ran.

    Attributes:
        namespace: the student's definitions, by name.
        handed: of them, by name, what a probe was given.
        notes: one for each forbidden call.
    """

    namespace: dict[str, Any]
    handed: Mapping[str, Any]
    notes: list[ForbiddenNote] = field(default_factory=list)

    def note(self, call: str, package: str, made: object = None) -> None:
        """Note a call, if it is the student's doing.

        Args:
            call: what is called.
            package: the package that it belongs to.
            made: the object whose constructor is called, if it is one.
        """
        if len(self.notes) == MAX_NOTES:
            return
        by = self._callers(package, made)
        found = ForbiddenNote(call, tuple(by))
        if by and found not in self.notes:
            self.notes.append(found)

    def _callers(self, package: str, made: object) -> list[str]:
        """The student's functions that are under way, the innermost first.

        None where the call is not theirs: a probe made it, another library on its own account, or
        a library's constructor, as ``torch.nn.Linear`` draws its first weights.
        """
        names: dict[str, None] = {}
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and len(names) < MAX_NAMES:
            code = frame.f_code
            if code is entered.__code__:
                return list(names | {str(frame.f_locals["name"]): None})
            if code.co_filename == PROBE_FILE:
                return list(names) or self._handed(made)
            if not code.co_filename.startswith(LIBRARIES):
                names[self._name(code)] = None
            elif not names and _on_its_own_account(frame, package):
                return []
            frame = frame.f_back
        return list(names)

    def _handed(self, made: object) -> list[str]:
        """The student's class, a forbidden one or its heir, that a probe makes an object of."""
        classes = ((name, kind) for name, kind in self.handed.items() if isinstance(kind, type))
        return [name for name, kind in classes if type(made) is kind][:1]

    def _name(self, code: CodeType) -> str:
        """The name in the notebook of the function or class that some code is part of."""
        for name, value in list(self.namespace.items()):
            if isinstance(value, FunctionType) and value.__code__ is code:
                return name
        return code.co_qualname.partition(".")[0]


def entered(name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a student's function; by this frame a :class:`CallWatch` knows how it was entered."""
    return function(*args, **kwargs)


@contextmanager
def watching(names: Sequence[str], watch: CallWatch) -> Iterator[None]:
    """Note the calls of some built-ins while the block runs.

    Args:
        names: dotted names such as ``"torch.softmax"``, or ``"autograd"``.
        watch: takes the notes; a built-in may be bound in its namespace, too.
    """
    if not names:
        yield
        return
    with ExitStack() as stack:
        targets = [name for name in names if name != AUTOGRAD]
        targets += _AUTOGRAD if AUTOGRAD in names else ()
        later = [name for name in targets if _package(name) not in sys.modules]
        for name in targets:
            if name not in later:
                _replace(name, watch, stack)
        if "torch" in sys.modules:
            _watch_torch(targets, watch, stack)
        if later or "torch" not in sys.modules:
            _replace_on_import(targets, later, watch, stack)
        yield


def watchable(name: str) -> bool:
    """Whether there is a function or class at a dotted name, or in one of its guises."""
    owner_name, _, attribute = name.rpartition(".")
    for place in _GUISES if owner_name in _GUISES else (owner_name,):
        owner = _resolve(place) if place else None
        found = getattr(owner, attribute, None)
        with ExitStack() as stack:
            if callable(found) and (place in _GUISES or _put(owner, attribute, found, stack)):
                return True
    return False


def _package(name: str) -> str:
    return name.partition(".")[0]


def _said(name: str) -> str:
    """How a call is called in a sentence."""
    return f"autograd ({name})" if name in _AUTOGRAD else name


def _on_its_own_account(frame: FrameType, package: str) -> bool:
    """Whether a library's frame is one that the student did not mean by what was called."""
    module = _package(str(frame.f_globals.get("__name__", "")))
    ours = _package(__name__)
    if module in (ours, "") or module in sys.stdlib_module_names:
        return False
    return module != package or frame.f_code.co_name == "__init__"


def _replace(name: str, watch: CallWatch, stack: ExitStack) -> None:
    """Put a stand-in that takes note at a dotted name, and where the student has bound it."""
    owner_name, _, attribute = name.rpartition(".")
    owner = _resolve(owner_name)
    original = getattr(owner, attribute, None)
    if owner is None or original is None:
        return
    call, package = _said(name), _package(name)
    if isinstance(original, type):  # also where it is a base

        def making(self: Any, *args: Any, **kwargs: Any) -> None:
            watch.note(call, package, self)
            constructor(self, *args, **kwargs)

        constructor = original.__init__  # type: ignore[misc]  # of this very class, and bound to none
        _put(original, "__init__", functools.wraps(constructor)(making), stack)
        return
    stand_in = _noting(original, lambda: watch.note(call, package))
    _put(owner, attribute, stand_in, stack)
    for key, value in list(watch.namespace.items()):
        if value is original:
            watch.namespace[key] = stand_in
            stack.callback(watch.namespace.__setitem__, key, original)


def _noting(original: Callable[..., Any], note: Callable[[], None]) -> Callable[..., Any]:
    """A stand-in for a function; it has the attributes of the original (a ufunc's ``reduce``)."""

    @functools.wraps(original)
    def noting(*args: Any, **kwargs: Any) -> Any:
        note()
        return original(*args, **kwargs)

    if type(original).__name__ == "ufunc":
        for name in dir(original):
            if not name.startswith("__"):
                setattr(noting, name, getattr(original, name))
    return noting


def _put(owner: Any, attribute: str, value: Any, stack: ExitStack) -> bool:
    """Set an attribute until the stack is unwound; what was inherited is then inherited again.

    Returns:
        False for a class written in C, which cannot be changed.
    """
    own = attribute in vars(owner)
    original = vars(owner).get(attribute)
    try:
        setattr(owner, attribute, value)
    except TypeError:
        return False
    if own:
        stack.callback(setattr, owner, attribute, original)
    else:
        stack.callback(delattr, owner, attribute)
    return True


def _replace_on_import(
    targets: Sequence[str], later: Sequence[str], watch: CallWatch, stack: ExitStack
) -> None:
    """Watch functions of packages that nobody has imported yet, should the call import them."""
    original = builtins.__import__
    waiting = list(later)
    torch_waits = "torch" not in sys.modules
    depth = 0

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth, torch_waits
        depth += 1
        try:
            module = original(name, *args, **kwargs)
        finally:
            depth -= 1
        if depth == 0:  # what is imported on the way is not complete yet
            for dotted in [n for n in waiting if _package(n) in sys.modules]:
                waiting.remove(dotted)
                _replace(dotted, watch, stack)
            if torch_waits and "torch" in sys.modules:
                torch_waits = False
                _watch_torch(targets, watch, stack)
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


def _guises(targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    """By the names that torch's modes see: the forbidden functions that have several guises."""
    for target in targets:
        owner, _, name = target.rpartition(".")
        if target in _AUTOGRAD:
            continue
        if owner in _GUISES:
            yield from ((guise, target) for guise in (name, f"{name}_", f"special_{name}"))
        elif owner == "scipy.special":  # torch.special is its twin
            yield f"special_{name}", f"torch.special.{name}"
    if "torch.sigmoid" in targets:
        yield "special_expit", "torch.special.expit"


def _watch_torch(targets: Sequence[str], watch: CallWatch, stack: ExitStack) -> None:
    """Note torch's functions by name, in all the guises that it gives them."""
    guises = dict(_guises(targets))
    if not guises:
        return
    from torch.overrides import TorchFunctionMode

    class Noting(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            target = guises.get(getattr(func, "__name__", ""))
            if target is not None:
                watch.note(target, "torch")
            return func(*args, **(kwargs or {}))

    stack.enter_context(Noting())
