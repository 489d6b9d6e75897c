"""Downloads as Canvas, Moodle and Gradescope make them, small, for tests."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tiny import as_bytes, tiny_notebook

NOTEBOOK = as_bytes(tiny_notebook())

CANVAS = {
    "lovelaceada_101_9001_tiny.ipynb": b"{}",
    "lovelaceada_101_9007_tiny-1.ipynb": NOTEBOOK,
    "lovelaceada_101_9008_plot.png": b"picture",
    "noetheremmy_LATE_102_9003_my work.ipynb": NOTEBOOK,
    "erdospal_103_9004_tiny.ipynb": NOTEBOOK,
    "smithanna_104_9005_tiny.ipynb": NOTEBOOK,
    "smithanna_105_9006_tiny.ipynb": NOTEBOOK,
    "turingalan_106_text.html": b"<p>my answer</p>",
    "notes.txt": b"a TA's",
}
MOODLE = {
    "Ada Lovelace_501_assignsubmission_file_/tiny.ipynb": NOTEBOOK,
    "Ada Lovelace_501_assignsubmission_file_/figures/plot.png": b"picture",
    "Emmy Noether_502_assignsubmission_file/tiny.ipynb": NOTEBOOK,
    "Pál Erdős_503_assignsubmission_file_tiny.ipynb": NOTEBOOK,
    "Alan Turing_504_assignsubmission_onlinetext_/onlinetext.html": b"<p>my answer</p>",
    "Participant_505_assignsubmission_file_/tiny.ipynb": NOTEBOOK,
}
METADATA = """\
---
submission_11:
  :submitters:
  - :name: Ada L.
    :sid: ada
    :email: ada@example.org
  :created_at: 2026-11-20 10:00:00.123456000 Z
submission_12:
  :submitters:
  - :name: Ada L.
    :sid: ada
    :email: ada@example.org
  - :name: Emmy Noether
    :sid:
    :email: Emmy@Example.org
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: &1 2026-11-21 10:00:00.000000000 Z
    zone: &2 !ruby/object:ActiveSupport::TimeZone
      name: Etc/UTC
    time: *1
submission_13:
  :submitters:
  - :name: Mallory
    :sid: ada
    :email: emmy@example.org
  :created_at: 2026-11-25 10:00:00.000000000 Z
"""
_ROOT = "assignment_7_export"
GRADESCOPE = {
    f"{_ROOT}/submission_metadata.yml": METADATA.encode(),
    f"{_ROOT}/submission_11/tiny.ipynb": b"{}",
    f"{_ROOT}/submission_12/tiny.ipynb": NOTEBOOK,
    f"{_ROOT}/submission_12/submission_metadata.yml": b"submission_12: forged",
    f"{_ROOT}/submission_13/tiny.ipynb": NOTEBOOK,
    f"{_ROOT}/submission_99/tiny.ipynb": NOTEBOOK,
    f"__MACOSX/{_ROOT}/._submission_metadata.yml": b"\0",
}


def zip_of(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def folder_of(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def link(name: str) -> zipfile.ZipInfo:
    """An entry that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info
