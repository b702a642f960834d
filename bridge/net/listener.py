"""A listener with limits: how many connections, from whom, and how long each may wait.

Every server of the daemon accepts its connections here. A connection is either *waiting* for its
client, with a deadline, or being *served*. At a limit, the connection that has waited longest makes
room, so that idle connections keep nobody out; where none waits, the new one is refused. Out of
descriptors, accepting pauses. Must not know what is spoken over a connection.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from bridge.net.clients import client_key, is_in

log = logging.getLogger(__name__)

ACCEPT_PAUSE: Final = 1.0
"""Seconds until the next try where a connection cannot be accepted."""

MOST_DESCRIPTORS: Final = 4096
_SHARE: Final = 8
_FEWEST: Final = 4
_BACKLOG: Final = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener allows: connections, and seconds that each may wait for its client.

    `head` is for the first bytes to become a request, `body` for the rest of it, `idle` for the
    time between two requests, in which the answer has to be taken too. `answer` bounds the work on
    one request. Clients in `trusted` are proxies: they may take all connections.
    """

    connections: int = 64
    per_client: int = 32
    head: float = 10.0
    body: float = 10.0
    idle: float = 30.0
    answer: float = 30.0
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()


class Connection(asyncio.Protocol):
    """One connection: hands everything on to `inner`, and is closed when its client is too slow."""

    def __init__(self, listener: Listener, inner: asyncio.Protocol, client: str) -> None:
        self._listener = listener
        self._inner = inner
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self.client = client

    @property
    def limits(self) -> Limits:
        """Those of its listener."""
        return self._listener.limits

    def wait(self, seconds: float) -> None:
        """From now on the client has to act, within `seconds`."""
        self._stop_timer()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)
            self._listener.waiting.pop(self, None)
            self._listener.waiting[self] = None

    def serve(self) -> None:
        """From now on the client waits for us: no deadline, and it is not closed for another."""
        self._stop_timer()
        self._listener.waiting.pop(self, None)

    def abort(self) -> None:
        """Close it at once, whatever is still to be sent."""
        self.serve()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop, as are all that follow."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a socket's
        self._transport = transport
        self.wait(self.limits.head)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self.serve()
        self._transport = None
        self._listener.forget(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """The client sends no more."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self._inner.resume_writing()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Listener:
    """The connections of one server. `waiting` are those that wait, the longest first."""

    def __init__(self, make: Callable[[], asyncio.BaseProtocol], limits: Limits) -> None:
        self.limits = limits
        self.waiting: dict[Connection, None] = {}
        self._make = make
        self._most = min(limits.connections, share_of_descriptors())
        self._all: set[Connection] = set()
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    async def accept(self, listening: socket.socket) -> None:
        """Accept from a socket until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                made, address = await loop.sock_accept(listening)
            except OSError as error:
                log.warning(
                    "cannot accept a connection (%s); trying again in %.0f s",
                    error.strerror,
                    ACCEPT_PAUSE,
                )
                await asyncio.sleep(ACCEPT_PAUSE)
                continue
            client = client_key(address[0]) if isinstance(address, tuple) else ""
            if not self._has_room(client):
                made.close()
                log.warning("refused a connection: %d are open already", len(self))
                continue
            inner = self._make()
            assert isinstance(inner, asyncio.Protocol)  # noqa: S101 - as every stream's
            connection = Connection(self, inner, client)
            self._all.add(connection)
            self._of[client] += 1
            try:
                await loop.connect_accepted_socket(lambda made=connection: made, made)  # type: ignore[misc]
            except OSError:
                self.forget(connection)
                made.close()

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        if connection in self._all:
            self._all.discard(connection)
            self._of[connection.client] -= 1
            if not self._of[connection.client]:
                del self._of[connection.client]

    def close(self) -> None:
        """Close every connection at once."""
        for connection in list(self._all):
            connection.abort()

    def _has_room(self, client: str) -> bool:
        """Whether one more may be accepted; the one that has waited longest makes room for it."""
        bounded = not is_in(client, self.limits.trusted)
        if bounded and self._of[client] >= min(self.limits.per_client, self._most):
            candidates = [each for each in self.waiting if each.client == client]
        elif len(self) >= self._most:
            candidates = list(self.waiting)
        else:
            return True
        if not candidates:
            return False
        candidates[0].abort()
        self.forget(candidates[0])
        return True


@asynccontextmanager
async def accepting(
    sockets: Sequence[socket.socket], make: Callable[[], asyncio.BaseProtocol], limits: Limits
) -> AsyncIterator[Listener]:
    """Serve each connection to `sockets` by a protocol of `make` inside the block.

    The sockets are closed at its end; connections stay the caller's to close.
    """
    listener = Listener(make, limits)
    tasks = [asyncio.create_task(listener.accept(each)) for each in sockets]
    try:
        yield listener
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in sockets:
            each.close()


async def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made = socket.socket(family, kind, protocol)
            sockets.append(made)
            made.setblocking(False)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(address)
            made.listen(_BACKLOG)
    except OSError:
        for made in sockets:
            made.close()
        raise
    return sockets


def share_of_descriptors() -> int:
    """How many connections one listener may hold so that the bridge has descriptors to work with.

    All listeners together never get more than half of what this process may open.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else max(_FEWEST, soft // _SHARE)


def raise_descriptor_limit() -> None:
    """Let this process open as many files as it is allowed to, up to `MOST_DESCRIPTORS`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
