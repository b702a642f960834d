"""A film of 90 MB crosses, in either direction, without being held in memory."""

import asyncio
from pathlib import Path

import pytest

from bridge.sandbox.mastodon import Attachment
from bridge.sandbox.x import XFile
from tests.crossing.samples import mp4
from tests.fixtures.world import World, until

SIZE = 90 * 1024 * 1024
MOST = 25_000
"""KiB that the daemon may need above what it has when it is idle."""


def memory(pid: int, name: str) -> int:
    """A figure of /proc/PID/status, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", ["to-x", "to-mastodon"])
async def test_a_film_of_90_mb_needs_little_memory(
    world: World, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    film = mp4(seconds=60, payload=SIZE)
    async with world.running() as process:
        # One small post each way, so that everything has been used once.
        world.mastodon.write(world.mastodon_account, "From Mastodon")
        world.x.write(world.x_account, "From X")
        await until(lambda: len(world.x.timeline(world.x_account)) == 2)
        await until(lambda: len(world.mastodon.timeline(world.mastodon_account)) == 2)
        await asyncio.sleep(2)
        idle = memory(process.pid, "VmRSS")
        if way == "to-x":
            world.mastodon.write(world.mastodon_account, "A film", media=(Attachment(film),))
            await until(lambda: bool(world.x.timeline(world.x_account)[0].media), 120)
        else:
            world.x.write(world.x_account, "A film", media=(XFile(film),))
            timeline = world.mastodon.timeline
            await until(lambda: bool(timeline(world.mastodon_account)[0].media), 120)
        grown = memory(process.pid, "VmHWM") - idle
    with capsys.disabled():
        print(f"\n90 MB {way}: at most {grown / 1024:.1f} MiB above idle", end="")  # noqa: T201 - figures are for people
    assert grown < MOST
