"""The server's stream of events as a wake-up: something may be new, or changed; go and read.

Nothing is ever taken from the stream itself but the ids of posts to look up: it has gaps, and no
memory. WebSocket first, which most servers have, then server-sent events, also where a WebSocket
is refused; that neither is offered is normal. Must not read posts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

import aiohttp

from bridge.core.model import AccountId, PostId
from bridge.networks.fields import id_at, mapping_at, text_at
from bridge.ports import Changed, Clock, ignore

log = logging.getLogger(__name__)

LARGEST_EVENT = 1024 * 1024
"""Bytes of one frame, or of one server-sent event, beyond which the connection is given up."""

_PATH = "/api/v1/streaming"
_PING_EVERY = 25.0
_LONGEST_SILENCE = 45.0
"""Seconds: servers send something every 15 (SSE) or answer a ping."""

_CONNECT_TIMEOUT = 10.0
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 300.0
_STABLE_AFTER = 60.0
"""Seconds of connection after which the next failure counts as the first again."""

_SAID_AFTER = 3
"""Failures in a row: connections end now and then, and nobody needs to hear of each."""

_BETWEEN_DELETIONS = 10.0
"""Seconds: a deletion names no account, and those of unknown posts may come by the thousand."""

_LONGEST_ID = 200
"""Characters. What is longer is no id of any server."""

_REMEMBERED = 1000
"""Posts of which it is remembered whose they are."""


class Ending(Enum):
    """How an attempt to stream ended."""

    NOT_OFFERED = auto()
    UNAUTHORISED = auto()
    LOST = auto()
    """Could not connect, or was connected and is no longer: try again."""


@dataclass(frozen=True, slots=True)
class Event:
    """The name of an event, and its payload as the server wrote it (JSON, or a bare id)."""

    name: str
    payload: str

    def post(self) -> tuple[str, str | None] | None:
        """Which post is new or changed, and by which account; None for any other event."""
        if self.name not in {"update", "status.update"}:
            return None
        said = _object(self.payload)
        return id_at(said, "id") or "", id_at(mapping_at(said, "account"), "id")


class Stream:
    """Listens for one account at `base`, an http(s) address without the API's path.

    `jitter` gives numbers in [0, 1), so that many bridges do not come back at one moment. `told`
    hears whether it is connected; None where the server has no stream.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: str,
        token: str,
        account: AccountId,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        told: Callable[[bool | None], None] = lambda _: None,
    ) -> None:
        self._session = session
        self._base = base
        self._headers = {"Authorization": f"Bearer {token}"}
        self._account = account
        self._clock = clock
        self._jitter = jitter
        self._told = told
        self._connected_at: float | None = None
        self._deletion_at: float | None = None
        self._own: dict[str, bool] = {}
        self._changed: Changed = ignore
        self._missed = False
        """Whether it was said that there is no stream."""

    async def listen(self, wake: Callable[[], None], changed: Changed = ignore) -> None:
        """Call `wake` after every connecting, and at every event that concerns the account.

        Call `changed` with each post that was edited or deleted, unless it is known to be somebody
        else's. Runs until cancelled; returns where streaming is not offered, or not to this token.
        """
        ways = [self._by_websocket, self._by_server_sent_events]
        self._changed = changed
        worked = refused = False
        failures = 0
        while ways:
            self._connected_at = None
            self._told(False)
            ending = await ways[0](wake)
            connected_at: float | None = self._connected_at
            worked |= connected_at is not None
            if ending is Ending.UNAUTHORISED or (ending is Ending.NOT_OFFERED and not worked):
                # Some servers and proxies refuse one of the two and offer the other.
                refused |= ending is Ending.UNAUTHORISED
                worked = False
                del ways[0]
                continue
            stable = (
                connected_at is not None and self._clock.monotonic() - connected_at >= _STABLE_AFTER
            )
            failures = 1 if stable else failures + 1
            self._told(False)
            if failures == _SAID_AFTER:
                log.warning("the stream is lost; new posts are found by polling until it is back")
                self._missed = True
            await self._clock.sleep(backoff(failures, self._jitter()))
        if refused:
            self._told(False)
            log.warning("the token may not stream; new posts are found by polling alone")
            return
        self._told(None)
        log.info("the server offers no streaming; new posts are found by polling alone")

    async def _by_websocket(self, wake: Callable[[], None]) -> Ending:
        try:
            async with self._session.ws_connect(
                f"{self._base}{_PATH}",
                params={"stream": "user"},
                headers=self._headers,
                heartbeat=_PING_EVERY,
                max_msg_size=LARGEST_EVENT,
                timeout=aiohttp.ClientWSTimeout(ws_close=5.0),
            ) as socket:
                self._connected(wake)
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        self._heard(_from_frame(message.data), wake)
        except aiohttp.WSServerHandshakeError as error:
            return _ending(error.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.debug("streaming: %s", type(error).__name__)
        return Ending.LOST

    async def _by_server_sent_events(self, wake: Callable[[], None]) -> Ending:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_TIMEOUT, sock_read=_LONGEST_SILENCE
        )
        try:
            async with self._session.get(
                f"{self._base}{_PATH}/user",
                headers=self._headers | {"Accept": "text/event-stream"},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                if response.status != HTTPStatus.OK:
                    return _ending(response.status)
                if response.content_type != "text/event-stream":
                    return Ending.NOT_OFFERED
                self._connected(wake)
                async for event in _events(response.content):
                    self._heard(event, wake)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.debug("streaming: %s", type(error).__name__)
        return Ending.LOST

    def _connected(self, wake: Callable[[], None]) -> None:
        self._connected_at = self._clock.monotonic()
        self._told(True)
        if self._missed:
            log.info("the stream is back")
        self._missed = False
        # Whatever came while nobody listened was told to nobody.
        wake()

    def _heard(self, event: Event, wake: Callable[[], None]) -> None:
        if event.name == "delete":
            self._deleted(event.payload.strip().strip('"'), wake)
        elif (told := event.post()) is not None:
            post, author = told
            self._own.pop(post, None)
            if post:
                self._own[post] = author == self._account
            while len(self._own) > _REMEMBERED:
                del self._own[next(iter(self._own))]
            if author == self._account:
                if post and event.name == "status.update":
                    self._changed(PostId(post))
                wake()

    def _deleted(self, post: str, wake: Callable[[], None]) -> None:
        """A deletion is a bare id: ours wakes, others' do not, unknown ones do now and then."""
        own = self._own.pop(post, None)
        now = self._clock.monotonic()
        if own is not False and 0 < len(post) <= _LONGEST_ID:
            self._changed(PostId(post))
        if own is None:
            recent = self._deletion_at
            if recent is not None and now - recent < _BETWEEN_DELETIONS:
                return
            self._deletion_at = now
        if own is not False:
            wake()


def backoff(failures: int, jitter: float) -> float:
    """Seconds to wait after so many failures in a row (1 or more), the second half by chance."""
    full = min(_FIRST_WAIT * float(1 << min(failures - 1, 16)), _LONGEST_WAIT)
    return full * (1 - jitter / 2)


def _ending(status: int) -> Ending:
    """What a refused connection means."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Ending.UNAUTHORISED
    lost = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
    out_of_order = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if status in lost or (out_of_order and status != HTTPStatus.NOT_IMPLEMENTED):
        return Ending.LOST
    return Ending.NOT_OFFERED


def _from_frame(frame: str) -> Event:
    """``{"stream":["user"],"event":"update","payload":"…"}``; anything else is an event unnamed."""
    said = _object(frame)
    return Event(text_at(said, "event"), text_at(said, "payload"))


def _object(text: str) -> Mapping[str, object]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[Event]:
    """Server-sent events as the standard frames them. Raises `ValueError` for one too large."""
    name, size = "", 0
    data: list[str] = []
    async for line in _lines(content):
        if not line:
            if name or data:
                yield Event(name, "\n".join(data))
            name, data, size = "", [], 0
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        size += len(value)
        if size > LARGEST_EVENT:
            raise ValueError("an event too large")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[str]:
    """Lines without their ends, of a stream in pieces of any size."""
    waiting = bytearray()
    async for piece in content.iter_any():
        waiting += piece
        if len(waiting) > LARGEST_EVENT and b"\n" not in waiting:
            raise ValueError("a line too long")
        *lines, rest = waiting.split(b"\n")
        waiting = bytearray(rest)
        for line in lines:
            yield line.removesuffix(b"\r").decode(errors="replace")
