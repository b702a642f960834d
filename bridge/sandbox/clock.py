"""The time that a sandbox lives in: the wall clock, moved as far as a test or a rehearsal likes.

Must not measure how long anything takes, nor sleep: shifting it makes nobody wait.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """A wall clock that can be moved by hand. One may be shared by both sandboxes.

    `base` gives the unshifted time as aware UTC; without it, the machine's.
    """

    def __init__(self, base: Callable[[], datetime] | None = None) -> None:
        self._base = base or _machine_time
        self._shift = timedelta()

    def now(self) -> datetime:
        """The present sandbox time, aware UTC."""
        return self._base() + self._shift

    def shift(self, seconds: float) -> None:
        """Move the clock by so many seconds, on top of earlier shifts; backward when negative."""
        self._shift += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Undo every shift."""
        self._shift = timedelta()


def _machine_time() -> datetime:
    return datetime.now(UTC)
