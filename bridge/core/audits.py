"""How far a source was read, and what a ledger remembers of comparing the two.

Values and protocols only, part of the seam that `bridge.memory` draws.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.core.model import PostId, Route
from bridge.core.record import Cursor

WRONG_CURSOR = "the place up to which the source had been read cannot be right"
"""Why there is a gap, where an id or a date from the future had moved the cursor."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A post that a route has dealt with. Without dates for one that stood there at the start."""

    id: PostId
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Own posts that a route has not recorded although it has read past them.

    `since` is when that was noticed, `posts` is how many of them were recorded since. It is open
    until the source was read to its end once more, which is `closed_at`.
    """

    since: datetime
    why: str
    posts: int = 0
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether posts may still be missing."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Audit:
    """When everything that a source lists was last compared with the ledger, and the last gap."""

    at: datetime | None = None
    gap: Gap | None = None


class AuditsView(Protocol):
    """For those who only look."""

    async def audit(self, route: Route) -> Audit:
        """When all that the source of `route` lists was last compared, and the last gap in it."""
        ...

    async def seen(self, route: Route, limit: int = 200) -> tuple[Seen, ...]:
        """What `route` recorded last, newest first, and after it what stood there at the start."""
        ...


class Audits(AuditsView, Protocol):
    """For the ledger's owner; see `bridge.memory.Ledger`."""

    async def cursor(self, route: Route) -> Cursor | None:
        """How far `route` has read; None before its first pass."""
        ...

    async def start(self, route: Route, cursor: Cursor, baseline: Collection[PostId]) -> None:
        """Set the first cursor of a route and remember what stood there before it."""
        ...

    async def move(self, route: Route, cursor: Cursor) -> None:
        """Set the cursor of a started route; all that lies before it must be recorded."""
        ...

    async def note_audit(self, route: Route, audit: Audit) -> None:
        """Remember an audit, and the gap it is about, in place of what was remembered."""
        ...
