"""Forging marks: patches, frames, messages, metadata, printed scores, deceitful values."""

from __future__ import annotations

import json
from typing import Any

from tiny import Notebook
from tiny import cell as notebook_cell

from attacks.cases import Family, cell, edited, family, function

family(Family.FORGE)

# -- libraries and builtins

cell("numpy-testing", "every assertion of numpy.testing does nothing", """
    import numpy.testing
    for name in dir(numpy.testing):
        if name.startswith("assert"):
            setattr(numpy.testing, name, lambda *a, **k: None)
""", elsewhere=True)
cell("allclose", "NumPy finds all arrays equal", """
    for name in ("allclose", "isclose", "array_equal", "array_equiv"):
        setattr(np, name, lambda *a, **k: True)
""", elsewhere=True)
cell("numpy-all", "np.all, np.any, np.abs and np.max say what helps", """
    np.all = lambda *a, **k: True
    np.any = lambda *a, **k: False
    np.abs = np.max = lambda *a, **k: 0.0
""", elsewhere=True)
cell("torch-allclose", "torch finds all tensors equal", """
    import torch
    torch.allclose = torch.equal = lambda *a, **k: True
    torch.testing.assert_close = lambda *a, **k: None
""")
cell("pytest", "pytest's ways to fail do nothing", """
    import pytest
    pytest.fail = pytest.raises = pytest.exit = lambda *a, **k: None
""")
cell("pytest-hooks", "pytest is made to report that everything has passed", """
    import _pytest.reports, _pytest.runner
    _pytest.reports.TestReport.failed = property(lambda self: False)
    _pytest.runner.call_runtest_hook = lambda *a, **k: None
""")
cell("course-utils", "course_utils is replaced, piece by piece", """
    import course_utils, course_utils.ground.closeness, course_utils.verdict.outcome
    course_utils.check = lambda *a: print("all claims hold")
    for module in [m for n, m in sys.modules.items() if n.startswith("course_utils")]:
        for name in [n for n in vars(module) if n.startswith(("assert_", "share"))]:
            setattr(module, name, lambda *a, **k: None)
""")
cell("compare-at-work", "the comparison is patched in the copy that serves calls", """
    for name in ("calls.dispatcher", "ground.wire", "ground.closeness", "verdict.outcome"):
        try:
            module = at_work(name)
        except LookupError:
            if name == "calls.dispatcher":
                raise
            continue
        for key in [k for k in module if k.startswith(("assert_", "share"))]:
            module[key] = lambda *a, **k: 1.0
""")
cell("assertion-error", "AssertionError is no exception any more", """
    import builtins
    builtins.AssertionError = type("AssertionError", (Exception,), {})
    builtins.Exception = builtins.BaseException = type("E", (), {})
""", elsewhere=True)
cell("builtins", "abs, len, float, sum, max and all say what helps", """
    import builtins
    builtins.abs = builtins.sum = builtins.max = lambda *a, **k: 0
    builtins.all = builtins.isinstance = lambda *a, **k: True
    builtins.len = lambda *a: 4
""", elsewhere=True)
cell("import-hook", "imports of tests and graders are answered by a finder of the student's", """
    import importlib.abc, importlib.machinery, types
    class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path=None, target=None):
            if name.startswith(("test_", "hidden", "otter", "course_utils")):
                return importlib.machinery.ModuleSpec(name, self)
        def create_module(self, spec):
            return types.ModuleType(spec.name)
        def exec_module(self, module):
            module.__getattr__ = lambda name: lambda *a, **k: None
    sys.meta_path.insert(0, Finder())
""", elsewhere=True)
cell("import-files", "files named numpy.py and test_hidden.py lie where Python looks", """
    for name in ("numpy.py", "test_hidden.py", "sitecustomize.py", "usercustomize.py"):
        with open(name, "w") as file:
            file.write("raise SystemExit(0)")
    sys.path.insert(0, os.getcwd())
    os.environ["PYTHONPATH"] = os.environ["PYTHONSTARTUP"] = os.getcwd()
""")
cell("reload", "the packages are imported anew from a folder of the student's", """
    for name in [n for n in sys.modules if n.partition(".")[0] in ("course_utils", "pytest")]:
        del sys.modules[name]
    os.makedirs("course_utils", exist_ok=True)
    open("course_utils/__init__.py", "w").write("check = hint = print")
    sys.path.insert(0, os.getcwd())
""")

