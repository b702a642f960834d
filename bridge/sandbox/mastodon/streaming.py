"""The streaming server: events as they happen, by WebSocket or server-sent events, never replayed.

After streaming/index.js. A stream is a wake-up: what happens while nobody listens is lost, and
own boosts of what stands high in the home feed never come. Must not keep a slow reader's backlog
beyond a bound: it is cut off.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.oauth import Token
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError, Json
from bridge.sandbox.mastodon.records import Change, Status
from bridge.sandbox.mastodon.serialise import moment

BACKLOG = 1000
_MISSING = "Missing access token"
_INVALID = "Invalid access token"
_NO_SCOPE = "Access token does not have the required scopes"
_UNKNOWN = "Unknown stream type"
_CLOSED = 1000


@dataclass(slots=True)
class Heartbeats:
    """Seconds between ``:thump`` comments, and between WebSocket pings."""

    thump: float = 15.0
    ping: float = 30.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `payload` is JSON text, or the bare id of a deletion."""

    name: str
    payload: str


@dataclass(eq=False, slots=True)
class Stream:
    """One reader's connection. None in the queue means: hang up."""

    token: Token
    origin: str
    subscribed: bool = False
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG))

    def push(self, event: Event | None) -> None:
        """Queue an event; a reader that is too slow is hung up on."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


class Streaming:
    """The open streams of one server, and the handlers that open them."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._streams: set[Stream] = set()
        self.heartbeats = Heartbeats()
        door.state.subscribe(self._on_change)
        door.tokens.on_revocation(self._on_revocation)

    @property
    def open_streams(self) -> int:
        """How many readers there are."""
        return len(self._streams)

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        listed = []
        if self._door.profile.websocket:
            listed += [
                web.get("/api/v1/streaming", self.websocket),
                web.get("/api/v1/streaming/", self.websocket),
            ]
        if self._door.profile.events:
            listed.append(web.get("/api/v1/streaming/user", self.events))
        return listed

    def hang_up(self) -> None:
        """End every stream, as a restart of the server does."""
        for stream in tuple(self._streams):
            stream.push(None)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """``GET /api/v1/streaming/user`` as server-sent events."""
        stream = Stream(self._authorised(request), self._door.origin(request), subscribed=True)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "private, no-store"}
        )
        self._streams.add(stream)
        try:
            await response.prepare(request)
            await response.write(b":)\n")
            while True:
                event = await self._next(stream)
                if event is None:
                    break
                await response.write(event)
        except ConnectionError:
            pass
        finally:
            self._streams.discard(stream)
        return response

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        """``GET /api/v1/streaming`` upgraded; ``?stream=user`` or a subscribe message."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(404, NOT_FOUND)
        try:
            token = self._bearer(request)
            if self._door.profile.streaming_scope == "read":
                self._check(token)
        except ApiError as error:
            headers = {"X-Error-Message": error.message}
            return web.Response(status=error.status, headers=headers)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = tuple(name.strip() for name in offered.split(",") if name.strip())[:1]
        socket = web.WebSocketResponse(heartbeat=self.heartbeats.ping, protocols=protocols)
        await socket.prepare(request)
        stream = Stream(token, self._door.origin(request))
        self._streams.add(stream)
        sender = asyncio.create_task(self._send(stream, socket))
        try:
            if request.query.get("stream"):
                await self._subscribe(stream, socket, request.query["stream"])
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._obey(stream, socket, message.data)
        finally:
            self._streams.discard(stream)
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
        return socket

    async def _next(self, stream: Stream) -> bytes | None:
        try:
            async with asyncio.timeout(self.heartbeats.thump):
                event = await stream.queue.get()
        except TimeoutError:
            return b":thump\n"
        if event is None:
            return None
        return f"event: {event.name}\ndata: {event.payload}\n\n".encode()

    async def _send(self, stream: Stream, socket: web.WebSocketResponse) -> None:
        while True:
            event = await stream.queue.get()
            if event is None:
                await socket.close(code=_CLOSED)
                return
            frame = {"stream": ["user"], "event": event.name, "payload": event.payload}
            with suppress(ConnectionError):
                await socket.send_str(json.dumps(frame))

    async def _obey(self, stream: Stream, socket: web.WebSocketResponse, text: str) -> None:
        try:
            order = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(order, dict):
            return
        if order.get("type") == "subscribe":
            await self._subscribe(stream, socket, str(order.get("stream")))
        elif order.get("type") == "unsubscribe" and order.get("stream") == "user":
            stream.subscribed = False

    async def _subscribe(self, stream: Stream, socket: web.WebSocketResponse, name: str) -> None:
        if name != "user":
            await socket.send_str(json.dumps({"error": _UNKNOWN, "status": 400}))
        elif not self._permitted(stream.token):
            await socket.send_str(json.dumps({"error": _NO_SCOPE, "status": 401}))
        else:
            stream.subscribed = True

    def _authorised(self, request: web.Request) -> Token:
        token = self._bearer(request)
        self._check(token)
        return token

    def _check(self, token: Token) -> None:
        if not self._permitted(token):
            raise ApiError(401, _NO_SCOPE)

    def _permitted(self, token: Token) -> bool:
        return token.allows("read", self._door.profile.streaming_scope)

    def _bearer(self, request: web.Request) -> Token:
        secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not secret:
            secret = request.query.get("access_token", "")
        if not secret:
            secret = request.headers.get("Sec-WebSocket-Protocol", "").split(",")[0].strip()
        if not secret:
            raise ApiError(401, _MISSING)
        token = self._door.tokens.find(secret)
        if token is None or token.revoked or token.account_id is None:
            raise ApiError(401, _INVALID)
        return token

    def _on_revocation(self, token: Token) -> None:
        for stream in tuple(self._streams):
            if stream.token.id == token.id:
                stream.push(None)

    def _on_change(self, change: Change) -> None:
        for stream in tuple(self._streams):
            reader = stream.token.account_id
            if reader is None or not stream.subscribed:
                continue
            if self._at_home(change, reader):
                stream.push(self._event(change, reader, stream.origin))
            if self._tells(change, stream.token):
                stream.push(self._notification(change.status, reader, stream.origin))

    def _at_home(self, change: Change, reader: str) -> bool:
        """Whether a change shows in the home feed of `reader`."""
        status = change.status
        if status.account_id == reader:
            return change.streamed
        if not self._door.state.follows(reader, status.account_id):
            return False
        # Replies to people whom one does not follow stay out of the home feed.
        to = status.in_reply_to_account_id
        known = to in {None, reader, status.account_id} or self._door.state.follows(
            reader, to or ""
        )
        return known and self._door.state.can_see(status, reader)

    def _tells(self, change: Change, token: Token) -> bool:
        """Whether a new post notifies the reader, and the token may see that."""
        return (
            change.kind == "update"
            and token.account_id in change.status.mentions
            and token.account_id != change.status.account_id
            and token.allows("read", "read:notifications")
        )

    def _event(self, change: Change, reader: str, origin: str) -> Event:
        if change.kind == "delete":
            return Event("delete", change.status.id)
        shown = self._door.show.status(change.status, reader, origin)
        return Event(change.kind, json.dumps(shown, ensure_ascii=False))

    def _notification(self, status: Status, reader: str, origin: str) -> Event:
        author = self._door.state.account(status.account_id)
        body: Json = {
            "id": status.id,
            "type": "mention",
            "created_at": moment(status.created_at),
            "group_key": f"ungrouped-{status.id}",
            "account": self._door.show.account(author, origin) if author else None,
            "status": self._door.show.status(status, reader, origin),
        }
        return Event("notification", json.dumps(body, ensure_ascii=False))
