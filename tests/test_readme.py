"""README's commands, and those of the pages that it leads people to: each is run word for word in a
fresh clone, or it is said why not here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fresh import fresh_clone
from serving import page, serving
from tiny import REPOSITORY

from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

# Half a minute for the longest, by itself; beside the rest of the suite, minutes.
pytestmark = pytest.mark.timeout(900)

LAB = "lab02_softmax_nll"
PROGRAMS = ("conda", "course", "jupyter", "make", "nbgrader", "pip", "python", "source")
FORMGRADER = "jupyter lab --LabApp.default_url=/formgrader"
NOTEBOOK = f"jupyter lab labs/{LAB}/softmax_nll.ipynb"

ENDING = [
    "course doctor",
    f"course grade {LAB}",
    f"course grade {LAB} --dry-run",
    f"course grade {LAB} --only changed",
    f"course feedback {LAB}",
    "course new-lab lab08_attention",
    f"course handout {LAB}",
    f"course handout {LAB} --colab ada/handouts@main:spring",
    f"course gradescope {LAB}",
    f"course preview {LAB} --as student --exercise softmax",
    f"course release {LAB} --with-solutions",
    "course --help",
    f"course grade {LAB} --quiet",
    f"course grade {LAB} --only failed",
    f"course grade {LAB} --student ada",
    f"course grade submitted/ada/{LAB}/softmax_nll.ipynb --lab {LAB}",
    f"course preview {LAB} --exercise softmax",
    "course report",
    f"course report {LAB}",
    f"course grade some.ipynb --lab {LAB}",
    f"course grade some.ipynb --lab {LAB} --device cpu",
    f"course grade some.ipynb --lab {LAB} --json",
    f"course verify {LAB} --exercise softmax --seeds 3 --no-mutants --no-pairs",
]  # fmt: skip
SERVING = {NOTEBOOK: "<title>JupyterLab</title>", FORMGRADER: "<title>nbgrader formgrade"}

_INSTALLS = "installs packages; CONTRIBUTING.md says in which environments it was run"
_MINUTES = "takes minutes; the test files about the gate and the labs call what it calls"
NOT_RUN_HERE = {
    "source .venv/bin/activate": "every other command is run after it",
    "course demo": "run once, below, for what it says at its end",
    "make demo": "make env, then course demo",
    "make demo PYTHON=python3.12": "needs another Python",
    "make env": _INSTALLS,
    "conda env create -f environment.yml": "needs conda, and its channels",
    "conda activate training-neural-networks": "needs conda",
    'python -m pip install --constraint constraints.txt ".[grading]"': _INSTALLS,
    "source course/bin/activate": "a student's environment, of README.txt's package",
    f"nbgrader release_feedback {LAB}": "test_exchange.py",
    f"course collect {LAB} submissions.zip --from canvas --roster class.csv": "test_collecting.py",
    "make test": "it is what runs this test",
    "make verify": "some two hours",
    "make bench": "many minutes; prints figures",
    "make gpu": "needs a GPU",
    "make kills": "many minutes; prints a figure, test_class_run.py kills once",
    "make attack": "many minutes; prints figures, test_attacks.py tries a sample",
    "make fuzz": "an hour; prints figures, test_fuzzing.py tries a sample",
    "make agree": "many minutes; prints a table, test_two_ways.py compares a sample",
    f"course verify {LAB}": _MINUTES,
    "course verify LAB": _MINUTES,
    f"course release {LAB}": _MINUTES,
    "course grade --device cuda": "needs a GPU",
    f"course watch {LAB} inbox": "runs until Ctrl-C; test_inbox.py, with --once",
    f"course grade {LAB} --scheduler tls://head.example.org:8786": "test_cluster.py",
    "course grade": "the name of a command, whose forms are run",
    "course collect": "the name of a command",
    "course watch": "the name of a command",
    "course grade --profile": "the name of an option",
    "python -m benchmarks.memory": "minutes; prints figures",
    "course COMMAND --help": "test_help.py",
    "course --install-completion": "changes the reader's own shell; test_help.py completes",
    "make docs": "test_docs.py, by the same call",
    "nbgrader collect": "test_exchange.py",
    "nbgrader export": "test_exports.py",
    f"course collect {LAB} submissions.zip --from canvas": "test_collecting.py, with a class",
    "nbgrader export --exporter=course_utils.grading.exports.CanvasExport": "test_exports.py",
    "nbgrader autograde": "test_course.py, with the other commands of nbgrader's",
    "nbgrader generate_assignment": "test_course.py",
    "nbgrader generate_assignment LAB --force": "test_labs.py makes every lab's release by it",
}


DOCUMENTS = (
    "README.md", "docs/commands.md", "docs/students.md", "docs/teaching-assistants.md",
    "docs/instructors.md", "docs/measured.md",
)  # fmt: skip


def code() -> list[str]:
    """Every line of shell in these documents, and every inline piece of code."""
    text = "\n".join((REPOSITORY / name).read_text("utf-8") for name in DOCUMENTS)
    lines = [
        line
        for block in re.findall(r"^ *```bash\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S))
    return [line.partition("  #")[0].strip() for line in lines]


def commands() -> set[str]:
    """Every command there, as a reader would type it."""
    return {line for line in code() if line.split(" ")[0] in PROGRAMS and " " in line}


def test_every_command_is_run_or_has_a_reason() -> None:
    listed = [*ENDING, *SERVING, *NOT_RUN_HERE]
    assert len(listed) == len(set(listed))
    assert sorted(commands()) == sorted(listed)


def test_every_target_of_make_exists() -> None:
    documents = (*DOCUMENTS, "CONTRIBUTING.md")
    text = "\n".join((REPOSITORY / name).read_text("utf-8") for name in documents)
    targets = set(re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE))
    assert {"env", "demo", "test", "lint"} <= targets
    subprocess.run(["make", "--dry-run", *targets], cwd=REPOSITORY, check=True, capture_output=True)


def test_every_option_exists() -> None:
    ours = [line for line in code() if line.startswith(("course ", "--"))]
    named = {option for line in ours for option in re.findall(r"--[a-z-]+", line)}
    named -= {"--help", "--install-completion"}  # of the whole command
    assert "--isolation" in named
    wide = os.environ | {"COLUMNS": "200"}
    helps = [
        subprocess.run(
            [sys.executable, "-m", "course_utils", command, "--help"],
            env=wide, capture_output=True, text=True, check=True,
        ).stdout
        for command in (
            "grade", "verify", "release", "demo", "feedback", "report", "preview", "new-lab",
            "collect", "handout", "gradescope", "watch",
        )
    ]  # fmt: skip
    assert named <= {option for text in helps for option in re.findall(r"--[a-z-]+", text)}


# -- run for real, in a fresh clone, by a shell that knows nothing of this environment


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not launch.availability().works:
        pytest.skip(launch.availability().detail)
    if not Path(sys.prefix, "bin", "activate").exists():
        pytest.skip("README activates .venv; the tests run in an environment of another kind")
    root = fresh_clone(tmp_path_factory.mktemp("clone"))
    (root / ".venv").symlink_to(sys.prefix)
    released = root / "labs" / LAB
    shutil.copytree(released, root / "submitted" / "ada" / LAB)
    shutil.copy(Lab.load(released).notebook_path, root / "some.ipynb")
    return root


def environment() -> dict[str, str]:
    """This process's, without what activating an environment has set."""
    own = str(Path(sys.executable).parent)
    plain = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    paths = [path for path in plain["PATH"].split(os.pathsep) if path != own]
    return plain | {"PATH": os.pathsep.join(paths)}


