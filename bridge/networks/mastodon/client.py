"""Mastodon.py made safe to await: one thread, one request at a time, bounded in time and size.

The library composes requests; answers are read from the exchange itself, because the library
reports some successes as failures and cannot tell "never sent" from "never answered".
Must not know what is done with an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from ssl import SSLContext
from urllib.parse import quote

from mastodon import Mastodon

from bridge import __version__
from bridge.core.errors import Refused
from bridge.core.model import AccountId, PostId
from bridge.net.tracing import Seen
from bridge.networks.mastodon.errors import decoded, failure, unreadable
from bridge.networks.mastodon.render import EditArguments, StatusArguments
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.mastodon.wire import Exchange, Wire, WireSession
from bridge.ports import Clock

USER_AGENT = f"twinpost/{__version__}"
TIMEOUTS = (5, 30)
"""Seconds to connect, and between two bytes of an answer."""

LONGEST_EXCHANGE = 60.0
"""Seconds for one exchange as a whole: a byte a second is never a silence, and never ends."""

SENT_WITHIN = 20.0
"""Seconds from being asked for until the first byte of a change must have left.

Whoever takes over from a process that seems dead waits for longer than this, so nothing leaves
behind its back.
"""

_GRACE = 6.0
"""Seconds that an ended exchange may still take: a connection being opened cannot be cut short."""

_ASSUMED_VERSION = "4.7.3"
"""Stated so that the library neither asks the server for it nor stumbles over an odd answer."""

_PLAIN = {"content_type": "text/plain"}

Call = Callable[[Mastodon], object]


class Client:
    """The REST half of one account. Every method raises the five kinds of `NetworkError`.

    `returned` is called whenever the server answers again after an absence.
    """

    def __init__(
        self,
        settings: MastodonSettings,
        clock: Clock,
        *,
        longest_exchange: float = LONGEST_EXCHANGE,
        tls: SSLContext | None = None,
        seen: Seen | None = None,
        returned: Callable[[], None] | None = None,
    ) -> None:
        self._seen = seen
        self._returned = returned
        self._away = False
        self._token = settings.access_token
        self._clock = clock
        self._longest_exchange = longest_exchange
        self._wire = Wire(tls=tls)
        self._session = WireSession(self._wire)
        self._api = Mastodon(
            api_base_url=settings.base,
            ratelimit_method="throw",
            request_timeout=TIMEOUTS,  # type: ignore[arg-type] # a pair works, and is needed
            mastodon_version=_ASSUMED_VERSION,
            version_check_mode="created",
            session=self._session,
            user_agent=USER_AGENT,
        )
        # Given to the constructor, a token that happens to name a file would be read as that file.
        self._api.access_token = self._token
        self._lock = asyncio.Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="mastodon")
        self._running: Future[None] | None = None
        self._closed = False

    async def verify_credentials(self) -> Mapping[str, object]:
        """The account that the token belongs to."""
        return await self._object(lambda api: api.account_verify_credentials())

    async def account(self, account: AccountId) -> Mapping[str, object]:
        """An account as anybody may see it."""
        whose = quote(account, safe="")
        return await self._object(lambda api: api.account(whose))

    async def instance(self, version: int) -> Mapping[str, object]:
        """What the server says about itself, by version 1 or 2 of the API."""
        if version == 1:
            return await self._object(lambda api: api.instance_v1())
        return await self._object(lambda api: api.instance_v2())

    async def statuses(
        self,
        account: AccountId,
        *,
        limit: int,
        min_id: PostId | None = None,
        max_id: PostId | None = None,
        replies: bool = True,
        boosts: bool = True,
    ) -> tuple[Mapping[str, object], ...]:
        """One page of the account's statuses of every kind, in the order the server lists them.

        Without `replies`, or `boosts`, the server is asked to leave these out.
        """
        whose = quote(account, safe="")
        page = await self._json(
            lambda api: api.account_statuses(
                whose,
                limit=limit,
                min_id=min_id,
                max_id=max_id,
                exclude_replies=not replies,
                exclude_reblogs=not boosts,
            ),
            array=True,
        )
        items = page if isinstance(page, list) else ()
        return tuple(item for item in items if isinstance(item, Mapping))

    async def source(self, post: PostId) -> Mapping[str, object]:
        """What the author typed."""
        which = quote(post, safe="")
        return await self._object(lambda api: api.status_source(which))

    async def status(self, post: PostId) -> Mapping[str, object]:
        """One status as it stands. A post that is not there is `Refused` with `missing`."""
        which = quote(post, safe="")
        return _named(await self._json(lambda api: api.status(which), naming=True))

    async def create(
        self, given: StatusArguments, *, by: float, plain: bool = False
    ) -> Mapping[str, object]:
        """Create one status, once. Raises `InDoubt` whenever it may stand without our knowing.

        `by` is the monotonic time after which it must not be sent any more, here and below. `plain`
        says that the text has to be called plain.
        """
        quoted = given["quoted_status_id"]
        naming = given["in_reply_to_id"] is not None or quoted is not None
        answer = await self._json(
            lambda api: api.status_post(**given),
            creating=True,
            naming=naming,
            by=by,
            # Under this name other makes knew quotes long before Mastodon did.
            added=({} if quoted is None else {"quote_id": quoted}) | (_PLAIN if plain else {}),
        )
        return _named(answer)

    async def repeat(self, post: PostId, visibility: str, *, by: float) -> Mapping[str, object]:
        """Boost one status. Raises `InDoubt` where that may have been done."""
        which = quote(post, safe="")
        return _named(
            await self._json(
                lambda api: api.status_reblog(which, visibility=visibility),
                creating=True,
                naming=True,
                by=by,
            )
        )

    async def update(
        self,
        post: PostId,
        given: EditArguments,
        language: str | None,
        *,
        by: float,
        plain: bool = False,
    ) -> Mapping[str, object]:
        """Put `given` in the place of what stands. Raises `InDoubt` where that may be done.

        The library has no argument for the language, nor for a text being `plain`.
        """
        which = quote(post, safe="")
        added = ({} if language is None else {"language": language}) | (_PLAIN if plain else {})
        answer = await self._json(
            lambda api: api.status_update(which, **given), creating=True, by=by, added=added
        )
        return _named(answer)

    async def delete(self, post: PostId, *, media: bool = False, by: float) -> None:
        """Delete one status, with `media` its files at once. What is gone is `missing`."""
        which = quote(post, safe="")
        await self._done(lambda api: api.status_delete(which, delete_media=media or None), by)

    async def unrepeat(self, post: PostId, *, by: float) -> None:
        """Take back the boost of one status."""
        which = quote(post, safe="")
        await self._done(lambda api: api.status_unreblog(which), by)

    async def close(self) -> None:
        """End what is under way and release thread and connections. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._wire.exchange.abort()
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._running is not None and not self._running.done():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(asyncio.wrap_future(self._running), _GRACE)
        self._session.close()

    async def _object(self, call: Call) -> Mapping[str, object]:
        return _named(await self._json(call))

    async def _done(self, call: Call, by: float) -> None:
        """Do what may be repeated; nothing of the answer matters but whether it is a success."""
        exchange = await self._exchange(call, by=by)
        error = failure(exchange, now=self._clock.now(), naming=True)
        if error is not None:
            raise error

    async def _json(
        self,
        call: Call,
        *,
        creating: bool = False,
        naming: bool = False,
        array: bool = False,
        by: float | None = None,
        added: Mapping[str, object] | None = None,
    ) -> object:
        """The answer as JSON: an object, or an array where one is asked for."""
        exchange = await self._exchange(call, by=by, added=added)
        error = failure(exchange, now=self._clock.now(), creating=creating, naming=naming)
        value = decoded(exchange)
        if error is None and not isinstance(value, list if array else dict):
            error = unreadable(exchange, creating=creating)
        if error is not None:
            raise error
        return value

    async def _exchange(
        self, call: Call, *, by: float | None = None, added: Mapping[str, object] | None = None
    ) -> Exchange:
        """One exchange; one more, at once, for a read under which the connection broke."""
        exchange = await self._once(call, by=by, added=added)
        return await self._once(call, by=by, added=added) if exchange.is_broken_read else exchange

    async def _once(
        self, call: Call, *, by: float | None, added: Mapping[str, object] | None
    ) -> Exchange:
        """Have the thread do `call`, and see that it ends.

        A cancelled caller leaves it running: what is under way may be a creation.
        """
        exchange = Exchange(sent_by=by, now=self._clock.monotonic, added=added or {})
        async with self._lock:
            if self._closed:
                raise Refused("this connection is closed")
            self._running = self._executor.submit(self._run, exchange, call)
            running = asyncio.wrap_future(self._running)
            timer = asyncio.get_running_loop().call_later(self._longest_exchange, exchange.abort)
            running.add_done_callback(lambda _: timer.cancel())
            if self._seen is not None:
                # As the exchange ends, not as its caller goes on, which may have given up by then.
                running.add_done_callback(lambda _: self._tell(exchange))
            try:
                await asyncio.shield(running)
            except asyncio.CancelledError:
                if running.cancelled():
                    raise Refused("this connection was closed before its turn came") from None
                raise
        self._notice_return(exchange)
        return exchange

    def _notice_return(self, exchange: Exchange) -> None:
        """Tell that the server answers again, after it did not, or was out of order."""
        status = exchange.status
        if exchange.late or not exchange.begun:
            return
        away = status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if self._away and not away and self._returned is not None:
            self._returned()
        self._away = away

    def _tell(self, exchange: Exchange) -> None:
        """What was kept back here, or broke off before the transport, was no call."""
        if self._seen is not None and exchange.begun and not exchange.late:
            self._seen(exchange.method, exchange.path, exchange.status, exchange.headers)

    def _run(self, exchange: Exchange, call: Call) -> None:
        """In the thread. Whatever the library makes of it all, the exchange tells the truth."""
        self._wire.exchange = exchange
        try:
            call(self._api)
        except Exception as error:  # noqa: BLE001 - judged by `failure`, from the exchange
            exchange.fault = exchange.fault or type(error).__name__


def _named(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
