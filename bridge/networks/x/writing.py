"""Creating, editing, repeating and deleting posts on X, each by one request that is never repeated.

Must not upload files, nor fit texts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

from bridge.core.draft import DraftPart
from bridge.core.errors import InDoubt, NetworkError, Refused, Transient
from bridge.core.model import MediaId, Microdollars, PostId
from bridge.core.prices import FREE, PriceTable
from bridge.core.record import Receipt
from bridge.networks.fields import flag_at, id_at, mapping_at
from bridge.networks.x.client import XClient
from bridge.networks.x.errors import says_gone
from bridge.networks.x.identity import Identity
from bridge.networks.x.limits import MAX_MEDIA
from bridge.networks.x.render import CreateBody, create_body, price_of
from bridge.networks.x.reposts import repost_name, reposted
from bridge.networks.x.settings import XSettings
from bridge.ports import Clock


class Writer:
    """The writing half.

    `is_gone` tells of a post whether X surely has it no more. `describe` gives an uploaded file
    its alt text, where it has another one, and returns what that cost.
    """

    def __init__(
        self,
        client: XClient,
        identity: Identity,
        clock: Clock,
        prices: PriceTable,
        settings: XSettings,
        *,
        is_gone: Callable[[PostId], Awaitable[bool]],
        describe: Callable[[MediaId, str], Awaitable[Microdollars]],
    ) -> None:
        self._client = client
        self._identity = identity
        self._clock = clock
        self._prices = prices
        self._settings = settings
        self._is_gone = is_gone
        self._describe = describe

    async def publish(
        self, part: DraftPart, reply_to: PostId | None, media: Sequence[MediaId]
    ) -> Receipt:
        """See `bridge.ports.Sink`. What uploads cost is not in the receipt: `upload` told it."""
        if part.repeat is not None:
            return await self._repeat(part.repeat)
        _check(part, media)
        body = create_body(part, reply_to, media=media, now=self._clock.now())
        receipt = await self._created(body)
        if part.poll is not None and "poll" not in body:
            note = "too little time was left of the poll, so it stands there in words"
            return replace(receipt, note=note)
        return receipt

    async def revise(self, target: PostId, part: DraftPart, media: Sequence[MediaId]) -> Receipt:
        """X's edit, which makes a new post of another id in the place of the old one.

        The cost includes descriptions that changed: each is told to X on its own.
        """
        if not self._settings.premium:
            raise Refused("X lets only accounts with Premium edit their posts")
        if part.repeat is not None or reposted(target) is not None:
            raise Refused("a repost on X cannot be edited")
        if part.poll is not None:
            raise Refused("X lets nobody edit a post with a poll")
        _check(part, media)
        body = create_body(part, None, media=media, now=self._clock.now())
        body["edit_options"] = {"previous_post_id": str(target)}
        cost = 0
        if len(media) == len(part.media):
            for media_id, medium in zip(media, part.media, strict=True):
                cost += await self._describe(media_id, medium.alt)
        receipt = await self._created(body)
        return replace(receipt, cost=Microdollars(receipt.cost + cost))

    async def delete(self, target: PostId) -> Microdollars:
        """See `bridge.ports.Sink`. Asking again does no harm, but may be charged again.

        So where X answers that it failed, that is `Transient`; where its answer is lost, `InDoubt`.
        """
        repeated = reposted(target)
        original = repeated or target
        path = f"/2/tweets/{quote(target, safe='')}"
        if repeated is not None:
            path = f"{await self._reposts()}/{quote(repeated, safe='')}"
        try:
            answer = await self._client.write("DELETE", path)
        except NetworkError as error:
            return await self._not_deleted(original, error)
        data = mapping_at(answer, "data")
        if flag_at(data, "deleted") or (repeated and flag_at(data, "retweeted") is False):
            return self._prices.delete
        if says_gone(answer, original):
            return FREE
        raise Transient(f"X did not say that it deleted {target}")

    async def _not_deleted(self, original: PostId, error: NetworkError) -> Microdollars:
        """What it cost where nothing stands there all the same; raises `error` in its own kind."""
        if isinstance(error, InDoubt):
            if error.status == HTTPStatus.NO_CONTENT:
                return self._prices.delete
            if error.status is not None and error.status >= HTTPStatus.BAD_REQUEST:
                raise Transient(f"deleting: {error.detail}", status=error.status) from None
        if isinstance(error, Refused) and error.missing:
            return FREE
        # A 404 may mean a post that is gone, or an incident: nothing but a look tells.
        if error.status == HTTPStatus.NOT_FOUND and await self._surely_gone(original):
            return FREE
        raise error

    async def _created(self, body: CreateBody) -> Receipt:
        account = await self._identity.account()
        answer = await self._client.write("POST", "/2/tweets", body)
        post = id_at(mapping_at(answer, "data"), "id")
        if post is None:
            raise InDoubt("X accepted the post but named no id")
        url = f"{self._settings.web}/{account.handle}/status/{post}"
        return Receipt(PostId(post), url, price_of(body, self._prices))

    async def _repeat(self, post: PostId) -> Receipt:
        """Repost; done already is as good, and costs nothing.

        The receipt has no address: that of the post which is repeated is not the repost's.
        """
        path = await self._reposts()
        try:
            answer = await self._client.write("POST", path, {"tweet_id": str(post)})
        except Refused as refused:
            if refused.duplicate:
                return Receipt(repost_name(post))
            raise
        if not flag_at(mapping_at(answer, "data"), "retweeted"):
            raise _not_repeated(answer, post)
        return Receipt(repost_name(post), cost=self._prices.repost)

    async def _reposts(self) -> str:
        account = await self._identity.account()
        return f"/2/users/{quote(account.id, safe='')}/retweets"

    async def _surely_gone(self, post: PostId) -> bool:
        try:
            return await self._is_gone(post)
        except NetworkError:
            return False


def _check(part: DraftPart, media: Sequence[MediaId]) -> None:
    """Refuse what X would refuse, before it is sent and maybe billed."""
    if part.quote is not None:
        raise Refused("X lets only apps of enterprises quote posts")
    if part.poll is not None and media:
        raise Refused("a post on X carries a poll or media, not both")
    if len(media) > MAX_MEDIA:
        raise Refused(f"a post on X carries {MAX_MEDIA} media at most, not {len(media)}")


def _not_repeated(answer: Mapping[str, object], post: PostId) -> NetworkError:
    if says_gone(answer, post):
        return Refused(f"X has no post {post} to be reposted", missing=True)
    return InDoubt("X did not say that it reposted the post")
