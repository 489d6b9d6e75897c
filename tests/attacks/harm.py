"""Doing harm: memory, processes, time, output, hostile messages, files, the machine's settings.

Every attack bounds itself: where nothing stops it, it takes at most a few times what is allowed,
and says so.
"""

from __future__ import annotations

import json

from tiny import Notebook
from tiny import cell as notebook_cell

from attacks.cases import Family, cell, cells, edited, family, function

family(Family.HARM)

# -- memory: twice what is allowed, held for a moment

_HOLD = '''
MIB = 2**20
MUCH = 1024  # MiB; 512 are allowed


def held(mebibytes):
    time.sleep(0.3)
    achieved(f"held {mebibytes} MiB of 512 allowed")
'''


def _holds(name: str, tries: str, code: str, *, elsewhere: bool = False) -> None:
    cells(name, tries, [_HOLD, code], elsewhere=elsewhere)


_holds("memory-bytes", "memory by bytearrays", """
    hoard = [bytearray(b"x" * 16 * MIB) for _ in range(MUCH // 16)]
    held(MUCH)
""")
_holds("memory-numpy", "memory by NumPy's arrays", """
    hoard = np.ones(MUCH * MIB // 8)
    held(MUCH)
""")
_holds("memory-torch", "memory by torch's tensors", """
    import torch
    hoard = torch.ones(MUCH * MIB // 4)
    held(MUCH)
""")
_holds("memory-mapping", "memory by private mappings", """
    import mmap
    hoard = [mmap.mmap(-1, 64 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(MUCH // 64)]
    for one in hoard:
        for at in range(0, 64 * MIB, 4096):
            one[at] = 1
    held(MUCH)
""")
_holds("memory-shared", "memory by shared mappings", """
    import mmap
    hoard = [mmap.mmap(-1, 64 * MIB) for _ in range(MUCH // 64)]
    for one in hoard:
        one[:] = b"x" * (64 * MIB)
    held(MUCH)
""")
_holds("memory-dontneed", "shared mappings, whose pages are no longer counted as this process's", """
    import mmap
    hoard = []
    for _ in range(MUCH // 64):
        one = mmap.mmap(-1, 64 * MIB)
        for at in range(0, 64 * MIB, 4096):
            one[at] = 1
        one.madvise(mmap.MADV_DONTNEED)
        hoard.append(one)
    held(MUCH)
""")
_holds("memory-memfd", "memory by memfd", """
    hoard = [os.memfd_create("hoard") for _ in range(MUCH // 48)]
    for one in hoard:
        for _ in range(3):
            os.write(one, b"x" * (16 * MIB))
    held(MUCH)
""")
_holds("memory-sysv", "memory by System V segments that nobody is attached to", """
    libc.shmat.restype = ctypes.c_void_p
    for number in range(MUCH // 64):
        segment = libc.shmget(1000 + number, 64 * MIB, 0o1600)
        if segment < 0:
            raise OSError("shmget")
        place = libc.shmat(segment, None, 0)
        ctypes.memset(place, 1, 64 * MIB)
        libc.shmdt(ctypes.c_void_p(place))
    held(MUCH)
""")
_holds("memory-files", "memory by files in every folder that is kept in memory", """
    total = 0
    for folder in (".", "/dev/shm", "/tmp", "/run", "/dev", "/"):
        for number in range(8):
            try:
                with open(f"{folder}/hoard{number}", "wb") as file:
                    for _ in range(4):
                        total += file.write(b"x" * (16 * MIB))
            except OSError:
                pass
    if total > 512 * MIB:
        held(total // MIB)
""")
_holds("memory-processes", "memory by many processes, each of a little", """
    reading, writing = os.pipe()
    def take(number):
        global hoard
        hoard = bytearray(b"x" * 64 * MIB)
        os.write(writing, b".")
        time.sleep(6)
    pids = children(MUCH // 64, take)
    taken = 0
    while taken < len(pids):
        taken += len(os.read(reading, 64))
    time.sleep(0.5)
    if all(os.waitpid(pid, os.WNOHANG) == (0, 0) for pid in pids):
        held(MUCH)
""")
_holds("memory-programs", "memory by many programs, each smaller than the imports", """
    import subprocess
    code = "import time; hoard = bytearray(b'x' * (100 * 2**20)); time.sleep(6)"
    running = [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(10)]
    time.sleep(1.5)
    if all(one.poll() is None for one in running):
        held(1000)
""")
_holds("memory-pipes", "memory in pipes and sockets that nobody reads", """
    import fcntl
    total = 0
    ends = []
    try:
        for _ in range(900):
            a, b = os.pipe()
            fcntl.fcntl(b, 1031, MIB)
            os.set_blocking(b, False)
            ends += [a, b]
            total += os.write(b, b"x" * MIB)
    except OSError:
        pass
    if total > 600 * MIB:
        held(total // MIB)
""")
_holds("memory-descriptors", "a shared file, sent through a socket that nobody reads", """
    import array
    a, b = socket.socketpair()
    for _ in range(MUCH // 64):
        one = os.memfd_create("hoard")
        for _ in range(4):
            os.write(one, b"x" * (15 * MIB))
        a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one]))])
        os.close(one)
    held(MUCH)
""")
_holds("memory-recursion", "memory by a stack without an end", """
    sys.setrecursionlimit(10**8)
    threading.stack_size(1024 * MIB)
    def down(n):
        return down(n + 1) + 1
    thread = threading.Thread(target=down, args=(0,))
    thread.start()
    thread.join()
""")
_holds("memory-tables", "page tables, which no process's own memory shows", """
    import mmap
    one = mmap.mmap(-1, 2**38, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
    n = 0
    for at in range(0, 2**38, 2**21):
        n += one[at]
        if n == 0 and at // 2**21 >= 120_000:
            break
    held(at // 2**21 * 4096 // MIB + 512)
""")
function("memory-in-call", "a call takes all memory, again and again", """
    def softmax(x, axis=-1):
        hoard = []
        while len(hoard) < 96:
            hoard.append(bytearray(b"x" * 2**24))
        return x
""")

