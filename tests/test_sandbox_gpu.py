"""The sandbox on a GPU, as far as that can be seen without one.

Where a test needs a GPU to be there it pretends as little as it can: a memory size, a device file,
a flag of torch's. Whatever follows from these is the real thing, in the real sandbox.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
from conftest import LIMITS
from test_bad_input import FULL, codes, extra, grade, with_softmax
from test_sandbox import run, text, value
from tiny import REPOSITORY

from course_utils.calls.fault import StudentFault
from course_utils.calls.proxy import Student
from course_utils.grading import worker
from course_utils.grading.classroom import grade_class
from course_utils.grading.classrun.preflight import proven
from course_utils.grading.crew import LOCAL
from course_utils.grading.judge import Grader, refused
from course_utils.grading.submissions import Submission
from course_utils.grading.worker import Settings
from course_utils.ground import devices
from course_utils.ground.devices import Gpu
from course_utils.ground.errors import NotReady, SandboxError
from course_utils.ground.lab import Lab
from course_utils.ground.statuses import Reason, Status, SubmissionStatus
from course_utils.sandbox import calls, gpu, launch, seccomp, zygote
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.launch import Isolation
from course_utils.sandbox.limits import Limits
from course_utils.sandbox.session import Session
from course_utils.testing.standing import StandingSession
from course_utils.verdict.submission import Notice

HAS_GPU = torch.cuda.is_available()
# A device file that any machine has and that bubblewrap's own /dev lacks.
A_NODE = "/dev/fuse"
# A context's worth of memory is filled, which takes a busy machine its time.
ON_GPU = replace(LIMITS, device="cuda", device_bytes=2**30, cell_seconds=60)


@pytest.fixture(scope="module")
def pretend() -> Iterator[None]:
    """A GPU of 4 GiB and its device file, of which the judge has been told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "gpu", lambda: Gpu("Pretend", 4 * 2**30))
        patch.setattr(devices, "nodes", lambda: [A_NODE] if os.path.exists(A_NODE) else [])
        patch.setenv("CUDA_VISIBLE_DEVICES", "3")
        yield


@pytest.fixture(scope="module")
def gpu_sandbox(pretend: None) -> Iterator[Sandbox]:
    """A sandbox that is to compute on the GPU; torch is not imported, so nothing is tried."""
    found = launch.availability()
    if not found.works:
        pytest.skip(f"bubblewrap does not work here: {found.detail}")
    with Sandbox(limits=ON_GPU, preload=["numpy"]) as warm:
        yield warm


# -- what is shown

ENVIRONMENT = (
    "import os\nnames = ('COURSE_DEVICE', 'CUDA_VISIBLE_DEVICES', 'PYTORCH_CUDA_ALLOC_CONF', "
    "'PYTORCH_NVML_BASED_CUDA_CHECK')\nprint([os.environ.get(name) for name in names])"
)


def test_on_the_cpu_the_sandbox_knows_of_no_gpu(sandbox: Sandbox, pretend: None) -> None:
    assert value(sandbox, ENVIRONMENT).strip() == "['cpu', '', None, '1']"
    source = (
        "import glob, os, torch\nfrom course_utils import device\n"
        f"print(glob.glob('/dev/nvidia*'), os.path.exists({A_NODE!r}), os.path.exists('/sys'), "
        "device, torch.cuda.is_available())"
    )
    assert value(sandbox, source).strip() == "[] False False cpu False"


def test_on_a_gpu_the_sandbox_shows_it(gpu_sandbox: Sandbox) -> None:
    expected = ["cuda", "3", "per_process_memory_fraction:0.250000", "1"]
    assert value(gpu_sandbox, ENVIRONMENT).strip() == str(expected)
    assert gpu_sandbox.environment["device"] == "cuda"
    assert gpu_sandbox.environment["gpu"] == "Pretend, 4 GiB"


@pytest.mark.skipif(not os.path.exists(A_NODE), reason=f"there is no {A_NODE} to pretend with")
def test_a_gpus_device_file_can_be_opened(gpu_sandbox: Sandbox) -> None:
    """In the submission's own namespaces, where it is neither hidden nor without its device."""
    assert stat.S_ISCHR(os.stat(A_NODE).st_mode)
    source = f"import os, stat\nprint(stat.S_ISCHR(os.stat({A_NODE!r}).st_mode))"
    everybody = stat.S_IROTH | stat.S_IWOTH
    may = os.stat(A_NODE).st_mode & everybody == everybody or os.geteuid()
    if may and os.access(A_NODE, os.R_OK | os.W_OK):
        source += f"\nos.close(os.open({A_NODE!r}, os.O_RDWR))"
    assert value(gpu_sandbox, source).strip() == "True"


