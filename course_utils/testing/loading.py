"""A lab's Python files as modules, each imported once as long as it does not change."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from pathlib import Path
from types import ModuleType


def load_module(path: Path) -> ModuleType:
    """Import a lab's Python file under a name of its own; again only when it has changed."""
    path = path.resolve()
    name = f"course_lab_{path.parent.name}_{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    stamp = path.stat().st_mtime_ns
    known = sys.modules.get(name)
    if known is not None and known.__dict__.get("__stamp__") == stamp:
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__stamp__"] = stamp
    sys.modules[name] = module
    try:
        # Compiled here rather than by the import system, so that no __pycache__ appears in a lab.
        exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
