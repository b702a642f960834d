"""What is asked of a long ledger a page at a time, and what comes back.

Values only. Must not know SQL, nor how any of this is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bridge.core.audits import Gap
from bridge.core.delivery import PartEvent, PartState, PostState
from bridge.core.model import BridgeName, Direction, Microdollars, Route
from bridge.core.record import Cursor, PostRecord
from bridge.core.verdict import Reason

MOST_WORDS = 8
"""Words that are looked for at once; what is typed beyond them narrows nothing any more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts to list, newest first. Empty `states` and `words` mean all.

    Each of `words` has to stand somewhere in what the ledger says of a post: its reason, notes, and
    what was sent, while that is kept. `reasons` are those that stand for one of the words each, by
    their position, because they are shown in sentences that the ledger does not hold. `before` is a
    place that a `Listing` named, None to begin at the newest. Without `echoes` the bridge's own
    mirrors, met on the other side, are left out: each is told of by its original.
    """

    bridge: BridgeName | None = None
    direction: Direction | None = None
    states: frozenset[PostState] = frozenset()
    words: tuple[str, ...] = ()
    reasons: tuple[frozenset[Reason], ...] = ()
    before: int | None = None
    limit: int = 50
    echoes: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. `before` is where the next one begins, None where there is no more.

    `reached` is how far back was looked when that was not to the end and the page is not full: one
    question looks at so many posts and no more.
    """

    records: tuple[PostRecord, ...] = ()
    before: int | None = None
    reached: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one part, as the log has it. `detail` is what was said of it, for people."""

    at: datetime
    index: int
    event: PartEvent
    state: PartState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a route sent on one day (UTC), and what that day cost in all; idle days have none."""

    day: date
    route: Route
    sent: int
    spent: Microdollars


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """Figures of one route for people. Times are aware UTC; `spent_month` counts this UTC month.

    Of posts written before `checked_since` it is not checked whether they were deleted; None where
    all are checked.
    """

    route: Route
    cursor: Cursor | None
    last_read_at: datetime | None
    last_mirrored_at: datetime | None
    planned: int
    in_doubt: int
    held: int
    failed: int
    delivered: int
    spent_month: Microdollars
    waiting_for_money: int = 0
    checked_since: datetime | None = None
    gap: Gap | None = None