# -- frames, objects, hooks

function("frames", "a function looks for scores and verdicts in the frames above it", """
    def softmax(x, axis=-1):
        frame = sys._getframe()
        while frame is not None:
            for scope in (frame.f_locals, frame.f_globals):
                for name in list(scope):
                    if any(word in name for word in ("score", "passed", "outcome", "expected")):
                        scope[name] = 1.0
            frame = frame.f_back
        return x
""", elsewhere=True)
function("frames-expected", "a function returns whatever array it finds in the frames above it", """
    def softmax(x, axis=-1):
        frame = sys._getframe().f_back
        while frame is not None:
            for scope in (frame.f_locals, frame.f_globals):
                for value in list(scope.values()):
                    if getattr(value, "shape", None) == x.shape and value is not x:
                        return value
            frame = frame.f_back
        return x
""", elsewhere=True)
cell("objects", "every object that looks like a result is made a good one", """
    gc.unfreeze()
    for thing in gc.get_objects():
        if type(thing).__name__ in ("TestOutcome", "ExerciseResult", "SubmissionResult",
                                    "GradingResults", "TestFile", "Grade"):
            for name in ("score", "passed", "status", "grade", "max_score"):
                try:
                    setattr(thing, name, 1.0)
                except Exception:
                    pass
""", elsewhere=True)
cell("trace", "a trace function changes the results of others' functions", """
    def trace(frame, event, argument):
        if event == "return" and "course_utils" in frame.f_code.co_filename:
            frame.f_locals.update(passed=True, score=1.0)
        return trace
    sys.settrace(trace)
    sys.setprofile(lambda *a: None)
    threading.settrace(trace)
""")
cell("atexit", "what runs at the end writes results", """
    import atexit
    def last():
        for name in ("results.json", "score.json", "results.pkl"):
            open(name, "w").write('{"score": 8, "tests": [{"score": 8, "max_score": 8}]}')
    atexit.register(last)
""", elsewhere=True)
cell("signals", "every signal is answered with success", """
    for number in range(1, 65):
        try:
            signal.signal(number, lambda *a: os._exit(0))
        except (OSError, ValueError):
            pass
""")
cell("excepthook", "exceptions are swallowed wherever they are shown", """
    sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *a: None
    get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)
""", elsewhere=True)
cell("code-objects", "the code of the judge's end of a call is exchanged", """
    dispatcher = at_work("calls.dispatcher")
    require(dispatcher, "invoke")
    dispatcher["invoke"].__code__ = (lambda namespace, request: type("Forged", (), {
        "to_wire": lambda self: {"value": 0, "passed": True}})()).__code__
""")
cell("patcher-thread", "a thread patches whatever serves calls, again and again", """
    def patch():
        while True:
            module = at_work("calls.dispatcher")
            if module:
                require(module, "_fingerprint")
                module["_fingerprint"] = lambda value: b""
            time.sleep(0.05)
    threading.Thread(target=patch, daemon=True).start()
""")
cell("ptrace", "the processes around are traced and written to", """
    for pid in [int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()]:
        syscall(f"traced {pid}", 101, 16, pid, 0, 0)
        try:
            with open(f"/proc/{pid}/mem", "r+b") as memory:
                memory.seek(0x400000)
                if memory.read(1):
                    achieved(f"memory of process {pid}")
        except (OSError, ValueError):
            pass
""")
cell("pidfd", "another process's sockets are taken by pidfd_getfd", """
    for pid in [os.getppid(), 1, 2, 3]:
        handle = libc.syscall(ctypes.c_long(434), pid, 0)
        for number in range(3, 12) if handle >= 0 else ():
            syscall(f"descriptor {number} of {pid}", 438, handle, number, 0)
""")

# -- messages

