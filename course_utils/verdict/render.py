"""How results look: HTML where there is a browser, plain text everywhere else.

A :class:`Panel` holds both forms of the same thing. The HTML carries its styles inline, so that
it survives nbconvert and nbviewer; it takes its colours from JupyterLab's theme (``--jp-*``).
Where there is no such theme, or JupyterLab drops variables because the notebook is not trusted
(one that was reopened), plain colours stand in that suit light and dark pages alike. Nothing is
said by colour alone: every state has a sign of its own and a text for screen readers.
"""

from __future__ import annotations

import html
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from course_utils.ground import chart
from course_utils.ground.escaping import without_steering
from course_utils.ground.surroundings import ipython_shell

_WIDTH = 92
_MUTED = "opacity:.75;font-size:.92em"  # of a theme's own text colour: 7:1 on white, on black too
_DETAIL = "opacity:.88;font-size:.95em"
_BREAK = "overflow-wrap:anywhere"  # a long line of code must not widen a narrow page
_CODE = '<code style="color:inherit">'  # formgrader's red is too faint for small letters
_HIGHLIGHT = "rgba(255,152,0,.14)"
_SQUARES = {
    chart.LARGE: "background:rgba(245,124,0,.35)",
    chart.SMALL: "background:rgba(33,150,243,.35)",
    chart.OTHER: "background:rgba(245,124,0,.35)",
    chart.NOT_FINITE: "background:rgba(128,128,128,.35)",
}


_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Sign(Enum):
    """A state: its sign, what a screen reader says, a colour, and the theme's colour for it."""

    HOLDS = ("✓", "holds", "#388e3c", "--jp-success-color1")
    FAILS = ("✗", "does not hold", "#e53935", "--jp-error-color1")
    PARTLY = ("◐", "holds in part", "#e65100", "--jp-warn-color1")
    OPEN = ("○", "not written yet", "#808080", "--jp-ui-font-color2")
    UNJUDGED = ("–", "not judged yet", "#808080", "--jp-ui-font-color2")
    RUNNING = ("…", "takes long", "#0288d1", "--jp-info-color1")
    HINT = ("→", "hint", "#0288d1", "--jp-info-color1")

    @property
    def glyph(self) -> str:
        return self.value[0]

    def colored(self, rule: str) -> str:
        """A CSS rule for this state's colour, first plainly and then as the theme has it."""
        _, _, plain, theme = self.value
        return f"{rule}:{plain};{rule}:var({theme},{plain})"

    @property
    def html(self) -> str:
        glyph, spoken, *_ = self.value
        return (
            f'<span role="img" aria-label="{spoken}" '
            f'style="{self.colored("color")};font-weight:bold">{glyph}</span>'
        )


