"""Which device is used: three words, one place that knows them, and sentences where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from tiny import REPOSITORY
from typer.testing import CliRunner

from course_utils.calls.backend import NamespaceBackend
from course_utils.commands import cli, doctor, grade, labs
from course_utils.grading import nbgrader_plugin
from course_utils.grading.worker import Settings
from course_utils.ground import devices
from course_utils.ground.devices import CONTEXT_BYTES, Gpu
from course_utils.ground.errors import DeviceError, LabTestsError, SandboxError
from course_utils.sandbox import launch
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import MIB, Limits
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

A_GPU = Gpu("Pretend", 80 * 2**30)


@pytest.fixture(autouse=True)
def nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(devices.VARIABLE, raising=False)


def see(monkeypatch: pytest.MonkeyPatch, *, gpu: bool) -> None:
    monkeypatch.setattr(devices, "sees_gpu", lambda: gpu)
    monkeypatch.setattr(devices, "gpu", lambda: A_GPU)


@pytest.mark.parametrize(
    ("wanted", "variable", "gpu", "chosen"),
    [("auto", "", True, "cuda"), ("auto", "", False, "cpu"), (None, "", True, "cuda"),
     ("", "", False, "cpu"), ("cpu", "", True, "cpu"), ("cuda", "", True, "cuda"),
     (None, "cpu", True, "cpu"), (None, "auto", True, "cuda"), (None, "cuda", True, "cuda"),
     ("cuda", "cpu", True, "cuda"), ("auto", "cpu", True, "cuda")],
)  # fmt: skip
def test_the_words(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, variable: str, gpu: bool, chosen: str
) -> None:
    see(monkeypatch, gpu=gpu)
    monkeypatch.setenv(devices.VARIABLE, variable)
    assert devices.resolve(wanted) == chosen


def test_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="--device is 'gpu', which is none of the devices"):
        devices.resolve("gpu")
    monkeypatch.setenv(devices.VARIABLE, "cuda:1")
    with pytest.raises(DeviceError, match=r"COURSE_DEVICE is 'cuda:1'.*CUDA_VISIBLE_DEVICES choo"):
        devices.resolve()


@pytest.mark.parametrize(
    ("built", "visible", "nodes", "reason"),
    [(None, None, [], "is built without CUDA"),
     ("13.0", "", ["/dev/nvidia0"], "CUDA_VISIBLE_DEVICES is set and names none"),
     ("13.0", None, [], "there is no /dev/nvidia0"),
     ("13.0", None, ["/dev/nvidia0"], "the driver does not answer")],
)  # fmt: skip
def test_a_gpu_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, built: str | None, visible: str | None, nodes: list[str],
    reason: str,
) -> None:  # fmt: skip
    see(monkeypatch, gpu=False)
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(devices, "nodes", lambda: nodes)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(DeviceError, match=f"cuda was asked for but torch sees no GPU: .*{reason}"):
        devices.resolve("cuda")


def test_torch_is_not_imported_to_find_no_gpu() -> None:
    code = (
        "import sys\nfrom course_utils.ground import devices\ndevices.nodes = lambda: {nodes}\n"
        "devices.resolve('auto'), print('torch' in sys.modules)"
    )
    for nodes, imported in (("[]", "False"), ("['/dev/nvidia0']", "True")):
        if sys.platform != "linux" or os.path.exists("/dev/kfd"):
            pytest.skip("it is only on Linux, and where no other GPU is")
        done = subprocess.run(
            [sys.executable, "-c", code.format(nodes=nodes)], capture_output=True, text=True,
            check=True, cwd=REPOSITORY,
        )  # fmt: skip
        assert done.stdout.strip() == imported


def test_workers_that_a_gpu_has_room_for() -> None:
    each = 2 * 2**30
    assert devices.workers_on(A_GPU, 16, each) == 16
    assert devices.workers_on(Gpu("Small", 10 * 2**30), 16, each) == 2
    assert devices.workers_on(Gpu("Tiny", 2 * 2**30), 16, each) == 1
    assert CONTEXT_BYTES >= 2**29


def test_workers_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch, gpu=True)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert Settings().processes == 64
    assert Settings(limits=Limits(device="cuda")).processes == 20
    assert Settings(limits=Limits(device="cuda", device_bytes=18 * 2**30)).processes == 4
    assert Settings(workers=30, limits=Limits(device="cuda")).processes == 30


OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 20.00 GiB."


@pytest.mark.parametrize(
    ("error", "found"),
    [(torch.cuda.OutOfMemoryError(OUT_OF_MEMORY), True), (RuntimeError(OUT_OF_MEMORY), True),
     (RuntimeError("CUDA error: out of memory"), True),
     (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
     (RuntimeError("CUDA error: device-side assert triggered"), False), (MemoryError(), False)],
)  # fmt: skip
def test_out_of_memory_is_known(error: Exception, found: bool) -> None:
    assert devices.out_of_memory(type(error).__name__, str(error)) is found


# -- the command line, nbgrader's step, the doctor


@pytest.mark.parametrize("command", ["grade lab", "grade a.ipynb --lab lab", "verify lab"])
def test_commands_say_why_there_is_no_gpu(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    see(monkeypatch, gpu=False)
    monkeypatch.setattr("course_utils.grading.preload.warm_up", lambda: None)
    done = CliRunner().invoke(cli.app, [*command.split(), "--device", "cuda"])
    assert isinstance(done.exception, DeviceError)


def test_an_error_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["course", "verify", "--device", "gpu"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "error: --device is 'gpu'" in capsys.readouterr().err


def test_the_limits_of_a_class_say_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []
    see(monkeypatch, gpu=True)
    monkeypatch.setattr("course_utils.grading.preload.warm_up", lambda: None)
    monkeypatch.setattr(grade, "grade_class", lambda root, lab, settings, **more: seen.append(
        settings))  # fmt: skip
    monkeypatch.chdir(REPOSITORY)
    arguments = ["grade", "lab02_softmax_nll", "--device-memory-mib", "512"]
    for more in ([], ["--device", "cpu"], ["--workers", "3"]):
        assert CliRunner().invoke(cli.app, arguments + more).exit_code == 0
    assert [settings.limits.device for settings in seen] == ["cuda", "cpu", "cuda"]
    assert {settings.limits.device_bytes for settings in seen} == {512 * MIB}
    assert seen[2].processes == 3


def test_the_gate_hands_the_device_to_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch, gpu=True)
    seen: list[str] = []
    monkeypatch.setenv(devices.VARIABLE, "auto")

    def gate(*args: object, **kwargs: object) -> bool:
        seen.append(devices.resolve())
        return True

    monkeypatch.setattr(labs, "_passes_gate", gate)
    monkeypatch.chdir(REPOSITORY)
    for device in ("cuda", "cpu"):
        command = ["verify", "lab02_softmax_nll", "--device", device]
        assert CliRunner().invoke(cli.app, command).exit_code == 0
    assert seen == ["cuda", "cpu"]


def test_nbgraders_step_has_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch, gpu=True)
    step = nbgrader_plugin.Execute(call_seconds=2.5, memory_mib=512, device_memory_mib=256)
    for word, device in (("cpu", "cpu"), ("", "cuda"), ("auto", "cuda")):
        step.device = word
        assert step.limits().device == device
    monkeypatch.setenv(devices.VARIABLE, "cpu")
    step.device = ""
    limits = Limits(call_seconds=2.5, memory_bytes=512 * MIB, device_bytes=256 * MIB)
    assert step.limits() == limits


def test_the_doctor_says_what_will_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Limits] = []
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr(Sandbox, "try_out", lambda self: tried.append(self.limits))
    see(monkeypatch, gpu=True)
    found = doctor._device()
    assert found.ok
    for words in ("cuda: Pretend, 80 GiB", "4 workers", "two CUDA contexts", "may hold 2048 MiB",
                  "the sandbox can use it"):  # fmt: skip
        assert words in found.found
    assert tried[0].device == "cuda"

    monkeypatch.setenv(devices.VARIABLE, "cpu")
    assert "COURSE_DEVICE says so; there is a GPU: Pretend" in doctor._device().found
    see(monkeypatch, gpu=False)
    assert "torch sees no GPU: " in doctor._device().found
    monkeypatch.setenv(devices.VARIABLE, "cuda")
    assert not doctor._device().ok

    def fail(self: Sandbox) -> None:
        raise SandboxError("no /dev/nvidia-uvm")

    see(monkeypatch, gpu=True)
    monkeypatch.setattr(Sandbox, "try_out", fail)
    found = doctor._device()
    assert not found.ok
    assert found.found.endswith("but no /dev/nvidia-uvm")


# -- the judge's own GPU


@pytest.mark.parametrize(
    "error", [OUT_OF_MEMORY, "CUDA error: device-side assert triggered"], ids=["memory", "assert"]
)
def test_a_failure_of_the_judges_gpu_costs_no_student(tmp_path: Path, error: str) -> None:
    outcomes = judged(tmp_path, f"raise torch.cuda.OutOfMemoryError({error!r})", "return x")
    assert isinstance(outcomes, LabTestsError)
    assert error in str(outcomes)
    # The same in the student's own function is the student's.
    outcomes = judged(tmp_path, "pass", f"raise RuntimeError({error!r})")
    assert isinstance(outcomes, list)
    assert not outcomes[0].passed


def test_text_that_speaks_of_a_gpu_is_no_failure_of_it(tmp_path: Path) -> None:
    """Else a student could end the whole worker, and word what is said of it."""
    outcomes = judged(tmp_path, "float(student.f(1.0))", "return 'CUDA error: mine'")
    assert isinstance(outcomes, list)
    assert not outcomes[0].passed


def judged(folder: Path, test: str, function: str) -> list[TestOutcome] | LabTestsError:
    """What comes of a test that calls ``f`` and then does something."""
    text = dedent(
        f"""\
        import torch
        from course_utils.testing import exercise

        @exercise("f")
        def test_f(student):
            student.f(1.0)
            {test}
        """
    )
    (folder / "test_public.py").write_text(text)
    namespace: dict[str, Any] = {}
    exec(f"def f(x):\n    {function}", namespace)
    backend = NamespaceBackend(namespace)
    try:
        return run_tests([folder / "test_public.py"], lambda mark: backend, device="cpu")
    except LabTestsError as found:
        return found


# -- nothing that is imported before a fork may touch the GPU

LOOK = """
import sys
import torch

