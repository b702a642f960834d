"""What happens, told to open pages at once: they ask anew, and the stream carries no text.

A listener of the daemon in front, server-sent events behind. What nobody has taken yet is one flag
a page, however much happens: a page that is slow, or many of them, cost a bridge nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from bridge.core.events import Event, SourceRead

MOST: Final = 16
"""Pages that are told; the one that has listened longest makes way for another."""

SETTLE: Final = 0.25
"""Seconds in which changes are gathered before they are told."""

HEARTBEAT: Final = 20.0
"""Seconds after which a quiet stream shows that it lives."""


class Live:
    """Those who listen."""

    def __init__(self) -> None:
        self._flags: list[asyncio.Event] = []
        self._ended: set[asyncio.Event] = set()
        self.closing = False

    def hear(self, event: Event) -> None:
        """A listener of the daemon. A poll that brought nothing changes no more than a time."""
        if isinstance(event, SourceRead) and not event.posts:
            return
        self.touch()

    def touch(self) -> None:
        """Have every page look again."""
        for flag in self._flags:
            flag.set()

    def close(self) -> None:
        """End every stream."""
        self.closing = True
        self.touch()

    async def changes(self) -> AsyncGenerator[bool, None]:
        """True after something has changed, False when nothing has for a while, until closed."""
        flag = asyncio.Event()
        self._flags.append(flag)
        if len(self._flags) > MOST:
            oldest = self._flags.pop(0)
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
            if flag in self._flags:
                self._flags.remove(flag)