@dataclass(frozen=True)
class Panel:
    """Something to be shown, in both forms."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


@dataclass(frozen=True)
class Row:
    """One line of a list: a sign, a sentence, a detail in the background, and a chart of signs
    (``ground/chart``) below it."""

    sign: Sign
    claim: str
    detail: str = ""
    chart: Sequence[str] = ()


def show(panel: Panel) -> Any:
    """Show a panel in the notebook's output, or print it.

    Returns:
        In a notebook a handle, whose ``update(panel)`` puts another one in its place; else None.
    """
    if ipython_shell() is not None:
        from IPython.display import display

        return display(panel, display_id=True)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # A Windows console may lack ✓ and the like: rather a question mark than an exception.
    print(panel.text.encode(encoding, "replace").decode(encoding))
    return None


def frame(label: str, sign: Sign, *parts: str) -> str:
    """The HTML of a whole panel: a coloured edge and the parts, one below the other."""
    return (
        f'<section aria-label="{html.escape(label)}" style="border-left:4px solid;'
        f"{sign.colored('border-left-color')};"
        f"padding:.35em 0 .35em .9em;margin:.3em 0;max-width:56em;line-height:1.5;{_BREAK};"
        "color:var(--jp-content-font-color1,inherit);"
        "font-family:var(--jp-content-font-family,system-ui,sans-serif);"
        f'font-size:var(--jp-content-font-size1,14px)">{"".join(parts)}</section>'
    )


def heading(name: str, rest: str) -> str:
    """A panel's first line in HTML: the exercise's name and what is said of it."""
    return (
        f'<div><strong style="font-family:var(--jp-code-font-family,monospace)">'
        f"{html.escape(name)}</strong> · {inline(rest)}</div>"
    )


def line(text: str) -> str:
    """A paragraph of a panel."""
    return f'<div style="margin-top:.3em">{inline(text)}</div>'


def note(text: str) -> str:
    """A paragraph in the background: what to do next, what is still to come."""
    return f'<div style="{_MUTED};margin-top:.45em">{inline(text)}</div>'


def signed_list(rows: Iterable[Row]) -> str:
    """A list of sentences, each behind its sign and above its detail."""
    items = "".join(
        '<li style="display:flex;gap:.55em;margin:.3em 0">'
        f'{row.sign.html}<div style="min-width:0">{inline(row.claim)}'
        + (
            f'<div style="{_DETAIL if row.sign is Sign.FAILS else _MUTED}">'
            f"{inline(row.detail)}</div>"
            if row.detail
            else ""
        )
        + (_chart(row.chart) if row.chart else "")
        + "</div></li>"
        for row in rows
    )
    return f'<ul style="list-style:none;margin:.4em 0;padding:0">{items}</ul>'


def _chart(rows: Sequence[str]) -> str:
    """A chart of signs in HTML: a square for every entry, coloured besides, and what they mean."""
    lines = "".join(
        "<div>"
        + "".join(
            f'<span style="display:inline-block;width:1.5em;text-align:center;'
            f'{_SQUARES.get(sign, "")}">{sign}</span>'
            for sign in row
        )
        + "</div>"
        for row in rows
    )
    return (
        f'<div role="img" aria-label="{html.escape(chart.spoken(rows))}" style="margin:.3em 0;'
        "font-family:var(--jp-code-font-family,monospace);line-height:1.5;white-space:nowrap;"
        f'overflow-x:auto">{lines}</div>'
        f'<div style="{_MUTED}">{html.escape(chart.key(rows))}</div>'
    )


def fold(sign: Sign, title: str, rows: Iterable[Row]) -> str:
    """A list behind one line that a click unfolds."""
    return (
        '<details style="margin:.25em 0">'
        f'<summary style="cursor:pointer;padding-left:1.3em;text-indent:-1.3em">{sign.html} '
        f'<span style="{_MUTED}">{inline(title)}</span></summary>'
        f'<div style="margin-left:1.3em">{signed_list(rows)}</div></details>'
    )


def callout(title: str, body: str, *more: tuple[str, str]) -> str:
    """A highlighted box: its title in bold, its text, and further labelled lines."""
    rest = "".join(
        f'<div style="margin-top:.35em"><strong>{html.escape(label)}</strong> {inline(text)}</div>'
        for label, text in more
    )
    return (
        f'<div style="background:{_HIGHLIGHT};border-radius:4px;padding:.5em .8em;margin:.5em 0">'
        f"<strong>{html.escape(title)}</strong><div>{inline(body)}</div>{rest}</div>"
    )


def inline(text: str) -> str:
    """Text as HTML: escaped, `code` in backquotes set as code, line breaks kept."""
    escaped = html.escape(printable(text))
    return re.sub(r"`([^`\n]+)`", rf"{_CODE}\1</code>", escaped).replace("\n", "<br>")


def printable(text: str) -> str:
    """Text that any page and terminal can show: what steers a terminal or turns the direction of
    writing round, and what no encoding takes, goes.

    Exceptions of a student's code are quoted, and those may hold anything.
    """
    sound = text.encode("utf-8", "replace").decode("utf-8")
    return without_steering(_COLOUR.sub("", sound), keep="\n\t")


def wrap(text: str, *, first: str = "", rest: str | None = None) -> str:
    """Plain text in lines of a readable length, the first and the others indented as given."""
    after = " " * len(first) if rest is None else rest
    lines = printable(text).splitlines() or [""]
    return "\n".join(
        textwrap.fill(
            part,
            _WIDTH,
            initial_indent=first if number == 0 else after,
            subsequent_indent=after,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, part in enumerate(lines)
    )


def counted(number: int, what: str = "claim") -> str:
    """ "1 claim", "2 claims"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def figure(value: float) -> str:
    """A relative error or tolerance in the shortest form: 3e-16, 0, 0.02."""
    if value == 0:
        return "0"
    if 1e-2 <= abs(value) < 1e3:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa
