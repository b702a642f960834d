"""Reading one source: the first pass sets the cursor, every later one takes in what is new.

Must not judge posts (`intake` does) and must not wait: when to read is the lane's business.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from bridge.core import guards
from bridge.core.arrival import in_order
from bridge.core.audits import WRONG_CURSOR, Seen
from bridge.core.errors import NetworkError
from bridge.core.model import Post, PostId
from bridge.core.record import Cursor
from bridge.core.timing import FromBeginning, FromDate, FromNow, Start
from bridge.engine.gaps import Gaps
from bridge.engine.homecoming import Homecoming
from bridge.engine.intake import Intake
from bridge.engine.route import Bench, RoutePlan
from bridge.ports import Reading

log = logging.getLogger(__name__)

AUDIT_AGAIN_AFTER = 600.0
"""Seconds until a comparison that failed is tried again."""

EARLIEST = datetime.min.replace(tzinfo=UTC)


class Watch:
    """The reader of one route's source."""

    def __init__(
        self, plan: RoutePlan, bench: Bench, intake: Intake, homecoming: Homecoming
    ) -> None:
        self._gaps = Gaps(plan, bench)
        self._audit_from = 0.0
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
            await self._gaps.audited()
            if isinstance(start, FromNow):
                await self._homecoming.passed()
                return 0
        cursor = await self._checked(cursor)
        count = 0
        while True:
            reading = await self._plan.source.read_after(cursor, self._known)
            before = cursor
            cursor = await self._take(reading, cursor)
            count += len(reading.posts)
            # Without progress, the same page would come for ever.
            if not reading.more or cursor == before:
                break
        await self._homecoming.passed()
        return count + await self._audit(cursor, unread=reading.gap)

    async def take_missed(self, posts: Sequence[Post]) -> None:
        """Record those of `posts`, which the source lists, that were read past without a record."""
        cursor = await self._bench.ledger.cursor(self._plan.route)
        if cursor is None or cursor.at is None:
            return
        known = await self._known([name for post in posts for name in post.ids])
        missed = tuple(
            post
            for post in posts
            if known.isdisjoint(post.ids)
            and (cursor.floor or EARLIEST) <= post.created_at <= cursor.at
        )
        names = frozenset(post.id for post in missed)
        if not missed:
            return
        was_open = await self._gaps.is_open()
        await self._take(Reading(missed, strays=names, missed=names), cursor, noted=True)
        if not was_open:
            await self._gaps.closed()

    async def _checked(self, cursor: Cursor) -> Cursor:
        """`cursor`, or where to read on from if it cannot be right.

        That there is a gap is written down before the cursor is moved: a process that dies in
        between finds either the wrong cursor or the gap.
        """

        async def seen() -> Sequence[Seen]:
            return await self._bench.ledger.seen(self._plan.route)

        sound = await self._plan.source.check_cursor(cursor, seen)
        if sound != cursor:
            await self._gaps.opened(WRONG_CURSOR)
            await self._bench.ledger.move(self._plan.route, sound)
        return sound

    async def _take(self, reading: Reading, cursor: Cursor, *, noted: bool = False) -> Cursor:
        """Record everything that was read; returns the cursor to go on from.

        Posts that were missed are bounded by age: they may be much older than the last absence.
        """
        ledger, route = self._bench.ledger, self._plan.route
        if not noted:
            await self._bench.note_read(route, len(reading.posts), reading.cost)
        all_missed = await self._gaps.cursor_was_wrong()
        if reading.posts:
            came_back = await self._homecoming.came_back(cursor, reading.posts)
        found = 0
        for post, passed in in_order(reading.posts):
            missed = all_missed or post.id in reading.missed
            found += missed
            came = replace(came_back, absent=timedelta.max) if missed else came_back
            late = guards.late(post, came, self._plan.max_age)
            moving = (each for each in passed if each.id not in reading.strays)
            ahead = reduce(Cursor.past, moving, cursor)
            cursor = await self._intake.take(post, cursor, ahead, late)
        await self._gaps.found(found)
        if reading.cursor is not None and reading.cursor != cursor:
            await ledger.move(route, reading.cursor)
            return reading.cursor
        return cursor

    async def _audit(self, cursor: Cursor, *, unread: str) -> int:
        """Compare all that is listed with the ledger when it is time; returns how much was missed.

        Where reading costs, a gap is closed by having read from the last sound place to the end.
        """
        if unread:
            await self._gaps.opened(unread)
        now = self._bench.clock.monotonic()
        if not await self._gaps.audit_is_due() or now < self._audit_from:
            return 0
        try:
            free = (await self._plan.source.capabilities()).prices is None
            reading = await self._plan.source.audit(cursor, self._known) if free else Reading(())
        except NetworkError as error:
            # What is new was read; it must not wait for what lies far below.
            log.info("%s: the source was not compared: %s", self._plan.route, error)
            self._audit_from = now + AUDIT_AGAIN_AFTER
            return 0
        await self._take(reading, cursor, noted=not reading.posts)
        await self._gaps.audited()
        if not (unread or reading.gap):
            await self._gaps.closed()
        await self._gaps.given_up()
        return len(reading.posts)

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
