"""The gaps of one route: posts that its source lists, and that were read past without a record.

Remembers in the ledger that there is one, so that whoever asks is told until it is closed, and how
many posts were recorded late. Must not read a source, nor judge a post.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from bridge.core.audits import WRONG_CURSOR, Audit, Gap
from bridge.engine.route import Bench, RoutePlan

log = logging.getLogger(__name__)

AUDIT_EVERY = timedelta(days=1)
"""How often all that a source lists is compared with the ledger, where reading is free."""

OPEN_AT_MOST = timedelta(days=1)
"""How long a gap is tried to be closed that the source does not let us read."""

UNRECORDED = "the source lists posts that had not been recorded"


class Gaps:
    """What one route has missed."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench
        self._known: Audit | None = None

    async def is_open(self) -> bool:
        """Whether posts may be missing right now."""
        gap = (await self._audit()).gap
        return gap is not None and gap.is_open

    async def cursor_was_wrong(self) -> bool:
        """Whether all that is read now may have been missed for long."""
        gap = (await self._audit()).gap
        return gap is not None and gap.is_open and gap.why == WRONG_CURSOR

    async def audit_is_due(self) -> bool:
        """Whether it is time to compare everything; at once while a gap is open."""
        last, now = (await self._audit()).at, self._bench.clock.now()
        # A last time in the future is that of a clock which was wrong.
        return last is None or not timedelta(0) <= now - last < AUDIT_EVERY or await self.is_open()

    async def opened(self, why: str) -> None:
        """A gap was found. One that is open already goes on."""
        if not await self.is_open():
            log.warning("%s: %s; what was missed is being read", self._plan.route, why)
            await self._note(gap=Gap(self._bench.clock.now(), why))

    async def found(self, posts: int) -> None:
        """So many posts were recorded late."""
        if not posts:
            return
        await self.opened(UNRECORDED)
        gap = (await self._audit()).gap
        if gap is not None:
            await self._note(gap=replace(gap, posts=gap.posts + posts))
        log.warning("%s: %d missed post(s) were recorded late", self._plan.route, posts)

    async def audited(self) -> None:
        """Everything was compared."""
        await self._note(at=True)

    async def closed(self) -> None:
        """Nothing is missing any more."""
        gap = (await self._audit()).gap
        if gap is not None and gap.is_open:
            await self._note(gap=replace(gap, closed_at=self._bench.clock.now()))

    async def given_up(self) -> None:
        """Close a gap that could not be read for so long that it hardly ever can be."""
        gap, now = (await self._audit()).gap, self._bench.clock.now()
        if gap is not None and gap.is_open and not timedelta(0) <= now - gap.since < OPEN_AT_MOST:
            await self.closed()

    async def _audit(self) -> Audit:
        if self._known is None:
            self._known = await self._bench.ledger.audit(self._plan.route)
        return self._known

    async def _note(self, *, gap: Gap | None = None, at: bool = False) -> None:
        audit = await self._audit()
        changed = replace(
            audit,
            at=self._bench.clock.now() if at else audit.at,
            gap=audit.gap if gap is None else gap,
        )
        await self._bench.ledger.note_audit(self._plan.route, changed)
        self._known = changed
