"""What runs on a cluster's workers and on its scheduler, for as long as a class run lasts.

A worker of dask's only passes submissions on. They are graded as on one machine, in processes of
its own (``bench.py``), so what a submission does to its grader dask never sees. Everything here
comes from the coordinator, which workers trust, and the verdicts go back to it.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import Reschedule, SchedulerPlugin, WorkerPlugin, get_worker

from course_utils.grading.bench import Workshop
from course_utils.grading.cluster.parcel import Parcel
from course_utils.grading.kit import differences, kit
from course_utils.grading.machine import obstacles
from course_utils.grading.worker import Job, Settings
from course_utils.ground.errors import ClusterError
from course_utils.verdict.submission import SubmissionResult


def unfit(settings: Settings, wanted: dict[str, str]) -> list[str]:
    """What keeps this worker from grading, a sentence each.

    Args:
        settings: of the run.
        wanted: the coordinator's kit.
    """
    if other := other_than(wanted):
        return other
    if multiprocessing.current_process().daemon:
        return [
            "it may start no processes, since a nanny watches it: start it with "
            "dask worker --no-nanny"
        ]
    return obstacles(settings)


def other_than(wanted: dict[str, str]) -> list[str]:
    """What is not the coordinator's kit here, in a sentence."""
    if different := differences(kit(), wanted):
        return [
            f"it has {', '.join(different)}, and the same marks want the same versions: install "
            "there what is installed here"
        ]
    return []


class Post(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """A run's place on a worker: the lab, unpacked, and a workshop for it.

    Dask gives it to every worker that there is, and to those that come later.
    """

    def __init__(self, name: str, parcel: Parcel, settings: Settings, wanted: dict[str, str]):
        self.name = name
        self._parcel, self._digest = parcel, parcel.digest
        self._settings, self._wanted = settings, wanted
        self.workshop: Workshop | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def setup(self, worker: Any) -> None:
        try:
            if found := unfit(self._settings, self._wanted):
                raise ClusterError(f"{worker.address} cannot be used: {found[0]}")
            # In dask's own folder, which it clears of what a killed worker has left.
            self._folder = tempfile.TemporaryDirectory(dir=worker.local_directory)
            lab = self._parcel.unpack(Path(self._folder.name), self._digest)
            self.workshop = Workshop(lab.folder, self._settings)
        except Exception as error:  # whatever it is, this worker has no post
            # It would be given submissions and could only give them back.
            worker.loop.add_callback(worker.close, reason=str(error))
            raise

    def teardown(self, worker: Any) -> None:
        if self.workshop is not None:
            self.workshop.close()
        if self._folder is not None:
            self._folder.cleanup()


class Leash(SchedulerPlugin):  # type: ignore[misc]  # distributed has no types
    """Ends a run's posts when its coordinator is gone, however that came."""

    def __init__(self, name: str, client: str, post: str):
        self.name = name
        self._client, self._post = client, post

    def remove_client(self, scheduler: Any, client: str) -> None:
        if client == self._client:
            scheduler.loop.add_callback(self._let_go, scheduler)

    async def _let_go(self, scheduler: Any) -> None:
        with suppress(ValueError):  # the run ended in order
            await scheduler.unregister_worker_plugin(comm=None, name=self._post)
        with suppress(ValueError):
            scheduler.remove_plugin(name=self.name)


def grade(post: str, job: Job) -> SubmissionResult:
    """Grade a submission on the worker that this runs on.

    Raises:
        BrokenProcessPool: the process that graded it has ended.
        Reschedule: this worker is none of the run's; dask asks another.
    """
    here = get_worker().plugins.get(post)
    if here is None or here.workshop is None:
        raise Reschedule
    verdict: SubmissionResult = here.workshop.grade(job)
    return verdict
