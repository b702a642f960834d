"""R17: the real process ends in time whatever hangs, reloads while it sends, and idles quietly."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.app.looking import looking
from bridge.config import load
from bridge.core.delivery import PostState
from bridge.engine.control import Control
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.x import XSandbox
from tests.crash.stage import words
from tests.fixtures.world import World, until

CREATE_ON_X, CREATE_ON_MASTODON = r"^/2/tweets$", r"^/api/v1/statuses$"


def creations(world: World) -> tuple[int, int]:
    """How often X and Mastodon were asked to create something."""

    def asked(network: XSandbox | MastodonSandbox, path: str) -> int:
        requests = (r for r in network.faults.requests if r.method == "POST")
        return sum(re.search(path, r.path) is not None for r in requests)

    return asked(world.x, CREATE_ON_X), asked(world.mastodon, CREATE_ON_MASTODON)


def posts(world: World) -> tuple[int, int]:
    """How many posts stand on X and on Mastodon."""
    return (
        len(world.x.timeline(world.x_account)),
        len(world.mastodon.timeline(world.mastodon_account)),
    )


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """A daemon that has read both timelines; ended well at the end, unless it has ended before."""
    process = await world.start("run")
    try:
        await until(lambda: has_answered(world.x) and has_answered(world.mastodon))
        yield process
        if process.returncode is None:
            process.terminate()
            await ended(process, 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def has_answered(network: XSandbox | MastodonSandbox) -> bool:
    """Whether a timeline has been given: what is written after that is new."""
    reads = (r for r in network.faults.requests if re.search(r"/(tweets|statuses)$", r.path))
    return any(r.status == 200 for r in reads)


async def hang(world: World) -> None:
    """Have a daemon wait for both networks, which have made its posts and never say so."""
    world.x.faults.add(Fault("accept-then-hang", "POST", CREATE_ON_X))
    world.mastodon.faults.add(Fault("accept-then-hang", "POST", CREATE_ON_MASTODON))
    world.mastodon.write(world.mastodon_account, "Made, but not answered on X")
    world.x.write(world.x_account, "Made, but not answered on Mastodon")
    await until(lambda: creations(world) == (1, 1))


async def ended(process: asyncio.subprocess.Process, seconds: float) -> str:
    """What a daemon said, that ends well and in time."""
    begun = time.monotonic()
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert time.monotonic() - begun < seconds
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    return said.decode()


async def test_r17_a_daemon_ends_in_time_though_both_networks_hang_and_the_next_one_proves_all(
    world: World,
) -> None:
    async with serving(world) as process:
        await hang(world)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        await ended(process, 10)
    async with serving(world), looking(load(world.config)) as control, asyncio.timeout(30):
        while await states(control) != {PostState.DELIVERED}:  # noqa: ASYNC110 - no event there
            await asyncio.sleep(0.1)
    assert creations(world) == (1, 1)
    assert posts(world) == (2, 2)


async def states(control: Control) -> set[PostState]:
    """Where the posts stand that were to be mirrored."""
    return {each.state for each in await control.history() if each.parts}


async def test_r17_an_end_that_is_asked_for_during_a_reload_is_an_end(world: World) -> None:
    async with serving(world) as process:
        await hang(world)
        process.send_signal(signal.SIGHUP)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGINT)
        await ended(process, 10)


async def test_r17_a_server_that_hangs_from_the_start_does_not_keep_a_daemon_from_ending(
    world: World,
) -> None:
    for network in (world.x, world.mastodon):
        network.faults.add(Fault("refuse-then-hang", path="^/(2|api)/", times=None))
    process = await world.start("run")
    try:
        await until(lambda: bool(world.x.faults.requests and world.mastodon.faults.requests))
        process.send_signal(signal.SIGINT)
        await ended(process, 10)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_reloads_in_the_middle_of_sending_double_and_lose_nothing(world: World) -> None:
    async with serving(world) as process:
        world.x.faults.add(Fault("latency", "POST", CREATE_ON_X, times=None, seconds=0.4))
        world.mastodon.faults.add(
            Fault("latency", "POST", CREATE_ON_MASTODON, times=None, seconds=0.4)
        )
        for number in range(2):
            world.mastodon.write(world.mastodon_account, words(f"toot {number}", 400))
            world.x.write(world.x_account, f"Tweet {number}")
        for _ in range(3):
            before = creations(world)
            await until(lambda: creations(world) != before)  # noqa: B023 - awaited at once
            process.send_signal(signal.SIGHUP)
        await until(lambda: posts(world) == (2 + 4, 2 + 2))
    async with looking(load(world.config)) as control:
        assert await states(control) == {PostState.DELIVERED}
    assert creations(world) == (4, 2)
    oldest_first = world.x.timeline(world.x_account)[::-1]
    parts = [post.text for post in oldest_first if not post.text.startswith("Tweet")]
    assert [text.rstrip()[-3:] for text in parts] == ["1/2", "2/2"] * 2


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.soak)])
async def test_an_idle_daemon_costs_next_to_nothing(world: World, seconds: float) -> None:
    world.config.write_text(world.config.read_text().replace("every: 1s", "every: 60s"))
    async with serving(world) as process:
        await asyncio.sleep(1)
        before = processor_time(process.pid)
        await asyncio.sleep(seconds)
        assert (processor_time(process.pid) - before) / seconds < 0.02


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
