"""R7: a daemon that stood still while its lease ran out sends and writes nothing when it wakes."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import LedgerInUse
from bridge.core.model import Direction
from tests.crash.mortal import mortals
from tests.crash.stage import HOME, OUT, THREE_PARTS, Stage, record, words

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])

LEASE = 30
"""Seconds after which a silent daemon is thought dead."""


async def stands_still(pid: int) -> None:
    """Wait until the system has stopped a process."""
    status = Path(f"/proc/{pid}/status")
    async with asyncio.timeout(20):
        while "T (stopped)" not in status.read_text():  # noqa: ASYNC110, ASYNC240 - no event there
            await asyncio.sleep(0.01)


@BOTH
@pytest.mark.parametrize("after", ["next_due", "claim", "publish"])
async def test_r7_a_daemon_that_slept_over_its_lease_sends_nothing_when_it_wakes(
    stage: Stage, direction: Direction, after: str
) -> None:
    async with stage.running():
        pass
    source = stage.write(direction, words("slept over", THREE_PARTS[direction]))
    lane = 0 if direction is OUT else 1
    async with mortals(stage.folder) as forks:
        pid = await forks.begin(
            stage.config, stage.clock.now(), lane, after, when="after", how=signal.SIGSTOP
        )
        await stands_still(pid)
        with pytest.raises(LedgerInUse, match=f"pid {pid}"):
            async with stage.running():
                pass
        stage.clock.pass_time(LEASE + 1)
        async with stage.running() as running:
            await stage.pass_time(running, 120)
            assert (await record(running, source)).state is PostState.DELIVERED
            made = stage.mirrors(direction)
            asked = stage.creations(direction)
            forks.move_clock(LEASE + 121)
            os.kill(pid, signal.SIGCONT)
            assert await forks.end() == 1
            await stage.pass_time(running, 120)
        assert stage.creations(direction) == asked == 3
    assert stage.mirrors(direction) == made
    assert [one[2] for one in made] == [None, made[0][0], made[1][0]]
    assert stage.mirrors(direction.reverse) == []


@BOTH
async def test_r7_a_daemon_that_slept_without_a_successor_proves_its_lease_and_sends_once(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running():
        pass
    stage.write(direction, words("slept alone", THREE_PARTS[direction]))
    lane = 0 if direction is OUT else 1
    async with mortals(stage.folder) as forks:
        pid = await forks.begin(
            stage.config, stage.clock.now(), lane, "claim", when="after", how=signal.SIGSTOP
        )
        await stands_still(pid)
        stage.clock.pass_time(LEASE + 1)
        forks.move_clock(LEASE + 1)
        os.kill(pid, signal.SIGCONT)
        assert await forks.end() == 0
        calls = forks.calls()
        assert calls[calls.index("claim") + 1 :][:2] == ["renew", "publish"]
    assert stage.creations(direction) == len(stage.mirrors(direction)) == 3
