"""What the author of a Mastodon post typed, as text with spans.

The input is the plain text of ``GET /statuses/:id/source``: nothing to parse, only to recognise.
Must not be given Markdown or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from bridge.core.entities import mastodon_entities
from bridge.core.text import Span, SpanKind, Text
from bridge.networks.fields import readable, web_address
from bridge.networks.mastodon.people import People

LONGEST = 65_536
"""Characters of a source that are read."""

_SHORTCODE = re.compile(r" ?(?<![\w/:]):([A-Za-z0-9_]{1,64}):(?![\w/])")


def source_to_rich(
    source_text: str,
    mentions: Iterable[object],
    host: str,
    *,
    without_emoji: Collection[str] = (),
) -> Text:
    """The typed text (its first `LONGEST` characters) with links, mentions and hashtags marked.

    `mentions` is the status's ``mentions[]``, `host` the server's own name. Only who is listed
    there is a mention; other names are plain text, as they are on the server. The text stays as
    typed, the targets of its mentions are full handles. Never raises.
    """
    plain = without_shortcodes(readable(source_text[:LONGEST]).strip(), without_emoji).strip()
    people = People(mentions, host)
    spans = (_settled(span, people, host) for span in mastodon_entities(plain))
    return Text(plain, tuple(span for span in spans if span is not None))


def without_shortcodes(plain: str, emoji: Collection[str]) -> str:
    """`plain` without the ``:shortcode:`` of any of `emoji`."""
    return _SHORTCODE.sub(lambda m: "" if m[1] in emoji else m[0], plain) if emoji else plain


def _settled(span: Span, people: People, host: str) -> Span | None:
    if span.kind is SpanKind.MENTION:
        # A bare name means the author's own server, even where a namesake elsewhere is listed.
        local = None if "@" in span.target[1:] else people.named(f"{span.target}@{host}")
        handle = local or people.named(span.target)
        return None if handle is None else Span(span.start, span.end, span.kind, handle)
    if span.kind is SpanKind.LINK and web_address(span.target) is None:
        return None
    return span
