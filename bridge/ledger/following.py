"""The part of the ledger on SQLite that knows which mirrors follow their posts.

One method, one transaction, as in `bridge.ledger.sqlite`, which it is a part of. Must not hold any
rule.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TypeVar

from bridge.core.model import PostId, Route
from bridge.core.record import Tracked
from bridge.ledger import tracking

T = TypeVar("T")


class Follows(ABC):
    """A `bridge.memory.Tracking`."""

    @abstractmethod
    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    @abstractmethod
    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    async def tracked(self, route: Route, names: Collection[PostId]) -> Mapping[PostId, Tracked]:
        """Those of `names` that are posts of `route` whose mirrors are followed."""
        return await self._read(lambda db: tracking.tracked(db, route, names))

    async def next_to_check(
        self, route: Route, before: datetime | None, limit: int
    ) -> tuple[Tracked, ...]:
        """The next posts of the round, written at `before` or earlier; empty at its end."""
        return await self._read(lambda db: tracking.next_to_check(db, route, before, limit))

    async def note_checked(self, route: Route, last: PostId) -> None:
        """Remember that the round has come to `last`."""
        await self._write(lambda db: tracking.note_checked(db, route, last))

    async def note_round(self, route: Route, at: datetime) -> None:
        """Remember that the round has ended; the next one begins with the first post."""
        await self._write(lambda db: tracking.note_round(db, route, at))

    async def round_ended_at(self, route: Route) -> datetime | None:
        """When the last round ended; None where one is under way, and before the first."""
        return await self._read(lambda db: tracking.round_ended_at(db, route))

    async def missing(self, route: Route) -> tuple[Tracked, ...]:
        """Posts that are gone whose mirrors wait for the owner, the longest not asked for first."""
        return await self._read(lambda db: tracking.missing(db, route))

    async def note_missing(
        self, route: Route, sources: Collection[PostId], at: datetime | None
    ) -> None:
        """Remember that these were found gone at `at`; with None, that they stand after all."""
        await self._write(lambda db: tracking.note_missing(db, route, sources, at))

    async def count_tracked(self, route: Route) -> int:
        """How many mirrors of `route` are followed."""
        return await self._read(lambda db: tracking.count_tracked(db, route))

    async def count_gone(self, route: Route, since: datetime) -> int:
        """How many posts were found deleted since then, and since the owner confirmed deletions."""
        return await self._read(lambda db: tracking.count_gone(db, route, since))

    async def note_vouched(self, route: Route, at: datetime) -> None:
        """Remember that the owner has confirmed what was found deleted until now."""
        await self._write(lambda db: tracking.note_vouched(db, route, at))

    async def note_reach(self, route: Route, oldest: datetime | None) -> None:
        """Remember how far back the source was compared; None for all of it."""
        await self._write(lambda db: tracking.note_reach(db, route, oldest))
