"""The course on a GPU; all of it is skipped, and says why, where there is none.

``make gpu`` runs it and shows what it prints: the device, the versions, how many tests agree with
the CPU and how well, seconds a submission on both. What can be said without a GPU is tested in
test_devices, test_sandbox_gpu, test_far_device and, of this file's own tools, at its end.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import Agreement, drawn, outcomes
from test_bad_input import extra
from test_sandbox import run, text, value
from test_sandbox_gpu import LIVE
from tiny import REPOSITORY, SOFTMAX, as_bytes

from course_utils.calls.proxy import Student
from course_utils.commands.doctor import _device
from course_utils.diagnosis.rewriting import Originals
from course_utils.gate.filled_in import solved, with_entry
from course_utils.gate.release import release
from course_utils.grading.course import Course
from course_utils.grading.judge import Grader
from course_utils.ground import devices
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, Status
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import Limits
from course_utils.testing import catalogue

LABS = Lab.all_in(REPOSITORY)
needs_gpu = pytest.mark.skipif(
    not devices.sees_gpu(), reason="" if devices.sees_gpu() else f"no GPU: {devices.why_no_gpu()}"
)


@pytest.fixture(scope="module")
def gpu_sandbox() -> Iterator[Sandbox]:
    limits = Limits(device="cuda", device_bytes=512 * 2**20)
    with Sandbox(limits=limits, preload=["numpy", "torch"]) as warm:
        yield warm


@needs_gpu
def test_the_device() -> None:
    found = _device()
    print(f"\n{found.found}\nPython {platform.python_version()}, torch {torch.__version__}, "
          f"CUDA {torch.version.cuda}")  # fmt: skip
    assert found.ok, found.found


# -- in the sandbox


@needs_gpu
def test_a_cell_computes_on_it(gpu_sandbox: Sandbox) -> None:
    source = (
        "import torch\nfrom course_utils import device\n"
        "live = torch.cuda.is_initialized()\n"
        "print(device, live, torch.full((3,), 2.0, device=device).sum().item())"
    )
    assert value(gpu_sandbox, source).strip() == "cuda False 6.0"


USES = """
def there():
    x = torch.ones(2, 2, device="cuda")
    return (x @ x).cpu(), torch.cuda.is_initialized(), os.getpid()
