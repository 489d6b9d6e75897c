"""Grading on other machines: a real scheduler and workers, and what may go wrong between them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dask
import pytest
from apart import machines, without
from class_of import (
    await_line,
    course_with_class,
    descendants,
    hand_in,
    left_after,
    left_by,
    scores,
    start,
)
from cluster_of import Cluster, make_certificates
from tiny import REPOSITORY, TINY_LAB, as_bytes
from typer.testing import CliRunner

from course_utils.commands import cli
from course_utils.gate.filled_in import append_cell, solved
from course_utils.grading.classroom import grade_class
from course_utils.grading.classrun.events import Event, Graded, NotGraded
from course_utils.grading.classrun.run import ClassRun
from course_utils.grading.cluster.address import check_scheduler, is_private
from course_utils.grading.cluster.crew import cluster
from course_utils.grading.cluster.parcel import Parcel
from course_utils.grading.course import Course
from course_utils.grading.kit import differences, kit
from course_utils.grading.submissions import Submission
from course_utils.grading.worker import Settings
from course_utils.ground.errors import ClusterError, NotReady
from course_utils.ground.lab import Lab
from course_utils.sandbox import launch

pytestmark = pytest.mark.timeout(600)  # several starts of the grader, on a busy machine
needs_sandbox = pytest.mark.skipif(
    not launch.availability().works, reason=launch.availability().detail
)
SIZE = 6
SEED = 7
KILLER = '''

@exercise("scale")
def test_that_kills_the_judge(student, rng):
    """Every entry is multiplied by the factor, whatever it is."""
    import os
    if float(student.scale(np.full(1, 13.0), 1.0)[0]) == 42.0:
        os._exit(9)
'''


# -- where hidden tests may go


@pytest.mark.parametrize(
    "address",
    ["tls://head.example:8786", "tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:1"],
)
def test_an_address_that_nobody_can_listen_to(address: str) -> None:
    check_scheduler(address, insecure=False)
    assert is_private(address)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://head.example:8786", "not encrypted: .*hidden tests.*--scheduler-insecure"),
        ("tcp://127.0.0.1.example:8786", "not encrypted"),
        ("tcp://10.0.0.5:8786", "not encrypted"),
        ("ucx://127.0.0.1:8786", "takes tls://HOST:PORT"),
        ("head.example:8786", "takes tls://HOST:PORT"),
    ],
)
def test_an_address_that_is_refused(address: str, why: str) -> None:
    with pytest.raises(ClusterError, match=why):
        check_scheduler(address, insecure=False)


def test_consent_is_for_encryption_only() -> None:
    check_scheduler("tcp://head.example:8786", insecure=True)
    with pytest.raises(ClusterError, match="takes tls://"):
        check_scheduler("ws://head.example:8786", insecure=True)


def test_without_certificates_there_is_no_tls(tiny_lab: Lab) -> None:
    with pytest.raises(ClusterError, match="wants certificates"), cluster("tls://127.0.0.1:1"):
        pass


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    """That is no fault of the scheduler's."""
    missing = {f"distributed.comm.tls.{name}": str(tmp_path / "no.pem") for name in (
        "ca-file", "client.cert", "client.key")}  # fmt: skip
    with (
        dask.config.set(missing),
        pytest.raises(ClusterError, match="none here that can be read"),
        cluster("tls://127.0.0.1:1"),
    ):
        pass


def test_nobody_at_the_address() -> None:
    with (
        pytest.raises(NotReady, match="no answer from the scheduler"),
        cluster("tcp://127.0.0.1:1", patience=0.2),
    ):
        pass


# -- what travels


def test_a_lab_arrives_as_it_was_sent(tiny_lab: Lab, tmp_path: Path) -> None:
    sent = Parcel.of(tiny_lab)
    arrived = sent.unpack(tmp_path / "there", sent.digest)
    assert arrived.folder != tiny_lab.folder
    assert arrived.notebook == tiny_lab.notebook
    assert Parcel.of(arrived) == sent


def test_a_lab_that_was_changed_on_its_way(tiny_lab: Lab, tmp_path: Path) -> None:
    sent = Parcel.of(tiny_lab)
    name = f"{TINY_LAB}/test_public.py"
    changed = replace(sent, files={**sent.files, name: sent.files[name] + b"\n"})
    with pytest.raises(ClusterError, match="did not arrive as it was sent"):
        changed.unpack(tmp_path / "there", sent.digest)


