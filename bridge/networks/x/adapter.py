"""One account on X as the engine sees it: read oldest first, write once, count what it costs.

Puts the parts of this folder together. Must not retry, or judge posts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import aiohttp

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import Refused
from bridge.core.lengths import x_length
from bridge.core.model import Account, MediaId, Microdollars, Network, Post, PostId, Visibility
from bridge.core.record import Cursor, Receipt
from bridge.networks.x.client import XClient
from bridge.networks.x.identity import PREMIUM_TRUSTED_FOR, Identity
from bridge.networks.x.limits import USUAL_LENGTH, capabilities
from bridge.networks.x.oauth import UserTokens
from bridge.networks.x.reading import Reader
from bridge.networks.x.settings import OAuth2Credentials, XSettings
from bridge.networks.x.timeline import Timeline
from bridge.networks.x.uploading import Uploader
from bridge.networks.x.writing import Writer
from bridge.ports import (
    Baseline,
    Changed,
    Clock,
    Known,
    LocalMedia,
    Reading,
    Recorded,
    Standing,
    TokenStore,
    Uploaded,
    ignore,
)


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
        self._clock = clock
        self._short_until = 0.0
        """Until when no long post is tried, by the monotonic clock: X has refused one."""
        self._client = XClient(settings, session=session, clock=clock, tokens=self._tokens)
        self._identity = Identity(self._client, clock, settings.web)
        timeline = Timeline(self._client, clock, settings.dialect)
        self._reader = Reader(timeline, self._identity, clock, settings.prices, settings.web)
        self._uploader = Uploader(self._client, clock, settings.prices, premium=settings.premium)
        self._writer = Writer(
            self._client,
            self._identity,
            clock,
            settings.prices,
            settings,
            is_gone=self._reader.is_gone,
            describe=self._uploader.describe_anew,
        )

    @property
    def network(self) -> Network:
        """X."""
        return Network.X

    async def account(self) -> Account:
        """Who the credentials belong to; `protected` as it stood when last asked."""
        return await self._identity.account()

    async def baseline(self) -> Baseline:
        """The newest page that X gives, of 5 posts at most."""
        return await self._reader.baseline()

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Everything after `cursor`, whole; see `bridge.ports.Source.read_after`."""
        return await self._reader.read_after(cursor, known)

    async def check_cursor(self, cursor: Cursor, seen: Recorded) -> Cursor:
        """`cursor` if it can be right, else the last sound position of what was seen."""
        return await self._reader.check_cursor(cursor, seen)

    async def audit(self, cursor: Cursor, known: Known) -> Reading:
        """Nothing: reading is paid for here."""
        del cursor, known
        return Reading(())

    async def recent(self, since: datetime) -> Reading:
        """Own posts from `since` on. Raises `Transient` where a post's date cannot be read."""
        return await self._reader.recent(since)

    async def window(self, limit: int, *, boosts: bool = True) -> Reading:
        """The newest own posts, charged like any reading: once per UTC day and post."""
        del boosts
        return await self._reader.window(limit)

    async def look_up(self, post: PostId) -> Post | None:
        """One own post, at the price of anybody's, which the next reading tells."""
        return await self._reader.look_up(post)

    async def standing(self, post: PostId) -> Standing:
        """Whether the account is protected by now: nothing else about a post is free.

        A post whose id lies in the future is looked up all the same: the id was wrong, and the
        post has another one, unless the own clock is wrong.
        """
        protected = (await self._identity.audience()).protected
        if protected is False:
            return Standing(gone=await self._reader.is_mistaken(post))
        return Standing(audience=Visibility.FOLLOWERS if protected else Visibility.UNKNOWN)

    async def listen(self, wake: Callable[[], None], changed: Changed = ignore) -> None:
        """X hints at nothing on this plan."""

    async def capabilities(self, *, afresh: bool = False) -> Capabilities:
        """What X takes: X states no limits itself, so they are published ones and the owner's.

        Bounded by whether the account has Premium, where X says so, and by what X has refused.
        """
        premium = await self._identity.premium(afresh=afresh)
        refused = self._clock.monotonic() < self._short_until
        return capabilities(self._settings, lapsed=premium is False or refused)

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """One file, processed and described; see `bridge.networks.x.uploading`."""
        return await self._uploader.upload(medium)

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
        try:
            return await self._writer.publish(part, reply_to, media)
        except Refused as refused:
            if refused.too_long and x_length(part.text) > USUAL_LENGTH:
                self._short_until = self._clock.monotonic() + PREMIUM_TRUSTED_FOR
            raise

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        """Edit a post, which gives it a new id; for Premium, within the hour, five times."""
        return await self._writer.revise(target, part, media)

    async def delete(self, target: PostId) -> Microdollars:
        """Delete a post, or take back a repost."""
        return await self._writer.delete(target)

    async def close(self) -> None:
        """Let a renewal of tokens end."""
        if self._tokens is not None:
            await self._tokens.close()
