"""What is asked of a timeline, in either of X's vocabularies, at the least price.

Exactly one vocabulary a request: the other one's names would be ignored in silence, and billed.
Source: OpenAPI 2.167 ("post") and 2.166 ("tweet"), `GET /2/users/{id}/tweets` and
`GET /2/tweets/{id}`. Must not read answers; `normalise` and `dialects` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

LARGEST_PAGE = 100
SMALLEST_PAGE = 5
EARLIEST_START = datetime(2010, 11, 6, 0, 0, 1, tzinfo=UTC)
"""X refuses a `start_time` before this; what is older is read from the beginning then."""

_SHARED = (
    "attachments",
    "community_id",
    "conversation_id",
    "created_at",
    "entities",
    "lang",
    "media_metadata",
    "possibly_sensitive",
    "scopes",
)
_ATTACHED = ("attachments.media_keys", "attachments.poll_ids")
_MEDIA = (
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "preview_image_url",
    "type",
    "url",
    "variants",
    "width",
)
_POLL = ("duration_minutes", "end_datetime", "id", "options", "voting_status")
_ON_EVERY_POST = frozenset({"conversation_id", "created_at", "lang", "possibly_sensitive"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vocabulary. `telling` names what every post carries once the request was understood.

    Authors and parents' authors are not expanded: user objects are billed at ten times the price
    of an own post, the author of one's own timeline is known, and whether a parent is an own post
    can be told from the ids of one's own posts.
    """

    name: str
    fields_parameter: str
    fields: tuple[str, ...]
    expansions: tuple[str, ...]
    telling: frozenset[str]


POST = Dialect(
    name="post",
    fields_parameter="post.fields",
    fields=(*_SHARED, "note_post", "text"),
    # References and the edit history are expansions here; the old vocabulary has them for nothing.
    expansions=(*_ATTACHED, "edit_history_post_ids", "referenced_posts"),
    telling=_ON_EVERY_POST | {"edit_history_post_ids"},
)
TWEET = Dialect(
    name="tweet",
    fields_parameter="tweet.fields",
    fields=(
        *_SHARED,
        "author_id",
        "edit_history_tweet_ids",
        "in_reply_to_user_id",
        "note_tweet",
        "referenced_tweets",
        "text",
    ),
    expansions=_ATTACHED,
    telling=_ON_EVERY_POST | {"author_id", "edit_history_tweet_ids"},
)

DECISIVE = frozenset({"created_at", "edit_history_post_ids", "edit_history_tweet_ids"})
"""Fields without which a dialect does not serve: dates bound a flood, histories tell edits."""


def other(dialect: Dialect) -> Dialect:
    """The other vocabulary."""
    return TWEET if dialect is POST else POST


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a timeline is wanted, newest first; all of it where nothing is set.

    `since_id` and `until_id` are exclusive; `start` (aware) is inclusive and is cut to whole
    seconds on the wire.
    """

    since_id: str | None = None
    start: datetime | None = None
    page_size: int = LARGEST_PAGE
    until_id: str | None = None


def single(dialect: Dialect) -> dict[str, str]:
    """The query of one post by its id."""
    return {
        dialect.fields_parameter: ",".join(dialect.fields),
        "expansions": ",".join(dialect.expansions),
        "media.fields": ",".join(_MEDIA),
        "poll.fields": ",".join(_POLL),
    }


def parameters(dialect: Dialect, stretch: Stretch, token: str | None) -> dict[str, str]:
    """The query of one page of `stretch`; `token` is the page before's `next_token`."""
    query = {**single(dialect), "max_results": str(stretch.page_size)}
    if stretch.since_id is not None:
        query["since_id"] = stretch.since_id
    if stretch.start is not None and stretch.start >= EARLIEST_START:
        query["start_time"] = f"{stretch.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if stretch.until_id is not None:
        query["until_id"] = stretch.until_id
    if token is not None:
        query["pagination_token"] = token
    return query