# -- processes and threads

cell("fork-bomb", "processes that start processes", """
    def bomb(number):
        children(4, lambda n: children(4, lambda n: children(3, lambda n: None, 3), 3), 3)
    pids = children(4, bomb, 3)
    time.sleep(1)
    count = sum(p.isdigit() for p in os.listdir("/proc"))
    if count > 100:
        achieved(f"{count} processes of 48 allowed")
""")
cell("threads", "a thousand threads", """
    started = 0
    try:
        threading.stack_size(65536)
        for _ in range(1000):
            threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    time.sleep(1)
    if started > 300:
        achieved(f"{started} threads")
""")
cell("zombies", "processes that end and are never waited for", """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for _ in range(300):
        if os.fork() == 0:
            os._exit(0)
    time.sleep(0.5)
    achieved("300 zombies")
""")
cell("daemon", "a process in a session of its own outlives the submission", """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", "pwned"])
        os._exit(0)
""")
cell("respawn", "a process that is started again whenever it is killed", """
    def again(number):
        for _ in range(200):
            pid = os.fork()
            if pid == 0:
                time.sleep(600)
            os.waitpid(pid, 0)
    children(4, again, 0)
""")
cell("busy-processes", "44 processes that compute", """
    def busy(number):
        while True:
            pass
    children(44, busy)
""")
cell("busy-nice", "busy processes that put themselves first", """
    for what, call in (("negative nice", lambda: os.nice(-10)),
                       ("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))):
        attempt(what, call)
    def busy(number):
        while True:
            pass
    children(8, busy)
""")
cell("limits-raised", "limits are raised", """
    import resource
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        soft, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            attempt(f"limit {kind}", resource.setrlimit, kind, (hard, hard * 2))
""")

# -- time

