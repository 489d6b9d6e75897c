"""Student code that speaks for its process, or stops listening: it costs its submission only."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from textwrap import indent
from typing import Any

import numpy as np
import pytest
from forged_responses import RESPONSES

from course_utils.calls.fault import StudentFault
from course_utils.calls.proxy import Student
from course_utils.ground.statuses import Reason, Status
from course_utils.ground.wire import WireError
from course_utils.sandbox.cells import NOTEBOOK_CELLS, Allowance, cell_run
from course_utils.sandbox.channel import Channel, ChannelClosed, ChannelTimeout
from course_utils.sandbox.client import Sandbox

# Finds the sockets that its process holds, and answers in its place.
FORGE = """
import os, signal, socket, struct, time
from course_utils.ground import wire

def sockets():
    for name in os.listdir("/proc/self/fd"):
        try:
            found = socket.socket(fileno=os.dup(int(name)))
            found.getpeername()
            yield found
        except OSError:
            pass

def send(data):
    for one in sockets():
        one.setblocking(True)
        one.sendall(data)

def answer(message):
    data = wire.dumps(message)
    send(struct.pack("<I", len(data)) + data)

def deafen():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)

CELL = {"outputs": [], "ok": True, "timed_out": False, "cut": False, "seconds": 0.0,
        "execution_count": 1}
