"""The process that runs a submission's cells, and forks one process for each exercise.

It lives beside student code and is believed in nothing but the values it sends: whatever it does,
it can only cost its own submission.
"""

from __future__ import annotations

import builtins
import os
import signal
import socket
import sys
import tempfile
import time
from typing import Any

from course_utils.calls import dispatcher
from course_utils.calls.dispatcher import CallTimeout
from course_utils.calls.endings import OutOfMemory, TimedOut
from course_utils.calls.protocol import Request, Response
from course_utils.sandbox import forking
from course_utils.sandbox.channel import Channel, ChannelClosed
from course_utils.sandbox.limits import Limits
from course_utils.sandbox.shell import LowLevelOutput, Shell

_shell: Shell | None = None
# As they were before any student code ran: a cell that replaces AssertionError or print breaks
# libraries which its right functions call, and right functions keep their marks.
_builtins = dict(vars(builtins))
# Those that were forked and not waited for.
_exercises: list[int] = []
# Whether the alarm rang since it was last set.
_rang = False


def prepare_shell() -> None:
    """Make the IPython shell, once, before anything is forked."""
    global _shell
    _shell = Shell()


def serve(channel: Channel, limits: Limits) -> None:
    """Carry out the judge's commands until it hangs up."""
    assert _shell is not None
    low_level = LowLevelOutput(tempfile.gettempdir())
    signal.signal(signal.SIGALRM, _time_is_up)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    channel.send({"ready": os.getpid()})
    while True:
        try:
            command, descriptors = channel.receive_with_descriptors(None, 1)
        except ChannelClosed:
            return
        if command["op"] == "cell":
            channel.send(_run_cell(_shell, low_level, command["source"], limits))
        elif command["op"] == "state":
            channel.send({"can_fork": not forking.obstacle(gpu=limits.on_gpu)})
        elif command["op"] == "fork":
            channel.send(_fork_exercise(channel, descriptors[0]))
        elif command["op"] == "call":  # in a process that is one exercise's own
            channel.send(_call(_shell.namespace, command))


def _run_cell(
    shell: Shell, low_level: LowLevelOutput, source: str, limits: Limits
) -> dict[str, Any]:
    started = time.perf_counter()
    dispatcher.seed_everything(0)
    try:
        _set_alarm(limits.cell_seconds)
        outputs, ok, was_cut = shell.run_cell(source, limits.output_bytes)
    except CallTimeout:
        outputs, ok, was_cut = shell.box.outputs, False, shell.box.was_cut
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    timed_out = _rang and not ok
    if text := low_level.take(limits.output_bytes):
        shell.box.text("stdout", text)
    seconds = time.perf_counter() - started
    return {
        "outputs": outputs, "ok": ok, "timed_out": timed_out,
        "cut": was_cut or shell.box.was_cut, "seconds": seconds,
        "execution_count": shell.ip.execution_count - 1,
    }  # fmt: skip


def _fork_exercise(channel: Channel, descriptor: int) -> dict[str, Any]:
    """Fork a process that serves calls from the present state; the judge holds its connection."""
    for ended in list(_exercises):
        if os.waitpid(ended, os.WNOHANG)[0]:
            _exercises.remove(ended)
    pid = os.fork()
    if pid:
        os.close(descriptor)
        _exercises.append(pid)
        return {"pid": pid}
    channel.close()
    own = Channel(socket.socket(fileno=descriptor))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    assert _shell is not None
    try:
        while True:
            own.send(_call(_shell.namespace, own.receive()))
    except ChannelClosed:
        os._exit(0)


def _call(namespace: dict[str, Any], command: dict[str, Any]) -> dict[str, Any]:
    vars(builtins).update(_builtins)
    try:
        _set_alarm(float(command["seconds"]))
        response = dispatcher.invoke(namespace, Request.from_wire(command["request"]))
    except CallTimeout:
        response = Response(TimedOut())
    except MemoryError:
        response = Response(OutOfMemory())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return response.to_wire()


def _set_alarm(seconds: float) -> None:
    global _rang
    _rang = False
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _time_is_up(number: int, frame: Any) -> None:
    global _rang
    _rang = True
    raise CallTimeout("the time for this cell is up")
