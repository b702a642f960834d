"""One account on a server that speaks the Mastodon API, as the engine wants to see it.

Puts the pieces of this folder together and holds what is remembered between calls: whose account
it is, and what the server said about itself. Must not judge posts, and must not repeat a request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import SystemRandom
from ssl import SSLContext

import aiohttp

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import NetworkError, Refused, Unauthorised
from bridge.core.model import (
    Account,
    AccountId,
    MediaId,
    Microdollars,
    Network,
    Post,
    PostId,
    Visibility,
)
from bridge.core.plausible import horizon
from bridge.core.prices import FREE
from bridge.core.record import Cursor, Receipt
from bridge.core.redaction import Redactor
from bridge.networks.fields import UNKNOWN_ID, mapping_at, text_at
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.errors import is_a_no
from bridge.networks.mastodon.instance import Instance, read_instance, streaming_base
from bridge.networks.mastodon.normalise import account_from
from bridge.networks.mastodon.presence import Presence
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.mastodon.shut_out import ShutOut
from bridge.networks.mastodon.stream import Stream, backoff
from bridge.networks.mastodon.timeline import Timeline
from bridge.networks.mastodon.traffic import noticing
from bridge.networks.mastodon.typed import Sources
from bridge.networks.mastodon.uploads import Uploads
from bridge.networks.mastodon.writing import Writing
from bridge.ports import (
    Baseline,
    Changed,
    Clock,
    Known,
    LocalMedia,
    Reading,
    Recorded,
    Standing,
    Traffic,
    Uploaded,
    ignore,
)

log = logging.getLogger(__name__)

_REMEMBERED_FOR = timedelta(hours=24)
_ASKED_AGAIN_AFTER = timedelta(minutes=5)
"""How long a server that could not say anything about itself is left in peace."""


_AUDIENCES = {each.value: each for each in Visibility if each is not Visibility.UNKNOWN}


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What was said last, when, and until when it need not be asked for again."""

    instance: Instance
    at: datetime
    until: datetime

    def lasts(self, now: datetime) -> bool:
        """Whether it is still to be believed; the lower bound is for a clock that was set back."""
        return self.at <= now < self.until


def _nobody_asks(connected: bool | None) -> None:  # noqa: FBT001 - as the port has it
    """Whether the stream is connected, where nobody wants to know."""


