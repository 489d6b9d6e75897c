"""A PostgreSQL server for tests, made by the suite and ended by it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

_START_SECONDS = 240.0  # on a busy machine


def programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``: on PATH, or where Debian keeps them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    return versions[-1].parent if versions else None


def _version(path: Path) -> int:
    name = path.parent.parent.name
    return int(name) if name.isdigit() else 0


class Server:
    """A running server, reached through a socket in its own folder."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        # PostgreSQL refuses to run as root.
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "--auth=trust", "--username=course", "--no-sync", "--encoding=UTF8",
                  "--locale=C")  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder,
                 "-c", "listen_addresses=", "-c", "fsync=off"],
                cwd=self._folder, stdout=log, stderr=log, **self._as,
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return psycopg.connect(self._connection("postgres")).close()
            except psycopg.OperationalError:
                said = (self._folder / "log").read_text("utf-8")
                assert self._process.poll() is None and time.monotonic() < deadline, said
                time.sleep(0.05)

    def stop(self) -> None:
        """End it at once; whoever is connected is not."""
        if self._process is not None:
            self._process.send_signal(2)  # "fast": nobody is waited for
            self._process.wait(60)
            self._process = None

    def database(self, name: str) -> str:
        """Make an empty database; its address for SQLAlchemy."""
        with psycopg.connect(self._connection("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql+psycopg://course@/{name}?host={self._folder}"

    def _connection(self, name: str) -> str:
        return f"host={self._folder} user=course dbname={name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._folder / "data", *arguments],
            cwd=self._folder, check=True, capture_output=True, **self._as,
        )  # fmt: skip


@contextmanager
def server(programs: Path) -> Iterator[Server]:
    """A server in a folder of its own, since sockets' paths are short and the user is another."""
    folder = Path(tempfile.mkdtemp(prefix="course-pg-"))
    made = Server(folder, programs)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)
