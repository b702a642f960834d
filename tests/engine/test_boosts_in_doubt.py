"""A boost whose answer was lost: it has no words, but what it repeats says which one it is."""

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import InDoubt
from bridge.core.model import Post
from bridge.engine.supervise import Daemon
from tests.engine.conftest import Rig

LOST = InDoubt("HTTP 500 after sending", status=500)


async def boosted_in_doubt(rig: Rig) -> tuple[Daemon, Post]:
    """A boost on Mastodon whose mirror was made, without X saying so."""
    rig.boosts = "own"
    rig.mastodon.write("From before the bridge")
    daemon = await rig.started()
    rig.clock.pass_time(1)
    toot = rig.mastodon.write("Boosted")
    await rig.pass_time(daemon, 30)
    rig.x.answers = [(True, LOST)]
    boost = rig.mastodon.write("", repost=toot)
    await daemon.lanes[0].turn(read=True)
    assert await rig.state(boost.id) is PostState.IN_DOUBT
    return daemon, boost


async def test_promise_4_no_echo_a_boost_in_doubt_that_is_met_on_the_timeline_is_no_news(
    rig: Rig,
) -> None:
    daemon, boost = await boosted_in_doubt(rig)
    before = len(rig.mastodon.published)
    await daemon.lanes[1].turn(read=True)
    assert await rig.state(boost.id) is PostState.DELIVERED
    assert len(rig.mastodon.published) == before


async def test_promise_2_not_twice_a_boost_in_doubt_is_looked_for_and_not_paid_for_again(
    rig: Rig,
) -> None:
    daemon, boost = await boosted_in_doubt(rig)
    for _ in range(12):
        rig.clock.pass_time(15)
        await daemon.lanes[0].turn(read=False)
    assert await rig.state(boost.id) is PostState.DELIVERED
    assert [post.repost is not None for post in rig.x.posts].count(True) == 1


@pytest.mark.parametrize("repeats", ["another post", "nothing"])
async def test_what_repeats_another_post_proves_nothing(rig: Rig, repeats: str) -> None:
    daemon, boost = await boosted_in_doubt(rig)
    rig.x.posts.pop()
    old = rig.x.write("Something else")
    rig.x.write("Once more", repost=old if repeats == "another post" else None)
    rig.clock.pass_time(15)
    await daemon.lanes[0].turn(read=False)
    assert await rig.state(boost.id) is PostState.IN_DOUBT
