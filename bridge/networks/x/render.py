"""From a part of a mirror to the body of X's create request. Must not do I/O, nor alter the text.

Source: the schema `CreatePostsRequest` of the OpenAPI documents, which allow no field beyond it.
"""

from __future__ import annotations

from bridge.core.draft import DraftPart
from bridge.core.entities import x_links
from bridge.core.model import Microdollars, PostId
from bridge.core.prices import PriceTable, creation

CreateBody = dict[str, str | dict[str, str]]


def create_body(part: DraftPart, reply_to: PostId | None) -> CreateBody:
    """The JSON object to send: `text` always, since X refuses a body without it, and the parent."""
    body: CreateBody = {"text": part.text}
    if reply_to is not None:
        body["reply"] = {"in_reply_to_tweet_id": str(reply_to)}
    return body


def price_of(part: DraftPart, prices: PriceTable) -> Microdollars:
    """What creating `part` as rendered here costs: by whether X finds a link in its text."""
    return creation(prices, has_link=bool(x_links(part.text)))
