"""Reading one's own timeline: nothing lost, nothing twice, on servers that page each in their way.

Two ways. Forward by `min_id`, where ids sort by time: page by page, oldest first. Backward by
`max_id` everywhere else, and wherever a forward page does not join on to what was read before.
Ids are never compared by size; what is new is told by what the ledger knows, by the place in the
server's own listing, and only then by time. Must not judge posts.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.core.errors import NetworkError, Refused, Transient
from bridge.core.model import Account, Kind, Post, PostId, Visibility
from bridge.core.prices import FREE
from bridge.core.record import Cursor
from bridge.networks.fields import EPOCH, UNKNOWN_ID
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.errors import is_a_no
from bridge.networks.mastodon.normalise import status_to_post
from bridge.networks.mastodon.typed import Sources
from bridge.ports import Baseline, Known, Reading

log = logging.getLogger(__name__)

PAGE = 40
"""The most that a server gives at once."""

_FIRST_PAGE_BACK = 10
"""Enough for a poll on which little is new, and cheap where nothing is."""

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
class _Item:
    """One entry of a listing: what the server said, and the post it became."""

    said: Mapping[str, object]
    post: Post


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Which kinds of posts the server is asked for besides original ones."""

    replies: bool = True
    boosts: bool = True


_ALL_KINDS = _Kinds()

_Reached = Callable[[Sequence[_Item]], Awaitable[bool]]


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

    async def baseline(self) -> Baseline:
        """The newest post by time, and the ids of the page that it stands on."""
        page = await self._page(_BASELINE_PAGE)
        if not page:
            return Baseline(Cursor(), frozenset(), FREE)
        newest = max((item.post for item in page), key=_time)
        cursor = Cursor(post=newest.id, at=newest.created_at, floor=newest.created_at)
        return Baseline(cursor, frozenset(_ids(page)), FREE)

    async def after(self, cursor: Cursor, known: Known) -> Reading:
        """What `Source.read_after` promises."""
        if cursor.post is None and cursor.floor is not None:
            items, _ = await self._back_to(cursor.floor, _FIRST_PAGE_BACK)
            dealt_with = await known(_ids(items))
            return await self._reading(item for item in items if item.post.id not in dealt_with)
        reading = await self._forward(cursor, known) if self.forward else None
        return await self._backward(cursor, known) if reading is None else reading

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

        async def reached(page: Sequence[_Item]) -> bool:
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
        return Reading(tuple(item.post for item in _by_time(found)), more=more)

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
        if not page:
            nothing_new = cursor.post is not None or not await self._page(1)
            return Reading(()) if nothing_new else None
        ids = _ids(page)
        if cursor.post in ids or await known(ids):
            return None
        if any(_is_older(item, cursor.at) for item in page):
            return None
        page = _oldest_first(page)
        # No server cuts its pages to a single post, and a single post is what most polls bring.
        if len(page) > 1 and not await self._joins(page[0], cursor, known):
            return None
        return await self._reading(page, more=True)

    async def _joins(self, oldest: _Item, cursor: Cursor, known: Known) -> bool:
        """Whether nothing unread stands between the cursor and `oldest`.

        A server that takes `min_id` for `since_id`, or ignores it, gives the newest posts: after a
        long absence these look just as fresh, and everything below them would be lost.
        """
        below = await self._page(_LOOK_BELOW, max_id=oldest.post.id)
        if not below:
            return True
        if cursor.post is None:
            return False
        if below[0].post.id == cursor.post or _is_older(below[0], cursor.at):
            return True
        return bool(await known([below[0].post.id]))

    async def _backward(self, cursor: Cursor, known: Known) -> Reading:
        """Everything new at once, by walking back to what was dealt with before."""
        dealt_with: set[PostId] = set() if cursor.post is None else {cursor.post}

        async def reached(page: Sequence[_Item]) -> bool:
            dealt_with.update(await known(_ids(page)))
            # Judged by the last one: a pinned or misplaced post further up proves nothing.
            return page[-1].post.id in dealt_with or _is_older(page[-1], cursor.at)

        items, _ = await self._walk_back(_FIRST_PAGE_BACK, reached)
        return await self._reading(_by_time(_new_ones(items, cursor.at, dealt_with)))

    async def _back_to(self, since: datetime, first: int) -> tuple[list[_Item], bool]:
        """The posts created at `since` or later, oldest first, and whether these are all."""

        async def reached(page: Sequence[_Item]) -> bool:
            return _is_older(page[-1], since)

        items, whole = await self._walk_back(first, reached)
        return _by_time([item for item in items if item.post.created_at >= since]), whole

    async def _walk_back(
        self, first: int, reached: _Reached, kinds: _Kinds = _ALL_KINDS
    ) -> tuple[list[_Item], bool]:
        """Pages from the newest back until `reached` says so of one, or the timeline ends.

        The first page asks for `first` posts. False where a server that does not page repeats
        itself instead, unless what it gives is so little that it must be all.
        """
        items: list[_Item] = []
        seen: set[PostId] = set()
        limit, below = first, None
        for _ in range(_MOST_PAGES_BACK):
            page = await self._page(limit, max_id=below, kinds=kinds)
            fresh = [item for item in page if item.post.id not in seen]
            if not fresh:
                whole = not page or len(items) < _SMALLEST_CAP
                if not whole:
                    log.warning("the server gives its newest posts only; others are out of reach")
                return items, whole
            items += fresh
            seen.update(_ids(fresh))
            if await reached(fresh):
                return items, True
            limit, below = PAGE, fresh[-1].post.id
        raise Transient(f"the timeline does not end within {_MOST_PAGES_BACK} pages")

    async def _page(
        self,
        limit: int,
        *,
        min_id: PostId | None = None,
        max_id: PostId | None = None,
        kinds: _Kinds = _ALL_KINDS,
    ) -> list[_Item]:
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

    def _item(self, said: Mapping[str, object]) -> _Item | None:
        post = status_to_post(said, host=self.host, custom_emoji=self.custom_emoji)
        return None if post is None else _Item(said, post)

    def _note(self, oddity: str) -> None:
        """Warn of an oddity once: it comes again with every page."""
        if oddity not in self.oddities:
            self.oddities.add(oddity)
            log.warning("%s: %s", self.account.handle, oddity)

    async def _reading(self, items: Iterable[_Item], *, more: bool = False) -> Reading:
        """The posts of `items`, with the text as typed where it matters and can be had."""
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
            posts.append(post)
        return Reading(tuple(posts), more=more)

    def _as_typed(self, item: _Item, source: Mapping[str, object] | None) -> Post | None:
        if source is None:
            return None
        return status_to_post(
            item.said, host=self.host, source=source, custom_emoji=self.custom_emoji
        )