def test_the_sandbox_is_no_less_closed_on_a_gpu(gpu_sandbox: Sandbox) -> None:
    source = (
        "import os\n"
        "writable = [folder for folder, folders, _ in os.walk('/')\n"
        "            if not folder.startswith(('/proc', '/usr', '/dev/pts'))\n"
        "            and os.access(folder, os.W_OK)]\n"
        f"print(writable, os.path.exists({str(REPOSITORY / 'solutions')!r}))"
    )
    assert value(gpu_sandbox, source).strip() == "['/scratch', '/dev/shm'] False"


def test_the_drivers_libraries_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real, named = tmp_path / "store", tmp_path / "driver"
    for folder in (real, named):
        folder.mkdir()
    (real / "libcuda.so.1").touch()
    (named / "libcuda.so.1").symlink_to(real / "libcuda.so.1")
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}:{named}")
    assert {str(real), str(named)} <= set(gpu.driver_folders())
    shown = gpu.arguments([str(named)])
    assert str(real) in shown
    assert str(named) not in shown


def test_what_the_grader_has_chosen_is_kept(pretend: None) -> None:
    outer = {"CUDA_VISIBLE_DEVICES": "1", "LD_LIBRARY_PATH": "/opt/driver", "SECRET": "x"}
    on_gpu = gpu.environment("cuda", 8 * 2**30, outer)
    assert on_gpu["CUDA_VISIBLE_DEVICES"] == "1"
    assert on_gpu["LD_LIBRARY_PATH"] == "/opt/driver"
    assert on_gpu["PYTORCH_CUDA_ALLOC_CONF"] == "per_process_memory_fraction:1.000000"
    assert "SECRET" not in on_gpu
    on_cpu = gpu.environment("cpu", 0, outer)
    assert (on_cpu["COURSE_DEVICE"], on_cpu["CUDA_VISIBLE_DEVICES"]) == ("cpu", "")


# -- limits that the driver can live with

# Its reservations, its pinned memory, its threads' wishes, its files.
CALLS = """
import ctypes, mmap, os, resource
lib = ctypes.CDLL(None, use_errno=True)
lib.mmap.restype = ctypes.c_void_p
lib.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
HOW = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
space = lib.mmap(None, 2**40, 0, HOW, -1, 0)
writable = mmap.PROT_READ | mmap.PROT_WRITE
private = lib.mmap(None, 2**36, writable, HOW, -1, 0)
FAILED = 2**64 - 1
print("reserved", FAILED not in (space, private))
lib.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
print("made writable", lib.mprotect(space, 2**34, writable) == 0)
print("unlimited", all(resource.getrlimit(kind)[0] == resource.RLIM_INFINITY
                       for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)))
files = [os.open('/dev/null', os.O_RDWR) for _ in range(1000)]
print("files", len(files))
"""


def test_what_the_driver_reserves_is_not_refused(gpu_sandbox: Sandbox) -> None:
    said = value(gpu_sandbox, CALLS).split("\n")
    assert said[:4] == ["reserved True", "made writable True", "unlimited True", "files 1000"]


def test_on_the_cpu_private_memory_is_bounded(sandbox: Sandbox) -> None:
    (done,) = run(sandbox, CALLS)
    assert "reserved False" in text(done)


def test_what_is_held_in_memory_is_bounded_on_a_gpu_too(gpu_sandbox: Sandbox) -> None:
    bomb = "import numpy as np\nkept = [np.ones(2**22) for _ in range(1000)]"
    (done,) = run(gpu_sandbox, bomb)
    assert done.reason is Reason.CELL_MEMORY
    context = "import numpy as np\nheld = np.ones((300 + 700) * 2**17)\nprint(held[-1])"
    assert value(gpu_sandbox, context).strip() == "1.0"  # there is room for a context


