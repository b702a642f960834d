"""R17: the real process ends in time whatever hangs, reloads while it sends, and idles quietly."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path

import pytest

from bridge.sandbox.faults import Fault
from tests.crash.stage import words
from tests.fixtures.world import World, until

CREATE_ON_X, CREATE_ON_MASTODON = r"^/2/tweets$", r"^/api/v1/statuses$"


def creations(world: World) -> tuple[int, int]:
    """How often X and Mastodon were asked to create something."""

    def asked(network: object, path: str) -> int:
        requests = network.faults.requests  # type: ignore[attr-defined] # both sandboxes have it
        return sum(r.method == "POST" and re.search(path, r.path) is not None for r in requests)

    return asked(world.x, CREATE_ON_X), asked(world.mastodon, CREATE_ON_MASTODON)


def posts(world: World) -> tuple[int, int]:
    """How many posts stand on X and on Mastodon."""
    return (
        len(world.x.timeline(world.x_account)),
        len(world.mastodon.timeline(world.mastodon_account)),
    )


async def hanging(world: World) -> asyncio.subprocess.Process:
    """A daemon that waits for both networks, which have made its posts and never say so."""
    process = await world.start("run")
    await world.watching()
    world.x.faults.add(Fault("accept-then-hang", "POST", CREATE_ON_X))
    world.mastodon.faults.add(Fault("accept-then-hang", "POST", CREATE_ON_MASTODON))
    world.mastodon.write(world.mastodon_account, "Made, but not answered on X")
    world.x.write(world.x_account, "Made, but not answered on Mastodon")
    await until(lambda: creations(world) == (1, 1))
    return process


async def ended(process: asyncio.subprocess.Process, seconds: float) -> str:
    """What a daemon said, that ends well and in time."""
    begun = time.monotonic()
    try:
        _, said = await asyncio.wait_for(process.communicate(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert time.monotonic() - begun < seconds
    assert process.returncode == 0, said.decode()
    assert b"Traceback" not in said
    return said.decode()


async def test_r17_a_daemon_ends_in_time_though_both_networks_hang_and_the_next_one_proves_all(
    world: World,
) -> None:
    process = await hanging(world)
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    await ended(process, 10)
    async with world.running():
        async with asyncio.timeout(30):
            while any(row["state"] != "delivered" for row in (await history(world))):  # noqa: ASYNC110 - asked of a command
                await asyncio.sleep(0.3)
    assert creations(world) == (1, 1)
    assert posts(world) == (2, 2)


async def history(world: World) -> list[dict[str, object]]:
    """What was to be mirrored."""
    return [
        row for row in (await world.twinpost("history", "--json")).rows if row["verdict"] != "skip"
    ]


async def test_r17_an_end_that_is_asked_for_during_a_reload_is_an_end(world: World) -> None:
    process = await hanging(world)
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
    await until(lambda: bool(world.x.faults.requests and world.mastodon.faults.requests))
    process.send_signal(signal.SIGINT)
    await ended(process, 10)


async def test_reloads_in_the_middle_of_sending_double_and_lose_nothing(world: World) -> None:
    async with world.running() as process:
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
    rows = await history(world)
    assert {row["state"] for row in rows} == {"delivered"}
    assert creations(world) == (4, 2)
    oldest_first = world.x.timeline(world.x_account)[::-1]
    parts = [post.text for post in oldest_first if not post.text.startswith("Tweet")]
    assert [text.rstrip()[-3:] for text in parts] == ["1/2", "2/2"] * 2


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.soak)])
async def test_an_idle_daemon_costs_next_to_nothing(world: World, seconds: float) -> None:
    world.config.write_text(world.config.read_text().replace("every: 1s", "every: 60s"))
    async with world.running() as process:
        await asyncio.sleep(1)
        before = processor_time(process.pid)
        await asyncio.sleep(seconds)
        assert (processor_time(process.pid) - before) / seconds < 0.02


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
