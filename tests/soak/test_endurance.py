"""R19: a bridge that runs for weeks keeps its files, its threads and its memory."""

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.mortal import ROOT
from tests.crash.stage import HOME, OUT, Stage, staged
from tests.fixtures.world import World, made_world
from tests.soak.conftest import Row
from tests.soak.test_face_to_face import text

SEED = 20261122
STEP = 600
"""Virtual seconds between two turns."""

DAY = 86_400
MOST_FILES = 2
MOST_THREADS = 2
MOST_GROWTH = 10 * 1024
"""KiB, from when everything has been used once to the end."""

SHORT = 130
"""Characters, each of which may count twice on X, where this account may write 280."""

REAL_SECONDS = float(os.environ.get("TWINPOST_SOAK_MINUTES", "10")) * 60
"""How long the real daemon runs; two hours by ``TWINPOST_SOAK_MINUTES=120 make soak``."""


@dataclass(frozen=True)
class Figures:
    """What a process holds; memory in KiB."""

    files: int
    threads: int
    memory: int


def assert_flat(found: list[Figures], row: Row) -> None:
    """The first tenth is for warming up; from then on nothing may pile up."""
    warm = found[len(found) // 10 :]
    row.note = (
        f"files {min(f.files for f in warm)}-{max(f.files for f in warm)}, threads "
        f"{min(f.threads for f in warm)}-{max(f.threads for f in warm)}, memory "
        f"{warm[0].memory / 1024:.1f} to {warm[-1].memory / 1024:.1f} MiB"
    )
    assert max(f.files for f in warm) - min(f.files for f in warm) <= MOST_FILES, row.note
    assert max(f.threads for f in warm) - min(f.threads for f in warm) <= MOST_THREADS, row.note
    assert warm[-1].memory - warm[0].memory < MOST_GROWTH, row.note


async def virtual_days(folder: Path, days: float, row: Row) -> None:
    rng = random.Random(SEED)
    async with staged(folder) as stage:
        begun = stage.clock.now()
        async with stage.running():
            pass
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.soak.long_life", str(stage.config), begun.isoformat(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        found, written, passed = [], 0, 0.0
        while passed < days * DAY:
            if rng.random() < 0.2:
                stage.write(rng.choice((OUT, HOME)), text(rng, written)[:SHORT])
                written += 1
            stage.clock.pass_time(STEP)
            passed = stage.clock.monotonic()
            process.stdin.write(f"{passed}\n".encode())
            answer = await asyncio.wait_for(process.stdout.readline(), 60)
            found.append(Figures(*map(int, answer.split())))
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 20) == 0
        row.bar, row.runs = "R19", f"{days:g} virtual days, {written} posts"
        await judge(stage, row)
    assert_flat(found, row)
    assert (row.lost, row.double) == (0, 0), row


async def judge(stage: Stage, row: Row) -> None:
    """All that was written has gone over, once."""
    async with stage.running(set_out=False) as running:
        # What was written last may still be on its way.
        await stage.pass_time(running, 300, step=100)
        records = await running.control.history(limit=100_000)
    own = {one.source: one for one in records if one.source in stage.by_hand}
    row.lost = len(stage.by_hand) - sum(one.state.value == "delivered" for one in own.values())
    made = {part.target_id for one in own.values() for part in one.parts}
    row.double = sum(one[0] not in made for way in (OUT, HOME) for one in stage.mirrors(way))


async def real_minutes(world: World, seconds: float, row: Row) -> None:
    rng = random.Random(SEED)
    found, written = [], 0
    async with world.running() as process:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if rng.random() < 0.5:
                side = rng.random() < 0.5
                if side:
                    world.mastodon.write(world.mastodon_account, text(rng, written)[:SHORT])
                else:
                    world.x.write(world.x_account, text(rng, written)[:SHORT])
                written += 1
            await asyncio.sleep(0.5)
            proc = Path(f"/proc/{process.pid}")
            pages = int((proc / "statm").read_text(encoding="ascii").split()[1])
            found.append(
                Figures(
                    files=len(list((proc / "fd").iterdir())),
                    threads=len(list((proc / "task").iterdir())),
                    memory=pages * os.sysconf("SC_PAGE_SIZE") // 1024,
                )
            )
    row.bar, row.runs = "R19", f"{seconds / 60:g} real minutes, {written} posts"
    on_x = len(world.x.timeline(world.x_account))
    on_mastodon = len(world.mastodon.timeline(world.mastodon_account))
    # What was written in the last moments may not have gone over; nothing may have come back.
    assert abs(on_x - on_mastodon) <= 6, (on_x, on_mastodon)
    assert_flat(found, row)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_thirty_virtual_days_leave_nothing_behind(tmp_path: Path, row: Row) -> None:
    await virtual_days(tmp_path, 30, row)


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
async def test_real_minutes_leave_nothing_behind(tmp_path: Path, row: Row) -> None:
    async with made_world(tmp_path, rate_limited=False) as world:
        await real_minutes(world, REAL_SECONDS, row)


@pytest.mark.timeout(120)
async def test_half_a_virtual_day_leaves_nothing_behind(tmp_path: Path, row: Row) -> None:
    await virtual_days(tmp_path, 0.5, row)
