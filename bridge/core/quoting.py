"""What a post points at: quotes, and posts that it repeats. Another's words stay another's.

They are given by link, natively where the target has the mirror, or as an excerpt in quotation
marks with its author's name. Pure; must not fit texts, and knows no network's prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.core.capabilities import Capabilities
from bridge.core.defuse import clean
from bridge.core.graphemes import graphemes
from bridge.core.linking import link
from bridge.core.model import Post, PostId, QuoteRef, RepostRef
from bridge.core.policy import Policy
from bridge.core.shorten import shortened
from bridge.core.text import Span, SpanKind, Text, joined

if TYPE_CHECKING:
    # Composing needs nothing else of the ledger's records in memory.
    from bridge.core.record import Mirror

LONGEST_EXCERPT = 140
"""Graphemes of another's post that are repeated, so that it is an excerpt and no copy."""

_REPEATS = "↻"


NO_TEXT = Text("")


@dataclass(frozen=True, slots=True)
class Quoted:
    """How a quote is given: natively as `native`, or as `text`; what to note about it."""

    text: Text = NO_TEXT
    native: PostId | None = None
    note: str = ""


NOTHING = Quoted()


def quoted(
    post: Post, to: Capabilities, policy: Policy, mirror: Mirror | None, *, alone: bool
) -> Quoted:
    """The quote of `post` for the network that `to` describes. `mirror` is where an own one stands.

    `alone` says that there is a text and neither media nor a poll, as a native quote demands.
    """
    quote = post.quote
    if quote is None:
        return NOTHING
    if mirror is not None and to.quotes and alone:
        return Quoted(native=mirror.id, note="the mirror of the quoted post is quoted")
    address = (mirror.url if mirror is not None else None) or quote.url
    linked = policy.quotes == "link" and address is not None
    if linked and (address or "") in post.text.plain:
        return NOTHING
    # An own post without a mirror may have been kept from crossing: its words stay there.
    words = NO_TEXT if mirror is None and quote.own is not False else excerpt(quote)
    if linked and (mirror is not None or to.prices is None):
        words = NO_TEXT
    pieces = [piece for piece in (words, link(address or "") if linked else NO_TEXT) if piece.plain]
    ways = ["in words"] * bool(words.plain) + ["as a link"] * linked
    how = f"given {' and '.join(ways)}" if ways else "left out: nothing may be said of it here"
    to_mirror = " to its mirror" if linked and mirror is not None else ""
    return Quoted(joined(pieces, "\n"), note=f"quoted post {how}{to_mirror}")


def excerpt(quote: QuoteRef) -> Text:
    """``“what it says…” — @author``: never without quotation marks, empty where not known."""
    said = " ".join(clean(quote.text).split())
    if not said:
        return NO_TEXT
    short = shortened(said, LONGEST_EXCERPT, lambda text: len(graphemes(text)))
    words = Text(f"“{short}”")
    return joined((words, _name(quote.author)), " — ") if quote.author else words


def reposted(repost: RepostRef) -> Text:
    """Another's post as a link that says whose it is; empty where its address is not known."""
    if repost.url is None:
        return NO_TEXT
    named = joined((Text(_REPEATS), _name(repost.author)), " ")
    return joined((named if repost.author else Text(_REPEATS), link(repost.url)), "\n")


def _name(author: str) -> Text:
    """A handle as a mention, for the rules that keep it from pinging anybody."""
    handle = f"@{' '.join(clean(author).split()).lstrip('@')}"
    return Text(handle, (Span(0, len(handle), SpanKind.MENTION, handle),))
