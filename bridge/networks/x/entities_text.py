"""From X's text and its entities to plain text with spans.

X escapes three characters and replaces every link by a ``t.co`` one. Links are put back whole, the
links that X adds for media and quotes are removed, and what remains is unescaped once, last. An
entity that cannot be found costs a span, never text. Must not know posts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import regex

from bridge.core.text import Span, SpanKind, Text
from bridge.networks.fields import mappings_at, number_at, readable, text_at, web_address
from bridge.networks.x.addresses import is_shortener, status_address, without_tracking
from bridge.networks.x.places import ESCAPE, SHORT_LINK, Place, Places

LONGEST = 100_000
"""Characters of a text that are read: four times what the longest post may have."""

_MOST_ENTITIES = 2_000
_NAMES = (
    (SpanKind.MENTION, "mentions", "username", "@"),
    (SpanKind.HASHTAG, "hashtags", "tag", "#"),
    (SpanKind.CASHTAG, "cashtags", "tag", "$"),
)
_MEANING = {"amp": "&", "lt": "<", "gt": ">"}
_MEDIA_SHOWN = ("pic.x.com", "pic.twitter.com")
_LEAVES_A_LINK = regex.compile(r"[!*\"';:=,.$%\[\]~&|@]{0,16}(?:[\s()<>]|\Z)")


@dataclass(frozen=True, slots=True)
class Body:
    """A post's text, the address by which it quotes, and what its media links tell of its media.

    `unnamed_media` are addresses of media that came without a key.
    """

    text: Text
    quote_url: str | None = None
    media_keys: tuple[str, ...] = ()
    unnamed_media: tuple[str, ...] = ()


class _Find(NamedTuple):
    """A place of the escaped text and what it stands for; `kind` None removes it."""

    place: Place
    kind: SpanKind | None
    target: str = ""


@dataclass(slots=True)
class _Links:
    """What the link entities of one text say."""

    own_ids: Collection[str]
    quoted: str | None
    quote_url: str | None = None
    media_keys: dict[str, None] = field(default_factory=dict)
    unnamed_media: dict[str, None] = field(default_factory=dict)

    def read(self, entity: Mapping[str, object], place: Place | None) -> _Find | None:
        """What stands at `place` instead of the short link."""
        expanded = web_address(entity.get("expanded_url"))
        named = status_address(expanded) if expanded is not None else None
        if self._takes_medium(entity, expanded):
            kind, target = None, ""
        elif expanded is not None and named is not None and named.post == self.quoted:
            self.quote_url = self.quote_url or without_tracking(expanded)
            kind, target = None, ""
        else:
            kind, target = SpanKind.LINK, _target(entity, expanded)
        if place is None or (kind is not None and not target):
            return None
        return _Find(place, kind, target)

    def _takes_medium(self, entity: Mapping[str, object], expanded: str | None) -> bool:
        """Whether this is the link that X adds for a medium; if so, note the medium."""
        key = text_at(entity, "media_key")
        if key:
            self.media_keys[key] = None
            return True
        named = status_address(expanded) if expanded is not None else None
        if expanded is None or named is None or named.media is None:
            return False
        shown = text_at(entity, "display_url").lower().removeprefix("https://")
        if not shown.startswith(_MEDIA_SHOWN) and named.post not in self.own_ids:
            return False
        self.unnamed_media[expanded] = None
        return True


def read_text(
    text: str,
    entities: Mapping[str, object],
    *,
    own_ids: Collection[str] = (),
    quoted: str | None = None,
) -> Body:
    """Plain text with spans, from an escaped text (its first `LONGEST` characters).

    `entities` must be those of the same text. `own_ids` are the ids of the post itself, `quoted`
    that of the post it quotes. Never raises.
    """
    text = text[:LONGEST]
    places = Places(text)
    links = _Links(own_ids, quoted)
    finds = [links.read(entity, places.link(entity)) for entity in _in_order(entities, "urls")]
    for kind, listed, key, sign in _NAMES:
        places.begin()
        for entity in _in_order(entities, listed):
            name = text_at(entity, key).lstrip(sign)
            place = places.name(entity, name, sign) if name else None
            if place is not None:
                target = readable(name)
                finds.append(_Find(place, kind, f"@{target}" if sign == "@" else target))
    # A short link that no entity explains still leads where it leads.
    finds += (_Find(Place(*m.span()), SpanKind.LINK, m[0]) for m in SHORT_LINK.finditer(text))
    return Body(
        text=_assembled(text, [find for find in finds if find is not None]),
        quote_url=links.quote_url,
        media_keys=tuple(links.media_keys),
        unnamed_media=tuple(links.unnamed_media),
    )


def _in_order(entities: Mapping[str, object], listed: str) -> Iterable[Mapping[str, object]]:
    """One kind of entity in the order of the text; wrong positions tend to keep it."""
    found = mappings_at(entities, listed)[:_MOST_ENTITIES]
    return sorted(found, key=lambda entity: number_at(entity, "start") or 0)


def _target(entity: Mapping[str, object], expanded: str | None) -> str:
    """Where a link leads: never through a shortener if X knows what is behind it."""
    unwound = web_address(entity.get("unwound_url"))
    if expanded is None or is_shortener(expanded):
        expanded = unwound or expanded or web_address(entity.get("url"))
    return "" if expanded is None else without_tracking(expanded)


def _assembled(text: str, finds: list[_Find]) -> Text:
    """The text with every find in its place; of two that overlap, the first one found stays."""
    pieces: list[str] = []
    spans: list[Span] = []
    position = length = 0
    for find in sorted(finds, key=lambda find: (find.place.start, find.kind is not None)):
        start, end = find.place
        if start < position:
            continue
        before = _plain(text[position:start])
        if find.kind is None:
            before = before.rstrip()
            end += 0 if length or before else _white(text, end)
        pieces.append(before)
        length += len(before)
        position = end
        if find.kind is None:
            continue
        words = find.target if find.kind is SpanKind.LINK else _signed(readable(text[start:end]))
        spans.append(Span(length, length + len(words), find.kind, find.target))
        if find.kind is SpanKind.LINK and not _LEAVES_A_LINK.match(text, end):
            # A short link ended here; the whole one would swallow what touches it.
            words += " "
        pieces.append(words)
        length += len(words)
    pieces.append(_plain(text[position:]))
    return _stripped("".join(pieces), spans)


def _plain(escaped: str) -> str:
    return readable(ESCAPE.sub(lambda match: _MEANING[match[1]], escaped))


def _signed(words: str) -> str:
    """A name with its sign in the one form that both networks know."""
    return {"＃": "#", "＠": "@"}.get(words[:1], words[:1]) + words[1:]


def _white(text: str, position: int) -> int:
    rest = text[position:]
    return len(rest) - len(rest.lstrip())


def _stripped(plain: str, spans: list[Span]) -> Text:
    lead = len(plain) - len(plain.lstrip())
    return Text(
        plain.strip(), tuple(Span(s.start - lead, s.end - lead, s.kind, s.target) for s in spans)
    )
