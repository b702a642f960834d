"""Own posts, oldest first and each once, from a timeline walked newest first; and one by its id.

Counts what reading costs. Must not retry, nor judge what is mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.core.errors import Refused, Transient
from bridge.core.model import AccountId, Post, PostId, ReplyRef
from bridge.core.plausible import horizon, newest
from bridge.core.prices import PriceTable
from bridge.core.record import Cursor
from bridge.networks.fields import EPOCH, list_at
from bridge.networks.x import ids
from bridge.networks.x.dialects import items_of
from bridge.networks.x.errors import describe, problem_of, says_gone
from bridge.networks.x.following import Following, Place
from bridge.networks.x.identity import Identity
from bridge.networks.x.meter import ReadBill, ReadMeter
from bridge.networks.x.normalise import page_to_posts
from bridge.networks.x.query import LARGEST_PAGE, SMALLEST_PAGE, Stretch
from bridge.networks.x.timeline import Timeline
from bridge.ports import Baseline, Clock, Known, Reading, Recorded

_OK = 200
_HARDLY_AHEAD = timedelta(hours=1)
"""Up to here an id in the future is rather a sign of a clock that stands behind."""


_Judge = Callable[[Post, frozenset[PostId]], Place]
_OnPage = Callable[[Mapping[str, object], Sequence[Post]], None]


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
        """The newest page that X gives, of 5 posts at most.

        Raises `Transient` where it tells neither a possible id nor a date: nothing would then keep
        old posts from passing for new ones.
        """
        stretch, now = Stretch(page_size=SMALLEST_PAGE), self._clock.now()
        posts = await self._read(stretch, _keep_all, first_page=True)
        names = frozenset(each for post in posts for each in post.ids)
        if not posts:
            return Baseline(Cursor(), names, self._meter.take())
        dates = [post.created_at for post in posts if post.created_at > EPOCH]
        complete = len(posts) < SMALLEST_PAGE
        at = newest(dates, now, complete=complete) if dates else None
        numbered = [
            (value, post.id)
            for post in posts
            if (value := ids.sound(post.id, horizon(now), post.created_at)) is not None
        ]
        if not numbered and at is None:
            raise Transient("X names neither ids nor dates of the posts that are there")
        last = max(numbered)[1] if numbered else None
        return Baseline(Cursor(last, at, at), names, self._meter.take())

    async def check_cursor(self, cursor: Cursor, seen: Recorded) -> Cursor:
        """`cursor` if it can be right, else the greatest possible id of what was seen."""
        latest = horizon(self._clock.now())
        if ids.is_sound(cursor, latest):
            return cursor
        return ids.last_sound(cursor, await seen(), latest)

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Everything after `cursor`, whole; see `bridge.ports.Source.read_after`."""
        start = cursor.floor if cursor.post is None else None
        now = self._clock.now()
        if start is not None and start > now:
            # X takes a time to come for a mistake; what is written before it is not wanted.
            return Reading((), self._meter.take())
        since = cursor.post if ids.number(cursor.post) is not None else None
        if since is None and cursor.post is not None:
            start = cursor.at
        following = Following(cursor, now, horizon(now))
        posts = await self._read(
            Stretch(since_id=since, start=start),
            following.judge,
            known,
            on_page=following.note_page,
        )
        return Reading(
            posts,
            self._meter.take(),
            strays=following.strays(),
            missed=frozenset(following.missed),
            cursor=following.reached(),
        )

    async def recent(self, since: datetime) -> Reading:
        """Own posts from `since` on. Raises `Transient` where a post's date cannot be read."""
        posts = await self._read(Stretch(start=since), lambda post, _seen: _dated_from(post, since))
        return Reading(posts, self._meter.take())

    async def window(self, limit: int) -> Reading:
        """The newest `limit` posts. Raises `Transient` where X names a post without its id."""
        if limit < 1:
            return Reading((), self._meter.take())
        seen: set[PostId] = set()

        def within(post: Post, _known: frozenset[PostId]) -> Place:
            if post.id not in seen and len(seen) == limit:
                return Place.BEYOND
            seen.add(post.id)
            return Place.WANTED

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

    async def is_mistaken(self, post: PostId) -> bool:
        """Whether an id that cannot be right is one that X does not know; costs a look-up."""
        if ids.is_too_long(post):
            return True
        soon = horizon(self._clock.now() + _HARDLY_AHEAD)
        if ids.number(post) is None or ids.sound(post, soon) is not None:
            return False
        return await self._single(post) is None

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
        on_page: _OnPage | None = None,
    ) -> tuple[Post, ...]:
        """The wanted posts of `stretch`, each once, oldest first.

        Ends with the first page whose end lies beyond it, for what follows is older still; for
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
                        if place in {Place.WANTED, Place.MISSED}:
                            taken.setdefault(post.id, post)
                    if on_page is not None:
                        on_page(payload, page)
                    if _ends_beyond(places) or (first_page and page) or len(taken) == whole:
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


def _keep_all(_post: Post, _known: frozenset[PostId]) -> Place:
    return Place.WANTED


def _ends_beyond(places: Sequence[Place]) -> bool:
    """Whether a page reaches beyond what is wanted: one entry at its end may be a wrong one."""
    return bool(places) and all(place in {Place.BEYOND, Place.MISSED} for place in places[-2:])


def _dated_from(post: Post, since: datetime) -> Place:
    if post.created_at == EPOCH:
        raise Transient("X did not say when its posts were created, so nothing can be proven")
    return Place.WANTED if post.created_at >= since else Place.BEYOND