@pytest.mark.skipif(not seccomp.available(), reason="libseccomp is not installed")
def test_calls_that_the_driver_makes_are_not_refused(gpu_sandbox: Sandbox) -> None:
    """What a trace of cuInit and of a kernel's launch shows, as far as it could be refused."""
    needed = (
        "ioctl mmap munmap mremap mprotect madvise mlock munlock openat close read pread64 fstat "
        "statx readlink memfd_create eventfd2 pipe2 poll ppoll epoll_create1 futex clone "
        "sched_getaffinity sched_setaffinity sched_yield getcpu get_mempolicy set_mempolicy mbind "
        "prctl prlimit64 sysinfo uname geteuid gettid tgkill rt_sigaction socket connect"
    ).split()
    assert not set(needed) & calls.REFUSED
    source = (
        "import ctypes, fcntl, os, socket, struct, termios\n"
        "lib = ctypes.CDLL(None, use_errno=True)\n"
        "try:\n    fcntl.ioctl(os.open('/dev/null', os.O_RDWR), 0xC020462A, bytes(32))\n"
        "except OSError as error:\n    print('the device answers', error.errno == 25)\n"
        "print(lib.mlock(ctypes.create_string_buffer(4096), 4096) == 0)\n"
        "mode = ctypes.c_int()\n"
        "print(lib.syscall(239, ctypes.byref(mode), None, 0, None, 0) == 0)\n"
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()\n"
        "os.eventfd(0), os.memfd_create('x')\n"
    )
    assert value(gpu_sandbox, source).split("\n")[:3] == ["the device answers True", "True", "True"]


# -- CUDA and forks


def test_a_zygote_in_which_cuda_is_live_forks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "_initialized", True)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: False)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it was forked"))
    with pytest.raises(RuntimeError, match=r"CUDA is initialised.*does not survive a fork"):
        zygote._spawn(None, [], Limits(), isolated=True, rules=None)  # type: ignore[arg-type]


@pytest.mark.skipif(HAS_GPU, reason="the pretence is one on machines without a GPU only")
def test_a_lab_whose_imports_touch_the_gpu_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(SandboxError, match="the sandbox did not start"):
        Sandbox(Isolation.PROCESS, LIMITS, ["torch", "tests.pretend_cuda"]).try_out()
    assert "one of the modules that the lab imports touches the GPU" in capfd.readouterr().err


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
@pytest.mark.parametrize("isolation", Isolation)
def test_a_gpu_that_fails_in_the_sandbox_is_seen_before_any_student(
    pretend: None, capfd: pytest.CaptureFixture[str], isolation: Isolation, tiny_lab: Lab
) -> None:
    if isolation is Isolation.BUBBLEWRAP and not launch.availability().works:
        pytest.skip("bubblewrap does not work here")
    settings = Settings(1, isolation, ON_GPU)
    refused = pytest.raises(NotReady, match="the sandbox did not start")
    with refused, proven(tiny_lab, settings, LOCAL, 1):
        pass
    said = capfd.readouterr().err
    assert "the GPU cannot be used in the sandbox: " in said
    assert "Grade with --device cpu" in said


LIVE = """
import os, torch
{flag}
ran = os.getpid()
count = 0
def who():
    global count
    count += 1
    return [os.getpid(), ran, count]
def leave():
    os._exit(1)
def spoil():
    raise RuntimeError("CUDA error: device-side assert triggered")
"""
FLAGS = {
    "initialised": "torch.cuda._initialized = True",
    "threads": "import threading; threading.Thread(target=threading.Event().wait, "
    "daemon=True).start()",
}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cells there were each time that the notebook's cells were run."""
    found: list[int] = []
    original = Session._run_once

    def counted(self: Session) -> object:
        found.append(len(self._cells))
        return original(self)

    monkeypatch.setattr(Session, "_run_once", counted)
    return found


@pytest.mark.parametrize("flag", FLAGS.values(), ids=FLAGS)
def test_where_a_fork_would_break_the_cells_are_run_again(
    sandbox: Sandbox, runs: list[int], flag: str
) -> None:
    """Cells that initialise CUDA, as a GPU's do: each exercise has them run for itself."""
    seen = []
    with sandbox.open() as session:
        session.run_cells([(0, LIVE.format(flag=flag)), (1, "import math")])
        for _ in range(3):
            backend = session.exercise()
            student = Student(backend)
            here, ran, first = student.who()
            assert here == ran, "the cells ran in another process"
            assert (first, student.who()[2]) == (1, 2), "an exercise shares its state with another"
            seen.append(here)
            backend.close()
    assert runs == [2, 2, 2]  # the first exercise has the runner that ran the cells
    assert len(seen) == 3


