"""What a direction waits for is said by `status`, and scripts can tell money from a login."""

import asyncio
from datetime import date
from typing import Any

import pytest

from bridge.sandbox.faults import Fault
from tests.fixtures.world import World

pytestmark = pytest.mark.timeout(60)


async def waiting(world: World, direction: str, state: str) -> dict[str, Any]:
    """The row of a direction once the daemon says that it is in `state`."""
    async with asyncio.timeout(30):
        while True:
            for row in (await world.twinpost("status", "--json")).rows:
                if (row["direction"], row["state"]) == (direction, state):
                    return row


async def test_a_spend_cap_is_a_matter_of_money_in_status_and_in_exit_codes(world: World) -> None:
    async with world.running():
        world.x.spend_cap_reset = date(2099, 1, 1)
        row = await waiting(world, "x_to_mastodon", "unpaid")
        assert row["waits_for"] == "x"
        assert row["waits_until"] == "2099-01-01T00:00:00Z"
        assert "raise it in X's developer console" in row["detail"]
        told = await world.twinpost("status")
        assert told.code == 1
        assert "unpaid" in told.out
        assert "until 2099-01-01" in told.out
        assert "login" not in told.out
    assert (await world.twinpost("once")).code == 1


async def test_a_login_that_is_refused_is_said_with_its_command_and_exits_with_3(
    world: World,
) -> None:
    async with world.running():
        world.mastodon.revoke(world.mastodon_account.access_token)
        row = await waiting(world, "mastodon_to_x", "sign in again")
        assert row["waits_for"] == "mastodon"
        assert "twinpost login mastodon" in row["detail"]
        assert (await world.twinpost("status")).code == 3


async def test_who_has_paid_says_sync_now_and_it_goes_on_at_once(world: World) -> None:
    async with world.running():
        world.x.out_of_credits = True
        await waiting(world, "x_to_mastodon", "unpaid")
        world.x.out_of_credits = False
        world.x.write(world.x_account, "Paid for")
        assert (await world.twinpost("sync-now")).code == 0
        async with asyncio.timeout(20):
            while not world.mastodon.timeline(world.mastodon_account):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.05)
        (row,) = (
            each
            for each in (await world.twinpost("status", "--json")).rows
            if each["direction"] == "x_to_mastodon"
        )
        assert (row["state"], row["waits_for"], row["detail"]) == ("up to date", None, "")


async def test_a_pause_by_the_owner_is_said_where_the_daemon_runs(world: World) -> None:
    async with world.running():
        await world.twinpost("pause")
        assert {row["state"] for row in (await world.twinpost("status", "--json")).rows} == {
            "paused"
        }


async def test_without_a_daemon_status_tells_what_the_last_pass_met(world: World) -> None:
    world.x.faults.add(Fault("refuse-then-401", times=None))
    assert (await world.twinpost("once")).code == 3
    told = await world.twinpost("status", "--json")
    assert told.code == 3
    out, home = told.rows
    assert (home["state"], home["waits_for"]) == ("sign in again", "x")
    assert out["waits_for"] is None
