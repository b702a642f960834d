"""Conversations with others stay where they are, however long they go on."""

import random

import pytest

from bridge.core.delivery import PostState
from bridge.core.model import Post, PostId, Route, Visibility
from bridge.core.verdict import Reason
from tests.engine.conftest import HOME, OUT, Rig
from tests.fakes import FakeNetwork

ROUTES = pytest.mark.parametrize("route", [HOME, OUT], ids=str)


def source_of(rig: Rig, route: Route) -> FakeNetwork:
    return rig.x if route == HOME else rig.mastodon


@ROUTES
async def test_replies_to_ones_own_reply_to_a_stranger_stay(rig: Rig, route: Route) -> None:
    rig.threads = "root"
    daemon = await rig.started()
    source = source_of(rig, route)
    post = source.write("I agree", reply_to=PostId("a stranger's"), by_other=True)
    for number in range(4):
        await daemon.once()
        record = await rig.record(post.id)
        assert (record.state, record.verdict.reason) == (PostState.SKIPPED, Reason.REPLY)
        post = source.write(f"And {number}", reply_to=post.id)
    assert [record.parts for record in await rig.ledger.history()] == [()] * 4


@ROUTES
async def test_whatever_else_kept_a_reply_it_stays_a_conversation(rig: Rig, route: Route) -> None:
    rig.threads = "root"
    daemon = await rig.started()
    source = source_of(rig, route)
    psst = Visibility.FOLLOWERS
    reply = source.write("Psst", reply_to=PostId("x"), by_other=True, visibility=psst)
    second = source.write("Loud", reply_to=reply.id)
    await daemon.once()
    assert (await rig.record(reply.id)).verdict.reason is not Reason.REPLY
    assert (await rig.record(second.id)).verdict.reason is Reason.REPLY


@ROUTES
@pytest.mark.parametrize("threads", ["root", "skip"])
async def test_exactly_what_answers_nobody_else_crosses(
    rig: Rig, route: Route, threads: str
) -> None:
    rig.threads = "root" if threads == "root" else "skip"
    source = source_of(rig, route)
    old = [source.write(f"Long ago {number}") for number in range(3)]
    daemon = await rig.started()
    for seed in range(2):
        chance = random.Random(seed)
        posts: list[Post] = []
        crosses = dict.fromkeys((post.id for post in old), threads == "root")
        for number in range(14):
            rig.clock.pass_time(1)
            what = chance.random()
            if what < 0.2:
                post = source.write(f"Post {seed} {number}")
                crosses[post.id] = True
            elif what < 0.4:
                name = PostId(f"of somebody {number}")
                post = source.write(f"Reply {seed} {number}", reply_to=name, by_other=True)
                crosses[post.id] = False
            else:
                above = chance.choice([*posts, *old])
                post = source.write(f"On {seed} {number}", reply_to=above.id)
                crosses[post.id] = crosses[above.id]
            posts.append(post)
            if chance.random() < 0.3:
                await daemon.once()
        await rig.pass_time(daemon, 60)
        for post in posts:
            record = await rig.record(post.id)
            assert (record.state is PostState.DELIVERED) is crosses[post.id], (seed, record.verdict)
