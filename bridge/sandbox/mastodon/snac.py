"""Texts as snac 2.8x makes HTML of them: its own Markdown, and whatever HTML is in them.

After the behavior of `format.c` and `process_tags`. Pure. Emoticons become emoji; an address of a
picture becomes an attachment and vanishes from the text. What looks like a tag of another kind than
the known ones begins a paragraph.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from bridge.sandbox.mastodon.marks import Mark

_SPACE = r" \t\n\v\f\r"
_NO_SPACE = rf"(?:[^{_SPACE},.)]+|[,.)]+[^{_SPACE},.)])+"
_INLINE = re.compile(
    rf"""
    `[^`]+` | ~~[^~]+~~ | \*\*?\*?[^*]+\*?\*?\* | __[^_]+__
    | !?\[[^]]+\]\([^)]+\)\)?
    | (?<![a-z])[a-z]+://{_NO_SPACE}
    | (?:mailto|xmpp):[^@{_SPACE}]+@{_NO_SPACE}
    """,
    re.VERBOSE,
)
_PICTURE = re.compile(r"\.(?:avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp)\Z", re.IGNORECASE)
_TAGS = re.compile(r"</?([^>]+)>")
_KNOWN_TAG = re.compile(
    "a|p|br/?|blockquote|ul|ol|li|cite|small|span|i|b|u|s|pre|code|em|strong|hr|img|del|bdi|h[23]"
)
_ATTRIBUTES = re.compile(r"""(?:src|href|rel|class|target)=(?:"[^"]*"|'[^']*')""")
_NAMES = re.compile(r"@([A-Za-z0-9_]+(?:@[A-Za-z0-9.-]+)?)|&#[0-9]+;|#([^ ,.:;<]+)")
_SMILEYS = {
    ":-)": "&#128578;",
    ":-D": "&#128512;",
    "X-D": "&#128518;",
    ";-)": "&#128521;",
    "B-)": "&#128526;",
    ">:-(": "&#128545;",
    ":-(": "&#128542;",
    ":-*": "&#128536;",
    ":-/": "&#128533;",
    "8-o": "&#128562;",
    "%-)": "&#129322;",
    ":_(": "&#128546;",
    ":-|": "&#128528;",
    "<3": "&#10084;&#65039;",
    ":facepalm:": "&#129318;",
    ":shrug:": "&#129335;",
    ":beer:": "&#127866;",
    ":thumb:": "&#128077;",
}
_HEADINGS = {"# ": "h2", "## ": "h2", "### ": "h3"}


def render(text: str, linked: Callable[[Mark], str]) -> str:
    """`text` as HTML; `linked` makes the link of a hashtag or of a mention."""
    made = _lines(text)
    for smiley, emoji in _SMILEYS.items():
        made = made.replace(smiley, emoji)
    named = _NAMES.sub(lambda found: _named(found, linked), made)
    return _TAGS.sub(_sanitized, named)


def _lines(text: str) -> str:
    made: list[str] = []
    preformatted = False
    for line in text.split("\n"):
        if line == "```":
            preformatted = not preformatted
            made.append("<pre>" if preformatted else "</pre>")
        elif preformatted:
            made.append(html.escape(line) + "<br>")
        else:
            made.append(_line(_INLINE.sub(_inline, line).strip(" \t\v\f\r")))
    return "".join(made) + ("</pre>" if preformatted else "")


def _line(line: str) -> str:
    if line.startswith("---"):
        return f"<hr>{line[3:].strip()}"
    for mark, tag in _HEADINGS.items():
        if line.startswith(mark):
            return f"<{tag}>{line[len(mark) :].strip()}</{tag}>"
    if line.startswith(">"):
        return f"<blockquote>{line[1:].strip()}<br></blockquote>"
    if line.startswith(("* ", "- ")):
        return f"<ul><li>{line[1:].strip()}</ul>"
    return f"{line}<br>"


def _inline(found: re.Match[str]) -> str:
    said = found[0]
    for mark, tag in (("`", "code"), ("**", "b"), ("*", "i"), ("__", "u"), ("~~", "s")):
        if said.startswith(mark):
            return f"<{tag}>{said.strip(mark[0])}</{tag}>"
    said = said.replace("#", "&#35;").replace("@", "&#64;")
    if said.startswith(("[", "!")):
        name, _, address = said.lstrip("![").partition("](")
        return f'<a href="{address[:-1]}">{name}</a>'
    address = said.strip(".,)")
    return "" if _PICTURE.search(address) else f'<a href="{address}" target="_blank">{said}</a>'


def _named(found: re.Match[str], linked: Callable[[Mark], str]) -> str:
    if found[1] is not None:
        return linked(Mark(found.start(), found.end(), "mention", found[1]))
    if found[2] is not None:
        return linked(Mark(found.start(), found.end(), "hashtag", found[2]))
    return found[0]


def _sanitized(found: re.Match[str]) -> str:
    closing = "/" if found[0].startswith("</") else ""
    tag = found[1].strip().split(" ", 1)[0].lower()
    if not _KNOWN_TAG.fullmatch(tag):
        return "" if found[0] == "</div>" else "<p>"
    kept = " ".join(_ATTRIBUTES.findall(found[0]))
    return f"<{closing}{tag}{' ' if kept else ''}{kept}>"
