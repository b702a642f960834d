"""R1 in full: a thread of three with four pictures, killed around every call of any port.

The short form dies at some of them, `tests/soak/test_every_death.py` at each, before and after it.
"""

import signal

import pytest

from bridge.core.delivery import PostState
from bridge.core.model import Direction
from bridge.sandbox.mastodon import Attachment
from bridge.sandbox.x import XFile
from tests.crash.mortal import Mortals, mortals
from tests.crash.stage import HOME, OUT, THREE_PARTS, Stage, record, words
from tests.crossing import samples

LANES = {OUT: 0, HOME: 1}
BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])
COLOURS = ("red", "green", "blue", "black")
LEAST_CALLS = 60
EVERY = 17
BETWEEN = 2400
"""Virtual seconds between two threads, so that no limit of a network is used up."""


def write(stage: Stage, direction: Direction, name: str) -> str:
    """A thread's worth of words and four pictures, by hand."""
    text, files = words(name, THREE_PARTS[direction]), [samples.png(each) for each in COLOURS]
    if direction is OUT:
        media = tuple(Attachment(file, "a square") for file in files)
        made = stage.mastodon.write(stage.mastodon_account, text, media=media).id
    else:
        x = tuple(XFile(file, "a square") for file in files)
        made = stage.x.write(stage.x_account, text, media=x).id
    stage.by_hand.add(made)
    stage.clock.pass_time(1)
    return made


def pictures_of(stage: Stage, direction: Direction, mirror: str) -> int:
    """How many media one post over there shows."""
    if direction is OUT:
        post = stage.x.post(mirror)
        return 0 if post is None else len(post.media)
    status = stage.mastodon.get(mirror)
    return 0 if status is None else len(status.media)


async def a_death(
    stage: Stage, forks: Mortals, direction: Direction, call: int, when: str
) -> tuple[int, int]:
    """One thread whose first process ends at a call; how many calls it made, how many stand."""
    stage.clock.pass_time(BETWEEN)
    before = len(stage.mirrors(direction))
    source = write(stage, direction, f"{direction.value} {call} {when}")
    await forks.begin(stage.config, stage.clock.now(), LANES[direction], call, when=when)
    status, calls = await forks.end(), len(forks.calls())
    assert status == (0 if calls < call else -signal.SIGKILL), (call, when)
    async with stage.running(set_out=False) as running:
        lane = running.daemon.lanes[LANES[direction]]
        await lane.begin()
        for step in (0, 5, 90, 90):
            stage.clock.pass_time(step)
            await lane.turn(read=True)
            found = await record(running, source)
            if found.state is PostState.DELIVERED:
                break
    made = stage.mirrors(direction)[before:]
    assert found.state is PostState.DELIVERED, (call, when, found)
    assert [part.target_id for part in found.parts] == [one[0] for one in made], (call, when)
    assert [one[2] for one in made] == [None, made[0][0], made[1][0]], (call, when)
    assert [pictures_of(stage, direction, one[0]) for one in made] == [4, 0, 0], (call, when)
    return calls, len(made)


async def killed_at_every(stage: Stage, direction: Direction, every: int, moments: str) -> int:
    """Die at every so many calls; how many deaths that were."""
    async with stage.running():
        pass
    deaths = 0
    async with mortals(stage.folder) as forks:
        calls, _ = await a_death(stage, forks, direction, 10_000, "before")
        assert calls > LEAST_CALLS
        for call in range(1, calls + 1, every):
            for when in moments.split():
                await a_death(stage, forks, direction, call, when)
                deaths += 1
    async with stage.running() as running:
        await stage.pass_time(running, 60)
    assert stage.mirrors(direction.reverse) == []
    return deaths


@BOTH
async def test_r1_a_thread_of_three_with_four_pictures_survives_deaths_in_all_its_stages(
    stage: Stage, direction: Direction
) -> None:
    assert await killed_at_every(stage, direction, EVERY, "before") >= LEAST_CALLS // EVERY
