"""Reading one's own timeline: nothing lost, nothing twice, on servers that page each in their way.

The newest page first. Where it does not reach down to what the ledger knows: forward by `min_id`
from the cursor, where ids sort by time and the page joins on to what was read before; else backward
by `max_id`. What is new is what the ledger does not know: ids are opaque and dates may be wrong, so
neither they nor the cursor can hide a post. Must not judge posts.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.core.audits import Seen
from bridge.core.errors import NetworkError, Refused, Transient
from bridge.core.model import Account, Kind, Post, PostId, Visibility
from bridge.core.plausible import horizon, newest
from bridge.core.prices import FREE
from bridge.core.record import Cursor
from bridge.networks.fields import EPOCH, UNKNOWN_ID
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.errors import is_a_no
from bridge.networks.mastodon.listing import (
    Ground,
    Item,
    all_older,
    by_time,
    each_once,
    ids_of,
    is_older,
    new_ones,
    oldest_first,
    time_of,
)
from bridge.networks.mastodon.normalise import status_to_post
from bridge.networks.mastodon.typed import Sources
from bridge.ports import Baseline, Known, Reading

log = logging.getLogger(__name__)

PAGE = 40
"""The most that a server gives at once."""

_FIRST_PAGE_BACK = 40
"""Enough for a poll on which little is new, with solid ground below it."""

_MOST_PAGES_OF_AN_AUDIT = 25
"""A thousand posts; a server allows 300 pages in a quarter of an hour."""

_NEWEST_ONLY = "the server gives its newest posts only; older ones cannot be read"

_BASELINE_PAGE = 20
_LOOK_BELOW = 3
"""Posts asked for to see what stands below a page; one is enough, unless others' stray in."""

_SMALLEST_CAP = 20
"""No server gives fewer at once while there are more: it is the API's default."""

_MOST_READ = 200
"""Posts that are read to find a few dozen that are no replies to others."""