_HANGS = {
    "loop": "while True:\n    pass",
    "sleep": "time.sleep(10**6)",
    "swallow": "while True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass",
    "ignore": "for n in (2, 14, 15):\n    signal.signal(n, signal.SIG_IGN)\nwhile True:\n    pass",
    "mask": "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True:\n    pass",
    "timer": "import itertools\nwhile True:\n    signal.setitimer(signal.ITIMER_REAL, 0)",
    "c-loop": "sum(iter(int, 1))",
    "regex": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "power": "x = 10 ** 10 ** 9",
    "c-sleep": "ctypes.PyDLL(None).sleep(10**6)",
    "lock": "lock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "stop": "os.kill(os.getpid(), signal.SIGSTOP)",
    "read": "os.read(os.pipe()[0], 1)",
    "stdin": "sys.stdin = open(0)\nsys.stdin.read()\ninput()\nwhile True:\n    pass",
    "thread": "threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()",
    "await": "import asyncio\nawait asyncio.sleep(10**6)",
}
_MILD = {"loop", "sleep", "swallow", "lock"}
for _name, _code in _HANGS.items():
    cell(f"hang-{_name}", f"a cell that never ends: {_name}", _code, elsewhere=_name in _MILD)
_indented = _HANGS["mask"].replace("\n", "\n    ")
function("hang-call", "a call that never ends and cannot be interrupted",
         f"def softmax(x, axis=-1):\n    {_indented}")  # fmt: skip
function("hang-hidden", "a call that ends in public and not in hidden tests", """
    def softmax(x, axis=-1):
        while x.max() > 1000:
            pass
        return x
""")
function("hang-return", "an answer that takes for ever to be read", """
    class Slow(list):
        def __iter__(self):
            while True:
                yield 0.0
        def __len__(self):
            return 3
    def softmax(x, axis=-1):
        return Slow([1, 2, 3])
""", elsewhere=True)
cells("hang-many", "twelve cells, each of which never ends", ["import time"] + [
    "while True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass"] * 12)
cells("slow-many", "four hundred cells of a tenth of a second", ["time.sleep(0.1)"] * 400)

# -- ends

_ENDS = {
    "exit": "os._exit(0)", "abort": "os.abort()", "segfault": "ctypes.string_at(0)",
    "kill-all": "os.kill(-1, 9)", "kill-parent": "os.kill(os.getppid(), 9)",
    "kill-init": "for n in (9, 19, 2, 15):\n    os.kill(1, n)",
    "kill-group": "os.killpg(0, 9)",
    "stop-others": "[os.kill(int(p), 19) for p in os.listdir('/proc') if p.isdigit() "
                   "and int(p) not in (1, os.getpid())]",
    "recursion": "import sys\nsys.setrecursionlimit(10**7)\ndef f(): return f()\nf()",
    "close-all": "os.closerange(3, 4096)",
    "system-exit": "raise SystemExit(3)",
    "replaced": "os.execv('/bin/true', ['true'])",
    "no-memory": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1, 1))",
    "no-files": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
    "no-cpu": "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True:\n    pass",
}  # fmt: skip
_MILD_ENDS = {"exit", "system-exit", "recursion"}
for _name, _code in _ENDS.items():
    cell(f"end-{_name}", f"the process is ended or crippled: {_name}", _code,
         elsewhere=_name in _MILD_ENDS)  # fmt: skip
function("end-in-call", "every call ends the process", """
    def softmax(x, axis=-1):
        os.kill(os.getpid(), 9)
""")

# -- output

