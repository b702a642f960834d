"""Reading one source: the first pass sets the cursor, every later one takes in what is new.

Must not judge posts (`intake` does) and must not wait: when to read is the lane's business.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import reduce

from bridge.core import guards
from bridge.core.arrival import in_order
from bridge.core.model import PostId
from bridge.core.record import Cursor
from bridge.core.timing import FromBeginning, FromDate, FromNow, Start
from bridge.engine.homecoming import Homecoming
from bridge.engine.intake import Intake
from bridge.engine.route import Bench, RoutePlan


class Watch:
    """The reader of one route's source."""

    def __init__(
        self, plan: RoutePlan, bench: Bench, intake: Intake, homecoming: Homecoming
    ) -> None:
        self._plan = plan
        self._bench = bench
        self._intake = intake
        self._homecoming = homecoming

    async def read(self) -> int:
        """Take in everything new, oldest first; returns how many posts were read.

        Raises `NetworkError` where the source could not be read; what was taken in before stays.
        """
        ledger, route = self._bench.ledger, self._plan.route
        cursor = await ledger.cursor(route)
        if cursor is None:
            # With new accounts nothing old is wanted, whatever once was wanted of the former ones.
            start = FromNow() if await ledger.is_rebound(route) else self._plan.start
            cursor = await self._set_out(start)
            if isinstance(start, FromNow):
                await self._homecoming.passed()
                return 0
        count = 0
        while True:
            reading = await self._plan.source.read_after(cursor, self._known)
            await self._bench.note_read(self._plan.route, len(reading.posts), reading.cost)
            before = cursor
            if reading.posts:
                came_back = await self._homecoming.came_back(cursor, reading.posts)
            for post, passed in in_order(reading.posts):
                late = guards.late(post, came_back, self._plan.max_age)
                ahead = reduce(Cursor.past, passed, cursor)
                cursor = await self._intake.take(post, cursor, ahead, late)
            count += len(reading.posts)
            # Without progress, the same page would come for ever.
            if not reading.more or cursor == before:
                await self._homecoming.passed()
                return count

    async def _set_out(self, start: Start) -> Cursor:
        """The cursor from which a route starts, once and for all."""
        baseline: Collection[PostId] = ()
        floor: datetime | None = None
        match start:
            case FromBeginning():
                cursor = Cursor()
            case FromDate(at=floor):
                cursor = Cursor(floor=floor)
            case FromNow():
                found = await self._plan.source.baseline()
                await self._bench.note_read(self._plan.route, len(found.ids), found.cost)
                cursor, baseline = found.cursor, found.ids
        await self._bench.ledger.start(self._plan.route, cursor, baseline)
        return cursor

    async def _known(self, ids: Collection[PostId]) -> frozenset[PostId]:
        return await self._bench.ledger.known(self._plan.route, ids)
