"""How many posts one route may begin within an hour, so that nothing ever pours out.

Counted by the ledger, so that a restart does not begin anew. Nothing is lost: the rest waits. Must
not send anything, nor keep back the parts of a thread that has begun: it is never cut in two.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.core.events import RoutePaused, RouteResumed
from bridge.engine.route import Bench, RoutePlan

HOUR = timedelta(hours=1)

FULL = (
    "sending to {target}: {most} posts were mirrored within the hour, which is the most "
    "(`max_per_hour`); the others go out in their order, one as each place falls free"
)


class Quota:
    """The hourly bound of one route."""

    def __init__(self, plan: RoutePlan, bench: Bench) -> None:
        self._plan = plan
        self._bench = bench
        self._opens = 0.0
        self._said = False

    def opens_at(self) -> datetime | None:
        """When the next post may be begun, by the wall clock as it stands; None for now."""
        clock = self._bench.clock
        left = self._opens - clock.monotonic()
        return clock.now() + timedelta(seconds=left) if left > 0 else None

    async def granted(self) -> bool:
        """Whether a post may be begun now."""
        most = self._plan.max_per_hour
        if most is None:
            return True
        if self.opens_at() is not None:
            return False
        clock, route = self._bench.clock, self._plan.route
        now = clock.now()
        left = await self._bench.ledger.left(route, now - HOUR, now)
        if len(left) < most:
            return True
        opens = left[len(left) - most] + HOUR
        self._opens = clock.monotonic() + (opens - now).total_seconds()
        if not self._said:
            self._said = True
            words = FULL.format(target=self._plan.target.network.value, most=most)
            self._bench.emit(RoutePaused(now, route, opens, words))
        return False

    def drained(self) -> None:
        """Nothing waits any more."""
        if self._said and self.opens_at() is None:
            self._said = False
            self._bench.emit(RouteResumed(self._bench.clock.now(), self._plan.route))