_FLOODS = {
    "print": "for _ in range(2**10):\n    print('x' * 2**16)",
    "stderr": "for _ in range(2**10):\n    print('x' * 2**16, file=sys.stderr)",
    "descriptor": "for _ in range(2**9):\n    os.write(1, b'x' * 2**16)",
    "program": "import subprocess\nsubprocess.run(['head', '-c', str(2**26), '/dev/zero'])",
    "lines": "for n in range(2**18):\n    print('x')",
    "displays": "from IPython.display import display\nfor n in range(30_000):\n    display('x')",
    "metadata": "from IPython.display import display\ndisplay({'text/plain': 'x'}, raw=True, "
                "metadata={'m' * 2**20: 'x' * 2**24})",
    "bundle": "from IPython.display import display\ndisplay({f'text/x{n}': 'x' * 100 for n in "
              "range(30_000)}, raw=True)",
    "deep": "from IPython.display import display\nd = 'x'\nfor _ in range(900):\n    d = {'d': d}\n"
            "display({'application/json': d}, raw=True)",
    "error": "raise ValueError('x' * 2**25)",
    "error-name": "raise type('E' * 2**22, (Exception,), {})('x')",
    "traceback": "def f(n):\n    return 'x' * 9 if n == 0 else f(n - 1)[n]\nsys.setrecursionlimit(3000)"
                 "\nf(2500)",
    "group": "raise ExceptionGroup('g' * 10**5, [ValueError('x' * 10**4) for _ in range(2000)])",
    "warnings": "import warnings\nfor n in range(30_000):\n    warnings.warn(f'w{n}')",
    "result": "'x' * 2**25",
    "repr": "type('R', (), {'__repr__': lambda self: 'x' * 2**25})()",
    "surrogates": "print('\\ud800' * 2**16, '\\0' * 2**16)",
    "clears": "from IPython.display import clear_output\nfor _ in range(10**5):\n    print('x' * 99)\n"
              "    clear_output()",
}
for _name, _code in _FLOODS.items():
    cell(f"flood-{_name}", f"a flood of output: {_name}", _code)
cells("flood-cells", "forty cells, each of which prints as much as it may",
      ["print('x' * (2**20 - 100))"] * 40)  # fmt: skip
function("flood-in-call", "every call prints a flood", """
    def softmax(x, axis=-1):
        for _ in range(200):
            print("x" * 2**16)
            os.write(1, b"x" * 2**16)
        return x
""")
function("flood-raised", "every call raises a flood", """
    def softmax(x, axis=-1):
        raise type("E" * 10**6, (Exception,), {})("x" * 10**7)
""")

# -- hostile messages: the answer is chosen byte by byte

_SENDS = '''
def answer(data):
    """Answer the judge's next question with these bytes, and then be silent."""
    frame = runner()
    if frame is None:
        return
    channel = frame.f_locals.get("own") or frame.f_locals["channel"]
    os.write(channel.fileno(), data)


def message(packed):
    import struct
    return struct.pack("<I", len(packed)) + packed


def everything(data):
    """Write all of it, however long nobody reads."""
    frame = runner()
    if frame is not None:
        channel = frame.f_locals.get("own") or frame.f_locals["channel"]
        at = 0
        while at < len(data):
            at += os.write(channel.fileno(), data[at:at + 2**20])
'''
_MESSAGES = {
    "length": ("a length of four gigabytes", "answer(b'\\xff\\xff\\xff\\xff')"),
    "half": ("half a message", "answer(message(b'x' * 1000)[:500])"),
    "drip": ("a message that comes byte by byte",
             "for byte in message(b'\\x90' * 10**6):\n    answer(bytes([byte]))\n    time.sleep(0.05)"),
    "garbage": ("bytes of no meaning", "answer(message(os.urandom(4096)))"),
    "deep": ("lists a million deep", "everything(message(b'\\x91' * 10**6 + b'\\x90'))"),
    "empty-lists": ("eight million empty lists",
                    "everything(message((b'\\xdc\\xff\\xff' + b'\\x90' * 65535) * 1 + b''))"),
    "lists": ("lists of lists of nothing",
              "everything(message(b'\\xdc\\x00\\x78' + (b'\\xdc\\xff\\xff' + b'\\x90' * 65535) * 120))"),
    "ext": ("extension types", "answer(message(b'\\xc7\\x08\\x01' + b'x' * 8))"),
    "nan-key": ("a map with NaN for a key", "answer(message(b'\\x81\\xcb\\x7f\\xf8' + b'\\0' * 6 + b'\\x01'))"),
    "map-key": ("a map with a map for a key", "answer(message(b'\\x81\\x80\\x01'))"),
    "bytes": ("thirty megabytes of bytes", "everything(message(b'\\xc6' + (30 * 2**20).to_bytes(4, 'big') "
              "+ b'x' * (30 * 2**20)))"),
    "many": ("thousands of small messages", "for _ in range(20_000):\n    everything(message(b'\\x80'))"),
}  # fmt: skip
for _name, (_what, _code) in _MESSAGES.items():
    _body = _code.replace("\n", "\n    ")
    cells(f"message-{_name}", f"the judge is answered with {_what}", [_SENDS, _code])
    function(f"call-{_name}", f"a call is answered with {_what}",
             f"{_SENDS}\ndef softmax(x, axis=-1):\n    {_body}\n    return x")  # fmt: skip