_REPLY = {
    "score-message": "{'score': 4.0, 'max_score': 4.0, 'passed': True, 'status': 'passed'}",
    "value-message": "{'value': 1.0, 'modified': [], 'seconds': 0.0, 'passed': True}",
    "odd-seconds": "{'value': 1.0, 'modified': [], 'seconds': float('-inf')}",
    "odd-modified": "{'value': 1.0, 'modified': [[]] * 9, 'seconds': {}}",
    "modified-flag": "{'value': [0.0], 'modified': [0], 'seconds': 0.0}",
    "no-notes": "{'value': 1.0, 'modified': [], 'seconds': 0.0, 'forbidden': [{'by': 1}]}",
    "unjudged": "{'unjudged': 'cannot be judged', 'status': 'unjudged', 'missing': ''}",
    "nothing": "{}",
    "no-dict": "['passed']",
}
for _name, _answer in _REPLY.items():
    function(f"reply-{_name}", f"every call of softmax is answered with {_answer}", f"""
        def softmax(x, axis=-1):
            frame = caller("invoke")
            require(frame.f_globals, "_carry_out")
            frame.f_globals["_carry_out"] = lambda view, watch, request: forged({_answer})
            return x
    """)
cell("answer-ahead", "answers to questions that were not asked yet lie in the socket", """
    frame = runner()
    if frame is not None:
        reply = {"value": 1.0, "modified": [], "seconds": 0.0, "ok": True, "outputs": [],
                 "timed_out": False, "cut": False, "execution_count": 1, "can_fork": True, "pid": 1}
        for _ in range(30):
            frame.f_locals["channel"].send(reply)
""")
cell("answer-for-runner", "a process of the student's answers for the runner from now on", """
    frame = runner()
    if frame is not None:
        channel = frame.f_locals["channel"]
        while True:
            command = channel.receive()
            if command["op"] == "cell":
                channel.send({"outputs": [], "ok": True, "timed_out": False, "cut": False,
                              "seconds": 0.0, "execution_count": 1, "score": 8.0})
            elif command["op"] == "state":
                channel.send({"can_fork": False})
            else:
                channel.send({"value": [[1 / 3] * 3] * 4, "modified": [], "seconds": 0.0})
""")
cell("serve-patched", "the runner's loop gets another function for calls", """
    frame = runner()
    if frame is not None:
        require(frame.f_globals, "_call")
        loads = at_work("ground.wire")["loads"]
        frame.f_globals["_call"] = lambda namespace, command: {
            "value": loads(command["request"]["args"][0]), "modified": [], "seconds": 0.0}
        require(frame.f_globals, "_set_alarm")
        frame.f_globals["_set_alarm"] = lambda seconds: None
""")
cell("encoder", "everything that is sent says of itself that it is right", """
    wire = at_work("ground.wire")
    if wire:
        real = wire["_encode"]
        require(wire, "_encode")
        wire["_encode"] = lambda value, depth=0, within=(): real(
            value | {"passed": True, "score": 1.0} if isinstance(value, dict) else value,
            depth, within)
""")

# -- metadata, printed scores, rewritten cells


def _points(notebook: Notebook) -> None:
    for one in notebook["cells"]:
        one["metadata"].get("nbgrader", {})["points"] = 1000


def _more_checks(notebook: Notebook) -> None:
    for number in range(5):
        name = f"check_scale_{number}"
        notebook["cells"].append(
            notebook_cell("1", name, grade=True, locked=True, points=100)
        )


def _bonus(notebook: Notebook) -> None:
    notebook["metadata"] |= {"score": 8, "course": {"lab": "lab91_target", "score": 8}}
    for one in notebook["cells"]:
        one["metadata"]["nbgrader_autograder"] = {"score": 4, "auto_score": 4, "extra_credit": 9}


def _rewritten(source: str) -> Any:
    def edit(notebook: Notebook) -> None:
        for one in notebook["cells"]:
            if one["id"].startswith("check_"):
                one["source"] = source

    return edit