def test_where_nothing_stands_in_the_way_exercises_are_forked(
    sandbox: Sandbox, runs: list[int]
) -> None:
    with sandbox.open() as session:
        session.run_cells([(0, LIVE.format(flag=""))])
        for _ in range(3):
            backend = session.exercise()
            here, ran, count = Student(backend).who()
            assert (here != ran, count) == (True, 1)
            backend.close()
    assert runs == [1]


def test_a_crash_on_a_replayed_state_costs_one_test(sandbox: Sandbox, runs: list[int]) -> None:
    with sandbox.open() as session:
        session.run_cells([(0, LIVE.format(flag=FLAGS["initialised"]))])
        backend = session.exercise()
        with pytest.raises(StudentFault) as fault:
            Student(backend).leave()
        assert fault.value.status is Status.CRASHED
        assert Student(backend).who()[2] == 1
        backend.close()
    assert runs == [1, 1]


def test_a_lost_context_costs_one_test(sandbox: Sandbox) -> None:
    """After a failed assertion on the device its process can use the GPU no more."""
    with sandbox.open() as session:
        session.run_cells([(0, LIVE.format(flag=""))])
        backend = session.exercise()
        student = Student(backend)
        before = student.who()
        with pytest.raises(StudentFault, match="device-side assert"):
            student.spoil()
        after = student.who()
        assert after[0] != before[0]
        assert after[2] == 1
        backend.close()


def test_marks_are_the_same_where_cells_are_run_again(grader: Grader, runs: list[int]) -> None:
    live = grade(grader, extra(f"import torch\n{FLAGS['initialised']}"))
    assert (live.score, live.status) == (FULL, SubmissionStatus.GRADED)
    assert len(runs) == 2  # one run for each of two exercises


# -- the GPU's memory


@pytest.mark.parametrize(
    "error",
    ["torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')",
     "RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB.')",
     "RuntimeError('CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`')"],
    ids=["torch", "plain", "cublas"],
)  # fmt: skip
def test_memory_of_the_gpu_has_a_reason_of_its_own(grader: Grader, error: str) -> None:
    raising = f"import torch\ndef softmax(x, axis=-1):\n    raise {error}"
    result = grade(grader, with_softmax(raising))
    assert result.reason is Reason.DEVICE_OUT_OF_MEMORY
    assert result.status is SubmissionStatus.PARTLY_GRADED
    assert result.exercises[0].status is Status.MEMORY
    assert "softmax needed more memory than there is on the GPU" in result.message
    assert "make the batches smaller" in result.message
    assert result.score == 1.0


def test_memory_of_the_gpu_in_a_cell(grader: Grader) -> None:
    error = "torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')"
    result = grade(grader, extra(f"import torch\nraise {error}"))
    assert (result.score, result.reason) == (FULL, Reason.DEVICE_OUT_OF_MEMORY)
    assert "cell 8 needed more memory than there is on the GPU" in result.message


def test_the_result_says_where_it_was_computed(grader: Grader) -> None:
    result = grade(grader, extra())
    assert result.environment["device"] == "cpu"
    assert not codes(result)


# -- a worker that has lost its context


class _Fails:
    """A grader that one submission makes fail as a GPU does that has met a failed assertion."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def grade(self, data: bytes, student: str, kept: object) -> object:
        if student == "spoiler":
            raise RuntimeError("the tests cannot be run: CUDA error: device-side assert triggered")
        return refused(self.lab, student, SubmissionStatus.GRADED, Notice(Reason.OK, "graded"))


def _start(folder: Path, settings: Settings, leash: Connection) -> None:
    lab = Lab.load(folder)
    worker._desk = worker._Desk(_Fails(lab), StandingSession(lab.test_files))  # type: ignore[arg-type]


def test_a_worker_that_lost_the_gpu_costs_its_own_submission_only(
    monkeypatch: pytest.MonkeyPatch, tiny_lab: Lab
) -> None:
    monkeypatch.setattr(worker, "start", _start)
    names = ["a", "b", "spoiler", "c", "d", "e"]
    submissions = [Submission(name, str(tiny_lab.notebook_path)) for name in names]
    with LOCAL.at_work(tiny_lab, Settings(workers=2), len(names)) as work:
        results = [one.result for one in grade_class(tiny_lab, submissions, work)]
    assert sorted(result.student for result in results) == sorted(names)
    failed = {r.student for r in results if r.status is SubmissionStatus.INTERNAL_ERROR}
    assert failed == {"spoiler"}
