"""Text of a student's, in the four languages that a notebook renders, made inert.

Whatever is not on a closed list is taken out (HTML) or set apart by a blank, so that it is read and
not obeyed (markdown and LaTeX, which every program parses in its own way: what could begin a tag, a
link or a picture must be harmless for all of them). Nothing loads from elsewhere and nothing runs;
an ordinary link to the web stays, and is followed by who clicks on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote

import nh3

# -- HTML

_TABLES = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "colgroup", "col"}
_TEXT = {
    "p", "div", "span", "br", "hr", "pre", "code", "kbd", "blockquote", "ul", "ol", "li", "dl",
    "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "u", "s", "sub",
    "sup", "small", "a", "img",
}  # fmt: skip
# These go with all that is in them; of other tags the text stays.
_WITH_CONTENT = {
    "script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title",
    "textarea", "select", "xmp", "noembed", "noframes", "plaintext",
}  # fmt: skip
_SPAN = {"colspan", "rowspan", "scope", "style"}
_ATTRIBUTES = {
    "table": {"border"}, "th": _SPAN, "td": _SPAN, "tr": {"style"}, "col": {"span"},
    "ol": {"start"}, "a": {"href"}, "img": {"src", "alt", "width", "height"},
}  # fmt: skip
_STYLES = {"text-align", "vertical-align", "font-weight", "font-style", "white-space"}
_PLAIN = re.compile(r"[\w .,%#;:()-]{0,200}")
_CSS = re.compile(r"[\w .%;:-]{0,200}", re.ASCII)
_DATA_PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/]+={0,2}")
_WEB = re.compile(r"(https?://|mailto:)[^\\\"'<>`\x00-\x20\x7f]+", re.IGNORECASE)


_BEGINS_A_TAG = re.compile("<[A-Za-z]")
_MOST_TAGS = 4000  # a table of two hundred rows; what is nested deeper takes an age to look at


def html(text: str) -> str | None:
    """HTML with the tags of plain text, tables and pictures that it holds itself; pandas' tables
    stay what they are. None where there is too much of it."""
    if len(_BEGINS_A_TAG.findall(text)) > _MOST_TAGS:
        return None
    return _html.clean(_without_controls(text))


def _attribute(tag: str, name: str, value: str) -> str | None:
    wanted = {"href": _WEB, "src": _DATA_PICTURE, "style": _CSS}.get(name, _PLAIN)
    return value if wanted.fullmatch(value) else None


_html = nh3.Cleaner(
    tags=_TABLES | _TEXT, clean_content_tags=_WITH_CONTENT, attributes=_ATTRIBUTES,
    attribute_filter=_attribute, allowed_classes={"table": {"dataframe"}},
    filter_style_properties=_STYLES, url_schemes={"http", "https", "mailto", "data"},
)  # fmt: skip

# -- markdown

# Tags without an end and tags that end with the paragraph: a stray one can open or close nothing
# of the page around it.
_void = nh3.Cleaner(
    tags={"br", "hr", "img", "sub", "sup", "kbd"}, clean_content_tags=_WITH_CONTENT,
    attributes={"img": _ATTRIBUTES["img"]},
    attribute_filter=lambda tag, name, value: _void_attribute(name, value),
    url_schemes={"attachment", "data"},
)  # fmt: skip
_MAY_BEGIN_A_TAG = re.compile(r"<(?=[A-Za-z/!?])(?:[^<>]*>)?")
_END_TAG = re.compile(r"</(sub|sup|kbd)>")
# What a link needs in every dialect: "](target" or "]: target".
_TARGET = re.compile(r"\]([(:])([ \t\n]*)([^ \t\n)]*)")
_MAY_BEGIN_A_PICTURE = re.compile(r"!\[(?:([^\[\]\n]*)\]\(([^ \t\n()]*)(?=[ \t\n)]))?")
_HERE = re.compile(r"(?!/)[^:&\\\"'<>`\x00-\x20\x7f]*")
_ATTACHED = "attachment:"
_MERMAID = re.compile(r"((?:```|~~~)[ \t]*)(?=mermaid)", re.IGNORECASE)


def markdown(text: str, pictures: Collection[str] = ()) -> str:
    """Markdown in which no program finds a tag, a link or a picture but harmless ones.

    Args:
        text: a cell's, or an output's.
        pictures: names of the pictures that are attached to the cell.
    """
    text = _without_controls(text)
    text = _COMMANDS.sub(r"\\ ", _MERMAID.sub(r"\1text ", text))
    text = _MAY_BEGIN_A_TAG.sub(lambda found: _tag(found[0], pictures), text)
    text = _TARGET.sub(lambda found: _target(found, pictures), text)
    return _MAY_BEGIN_A_PICTURE.sub(lambda found: _picture(found, pictures), text)


def _tag(text: str, pictures: Collection[str]) -> str:
    """A tag as the library writes it, or set apart."""
    if _END_TAG.fullmatch(text):
        return text
    cleaned = _void.clean(text) if text.endswith(">") else ""
    begin, end, _ = cleaned.partition(">")
    if not end or not begin.startswith("<"):
        return f"< {text[1:]}"
    if _ATTACHED in begin and not any(f'"{_ATTACHED}{name}"' in begin for name in pictures):
        return f"< {text[1:]}"
    return begin + end


def _void_attribute(name: str, value: str) -> str | None:
    if name != "src":
        return value if _PLAIN.fullmatch(value) else None
    return value if _DATA_PICTURE.fullmatch(value) or _is_here(value, ()) else None


def _target(found: re.Match[str], pictures: Collection[str]) -> str:
    kind, blank, where = found.groups()
    harmless = _WEB.fullmatch(where) or _is_here(where, pictures)
    return found[0] if harmless else f"] {kind}{blank}{where}"


def _picture(found: re.Match[str], pictures: Collection[str]) -> str:
    where = found[2]
    harmless = where and not where.startswith("#") and _is_here(where, pictures)
    return found[0] if harmless else f"! {found[0][1:]}"


def _is_here(where: str, pictures: Collection[str]) -> bool:
    """Whether a target is a picture of the cell's, or lies beside the notebook."""
    if where.startswith(_ATTACHED):
        return where.removeprefix(_ATTACHED) in pictures
    return bool(_HERE.fullmatch(where)) and ".." not in unquote(where)


