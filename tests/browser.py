"""JupyterLab in a real browser: the system's Chromium, driven by Playwright.

Nothing is downloaded and nothing is asked of the network. Where there is no Chromium, tests that
need one are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright
from serving import Server, serving

_NAMES = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next(filter(None, map(shutil.which, _NAMES)), None)
needs_chromium = pytest.mark.skipif(
    PROGRAM is None, reason="there is no Chromium here, which these tests look at pages with"
)
# What a person sees within this time is there; a busy machine takes longer than an idle one.
_PATIENCE_MS = 90_000
expect.set_options(timeout=_PATIENCE_MS)
# JupyterLab asks once whether it may fetch news; and it takes cells that are out of sight out of
# the page, where a test would look for them.
_SETTINGS = {
    "labconfig/page_config.json": {
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}
    },
    "lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {
        "windowingMode": "none"
    },
}


_THEMES = "lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"


def use_theme(settings: Path, name: str) -> None:
    """Have pages that are opened from now on look so."""
    (settings / _THEMES).parent.mkdir(parents=True, exist_ok=True)
    (settings / _THEMES).write_text(json.dumps({"theme": name}), "utf-8")


@contextmanager
def jupyterlab(root: Path, settings: Path) -> Iterator[Server]:
    """JupyterLab, started in a folder as README says."""
    for name, content in _SETTINGS.items():
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / name).write_text(json.dumps(content), "utf-8")
    programs = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    with serving("exec jupyter lab", root, settings, environment) as server:
        yield server


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window, which finds nothing but this machine."""
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:  # as in a container; Chromium's own sandbox does not start there
        arguments.append("--no-sandbox")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=PROGRAM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, server: Server, **options: Any) -> Iterator[Page]:
    """A page of a visitor's own, whom the server lets in."""
    context = browser.new_context(**options)
    context.set_default_timeout(_PATIENCE_MS)
    try:
        page = context.new_page()
        page.goto(server.address("/api"))  # for the cookie
        yield page
    finally:
        context.close()


def asked_elsewhere(page: Page, server: Server) -> list[str]:
    """A list that fills with the addresses outside of the server that the page asks for."""
    found: list[str] = []

    def look(request: Request) -> None:
        if not request.url.startswith((server.host, "data:", "blob:")):
            found.append(request.url)

    page.on("request", look)
    return found


class Notebook:
    """A notebook in JupyterLab, or in Notebook 7, as whoever sits before it uses it."""

    def __init__(self, page: Page, server: Server, path: str, *, notebook7: bool = False) -> None:
        self.page = page
        page.goto(f"{server.host}/{'notebooks' if notebook7 else 'lab/tree'}/{path}?reset")
        self.cell("").first.wait_for()
        if notebook7:
            page.locator(".jp-NotebookKernelStatus-fade").wait_for(state="attached")
        else:
            page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()

    def cell(self, text: str) -> Locator:
        """The code cells in which a text stands."""
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        return cells.filter(has=self.page.locator(".jp-InputArea", has_text=text))

    def write(self, cell: Locator, code: str) -> None:
        """Put code into a cell, in place of what is there."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(code)

    def add_below(self, cell: Locator, code: str) -> Locator:
        """A new cell below another one."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        return self.cell(code)

    def run(self, cell: Locator) -> Locator:
        """Run a cell and wait for its end; its outputs."""
        cell.locator(".cm-content").click()
        before = cell.locator(".jp-InputPrompt").inner_text()
        self.page.keyboard.press("Control+Enter")
        # Its number, a star, another number.
        prompt = cell.locator(".jp-InputPrompt")
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\d"))
        return cell.locator(".jp-Cell-outputArea")


def violations(page: Page, part: str) -> list[str]:
    """What axe finds fault with in a part of a page, if people could not read or use it for that.

    Of what JupyterLab and nbgrader put around our own nodes nothing is asked.
    """
    found = Axe().run(page, context=part).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['html'][:120]} {node.get('failureSummary', '')}"
        for fault in found if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]  # fmt: skip
