"""How often a source may be read, so that hints and short intervals never use up its limit.

A bucket of permits: a fifth of a network's allowance may be spent at once, the rest flows in
evenly, so that no quarter of an hour ever sees more than the allowance. Must not read a clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

_WINDOW = timedelta(minutes=15)
_AT_ONCE = 0.2


class Pace:
    """Permits for reading one source. `allowance` is in reads per quarter of an hour."""

    def __init__(self, allowance: int) -> None:
        self._most = max(1.0, allowance * _AT_ONCE)
        self._refill = _WINDOW / max(1.0, allowance * (1 - _AT_ONCE))
        self._permits = self._most
        self._counted_at: datetime | None = None

    def take(self, now: datetime) -> datetime | None:
        """Take one permit. None where there was one, else when there will be."""
        if self._counted_at is not None:
            gained = max(timedelta(0), now - self._counted_at) / self._refill
            self._permits = min(self._most, self._permits + gained)
        self._counted_at = now
        if self._permits >= 1:
            self._permits -= 1
            return None
        return now + self._refill * (1 - self._permits)
