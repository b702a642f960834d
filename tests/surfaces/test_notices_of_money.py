"""Money and room are told as what they are: once each, with a reminder, and when it is over."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.core.budget import Budget
from bridge.core.errors import Unpaid
from bridge.core.model import Microdollars
from bridge.engine.standing import Condition, Standing
from tests.surfaces.stage import Bridge, bridged
from tests.surfaces.test_notices import Teller, surface


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    async with bridged(tmp_path) as made:
        yield made


async def test_a_spend_cap_is_told_as_a_matter_of_money_and_not_of_signing_in(
    bridge: Bridge, tmp_path: Path
) -> None:
    way = Teller()
    told = surface(bridge, tmp_path, way)
    until = bridge.clock.now() + timedelta(days=9)
    bridge.x.read_errors += [Unpaid("HTTP 403: the spend cap is reached", status=403, until=until)]
    await bridge.daemon.once()
    await told.turn(bridge.control, bridge.look)
    assert way.said == []
    bridge.clock.pass_time(180)
    await told.turn(bridge.control, bridge.look)
    await told.turn(bridge.control, bridge.look)
    assert way.said == [("new", "unpaid")]
    text = way.told[0].text
    assert "spend cap is reached" in text
    assert "developer console" in text
    assert f"{until:%-d %B}" in text
    assert "twinpost sync-now" in text
    assert "twinpost login" not in text
    bridge.clock.pass_time(24 * 3600)
    await told.turn(bridge.control, bridge.look)
    assert way.said[1:] == [("reminder", "unpaid")]
    await bridge.commands.sync_now()
    await bridge.daemon.once()
    await told.turn(bridge.control, bridge.look)
    assert way.said[2:] == [("recovered", "unpaid")]


async def test_both_directions_of_an_account_that_is_not_paid_for_are_one_cause(
    bridge: Bridge, tmp_path: Path
) -> None:
    way = Teller()
    told = surface(bridge, tmp_path, way)
    unpaid = Unpaid("HTTP 402: credits depleted", status=402)
    bridge.x.read_errors += [unpaid] * 9
    bridge.x.answers += [unpaid] * 9
    bridge.mastodon.write("For money")
    await bridge.daemon.once()
    await told.turn(bridge.control, bridge.look)
    bridge.clock.pass_time(180)
    await told.turn(bridge.control, bridge.look)
    assert way.said == [("new", "unpaid")]


async def test_a_budget_that_is_nearly_spent_is_told_once_in_its_month_and_reminded_of(
    tmp_path: Path,
) -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    way, budget = Teller(), Budget(Microdollars(50_000), warn_at=50)
    async with bridged(tmp_path, at, budget) as bridge:
        told = surface(bridge, tmp_path, way)
        bridge.mastodon.write("One")
        await bridge.passes()
        await told.turn(bridge.control, bridge.look)
        assert way.said == []
        bridge.mastodon.write("Two")
        await bridge.passes()
        for _ in range(3):
            await told.turn(bridge.control, bridge.look)
        assert way.said == [("new", "budget-near")]
        assert "$0.03 of this month's $0.05 is spent" in way.told[0].title
        assert "1 December" in way.told[0].text
        assert "twinpost costs" in way.told[0].text
        bridge.clock.pass_time(24 * 3600)
        await told.turn(bridge.control, bridge.look)
        assert way.said[1:] == [("reminder", "budget-near")]
        bridge.clock.pass_time(10 * 24 * 3600)
        await told.turn(bridge.control, bridge.look)
        assert way.said[2:] == [("recovered", "budget-near")]


async def test_once_posts_wait_for_money_that_is_told_and_no_longer_how_near_it_was(
    tmp_path: Path,
) -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    way, budget = Teller(), Budget(Microdollars(40_000), warn_at=50)
    async with bridged(tmp_path, at, budget) as bridge:
        told = surface(bridge, tmp_path, way)
        for text in ("One", "Two"):
            bridge.mastodon.write(text)
        await bridge.passes()
        await told.turn(bridge.control, bridge.look)
        bridge.mastodon.write("Three")
        await bridge.passes()
        await told.turn(bridge.control, bridge.look)
        assert way.said == [("new", "budget-near"), ("new", "budget")]
        bridge.clock.pass_time(24 * 3600)
        await told.turn(bridge.control, bridge.look)
        assert way.said[2:] == [("reminder", "budget")]


async def test_a_full_disk_is_told_once_for_all_directions_and_not_at_its_first_sign(
    bridge: Bridge, tmp_path: Path
) -> None:
    async def without_room() -> list[Standing]:
        return [replace(each, condition=Condition.NO_ROOM) for each in await bridge.look()]

    way = Teller()
    told = surface(bridge, tmp_path, way)
    await told.turn(bridge.control, without_room)
    assert way.said == []
    bridge.clock.pass_time(180)
    await told.turn(bridge.control, without_room)
    assert way.said == [("new", "no-room")]
    assert "goes on by itself" in way.told[0].text
    await told.turn(bridge.control, bridge.look)
    assert way.said[1:] == [("recovered", "no-room")]