"""
LARGE = f"x = {'1' * 3_000_000!r}"
HONEST = "print('honest')"


def shown(run: Any) -> str:
    return "".join(output.get("text", "") for output in run.outputs)


@pytest.mark.parametrize(
    "attack",
    [
        "answer(CELL)\nwhile True: time.sleep(1)",
        "answer({'ok': True})\nwhile True: time.sleep(1)",
        "send(b'\\xff\\xff\\xff\\xff')\nwhile True: time.sleep(1)",
        "send(struct.pack('<I', 30_000_000) + bytes(1000))\nwhile True: time.sleep(1)",
        "send(struct.pack('<I', 30_000_000))\nwhile True: send(b'\\x90'); time.sleep(0.01)",
        "while True: answer(CELL)",
        "row = b'\\xdc\\x00\\x50' + b'\\x90' * 80\n"
        "data = b'\\xdd' + struct.pack('>I', 90_000) + row * 90_000\n"
        "send(struct.pack('<I', len(data)) + data)\nwhile True: time.sleep(1)",
    ],
    ids=["stops reading", "malformed", "huge", "half", "drips", "floods", "empty lists"],
)  # fmt: skip
def test_a_cell_that_answers_for_its_process_hangs_nobody(sandbox: Sandbox, attack: str) -> None:
    limits = replace(sandbox.limits, submission_seconds=6.0, cell_seconds=0.5)
    with Sandbox(limits=limits, preload=["numpy"]) as own:
        with own.open() as session:
            sources = ["y = 1", f"{FORGE}\ndeafen()\n{attack}", LARGE, LARGE, HONEST]
            runs = session.run_cells(list(enumerate(sources)))
            assert [run.index for run in runs] == [0, 1, 2, 3, 4]
            assert runs[0].reason is None
            backend = session.exercise()
            with pytest.raises(StudentFault):
                Student(backend).missing()
            backend.close()
        assert own.alive()
        with own.open() as session:  # the neighbour
            (run,) = session.run_cells([(0, HONEST)])
            assert (shown(run), run.reason) == ("honest\n", None)


def test_a_malformed_answer_is_named(sandbox: Sandbox) -> None:
    with sandbox.open() as session:
        bad = f"{FORGE}\nanswer([1])"
        runs = session.run_cells([(0, HONEST), (1, bad), (2, HONEST)])
    assert [run.reason for run in runs] == [None, Reason.UNREADABLE_ANSWER, None]
    assert "cannot be read" in runs[1].message


def test_after_the_submissions_time_no_cell_is_begun(sandbox: Sandbox) -> None:
    limits = replace(sandbox.limits, submission_seconds=2.0)
    with Sandbox(limits=limits, preload=["numpy"]) as own, own.open() as session:
        cells = [(n, "import time; time.sleep(0.02)") for n in range(400)]
        runs = session.run_cells(cells)
        begun = [run.index for run in runs if "was not run" not in run.message]
        assert [run.index for run in runs] == list(range(400))
        assert begun == list(range(len(begun)))
        assert len(begun) < 110
        assert {run.reason for run in runs[len(begun) :]} == {Reason.SUBMISSION_TIMEOUT}
        with pytest.raises(StudentFault, match="used up before f was called"):
            Student(session.exercise()).f()


@pytest.fixture(scope="module")
def forging(sandbox: Sandbox) -> Iterator[Student]:
    cases = "\n".join(
        f"def f{n}(x):\n{indent(f'answer({text})', '    ')}\n    return 2.0"
        for n, text in enumerate(RESPONSES.values())
    )
    with sandbox.open() as session:
        session.run_cells([(0, f"{FORGE}\n{cases}\ndef good(x): return x")])
        backend = session.exercise()
        yield Student(backend)
        backend.close()


@pytest.mark.parametrize("number", range(0, len(RESPONSES), 4))
def test_a_forged_response_costs_its_test_only(forging: Student, number: int) -> None:
    with pytest.raises(StudentFault, match="gave an unreadable answer") as caught:
        getattr(forging, f"f{number}")(1.0)
    assert (caught.value.status, caught.value.reason) == (Status.ERROR, Reason.UNREADABLE_ANSWER)
    assert forging.good(3.0) == 3.0


# -- the answer to a cell


def answer(**changes: Any) -> dict[str, Any]:
    right = {
        "outputs": [], "ok": True, "timed_out": False, "cut": False, "seconds": 0.1,
        "execution_count": 3,
    }  # fmt: skip
    return right | changes


@pytest.mark.parametrize(
    "wrong",
    [None, [], {}, answer(outputs={}), answer(outputs=None), answer(ok=1), answer(timed_out="no"),
     answer(cut=None), answer(seconds=float("nan")), answer(seconds="1")],
    ids=str,
)  # fmt: skip
def test_what_is_no_answer_to_a_cell_is_refused(wrong: Any) -> None:
    with pytest.raises(WireError):
        cell_run(0, wrong, Allowance(1000))


@pytest.mark.parametrize(
    "count", [float("inf"), float("nan"), -1, 10**9, True, "3", None, [3], 2.0], ids=str
)
def test_an_execution_count_is_a_small_whole_number_or_none(count: Any) -> None:
    result = {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {},
              "execution_count": count}  # fmt: skip
    run = cell_run(0, answer(execution_count=count, outputs=[result]), Allowance(1000))
    assert run.execution_count is None and run.outputs[0]["execution_count"] is None
    assert cell_run(0, answer(), Allowance(1000)).execution_count == 3


def test_outputs_are_rebuilt_from_what_nbformat_knows() -> None:
    outputs: list[Any] = [
        {"output_type": "stream", "name": "evil", "text": ["a", "b"], "more": 1},
        {"output_type": "display_data", "data": {
            "text/plain": "p", "text/html": 5, "application/javascript": "alert(1)",
            "application/json": {"a": [float("nan"), np.ones(2), {1: 2}], 3: 4}},
         "metadata": {"x": {"y": 1}, "image/png": {"alt": "dots", "height": 5}, "image/gif": 7,
                      "image/jpeg": {"alt": {"a": "b"}}}, "transient": {}},
        {"output_type": "error", "ename": 1, "evalue": "v", "traceback": "no list"},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["line", 3]},
        {"output_type": "update_display_data"}, {}, None, 7,
    ]  # fmt: skip
    run = cell_run(0, answer(outputs=outputs), Allowance(10_000))
    assert run.outputs == [
        {"output_type": "stream", "name": "stdout", "text": "ab"},
        {"output_type": "display_data", "data": {
            "text/plain": "p", "text/html": "", "application/json": {"a": [None, None, {}]}},
         "metadata": {"image/png": {"alt": "dots"}}},
        {"output_type": "error", "ename": "", "evalue": "v", "traceback": []},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["line", ""]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "output",
    [{"output_type": "stream", "name": "stdout", "text": "x" * 50},
     {"output_type": "display_data", "data": {"application/json": [[]] * 10}},
     {"output_type": "display_data", "data": {}},
     {"output_type": "error", "ename": "", "evalue": "", "traceback": [""] * 10}],
    ids=["text", "lists", "nothing", "lines"],
)  # fmt: skip
def test_outputs_are_bounded_for_a_cell_and_for_a_notebook(output: dict[str, Any]) -> None:
    allowance = Allowance(1000)
    runs = [cell_run(n, answer(outputs=[output] * 1000), allowance) for n in range(50)]
    sizes = [len(str(run.outputs)) for run in runs]
    assert max(sizes) < 6 * 1000
    assert sum(sizes) < 6 * NOTEBOOK_CELLS * 1000 + 50 * 200
    assert {run.reason for run in runs} == {Reason.OUTPUT_CUT}


def test_a_notebook_full_of_outputs_stays_of_ordinary_size(sandbox: Sandbox) -> None:
    flood = f"{FORGE}\nanswer({{**CELL, 'outputs': [{{'output_type': 'stream', 'name': 'stdout', "
    flood += "'text': 'x' * 20_000_000}]})"
    with sandbox.open() as session:
        runs = session.run_cells([(n, flood) for n in range(20)])
    most = NOTEBOOK_CELLS * sandbox.limits.output_bytes
    assert sum(len(str(run.outputs)) for run in runs) < 2 * most


# -- channels


def test_sending_to_somebody_who_does_not_read_ends_in_time() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, patience=0.2)
    with theirs, pytest.raises(ChannelTimeout, match="did not read"):
        channel.send(np.zeros(10**6))
    channel.close()


def test_receiving_a_message_that_never_ends_ends_in_time() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, patience=0.2)
    with theirs:
        theirs.sendall(b"\x00\x00\x10\x00" + b"\x90" * 100)
        with pytest.raises(ChannelTimeout, match="did not answer"):
            channel.receive()
    with pytest.raises(ChannelClosed):
        channel.receive()
    channel.close()


# -- what honest cells show


@pytest.mark.parametrize(
    "source",
    ["from IPython.display import JSON, display\ndisplay(JSON({'a': [1, {1.5: object()}]}))",
     "from IPython.display import display\n"
     "display({'application/json': {'a': {1.5: {2}, 'b': 2**70}}}, raw=True)",
     "a = []\nfor _ in range(60): a = [a]\n"
     "from IPython.display import display\ndisplay({'application/json': a}, raw=True)",
     "print('\\ud800')", "raise ValueError('\\ud800')",
     "from IPython.display import display\ndisplay({'text/plain': '\\ud800'}, raw=True)"],
    ids=["JSON", "odd keys", "deep", "half a letter", "half in an error", "half in a display"],
)  # fmt: skip
def test_what_cannot_cross_is_shown_as_text(sandbox: Sandbox, source: str) -> None:
    with sandbox.open() as session:
        first, second = session.run_cells([(0, source), (1, HONEST)])
    assert first.reason in (None, Reason.CELL_ERROR)
    assert (second.reason, second.execution_count) == (None, 2)