_REPLIES = {
    "infinite-count": "{'outputs': [], 'ok': True, 'timed_out': False, 'cut': False, 'seconds': 0.0, "
                      "'execution_count': float('inf')}",
    "nan-seconds": "{'outputs': [], 'ok': True, 'timed_out': False, 'cut': False, 'seconds': "
                   "float('nan'), 'execution_count': 1}",
    "odd-outputs": "{'outputs': [{'output_type': 'display_data', 'data': 3}], 'ok': True, 'timed_out': "
                   "False, 'cut': False, 'seconds': 0.0, 'execution_count': 1}",
    "no-outputs": "{'outputs': None, 'ok': [], 'timed_out': {}, 'cut': 'x', 'seconds': [], "
                  "'execution_count': None}",
    "many-outputs": "{'outputs': [{'output_type': 'stream', 'name': 'stdout', 'text': 'x' * 300}] * "
                    "90_000, 'ok': True, 'timed_out': False, 'cut': False, 'seconds': 0.0, "
                    "'execution_count': 1}",
    "large-output": "{'outputs': [{'output_type': 'stream', 'name': 'stdout', 'text': 'x' * (30 * 2**20)}]"
                    ", 'ok': True, 'timed_out': False, 'cut': False, 'seconds': 0.0, 'execution_count': 1}",
    "huge-count": "{'outputs': [], 'ok': True, 'timed_out': False, 'cut': False, 'seconds': 1e308, "
                  "'execution_count': 2**62}",
    "nan-output": "{'outputs': [{'output_type': 'display_data', 'data': {'application/json': "
                  "float('nan')}, 'metadata': {}}], 'ok': True, 'timed_out': False, 'cut': False, "
                  "'seconds': 0.0, 'execution_count': 1}",
}  # fmt: skip
for _name, _reply in _REPLIES.items():
    cell(f"cell-{_name}", f"the runner reports a cell with {_name.replace('-', ' ')}", f"""
        frame = runner()
        if frame is not None:
            require(frame.f_globals, "_run_cell")
            frame.f_globals["_run_cell"] = lambda *arguments: {_reply}
    """)
_VALUES = {
    "bytes": "b'x' * 2**20", "generator": "np.random.default_rng()",
    "meta": "__import__('torch').empty(3, device='meta')", "long-list": "[0.0] * 99_999",
    "large": "np.zeros(4 * 2**20)", "nested": "[[[[[[[[[[[[1.0]]]]]]]]]]]]",
    "keys": "{n * (2**61 - 1): 0 for n in range(4000)}", "text": "'x' * (20 * 2**20)",
    "lists": "[[] for _ in range(90_000)]", "itself": "(lambda l: l.append(l) or l)([])",
    "wide": "np.zeros((1,) * 32)", "bfloat16": "__import__('torch').zeros(3, dtype=__import__('torch')"
    ".bfloat16)", "zero-size": "np.zeros((2**30, 0, 2**30))",
}  # fmt: skip
for _name, _value in _VALUES.items():
    function(f"value-{_name}", f"softmax returns {_value[:50]}",
             f"def softmax(x, axis=-1):\n    return {_value}")  # fmt: skip