# -- LaTeX

# What MathJax makes links, styles and ids of, and what TeX reads and writes files with.
_COMMANDS = re.compile(
    r"\\(?=(href|url|style|class|cssId|data|require|unicode|html\w*|input|include\w*|import\w*"
    r"|openin|openout|read|write\w*|immediate|special|catcode|csname|lstinputlisting"
    r"|verbatiminput|usepackage|directlua)(?![A-Za-z]))",
    re.IGNORECASE,
)


def latex(text: str) -> str:
    """LaTeX whose commands draw formulas and do nothing else, with no tag for a page that takes it
    for HTML, as nbconvert's do."""
    text = _COMMANDS.sub(r"\\ ", _without_controls(text))
    return _MAY_BEGIN_A_TAG.sub(lambda found: f"< {found[0][1:]}", text)


# -- what a terminal would show

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_COLOUR = (
    rf"(?:[34]8;5;{_BYTE}|[34]8;2;{_BYTE};{_BYTE};{_BYTE}|(?![34]8(?:;|m))[0-9]{{1,3}})"
)
_TERMINAL = re.compile(
    rf"(\x1b\[(?:{_COLOUR}(?:;{_COLOUR})*)?m)"  # colours, which pages show as such
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # a title, a link, the clipboard
    r"|\x1b.?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]",
    re.DOTALL,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def terminal(text: str) -> str:
    """What was printed: its colours stay, and of what else commands a terminal nothing."""
    return _TERMINAL.sub(lambda found: found[1] or "", text)


def _without_controls(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
