"""Own posts, oldest first and each once, from a timeline walked newest first; and one by its id.

Counts what reading costs. Must not retry, nor judge what is mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

from bridge.core.errors import Refused, Transient
from bridge.core.model import AccountId, Post, PostId, ReplyRef
from bridge.core.prices import PriceTable
from bridge.core.record import Cursor
from bridge.networks.fields import EPOCH, list_at
from bridge.networks.x.dialects import items_of
from bridge.networks.x.errors import describe, problem_of, says_gone
from bridge.networks.x.identity import Identity
from bridge.networks.x.meter import ReadBill, ReadMeter
from bridge.networks.x.normalise import page_to_posts
from bridge.networks.x.query import LARGEST_PAGE, SMALLEST_PAGE, Stretch
from bridge.networks.x.timeline import Timeline
from bridge.ports import Baseline, Clock, Known, Reading

_OK = 200


class _Place(Enum):
    """Where a post that was read stands towards what was asked for."""

    WANTED = auto()
    KNOWN = auto()
    BEYOND = auto()


_Judge = Callable[[Post, frozenset[PostId]], _Place]


class Reader:
    """The reading half of one account."""

    def __init__(
        self, timeline: Timeline, identity: Identity, clock: Clock, prices: PriceTable, web: str
    ) -> None:
        self._timeline = timeline
        self._identity = identity
        self._clock = clock
        self._meter = ReadMeter(prices)
        self._web = web

    async def baseline(self) -> Baseline:
        """The newest page that X gives, of 5 posts at most."""
        stretch = Stretch(page_size=SMALLEST_PAGE)
        posts = await self._read(stretch, _keep_all, first_page=True)
        ids = frozenset(each for post in posts for each in post.ids)
        if not posts:
            return Baseline(Cursor(), ids, self._meter.take())
        newest = posts[-1]
        at = newest.created_at if newest.created_at > EPOCH else None
        return Baseline(Cursor(newest.id, at, at), ids, self._meter.take())

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Everything after `cursor`, whole; see `bridge.ports.Source.read_after`.

        X gives what has a greater id than `since_id`. A server that gives more shows it by the
        cursor's own post, by known posts, or by posts that are neither later nor of a greater id.
        """
        start = cursor.floor if cursor.post is None else None
        if start is not None and start > self._clock.now():
            # X takes a time to come for a mistake; what is written before it is not wanted.
            return Reading((), self._meter.take())
        posts = await self._read(
            Stretch(since_id=cursor.post, start=start),
            lambda post, seen: _after(post, cursor, known=post.id in seen),
            known,
        )
        return Reading(posts, self._meter.take())

    async def recent(self, since: datetime) -> Reading:
        """Own posts from `since` on. Raises `Transient` where a post's date cannot be read."""
        posts = await self._read(Stretch(start=since), lambda post, _seen: _dated_from(post, since))
        return Reading(posts, self._meter.take())

    async def window(self, limit: int) -> Reading:
        """The newest `limit` posts. Raises `Transient` where X names a post without its id."""
        if limit < 1:
            return Reading((), self._meter.take())
        seen: set[PostId] = set()

        def within(post: Post, _known: frozenset[PostId]) -> _Place:
            if post.id not in seen and len(seen) == limit:
                return _Place.BEYOND
            seen.add(post.id)
            return _Place.WANTED

        size = min(max(limit, SMALLEST_PAGE), LARGEST_PAGE)
        posts = await self._read(Stretch(page_size=size), within, whole=limit)
        return Reading(posts, self._meter.take(), more=len(posts) == limit)

    async def look_up(self, post: PostId) -> Post | None:
        """One own post in its latest version; None where X says that it has none of that id.

        An edited post is asked for twice where an earlier id of it is given. What a look-up costs
        is told by the next reading.
        """
        found = await self._single(post)
        if found is None or found.ids[-1] == found.id:
            return found
        return await self._single(found.ids[-1])

    async def is_gone(self, post: PostId) -> bool:
        """Whether X says that it has no post of that id."""
        return await self._single(post) is None

    async def _single(self, post: PostId) -> Post | None:
        try:
            payload = await self._timeline.single(post)
        except Refused as refused:
            if refused.missing:
                return None
            raise
        bill = ReadBill()
        bill.add(payload, owned=False)
        self._meter.charge(bill, self._clock.now())
        posts = await self._posts(payload)
        found = next((each for each in posts if post in each.ids), None)
        if found is not None:
            return found
        if not items_of(payload) and says_gone(payload, post):
            return None
        said = describe(_OK, problem_of(payload), self._timeline.redactor())
        raise Transient(f"{said} (X does not say what {post} is)")

    async def _read(
        self,
        stretch: Stretch,
        judge: _Judge,
        known: Known | None = None,
        *,
        first_page: bool = False,
        whole: int | None = None,
    ) -> tuple[Post, ...]:
        """The wanted posts of `stretch`, each once, oldest first.

        Ends with the first page that reaches beyond it, for what follows is older still; for
        `first_page`, with the first that has any posts; for `whole`, with so many wanted ones.
        """
        owner = (await self._identity.account()).id
        taken: dict[PostId, Post] = {}
        own: set[PostId] = set()
        bill = ReadBill()
        try:
            async with aclosing(self._timeline.pages(owner, stretch)) as pages:
                async for payload in pages:
                    bill.add(payload)
                    page = await self._posts(payload)
                    if whole is not None and len(page) < len(list_at(payload, "data")):
                        raise Transient("X named posts of the own timeline without their ids")
                    own.update(each for post in page for each in post.ids)
                    asked = {post.id for post in page} | _unclear_parents(page)
                    seen = await known(asked) if known is not None and asked else frozenset()
                    own |= seen
                    places = [judge(post, seen) for post in page]
                    for post, place in zip(page, places, strict=True):
                        if place is _Place.WANTED:
                            taken.setdefault(post.id, post)
                    if _Place.BEYOND in places or (first_page and page) or len(taken) == whole:
                        break
        finally:
            self._meter.charge(bill, self._clock.now(), own)
        return tuple(_as_thread(post, own, owner) for post in reversed(taken.values()))

    async def _posts(self, payload: Mapping[str, object]) -> tuple[Post, ...]:
        if not payload.get("data"):
            return ()
        account = await self._identity.audience()
        return page_to_posts(
            payload,
            me=account.id,
            handle=account.handle,
            protected=account.protected,
            owned_url_base=self._web,
        )