function("hash-collisions", "a dict whose keys all have the same hash, made on the wire", """
    def softmax(x, axis=-1):
        wire = at_work("ground.wire")
        require(wire, "_encode_items")
        wire["_encode_items"] = lambda value, depth, within: {
            "$": "dict", "items": [[n * (2**61 - 1), 0] for n in range(-4, 4)] * 10_000}
        return {}
""")
function("array-shape", "arrays of absurd shapes, made on the wire", """
    def softmax(x, axis=-1):
        leaves = at_work("ground.leaves")
        require(leaves, "array_tree")
        leaves["array_tree"] = lambda value: {
            "$": "array", "dtype": "<f8", "shape": [2**39, 2**39, 0], "data": b""}
        return x
""")
function("array-dtype", "an array of a dtype that means something else, made on the wire", """
    def softmax(x, axis=-1):
        leaves = at_work("ground.leaves")
        require(leaves, "array_tree")
        leaves["array_tree"] = lambda value: {
            "$": "array", "dtype": "O", "shape": [1], "data": b"xxxxxxxx"}
        return x
""")
function("packed-in-packed", "a packed value in a packed value, a hundred deep", """
    def softmax(x, axis=-1):
        wire = at_work("ground.wire")
        value = wire["dumps"](0.0)
        for _ in range(100):
            value = wire["dumps"]({"$": "packed", "data": value})
        leaves = at_work("ground.leaves")
        require(leaves, "array_tree")
        leaves["array_tree"] = lambda array: {"$": "packed", "data": value}
        return x
""")

# -- the socket

cell("unread", "the judge's questions are never read, and nothing interrupts", """
    frame = runner()
    if frame is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        reply = {"outputs": [], "ok": True, "timed_out": False, "cut": False, "seconds": 0.0,
                 "execution_count": 1}
        frame.f_locals["channel"].send(reply)
        while True:
            time.sleep(9)
""")
cells("unread-large", "a question of many megabytes is never read, for the socket is answered ahead", ["""
    frame = runner()
    if frame is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        reply = {"outputs": [], "ok": True, "timed_out": False, "cut": False, "seconds": 0.0,
                 "execution_count": 1}
        frame.f_locals["channel"].send(reply)
        while True:
            time.sleep(9)
""", "x = '" + "y" * (8 * 2**20) + "'"])
cell("socket-closed", "the socket to the judge is closed", """
    frame = runner()
    if frame is not None:
        os.close(frame.f_locals["channel"].fileno())
""")
cell("socket-shut", "the socket to the judge is shut down, and lives on", """
    frame = runner()
    if frame is not None:
        socket.socket(fileno=os.dup(frame.f_locals["channel"].fileno())).shutdown(2)
""")
cell("socket-given", "the socket to the judge is kept open by a daemon", """
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
""")
cell("memory-events", "the supervisor is made to report the same thing for ever", """
    def again(number):
        while True:
            pid = os.fork()
            if pid == 0:
                hoard = bytearray(b"x" * 600 * 2**20)
                os._exit(0)
            os.waitpid(pid, 0)
    children(3, again)
    time.sleep(2)
""")

# -- files, and the machine