def test_the_other_labs_notebooks_travel_too(tmp_path: Path) -> None:
    """Or a notebook of another lab would be taken for this one's."""
    lab = Lab.find("lab02_softmax_nll", REPOSITORY)
    sent = Parcel.of(lab)
    there = sent.unpack(tmp_path, sent.digest)
    assert [path.name for path in there.neighbours] == [path.name for path in lab.neighbours]
    others = {name for name in sent.files if not name.startswith(lab.name)}
    assert others and all(name.endswith(".ipynb") for name in others)


def test_other_versions_are_named() -> None:
    theirs = kit() | {"torch": "1.0"}
    del theirs["numpy"]
    assert differences(theirs, kit()) == [
        f"numpy of no known version (here {kit()['numpy']})",
        f"torch 1.0 (here {kit()['torch']})",
    ]
    assert differences(kit(), kit()) == []


# -- a class


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class, one of which kills whatever grades it; never graded."""
    root = course_with_class(tmp_path_factory.mktemp("class") / "course", SIZE)
    lab = Lab.find(TINY_LAB, root)
    with lab.test_hidden.open("a", encoding="utf-8") as file:
        file.write(KILLER)
    stub = root / "labs" / TINY_LAB / "tiny.ipynb"
    spoiled = solved(lab, stub, {"scale": "def scale(x, factor):\n    return 0 * x + 42"})
    hand_in(root, "spoiler", as_bytes(spoiled))
    return root


@pytest.fixture
def course(prepared: Path, tmp_path: Path) -> Path:
    root = tmp_path / "course"
    shutil.copytree(prepared, root)
    return root


@pytest.fixture(scope="module")
def by_one_machine(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("local") / "course"
    shutil.copytree(prepared, root)
    said: list[Event] = []
    settings = Settings(workers=2, hidden_seed=SEED)
    ClassRun(Course(root), Lab.find(TINY_LAB, root), settings).run(said.append)
    (missed,) = [event.result for event in said if isinstance(event, NotGraded)]
    assert "the grader's own worker ended twice while grading this" in missed.message
    assert len(scores(root)) == SIZE
    return root


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes certificates, is not installed here")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def started(tmp_path: Path, certificates: Path) -> Iterator[Cluster]:
    """A scheduler on this machine, without workers."""
    made = Cluster(tmp_path, certificates)
    yield made
    made.close()


@needs_sandbox
def test_a_worker_killed_in_mid_run_costs_nobody_a_mark(
    course: Path, by_one_machine: Path, certificates: Path, tmp_path: Path
) -> None:
    """Two workers, on machines of their own where this user may have such; one is killed."""
    with machines(2) as apart:
        here, there = apart or ("127.0.0.1", [[], []])
        hidden = [without(course, one) if apart else [] for one in there]
        made = Cluster(tmp_path, certificates, host=here)
        try:
            workers = [made.worker(f"w{n}", prefix=prefix) for n, prefix in enumerate(hidden)]
            died: set[int] = set()

            def kill(event: Event) -> None:
                if isinstance(event, Graded) and not died:
                    died.update(descendants(workers[0].pid))
                    workers[0].kill()

            with made.configured(), cluster(made.address, patience=240) as crew:
                crew.await_workers(2)
                lab, settings = Lab.find(TINY_LAB, course), Settings(hidden_seed=SEED)
                outcome = ClassRun(Course(course), lab, settings, crew=crew).run(kill)
            assert outcome.not_graded == ["spoiler"]
            assert left_by(course) == left_by(by_one_machine)
            assert died, "a process that grades, its server and a sandbox"
            assert not left_after(2.0, died)
            # The run is over: no lab, no process is left where it was graded.
            assert not left_after(2.0, descendants(workers[1].pid) - servers(workers[1].pid))
            assert not list(tmp_path.glob("w1/**/test_hidden.py"))
        finally:
            made.close()


def servers(pid: int) -> set[int]:
    """What Python's multiprocessing keeps for as long as a process lives: two helpers."""
    return {
        child for child in descendants(pid)
        if any(name in Path(f"/proc/{child}/cmdline").read_bytes()
               for name in (b"resource_tracker", b"forkserver"))
    }  # fmt: skip


