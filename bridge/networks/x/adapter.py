"""One account on X as the engine sees it: read oldest first, write once, count what it costs.

Puts the parts of this folder together. Must not retry, wait, or judge posts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

import aiohttp

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, Refused, Transient
from bridge.core.model import (
    Account,
    AccountId,
    MediaId,
    Microdollars,
    Network,
    Post,
    PostId,
    ReplyRef,
)
from bridge.core.prices import X_PRICES
from bridge.core.record import Cursor, Receipt
from bridge.networks.fields import EPOCH, UNKNOWN_ID, as_id
from bridge.networks.x.client import XClient, created_id
from bridge.networks.x.meter import ReadBill, ReadMeter
from bridge.networks.x.normalise import account_from, page_to_posts
from bridge.networks.x.oauth import UserTokens
from bridge.networks.x.query import SMALLEST_PAGE, Stretch
from bridge.networks.x.render import create_body, price_of
from bridge.networks.x.settings import OAuth2Credentials, XSettings
from bridge.networks.x.timeline import Timeline
from bridge.ports import Baseline, Clock, Known, LocalMedia, Reading, Standing, TokenStore, Uploaded

AUDIENCE_TRUSTED_FOR = 15.0
"""Seconds for which it is believed that an account is not protected.

Asking is free, but may be done 75 times in a quarter of an hour. Well below the usual time between
two polls, so that what was written after the account was closed is known for what it is.
"""

MAX_MEDIA = 4
MAX_ALT_LENGTH = 1000


class _Place(Enum):
    """Where a post that was read stands towards what was asked for."""

    WANTED = auto()
    KNOWN = auto()
    BEYOND = auto()


class XAdapter:
    """Implements `bridge.ports.NetworkPort` for X's API v2. The caller owns `session`."""

    def __init__(
        self,
        settings: XSettings,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        tokens: TokenStore,
        token_name: str,
    ) -> None:
        self._settings = settings
        self._clock = clock
        given = settings.credentials
        self._tokens = None
        if isinstance(given, OAuth2Credentials):
            self._tokens = UserTokens(
                given,
                api=settings.api,
                session=session,
                clock=clock,
                store=tokens,
                name=token_name,
            )
        self._client = XClient(settings, session=session, clock=clock, tokens=self._tokens)
        self._timeline = Timeline(self._client, clock, settings.dialect)
        self._meter = ReadMeter(X_PRICES)
        self._account: Account | None = None
        self._account_at = 0.0

    @property
    def network(self) -> Network:
        """X."""
        return Network.X

    async def account(self) -> Account:
        """Who the credentials belong to; `protected` as it stood when last asked."""
        return self._account or await self._asked_account()

    async def baseline(self) -> Baseline:
        """The newest page that X gives, of 5 posts at most."""
        stretch = Stretch(page_size=SMALLEST_PAGE)
        posts = await self._read(stretch, _keep_all, None, first_page=True)
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
        posts = await self._read(
            Stretch(start=since), lambda post, _seen: _dated_from(post, since), None
        )
        return Reading(posts, self._meter.take())

    async def listen(self, wake: Callable[[], None]) -> None:
        """X hints at nothing on this plan."""

    async def capabilities(self) -> Capabilities:
        """What X takes: X states no limits itself, so they are published ones and the owner's."""
        return Capabilities(
            network=Network.X,
            counting="x",
            max_length=self._settings.max_length,
            max_media=MAX_MEDIA,
            max_alt_length=MAX_ALT_LENGTH,
            spoiler=False,
            prices=X_PRICES,
        )

    async def window(self, limit: int) -> Reading:
        """The newest own posts. See `bridge.ports.Source`."""
        raise Refused(f"the newest {limit} posts cannot be read yet")

    async def look_up(self, post: PostId) -> Post | None:
        """One own post. See `bridge.ports.Source`."""
        raise Refused(f"{post} cannot be looked up yet")

    async def standing(self, post: PostId) -> Standing:
        """What is known of a post for free. See `bridge.ports.Source`."""
        del post
        return Standing()

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """Hand over one medium. See `bridge.ports.Sink`."""
        raise Refused(f"{medium.kind.value} cannot be sent yet")

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        """Change a post. See `bridge.ports.Sink`."""
        raise Refused(f"{target} cannot be changed yet: {part.index} {len(media)}")

    async def delete(self, target: PostId) -> Microdollars:
        """Delete a post. See `bridge.ports.Sink`."""
        raise Refused(f"{target} cannot be deleted yet")

    async def publish(
        self,
        part: DraftPart,
        *,
        reply_to: PostId | None,
        key: str,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        """Create one post. X knows no idempotency keys, so `key` stays here."""
        del key
        if part.media or media:
            raise Refused("media cannot be sent to X yet, and are not left out in silence")
        account = await self.account()
        answer = await self._client.create(create_body(part, reply_to))
        post_id = as_id(created_id(answer))
        if post_id is None:
            raise InDoubt("X accepted the post but named no id")
        url = f"{self._settings.web}/{account.handle}/status/{post_id}"
        return Receipt(PostId(post_id), url, price_of(part, X_PRICES))

    async def close(self) -> None:
        """Let a renewal of tokens end."""
        if self._tokens is not None:
            await self._tokens.close()

    async def _asked_account(self) -> Account:
        account = account_from(await self._client.me())
        if account.id == UNKNOWN_ID or not account.handle:
            raise Transient("HTTP 200: X did not say whose credentials these are")
        self._account = replace(account, url=f"{self._settings.web}/{account.handle}")
        self._account_at = self._clock.monotonic()
        return self._account

    async def _audience(self) -> Account:
        """The account, with fresh word on whether it is protected: posts themselves do not tell."""
        fresh = self._clock.monotonic() - self._account_at < AUDIENCE_TRUSTED_FOR
        return self._account if self._account and fresh else await self._asked_account()

    async def _read(
        self,
        stretch: Stretch,
        judge: Callable[[Post, frozenset[PostId]], _Place],
        known: Known | None,
        *,
        first_page: bool = False,
    ) -> tuple[Post, ...]:
        """The wanted posts of `stretch`, each once, oldest first.

        Ends with the first page that reaches beyond it, for what follows is older still; for
        `first_page`, with the first that has any posts.
        """
        owner = (await self.account()).id
        taken: dict[PostId, Post] = {}
        own: set[PostId] = set()
        bill = ReadBill()
        try:
            async with aclosing(self._timeline.pages(owner, stretch)) as pages:
                async for payload in pages:
                    bill.add(payload)
                    page = await self._posts(payload)
                    own.update(each for post in page for each in post.ids)
                    asked = {post.id for post in page} | _unclear_parents(page)
                    seen = await known(asked) if known is not None and asked else frozenset()
                    own |= seen
                    places = [judge(post, seen) for post in page]
                    for post, place in zip(page, places, strict=True):
                        if place is _Place.WANTED:
                            taken.setdefault(post.id, post)
                    if _Place.BEYOND in places or (first_page and page):
                        break
        finally:
            self._meter.charge(bill, self._clock.now(), own)
        return tuple(_as_thread(post, own, owner) for post in reversed(taken.values()))

    async def _posts(self, payload: Mapping[str, object]) -> tuple[Post, ...]:
        if not payload.get("data"):
            return ()
        account = await self._audience()
        return page_to_posts(
            payload,
            me=account.id,
            handle=account.handle,
            protected=account.protected,
            owned_url_base=self._settings.web,
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
