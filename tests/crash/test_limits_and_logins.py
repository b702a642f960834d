"""R12, R13: a limit that is used up, or a login that is gone, pauses one account and loses nothing.

Through the real wiring against both sandboxes: in the middle of a thread, for hours, with and
without a word on when it ends.
"""

from datetime import timedelta

import pytest

from bridge.app.wiring import Running
from bridge.core.delivery import LONGEST_PUT_OFF, PostState
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import Direction
from tests.crash.stage import HOME, OUT, THREE_PARTS, Stage, record, state, words

BOTH = pytest.mark.parametrize("direction", [OUT, HOME], ids=["to-x", "to-mastodon"])
HOURS = 6

MENDED_BY_THE_OWNER = pytest.mark.parametrize(
    ("direction", "status"), [(OUT, "401"), (OUT, "402"), (HOME, "401")]
)
LIMITS = ("429", "429-bare")


async def thread_and_more(stage: Stage, direction: Direction) -> list[str]:
    """A thread of three, and two posts behind it."""
    thread = stage.write(direction, words("the thread", THREE_PARTS[direction]))
    return [thread, *(stage.write(direction, words(f"behind {n}")) for n in range(2))]


async def in_order(stage: Stage, running: Running, direction: Direction, posts: list[str]) -> None:
    """Everything stands once, in the order in which it was written."""
    records = [await record(running, post) for post in posts]
    assert [each.state for each in records] == [PostState.DELIVERED] * len(posts)
    made = [part.target_id for each in records for part in each.parts]
    assert made == [one[0] for one in stage.mirrors(direction)]


@MENDED_BY_THE_OWNER
async def test_r12_a_login_that_is_revoked_in_mid_thread_pauses_its_account_alone(
    stage: Stage, direction: Direction, status: str
) -> None:
    async with stage.running() as running:

        def revoke() -> None:
            stage.add_fault(direction, f"refuse-then-{status}", times=None, method="*", path="")

        stage.fail_after(direction, 1, revoke)
        posts = await thread_and_more(stage, direction)
        await stage.pass_time(running, 60)
        asked = stage.creations(direction)
        await stage.pass_time(running, HOURS * 3600, 600)
        # An owner who is away for hours is not waited for with a storm of requests.
        assert stage.creations(direction) - asked <= 2 * HOURS
        assert len(stage.mirrors(direction)) == 1
        paused = [e for e in stage.events if isinstance(e, RoutePaused)]
        # One word about each thing that cannot be done, however often it was tried.
        assert len({(e.route, e.detail.partition(":")[0]) for e in paused}) == len(paused)
        stage.target(direction).faults.clear()
        # Nobody says that it is mended, and a lost login is probed no oftener than this.
        await stage.pass_time(running, LONGEST_PUT_OFF.total_seconds() + 3600, 1800)
        await in_order(stage, running, direction, posts)
        assert {e.route for e in stage.events if isinstance(e, RouteResumed)} == {
            e.route for e in paused
        }


@MENDED_BY_THE_OWNER
async def test_r12_what_may_not_be_written_can_still_be_read_and_the_other_way_goes_on(
    stage: Stage, direction: Direction, status: str
) -> None:
    async with stage.running() as running:
        stage.add_fault(direction, f"refuse-then-{status}", times=None)
        waits = stage.write(direction, words("waits"))
        goes = stage.write(direction.reverse, words("goes on"))
        await stage.pass_time(running, 120)
        assert await state(running, goes) is PostState.DELIVERED
        assert await state(running, waits) is not PostState.DELIVERED


@BOTH
@pytest.mark.parametrize("limit", LIMITS)
async def test_r13_while_a_limit_is_used_up_there_is_one_probe_at_most_and_nothing_is_lost(
    stage: Stage, direction: Direction, limit: str
) -> None:
    async with stage.running() as running:
        stage.fail_after(
            direction,
            1,
            lambda: stage.add_fault(
                direction, f"refuse-then-{limit}", times=None, seconds=2 * 3600
            ),
        )
        posts = await thread_and_more(stage, direction)
        await stage.pass_time(running, 60)
        asked = stage.creations(direction)
        await stage.pass_time(running, 3600, 30)
        told = limit == "429"
        # Without a word on when it ends, waits double; with one, it is waited for.
        assert stage.creations(direction) - asked <= (0 if told else 8)
        paused = [e for e in stage.events if isinstance(e, RoutePaused)]
        assert paused
        assert paused[0].until is not None
        if told:
            assert paused[0].until - stage.clock.now() > timedelta(minutes=30)
        stage.target(direction).faults.clear()
        await stage.pass_time(running, 3 * 3600, 300)
        await in_order(stage, running, direction, posts)


async def test_r13_a_spend_cap_pauses_until_its_date_and_says_so(stage: Stage) -> None:
    async with stage.running() as running:
        stage.add_fault(OUT, "refuse-then-402", times=None)
        post = stage.write(OUT, words("for money"))
        await stage.pass_time(running, 600, 30)
        (paused,) = [e for e in stage.events if isinstance(e, RoutePaused)]
        assert paused.detail
        stage.target(OUT).faults.clear()
        await stage.pass_time(running, 2 * 3600, 600)
        assert await state(running, post) is PostState.DELIVERED
