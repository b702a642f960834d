"""One account on a server that speaks the Mastodon API, as the engine wants to see it.

Puts the pieces of this folder together and holds what is remembered between calls: whose account
it is, and what the server said about itself. Must not judge posts, and must not repeat a request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom

import aiohttp

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, NetworkError, Refused, Unauthorised
from bridge.core.lengths import mastodon_length
from bridge.core.model import Account, MediaId, Microdollars, Network, Post, PostId, Visibility
from bridge.core.record import Cursor, Receipt
from bridge.networks.fields import UNKNOWN_ID
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.instance import Instance, read_instance, streaming_base
from bridge.networks.mastodon.normalise import account_from
from bridge.networks.mastodon.outcome import Outcome, read_outcome
from bridge.networks.mastodon.render import arguments
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.mastodon.stream import Stream, backoff
from bridge.networks.mastodon.timeline import Timeline
from bridge.ports import Baseline, Clock, Known, LocalMedia, Reading, Standing, Uploaded

log = logging.getLogger(__name__)

_REMEMBERED_FOR = timedelta(hours=24)
_ASKED_AGAIN_AFTER = timedelta(minutes=5)
"""How long a server that could not say anything about itself is left in peace."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    instance: Instance
    until: datetime


class MastodonAdapter:
    """A `bridge.ports.NetworkPort` for one Mastodon account.

    Construct it where a loop runs. `session` is for streaming, and stays the caller's; REST goes
    through Mastodon.py and connections of its own. `jitter` gives numbers in [0, 1).

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
    ) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._jitter = jitter or SystemRandom().random
        self._client = Client(settings, clock)
        self._account: Account | None = None
        self._remembered: _Remembered | None = None
        self._asking = asyncio.Lock()

    async def account(self) -> Account:
        """Who the token belongs to. Asked once and remembered."""
        async with self._asking:
            if self._account is None:
                said = await self._client.verify_credentials()
                account = account_from(said, self._settings.host)
                if account.id == UNKNOWN_ID:
                    raise Unauthorised("the server does not say whose token this is")
                self._account = account
            return self._account

    async def baseline(self) -> Baseline:
        """Where the timeline stands now: one page."""
        return await (await self._timeline()).baseline()

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Own posts after `cursor`, oldest first. See `bridge.ports.Source`."""
        return await (await self._timeline()).after(cursor, known)

    async def recent(self, since: datetime) -> Reading:
        """All own posts created at `since` or later, oldest first; raises if some are withheld."""
        return await (await self._timeline()).recent(since)

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever the server's stream hints at news. See `bridge.ports.Source`."""
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
            log.warning("not streaming: the server names an unencrypted address for it")
            return
        token = self._settings.access_token
        stream = Stream(
            self._session, base, token, account.id, clock=self._clock, jitter=self._jitter
        )
        await stream.listen(wake)

    async def capabilities(self) -> Capabilities:
        """What can be sent, as the server says; remembered for a day. Never raises.

        A server that does not say is assumed to be the narrowest of its kind, and asked again
        soon.
        """
        return (await self._instance()).capabilities

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
        """Create one post, once. See `bridge.ports.Sink`.

        A post that the server made visible to more people than asked for is deleted at once, and
        refused; where the deletion fails it is in doubt, so that somebody looks.
        """
        if part.visibility is Visibility.UNKNOWN:
            raise Refused("a post must say who may see it")
        if part.media or media:
            raise Refused("media cannot be sent yet")
        try:
            answer = await self._client.create(arguments(part, reply_to=reply_to, key=key))
        except Refused as error:
            if error.status in {400, 413, 422} and not (error.missing or error.duplicate):
                error.too_long = await self._is_too_long(part)
            raise
        outcome = read_outcome(answer)
        if outcome is None:
            raise InDoubt("the server's answer does not name the post it made")
        if outcome.is_wider_than(part.visibility):
            await self._take_back(outcome, part.visibility)
        for lost in outcome.lacks(part, reply_to):
            log.warning("post %s was made without its %s", outcome.id, lost)
        return Receipt(outcome.id, outcome.url)

    async def close(self) -> None:
        """Release the thread and its connections; the session stays the caller's. Idempotent."""
        await self._client.close()

    async def _timeline(self) -> Timeline:
        account, instance = await self.account(), await self._instance()
        return Timeline(
            self._client,
            account,
            self._settings.host,
            forward=instance.pages_forward,
            sources=instance.sources_are_plain,
        )

    async def _instance(self, *, afresh: bool = False) -> Instance:
        """What the server says about itself; after a failure what it said last."""
        async with self._asking:
            now = self._clock.now()
            last = self._remembered
            # The lower bound is for a clock that was set back meanwhile.
            lasting = last is not None and last.until - _REMEMBERED_FOR <= now < last.until
            if last is not None and lasting and not afresh:
                return last.instance
            try:
                instance, lasts = await self._ask(), _REMEMBERED_FOR
            except NetworkError as error:
                log.info("the server does not tell its limits, assuming some: %s", error)
                instance = Instance() if last is None else last.instance
                lasts = _ASKED_AGAIN_AFTER
            self._remembered = _Remembered(instance, now + lasts)
            return instance

    async def _ask(self) -> Instance:
        """The instance document, of version 2 or else 1. Raises if the server may have one."""
        failed: NetworkError | None = None
        for version in (2, 1):
            try:
                said = await self._client.instance(version)
            except (Refused, Unauthorised):
                continue
            except NetworkError as error:
                if error.status is None:
                    raise
                failed = error
                continue
            if "version" in said or "configuration" in said:
                return read_instance(said)
        if failed is not None:
            raise failed
        return Instance()

    async def _is_too_long(self, part: DraftPart) -> bool:
        """Whether the server, asked again for its limits, could not have taken this length.

        Its words are localised; its limits may have changed since they were asked for.
        """
        limits = (await self._instance(afresh=True)).capabilities
        if limits.counting == "x":
            return False
        length = mastodon_length(part.text, part.spoiler, counting=limits.counting)
        return length > limits.max_length

    async def _take_back(self, outcome: Outcome, asked: Visibility) -> None:
        """Delete a post that more people can see than asked for. Raises in every case."""
        what = f"the server made it {outcome.visibility or 'visible to nobody knows whom'}"
        what += f" instead of {asked.value}"
        try:
            await self._client.delete(outcome.id)
        except NetworkError as error:
            raise InDoubt(f"{what}, and it could not be deleted: {error}") from error
        raise Refused(f"{what}; it was deleted at once")
