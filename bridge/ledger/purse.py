"""The face of the ledger that concerns money: `bridge.core.purse` on SQLite.

One method, one transaction, as in `bridge.ledger.sqlite`, which is made of these. Must not hold any
rule: each method only names the work.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from bridge.core.budget import Spending, Till, Usage
from bridge.core.model import BridgeName, PostId, Route
from bridge.core.record import PartKey, PartRecord
from bridge.ledger import spending
from bridge.ledger.codec import moment_or_none

T = TypeVar("T")


class SqlitePurseView(ABC):
    """A `PurseView`."""

    @abstractmethod
    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    async def usage(self, bridge: BridgeName, now: datetime) -> Usage:
        """What the UTC month of `now` has cost one bridge, and may have cost it besides."""
        return await self._read(lambda db: spending.usage(db, bridge, now))

    async def spending(self, bridge: BridgeName, month: str, *, dearest: int = 5) -> Spending:
        """What a month (``2026-11``) has cost one bridge, told apart."""
        return await self._read(lambda db: spending.spending(db, bridge, month, dearest))


class SqlitePurse(SqlitePurseView):
    """A `Purse`."""

    @abstractmethod
    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    async def till(self, key: PartKey, now: datetime) -> Till:
        """What bears on whether the post of a planned part may be sent now."""
        return await self._read(lambda db: spending.till(db, key, now))

    async def wait_for_money(self, route: Route, now: datetime, why: str) -> None:
        """Note of every post of `route` that is due, and not released, that it waits, and `why`."""
        await self._write(lambda db: spending.wait_for_money(db, route, now, why))

    async def money_is_there(self, route: Route) -> None:
        """Note that nothing of `route` waits for money any more."""
        await self._write(lambda db: spending.money_is_there(db, route))

    async def never_affordable(
        self, key: PartKey, now: datetime, why: str
    ) -> tuple[PartRecord, ...]:
        """Hold a post that no month can pay; its parts, or none where something of it was tried."""
        return await self._write(lambda db: spending.never_affordable(db, key, now, why))

    async def release(
        self, route: Route, source: PostId | None, now: datetime
    ) -> tuple[PostId, ...]:
        """Let a post go that waits for money, or all that wait for next month; which these were."""
        return await self._write(lambda db: spending.release(db, route, source, now))

    async def note_warned(self, bridge: BridgeName, month: str) -> bool:
        """Note that the owner is warned in this month; false where that was so before."""
        return await self._write(lambda db: spending.note_warned(db, bridge, month))

    async def prices_looked_at(self) -> datetime | None:
        """When X's own price list was last asked for."""
        return moment_or_none(await self._read(spending.prices_looked_at))

    async def note_prices_looked_at(self, at: datetime) -> None:
        """Remember that X's own price list was asked for."""
        await self._write(lambda db: spending.note_prices_looked_at(db, at))
