"""Clusters for tests: a real scheduler, real workers, and docs/cluster.md's certificates."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dask
from tiny import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "cluster.md"
_START_SECONDS = 240.0  # on a busy machine


def blocks(language: str) -> list[str]:
    """The document's pieces of code in a language."""
    text = DOCUMENT.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def command(program: str) -> list[str]:
    """The document's command that begins like this, without its first word."""
    (line,) = [
        line for block in blocks("bash") for line in block.splitlines() if line.startswith(program)
    ]
    return shlex.split(line)[1:]


def make_certificates(folder: Path) -> Path:
    """Run the document's commands, and write its configuration; the file of that."""
    (commands,) = [block for block in blocks("bash") if "openssl" in block]
    subprocess.run(["bash", "-ec", commands], cwd=folder, check=True, capture_output=True)
    (configuration,) = [block for block in blocks("yaml") if "ca-file" in block]
    file = folder / "dask.yaml"
    file.write_text(configuration.replace("/home/grader", str(folder)), "utf-8")
    return file


class Cluster:
    """A scheduler and its workers, all of them processes of this machine.

    Args:
        folder: where they write.
        configuration: dask's, with certificates; none for ``tcp://``.
        host: where the scheduler listens.
    """

    def __init__(self, folder: Path, configuration: Path | None, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self._environment = {**os.environ, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"}
        self.configuration = configuration
        if configuration is not None:
            self._environment["DASK_CONFIG"] = str(configuration)
        self._started: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        more = ["--host", host, "--port", "0", "--scheduler-file", str(file)]
        if configuration is None:
            more += ["--protocol", "tcp"]
        self.scheduler = self._start("scheduler", *command("dask scheduler"), *more)
        self.address = str(self._read(file)["address"])

    def worker(
        self, name: str, *options: str, prefix: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker, with the document's options; ``prefix`` is a command that runs it."""
        worker, _, *given = command("dask worker")
        more = ["--nthreads", "1", "--name", name, "--local-directory", str(self.folder / name)]
        return self._start(
            name, worker, self.address, *given, *more, *options, prefix=prefix, **environment
        )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8")

    @contextmanager
    def configured(self) -> Iterator[None]:
        """This process, too, has the certificates."""
        found = dask.config.collect([str(self.configuration)], {}) if self.configuration else {}
        with dask.config.set(dask.config.merge(dask.config.config, found)):
            yield

    def close(self) -> None:
        for process in reversed(self._started):
            process.terminate()
        for process in self._started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(
        self, name: str, *arguments: str, prefix: Sequence[str] = (), **environment: str
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "dask", *arguments], cwd=self.folder,
                env={**self._environment, **environment}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._started.append(process)
        return process

    def _read(self, file: Path) -> dict[str, object]:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                found: dict[str, object] = json.loads(file.read_text("utf-8"))
                return found
            except (OSError, ValueError):
                assert self.scheduler_lives(), self.log("scheduler")
                time.sleep(0.05)
        raise AssertionError(self.log("scheduler"))

    def scheduler_lives(self) -> bool:
        return self._started[0].poll() is None