@pytest.mark.parametrize("command", ENDING)
def test_a_command_that_ends(clone: Path, command: str) -> None:
    done = subprocess.run(
        ["bash", "-ec", f"source .venv/bin/activate\n{command}"],
        cwd=clone, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or "--quiet" in command


@pytest.mark.parametrize("command", SERVING)
def test_a_command_that_opens_a_page(clone: Path, tmp_path: Path, command: str) -> None:
    script = f"source .venv/bin/activate\n{command}"
    with serving(script, clone, tmp_path, environment()) as server:
        assert SERVING[command] in page(server, server.opens)


def test_the_demo_and_what_it_says_at_its_end(clone: Path, tmp_path: Path) -> None:
    """Its last lines open formgrader on the class that it has graded."""
    course = clone / ".venv" / "bin" / "course"  # as make calls it
    done = subprocess.run(
        [course, "demo"], cwd=clone, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    scores = dict(re.findall(r"^(\S+) +([\d.]+)/53 ", done.stdout, re.MULTILINE))
    assert len(scores) == 31
    assert scores["stub"] == "0"
    _, _, ending = done.stdout.partition("formgrader:\n")
    lines = [line.strip() for line in ending.splitlines()]
    assert lines[0].startswith("source ")
    assert lines[1:] == ["cd build/demo", FORMGRADER]
    with serving("\n".join(lines), clone, tmp_path, environment()) as server:
        assert SERVING[FORMGRADER] in page(server, server.opens)
