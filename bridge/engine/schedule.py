"""When things happen: polls at their intervals, and single wake-ups at a given time.

The only module that knows APScheduler. It decides when, never what; its jobs live in memory, since
everything that must survive is in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bridge.core.timing import Cron, Every, Interval


class SkippingTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """A recurring trigger that skips every missed run in one step.

    APScheduler lists all missed runs before it coalesces them. After a forward jump of the clock
    (a machine without a clock battery boots in 1970) that blocks the event loop for minutes.
    """

    def __init__(self, trigger: BaseTrigger) -> None:
        self._trigger = trigger

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first fire time after `now`, whatever lies between it and the previous one."""
        if previous_fire_time is not None:
            previous_fire_time = max(previous_fire_time, now)
        found: datetime | None = self._trigger.get_next_fire_time(previous_fire_time, now)
        return found


class Schedule:
    """A scheduler on the running event loop; callbacks are plain functions that return at once."""

    def __init__(self) -> None:
        # A run that comes late (a suspended machine) is still wanted, once: hence no grace time.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True}
        )

    def start(self) -> None:
        """Begin to fire. Needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Fire no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def every(self, name: str, every: Every, callback: Callable[[], None]) -> None:
        """Call `callback` at each interval or cron time; an interval also fires at once.

        A little jitter keeps many bridges from asking one server at the same moment.
        """
        match every:
            case Interval(period=period):
                seconds = period.total_seconds()
                trigger = IntervalTrigger(seconds=seconds, jitter=seconds / 20, timezone=UTC)
                self._add(name, SkippingTrigger(trigger), callback, first=datetime.now(UTC))
            case Cron(expression=expression):
                trigger = CronTrigger.from_crontab(expression, timezone=UTC)
                self._add(name, SkippingTrigger(trigger), callback)

    def at(self, name: str, when: datetime, callback: Callable[[], None]) -> None:
        """Call `callback` once at `when` (aware UTC), replacing what was planned under `name`."""
        self._add(name, DateTrigger(when, timezone=UTC), callback)

    def next(self, name: str) -> datetime | None:
        """When what was planned under `name` comes next (aware UTC); None where nothing is."""
        job = self._scheduler.get_job(name)
        at = None if job is None else getattr(job, "next_run_time", None)
        return None if at is None else at.astimezone(UTC)

    def _add(
        self,
        name: str,
        trigger: object,
        callback: Callable[[], None],
        first: datetime | None = None,
    ) -> None:
        options = {} if first is None else {"next_run_time": first}
        self._scheduler.add_job(
            _on_loop, trigger, args=(callback,), id=name, replace_existing=True, **options
        )


async def _on_loop(callback: Callable[[], None]) -> None:
    """Run a callback on the event loop: APScheduler runs plain functions on a thread."""
    callback()
