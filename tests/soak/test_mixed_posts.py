"""Many mixed posts on both sides at once through the real daemon: once, in order, explained."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bridge.app.wiring import wired
from bridge.config import load
from bridge.core.delivery import PostState
from bridge.core.model import Direction
from bridge.core.record import PostRecord
from bridge.core.verdict import Action, Reason
from bridge.engine.control import Control
from tests.fixtures.world import World, made_world, until

COUNT = 200
PHRASES = (
    "The ferry left at dawn",
    "Heute Nacht hat es geschneit",
    "الطقس جميل اليوم في عمّان",
    "היום יורד גשם בירושלים",
    "今日はいい天気ですね",
    "오늘은 날씨가 좋네요",
    "วันนี้อากาศดีมาก",
    "आज मौसम अच्छा है",
    "👩‍🚀🇯🇴 étoiles & <étincelles>",
)


@dataclass
class Side:
    """What was written on one network, and what should have come of it."""

    mirrorable: list[str] = field(default_factory=list)
    staying: list[str] = field(default_factory=list)


def words(rng: random.Random, number: int, side: str) -> str:
    """A text that is like no other: the number makes it so."""
    phrase = rng.choice(PHRASES)
    kind = rng.randrange(10)
    if kind == 0:
        return f"{phrase} {side}{number} https://example.com/{side}/{number}?a=1&b=2"
    if kind == 1:
        return f"{phrase} {side}{number} @somebody see README.md #Tag{number}"
    if kind == 2:
        return "".join(f"{phrase} {side}{number}.{line}, it goes on. " for line in range(20))[:490]
    return f"{phrase} {side}{number}"


async def test_two_hundred_posts_on_each_side_are_mirrored_exactly_once_in_order(
    tmp_path: Path,
) -> None:
    async with made_world(tmp_path, rate_limited=False) as world:
        await mirrored_exactly_once(world)


async def mirrored_exactly_once(world: World) -> None:
    rng = random.Random(20261122)
    mastodon, x = Side(), Side()
    stop = asyncio.Event()
    async with wired(load(world.config)) as running:
        daemon = asyncio.create_task(running.daemon.run(stop))
        await watching(running.control)
        for number in range(COUNT):
            write_toot(world, rng, number, mastodon)
            write_tweet(world, rng, number, x)
            await asyncio.sleep(0)

        await all_delivered(running.control, mastodon, x)
        # Several more polls: nothing may come back.
        before = (len(on_x(world)), len(on_mastodon(world)))
        reads = len(world.x.faults.requests)
        await until(lambda: len(world.x.faults.requests) >= reads + 3)
        assert (len(on_x(world)), len(on_mastodon(world))) == before
        stop.set()
        await daemon
        records = await running.control.history(limit=10_000)
    judge(records, Direction.MASTODON_TO_X, mastodon)
    judge(records, Direction.X_TO_MASTODON, x)


async def watching(control: Control) -> None:
    """Wait until both cursors are set."""
    async with asyncio.timeout(20):
        while any(status.cursor is None for status in await control.status(datetime.now(UTC))):  # noqa: ASYNC110 - the ledger offers no event
            await asyncio.sleep(0.05)


def write_toot(world: World, rng: random.Random, number: int, side: Side) -> None:
    audience = rng.choices(("public", "unlisted", "private", "direct"), (7, 1, 1, 1))[0]
    made = world.mastodon.write(
        world.mastodon_account, words(rng, number, "m"), visibility=audience
    )
    (side.mirrorable if audience == "public" else side.staying).append(made.id)


def write_tweet(world: World, rng: random.Random, number: int, side: Side) -> None:
    text = words(rng, number, "x")
    if len(text) > 200:
        text = f"{rng.choice(PHRASES)} x{number}"
    side.mirrorable.append(world.x.write(world.x_account, text).id)


def on_x(world: World) -> list[str]:
    return [post.id for post in world.x.timeline(world.x_account)]


def on_mastodon(world: World) -> list[str]:
    return [status.id for status in world.mastodon.timeline(world.mastodon_account)]


async def all_delivered(control: Control, mastodon: Side, x: Side) -> None:
    """Wait until both directions have dealt with every post that was written."""
    wanted = {*mastodon.mirrorable, *mastodon.staying, *x.mirrorable}
    async with asyncio.timeout(100):
        while True:
            records = await control.history(limit=10_000)
            waiting = {r.source for r in records if r.state is PostState.PLANNED}
            if wanted <= {r.source for r in records} and not waiting:
                return
            await asyncio.sleep(0.1)


def judge(records: tuple[PostRecord, ...], direction: Direction, side: Side) -> None:
    """Each mirrorable post delivered once and in order, each other one skipped, all explained."""
    mine: dict[str, PostRecord] = {
        record.source: record for record in records if record.route.direction is direction
    }
    assert set(mine) >= {*side.mirrorable, *side.staying}
    assert {mine[post].state.value for post in side.mirrorable} == {"delivered"}
    assert {mine[post].verdict.action for post in side.staying} <= {Action.SKIP}
    others = [mine[post] for post in mine if post not in {*side.mirrorable, *side.staying}]
    assert {record.verdict.reason for record in others} <= {Reason.ECHO}
    assert all(record.verdict.sentence for record in mine.values())
    targets = [part.target_id for post in side.mirrorable for part in mine[post].parts]
    assert max(Counter(targets).values()) == 1
    numbers = [int(target or 0) for target in targets]
    assert numbers == sorted(numbers)
