"""Which post an Idempotency-Key already made. Kept for hours, per account, bodies not compared.

Must not answer anything: the handler looks the post up, and finds none where it was deleted.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.sandbox.clock import SandboxClock


class IdempotencyKeys:
    """The keys of one server, each remembered for so many hours."""

    def __init__(self, clock: SandboxClock, hours: int) -> None:
        self._clock = clock
        self._life = timedelta(hours=hours)
        self._made: dict[tuple[str, str], tuple[str, datetime]] = {}

    def clear(self) -> None:
        """Forget every key."""
        self._made.clear()

    def find(self, account_id: str, key: str) -> str | None:
        """The id of the post that this key made, while it is remembered."""
        entry = self._made.get((account_id, key))
        if entry is None:
            return None
        if self._clock.now() >= entry[1]:
            del self._made[account_id, key]
            return None
        return entry[0]

    def keep(self, account_id: str, key: str, status_id: str) -> None:
        """Remember what a key made; entries past their time are dropped on the way."""
        now = self._clock.now()
        while self._made:
            oldest = next(iter(self._made))
            if self._made[oldest][1] > now:
                break
            del self._made[oldest]
        self._made[account_id, key] = status_id, now + self._life
