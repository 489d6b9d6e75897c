"""A Jupyter server as a user starts it, by a line of shell, and where it says that it is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

_TOKEN = "word"
_CONFIG = f"""
c.ServerApp.open_browser = False
c.ServerApp.port = 0
c.ServerApp.allow_root = True
c.IdentityProvider.token = '{_TOKEN}'
"""


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Attributes:
        host: its address.
        opens: the path of the page that it would open in a browser.
    """

    host: str
    opens: str

    def address(self, path: str) -> str:
        """A page's address, with the word that lets a browser in."""
        return f"{self.host}{path}?token={_TOKEN}"


@contextmanager
def serving(
    script: str, cwd: Path, settings: Path, environment: dict[str, str]
) -> Iterator[Server]:
    """Run a script that starts a server, with settings of its own in a folder, until the end."""
    (settings / "jupyter_server_config.py").write_text(_CONFIG, "utf-8")
    places = {f"JUPYTER_{name}_DIR": str(settings) for name in ("CONFIG", "RUNTIME", "DATA")}
    # What it says later would fill a pipe that nobody empties.
    with (settings / "said.txt").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            ["bash", "-ec", script], cwd=cwd, env=environment | places,
            stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield _answering(process, settings / "said.txt")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answering(process: subprocess.Popen[bytes], log: Path) -> Server:
    """Where the server is, once it is there."""
    said = re.compile(r"http://(?:localhost|127\.0\.0\.1)(:\d+)(/\S*)\?token=")
    while not (place := said.search(log.read_text("utf-8"))):
        assert process.poll() is None, log.read_text("utf-8")
        time.sleep(0.05)
    server = Server(f"http://127.0.0.1{place[1]}", place[2])
    while True:
        try:
            page(server, "/lab")
            return server
        except urllib.error.URLError:  # it says where it is before it listens there
            assert process.poll() is None, log.read_text("utf-8")
            time.sleep(0.05)


def page(server: Server, path: str) -> str:
    """What a browser gets from the server."""
    # Jupyter gives a cookie for the token, and the pages behind ask for the cookie.
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    opener.open(server.address("/lab")).close()
    with opener.open(server.host + path) as response:
        return str(response.read().decode())
