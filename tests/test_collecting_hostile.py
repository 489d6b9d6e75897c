"""A download may hold whatever students have put into it: nothing leads out, and all is bounded."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from downloads import NOTEBOOK, link, zip_of

from course_utils.grading.collecting import canvas, gradescope, moodle, placing
from course_utils.grading.collecting.download import Download
from course_utils.grading.collecting.handed_in import Found
from course_utils.grading.collecting.matching import match
from course_utils.grading.reading.unpacking import unpacked
from course_utils.grading.reading.unreadable import UnreadableError
from course_utils.grading.roster import Student
from course_utils.ground.errors import DownloadError

ADA = "Ada Lovelace_501_assignsubmission_file_"


def held(path: Path) -> tuple[dict[str, bytes], list[str]]:
    """What Ada's folder would hold, and what is told."""
    with Download(path) as download:
        found = moodle.read(download.members, "tiny.ipynb")
        told = [*download.refused, *found.remarks]
        files = [file for file in found.files if file.person.id == "moodle-501"]
        kept = placing.contents(files, None, told) if files else {}
        return {name.as_posix(): data for name, data in kept.items()}, told


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (f"{ADA}/../../../tiny.ipynb", "leads out"),
        ("../Eve_9_assignsubmission_file_/tiny.ipynb", "leads out"),
        ("/etc/cron.d/tiny.ipynb", "leads out"),
        (f"{ADA}\\..\\..\\tiny.ipynb", "leads out"),
        ("C:\\tiny.ipynb", "leads out"),
        (f"{ADA}/timestamp.txt", "a date is not the student's to say"),
        (f"{ADA}/TimeStamp.TXT", "a date is not the student's to say"),
        (f"{ADA}/timestamp.txt/x.png", "a date is not the student's to say"),
        (f"{ADA}/1/2/3/4/5/6/7/x.ipynb", "too deep"),
    ],
)
def test_a_name_leads_nowhere(tmp_path: Path, name: str, why: str) -> None:
    files = {f"{ADA}/tiny.ipynb": NOTEBOOK, name: b"1999-01-01 00:00:00 UTC"}
    kept, told = held(zip_of(tmp_path / "x.zip", files))
    assert kept == {"tiny.ipynb": NOTEBOOK}
    assert len(told) == 1
    assert why in told[0]


def test_links_and_what_is_locked_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{ADA}/tiny.ipynb", NOTEBOOK)
        archive.writestr(link(f"{ADA}/passwd"), "/etc/passwd")
        archive.writestr(f"{ADA}/lzma.png", b"x", zipfile.ZIP_LZMA)
        archive.writestr(f"{ADA}/locked.png", b"x")
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")  # the last file's entry in the list; its flags
    data[at + 8] |= 1
    path.write_bytes(data)
    kept, told = held(path)
    assert kept == {"tiny.ipynb": NOTEBOOK}
    assert [line.rpartition(": ")[2] for line in told] == [
        "it is a link or a device", "it is compressed in an unusual way", "it asks for a password",
    ]  # fmt: skip


def test_what_is_large_unpacked_costs_itself(tmp_path: Path) -> None:
    zeros = bytes(51 * 2**20)
    files = {f"{ADA}/bomb.png": zeros, f"{ADA}/tiny.ipynb": NOTEBOOK}
    files |= {f"{ADA}/x{n}.png": zeros[: 49 * 2**20] for n in range(3)}
    kept, told = held(zip_of(tmp_path / "x.zip", files))
    assert sorted(kept) == ["tiny.ipynb", "x0.png", "x1.png"]
    assert "more than 50 MiB" in told[0]
    assert "more than 128 MiB together" in told[1]


def test_many_files_of_one_person_are_bounded(tmp_path: Path) -> None:
    files = {f"{ADA}/{n:03}.png": b"x" for n in range(300)}
    kept, told = held(zip_of(tmp_path / "x.zip", files))
    assert (len(kept), len(told)) == (200, 100)


def with_long_list(path: Path, *, large: bool) -> bytes:
    """An archive that claims a list of names of 1 GiB, in the old form or in that of large files,
    of which zipfile believes the latter."""
    data = bytearray(zip_of(path, {f"{ADA}/tiny.ipynb": NOTEBOOK}).read_bytes())
    end = bytes(data[data.rfind(b"PK\x05\x06") :])
    del data[-len(end) :]
    if not large:
        return bytes(data) + end[:12] + struct.pack("<L", 2**30) + end[16:]
    size, offset = struct.unpack_from("<LL", end, 12)
    record = struct.pack("<LQHHLLQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 1, 1, 2**30, offset)
    locator = struct.pack("<LLQL", 0x07064B50, 0, offset + size, 1)
    return bytes(data) + record + locator + end


@pytest.mark.parametrize("large", [False, True])
def test_a_long_list_of_names_is_not_read(tmp_path: Path, large: bool) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(with_long_list(path, large=large))
    with pytest.raises(DownloadError, match="too many files"):
        Download(path)
    # The same for one student's archive.
    with pytest.raises(UnreadableError, match="too many files"):
        unpacked(path.read_bytes(), "tiny.ipynb", [])


@pytest.mark.parametrize("cut", [0, 4, 40, -1, -30])
def test_a_damaged_archive_is_told(tmp_path: Path, cut: int) -> None:
    path = zip_of(tmp_path / "x.zip", {f"{ADA}/tiny.ipynb": NOTEBOOK})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DownloadError, match="no zip archive that can be read"):
        Download(path)


