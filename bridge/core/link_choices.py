"""What a post would cost under each choice of what becomes of its links, so that it can be told.

Pure. Must not choose: that is the owner's policy.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.core.capabilities import Capabilities
from bridge.core.compose import Context, compose
from bridge.core.draft import Draft, LinkPrices
from bridge.core.entities import x_links
from bridge.core.model import Microdollars, Post
from bridge.core.policy import Links, Policy
from bridge.core.text import SpanKind


def with_link_prices(post: Post, to: Capabilities, policy: Policy, context: Context) -> Draft:
    """The draft of `post`, with the price of each choice where it has links and these cost."""
    draft = compose(post, to, policy, context)
    if to.prices is None or not _may_have_links(post, draft):
        return draft

    def price(links: Links) -> Microdollars:
        chosen = replace(policy, links=links, max_usd_per_post=None)
        return compose(post, to, chosen, context).price

    return replace(draft, links=LinkPrices(price("keep"), price("defuse"), price("drop")))


def _may_have_links(post: Post, draft: Draft) -> bool:
    said = any(span.kind is SpanKind.LINK for span in post.text.spans)
    quotes = post.quote is not None or post.repost is not None
    written = any(x_links(text) for text in (post.text.plain, *(part.text for part in draft.parts)))
    return said or quotes or written
