"""How an attack is described: what is handed in, and what its honest part is worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from textwrap import dedent
from typing import Any

from tiny import Notebook, as_bytes
from tiny import cell as notebook_cell

from attacks.target import HONEST, NAME, half_written


class Family(StrEnum):
    """What an attack is after."""

    FORGE = "forge"
    LEARN = "learn"
    HARM = "harm"
    REACH = "reach"
    WEAPON = "weapon"


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        name: a word; the student's id is made of it, where ``student`` says no other.
        family: what it is after.
        tries: a sentence on what it tries.
        make: writes it into a folder.
        number: its place in the collection, where it is part of one.
        worth: what its honest part is worth, in points; more than that is a mark gained.
        copies: how many students hand it in; what one leaves behind, the next looks for.
        student: a folder's name that is part of the attack.
        elsewhere: whether it means something to other graders and can do no harm there.
    """

    name: str
    family: Family
    tries: str
    make: Callable[[Path], None]
    number: int = 0
    worth: float = HONEST
    copies: int = 1
    student: bytes = b""
    elsewhere: bool = False

    def students(self) -> list[str]:
        """The folders' names, as Python's file functions spell them."""
        if self.student:
            return [os.fsdecode(self.student)]
        own = f"{self.number:03}-{self.name}"
        return [own, *(f"{own}-{again}" for again in range(2, self.copies + 1))]


ATTACKS: list[Attack] = []
_family = [Family.FORGE]

# What attacks have at hand. `achieved` says that something worked which must not, and `require`
# that what was to be attacked is not there any more: the attack is out of date, and proves nothing.
# The runner looks for both among the cells' outputs.
_PRELUDE = '''\
import ctypes, gc, os, signal, socket, sys, threading, time
import numpy as np

libc = ctypes.CDLL(None, use_errno=True)


def achieved(what):
    print("ACHI" + f"EVED: {what}")


def attempt(what, function, *arguments):
    """Say so where a call succeeds that must be refused."""
    try:
        value = function(*arguments)
    except Exception as error:
        return error
    achieved(what)
    return value


def syscall(what, number, *arguments):
    """Say so where a system call succeeds that must be refused."""
    if libc.syscall(ctypes.c_long(number), *arguments) >= 0:
        achieved(what)


def require(space, name):
    if name not in space:
        raise LookupError("STA" + f"LE: there is no {name}")


def caller(*names):
    """The frame of one of these functions, on the way to here."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name not in names:
        frame = frame.f_back
    require({} if frame is None else names, names[0])
    return frame


def runner():
    """The frame in which the judge's commands are served."""
    return caller("serve", "_fork_exercise")


def at_work(name):
    """The package's module of that name that serves calls, not the student's copy of it."""
    gc.unfreeze()
    for thing in gc.get_objects():
        if type(thing) is dict and thing.get("__name__") == f"course_utils.{name}":
            copy = sys.modules.get(f"course_utils.{name}")
            if copy is None or copy.__dict__ is not thing:
                return thing
    require({}, f"module {name} at work")


def forged(answer):
    """What stands for a response inside the sandbox, and goes to the judge as that answer."""
    return type("Forged", (), {"to_wire": lambda self: answer})()


def children(count, do, wait=0.0):
    """Start that many processes, each of which does something and then waits."""
    pids = []
    for number in range(count):
        try:
            pid = os.fork()
        except OSError:
            break
        if pid == 0:
            try:
                do(number)
                time.sleep(wait)
            finally:
                os._exit(0)
        pids.append(pid)
    return pids
'''


def family(name: Family) -> None:
    """Begin a family."""
    _family[0] = name


def add(name: str, tries: str, make: Callable[[Path], None], **more: Any) -> None:
    """A folder that a function fills."""
    ATTACKS.append(Attack(name, _family[0], tries, make, **more))


def edited(name: str, tries: str, edit: Callable[[Notebook], Any], **more: Any) -> None:
    """The half written notebook with something done to it."""

    def make(folder: Path) -> None:
        notebook = half_written()
        edit(notebook)
        write(folder, NAME, as_bytes(notebook))

    add(name, tries, make, **more)


def cells(name: str, tries: str, codes: Sequence[str], **more: Any) -> None:
    """Cells of the student's own, below the set-up."""

    def edit(notebook: Notebook) -> None:
        own = [_PRELUDE + f"\n\nATTACK = {name!r}\n", *(dedent(code) for code in codes)]
        notebook["cells"][2:2] = [
            notebook_cell(code) | {"id": f"own-{number}"} for number, code in enumerate(own)
        ]

    edited(name, tries, edit, **more)


def cell(name: str, tries: str, code: str, **more: Any) -> None:
    """One cell of the student's own, below the set-up."""
    cells(name, tries, [code], **more)


def function(name: str, tries: str, code: str, **more: Any) -> None:
    """Another ``softmax`` than the wrong one, with what it needs."""

    def edit(notebook: Notebook) -> None:
        own = next(c for c in notebook["cells"] if c["id"] == "softmax")
        own["source"] = f"{_PRELUDE}\n\nATTACK = {name!r}\n\n{dedent(code)}"

    edited(name, tries, edit, **more)


def write(folder: Path, path: str | bytes, data: bytes) -> None:
    """Write a file into a submission, and the folders above it."""
    target = os.path.join(os.fsencode(folder), os.fsencode(path))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)
