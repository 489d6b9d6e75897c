"""The warm process inside the sandbox, from which every submission is forked.

``course_utils.sandbox.enter`` starts it, as an ordinary user. It imports what the lab imports, says
hello, and then forks a supervisor for each request. It never runs student code, and never starts
CUDA, which could not be used in a fork then.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from course_utils.sandbox import forking, huge_pages, linux, seccomp, supervisor
from course_utils.sandbox.channel import Channel, ChannelClosed
from course_utils.sandbox.limits import Limits

_NO_NAMESPACES = (
    "the namespaces could not be made; an ordinary user must be allowed to make user namespaces "
    "(user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0), whoever grades"
)

_PACKAGE = "course_utils"


def main(descriptor: int, isolated: bool, device: str, preload: Sequence[str]) -> None:
    """Serve requests on a socket until it is closed."""
    warm_up(preload)
    require_no_cuda()
    if device == "cuda":
        require_gpu()
    control = Channel(socket.socket(fileno=descriptor))
    rules = None
    if sys.platform == "linux":
        linux.adopt_orphans()
        if isolated:
            linux.hide_memory()
            rules = seccomp.Filter(gpu=device == "cuda") if seccomp.available() else None
    hello = {
        "seccomp": rules is not None,
        "uid": os.getuid(),
        "versions": _versions(),
        "pid": os.getpid(),
    }
    with contextlib.suppress(ChannelClosed):  # the judge has hung up, whatever was under way
        control.send(hello)
        gc.collect()
        gc.freeze()  # so that a child's garbage collection does not copy every page of the imports
        submissions = 0
        while True:
            request, descriptors = control.receive_with_descriptors(None, 4)
            if request["op"] == "spawn":
                submissions += 1
                if submissions == 2:  # where there is only one, it takes longer than it saves
                    huge_pages.collapse()
                limits = Limits(**request["limits"])
                answer = _spawn(control, descriptors, limits, isolated=isolated, rules=rules)
            elif request["op"] == "wait":
                answer = _wait(request["pid"], request["seconds"])
            else:
                answer = {"op": "ping"}
            control.send(answer)


def require_no_cuda() -> None:
    """Refuse to go on where CUDA is live: no fork of this process could use it.

    Raises:
        RuntimeError: something that was imported has initialised CUDA.
    """
    if forking.cuda_is_live():
        raise RuntimeError(
            "CUDA is initialised in the process that submissions are forked from, and does not "
            "survive a fork: one of the modules that the lab imports touches the GPU when it is "
            "imported"
        )


def require_gpu() -> None:
    """Try the GPU in a fork of this process, before any student's code has to.

    Raises:
        RuntimeError: it cannot be used there.
    """
    if trouble := forking.cuda_trouble():
        raise RuntimeError(
            f"the GPU cannot be used in the sandbox: {trouble}. Grade with --device cpu, or mend "
            "it (course doctor tries it, too)"
        )


def warm_up(preload: Sequence[str]) -> None:
    """Import what the lab imports, and do once what is slow the first time."""
    from course_utils.sandbox import runner

    for name in preload:
        with contextlib.suppress(ImportError):  # the cell that imports it will say so
            importlib.import_module(name)
    if "torch" in sys.modules:
        # One thread: a pool of threads would not survive a fork.
        sys.modules["torch"].set_num_threads(1)
    if "sympy" in sys.modules:
        _warm_sympy()
    runner.prepare_shell()
    _give_students_their_own_copy([name for name in preload if name.startswith(_PACKAGE)])


def _warm_sympy() -> None:
    """Fill SymPy's caches and trigger its late imports, so that no fork pays for them."""
    import sympy

    a, b = sympy.symbols("a b")
    expression = sympy.exp(a) / (b - sympy.log(a)) + sympy.sqrt(a) ** 2
    float(sympy.simplify(sympy.diff(expression, a)).subs({a: 0.5, b: 2.0}))


def _give_students_their_own_copy(used: Sequence[str]) -> None:
    """Let a notebook's ``import course_utils`` find other module objects than those at work here.

    A notebook that patches them then patches its own copy.

    Args:
        used: the modules of this package that the lab imports.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
        del sys.modules[name]
    for name in used:
        module = importlib.import_module(name)
        getattr(module, "check", None)  # loaded when it is first asked for; warm, like the rest


def _versions() -> dict[str, str]:
    libraries = {name: metadata.version(name) for name in ("numpy", "torch")}
    return {"python": sys.version.split()[0], **libraries}


def _spawn(
    control: Channel,
    descriptors: list[int],
    limits: Limits,
    *,
    isolated: bool,
    rules: seccomp.Filter | None,
) -> dict[str, Any]:
    """Fork a supervisor and say its pid."""
    require_no_cuda()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            control.close()
            os.close(reading)
            commands, data = (socket.socket(fileno=d) for d in descriptors[:2])
            events = _enter_group(*descriptors[2:])
            if isolated:
                supervisor.enter_namespaces()  # its children will live in the new pid namespace
                inner = os.fork()
                if inner:
                    os.write(writing, str(inner).encode())
                    os._exit(0)
            else:
                os.write(writing, str(os.getpid()).encode())
            os.close(writing)
            supervisor.supervise(
                commands, data, limits, isolated=isolated, rules=rules, events=events
            )
        except BaseException as error:
            print(f"sandbox: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(70)
    os.close(writing)
    for descriptor in descriptors:
        os.close(descriptor)
    answer = os.read(reading, 32)
    os.close(reading)
    if isolated:
        os.waitpid(child, 0)
    return {"pid": int(answer)} if answer else {"error": _NO_NAMESPACES}


def _enter_group(entrance: int | None = None, events: int | None = None) -> int | None:
    """Become a member of the submission's group, where it has one; what tells of its memory."""
    if entrance is not None:
        os.write(entrance, b"0")
        os.close(entrance)
    return events


def _wait(pid: int, seconds: float) -> dict[str, Any]:
    """Wait for a supervisor to end, then kill it; say how much CPU time its submission took."""
    deadline = time.monotonic() + seconds
    while True:
        done, _, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return {"cpu_seconds": usage.ru_utime + usage.ru_stime}
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.001)
