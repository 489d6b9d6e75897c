"""Only listed system calls are allowed: what notebooks do goes on working, and nothing else."""

from __future__ import annotations

import errno
import platform
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import LIMITS
from test_sandbox import run, text, value

from course_utils.sandbox import calls, seccomp
from course_utils.sandbox.client import Sandbox
from course_utils.sandbox.limits import MIB

pytestmark = pytest.mark.skipif(not seccomp.available(), reason="libseccomp is not installed")


@pytest.fixture(scope="module")
def roomy() -> Iterator[Sandbox]:
    """As a class is graded, with time enough for a busy machine."""
    limits = replace(LIMITS, memory_bytes=2048 * MIB, processes=48, cell_seconds=120)
    limits = replace(limits, submission_seconds=600)
    with Sandbox(limits=limits, preload=["numpy", "torch", "sympy"]) as warm:
        yield warm


WORKS = {
    "figures": "import matplotlib.pyplot as plt\nimport numpy as np\n"
    "fig, axes = plt.subplots(2, 2)\naxes[0, 0].imshow(np.random.rand(20, 20))\n"
    "axes[1, 0].plot(range(5), label='x')\naxes[1, 0].legend()\n"
    "for kind in ('png', 'pdf', 'svg'):\n    fig.savefig('figure.' + kind)\nplt.close(fig)",
    "training": "import torch\nfrom torch import nn\n"
    "model = nn.Sequential(nn.Linear(20, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30, 3))\n"
    "optimizer = torch.optim.AdamW(model.parameters())\n"
    "for _ in range(5):\n    optimizer.zero_grad()\n"
    "    loss = nn.functional.cross_entropy(model(torch.randn(64, 20)), torch.arange(64) % 3)\n"
    "    loss.backward()\n    optimizer.step()\n"
    "torch.save(model.state_dict(), 'model.pt')\ntorch.load('model.pt')",
    "threads of torch's own": "import torch\ntorch.set_num_threads(4)\n"
    "x = torch.randn(500, 500, requires_grad=True)\n(x @ x).sum().backward()",
    "a loader with workers": "import torch\n"
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "data = TensorDataset(torch.arange(400.0).reshape(100, 4), torch.arange(100))\n"
    "seen = [len(x) for x, _ in DataLoader(data, batch_size=10, num_workers=2, shuffle=True)]\n"
    "assert seen == [10] * 10",
    "symbols": "import sympy\nx = sympy.symbols('x')\n"
    "assert sympy.simplify(sympy.diff(sympy.tanh(x), x) - 1 + sympy.tanh(x) ** 2) == 0\n"
    "sympy.lambdify(x, sympy.exp(x))(1.0)",
    "magics": "%timeit -n 1 -r 1 1 + 1\n%time 1\nfiles = !ls /\nassert 'scratch' in files",
    "programs": "import subprocess, sys\n"
    "done = subprocess.run([sys.executable, '-c', 'import numpy; print(1)'], capture_output=True)\n"
    "assert done.stdout == b'1\\n', done.stderr\n"
    "subprocess.run('ls / | sort | head -1', shell=True, check=True, start_new_session=True)",
    "processes": "import multiprocessing as mp\n"
    "with mp.get_context('fork').Pool(3) as pool:\n    assert pool.map(abs, [-1, -2]) == [1, 2]\n"
    "value, queue = mp.Value('d', 1.0), mp.Queue()\nqueue.put(value.value)\n"
    "assert queue.get(timeout=10) == 1.0\n"
    "shared = mp.RawArray('d', 100_000)\nshared[5] = 1.0",
    "threads": "from concurrent.futures import ThreadPoolExecutor\nimport threading\n"
    "with ThreadPoolExecutor(8) as pool:\n    assert list(pool.map(abs, range(50)))[-1] == 49\n"
    "threading.Timer(0.01, print).start()",
    "coroutines": "import asyncio\n"
    "await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(3)))\n"
    "made = await asyncio.create_subprocess_exec('echo', 'x', stdout=asyncio.subprocess.PIPE)\n"
    "assert (await made.communicate())[0] == b'x\\n'",
    "files": "import os, pathlib, shutil, tempfile\nimport numpy as np\n"
    "with tempfile.TemporaryDirectory() as folder:\n"
    "    path = pathlib.Path(folder, 'a')\n    path.write_text('x')\n"
    "    shutil.copy2(path, folder + '/b')\n    os.chmod(path, 0o600)\n    os.utime(path)\n"
    "    np.save(folder + '/x.npy', np.ones(10**5))\n"
    "    np.load(folder + '/x.npy', mmap_mode='r+')[0] = 2\n"
    "    import fcntl\n    fcntl.flock(os.open(path, os.O_RDWR), fcntl.LOCK_EX)\n"
    "    os.rename(path, folder + '/c')\n    os.symlink('c', folder + '/d')\n"
    "    assert sorted(os.listdir(folder)) == ['b', 'c', 'd', 'x.npy']",
    "clocks and signals": "import resource, signal, time\n"
    "signal.setitimer(signal.ITIMER_VIRTUAL, 5)\n"
    "time.sleep(0.01)\ntime.clock_gettime(time.CLOCK_BOOTTIME)\nresource.getrusage(0)",
    "scikit-learn": "from sklearn.datasets import load_digits\n"
    "from sklearn.linear_model import LogisticRegression\nx, y = load_digits(return_X_y=True)\n"
    "LogisticRegression(max_iter=5, n_jobs=1).fit(x[:200] / 16, y[:200])",
}


