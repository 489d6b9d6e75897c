"""The cache folder: where it lies, and that what is in it is made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from course_utils.ground import cache
from course_utils.ground.cache import cache_folder, cached, write_cached


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_it_lies_where_the_environment_says(tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache" / "course-utils"


@pytest.mark.skipif("sys.platform != 'linux'", reason="elsewhere the platform has its own place")
@pytest.mark.parametrize("said", [None, ""])
def test_it_lies_at_home_where_the_environment_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if said is None:
        monkeypatch.delenv("XDG_CACHE_HOME")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", said)
    assert cache_folder() == tmp_path / ".cache" / "course-utils"


def test_what_is_cached_is_made_once() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"what is kept"

    assert cached("name", make) == cached("name", make) == b"what is kept"
    assert made == [1]
    assert [path.name for path in cache_folder().iterdir()] == ["name"]
    assert cache_folder().stat().st_mode & 0o077 == 0  # hidden tests' traces are nobody else's


def test_what_was_written_is_found() -> None:
    write_cached("name", b"first")
    write_cached("name", b"second")
    assert cached("name", lambda: b"made") == b"second"


def test_a_folder_that_cannot_be_written_costs_time_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cached("name", lambda: b"made") == b"made"


def test_what_was_not_asked_for_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 350)
    folder = cache_folder()

    def held() -> set[str]:
        return {path.name for path in folder.iterdir()}

    for second, name in enumerate(("a", "b", "c")):
        write_cached(name, bytes(100))
        os.utime(folder / name, (second, second))
    assert cached("a", lambda: b"made anew") == bytes(100)  # asked for now
    write_cached("d", bytes(100))
    assert held() == {"a", "c", "d"}
    write_cached("large", bytes(1000))  # more than there is room for, and kept all the same
    assert held() == {"large"}
    assert cached("a", lambda: b"made anew") == b"made anew"
