"""What a page would do if a browser opened it, as far as its tags say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

_RUNS = {
    "script", "iframe", "frame", "object", "embed", "applet", "form", "input", "button", "select",
    "textarea", "svg", "math", "style", "link", "meta", "base", "template", "noscript", "video",
    "audio", "source", "picture", "details", "marquee", "portal", "body", "html", "title", "xmp",
}  # fmt: skip
_LOADS = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "cite"}
_PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]*")
_LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z/!?]")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.dangers: list[str] = []
        self.tags = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += 1
        self.dangers += _of(tag, [(name, value or "") for name, value in attrs])

    def handle_endtag(self, tag: str) -> None:
        self.tags += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_comment(self, data: str) -> None:
        self.dangers.append("a comment")

    def handle_pi(self, data: str) -> None:
        self.dangers.append("an instruction")

    def unknown_decl(self, data: str) -> None:
        self.dangers.append("a declaration")


def dangers(fragment: str) -> list[str]:
    """What in a part of a page runs or loads something, or draws over the rest.

    What any program could take for a tag must be one that this one knows: so it does not matter
    that they parse broken HTML in their own ways.
    """
    seen = _Tags()
    seen.feed(fragment)
    seen.close()
    if seen.tags != len(_TAG.findall(fragment)):
        seen.dangers.append("something that might be a tag")
    return seen.dangers


def _of(tag: str, attributes: list[tuple[str, str]]) -> Iterator[str]:
    if tag in _RUNS or not tag.isalnum():
        yield f"<{tag}>"
    for name, value in attributes:
        text = re.sub(r"[\x00-\x20]", "", value)
        here = not re.match(r"[a-zA-Z][\w+.-]*:|/|\\", text) and ".." not in text
        if name.startswith("on") or not re.fullmatch(r"[a-z-]+", name):
            yield f"{tag} {name}={value!r}"
        if name in ("srcdoc", "is", "autofocus") or name.startswith("data-command"):
            yield f"{tag} {name}={value!r}"
        if name in _LOADS and not (_PICTURE.fullmatch(text) or here):
            yield f"{tag} {name}={value!r}"
        if name == "href" and not (_LINK.match(text) or here):
            yield f"{tag} href={value!r}"
        if name == "style" and re.search(r"url|expression|import|position|\\", value):
            yield f"{tag} style={value!r}"
