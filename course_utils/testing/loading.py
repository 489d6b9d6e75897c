"""A lab's Python files as modules, each imported once as long as it does not change."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path
from types import ModuleType

from course_utils.ground.fresh import FileMemo

_modules = FileMemo[ModuleType]()


def load_module(path: Path) -> ModuleType:
    """Import a lab's Python file under a name of its own; again only when it has changed.

    Raises:
        Exception: whatever importing the file raises.
    """
    path = path.resolve()
    return _modules.get([path], lambda: _imported(path))


def _imported(path: Path) -> ModuleType:
    name = f"course_lab_{path.parent.name}_{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # Compiled here rather than by the import system, so that no __pycache__ appears in a lab.
        exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
