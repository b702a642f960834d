"""How every direction is right now, as data: what it waits for, until when, and what is in it.

For surfaces that show a running daemon; each finds its own words. Must not change anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.core.errors import Throttled, Transient, Unauthorised, Unpaid
from bridge.core.model import Network, Route
from bridge.engine.control import Control
from bridge.engine.gate import Closed
from bridge.engine.lane import Lane
from bridge.engine.supervise import Daemon
from bridge.memory import RouteStatus


class Condition(StrEnum):
    """One word for a direction; the first that holds, from top to bottom."""

    PAUSED = "paused"
    SIGN_IN = "sign-in"
    UNPAID = "unpaid"
    """The network wants money: credits, a higher cap, or another plan."""
    NO_ROOM = "no-room"
    RATE_LIMIT = "rate-limit"
    UNREACHABLE = "unreachable"
    WAITING = "waiting"
    NEEDS_OWNER = "needs-owner"
    OVER_BUDGET = "over-budget"
    IN_DOUBT = "in-doubt"
    SENDING = "sending"
    NEVER_READ = "never-read"
    UP_TO_DATE = "up-to-date"


BAD = frozenset({Condition.SIGN_IN, Condition.UNPAID, Condition.NO_ROOM, Condition.NEEDS_OWNER})
"""What only the owner can mend."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One direction. `network` is the one that it waits for, `until` when that is tried again.

    Where the network itself says when it opens (a spend cap's next cycle), `until` is that.

    `detail` is what the network said, for people. `next_read` is by the plan, None while paused.
    """

    condition: Condition
    figures: RouteStatus
    network: Network | None = None
    until: datetime | None = None
    detail: str = ""
    next_read: datetime | None = None

    @property
    def route(self) -> Route:
        """Which direction it is."""
        return self.figures.route


def standing(lane: Lane, figures: RouteStatus, next_read: datetime | None) -> Standing:
    """How the direction of `lane` is now."""
    if lane.paused:
        return Standing(Condition.PAUSED, figures)
    if lane.waiting:
        network, closed = min(lane.waiting, key=lambda each: _urgency(each[1]))
        until, detail = _until(closed), closed.error.detail
        return Standing(_why(closed), figures, network, until, detail, next_read)
    if lane.full:
        return Standing(Condition.NO_ROOM, figures, next_read=next_read)
    return Standing(_of(figures), figures, next_read=next_read)


def _why(closed: Closed) -> Condition:
    match closed.error:
        case Unpaid():
            return Condition.UNPAID
        case Unauthorised():
            return Condition.SIGN_IN
        case Throttled():
            return Condition.RATE_LIMIT
        case Transient(unreachable=True):
            return Condition.UNREACHABLE
        case _:
            return Condition.WAITING


def _until(closed: Closed) -> datetime:
    """When it is over: a cap is looked at more often than it ends."""
    told = closed.error.until if isinstance(closed.error, Unpaid) else None
    return closed.until if told is None else max(closed.until, told)


def _urgency(closed: Closed) -> int:
    return tuple(Condition).index(_why(closed))


def _of(figures: RouteStatus) -> Condition:
    if figures.held or figures.failed:
        return Condition.NEEDS_OWNER
    if figures.waiting_for_money:
        return Condition.OVER_BUDGET
    if figures.in_doubt:
        return Condition.IN_DOUBT
    if figures.planned:
        return Condition.SENDING
    return Condition.NEVER_READ if figures.last_read_at is None else Condition.UP_TO_DATE


def unreachable(lanes: Sequence[Lane]) -> frozenset[Network]:
    """Networks that do not answer at all, of what is not paused: not those that say no."""
    return frozenset(
        network
        for lane in lanes
        if not lane.paused
        for network, closed in lane.waiting
        if _why(closed) is Condition.UNREACHABLE
    )


async def standings(daemon: Daemon, control: Control, now: datetime) -> tuple[Standing, ...]:
    """How every direction of a running daemon is, in the order of the configuration."""
    figures = {status.route: status for status in await control.status(now)}
    return tuple(
        standing(lane, figures[lane.plan.route], daemon.next_read(lane.plan.route))
        for lane in daemon.lanes
        if lane.plan.route in figures
    )
