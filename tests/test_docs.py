"""What the documents say exists, exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from cluster_of import blocks, command
from tiny import REPOSITORY

from course_utils.commands.cli import app
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
SYLLABUS = REPOSITORY / "docs" / "syllabus.md"
NOTES = {"000", "001", "002", "003", "004"}


def rows() -> list[tuple[str, str, str]]:
    """(topic, note, where) of every row of the syllabus's tables."""
    found = []
    for line in SYLLABUS.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and not set(line) <= set("|-: "):
            found.append((cells[0], cells[1], cells[2]))
    return [row for row in found if row[0] != "topic"]


def names_in(lab: Lab) -> set[str]:
    """The exercises of a lab and its written questions."""
    cells = [cell for cell in lab.notebook["cells"] if lab_cells.is_solution(cell)]
    written = {lab_cells.grade_id(cell) for cell in cells}
    return {exercise.name for exercise in lab.exercises} | written


def test_every_exercise_that_the_syllabus_names_exists() -> None:
    known = {
        lab.name.partition("_")[0]: names_in(lab)
        for lab in Lab.all_in(REPOSITORY)
    }  # fmt: skip
    assert len(rows()) > 40
    for topic, note, where in rows():
        named = re.findall(r"`(lab\d\d)/(\w+)`", where)
        assert named, f"{topic}: no exercise is named"
        for lab, name in named:
            assert name in known.get(lab, ()), f"{topic}: there is no {lab}/{name}"
        assert set(re.findall(r"\b\d{3}\b", note)) <= NOTES
        assert re.search(r"\b00\d\b", note), f"{topic}: no note is named"


def test_every_exercise_is_in_the_syllabus() -> None:
    text = SYLLABUS.read_text("utf-8")
    for lab in Lab.all_in(REPOSITORY):
        for exercise in lab.exercises:
            assert f"`{lab.name.partition('_')[0]}/{exercise.name}`" in text


def test_every_reason_code_is_explained() -> None:
    text = (REPOSITORY / "docs" / "odd-submissions.md").read_text("utf-8")
    table = text.partition("## Every reason code")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(Reason)


# -- docs/cluster.md: its commands are run by tests/test_cluster.py, or it is said why not

RUN = ("mkdir ", "openssl ", "printf ", "dask scheduler ", "dask worker ", "course grade ")
NOT_RUN = {
    "kubectl create secret": "needs Kubernetes",
    "kubectl apply": "needs Kubernetes",
    "kubectl port-forward": "needs Kubernetes",
}


def test_every_command_of_the_cluster_is_run_or_has_a_reason() -> None:
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    unknown = [line for line in lines if not line.startswith((*RUN, *NOT_RUN))]
    assert lines and not unknown
    assert all(any(line.startswith(begin) for line in lines) for begin in (*RUN, *NOT_RUN))


def test_the_clusters_pieces_of_code_can_be_read() -> None:
    (script,) = blocks("python")
    compile(script, "cluster.md", "exec")
    configuration, manifest = map(yaml.safe_load, blocks("yaml"))
    assert {"ca-file", "scheduler", "worker", "client"} == set(
        configuration["distributed"]["comm"]["tls"]
    )
    parts = manifest["spec"]["scheduler"]["spec"], manifest["spec"]["worker"]["spec"]
    commands = [part["containers"][0]["args"] for part in parts]
    assert [words[:2] for words in commands] == [["dask", "scheduler"], ["dask", "worker"]]
    for words in [*commands, *(command(f"dask {name}") for name in ("scheduler", "worker"))]:
        name = next(word for word in words if word in ("scheduler", "worker"))
        known = subprocess.run(
            [sys.executable, "-m", "dask", name, "--help"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for word in words:
            assert not word.startswith("--") or word in known


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (
        REPOSITORY / "docs").glob("*.md"))],
)  # fmt: skip
def test_links_lead_somewhere(document: str) -> None:
    path = REPOSITORY / document
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), f"{document} links to {target}"


def test_pictures_are_there_small_and_described() -> None:
    shown = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (REPOSITORY / "README.md").read_text("utf-8"))
    assert 1 <= len(shown) <= 2
    for description, place in shown:
        assert len(description.split()) >= 10, place
        assert (REPOSITORY / place).stat().st_size <= 120_000, place


# -- the site, and the three paths through it

PATHS = ("students.md", "teaching-assistants.md", "instructors.md")


def test_the_site_can_be_built_and_no_link_in_it_is_dead(tmp_path: Path) -> None:
    """A warning, such as of a link that leads nowhere, ends the build."""
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q",
         "docs", str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {path.stem for path in tmp_path.glob("*.html")}
    assert {path.stem for path in (REPOSITORY / "docs").glob("*.md")} <= pages


def test_every_command_of_the_paths_can_be_typed() -> None:
    """Its name and its options exist; what it does is tested where it is written."""
    typed = [
        shlex.split(line)
        for name in PATHS
        for line in re.findall(
            r"(?m)(?:`|^ *)(course [a-z][^`\n]*)", (REPOSITORY / "docs" / name).read_text("utf-8")
        )
    ]
    assert len(typed) > 15
    for _, name, *arguments in typed:
        command = COMMANDS[name]
        known = {option for parameter in command.params for option in parameter.opts}
        unknown = {word for word in arguments if word.startswith("--")} - known
        assert not unknown, f"course {name} has no {unknown}"