class MastodonAdapter:
    """A `bridge.ports.NetworkPort` for one Mastodon account.

    Construct it where a loop runs. `session` is for streaming and uploads, and stays the caller's;
    the rest goes through Mastodon.py and connections of its own. `jitter` gives numbers in [0, 1).
    `traffic` hears of the calls that are made here; those of `session` it hears of by itself.

    A locked account is not a protected one: here every post names its own audience, so
    `Account.protected` stays None and the posts decide.
    """

    network = Network.MASTODON

    def __init__(
        self,
        settings: MastodonSettings,
        *,
        session: aiohttp.ClientSession,
        clock: Clock,
        jitter: Callable[[], float] | None = None,
        tls: SSLContext | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._jitter = jitter or SystemRandom().random
        self._streaming = _nobody_asks if traffic is None else traffic.streaming
        seen = None if traffic is None else noticing(traffic, clock)
        self._client = Client(settings, clock, tls=tls, seen=seen, returned=self._returned)
        self._presence = Presence(self._client, self._whose)
        self._shut_out = ShutOut(self._client, self._whose, Redactor([settings.access_token]))
        self._writing = Writing(
            self._client, clock, self._instance, self._presence, last_known=self._last_known
        )
        self._uploads = Uploads(session, settings, clock, self._instance)
        self._sources = Sources()
        self._oddities: set[str] = set()
        self._account: Account | None = None
        self._audience: Visibility | None = None
        self._remembered: _Remembered | None = None
        self._was_away = False
        """Whether the server has come back since it was asked: it may have been changed."""
        self._asking = asyncio.Lock()

    async def account(self) -> Account:
        """Who the token belongs to. Asked once and remembered."""
        async with self._asking:
            return self._account or await self._ask_whose()

    async def baseline(self) -> Baseline:
        """Where the timeline stands now: one page."""
        return await (await self._timeline()).baseline()

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Own posts after `cursor`, oldest first. See `bridge.ports.Source`."""
        return await (await self._timeline()).after(cursor, known)

    async def check_cursor(self, cursor: Cursor, seen: Recorded) -> Cursor:
        """`cursor` if its date can be right, else the newest post seen that can."""
        if cursor.at is None or cursor.at <= horizon(self._clock.now()):
            return cursor
        return (await self._timeline()).last_sound(cursor, await seen())

    async def audit(self, cursor: Cursor, known: Known) -> Reading:
        """What is listed and not known, as far down as it is looked."""
        return await (await self._timeline()).audit(cursor, known)

    async def recent(self, since: datetime) -> Reading:
        """All own posts created at `since` or later, oldest first; raises if some are withheld."""
        return await (await self._timeline()).recent(since)

    async def listen(self, wake: Callable[[], None], changed: Changed = ignore) -> None:
        """Call `wake` whenever the server's stream hints at news. See `bridge.ports.Source`."""
        self._streaming(False)
        failures = 0
        while True:
            try:
                account, instance = await self.account(), await self._instance()
                break
            except (Unauthorised, Refused) as error:
                log.warning("not streaming: %s", error)
                return
            except NetworkError:
                failures += 1
                await self._clock.sleep(backoff(failures, self._jitter()))
        base = streaming_base(self._settings.base, instance.streaming)
        if base is None:
            self._streaming(None)
            log.warning("not streaming: the server names an unencrypted address for it")
            return
        token = self._settings.access_token
        stream = Stream(
            self._session,
            base,
            token,
            account.id,
            clock=self._clock,
            jitter=self._jitter,
            told=self._connected,
        )
        await stream.listen(wake, changed)

    def _connected(self, connected: bool | None) -> None:  # noqa: FBT001 - as the port has it
        if connected:
            self._returned()
        self._streaming(connected)

    def _returned(self) -> None:
        self._was_away = True

    async def capabilities(self, *, afresh: bool = False) -> Capabilities:
        """What can be sent, as the server says; remembered for a day. Never raises.

        A server that does not say is assumed to be the narrowest of its kind, and asked again
        soon. The account's own default audience is learned with it.
        """
        capabilities = (await self._instance(afresh=afresh)).capabilities
        if self._writing.links_in_full and capabilities.counting == "mastodon":
            capabilities = replace(capabilities, counting="unknown")
        if not self._writing.edits:
            capabilities = replace(capabilities, edit_within=None)
        if not self._writing.polls:
            capabilities = replace(capabilities, polls=None)
        return replace(capabilities, default_visibility=self._audience)

    async def window(self, limit: int, *, boosts: bool = True) -> Reading:
        """The newest own posts, oldest first; raises if some of them are withheld.

        Without replies to others, where the server can leave them out and keep threads.
        """
        return await (await self._timeline()).window(limit, boosts=boosts)

    async def look_up(self, post: PostId) -> Post | None:
        """One own post as it stands now; None where the server says that it is not there."""
        said = await self._presence.status(post)
        return None if said is None else await (await self._timeline()).post(said)

    async def standing(self, post: PostId) -> Standing:
        """The post as it stands now: looking costs nothing here. Raises where that is unclear."""
        found = await self.look_up(post)
        if found is None:
            return Standing(gone=True)
        return Standing(post=found, audience=found.visibility)

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """Hand over one medium. See `bridge.ports.Sink`.

        A server that takes no file without alt text is given a sentence that says that there is
        none; one that finds a text too short refuses it in its own words.
        """
        async with self._explaining():
            return await self._uploads.upload(medium)

    async def publish(
        self,
        part: DraftPart,
        *,
        reply_to: PostId | None,
        key: str,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        """Create one post, once. See `bridge.ports.Sink`."""
        async with self._explaining():
            return await self._writing.publish(part, reply_to=reply_to, key=key, media=media)

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        """Give a post the whole content of `part`. See `bridge.ports.Sink`."""
        async with self._explaining():
            return await self._writing.revise(target, part, media=media)

    async def delete(self, target: PostId) -> Microdollars:
        """Have a post gone, or a boost taken back; costs nothing."""
        async with self._explaining():
            await self._writing.delete(target)
        return FREE

    async def close(self) -> None:
        """Release the thread and its connections; the session stays the caller's. Idempotent."""
        await self._client.close()

    @asynccontextmanager
    async def _explaining(self) -> AsyncIterator[None]:
        """Say of a refusal what is wrong with the account, where that is what it is about."""
        try:
            yield
        except NetworkError as error:
            raise await self._shut_out.explained(error) from error

    async def _whose(self) -> AccountId:
        return (await self.account()).id

    async def _timeline(self) -> Timeline:
        account, instance = await self.account(), await self._instance()
        return Timeline(
            self._client,
            account,
            instance.domain or self._settings.host,
            forward=instance.pages_forward,
            sources=self._sources if instance.sources_are_plain else None,
            keeps_threads=instance.keeps_threads,
            custom_emoji=self._settings.custom_emoji,
            oddities=self._oddities,
            now=self._clock.monotonic(),
            today=self._clock.now(),
        )

    def _last_known(self) -> Instance:
        """What the server said about itself last, however long ago; nothing is asked."""
        return Instance() if self._remembered is None else self._remembered.instance

    async def _instance(self, *, afresh: bool = False) -> Instance:
        """What the server says about itself; after a failure what it said last.

        Asked once a day, once the server has come back after an absence, and `afresh`.
        """
        async with self._asking:
            now, last = self._clock.now(), self._remembered
            if last is not None and last.lasts(now) and not afresh:
                back = self._was_away and now - last.at >= _ASKED_AGAIN_AFTER
                if not back:
                    return last.instance
            self._was_away = False
            try:
                instance, lasts = await self._ask(), _REMEMBERED_FOR
            except NetworkError as error:
                log.info("the server does not tell its limits, assuming some: %s", error)
                instance = Instance() if last is None else last.instance
                lasts = _ASKED_AGAIN_AFTER
            if last is not None or self._account is None:
                lasts = min(lasts, await self._ask_for_audience())
            self._remembered = _Remembered(instance, now, now + lasts)
            return instance

    async def _ask_for_audience(self) -> timedelta:
        """Learn the account's default audience, which may be another by now; until when to wait."""
        try:
            await self._ask_whose()
        except NetworkError as error:
            log.info("the server does not tell the account's default audience: %s", error)
            return _ASKED_AGAIN_AFTER
        return _REMEMBERED_FOR

    async def _ask_whose(self) -> Account:
        """Whose the token is, and what audience the account posts to by default."""
        said = await self._client.verify_credentials()
        account = account_from(said, self._settings.host)
        if account.url is None:
            account = replace(account, url=self._settings.base)
        if account.id == UNKNOWN_ID:
            raise Unauthorised("the server does not say whose token this is")
        self._audience = _AUDIENCES.get(text_at(mapping_at(said, "source"), "privacy"))
        self._account = self._account or account
        return self._account

    async def _ask(self) -> Instance:
        """The instance document, of version 2 or else 1. Raises if the server may have one."""
        failed: NetworkError | None = None
        for version in (2, 1):
            try:
                said = await self._client.instance(version)
            except NetworkError as error:
                if is_a_no(error) or isinstance(error, Unauthorised):
                    continue
                if error.status is None:
                    raise
                failed = error
                continue
            if "version" in said or "configuration" in said:
                return read_instance(said)
        if failed is not None:
            raise failed
        return Instance()
