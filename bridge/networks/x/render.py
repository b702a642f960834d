"""From a part of a mirror to the body of X's create request. Must not do I/O, nor alter the text.

Source: the schema `CreatePostsRequest` of the OpenAPI documents, which allow no field beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from bridge.core.draft import DraftPart, DraftPoll
from bridge.core.entities import x_links
from bridge.core.model import MediaId, Microdollars, PostId
from bridge.core.prices import PriceTable, creation

_SHORTEST_POLL = 5
_LONGEST_POLL = 7 * 24 * 60


class _Poll(TypedDict):
    options: list[str]
    duration_minutes: int


class CreateBody(TypedDict, total=False):
    """The JSON object of a creation or an edit."""

    text: str
    media: dict[str, list[str]]
    poll: _Poll
    reply: dict[str, str]
    edit_options: dict[str, str]


def create_body(
    part: DraftPart,
    reply_to: PostId | None,
    *,
    media: Sequence[MediaId] = (),
    now: datetime,
) -> CreateBody:
    """What to send for `part` now: `text` always, since X refuses a body without it.

    A poll is made for the whole minutes that are left of it. Where fewer are left than X allows,
    the same is said in words.
    """
    minutes = 0 if part.poll is None else _minutes_left(part.poll, now)
    body: CreateBody = {"text": part.text}
    if part.poll is not None and minutes < _SHORTEST_POLL:
        body["text"] = part.poll.otherwise
    elif part.poll is not None:
        body["poll"] = {"options": list(part.poll.options), "duration_minutes": minutes}
    if media:
        body["media"] = {"media_ids": [str(each) for each in media]}
    if reply_to is not None:
        body["reply"] = {"in_reply_to_tweet_id": str(reply_to)}
    return body


def price_of(body: CreateBody, prices: PriceTable) -> Microdollars:
    """What creating it costs, uploads aside: by whether X finds a link in its text."""
    return creation(prices, has_link=bool(x_links(body["text"])))


def _minutes_left(poll: DraftPoll, now: datetime) -> int:
    """0 also for a poll that X cannot have, for whatever reason."""
    if poll.multiple:
        return 0
    return min((poll.ends_at - now) // timedelta(minutes=1), _LONGEST_POLL)