def _unclear_parents(posts: Iterable[Post]) -> set[PostId]:
    """Posts that are replied to and whose author X did not name."""
    replies = (post.in_reply_to for post in posts)
    return {ref.post for ref in replies if ref and ref.post is not None and ref.account is None}


def _as_thread(post: Post, own: Collection[PostId], owner: AccountId) -> Post:
    """`post` as a reply to its owner, where its parent is one of the owner's posts."""
    ref = post.in_reply_to
    if ref is None or ref.account is not None or ref.post not in own:
        return post
    return replace(post, in_reply_to=ReplyRef(ref.post, owner))


def _keep_all(_post: Post, _known: frozenset[PostId]) -> _Place:
    return _Place.WANTED


def _after(post: Post, cursor: Cursor, *, known: bool) -> _Place:
    """Where `post` stands towards `cursor`, for a server that may not heed it.

    A known post is never wanted again; but unknown ones that are older may still follow it, unless
    it stands before the cursor.
    """
    bound = cursor.floor if cursor.post is None else cursor.at
    dated = post.created_at > EPOCH
    if post.id == cursor.post or (dated and bound is not None and _precedes(post, cursor, bound)):
        return _Place.BEYOND
    if known:
        return _Place.KNOWN if bound is not None and dated else _Place.BEYOND
    return _Place.WANTED


def _precedes(post: Post, cursor: Cursor, bound: datetime) -> bool:
    if cursor.post is not None and post.id.isdecimal() and cursor.post.isdecimal():
        # Both signs together: a post may be back-dated, and ids may be given out of order.
        return int(post.id) < int(cursor.post) and post.created_at <= bound
    return post.created_at < bound


def _dated_from(post: Post, since: datetime) -> _Place:
    if post.created_at == EPOCH:
        raise Transient("X did not say when its posts were created, so nothing can be proven")
    return _Place.WANTED if post.created_at >= since else _Place.BEYOND
