"""Whether the wall clock was set: found by comparing it with the one that only grows.

Waits are measured by the monotonic clock, but what is written down, and the scheduler, go by the
wall clock; both have to be told when it has jumped. Must not change anything itself.
"""

from __future__ import annotations

from datetime import timedelta

from bridge.ports import Clock

JUMP = timedelta(seconds=30)
"""What is less is drift, or a leap of a time server, and delays nothing by more than itself."""


class Jumps:
    """How far the wall clock has been set since it was last asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()

    def since_last(self) -> timedelta | None:
        """The jump, negative for a clock that was set back; None for none."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        jump = (wall - self._wall) - timedelta(seconds=steady - self._steady)
        self._wall, self._steady = wall, steady
        return jump if abs(jump) > JUMP else None