_MOST_PAGES_BACK = 1000
_BEGINNING = PostId("0")
_COULD_BE_MIRRORED = frozenset((Visibility.PUBLIC, Visibility.UNLISTED))
_OWN_WRITING = frozenset((Kind.ORIGINAL, Kind.THREAD))


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Which kinds of posts the server is asked for besides original ones."""

    replies: bool = True
    boosts: bool = True


_ALL_KINDS = _Kinds()

_Reached = Callable[[Sequence[Item]], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The timeline of `account`. `host` completes local names.

    `forward` says whether this make of server can be trusted with `min_id`. `sources` remembers
    what was typed, None where the server cannot be trusted to tell. `keeps_threads` says that a
    listing without replies still has the account's replies to itself. `oddities` are what was
    logged of the server's peculiarities already, `now` is the monotonic time of this reading.
    """

    client: Client
    account: Account
    host: str
    forward: bool = False
    sources: Sources | None = None
    keeps_threads: bool = False
    custom_emoji: bool = True
    oddities: set[str] = field(default_factory=set)
    now: float = 0.0
    today: datetime = EPOCH

    @property
    def horizon(self) -> datetime:
        """The latest time at which something that is listed can have been written."""
        return horizon(self.today)

    async def baseline(self) -> Baseline:
        """The newest post by time, and the ids of the page that it stands on."""
        page = await self._page(_BASELINE_PAGE)
        if not page:
            return Baseline(Cursor(), frozenset(), FREE)
        dates = [item.post.created_at for item in page]
        at = newest(dates, self.today, complete=len(page) < _BASELINE_PAGE)
        dated = [item.post for item in page if item.post.created_at <= at]
        last = max(dated, key=time_of) if dated else page[0].post
        cursor = Cursor(post=last.id, at=at, floor=at)
        return Baseline(cursor, frozenset(ids_of(page)), FREE)

    def last_sound(self, cursor: Cursor, seen: Sequence[Seen]) -> Cursor:
        """Where a cursor stands that cannot be right: at the newest post that can."""
        found = [
            (each.created_at, each.id)
            for each in seen
            if each.created_at is not None and each.created_at <= self.horizon
        ]
        if not found:
            return Cursor(cursor.post, cursor.floor, cursor.floor)
        at, post = max(found)
        return Cursor(post, at, cursor.floor)

    async def after(self, cursor: Cursor, known: Known) -> Reading:
        """What `Source.read_after` promises."""
        if cursor.post is None and cursor.floor is not None:
            items, _ = await self._back_to(cursor.floor, _FIRST_PAGE_BACK)
            dealt_with = await known(ids_of(items))
            fresh = [item for item in items if item.post.id not in dealt_with]
            return await self._reading(fresh, strays=self._strays(fresh))
        ground = Ground(known, cursor, self.horizon)
        page = await self._page(_FIRST_PAGE_BACK)
        reached = not page or await ground.reached(page)
        if self.forward and not reached:
            reading = await self._forward(cursor, known)
            if reading is not None:
                return reading
        return await self._backward(cursor, ground, page, grounded=reached)

    async def audit(self, cursor: Cursor, known: Known) -> Reading:
        """What `Source.audit` promises."""
        ground = Ground(known, cursor, self.horizon)

        async def reached(page: Sequence[Item]) -> bool:
            await ground.look(page)
            return all_older(page[-2:], cursor.floor)

        items, whole = await self._walk_back(PAGE, reached, most=_MOST_PAGES_OF_AN_AUDIT)
        fresh = by_time(new_ones(items, cursor.floor, ground))
        missed = frozenset(ids_of(fresh))
        gap = "" if whole else _NEWEST_ONLY
        return await self._reading(fresh, strays=missed, missed=missed, gap=gap, before=cursor.at)

    async def recent(self, since: datetime) -> Reading:
        """What `Source.recent` promises."""
        items, whole = await self._back_to(since, PAGE)
        if not whole:
            raise Refused("the server gives only its newest posts, not all since a given time")
        return await self._reading(items)

    async def window(self, limit: int, *, boosts: bool) -> Reading:
        """What `Source.window` promises; texts are read from the HTML alone.

        Servers that cannot leave out replies are asked for more pages, within bounds.
        """
        left_out = {Kind.REPLY} if boosts else {Kind.REPLY, Kind.REPOST}
        read = counted = 0

        async def reached(page: Sequence[Item]) -> bool:
            nonlocal read, counted
            read += len(page)
            counted += sum(item.post.kind not in left_out for item in page)
            return counted >= limit or read >= max(limit, _MOST_READ)

        kinds = _Kinds(replies=not self.keeps_threads, boosts=boosts)
        items, whole = await self._walk_back(min(limit, PAGE), reached, kinds)
        if not whole:
            raise Refused(f"the server gives fewer than the newest {limit} posts")
        found = [item for item in items if item.post.kind not in left_out][:limit]
        more = counted >= limit or read >= max(limit, _MOST_READ)
        return Reading(tuple(item.post for item in by_time(found)), more=more)

    async def post(self, said: Mapping[str, object]) -> Post | None:
        """One status as a post, read as those of the timeline are."""
        item = self._item(said)
        return None if item is None else (await self._reading([item])).posts[0]

    async def _forward(self, cursor: Cursor, known: Known) -> Reading | None:
        """The page right after the cursor; None where the server's answer cannot be that."""
        try:
            page = await self._page(PAGE, min_id=cursor.post or _BEGINNING)
        except NetworkError as error:
            if not is_a_no(error):
                raise
            # Some refuse an id that they no longer have, or that is not of their kind.
            return None
        ids = ids_of(page)
        if not page or cursor.post in ids or await known(ids):
            return None
        if any(is_older(item, cursor.at) for item in page):
            return None
        page = oldest_first(page)
        # No server cuts its pages to a single post, and a single post is what most polls bring.
        if len(page) > 1 and not await self._joins(page[0], cursor, known):
            return None
        return await self._reading(page, more=True, strays=self._strays(page))

    async def _joins(self, oldest: Item, cursor: Cursor, known: Known) -> bool:
        """Whether nothing unread stands between the cursor and `oldest`.

        A server that takes `min_id` for `since_id`, or ignores it, gives the newest posts: after a
        long absence these look just as fresh, and everything below them would be lost.
        """
        below = await self._page(_LOOK_BELOW, max_id=oldest.post.id)
        if not below:
            return True
        if cursor.post is None:
            return False
        if below[0].post.id == cursor.post or is_older(below[0], cursor.at):
            return True
        return bool(await known([below[0].post.id]))

    async def _backward(
        self, cursor: Cursor, ground: Ground, first: list[Item], *, grounded: bool
    ) -> Reading:
        """Everything new at once, by walking back to what was dealt with before.

        The `first` page was looked at already, and is enough if it is `grounded`.
        """

        async def reached(page: Sequence[Item]) -> bool:
            if grounded or (page[0] is not first[0] and await ground.reached(page)):
                return True
            # Where nothing that is listed is known, only time tells.
            return ground.blind and all_older(page[-2:], cursor.at)

        items, whole = await self._walk_back(_FIRST_PAGE_BACK, reached, first=first)
        bound = cursor.at if ground.blind else cursor.floor
        fresh = new_ones(items, bound, ground)
        missed = frozenset(ids_of(fresh)) & frozenset(ids_of(items[ground.place(items) :]))
        return await self._reading(
            by_time(fresh),
            strays=self._strays(fresh) | missed,
            missed=missed,
            cursor=self._reached(cursor, items),
            gap="" if whole else _NEWEST_ONLY,
            before=cursor.at,
        )

    def _strays(self, items: Iterable[Item]) -> frozenset[PostId]:
        """Posts without a date, or with one that is still to come."""
        return frozenset(
            item.post.id for item in items if not EPOCH < item.post.created_at <= self.horizon
        )

    def _reached(self, cursor: Cursor, items: Sequence[Item]) -> Cursor | None:
        """The cursor at the newest post that was read; None where that is no farther."""
        dated = [item.post for item in items if EPOCH < item.post.created_at <= self.horizon]
        last = max(dated, key=time_of, default=None)
        if last is None or (cursor.at is not None and last.created_at <= cursor.at):
            return None
        return Cursor(last.id, last.created_at, cursor.floor)

    async def _back_to(self, since: datetime, first: int) -> tuple[list[Item], bool]:
        """The posts created at `since` or later, oldest first, and whether these are all."""

        async def reached(page: Sequence[Item]) -> bool:
            return all_older(page[-2:], since)

        items, whole = await self._walk_back(first, reached)
        whole = whole or (bool(items) and is_older(items[-1], since))
        return by_time([item for item in items if item.post.created_at >= since]), whole

    async def _walk_back(
        self,
        limit: int,
        reached: _Reached,
        kinds: _Kinds = _ALL_KINDS,
        *,
        first: list[Item] | None = None,
        most: int | None = None,
    ) -> tuple[list[Item], bool]:
        """Pages from the newest back until `reached` says so of one, or the timeline ends.

        The first page asks for `limit` posts, unless it is given as `first`; after `most` pages it
        is enough. False where a server that does not page repeats itself instead, unless what it
        gives is so little that it must be all.
        """
        items: list[Item] = []
        seen: set[PostId] = set()
        below, repeated = None, False
        for _ in range(_MOST_PAGES_BACK if most is None else most):
            page = await self._page(limit, max_id=below, kinds=kinds) if first is None else first
            first = None
            fresh = each_once(item for item in page if item.post.id not in seen)
            if not fresh:
                if page and not repeated:
                    # One wrong answer must not pass for the end.
                    repeated = True
                    continue
                whole = not page or len(items) < _SMALLEST_CAP
                if not whole:
                    log.warning("the server gives its newest posts only; others are out of reach")
                return items, whole
            repeated = False
            items += fresh
            seen.update(ids_of(fresh))
            if await reached(fresh):
                return items, True
            limit, below = PAGE, fresh[-1].post.id
        if most is not None:
            return items, True
        raise Transient(f"the timeline does not end within {_MOST_PAGES_BACK} pages")

    async def _page(
        self,
        limit: int,
        *,
        min_id: PostId | None = None,
        max_id: PostId | None = None,
        kinds: _Kinds = _ALL_KINDS,
    ) -> list[Item]:
        """One page in the server's order. Others' writing that strays in is left out."""
        statuses = await self.client.statuses(
            self.account.id,
            limit=limit,
            min_id=min_id,
            max_id=max_id,
            replies=kinds.replies,
            boosts=kinds.boosts,
        )
        items = [item for item in map(self._item, statuses) if item is not None]
        own = [item for item in items if item.post.author == self.account.id]
        if items and not own:
            raise Refused("the server lists only others' posts as those of this account")
        if len(items) < len(statuses):
            self._note("the server lists posts without an id; they cannot be mirrored")
        for item in items:
            if item.post.author == UNKNOWN_ID:
                self._note("the server lists posts without an author; they are not mirrored")
            elif item.post.author != self.account.id:
                self._note("the server lists others' posts among one's own; they are left out")
        return own

    def _item(self, said: Mapping[str, object]) -> Item | None:
        post = status_to_post(said, host=self.host, custom_emoji=self.custom_emoji)
        return None if post is None else Item(said, post)

    def _note(self, oddity: str) -> None:
        """Warn of an oddity once: it comes again with every page."""
        if oddity not in self.oddities:
            self.oddities.add(oddity)
            log.warning("%s: %s", self.account.handle, oddity)

    async def _reading(
        self,
        items: Iterable[Item],
        *,
        more: bool = False,
        strays: frozenset[PostId] = frozenset(),
        missed: frozenset[PostId] = frozenset(),
        cursor: Cursor | None = None,
        gap: str = "",
        before: datetime | None = None,
    ) -> Reading:
        """The posts of `items`, with the text as typed where it matters and can be had.

        One that was written `before` others that were read may be an older one that was edited, on
        servers that give it another id then and do not say so: the ledger compares.
        """
        posts: list[Post] = []
        sources = self.sources
        for item in items:
            post = item.post
            if sources and post.kind in _OWN_WRITING and post.visibility in _COULD_BE_MIRRORED:
                try:
                    source = await sources.of(post, self.client, self.now)
                    post = self._as_typed(item, source) or post
                except NetworkError as error:
                    # The HTML says the same, less exactly. The rest is not held up by it either.
                    log.debug("no source for post %s: %s", post.id, error)
                    sources = None
            if before is not None and EPOCH < post.created_at < before:
                post = replace(post, edited_at=post.edited_at or post.created_at)
            posts.append(post)
        return Reading(
            tuple(posts), more=more, strays=strays, missed=missed, cursor=cursor, gap=gap
        )

    def _as_typed(self, item: Item, source: Mapping[str, object] | None) -> Post | None:
        if source is None:
            return None
        return status_to_post(
            item.said, host=self.host, source=source, custom_emoji=self.custom_emoji
        )
