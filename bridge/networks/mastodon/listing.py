"""What one's own timeline lists, and which of it is new.

The ledger's knowledge decides, then the place in the server's own listing, and only then a date.
Ids are never compared by size. Must not ask the server anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.core.model import Post, PostId
from bridge.core.record import Cursor
from bridge.networks.fields import EPOCH
from bridge.ports import Known


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a listing: what the server said, and the post it became."""

    said: Mapping[str, object]
    post: Post


SOLID = 20
"""Posts in a row below which nothing new is looked for with every pass."""


@dataclass
class Ground:
    """What is known of a stretch, and whether it reaches down to what was dealt with before.

    A known post that is dated in the future proves nothing: new posts may be listed below it.
    """

    known: Known
    cursor: Cursor
    horizon: datetime
    dealt_with: set[PostId] = field(default_factory=set)
    blind: bool = True
    """Whether nothing that is listed is known."""
    depth: int = 0
    """How many posts of the end of what was looked at are ground without a break."""
    seen: int = 0

    async def reached(self, page: Sequence[Item]) -> bool:
        """Whether nothing unread stands below `page`, the next one of a listing.

        Posts may be misplaced by some places, so a whole stretch of ground is asked for, or that
        all there is be ground.
        """
        await self.look(page)
        for item in page:
            self.depth = self.depth + 1 if self.holds(item) else 0
        self.seen += len(page)
        return self.depth >= min(SOLID, self.seen)

    async def look(self, page: Sequence[Item]) -> None:
        """Ask what of `page` is known."""
        ids = ids_of(page)
        known = await self.known(ids)
        self.blind &= not known
        self.dealt_with.update(known, [each for each in ids if each == self.cursor.post])

    def holds(self, item: Item) -> bool:
        """Whether a post was dealt with, or stood there before the start."""
        at, floor = item.post.created_at, self.cursor.floor
        if item.post.id in self.dealt_with and at <= self.horizon:
            return True
        return floor is not None and EPOCH < at <= floor

    def place(self, listed: Sequence[Item]) -> int:
        """Where in `listed` the ground begins; its length where it does not."""
        for place, item in enumerate(listed):
            if self.holds(item) and all(map(self.holds, listed[place + 1 : place + 2])):
                return place
        return len(listed)


def new_ones(listed: Sequence[Item], bound: datetime | None, ground: Ground) -> list[Item]:
    """Which of `listed` (in the server's order, newest first) have not been dealt with yet.

    Whatever stands above the ground, or above anything known, is new, however it is dated: it was
    not there when that was read. Elsewhere only what is later than `bound` is.
    """
    known = (place for place, item in enumerate(listed, 1) if item.post.id in ground.dealt_with)
    solid = 0 if ground.blind else max(ground.place(listed), *known)
    return [
        item
        for place, item in enumerate(listed)
        if item.post.id not in ground.dealt_with
        and not _is_edit(item.post, bound)
        and (place < solid or bound is None or _is_later(item.post, bound, ground))
    ]


def _is_later(post: Post, bound: datetime, ground: Ground) -> bool:
    """Whether time alone tells that a post is new; in doubt it is where nothing else tells."""
    return post.created_at > bound or (ground.blind and post.created_at == bound)


def _is_edit(post: Post, at: datetime | None) -> bool:
    """Whether an unknown post is an old one under a new id: at least one server edits that way."""
    return at is not None and post.edited_at is not None and EPOCH < post.created_at <= at


def is_older(item: Item, at: datetime | None) -> bool:
    """Whether a post is surely from before `at`; an unreadable date proves nothing."""
    return at is not None and EPOCH < item.post.created_at < at


def all_older(items: Sequence[Item], at: datetime | None) -> bool:
    """Whether that holds of each of `items`."""
    return all(is_older(item, at) for item in items)


def each_once(items: Iterable[Item]) -> list[Item]:
    """The first item of each id."""
    return list({item.post.id: item for item in reversed(list(items))}.values())[::-1]


def oldest_first(page: Sequence[Item]) -> list[Item]:
    """A page turned round, unless the server lists it that way already."""
    if page[0].post.created_at < page[-1].post.created_at:
        return list(page)
    return list(reversed(page))


def by_time(listed: Sequence[Item]) -> list[Item]:
    """Oldest first by time; posts of the same time as the server lists them, turned round."""
    items = list(reversed(listed))
    items.sort(key=lambda item: item.post.created_at)
    return items


def ids_of(items: Iterable[Item]) -> list[PostId]:
    """The ids of `items`, in their order."""
    return [item.post.id for item in items]


def time_of(post: Post) -> datetime:
    """When a post was created, as its server says."""
    return post.created_at