@needs_sandbox
def test_a_run_that_is_killed_ends_on_its_workers(course: Path, started: Cluster) -> None:
    """And the same command goes on, here or there."""
    notebook = course / "submitted" / "s001" / TINY_LAB / "tiny.ipynb"
    lab, stub = Lab.find(TINY_LAB, course), course / "labs" / TINY_LAB / "tiny.ipynb"
    sleeper = append_cell(solved(lab, stub), "import time\ntime.sleep(3600)")
    notebook.write_bytes(as_bytes(sleeper))
    worker = started.worker("w0")
    through = ("--scheduler", started.address, "--cell-seconds", "3000")
    students = [word for name in ("s000", "s001") for word in ("--student", name)]
    process = start(course, *through, *students, DASK_CONFIG=str(started.configuration))
    said = await_line(process, "1/2")
    assert "Traceback" not in said
    process.kill()
    process.communicate()
    assert not left_after(20.0, descendants(worker.pid) - servers(worker.pid))
    deadline = time.monotonic() + 20
    while list(started.folder.glob("w0/**/test_hidden.py")):  # the lab goes after the processes
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # A scheduler that is lost: a sentence, and nothing of the run's is.
    process = start(course, *through, *students, DASK_CONFIG=str(started.configuration))
    await_line(process, "1 of 2 are graded, and nothing has changed since")
    started.scheduler.kill()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 4, said
    assert "the run stopped after" in said and "the same command goes on" in said
    assert "the scheduler" in said and "Traceback" not in said


@needs_sandbox
def test_a_worker_that_would_judge_otherwise_is_refused(
    course: Path, started: Cluster, tmp_path: Path
) -> None:
    """Another file in its package, a nanny, no package at all: a sentence each, before a row."""
    other = tmp_path / "other"
    shutil.copytree(REPOSITORY / "course_utils", other / "course_utils")
    with (other / "course_utils" / "__init__.py").open("a") as file:
        file.write("\n# another version\n")
    without_it = tmp_path / "without"
    without_it.mkdir()
    # Read when Python starts: an import of it finds nothing.
    (without_it / "sitecustomize.py").write_text("import sys; sys.modules['course_utils'] = None")
    started.worker("other", PYTHONPATH=str(other))
    started.worker("none", PYTHONPATH=str(without_it))
    started.worker("watched", "--nanny")
    with started.configured(), cluster(started.address, patience=240) as crew:
        crew.await_workers(3)
        lab = Lab.find(TINY_LAB, course)
        with pytest.raises(NotReady) as error:
            ClassRun(Course(course), lab, Settings(), crew=crew).run()
    lines = sorted(str(error.value).splitlines())
    said = "\n".join(line.partition("cannot be used: ")[2] for line in lines)
    assert len(lines) == 3 and all(line.startswith("the worker tls://127.0.0.1:") for line in lines)
    assert "it has course-utils" in said and "install there what is installed here" in said
    assert "it has no course-utils of this version" in said
    assert "start it with dask worker --no-nanny" in said
    assert not (course / "feedback").exists() and not (course / "reports").exists()


def test_nobody_comes(tiny_lab: Lab, started: Cluster) -> None:
    """Neither before the run, nor on the way."""
    with started.configured(), cluster(started.address) as crew:
        crew.patience = 0.3
        (said,) = crew.obstacles(Settings())
        assert said.startswith(f"no worker has come to {started.address}")
        assert said.endswith(f"dask worker {started.address} --no-nanny")
        path = tiny_lab.notebook_path
        stops = pytest.raises(ClusterError, match="no worker was there for 0 s: start some")
        with stops, crew.at_work(tiny_lab, Settings(), 1) as work:
            list(grade_class(tiny_lab, [Submission("ada", str(path))], work))


def test_a_scheduler_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    """Reached by 127.0.0.1 it looks like this machine's own, and is open to all."""
    made = Cluster(tmp_path, None, host="0.0.0.0")
    try:
        made.worker("w0")
        with cluster(f"tcp://127.0.0.1:{made.address.rpartition(':')[2]}") as crew:
            (said,) = crew.obstacles(Settings())
        assert "can be reached from other machines without encryption" in said
        assert made.address in said
    finally:
        made.close()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.ipynb", "--lab", TINY_LAB], "grades a class"),
        ([TINY_LAB, "--workers", "2"], "--workers counts processes of this machine"),
    ],
)
def test_options_that_make_no_sense_together(arguments: list[str], why: str) -> None:
    words = ["grade", *arguments, "--scheduler", "tls://head.example:8786"]
    done = CliRunner().invoke(cli.app, words)
    assert done.exit_code == 2
    assert why in done.output
