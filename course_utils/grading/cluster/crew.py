"""A crew of other machines: the workers of a dask scheduler."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import dask
from distributed import Client, Security

from course_utils.grading.cluster import there
from course_utils.grading.cluster.address import check_scheduler, open_to_others
from course_utils.grading.cluster.parcel import Parcel
from course_utils.grading.kit import kit
from course_utils.grading.worker import Job, Settings
from course_utils.ground.errors import ClusterError, NotReady
from course_utils.ground.lab import Lab
from course_utils.verdict.submission import SubmissionResult

# How long a scheduler, or a first worker, is waited for; and later, the next worker.
PATIENCE_SECONDS = 60.0


@contextlib.contextmanager
def cluster(
    address: str, *, insecure: bool = False, patience: float = PATIENCE_SECONDS
) -> Iterator[Cluster]:
    """The workers of a scheduler.

    Args:
        address: ``tls://HOST:PORT``; the certificates are those of dask's configuration.
        insecure: whether a connection that is not encrypted is accepted.
        patience: for how many seconds somebody to work is waited for.

    Raises:
        ClusterError: hidden tests may not be sent there.
        NotReady: nobody is there.
    """
    check_scheduler(address, insecure=insecure)
    # What has gone wrong is said by us, in a sentence; a notebook may be larger than dask likes.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
        client = _connected(address, patience)
        try:
            yield Cluster(client, patience, insecure=insecure)
        finally:
            with contextlib.suppress(Exception):  # a scheduler that is gone need not be told
                client.close(timeout=5)


def _connected(address: str, patience: float) -> Client:
    security = Security()
    tls = security.get_tls_config_for_role("client")
    files = [tls["ca_file"], tls["cert"], tls["key"] or tls["cert"]]
    if address.startswith("tls:") and not all(file and os.access(file, os.R_OK) for file in files):
        raise ClusterError(
            f"{address} wants certificates, and dask's configuration names none here that can be "
            "read: set distributed.comm.tls (docs/cluster.md says how)"
        )
    try:
        return Client(
            address, security=security, timeout=patience, set_as_default=False,
            name="course-grade",
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise NotReady([
            f"there is no answer from the scheduler {address} ({_first_line(error)}): is it "
            "running, can it be reached from here, and are its certificates of the same authority?"
        ]) from None  # fmt: skip


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """What the scheduler is asked in the block it must answer."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise ClusterError(f"the scheduler does not answer ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class Cluster:
    """Whoever has come to a scheduler, now or later.

    Args:
        client: connected.
        patience, insecure: as above.

    Attributes:
        patience: for how many seconds the first worker, and the next one, is waited for.
    """

    def __init__(self, client: Client, patience: float, *, insecure: bool) -> None:
        self._client, self._insecure = client, insecure
        self.patience = patience

    def await_workers(self, count: int) -> None:
        """Return when so many workers are there.

        Raises:
            ClusterError: they do not come.
        """
        address = self._client.scheduler.address
        try:
            self._client.wait_for_workers(count, timeout=self.patience)
        except TimeoutError:
            raise ClusterError(
                f"no worker has come to {address} within {self.patience:.0f} s; on each machine "
                f"that is to grade, run: dask worker {address} --no-nanny"
            ) from None

    def obstacles(self, settings: Settings) -> list[str]:
        try:
            self.await_workers(1)
        except ClusterError as error:
            return [str(error)]
        with _answering():
            found = self._client.scheduler_info(n_workers=-1)
        if not self._insecure and (seen := open_to_others([found["address"], *found["workers"]])):
            return [
                f"{', '.join(seen)} can be reached from other machines without encryption, and "
                "hidden tests would travel there: start scheduler and workers with certificates "
                "(docs/cluster.md), or with --host 127.0.0.1 for this machine alone"
            ]
        with _answering():
            answers = self._client.run(there.unfit, settings, kit(), on_error="return")
        asked = {f"the worker {address}": answer for address, answer in answers.items()}
        try:
            asked |= {"the scheduler": self._client.run_on_scheduler(there.other_than, kit())}
        except Exception as error:  # dask passes on whatever went wrong over there
            asked |= {"the scheduler": error}
        return [
            f"{who} cannot be used: {sentence}"
            for who, answer in asked.items()
            for sentence in _sentences(answer)
        ]

    @contextlib.contextmanager
    def at_work(self, lab: Lab, settings: Settings, submissions: int) -> Iterator[_ClusterAtWork]:
        client = self._client
        post = f"course-{secrets.token_hex(8)}"
        leash = f"{post}-leash"
        with contextlib.ExitStack() as stack:
            stack.callback(self._quietly, client.unregister_scheduler_plugin, leash)
            stack.callback(self._quietly, client.unregister_worker_plugin, post)
            with _answering():
                client.register_plugin(there.Leash(leash, client.id, post))
                client.register_plugin(there.Post(post, Parcel.of(lab), settings, kit()))
            work = _ClusterAtWork(client, post, self.patience)
            stack.callback(self._quietly, work.give_up)
            yield work

    @staticmethod
    def _quietly(action: Any, *arguments: Any) -> None:
        """Leave nothing behind, where there is still anybody to ask."""
        with contextlib.suppress(Exception):
            action(*arguments)


def _sentences(answer: Any) -> list[str]:
    if isinstance(answer, Exception) and "ModuleNotFoundError" in repr(answer):
        # Dask gives it as it is, or its text in an exception of another kind.
        return [
            f"it has no course-utils of this version ({answer}): install there what is installed "
            "here"
        ]
    return [str(answer)] if isinstance(answer, Exception) else answer


class _ClusterAtWork:
    def __init__(self, client: Client, post: str, patience: float) -> None:
        self._client, self._post, self._patience = client, post, patience
        self._executor = client.get_executor(pure=False)
        self._seen = time.monotonic()

    def places(self) -> int:
        with _answering():
            threads: int = sum(self._client.nthreads().values())
        now = time.monotonic()
        if threads:
            self._seen = now
        elif now - self._seen > self._patience:
            raise ClusterError(
                f"no worker was there for {self._patience:.0f} s: start some, and give the command "
                "again"
            )
        return threads

    def submit(self, job: Job) -> Future[SubmissionResult]:
        future: Future[SubmissionResult] = self._executor.submit(
            there.grade, self._post, job
        )
        return future

    def give_up(self) -> None:
        self._executor.shutdown(wait=False)