def test_a_file_that_is_damaged_inside_costs_itself(tmp_path: Path) -> None:
    files = {f"{ADA}/plot.png": b"y" * 999, f"{ADA}/tiny.ipynb": NOTEBOOK}
    path = zip_of(tmp_path / "x.zip", files)
    data = bytearray(path.read_bytes())
    data[len(ADA) + 45] ^= 0xFF
    path.write_bytes(data)
    kept, told = held(path)
    assert kept == {"tiny.ipynb": NOTEBOOK}
    assert "cannot be unpacked" in told[0]


def test_names_that_clash_leave_the_last(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # zipfile's, of the same name twice
        for name, data in (
            ("tiny.ipynb", b"1"), ("tiny.ipynb", b"2"), ("TINY.ipynb", b"3"),
            ("a/x.png", b"4"), ("A", b"5"),
        ):  # fmt: skip
            archive.writestr(f"{ADA}/{name}", data)
    kept, told = held(path)
    assert kept == {"TINY.ipynb": b"3", "a/x.png": b"4"}
    later = "a later file has that name"
    whys = [line.rpartition(": ")[2] for line in told]
    assert whys == [later, later, "its name is a folder's as well"]


def test_odd_names_become_names_that_every_disk_takes(tmp_path: Path) -> None:
    long = "ä" * 200 + ".ipynb"
    files = {f"{ADA}/{name}": b"x" for name in ("\x1b[2J.png", "\u202egnp.png", long, ".bashrc")}
    kept, told = held(zip_of(tmp_path / "x.zip", files))
    assert told == []
    assert set(kept) - {"\\x1b[2J.png", "\\u202egnp.png"} == {
        name for name in kept if name.startswith("ää") and name.endswith(".ipynb")
    }
    assert len(kept) == 3
    for name in kept:
        (tmp_path / name).write_bytes(b"")


def test_an_archive_in_it_is_left_packed(tmp_path: Path) -> None:
    """Grading unpacks one, within its own bounds."""
    inner = BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("../../tiny.ipynb", NOTEBOOK)
    kept, told = held(zip_of(tmp_path / "x.zip", {f"{ADA}/work.zip": inner.getvalue()}))
    assert (kept, told) == ({"work.zip": inner.getvalue()}, [])


def test_a_folder_with_links_and_pipes(tmp_path: Path) -> None:
    place = tmp_path / "x" / ADA
    place.mkdir(parents=True)
    (place / "tiny.ipynb").write_bytes(NOTEBOOK)
    (place / "passwd").symlink_to("/etc/passwd")
    (place / "etc").symlink_to("/etc")
    os.mkfifo(place / "pipe")
    (place / b"\xff.png".decode("utf-8", "surrogateescape")).write_bytes(b"x")
    kept, told = held(tmp_path / "x")
    assert kept == {"tiny.ipynb": NOTEBOOK, "\\udcff.png": b"x"}
    assert {line.rpartition(": ")[2] for line in told} == {"it is a link or a device"}


def read_canvas(tmp_path: Path, *names: str) -> Found:
    with Download(zip_of(tmp_path / "x.zip", dict.fromkeys(names, NOTEBOOK))) as download:
        return canvas.read(download.members, "tiny.ipynb")


def test_nobody_is_another_by_the_name_that_they_gave_themselves(tmp_path: Path) -> None:
    """A name of digits, or one that ends with them, could pass for another user's number."""
    found = read_canvas(tmp_path, "777_123_456_tiny.ipynb")
    assert [file.person.id for file in found.files] == ["canvas-123"]
    found = read_canvas(tmp_path, "x_777_123_456_tiny.ipynb")
    assert "can be read in two ways" in found.remarks[0]
    # A file's own name may look like anything.
    found = read_canvas(tmp_path, "noetheremmy_102_9003_x_LATE_7_8_y.ipynb")
    assert [(file.person.id, file.late) for file in found.files] == [("canvas-102", False)]


def test_a_number_of_canvas_is_no_number_of_the_class(tmp_path: Path) -> None:
    found = read_canvas(tmp_path, "noetheremmy_102_9003_tiny.ipynb")
    people = [file.person for file in found.files]
    ids, told = match(people, [Student("102", "Lovelace", "Ada")], {})
    assert list(ids.values()) == ["canvas-102"]
    assert len(told) == 1


def test_blind_marking_names_nobody(tmp_path: Path) -> None:
    found = read_canvas(tmp_path, "anon_Ab3xY_9003_tiny.ipynb", "LATE_anon_Cd4_9004_tiny.ipynb")
    assert [(file.person.id, file.late) for file in found.files] == [
        ("canvas-anon_Ab3xY", False), ("canvas-anon_Cd4", True),
    ]  # fmt: skip


def test_two_with_the_number_of_one_are_neither(tmp_path: Path) -> None:
    """Who enters another's student number on Gradescope gets nothing by it, and takes nothing."""
    text = "".join(
        f"submission_{n}:\n  :submitters:\n  - :name: {name}\n    :sid: ada\n    :email: {email}\n"
        for n, name, email in ((1, "Ada", "ada@x.org"), (2, "Mallory", "m@x.org"))
    )
    files = {"submission_metadata.yml": text.encode()}
    files |= {f"submission_{n}/tiny.ipynb": NOTEBOOK for n in (1, 2)}
    with Download(zip_of(tmp_path / "x.zip", files)) as download:
        people = [file.person for file in gradescope.read(download.members, "").files]
    ids, told = match(people, [Student("ada")], {})
    assert sorted(ids.values()) == ["gradescope-1", "gradescope-2"]
    assert len(told) == 2