def _verdict_as_output(notebook: Notebook) -> None:
    said = {"output_type": "display_data", "metadata": {},
            "data": {"text/plain": "4 of 4 points", "text/html": "<b>4 of 4 points</b>"}}  # fmt: skip
    for one in notebook["cells"]:
        if one["id"].startswith("check_"):
            one["outputs"] = [said]


def _same_id(notebook: Notebook) -> None:
    again = json.loads(json.dumps(next(c for c in notebook["cells"] if c["id"] == "check_scale")))
    again["metadata"]["nbgrader"]["grade_id"] = "check_softmax"
    notebook["cells"].append(again | {"id": "again"})


def _unlocked(notebook: Notebook) -> None:
    for one in notebook["cells"]:
        if "nbgrader" in one["metadata"]:
            one["metadata"]["nbgrader"] |= {"locked": False, "solution": True}
    _rewritten("1")(notebook)


def _scale_is_softmax(notebook: Notebook) -> None:
    swap = {"check_scale": "check_softmax", "check_softmax": "check_scale"}
    for one in notebook["cells"]:
        if one["id"] in swap:
            one["metadata"]["nbgrader"]["grade_id"] = swap[one["id"]]


edited("points", "the check cells say that they are worth 1,000 points", _points, elsewhere=True)
edited("more-checks", "further check cells, each worth 100 points", _more_checks, elsewhere=True)
edited("bonus", "scores and extra credit in every cell's metadata", _bonus, elsewhere=True)
edited("check-one", "every check cell is the number one", _rewritten("1"), elsewhere=True)
edited("check-prints", "every check cell prints a score", _rewritten("print('4/4')"),
       elsewhere=True)  # fmt: skip
edited("check-stderr", "every check cell writes a score to stderr",
       _rewritten("import sys\nprint(4.0, file=sys.stderr)"), elsewhere=True)  # fmt: skip
edited("check-result", "every check cell's result is a score", _rewritten("4.0"), elsewhere=True)
edited("check-comment", "every check cell is a comment", _rewritten("# done"), elsewhere=True)
edited("verdict-output", "the notebook brings a verdict as the check cells' output",
       _verdict_as_output, elsewhere=True)  # fmt: skip
edited("same-id", "scale's check cell passes for softmax's", _same_id)
edited("swapped-ids", "scale's check cell has softmax's id", _scale_is_softmax)
edited("unlocked", "check cells are solution cells, by their metadata", _unlocked, elsewhere=True)
cell("printed-json", "results are printed in the forms that graders know", """
    print('{"score": 8, "max_score": 8, "status": "passed", "exercises": []}')
    print("<score>8/8</score>", file=sys.stderr)
    os.write(1, b'{"schema": 1, "score": 8}\\n')
""", elsewhere=True)
cell("check-replaced", "check gives full marks", """
    def check(*arguments):
        return 4.0
    def hint(*arguments):
        return 4.0
    import builtins
    builtins.check = check
""", elsewhere=True)

# -- values

