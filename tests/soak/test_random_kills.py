"""R2: processes killed at random moments, also while they recover and while they end.

Each life is a real process that makes one pass of one lane with the real wiring over real HTTP,
and dies by SIGKILL: at a random call of a port, or after a random time, whatever it does then.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.core.delivery import PostState
from bridge.core.record import PostRecord
from tests.crash.mortal import Mortals, mortals
from tests.crash.stage import HOME, OUT, Stage, record, staged, words
from tests.soak.conftest import Row

SEED = 20261122
ROUTES = (OUT, HOME)
LENGTHS = {OUT: (40, 40, 250, 370), HOME: (40, 40, 700, 1150)}
"""How long the posts are: two of four make a thread over there."""

BETWEEN = 400
"""Virtual seconds between two lives, so that no limit of a network is used up."""


@dataclass
class Written:
    """What was written in one direction, oldest first; `private` must stay where it is."""

    public: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)


def write_some(stage: Stage, rng: random.Random, written: dict[object, Written], each: int) -> None:
    for direction in ROUTES:
        for _ in range(each):
            mine = written[direction]
            number = len(mine.public) + len(mine.private)
            if direction is OUT and rng.random() < 0.1:
                secret = stage.mastodon.write(
                    stage.mastodon_account, f"secret {number}", visibility="private"
                )
                stage.by_hand.add(secret.id)
                mine.private.append(secret.id)
                continue
            text = words(f"{direction.value[0]}{number}", rng.choice(LENGTHS[direction]))
            mine.public.append(stage.write(direction, text))


async def a_life(stage: Stage, rng: random.Random, process: Mortals, longest: int) -> bool:
    """One process that is killed at a random moment, if it does not end before; whether it was."""
    lane = rng.randrange(2)
    at = stage.clock.now()
    if rng.random() < 0.5:
        when = rng.choice(("before", "after", "during"))
        await process.begin(stage.config, at, lane, rng.randint(1, longest), when=when)
    else:
        child = await process.begin(stage.config, at, lane, 0)
        await asyncio.sleep(rng.uniform(0.02, 0.6))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return await process.end() == -signal.SIGKILL


async def killed_at_random(folder: Path, posts: int, kills: int, row: Row) -> None:
    rng = random.Random(SEED)
    each = max(1, posts // kills // 2)
    written: dict[object, Written] = {direction: Written() for direction in ROUTES}
    async with staged(folder) as stage, mortals(folder) as process:
        async with stage.running():
            pass
        died = lives = 0
        while died < kills:
            if sum(len(w.public) + len(w.private) for w in written.values()) < posts:
                write_some(stage, rng, written, each)
            stage.clock.pass_time(BETWEEN)
            died += await a_life(stage, rng, process, longest=60)
            lives += 1
        await finish(stage, written)
        row.bar, row.runs = "R2", f"{posts} posts, {died} kills in {lives} lives"
        await judge(stage, written, row)
    assert (row.lost, row.double, row.wider, row.echoes) == (0, 0, 0, 0), row


async def finish(stage: Stage, written: dict[object, Written]) -> None:
    """Let a last process, which nobody kills, do what is left."""
    async with stage.running(set_out=False) as running:
        for lane in running.daemon.lanes:
            await lane.begin()
        for _ in range(2000):
            await stage.pass_time(running, BETWEEN, step=BETWEEN)
            rows = await running.control.status(stage.clock.now())
            if not any(one.planned or one.in_doubt for one in rows):
                return
    raise AssertionError("there is still something to be sent")


async def judge(stage: Stage, written: dict[object, Written], row: Row) -> None:
    """Everything public stands once, whole and in order; nothing else does."""
    async with stage.running(set_out=False) as running:
        for direction in ROUTES:
            found = [await record(running, source) for source in written[direction].public]
            judge_route(stage, direction, found, row)
            hidden = [await record(running, source) for source in written[direction].private]
            row.wider += sum(bool(one.parts) for one in hidden)


def judge_route(stage: Stage, direction: object, found: list[PostRecord], row: Row) -> None:
    made = stage.mirrors(direction)  # type: ignore[arg-type] # one of the two directions
    mapped = [part.target_id for one in found for part in one.parts]
    row.lost += sum(one.state is not PostState.DELIVERED for one in found)
    row.double += sum(count - 1 for count in Counter(text for _, text, _ in made).values())
    row.echoes += len({one[0] for one in made} - set(mapped))
    assert set(mapped) <= {one[0] for one in made}
    for one in found:
        parts = {made_id: parent for made_id, _, parent in made}
        chain = [part.target_id for part in one.parts]
        assert [parts[each] for each in chain if each] == [None, *chain[:-1]], one
    standing = {made_id: place for place, (made_id, _, _) in enumerate(made)}
    places = [standing[each] for each in mapped if each]
    assert places == sorted(places), "out of order"


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_or_doubled_by_two_hundred_kills(tmp_path: Path, row: Row) -> None:
    await killed_at_random(tmp_path, 1000, 200, row)


@pytest.mark.timeout(120)
async def test_nothing_is_lost_or_doubled_by_a_dozen_kills(tmp_path: Path, row: Row) -> None:
    await killed_at_random(tmp_path, 40, 12, row)
