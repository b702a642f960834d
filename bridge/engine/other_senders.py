"""Noticing that somebody else mirrors between the same two accounts: another bridge, or a tool.

Two bridges with ledgers of their own double a post when they send it within the same second. What
another one has made shows by the application that its mirrors were written with, by being word for
word a part that this bridge has composed, or by standing beside our own mirror. What an earlier
life of this ledger may have made does not count. Must not judge a post.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from bridge.core.fingerprint import Match
from bridge.core.model import Post, PostId, Route
from bridge.core.record import OtherSender
from bridge.core.twins import Twin
from bridge.engine.route import Bench, RoutePlan

log = logging.getLogger(__name__)

CLOCK_SLACK = timedelta(minutes=2)
"""How far a server's clock may be ahead before what was made earlier seems to be made by now."""

AT_ONCE = timedelta(minutes=1)
"""So soon after a mirror nobody writes the same beside it by hand."""

UNBROKEN = timedelta(minutes=30)
"""So long after it last read, a ledger surely knows what this bridge has made; later than that, it
may be an older copy, of whatever kind, that was put back."""

REMEMBERED = timedelta(days=7)
"""How long a sighting is told of."""

WORDS = (
    "another bridge or tool mirrors the same accounts: {post} was not made by this bridge; posts "
    "can be doubled; let only one of them run"
)


class OtherSenders:
    """What one lane has seen of them; what it has read is remembered at the desk of its bridge."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._reads = plan.route
        self._reverse = Route(plan.route.bridge, plan.route.direction.reverse)
        self._bench = bench
        self._began = bench.clock.now()
        self._told = False

    def learn(self, mirror: Post) -> None:
        """Remember which application our own mirrors name: a token may belong to any."""
        if mirror.application:
            self._bench.desks.of(self._reads).applications.add(mirror.application)

    async def met(self, post: Post, twin: Twin) -> None:
        """`post` was read, and says the same as a post of the other side."""
        desk, there = self._bench.desks.of(self._reads), twin.post
        if twin.match is Match.SIMILAR:
            return
        if desk.is_ours(post.id) or await self._stands_beside_a_mirror(post, there.id):
            await self.made(self._reverse, post.created_at, post.url or post.id)
        elif desk.is_ours(there.id):
            await self.made(self._reads, there.at, there.url or there.id)

    async def recovered(self, pieces: Iterable[PostId]) -> None:
        """`pieces` on the target are parts of a mirror that this ledger has never sent."""
        for piece in pieces:
            for record in await self._bench.ledger.find(piece):
                if (record.route, record.source) == (self._reverse, piece):
                    await self.made(self._reads, record.created_at, record.source_url or piece)

    async def made(self, route: Route, at: datetime, post: str) -> None:
        """Somebody made the mirror `post` for `route` at that time, and it was not this process."""
        if at <= await self._since(route):
            return
        await self._bench.ledger.note_other_sender(OtherSender(route, at, post))
        if not self._told:
            self._told = True
            log.warning("%s: %s", route, WORDS.format(post=post))

    async def _stands_beside_a_mirror(self, post: Post, source: PostId) -> bool:
        found = await self._bench.ledger.find(source)
        times = [
            part.stands_since
            for record in found
            for part in record.parts
            if record.route == self._reverse and part.stands_since is not None
        ]
        return any(abs(post.created_at - at) <= AT_ONCE for at in times)

    async def _since(self, route: Route) -> datetime:
        """From when on whatever this ledger has made is known to it.

        One that is new, or is put back or imported, does not know what was made before it began.
        """
        passage = await self._bench.ledger.passage(Route(route.bridge, route.direction.reverse))
        if passage.at is None or passage.restored or self._began - passage.at > UNBROKEN:
            return self._began + CLOCK_SLACK
        return min(passage.at, self._began + CLOCK_SLACK)


def recent(seen: Iterable[OtherSender], now: datetime) -> dict[Route, str]:
    """What is to be told of each route, of what was seen lately."""
    return {one.route: WORDS.format(post=one.post) for one in seen if now - one.at <= REMEMBERED}