cell("inodes", "fifty thousand empty files", """
    made = 0
    try:
        for number in range(50_000):
            open(f"f{number}", "w").close()
            made += 1
    except OSError:
        pass
    if made == 50_000:
        achieved("50,000 files")
""")
cell("deep-folders", "folders in folders, a thousand deep", """
    for _ in range(1000):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
""")
cell("sparse", "a file of a terabyte with nothing in it", """
    with open("sparse", "wb") as file:
        attempt("a file of a terabyte", os.ftruncate, file.fileno(), 2**40)
""")
cell("scratch-gone", "the scratch folder is closed, and its files are taken away", """
    import shutil
    shutil.rmtree(os.getcwd(), ignore_errors=True)
    os.chmod(os.getcwd(), 0)
""")
cell("settings", "the kernel's settings are opened for writing", """
    opened = []
    for folder, folders, files in os.walk("/proc/sys"):
        for name in files:
            path = os.path.join(folder, name)
            try:
                os.close(os.open(path, os.O_WRONLY))
                opened.append(path)
            except OSError:
                pass
    if opened:
        achieved(f"opened {len(opened)} settings of the kernel for writing, as {opened[0]}")
""")
cell("oom-score", "somebody else is to be killed when memory is short", """
    for pid in [p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]:
        for name, value in (("oom_score_adj", "1000"), ("oom_adj", "15")):
            try:
                with open(f"/proc/{pid}/{name}", "w") as file:
                    file.write(value)
                achieved(f"{name} of another process")
            except OSError:
                pass
""")
cell("proc-files", "files of other processes and of the machine are opened for writing", """
    for path in ("/proc/sysrq-trigger", "/proc/1/oom_score_adj", "/proc/1/comm", "/proc/irq/0/smp_affinity",
                 "/proc/1/coredump_filter", "/proc/acpi/wakeup", "/sys/power/state",
                 "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/proc/1/timerslack_ns",
                 "/proc/mtrr", "/proc/scsi/scsi", "/proc/sys/kernel/core_pattern"):
        def reach(path=path):
            os.close(os.open(path, os.O_WRONLY))
        attempt(f"opened {path} for writing", reach)
""")
cell("host-name", "the machine is given another name", """
    syscall("sethostname", 170, b"pwned", 5)
    def write():
        with open("/proc/sys/kernel/hostname", "w") as file:
            file.write("pwned")
    attempt("wrote the host name", write)
""")
cell("clock", "the clock is set", """
    attempt("set the clock", time.clock_settime, time.CLOCK_REALTIME, 0.0)
""")
cell("others-stopped", "whatever can be signalled is stopped, renamed and slowed", """
    for pid in [int(p) for p in os.listdir("/proc") if p.isdigit()]:
        if pid not in (os.getpid(), os.getppid(), 1):
            try:
                os.setpriority(os.PRIO_PROCESS, pid, 19)
                os.sched_setaffinity(pid, {0})
            except OSError:
                pass
""")


# -- the file itself


def _deep_metadata(notebook: Notebook) -> None:
    deep: object = 1
    for _ in range(900):
        deep = {"d": deep}
    notebook["metadata"]["deep"] = deep
    notebook["cells"][0]["metadata"] = {"deep": deep}


def _deep_outputs(notebook: Notebook) -> None:
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    data = {"application/json": deep}
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]


def _many_cells(notebook: Notebook) -> None:
    notebook["cells"] += [notebook_cell("", kind="markdown") | {"id": f"m{n}"} for n in range(50_000)]


def _large_metadata(notebook: Notebook) -> None:
    notebook["metadata"] |= {f"key {number}": "x" * 200 for number in range(100_000)}


def _null_source(notebook: Notebook) -> None:
    notebook["cells"].append(notebook_cell("") | {"id": "null", "source": None})
    notebook["cells"].append(notebook_cell("") | {"id": "number", "source": 3.5})


def _many_names(notebook: Notebook) -> None:
    code = "\n".join(f"def f{number}(): pass" for number in range(30_000))
    notebook["cells"].append(notebook_cell(code) | {"id": "names"})


def _nested_source(notebook: Notebook) -> None:
    notebook["cells"].append(notebook_cell("(" * 5000 + ")" * 5000) | {"id": "nested"})
    notebook["cells"].append(notebook_cell("x = " + "-" * 200_000 + "1") | {"id": "minus"})


def _long_line(notebook: Notebook) -> None:
    notebook["cells"].append(notebook_cell("'" + "x" * 30 * 2**20 + "'") | {"id": "long"})


def _likenesses(notebook: Notebook) -> None:
    text = json.loads(json.dumps(notebook["cells"]))
    for number in range(300):
        notebook["cells"] += [one | {"id": f"{one['id']}-{number}"} for one in text]


edited("file-deep-metadata", "metadata 900 levels deep", _deep_metadata)
edited("file-deep-outputs", "outputs 900 levels deep", _deep_outputs)
edited("file-many-cells", "fifty thousand cells", _many_cells)
edited("file-large-metadata", "a hundred thousand keys of metadata", _large_metadata)
edited("file-null-source", "cells whose source is null or a number", _null_source)
edited("file-many-names", "thirty thousand functions", _many_names)
edited("file-nested-source", "five thousand brackets in a cell", _nested_source)
edited("file-long-line", "a cell of thirty megabytes", _long_line)
edited("file-likenesses", "every cell three hundred times", _likenesses)