"""
BEFORE = {
    "nothing": "",
    "a question": "torch.cuda.is_available()",
    "a tensor": "torch.ones(1, device='cuda')",
}


@needs_gpu
@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_an_exercise_computes_on_it_whatever_the_cells_did(
    gpu_sandbox: Sandbox, before: str
) -> None:
    with gpu_sandbox.open() as session:
        session.run_cells([(0, LIVE.format(flag=before) + USES)])
        pids = set()
        for _ in range(3):
            backend = session.exercise()
            found, live, pid = Student(backend).there()
            assert torch.equal(found, torch.full((2, 2), 2.0))
            assert live
            pids.add(pid)
            backend.close()


@needs_gpu
def test_memory_is_bounded_and_given_back(gpu_sandbox: Sandbox) -> None:
    torch.ones(1, device="cuda")
    free_before = torch.cuda.mem_get_info()[0]
    fits = "import torch\nx = torch.ones(2**26, device='cuda')\nprint(x.sum().item())"
    assert value(gpu_sandbox, fits).strip() == str(float(2**26))
    for size in (2**28, 2**40):  # more than is allowed, and more than there is
        (done,) = run(gpu_sandbox, f"import torch\nx = torch.ones({size}, device='cuda')")
        assert done.reason is Reason.DEVICE_OUT_OF_MEMORY, done.message + text(done)
    time.sleep(1.0)
    assert free_before - torch.cuda.mem_get_info()[0] < 2**28


@needs_gpu
def test_out_of_memory_costs_its_exercise(gpu_sandbox: Sandbox, tiny_lab: Lab) -> None:
    notebook = extra()
    notebook["cells"][2]["source"] = (
        "import torch\ndef softmax(x, axis=-1):\n    return torch.ones(2**40, device='cuda')"
    )
    result = Grader(tiny_lab, gpu_sandbox).grade(as_bytes(notebook))
    assert (result.reason, result.score) == (Reason.DEVICE_OUT_OF_MEMORY, 1.0)
    assert result.exercises[0].status is Status.MEMORY


@needs_gpu
def test_a_failed_assertion_on_the_device_costs_its_exercise(
    gpu_sandbox: Sandbox, tiny_lab: Lab
) -> None:
    notebook = extra()
    spoil = "    torch.ones(3, device='cuda')[torch.tensor([9], device='cuda')].sum().item()\n"
    body = SOFTMAX.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION", "")
    notebook["cells"][2]["source"] = "import torch\n" + body.replace(":\n", f":\n{spoil}", 1)
    result = Grader(tiny_lab, gpu_sandbox).grade(as_bytes(notebook))
    assert result.score == 1.0
    assert "CUDA error" in result.exercises[0].tests[0].message


# -- the same marks and values as on the CPU


def compare(lab: Lab, device: str) -> Agreement:
    """Solution, variants and mistakes under all tests, on the CPU and on a device."""
    originals = Originals(lab)
    random = drawn(lab)
    found = Agreement()
    here, there = (outcomes(lab, originals.base, where) for where in ("cpu", device))
    found.add("solution", here, there, random)
    for entry in originals.variants:
        namespace = originals.with_entry(entry)
        here, there = (
            outcomes(lab, namespace, where, entry.exercise, forbid=not entry.built_in)
            for where in ("cpu", device)
        )
        found.add(entry.name, here, there, random)
    return found


@needs_gpu
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_solutions_and_variants_agree(lab: Lab) -> None:
    found = compare(lab, "cuda")
    print(f"\n{lab.name}: {found.tests} tests of the solution and of variants, "
          f"{len(found.differing)} differ from the CPU; values of {found.compared} compared, at "
          f"most {found.furthest:.2g} of what they may be apart")  # fmt: skip
    assert not found.differing


@needs_gpu
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_mistakes_fail(lab: Lab) -> None:
    originals = Originals(lab)
    for entry in originals.misconceptions:
        found = outcomes(lab, originals.with_entry(entry), "cuda", entry.exercise)
        assert any(not seen.outcome.passed for seen in found), entry.name


# -- a class, with the command


@dataclass
class Graded:
    """What ``course grade`` gave."""

    results: dict[str, dict[str, Any]]
    seconds: float


def build_class(root: Path, name: str, size: int) -> None:
    """The solution, and right variants of it, handed in to a course of their own.

    Not mistakes: what is said of them takes longer to find out than they take to be graded.
    """
    shutil.copytree(REPOSITORY / "solutions" / name, root / "solutions" / name)
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    lab = Lab.find(name, root)
    stub = release(Course(root), lab) / lab.notebook_path.name
    notebooks = {"right": solved(lab, stub)}
    variants = [entry for entry in catalogue.load(lab.variants_path) if not entry.built_in]
    for entry in variants[: size - 1]:
        notebooks[entry.name] = with_entry(lab, stub, lab.variants_path, entry)
    for student, notebook in notebooks.items():
        folder = root / "submitted" / student / name
        folder.mkdir(parents=True)
        (folder / lab.notebook_path.name).write_text(json.dumps(notebook), "utf-8")


def grade_class(root: Path, name: str, device: str) -> Graded:
    command = f"-m course_utils.commands.cli grade {name} --device {device} --json".split()
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=root, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return Graded({row["student"]: row for row in rows}, seconds)


def marks(graded: Graded) -> dict[str, dict[str, float]]:
    return {
        student: {exercise["name"]: exercise["score"] for exercise in row["exercises"]}
        for student, row in graded.results.items()
    }


@needs_gpu
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "name", [lab.name for lab in LABS if "torch" in lab.imports] + ["lab02_softmax_nll"]
)
def test_a_class_gets_the_same_marks(tmp_path: Path, name: str) -> None:
    root = tmp_path / "course"
    build_class(root, name, 12)
    cpu, gpu = (grade_class(root, name, device) for device in ("cpu", "cuda"))
    for where, graded in (("CPU", cpu), ("GPU", gpu)):
        print(f"\n{name}: {len(graded.results)} submissions on the {where}, "
              f"{graded.seconds / len(graded.results):.2f} s each, start-up included")  # fmt: skip
    assert marks(gpu) == marks(cpu)
    for row in gpu.results.values():
        assert row["environment"]["device"] == "cuda"
        assert row["status"] == "graded", row["message"]
        assert row["score"] == row["max_score"]


# -- that these tools work is seen without a GPU


def test_the_comparison_sees_what_differs() -> None:
    lab = Lab.find("lab05_regularization", REPOSITORY)
    base = Originals(lab).base
    random = drawn(lab)
    here = outcomes(lab, base, "cpu", "l2_penalty")
    found = Agreement()
    found.add("solution", here, outcomes(lab, base, "cpu", "l2_penalty"), random)
    assert (found.tests, found.compared, found.furthest) == (len(here), len(here), 0.0)
    assert not found.differing
    assert random & {seen.outcome.test for seen in outcomes(lab, base, "cpu", "dropout")}
    wrong = {**base, "l2_penalty": lambda *args, **kwargs: 1.001 * base["l2_penalty"](*args)}
    found.add("wrong", here, outcomes(lab, wrong, "cpu", "l2_penalty"), random)
    assert found.differing