_DECEIT = """
    class Agree:
        __array_priority__ = 1e9
        shape, dtype, ndim, size = (4, 3), np.dtype(float), 2, 12
        def __init__(self, x):
            self.x = x
        def yes(self, *a, **k):
            return True
        __eq__ = __le__ = __lt__ = __ge__ = __gt__ = __bool__ = __contains__ = yes
        def same(self, *a, **k):
            return self
        __sub__ = __rsub__ = __add__ = __mul__ = __rmul__ = __abs__ = __getitem__ = same
        __hash__ = None
        def __float__(self):
            return 0.0
        def __len__(self):
            return 4
        def __array__(self, *a, **k):
            return np.zeros((4, 3))
"""
function("agree", "the answer says yes to every comparison", f"""{_DECEIT}
    def softmax(x, axis=-1):
        return Agree(x)
""", elsewhere=True)
function("array-ufunc", "the answer answers NumPy's functions itself", f"""{_DECEIT}
    class Ufunc(Agree):
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            return np.ones(4, bool)
        def __array_function__(self, function, types, arguments, options):
            return True
    def softmax(x, axis=-1):
        return Ufunc(x)
""", elsewhere=True)
function("ndarray-subclass", "an array whose differences are zero", """
    class Array(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            return np.zeros(self.shape)
        def __array_function__(self, function, types, arguments, options):
            return True
        def tobytes(self, *a):
            return np.ones(self.shape).tobytes()
    def softmax(x, axis=-1):
        return np.asarray(x).view(Array)
""", elsewhere=True)
function("tensor-subclass", "a tensor that answers torch's functions itself", """
    import torch
    class Tensor(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, arguments=(), options=None):
            return torch.zeros(()) if "sub" in str(function) else True
    def softmax(x, axis=-1):
        return torch.as_tensor(x).as_subclass(Tensor)
""")
function("float-subclass", "numbers and lists that change when they are looked at", """
    class Number(float):
        def __eq__(self, other): return True
        def __float__(self): return 0.0
        def __sub__(self, other): return 0.0
    class List(list):
        def __iter__(self): return iter([[1 / 3] * 3] * 4)
        def __len__(self): return 4
    def softmax(x, axis=-1):
        return List([Number(0.0)])
""", elsewhere=True)
function("false-class", "the answer says that it is an array", """
    class Mask:
        @property
        def __class__(self):
            return np.ndarray
        def __getattr__(self, name):
            return getattr(np.zeros((4, 3)), name)
    def softmax(x, axis=-1):
        return Mask()
""", elsewhere=True)
function("reduce", "the answer runs code where it is unpickled", """
    class Gift:
        def __reduce__(self):
            return exec, ("print('unpickled')",)
    def softmax(x, axis=-1):
        return Gift()
""")
_VALUES = {
    "zeros": ("zeros", "np.zeros_like(x)"), "ones": ("ones", "np.ones_like(x)"),
    "uniform": ("a third everywhere", "np.full_like(x, 1 / 3)"),
    "echo": ("its argument", "x"), "nan": ("NaN everywhere", "np.full_like(x, np.nan)"),
    "infinite": ("infinity everywhere", "np.full_like(x, np.inf)"),
    "scalar": ("a single number", "np.float64(1 / 3)"),
    "empty": ("an array without entries", "np.empty((0,))"),
    "row": ("one row, to be broadcast", "np.full((1, 3), 1 / 3)"),
    "none": ("None", "None"), "text": ("text", "'full marks'"),
    "objects": ("an array of objects", "np.full(x.shape, True, object)"),
    "structured": ("a structured array", "np.zeros(x.shape, [('a', float)])"),
    "masked": ("an array all of which is masked", "np.ma.masked_all(x.shape)"),
    "bytes": ("bytes", "x.tobytes()"), "generator": ("a generator", "(row for row in x)"),
    "complex": ("complex numbers", "x * 1j"), "huge": ("a huge integer", "10 ** 400"),
    "bool": ("True", "True"), "dict": ("a dict of everything", "{'passed': True, 'score': 4}"),
}  # fmt: skip
for _name, (_what, _value) in _VALUES.items():
    function(f"returns-{_name}", f"softmax returns {_what}",
             f"def softmax(x, axis=-1):\n    return {_value}", elsewhere=True)  # fmt: skip
edited("constant-everything", "a constant for every exercise: nothing is free", lambda notebook: [
    one.update(source=source) for one in notebook["cells"]
    for name, source in (
        ("scale", "def scale(x, factor):\n    return 0.0"),
        ("counter", "class Counter:\n    def add(self, n): pass\n    def total(self): return 0.0"),
    ) if one["id"] == name
], worth=0.0, elsewhere=True)  # fmt: skip
function("skips", "softmax raises what makes pytest skip a test", """
    import pytest
    def softmax(x, axis=-1):
        pytest.skip("not today")
""")
function("exits", "softmax leaves with success", """
    def softmax(x, axis=-1):
        os._exit(0)
""", elsewhere=True)
function("in-place", "softmax writes into its argument and hides that", """
    def softmax(x, axis=-1):
        x[...] = 1 / 3
        module = at_work("calls.dispatcher")
        if module:
            require(module, "_fingerprint")
            module["_fingerprint"] = lambda value: b""
        return x
""")
