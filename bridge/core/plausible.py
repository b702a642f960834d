"""Which times can be right. Dates and ids of a network are untrusted, and so is the own clock.

Pure: must not read a clock, nor know what a time belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

AHEAD = timedelta(minutes=1)
"""How far the clock of a network may be ahead of the own one without either being wrong."""

OLDEST_CLOCK = datetime(2020, 1, 1, tzinfo=UTC)
"""A clock that shows less is certainly wrong: machines without a battery start in 1970."""

FOREVER = datetime.max.replace(tzinfo=UTC)


def horizon(now: datetime) -> datetime:
    """The latest time at which something that is listed by `now` can have been written.

    A clock that is certainly wrong rules nothing out.
    """
    return now + AHEAD if now >= OLDEST_CLOCK else FOREVER


def newest(dates: Sequence[datetime], now: datetime, *, complete: bool) -> datetime:
    """The newest of `dates` that can be right; `now` where none can.

    `complete` says that these are all there are. A minority that is ahead of the clock is wrong;
    a majority means that the clock is, unless there is nothing else that it could be compared with.
    """
    possible = [date for date in dates if date <= horizon(now)]
    ahead = len(dates) - len(possible)
    if not ahead or not (complete or ahead * 2 < len(dates)):
        return max(dates)
    return max(possible, default=now)
