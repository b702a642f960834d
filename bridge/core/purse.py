"""What the ledger is asked about money, as protocols; see `bridge.memory` for all the rest.

No implementation. Bounds are the owner's: `bridge.core.budget` applies them to these figures.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bridge.core.budget import Spending, Till, Usage
from bridge.core.model import BridgeName, PostId, Route
from bridge.core.record import PartKey, PartRecord


class PurseView(Protocol):
    """For those who only look."""

    async def usage(self, bridge: BridgeName, now: datetime) -> Usage:
        """What the UTC month of `now` has cost one bridge, and may have cost it besides."""
        ...

    async def spending(self, bridge: BridgeName, month: str, *, dearest: int = 5) -> Spending:
        """What a month (``2026-11``) has cost one bridge, told apart."""
        ...


class Purse(PurseView, Protocol):
    """For those who spend."""

    async def till(self, key: PartKey, now: datetime) -> Till:
        """What bears on whether the post of a planned part may be sent now."""
        ...

    async def wait_for_money(self, route: Route, now: datetime, why: str) -> None:
        """Note of every post of `route` that is due, and not released, that it waits, and `why`."""
        ...

    async def money_is_there(self, route: Route) -> None:
        """Note that nothing of `route` waits for money any more."""
        ...

    async def never_affordable(
        self, key: PartKey, now: datetime, why: str
    ) -> tuple[PartRecord, ...]:
        """Hold a post that no month can pay; its parts, or none where something of it was tried."""
        ...

    async def release(
        self, route: Route, source: PostId | None, now: datetime
    ) -> tuple[PostId, ...]:
        """Let a post go that waits for money, or all that wait for next month; which these were."""
        ...

    async def note_warned(self, bridge: BridgeName, month: str) -> bool:
        """Note that the owner is warned in this month; false where that was so before."""
        ...

    async def prices_looked_at(self) -> datetime | None:
        """When X's own price list was last asked for."""
        ...

    async def note_prices_looked_at(self, at: datetime) -> None:
        """Remember that X's own price list was asked for."""
        ...
