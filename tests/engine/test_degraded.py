"""What the machine does to the daemon: a full disk, a clock that is set. It waits, and goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from bridge.core.delivery import PostState
from bridge.core.errors import Throttled, Transient
from bridge.core.events import RoutePaused, RouteResumed
from bridge.engine.supervise import Daemon
from tests.engine.conftest import Rig


async def until(rig: Rig, reached: Callable[[], bool], step: float = 5) -> None:
    """Let time go by until something is so."""
    async with asyncio.timeout(20):
        while not reached():
            rig.clock.pass_time(step)
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(daemon: Daemon) -> AsyncIterator[asyncio.Task[None]]:
    """The daemon at work."""
    stop = asyncio.Event()
    task = asyncio.create_task(daemon.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


def room(rig: Rig, pages: int) -> None:
    """Have the ledger's file grow to so many pages at most; 1 for as many as it has."""
    ledger = rig.ledger
    connection = ledger._store.connection  # type: ignore[attr-defined]
    ledger._thread._executor.submit(  # type: ignore[attr-defined]
        lambda: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    ).result()


async def test_r8_a_full_disk_stops_nothing_but_sending_until_there_is_room(rig: Rig) -> None:
    daemon = await rig.started()
    room(rig, 1)
    for number in range(40):
        rig.mastodon.write(f"Post {number} " + "long " * 40)
    async with running(daemon) as task:
        await until(rig, lambda: any(isinstance(e, RoutePaused) for e in rig.events))
        for _ in range(20):
            rig.clock.pass_time(5)
            await asyncio.sleep(0.01)
        assert not task.done()
        (paused,) = [e for e in rig.events if isinstance(e, RoutePaused)]
        assert "the disk is full" in paused.detail
        sent = len(rig.x.published)
        room(rig, 1_000_000)
        daemon.lanes[0].wake(read=True)
        await until(rig, lambda: len(rig.x.posts) == 40)
    assert sent < 40
    assert len([e for e in rig.events if isinstance(e, RouteResumed)]) == 1
    assert [post.text.plain.split(" long")[0] for post in rig.x.posts] == [
        f"Post {number}" for number in range(40)
    ]


async def test_r11_a_clock_that_is_set_back_stalls_no_gate(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Throttled("later", until=rig.clock.now() + timedelta(minutes=5))]
    toot = rig.mastodon.write("Patience")
    await daemon.once()
    rig.clock.at -= timedelta(hours=3)
    await rig.pass_time(daemon, 270)
    assert rig.x.published == []
    await rig.pass_time(daemon, 60)
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_r11_a_clock_that_is_set_back_stalls_no_part_that_was_put_off(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Transient("its media are not ready")]
    rig.mastodon.write("Patience")
    await daemon.lanes[0].turn(read=True)
    assert rig.x.published == []
    async with running(daemon):
        await asyncio.sleep(0.05)
        rig.clock.at -= timedelta(hours=3)
        began = rig.clock.monotonic()
        await until(rig, lambda: len(rig.x.published) == 1, step=2)
        assert rig.clock.monotonic() - began < 60


async def test_r11_what_a_wrong_clock_had_put_off_is_due_in_the_next_process(rig: Rig) -> None:
    daemon = await rig.started()
    rig.clock.at += timedelta(days=1)
    rig.x.answers = [Transient("its media are not ready")]
    toot = rig.mastodon.write("Patience")
    await daemon.lanes[0].turn(read=True)
    rig.clock.at -= timedelta(days=1)
    await rig.restart()
    await rig.daemon().once()
    assert await rig.state(toot.id) is PostState.DELIVERED
