"""A beat means that the loop turns and that the ledger has just been written; nothing less."""

import asyncio
from datetime import datetime

import pytest

from bridge.engine.supervise import LEASE_RENEWAL
from tests.engine.conftest import Rig


async def soon() -> None:
    """Let background work go as far as it can."""
    await asyncio.sleep(0.1)


async def test_a_beat_follows_every_write_and_none_comes_while_the_ledger_hangs(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[int] = []
    renewals: list[datetime] = []
    renew, free = rig.ledger.renew, asyncio.Event()
    free.set()

    async def watched(now: datetime) -> None:
        await free.wait()
        await renew(now)
        renewals.append(now)

    monkeypatch.setattr(rig.ledger, "renew", watched)
    stop = asyncio.Event()
    running = asyncio.create_task(rig.daemon().run(stop, lambda: beats.append(len(renewals))))
    await soon()
    assert beats == [1]
    rig.clock.pass_time(LEASE_RENEWAL)
    await soon()
    assert beats == [1, 2]
    free.clear()
    rig.clock.pass_time(10 * LEASE_RENEWAL)
    await soon()
    assert beats == [1, 2]
    free.set()
    await soon()
    assert beats == [1, 2, 3]
    stop.set()
    await running
