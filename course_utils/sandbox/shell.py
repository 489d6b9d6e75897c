"""An IPython shell without a kernel around it, whose outputs are collected in nbformat's form.

Collecting happens inside the sandbox, next to the student's code, and is bounded here: a cell that
prints a gigabyte gives a notebook of ordinary size.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Output = dict[str, Any]
_MAX_DEPTH = 8


class OutputBox:
    """The outputs of the running cell, in order, up to a number of bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        self.outputs: list[Output] = []
        self._bytes = 0
        self.was_cut = False

    def _room(self, size: int) -> bool:
        self._bytes += size
        if self._bytes <= self._limit:
            return True
        if not self.was_cut:
            self.was_cut = True
            note = f"\n[the rest of this output was cut off after {self._limit} bytes]\n"
            self._append_text("stderr", note)
        return False

    def text(self, name: str, text: str) -> None:
        """Text written to stdout or stderr."""
        if self.was_cut:
            return
        text = _whole(text)
        size = len(text)
        kept = text if size <= (left := self._limit - self._bytes) else text[: max(0, left)]
        if kept:
            self._append_text(name, kept)
        self._room(size)

    def _append_text(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else None
        if last and last["output_type"] == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def rich(self, output: Output) -> None:
        """A displayed object, a result or an error."""
        size = sum(len(str(v)) for v in output.get("data", output).values())
        if not self.was_cut and self._room(size):
            self.outputs.append(output)


class _Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a cell."""

    encoding = "utf-8"

    def __init__(self, box: OutputBox, name: str) -> None:
        self._box = box
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._box.text(self._name, text)
        return len(text)


class _Publisher(DisplayPublisher):  # type: ignore[misc]  # IPython is untyped
    box: OutputBox

    def publish(self, data: Any, metadata: Any = None, **kwargs: Any) -> None:
        self.box.rich(
            {
                "output_type": "display_data",
                "data": _as_json(data),
                "metadata": _as_json(metadata or {}),
            }
        )

    def clear_output(self, wait: bool = False) -> None:
        self.box.clear()


class _Hook(DisplayHook):  # type: ignore[misc]
    box: OutputBox

    def write_output_prompt(self) -> None:
        """A notebook numbers its results in the margin."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        self.box.rich(
            {
                "output_type": "execute_result",
                "data": _as_json(format_dict),
                "metadata": _as_json(md_dict or {}),
                "execution_count": self.prompt_count,
            }
        )

    def finish_displayhook(self) -> None:
        """Nothing is written after a result."""


def _as_json(data: Any) -> dict[str, Any]:
    """Display data as a notebook stores it: text, with bytes in base64."""
    plain: dict[str, Any] = {}
    for key, value in dict(data).items():
        if isinstance(value, bytes):
            plain[_whole(str(key))] = base64.b64encode(value).decode("ascii")
        else:
            plain[_whole(str(key))] = _plain(value, 0)
    return plain


def _plain(value: Any, depth: int) -> Any:
    """A value that any message and any notebook can hold: what is none is shown as text."""
    if isinstance(value, (list, tuple)) and depth < _MAX_DEPTH:
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict) and depth < _MAX_DEPTH:
        return {_whole(str(key)): _plain(item, depth + 1) for key, item in value.items()}
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    return _whole(str(value))


def _whole(text: str) -> str:
    """Text without the halves of letters that no message can hold."""
    return text.encode("utf-8", "replace").decode()


class _SandboxShell(InteractiveShell):  # type: ignore[misc]
    def _tee(self, channel: str) -> contextlib.AbstractContextManager[None]:
        """IPython keeps a copy of all that is printed for its history; we bound it instead."""
        return contextlib.nullcontext()

    def enable_gui(self, gui: str | None = None) -> None:
        """There are no windows here; ``%matplotlib inline`` asks for none."""

    def ask_exit(self) -> None:
        """``exit()`` and ``quit()`` end nothing: the cells below are graded as well."""


class Shell:
    """IPython as a notebook sees it. Make one before forking; run cells in the child."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False  # its writer is a thread, and threads do not fork
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.separate_in = ""
        self.ip: Any = _SandboxShell.instance(config=config)
        self._hook = _Hook(shell=self.ip)
        self._publisher = _Publisher(parent=self.ip, shell=self.ip)
        self.ip.display_trap.hook = self.ip.displayhook = self._hook
        self.ip.display_pub = self._publisher
        self.ip._showtraceback = self._show_traceback
        from matplotlib_inline.backend_inline import configure_inline_support

        configure_inline_support(self.ip, "module://matplotlib_inline.backend_inline")
        self.box = OutputBox(0)

    @property
    def namespace(self) -> dict[str, Any]:
        namespace: dict[str, Any] = self.ip.user_ns
        return namespace

    def run_cell(self, source: str, output_bytes: int) -> tuple[list[Output], bool, bool]:
        """Run one cell.

        Returns:
            its outputs, whether it ended without an exception, and whether output was cut off.
        """
        self.box = box = OutputBox(output_bytes)
        self._hook.box = self._publisher.box = box
        kept = sys.stdout, sys.stderr
        sys.stdout = _Stream(box, "stdout")
        sys.stderr = _Stream(box, "stderr")
        try:
            result = self.ip.run_cell(source, store_history=True)
        finally:
            sys.stdout, sys.stderr = kept
        return box.outputs, bool(result.success), box.was_cut

    def _show_traceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        try:
            message = str(evalue)
        except Exception:  # a student's exception may refuse to be printed
            message = ""
        lines = stb if isinstance(stb, list) else str(stb).splitlines()
        self.box.rich(
            {
                "output_type": "error",
                "ename": _whole(getattr(etype, "__name__", str(etype))),
                "evalue": _whole(message),
                "traceback": [_whole(str(line)) for line in lines],
            }
        )


class LowLevelOutput:
    """What goes to the process's own stdout and stderr, past Python: C code, subprocesses."""

    def __init__(self, directory: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
        self._path = os.path.join(directory, f".output-{os.getpid()}")
        self._descriptor = os.open(self._path, flags, 0o600)
        os.unlink(self._path)
        os.dup2(self._descriptor, 1)
        os.dup2(self._descriptor, 2)

    def take(self, limit: int) -> str:
        """What has been written since the last call, at most ``limit`` bytes of it."""
        size = os.fstat(self._descriptor).st_size
        if not size:
            return ""
        data = os.pread(self._descriptor, min(size, limit), 0)
        os.ftruncate(self._descriptor, 0)
        return data.decode("utf-8", "replace")