@pytest.mark.parametrize("what", WORKS)
@pytest.mark.filterwarnings("ignore")
def test_what_notebooks_do_works(roomy: Sandbox, what: str) -> None:
    source = "import warnings\nwarnings.simplefilter('ignore')\n" + WORKS[what]
    (done,) = run(roomy, source)
    assert done.reason is None, done.message + text(done)


def test_no_call_is_in_two_lists() -> None:
    assert not calls.ALLOWED & calls.REFUSED
    assert not calls.DRIVER & (calls.ALLOWED | calls.REFUSED)


def test_no_call_is_misspelled() -> None:
    """One that libseccomp does not know here is one of another architecture, or newer than it."""
    import pyseccomp

    def known(name: str) -> bool:
        try:
            return bool(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) != -1)
        except (ValueError, OSError):
            return False

    newer = {"fchmodat2", "futex_requeue", "futex_wait", "futex_wake", "mseal", "getsid"}
    unknown = {name for name in calls.ALLOWED | calls.REFUSED | calls.DRIVER if not known(name)}
    assert unknown <= newer, sorted(unknown - newer)


REFUSED = {
    "a call of tomorrow": ("syscall(1000, 0, 0, 0)", errno.ENOSYS),
    "clone3": ("syscall(435, 0, 0)", errno.ENOSYS),
    "a process in a new user namespace": ("syscall(CLONE, 0x10000011, 0, 0, 0, 0)", errno.EPERM),
    "a process in a new network": ("syscall(CLONE, 0x40000011, 0, 0, 0, 0)", errno.EPERM),
    "personality": ("personality(0x0040000)", errno.EPERM),
    "ptrace": ("ptrace(0, 0, 0, 0)", errno.EPERM),
    "io_uring": ("syscall(425, 8, 0)", errno.EPERM),
    "userfaultfd": ("syscall(USERFAULTFD, 1)", errno.EPERM),
    "bpf": ("syscall(BPF, 0, 0, 0)", errno.EPERM),
    "a second filter": ("prctl(22, 1, 0, 0, 0)", errno.ENOSYS),
    "an idle neighbour": ("prctl(62, 1, 0, 0, 0)", errno.ENOSYS),
    "a range of a file locked": ("fcntl(0, 6, b'\\1' + bytes(31))", errno.EPERM),
    "netlink": ("socket(16, 3, 0)", errno.EPERM),
    "netlink, by a number too large": ("syscall(SOCKET, L(1 << 32 | 16), 3, 0)", errno.ENOSYS),
    "packets": ("socket(17, 3, 0)", errno.EPERM),
    "sctp": ("socket(2, 1, 132)", errno.ENOSYS),
    "the kernel's keys": ("syscall(KEYCTL, 0, -3, 1)", errno.EPERM),
    "message queues": ("mq_open(b'/x', 0o102, 0o600, None)", errno.EPERM),
}
NUMBERS = {
    "x86_64": "CLONE, USERFAULTFD, BPF, SOCKET, KEYCTL = 56, 323, 321, 41, 250\n",
    "aarch64": "CLONE, USERFAULTFD, BPF, SOCKET, KEYCTL = 220, 282, 280, 198, 219\n",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_notebook_does_is_refused(roomy: Sandbox, what: str) -> None:
    call, why = REFUSED[what]
    load = "from ctypes import CDLL, c_long as L, get_errno\nlib = CDLL(None, use_errno=True)\n"
    source = f"{NUMBERS[platform.machine()]}{load}print(lib.{call}, get_errno())"
    assert value(roomy, source).split() == ["-1", str(why)]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86 has calls of two other kinds")
def test_the_32_bit_ways_into_the_kernel_are_closed(roomy: Sandbox) -> None:
    """x32's getpid, and int 0x80's: whichever way it is refused, no number comes back."""
    x32 = "import ctypes\nprint(ctypes.CDLL(None).syscall(0x40000000 + 39))"
    (done,) = run(roomy, x32)
    assert done.reason is not None or text(done).strip() == "-1"
