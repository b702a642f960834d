"""What happens, told to open pages at once: they ask anew, and the stream carries no text.

A listener of the daemon in front, server-sent events behind. What nobody has taken yet is one flag
a page, however much happens: a page that is slow, or many of them, cost a bridge nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Final

from aiohttp import web

from bridge.core.events import Event, SourceRead
from bridge.core.model import Route
from bridge.net.serving import client_has_to_act, lift_time_limit

MOST: Final = 16
"""Pages that are told; the one that has listened longest makes way for another."""

MOST_OF_ONE: Final = 8
"""Pages of one client among them."""

SETTLE: Final = 0.25
"""Seconds in which changes are gathered before they are told."""

HEARTBEAT: Final = 20.0
"""Seconds after which a quiet stream shows that it lives."""


class Live:
    """Those who listen. `version` is another one after every change."""

    def __init__(self) -> None:
        self.version = 0
        self._read: set[Route] = set()
        self._flags: dict[asyncio.Event, str] = {}
        self._ended: set[asyncio.Event] = set()
        self.closing = False

    def hear(self, event: Event) -> None:
        """A listener of the daemon. A poll that brought nothing changes no more than a time.

        But for the first one of its direction, of which the page has said that it was never read.
        """
        if isinstance(event, SourceRead):
            if event.route in self._read and not event.posts:
                return
            self._read.add(event.route)
        self.touch()

    def touch(self) -> None:
        """Have every page look again."""
        self.version += 1
        for flag in self._flags:
            flag.set()

    def close(self) -> None:
        """End every stream."""
        self.closing = True
        self.touch()

    async def changes(self, seen: str = "", client: str = "") -> AsyncGenerator[bool, None]:
        """True after something has changed, False when nothing has for a while, until closed.

        `seen` is the version that a page shows: what has changed since is told at once. Of too many
        streams the oldest ends: first of `client`, then of all.
        """
        flag = asyncio.Event()
        if seen and seen != str(self.version):
            flag.set()
        self._flags[flag] = client
        own = [each for each, whose in self._flags.items() if whose == client]
        if len(own) > MOST_OF_ONE or len(self._flags) > MOST:
            oldest = own[0] if len(own) > MOST_OF_ONE else next(iter(self._flags))
            del self._flags[oldest]
            self._ended.add(oldest)
            oldest.set()
        try:
            while not self.closing:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        await flag.wait()
                except TimeoutError:
                    yield False
                    continue
                if flag in self._ended:
                    return
                if not self.closing:
                    await asyncio.sleep(SETTLE)
                    flag.clear()
                    yield True
        finally:
            self._ended.discard(flag)
            self._flags.pop(flag, None)


async def stream(
    request: web.Request,
    live: Live,
    may_go_on: Callable[[], bool] = lambda: True,
    client: str = "",
) -> web.StreamResponse:
    """Server-sent events: one whenever the page that listens may look different.

    Ends before the next one where whoever listens may not go on. The connection is closed where
    `client` does not take what is sent.
    """
    lift_time_limit(request)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    with suppress(ConnectionError):
        await response.write(b"retry: 3000\n\n")
        async with aclosing(live.changes(request.query.get("seen", ""), client)) as changes:
            async for changed in changes:
                if not may_go_on():
                    break
                with client_has_to_act(request):
                    await response.write(b"data: changed\n\n" if changed else b": quiet\n\n")
    return response
