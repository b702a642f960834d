"""One reading of what is new: which listed posts are wanted, and how far the cursor may move.

X gives what has a greater id than `since_id`. A server that gives more shows it by the cursor's own
post, by known posts, or by posts that are neither later nor of a greater id. The cursor stops
before whatever could not be read, and never passes an id that cannot be right. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from bridge.core.model import Post, PostId
from bridge.core.record import Cursor
from bridge.networks.fields import EPOCH, list_at, mapping_at, number_at
from bridge.networks.x import ids
from bridge.networks.x.normalise import own_id

UNREADABLE_FOR = timedelta(days=1)
"""How long the cursor waits in front of an entry without an id; then it is passed over."""


class Place(Enum):
    """Where a post that was read stands towards what was asked for."""

    WANTED = auto()
    KNOWN = auto()
    MISSED = auto()
    """Older than what was read before, and never recorded."""
    BEYOND = auto()


@dataclass
class Following:
    """What one walk from the newest post back to `cursor` has met, in the order of the listing.

    `horizon` is the latest time at which something can have been written.
    """

    cursor: Cursor
    now: datetime
    horizon: datetime
    missed: set[PostId] = field(default_factory=set)
    _listed: list[Post | None] = field(default_factory=list)
    _wanted: set[PostId] = field(default_factory=set)

    def judge(self, post: Post, known: frozenset[PostId]) -> Place:
        """Where `post` stands. A known post is never wanted again."""
        place = self._place(post, known=post.id in known)
        if place in {Place.WANTED, Place.MISSED}:
            self._wanted.add(post.id)
        if place is Place.MISSED:
            self.missed.add(post.id)
        return place

    def note_page(self, payload: Mapping[str, object], posts: Sequence[Post]) -> None:
        """Remember what a page lists, with a hole for every entry that names no post."""
        listed, readable = list_at(payload, "data"), iter(posts)
        for item in listed:
            named = isinstance(item, Mapping) and own_id(item) is not None
            self._listed.append(next(readable, None) if named else None)
        if (number_at(mapping_at(payload, "meta"), "result_count") or 0) > len(listed):
            self._listed.append(None)

    def strays(self) -> frozenset[PostId]:
        """Wanted posts that must not move the cursor.

        Something older is unread when they are recorded, or their ids cannot be right.
        """
        strays, lowest = set[PostId](), None
        movable = {id(post) for post in self._movable()}
        # From the newest to the oldest, which is recorded first.
        for post in self._listed:
            if post is None or post.id not in self._wanted:
                continue
            value = self._number(post)
            ordered = value is not None and (lowest is None or value < lowest)
            if not ordered or id(post) not in movable or post.id in self.missed:
                strays.add(post.id)
            if value is not None:
                lowest = value if lowest is None else min(lowest, value)
        return frozenset(strays)

    def reached(self) -> Cursor | None:
        """How far the route has read once everything wanted is recorded; None for no farther."""
        values = [(value, post) for post in self._movable() if (value := self._number(post))]
        value, post = max(values, key=lambda each: each[0], default=(0, None))
        since = ids.number(self.cursor.post)
        if post is None or (since is not None and value <= since):
            return None
        dates = [each.created_at for _, each in values if EPOCH < each.created_at <= self.horizon]
        at = max([*dates, *([self.cursor.at] if self.cursor.at else [])], default=None)
        return Cursor(post.id, at, self.cursor.floor)

    def _movable(self) -> list[Post]:
        """What is listed below the oldest hole, and below everything that is above that hole."""
        below: list[Post] = []
        for place in range(len(self._listed) - 1, -1, -1):
            post = self._listed[place]
            if post is not None:
                below.append(post)
            elif not self._is_stale(place):
                above = [each for each in self._listed[:place] if each is not None]
                bound = min((v for each in above if (v := self._number(each))), default=None)
                return [
                    each
                    for each in below
                    if bound is None or ((v := self._number(each)) is not None and v < bound)
                ]
        return below

    def _is_stale(self, hole: int) -> bool:
        """Whether an entry has been unreadable for so long that it is hardly ever readable."""
        newer = (post for post in reversed(self._listed[:hole]) if post is not None)
        dates = (post.created_at for post in newer if post.created_at > EPOCH)
        return (dated := next(dates, None)) is not None and dated < self.now - UNREADABLE_FOR

    def _number(self, post: Post) -> int | None:
        return ids.sound(post.id, self.horizon, post.created_at)

    def _place(self, post: Post, *, known: bool) -> Place:
        cursor = self.cursor
        bound = cursor.floor if cursor.post is None else cursor.at
        dated = post.created_at > EPOCH
        before = dated and bound is not None and _precedes(post, cursor, bound)
        if known:
            beyond = post.id == cursor.post or before or bound is None or not dated
            return Place.BEYOND if beyond else Place.KNOWN
        if post.id == cursor.post:
            return Place.BEYOND
        if not before:
            return Place.WANTED
        if cursor.post is None or cursor.floor is None or post.created_at <= cursor.floor:
            return Place.BEYOND
        return Place.MISSED


def _precedes(post: Post, cursor: Cursor, bound: datetime) -> bool:
    mine, its = ids.number(post.id), ids.number(cursor.post)
    if mine is not None and its is not None:
        # Both signs together: a post may be back-dated, and ids may be given out of order.
        return mine < its and post.created_at <= bound
    return post.created_at < bound
