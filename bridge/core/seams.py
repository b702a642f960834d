"""What a cut has made of the ends of a part: names, links and cashtags that the text did not have.

``@name://`` means nobody, ``@name`` does; the same goes for words that are cut because no part can
hold them. Must not cut, and must not touch what the text said as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from bridge.core.defuse import defuse_accidental_links, one_cashtag
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.model import Network
from bridge.core.names import silenced
from bridge.core.text import Span, SpanKind, Text


def mended(parts: list[str], whole: str, network: Network, known: AbstractSet[str]) -> list[str]:
    """`parts` of `whole` without the mentions, accidental links and second cashtags of the cuts.

    `known` are the handles, in lower case, that `whole` may mention.
    """
    return [*map(mender(whole, network, known), parts)]


def mender(whole: str, network: Network, known: AbstractSet[str]) -> Callable[[str], str]:
    """What mends one part of `whole`; see `mended`."""
    scan = x_entities if network is Network.X else mastodon_entities
    links = {span.target for span in scan(whole) if span.kind is SpanKind.LINK}

    def is_meant(span: Span) -> bool:
        if span.kind is SpanKind.LINK:
            return span.target in links
        return span.kind is not SpanKind.MENTION or span.target.lower() in known

    def mend(part: str) -> str:
        if not _SIGNS[network].intersection(part):
            return part
        spans = scan(part)
        meant = tuple(filter(is_meant, spans))
        if network is Network.MASTODON:
            return silenced(Text(part, meant), network).plain
        if len(meant) == len(spans) and sum(s.kind is SpanKind.CASHTAG for s in spans) <= 1:
            return part
        return one_cashtag(defuse_accidental_links(silenced(Text(part, meant), network))).plain

    return mend


_SIGNS = {Network.X: frozenset("@＠$."), Network.MASTODON: frozenset("@＠")}
"""Without any of these there is nothing that could have come of a cut."""
