"""How long nobody was there to read a source, and what may no longer leave because of that.

Clocks may be wrong: what was read as it came is never old, whatever they say; where they contradict
each other, only the times that the source itself tells count. Must not read anything but when a
source was last written to, and must not judge a post: `core.guards` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge.core.guards import Return
from bridge.core.model import Post
from bridge.core.plausible import AHEAD
from bridge.core.record import Cursor, Passage
from bridge.core.timing import FromNow
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine import proof
from bridge.engine.route import Bench, RoutePlan

WRITTEN_EVERY = timedelta(minutes=15)
"""How exactly the ledger knows when a source was last read; absences are matters of hours."""

CLOCK_SLACK = timedelta(minutes=15)
"""How far the clocks of this machine and of a server may differ without either being wrong."""


LONGEST_BEHIND = timedelta(days=366)
"""How far a clock is believed to stand behind what was known before: a machine kept in a drawer."""


class Homecoming:
    """The absences of one route."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench
        self._known: Passage | None = None
        self._steady: float | None = None
        """When this process last read the source to its end, by the clock that only grows."""

    async def put_aside(self) -> None:
        """Before anything is sent: take back what was planned before a long absence and is old now.

        What the owner asked for stays planned: by name, or from a date on.
        """
        passage, now = await self._passage(), self._bench.clock.now()
        age = self._plan.max_age
        if age is None or passage.at is None or not isinstance(self._plan.start, FromNow):
            return
        if now - passage.at <= age:
            return
        verdict = Verdict(Action.SKIP, Reason.TOO_OLD)
        ledger, route = self._bench.ledger, self._plan.route
        while waiting := await ledger.waiting(route, now - age):
            for record in waiting:
                await proof.take_back(self._bench, route, record.source, verdict)

    async def came_back(self, cursor: Cursor, posts: Sequence[Post]) -> Return:
        """How the reading that brought `posts` from after `cursor` came about."""
        passage, now = await self._passage(), self._bench.clock.now()
        known = [at for at in (cursor.at, passage.at) if at is not None]
        told = _credible([post.created_at for post in posts], now, known)
        told += [cursor.at] if cursor.at else []
        latest = max([now, *told])
        if self._plan.max_age is None or passage.at is None:
            return Return(latest, None, passage.restored)
        behind = cursor.at is not None and now < cursor.at - CLOCK_SLACK
        if self._steady is not None:
            steady = timedelta(seconds=self._bench.clock.monotonic() - self._steady)
            absent = max(steady, now - passage.at)
            # A clock that was set, or a machine that slept: which of them, cannot be told.
            contradicted = abs(absent - steady) > CLOCK_SLACK
        else:
            absent = latest - passage.at
            contradicted = False
        if passage.at > latest:
            absent = timedelta.max  # The clock was ahead then; how long it was cannot be told.
        if (behind or contradicted) and absent > self._plan.max_age and told:
            latest = max(told + await self._newest())
            absent = max(absent, latest - passage.at)
        return Return(latest, absent, passage.restored)

    async def passed(self) -> None:
        """The source has been read to its end."""
        passage, now = await self._passage(), self._bench.clock.now()
        self._steady = self._bench.clock.monotonic()
        since = None if passage.at is None else now - passage.at
        if passage.restored or since is None or not timedelta(0) <= since < WRITTEN_EVERY:
            await self._bench.ledger.note_passed(self._plan.route, now)
            self._known = Passage(now)

    async def _passage(self) -> Passage:
        if self._known is None:
            self._known = await self._bench.ledger.passage(self._plan.route)
        return self._known

    async def _newest(self) -> list[datetime]:
        """When the newest post of the source was written, by its own clock."""
        found = await self._plan.source.baseline()
        await self._bench.note_read(self._plan.route, len(found.ids), found.cost)
        return [] if found.cursor.at is None else [found.cursor.at]


def _credible(told: Sequence[datetime], now: datetime, known: Sequence[datetime]) -> list[datetime]:
    """Those dates of posts that may say what time it is when the own clock stands behind.

    One in the far future says nothing. Nor do a few that are ahead of the clock, where another post
    was written just now by the same clock.
    """
    near = [date for date in told if date <= max([now, *known]) + LONGEST_BEHIND]
    ahead = [date for date in near if date > now + AHEAD]
    confirmed = any(now - CLOCK_SLACK <= date <= now + AHEAD for date in near)
    if confirmed and len(ahead) * 2 < len(near):
        return [date for date in near if date <= now + AHEAD]
    return near
