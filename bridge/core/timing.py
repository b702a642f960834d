"""When a route is read and from where on: the owner's wishes as values.

Must not know a scheduler, nor read a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Interval:
    """Read every so often."""

    period: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """Read at the times of a cron expression of five fields, in UTC."""

    expression: str


Every = Interval | Cron


@dataclass(frozen=True, slots=True)
class FromNow:
    """The first pass only sets the cursor; nothing that stands there is mirrored."""


@dataclass(frozen=True, slots=True)
class FromBeginning:
    """Everything that the account ever wrote is mirrored."""


@dataclass(frozen=True, slots=True)
class FromDate:
    """What was written at `at` (aware UTC) or later is mirrored."""

    at: datetime


Start = FromNow | FromBeginning | FromDate
