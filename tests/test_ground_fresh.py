"""What is made of files is made once, and again when one of them changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from course_utils.ground.fresh import FileMemo


class Maker:
    """Makes something of files, and counts how often it was asked to."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths
        self.count = 0

    def __call__(self) -> tuple[str, ...]:
        self.count += 1
        return tuple(path.read_text("utf-8") for path in self.paths if path.exists())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1")
    second.write_text("2")
    return first, second


def test_it_is_made_once(files: tuple[Path, Path]) -> None:
    memo, make = FileMemo[tuple[str, ...]](), Maker(*files)
    assert memo.get(files, make) is memo.get(list(files), make)
    assert make.count == 1


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_made_again_when_any_of_the_files_changes(
    files: tuple[Path, Path], which: int
) -> None:
    memo, make = FileMemo[tuple[str, ...]](), Maker(*files)
    memo.get(files, make)
    files[which].write_text("other")
    assert memo.get(files, make)[which] == "other"
    assert make.count == 2


def test_a_file_of_the_same_age_and_another_size_is_another(files: tuple[Path, Path]) -> None:
    memo, make = FileMemo[tuple[str, ...]](), Maker(*files)
    memo.get(files, make)
    age = files[0].stat()
    files[0].write_text("longer")
    os.utime(files[0], ns=(age.st_atime_ns, age.st_mtime_ns))
    assert memo.get(files, make) == ("longer", "2")


def test_files_may_appear_and_go(tmp_path: Path) -> None:
    path = tmp_path / "file"
    memo, make = FileMemo[tuple[str, ...]](), Maker(path)
    assert memo.get([path], make) == memo.get([path], make) == ()
    path.write_text("here")
    assert memo.get([path], make) == ("here",)
    path.unlink()
    assert memo.get([path], make) == ()
    assert make.count == 3


def test_a_change_while_it_is_made_is_seen_the_next_time(files: tuple[Path, Path]) -> None:
    memo, make = FileMemo[tuple[str, ...]](), Maker(*files)

    def make_and_change() -> tuple[str, ...]:
        made = make()
        files[0].write_text("meanwhile")
        return made

    assert memo.get(files, make_and_change) == ("1", "2")
    assert memo.get(files, make) == ("meanwhile", "2")


def test_what_fails_is_not_remembered(files: tuple[Path, Path]) -> None:
    memo, make = FileMemo[tuple[str, ...]](), Maker(*files)

    def fail() -> tuple[str, ...]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        memo.get(files, fail)
    assert memo.get(files, make) == ("1", "2")


def test_other_files_are_another_thing(files: tuple[Path, Path]) -> None:
    memo = FileMemo[tuple[str, ...]]()
    assert memo.get(files[:1], Maker(files[0])) == ("1",)
    assert memo.get(files[1:], Maker(files[1])) == ("2",)
    assert memo.get(files[:1], Maker(files[1])) == ("1",)
