"""Schedules on a wall clock that jumps: one run afterwards, and the event loop never waits."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from bridge.core.timing import Cron, Every, Interval
from bridge.engine.schedule import Schedule
from tests.fixtures.world import until

BATTERYLESS = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
JUMPS = [
    pytest.param(datetime(1970, 1, 2, tzinfo=UTC), id="a day"),
    pytest.param(datetime(2026, 12, 1, tzinfo=UTC), id="from 1970 to 2026"),
    pytest.param(datetime(2099, 1, 1, tzinfo=UTC), id="to 2099"),
    pytest.param(datetime(9998, 12, 31, tzinfo=UTC), id="as far as calendars go"),
]
DATES = [
    datetime(2026, 12, 1, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC),
    datetime(2027, 10, 31, 0, 59, 59, tzinfo=UTC),
]
"""Month and year ends, leap days, and the hours at which Europe changes its clocks."""


@pytest.mark.timeout(30)
@pytest.mark.parametrize("after", JUMPS)
@pytest.mark.parametrize(
    "every", [Interval(timedelta(seconds=0.2)), Cron("* * * * *")], ids=["interval", "cron"]
)
async def test_a_forward_jump_brings_one_run_and_never_blocks_the_loop(
    every: Every, after: datetime
) -> None:
    fired: list[datetime] = []
    schedule = Schedule()
    with time_machine.travel(BATTERYLESS) as clock:
        schedule.every("route", every, lambda: fired.append(datetime.now(UTC)))
        schedule.start()
        try:
            if isinstance(every, Interval):
                await until(lambda: len(fired) == 1)
            before, loop = len(fired), asyncio.get_running_loop()
            clock.move_to(after)
            # What a changed schedule does: APScheduler looks at the clock again.
            schedule.at("due", after, lambda: None)
            began = loop.time()
            await until(lambda: len(fired) > before)
            assert loop.time() - began < 2
            assert fired[before] >= after
            following = schedule.next("route")
            assert following is not None
            assert after < following <= after + timedelta(minutes=2)
            assert len(fired) <= before + 2
        finally:
            schedule.stop()


@pytest.mark.parametrize("at", DATES, ids=str)
async def test_polls_keep_their_interval_over_every_kind_of_date(at: datetime) -> None:
    schedule = Schedule()
    with time_machine.travel(at):
        schedule.every("interval", Interval(timedelta(minutes=5)), lambda: None)
        schedule.every("cron", Cron("*/5 * * * *"), lambda: None)
        schedule.start()
        try:
            await asyncio.sleep(0)
            interval, cron = schedule.next("interval"), schedule.next("cron")
            assert interval is not None
            assert cron is not None
            assert interval - at <= timedelta(minutes=5, seconds=16)
            assert timedelta(0) <= cron - at <= timedelta(minutes=5)
            assert cron.minute % 5 == 0
        finally:
            schedule.stop()
