"""Locks of accounts and bridges are taken in one order, so that nobody waits in a circle."""

import asyncio

import pytest

from bridge.core.model import BridgeName
from bridge.engine.turnstiles import Turnstiles
from tests.engine.conftest import NAME, Rig

WORK = BridgeName("work")


async def test_locks_taken_in_the_wrong_order_are_refused_not_waited_for(rig: Rig) -> None:
    locks, account = Turnstiles(), await rig.x.account()
    async with locks.turn(NAME), locks.turn(NAME):
        with pytest.raises(RuntimeError, match="first"):
            async with locks.passing(account):
                pass
        with pytest.raises(RuntimeError, match="at once"):
            async with locks.turn(WORK):
                pass
    async with locks.passing(account), locks.turn(WORK, NAME), locks.turn(NAME):
        with pytest.raises(RuntimeError, match="one at a time"):
            async with locks.passing(await rig.mastodon.account()):
                pass


async def test_bridges_are_locked_in_one_order_whoever_names_them_how() -> None:
    locks, taken = Turnstiles(), list[str]()

    async def take(*bridges: BridgeName) -> None:
        async with locks.turn(*bridges):
            taken.append("taken")
            await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await asyncio.gather(*[take(NAME, WORK) for _ in range(3)], *[take(WORK, NAME)] * 1)
    assert len(taken) == 4
