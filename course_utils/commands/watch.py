"""``course watch``: whatever is dropped into a folder is graded at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from course_utils.commands.options import (
    ERR,
    OUT,
    CallSeconds,
    CellSeconds,
    DeviceOption,
    IsolationOption,
    MemoryMiB,
    known_labs,
)
from course_utils.ground.devices import resolve
from course_utils.ground.errors import LabError
from course_utils.ground.escaping import escaped
from course_utils.ground.lab import Lab
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits

_DEFAULTS = Limits()


def watch(
    lab: Annotated[
        str, typer.Argument(help="e.g. lab02_softmax_nll", autocompletion=known_labs)
    ],
    folder: Annotated[Path, typer.Argument(help="Where notebooks are dropped, as STUDENT.ipynb.")],
    once: Annotated[
        bool, typer.Option("--once", help="Grade what lies there now, and end.")
    ] = False,
    workers: Annotated[
        int, typer.Option(help="Notebooks graded at the same time.", show_default="one a core")
    ] = 0,
    isolation: IsolationOption = Isolation.BUBBLEWRAP,
    cell_seconds: CellSeconds = _DEFAULTS.cell_seconds,
    call_seconds: CallSeconds = _DEFAULTS.call_seconds,
    memory_mib: MemoryMiB = _DEFAULTS.memory_bytes // 2**20,
    device: DeviceOption = "",
) -> None:
    """Grade what is dropped into a folder, and lay STUDENT.feedback.html and STUDENT.result.json
    beside it, until Ctrl-C. Nothing is entered in the gradebook: course grade does that.

    Whoever may write there can ask the hidden tests as often as they like, and read what the page
    says of them.
    """
    from course_utils.grading.preload import warm_up

    warm_up()
    from course_utils.grading.class_seed import class_seed
    from course_utils.grading.classrun.preflight import check_solution, hired
    from course_utils.grading.crew import LOCAL
    from course_utils.grading.inbox import LOOK_SECONDS, Inbox
    from course_utils.grading.worker import Job, Settings

    found = Lab.find(lab)
    if not folder.is_dir():
        raise LabError(f"{folder} is no folder: make it, or name another")
    limits = Limits(
        cell_seconds=cell_seconds, call_seconds=call_seconds, memory_bytes=memory_mib * 2**20,
        device=resolve(device),
    )  # fmt: skip
    settings = Settings(workers, isolation, limits).seeded(class_seed(Path.cwd()))
    with (
        ThreadPoolExecutor(1) as aside,
        hired(found, settings, LOCAL, settings.processes) as work,
    ):
        # Beside the first notebooks, of which nothing is told before the solution has passed. The
        # crew is let go first, or whoever interrupts this would wait for the proof.
        proof = aside.submit(check_solution, found, work)
        inbox = Inbox(folder, found, lambda data, student: work.submit(Job(data, student)))
        while not proof.done():
            inbox.take()
            time.sleep(LOOK_SECONDS)
        proof.result()
        ERR.say(f"watching {escaped(str(folder))}; Ctrl-C ends it")
        while True:
            for one in inbox.look():
                result = one.result
                line = (
                    f"{one.name}: {result.score:g}/{result.max_score:g} {result.status} "
                    f"({result.reason}), {one.seconds:.2f} s"
                )
                OUT.say(escaped(f"{line}; {one.why}" if one.why else line))
            if once and not inbox.busy:
                return
            time.sleep(LOOK_SECONDS)