touched = []
for name in ("init", "_lazy_init", "is_available", "device_count", "current_device"):
    def watched(*args, name=name, original=getattr(torch.cuda, name), **kwargs):
        touched.append(name)
        return original(*args, **kwargs)
    setattr(torch.cuda, name, watched)
"""


def look(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOOK + code], capture_output=True, text=True, check=False,
        cwd=REPOSITORY, env={**os.environ, **launch._SETTINGS},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_zygotes_imports_leave_cuda_alone() -> None:
    """On a CPU each of these calls does nothing; on a GPU each may spoil every fork."""
    code = """
from pathlib import Path
from course_utils.ground.lab import Lab
from course_utils.sandbox import forking, zygote
zygote.warm_up(["torch", *(name for lab in Lab.all_in(Path.cwd()) for name in lab.imports)])
assert not touched, touched
zygote.require_no_cuda()
assert not forking.obstacle(gpu=True)
print("left alone")
"""
    assert look(code) == "left alone"


def test_the_workers_server_leaves_cuda_alone() -> None:
    code = """
import importlib
from course_utils.grading.preload import PRELOAD
for name in PRELOAD:
    importlib.import_module(name)
assert not touched, touched
print("left alone")
"""
    assert look(code) == "left alone"


def test_what_a_fork_would_trip_over() -> None:
    code = """
import os, threading
from course_utils.sandbox import forking
assert forking.obstacle(gpu=True) == ""
ours = os.getpid()
torch.cuda._is_in_bad_fork = lambda: os.getpid() != ours  # the driver was started here
assert forking.obstacle(gpu=False) == ""
assert "refuses to use it in a fork" in forking.obstacle(gpu=True)
assert not forking.cuda_is_live()
torch.cuda._is_in_bad_fork = lambda: False
torch.cuda._initialized = True
assert "CUDA is initialised" in forking.obstacle(gpu=False)
torch.cuda._initialized = False
threading.Thread(target=threading.Event().wait, daemon=True).start()
assert "threads" in forking.obstacle(gpu=False)
print("seen")
"""
    assert look(code) == "seen"
