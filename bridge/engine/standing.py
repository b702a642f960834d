"""How every direction is right now, as data: what it waits for, until when, and what is in it.

For surfaces that show a running daemon; each finds its own words. Must not change anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from bridge.core.errors import Unpaid, WrongAccount
from bridge.core.listing import RouteStatus
from bridge.core.model import Network, Route
from bridge.core.waits import why
from bridge.engine.condition import BAD, Condition, by_figures, of_wait
from bridge.engine.control import Control, gap_note, timestamp

if TYPE_CHECKING:
    # Who only asks a running daemon how it stands need not wait for what makes one.
    from bridge.engine.gate import Closed
    from bridge.engine.lane import Lane
    from bridge.engine.supervise import Daemon

__all__ = [
    "BAD",
    "Condition",
    "Standing",
    "WaitRow",
    "standing",
    "standings",
    "unreachable",
    "wait_rows",
]

_LONGEST_DETAIL = 500


class WaitRow(TypedDict):
    """Why one direction waits, as a running daemon tells it. Times as ISO 8601 in UTC."""

    bridge: str
    direction: str
    condition: str
    waits_for: str | None
    until: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Wait:
    """What holds up a whole direction, as far as it is no matter of single posts."""

    condition: Condition
    network: Network | None = None
    until: datetime | None = None
    detail: str = ""


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


def standing(
    lane: Lane, figures: RouteStatus, next_read: datetime | None, now: datetime
) -> Standing:
    """How the direction of `lane` is now."""
    wait = _wait(lane)
    if wait is None:
        note = gap_note(figures.gap, now)
        return Standing(by_figures(figures), figures, detail=note, next_read=next_read)
    read = None if wait.condition is Condition.PAUSED else next_read
    return Standing(wait.condition, figures, wait.network, wait.until, wait.detail, read)


def wait_rows(lanes: Sequence[Lane]) -> list[WaitRow]:
    """Every direction of `lanes` that waits, and why."""
    return [
        WaitRow(
            bridge=lane.plan.route.bridge,
            direction=lane.plan.route.direction.value,
            condition=wait.condition.value,
            waits_for=None if wait.network is None else wait.network.value,
            until=timestamp(wait.until),
            detail=wait.detail[:_LONGEST_DETAIL],
        )
        for lane in lanes
        if (wait := _wait(lane)) is not None
    ]


def _wait(lane: Lane) -> _Wait | None:
    if lane.paused:
        return _Wait(Condition.PAUSED)
    if lane.waiting:
        network, closed = min(lane.waiting, key=lambda each: _urgency(each[1]))
        return _Wait(_why(closed), network, _until(closed), closed.error.detail)
    return _Wait(Condition.NO_ROOM) if lane.full else None


def _why(closed: Closed) -> Condition:
    if isinstance(closed.error, WrongAccount):
        return Condition.WRONG_ACCOUNT
    return of_wait(why(closed.error), of_media=closed.of_media)


def _until(closed: Closed) -> datetime:
    """When it is over: a cap is looked at more often than it ends."""
    told = closed.error.until if isinstance(closed.error, Unpaid) else None
    return closed.until if told is None else max(closed.until, told)


def _urgency(closed: Closed) -> int:
    return tuple(Condition).index(_why(closed))


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
        standing(lane, figures[lane.plan.route], daemon.next_read(lane.plan.route), now)
        for lane in daemon.lanes
        if lane.plan.route in figures
    )
