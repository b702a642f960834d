"""X's ids: numbers of up to 19 digits that sort by time and contain it, to the millisecond.

Whether one can be right is all that is asked of it; what a network says is untrusted input. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.core.plausible import AHEAD, FOREVER
from bridge.networks.fields import EPOCH

if TYPE_CHECKING:
    # Whoever only normalizes needs nothing of the ledger's records in memory.
    from bridge.core.audits import Seen
    from bridge.core.record import Cursor

_LARGEST = 2**63 - 1
_LONGEST = 19
_SAME_TIME = timedelta(minutes=1)
_START = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
"""The time of the id 0."""


def number(post: str | None) -> int | None:
    """The number that an id is, None for what cannot be an id of X."""
    if post is None or len(post) > _LONGEST or not (post.isascii() and post.isdigit()):
        return None
    value = int(post)
    return value if value <= _LARGEST else None


def is_too_long(post: str) -> bool:
    """Whether an id has more digits, or a greater value, than any of X's."""
    return post.isascii() and post.isdigit() and number(post) is None


def written_at(value: int) -> datetime:
    """When the post with the id `value` was written; ids that are no snowflakes say 2010."""
    return _START + timedelta(milliseconds=value >> 22)


def agrees(post: str | None, dated: datetime) -> bool:
    """Whether an id says that its post was written when that says so itself."""
    value = number(post)
    return value is not None and abs(written_at(value) - dated) <= _SAME_TIME


def sound(post: str | None, horizon: datetime, dated: datetime | None = None) -> int | None:
    """The number of an id that can be right at `horizon`, None for any other.

    Where the own clock rules nothing out, the post's own date does.
    """
    value = number(post)
    if value is None:
        return None
    if horizon == FOREVER and dated is not None and dated > EPOCH:
        horizon = dated + AHEAD
    return value if written_at(value) <= horizon else None


def is_sound(cursor: Cursor, horizon: datetime) -> bool:
    """Whether a cursor can be right: nothing that was read can have been written in the future."""
    dated = cursor.at is None or cursor.at <= horizon
    return dated and (cursor.post is None or sound(cursor.post, horizon, cursor.at) is not None)


def last_sound(cursor: Cursor, seen: Sequence[Seen], horizon: datetime) -> Cursor:
    """Where to read on from in place of a `cursor` that cannot be right.

    The greatest possible id of what was seen; from the start where there is none.
    """
    posts = [(cursor.post, cursor.at), *((each.id, each.created_at) for each in seen)]
    found = [
        (value, post, at) for post, at in posts if (value := sound(post, horizon, at)) is not None
    ]
    if not found:
        return replace(cursor, post=None, at=None)
    value, post, at = max(found, key=lambda each: each[0])
    if at is None or not EPOCH < at <= horizon:
        at = max(written_at(value), cursor.floor or EPOCH)
    return replace(cursor, post=post, at=at)
