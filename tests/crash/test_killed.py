"""R1: killed at any call of any port, the next process loses nothing, doubles nothing, in order."""

import os
import signal

import pytest

from bridge.core.delivery import PostState
from bridge.core.model import Direction
from tests.crash.mortal import Mortals, mortals
from tests.crash.stage import HOME, OUT, THREE_PARTS, Stage, record, words
from tests.fixtures.world import until

LANES = {OUT: 0, HOME: 1}
QUESTIONS = frozenset(
    {
        "absent",
        "account",
        "capabilities",
        "counterparts",
        "cursor",
        "due_at",
        "edited",
        "facts",
        "held",
        "known",
        "look_up",
        "next_change",
        "next_due",
        "paused_since",
        "rechecked_at",
        "standing",
        "stranded",
        "unfinished",
        "unproven",
        "unsent",
        "uploads",
        "watches",
        "window",
    }
)
"""Calls that change nothing anywhere."""

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])


async def write_thread(stage: Stage, direction: Direction, name: str) -> tuple[str, int]:
    """A thread of three, when no limit of a network is used up; and how many mirrors stood before.

    Many lives in one virtual second would use them up.
    """
    stage.clock.pass_time(1200)
    before = len(stage.mirrors(direction))
    return stage.write(direction, words(name, THREE_PARTS[direction])), before


async def made_whole(stage: Stage, direction: Direction, source: str, before: int) -> None:
    """Have the next process finish a thread; all of it stands once and in order, and is mapped."""
    async with stage.running(set_out=False) as running:
        lane = running.daemon.lanes[LANES[direction]]
        await lane.begin()
        for step in (0, 5, 90):
            stage.clock.pass_time(step)
            await lane.turn(read=True)
            found = await record(running, source)
            if found.state is PostState.DELIVERED:
                break
    made = stage.mirrors(direction)[before:]
    assert found.state is PostState.DELIVERED, found
    assert [part.target_id for part in found.parts] == [one[0] for one in made]
    assert [one[2] for one in made] == [None, made[0][0], made[1][0]]


async def killed(stage: Stage, forks: Mortals, direction: Direction, call: int, when: str) -> int:
    """Kill a process that mirrors a thread at one of its calls; how many it lived for."""
    source, before = await write_thread(stage, direction, f"{direction} {call} {when}")
    await forks.begin(stage.config, stage.clock.now(), LANES[direction], call, when=when)
    status = await forks.end()
    calls = forks.calls()
    if when in {"before", "after"}:
        assert status == (0 if len(calls) < call else -signal.SIGKILL), (call, when)
    await made_whole(stage, direction, source, before)
    return len(calls)


async def calls_of_a_life(stage: Stage, forks: Mortals, direction: Direction) -> list[str]:
    """The calls of a process that lives to the end."""
    await killed(stage, forks, direction, 10_000, "before")
    return forks.calls()


async def nothing_came_back(stage: Stage, direction: Direction) -> None:
    async with stage.running() as running:
        await stage.pass_time(running, 60)
    assert stage.mirrors(direction.reverse) == []


@BOTH
async def test_r1_killed_after_any_change_that_a_call_made_it_is_made_whole_by_the_next_process(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running():
        pass
    async with mortals(stage.folder) as forks:
        calls = await calls_of_a_life(stage, forks, direction)
        assert set(calls) >= {"record", "claim", "publish", "settle"}
        # After a question, all is as it was before it: the soak dies there, too.
        changes = [n for n, name in enumerate(calls, 1) if name not in QUESTIONS]
        assert len(changes) >= 3 * 3
        for call in (0, *changes):
            await killed(stage, forks, direction, call + 1, "before")
    await nothing_came_back(stage, direction)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@BOTH
async def test_r1_killed_broken_or_cancelled_around_any_call_it_is_made_whole(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running():
        pass
    async with mortals(stage.folder) as forks:
        for call in range(1, len(await calls_of_a_life(stage, forks, direction)) + 1):
            for when in ("before", "after", "during", "raise", "cancel"):
                await killed(stage, forks, direction, call, when)
    await nothing_came_back(stage, direction)


@BOTH
async def test_r1_killed_while_a_part_is_on_the_wire_it_is_sent_once(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running():
        pass
    async with mortals(stage.folder) as forks:
        for part in range(3):
            source, before = await write_thread(stage, direction, f"{direction} wire {part}")
            asked = stage.creations(direction)
            # What has left is dealt with though its sender is dead.
            stage.fail_after(
                direction, part, lambda: stage.add_fault(direction, "latency", seconds=0.5)
            )
            pid = await forks.begin(stage.config, stage.clock.now(), LANES[direction], 10_000)
            await until(lambda: stage.creations(direction) == asked + part + 1)  # noqa: B023 - awaited at once
            os.kill(pid, signal.SIGKILL)
            assert await forks.end() == -signal.SIGKILL
            await until(lambda: len(stage.mirrors(direction)) == before + part + 1)  # noqa: B023 - as above
            await made_whole(stage, direction, source, before)
            assert stage.creations(direction) == asked + 3
