"""R11, where it bears on proofs: a wrong or jumping clock never makes two posts, nor an echo."""

import pytest

from bridge.core.delivery import PostState
from bridge.core.model import Direction
from tests.crash.stage import HOME, OUT, Stage, record, state, words

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])
HOUR = 3600


@BOTH
@pytest.mark.parametrize("ahead", [-24 * HOUR, -HOUR, HOUR, 24 * HOUR], ids="{}s".format)
async def test_r11_with_a_wrong_clock_a_lost_answer_is_still_found_and_not_repeated(
    stage: Stage, direction: Direction, ahead: int
) -> None:
    stage.clock.set_wrong(ahead)
    async with stage.running() as running:
        stage.add_fault(direction, "accept-then-500")
        post = stage.write(direction, words("by a wrong clock"))
        for lane in running.daemon.lanes:
            await lane.turn(read=True)
        await stage.pass_time(running, 180, 30)
        assert await state(running, post) is PostState.DELIVERED
    assert stage.creations(direction) == len(stage.mirrors(direction)) == 1
    assert stage.mirrors(direction.reverse) == []


@BOTH
async def test_r11_a_clock_that_jumps_ahead_makes_no_absence_count_too_early(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        lane = running.daemon.lanes[0 if direction is OUT else 1]
        stage.add_fault(direction, "refuse-then-500")
        text = words("still under way")
        post = stage.write(direction, text)
        await lane.turn(read=True)
        stage.clock.set_wrong(24 * HOUR)
        for _ in range(3):
            stage.clock.pass_time(20)
            await lane.turn(read=False)
        assert await state(running, post) is PostState.IN_DOUBT
        stage.put_up(direction, text)
        await stage.pass_time(running, 120)
        assert (await record(running, post)).state is PostState.DELIVERED
    assert stage.creations(direction) == len(stage.mirrors(direction)) == 1
    assert stage.mirrors(direction.reverse) == []


@BOTH
async def test_a_post_that_the_server_makes_long_after_we_gave_up_is_found_and_not_repeated(
    stage: Stage, direction: Direction
) -> None:
    async with stage.running() as running:
        stage.add_fault(direction, "refuse-then-503")
        text = words("better late")
        post = stage.write(direction, text)
        await stage.pass_time(running, 75)
        assert await state(running, post) is PostState.IN_DOUBT
        stage.put_up(direction, text)
        await stage.pass_time(running, 120)
        assert await state(running, post) is PostState.DELIVERED
    assert stage.creations(direction) == len(stage.mirrors(direction)) == 1
