"""What becomes of links: kept, dropped, or written so that they can be read and are none.

On a network that charges more for a post with a link this is the owner's way to say what a link is
worth. Must not know prices, and never touches names or tags.
"""

from __future__ import annotations

import re

from bridge.core.defuse import JOINER, Edit, edited
from bridge.core.entities import x_entities
from bridge.core.policy import Links
from bridge.core.text import Span, SpanKind, Text

_SCHEME_RE = re.compile(r"https?://", re.IGNORECASE)
_HOST_END_RE = re.compile(r"[/?#:]")
_BREAKS = frozenset("\n")
_SPACES = frozenset(" \t\u00a0\u3000")


def with_links_as(text: Text, choice: Links) -> tuple[Text, int]:
    """`text` with its links as `choice` says, and how many of them were changed.

    Links are LINK spans, and whatever else has a scheme. What is dropped takes the white space
    before it along. What is defused loses its scheme and has U+2060, which nobody sees, before each
    dot of its host; it is no LINK span any more.
    """
    if choice == "keep":
        return text, 0
    text = _with_all_links(text)
    links = text.of_kind(SpanKind.LINK)
    if not links:
        return text, 0
    if choice == "drop":
        return edited(text, [dropped(text.plain, link) for link in links]), len(links)
    plain = text.rewritten(
        lambda span, shown: _readable(shown) if span.kind is SpanKind.LINK else shown
    )
    others = tuple(span for span in plain.spans if span.kind is not SpanKind.LINK)
    return Text(plain.plain, others), len(links)


def _with_all_links(text: Text) -> Text:
    """`text` in which everything with a scheme is a LINK span, unless another span covers it."""
    if "://" not in text.plain:
        return text
    found: list[Span] = []
    index = 0
    for span in x_entities(text.plain):
        if span.kind is not SpanKind.LINK or "://" not in span.target[:8]:
            continue
        while index < len(text.spans) and text.spans[index].end <= span.start:
            index += 1
        if index == len(text.spans) or text.spans[index].start >= span.end:
            found.append(span)
    return Text(text.plain, tuple(sorted((*text.spans, *found)))) if found else text


def dropped(plain: str, link: Span) -> Edit:
    """The edit that takes a span away, and the white space before it."""
    start = link.start
    while start and plain[start - 1] in _SPACES:
        start -= 1
    if link.end == len(plain) or plain[link.end] in _BREAKS:
        while start and plain[start - 1] in _BREAKS | _SPACES:
            start -= 1
    return start, link.end, ""


def _readable(shown: str) -> str:
    bare = _SCHEME_RE.sub("", shown)
    found = _HOST_END_RE.search(bare)
    end = found.start() if found else len(bare)
    return bare[:end].replace(".", f"{JOINER}.") + bare[end:]


def link(url: str) -> Text:
    """An address as a text that is a link."""
    return Text(url, (Span(0, len(url), SpanKind.LINK, url),)) if url else Text("")