def _new_ones(
    listed: Sequence[_Item], at: datetime | None, dealt_with: Collection[PostId]
) -> list[_Item]:
    """Which of `listed` (in the server's order, newest first) have not been dealt with yet.

    Whatever stands above the first post dealt with is new, however it is dated. Below it, or where
    no such post is listed (it may have been deleted), time decides; of posts of one and the same
    time, those that are known not to be older.
    """
    places = (place for place, item in enumerate(listed) if item.post.id in dealt_with)
    anchor = next(places, None)
    fresh = []
    for place, item in enumerate(listed):
        post = item.post
        if post.id in dealt_with or _is_edit(post, at):
            continue
        if at is not None and (anchor is None or place > anchor):
            late = post.created_at > at or (anchor is None and post.created_at == at)
            if not late:
                continue
        fresh.append(item)
    return fresh


def _is_edit(post: Post, at: datetime | None) -> bool:
    """Whether an unknown post is an old one under a new id: at least one server edits that way."""
    return at is not None and post.edited_at is not None and EPOCH < post.created_at <= at


def _is_older(item: _Item, at: datetime | None) -> bool:
    """Whether a post is surely from before `at`; an unreadable date proves nothing."""
    return at is not None and EPOCH < item.post.created_at < at


def _oldest_first(page: Sequence[_Item]) -> list[_Item]:
    """A page turned round, unless the server lists it that way already."""
    if page[0].post.created_at < page[-1].post.created_at:
        return list(page)
    return list(reversed(page))


def _by_time(listed: Sequence[_Item]) -> list[_Item]:
    """Oldest first by time; posts of the same time as the server lists them, turned round."""
    items = list(reversed(listed))
    items.sort(key=lambda item: item.post.created_at)
    return items


def _ids(items: Iterable[_Item]) -> list[PostId]:
    return [item.post.id for item in items]


def _time(post: Post) -> datetime:
    return post.created_at
