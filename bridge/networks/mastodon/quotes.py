"""Taking out of a text what servers write into it for readers that cannot show quotes.

Only a line of its own, at either end, that points at the very post being quoted: an author may
have written the same words. Must not parse markup or statuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bridge.core.text import Span, SpanKind, Text
from bridge.networks.mastodon.people import address_key

_PREFIX = re.compile(r"(?:RE|QT|RN|RT): *", re.IGNORECASE)


def without_fallback(text: Text, quote_urls: Collection[str]) -> Text:
    """`text` without a first or last line ``RE: <address>`` for one of `quote_urls`, once."""
    wanted = {address_key(url) for url in quote_urls}
    links = text.of_kind(SpanKind.LINK)
    for link in dict.fromkeys((*links[-1:], *links[:1])):
        if address_key(link.target) in wanted and (line := _own_line(text.plain, link)):
            return _without(text, *line)
    return text


def _own_line(plain: str, link: Span) -> tuple[int, int] | None:
    """Where the line that holds nothing but `link` and its prefix lies, if it ends the text."""
    begin = plain.rfind("\n", 0, link.start) + 1
    end = plain.find("\n", link.end)
    end = len(plain) if end < 0 else end
    alone = _PREFIX.fullmatch(plain[begin : link.start]) and not plain[link.end : end].strip()
    if not alone or (plain[:begin].strip() and plain[end:].strip()):
        return None
    return begin, end


def _without(text: Text, begin: int, end: int) -> Text:
    """`text` without ``[begin, end)`` and the white space that this leaves at an end."""
    plain = text.plain
    if plain[end:].strip():
        rest = len(plain) - len(plain[end:].lstrip())
        moved = (Span(s.start - rest, s.end - rest, s.kind, s.target) for s in text.spans)
        return Text(plain[rest:], tuple(span for span in moved if span.start >= 0))
    kept = plain[:begin].rstrip()
    return Text(kept, tuple(span for span in text.spans if span.end <= len(kept)))
