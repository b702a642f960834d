"""Right before a post leaves, its source is asked once more: whether it stands, and for whom.

Bars of docs/reliability.md: R16, S1.
"""

from datetime import timedelta
from typing import Any

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import Refused, Throttled, Transient
from bridge.core.events import RoutePaused
from bridge.core.model import Post, PostId, Visibility
from bridge.engine.mend import Mend
from bridge.ports import Reading, Standing
from tests.engine.conftest import Rig
from tests.fakes import FakeNetwork

NARROW = [Visibility.FOLLOWERS, Visibility.DIRECT, Visibility.UNKNOWN, Visibility.UNLISTED]


def seen_by(rig: Rig, visibility: Visibility) -> None:
    """Have Mastodon say that only these can see its posts by now."""

    async def standing(_: PostId) -> Standing:
        return Standing(audience=visibility)

    rig.mastodon.standing = standing  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("visibility", NARROW)
async def test_s1_a_post_whose_audience_was_narrowed_meanwhile_does_not_leave(
    rig: Rig, visibility: Visibility
) -> None:
    daemon = await rig.started()
    seen_by(rig, visibility)
    toot = rig.mastodon.write("Public at first")
    await rig.pass_time(daemon, 60)
    record = await rig.record(toot.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.sentence.startswith("audience")
    assert rig.x.published == []


async def test_s1_an_account_made_private_after_reading_sends_nothing_more(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.answers = [Throttled("later", until=rig.clock.now() + timedelta(minutes=5))]
    tweet = rig.x.write("Public at first")
    await daemon.once()
    rig.x.protected = True
    await rig.pass_time(daemon, 400)
    record = await rig.record(tweet.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.sentence.startswith("protected-account")
    assert rig.mastodon.published == []


async def test_r16_a_post_that_was_deleted_before_it_was_sent_is_not_sent(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Throttled("later", until=rig.clock.now() + timedelta(minutes=5))]
    toot = rig.mastodon.write("Regretted")
    await daemon.lanes[0].turn(read=True)
    rig.mastodon.remove(toot)
    rig.clock.pass_time(301)
    await daemon.lanes[0].turn(read=False)
    record = await rig.record(toot.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.sentence == "deleted: its author deleted it before it was mirrored"
    assert rig.x.published == []


async def test_where_the_source_does_not_answer_nothing_leaves_and_order_is_kept(rig: Rig) -> None:
    daemon = await rig.started()
    down = Transient("connection refused", unreachable=True)
    rig.mastodon.look_up_errors = [down] * 3
    toots = [rig.mastodon.write(f"Post {number}") for number in range(3)]
    await daemon.once()
    assert rig.x.published == []
    assert len(rig.mastodon.look_ups) == 1
    await rig.pass_time(daemon, 300)
    assert [part.text for part, _, _ in rig.x.published] == ["Post 0", "Post 1", "Post 2"]
    assert {await rig.state(toot.id) for toot in toots} == {PostState.DELIVERED}
    assert len([e for e in rig.events if isinstance(e, RoutePaused)]) == 1


async def test_one_post_of_which_nothing_clear_is_said_does_not_hold_up_the_others(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.mastodon.look_up_errors = [Transient("HTTP 500")]
    stuck, free = rig.mastodon.write("Stuck"), rig.mastodon.write("Free")
    await daemon.once()
    record = await rig.record(stuck.id)
    assert record.state is PostState.PLANNED
    assert "not sent before its source has said how it stands" in record.parts[0].detail
    assert await rig.state(free.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 60)
    assert await rig.state(stuck.id) is PostState.DELIVERED


async def test_a_refusal_to_say_how_it_stands_is_no_leave_and_holds_up_nobody_else(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    standing, forbidden = rig.mastodon.standing, rig.mastodon.write("Who may see me?")

    async def guarded(post: PostId) -> Standing:
        if post == forbidden.id:
            raise Refused("HTTP 403", status=403)
        return await standing(post)

    rig.mastodon.standing = guarded  # type: ignore[method-assign]
    others = [rig.mastodon.write(f"Free {number}") for number in range(2)]
    await rig.pass_time(daemon, 300)
    assert await rig.state(forbidden.id) is PostState.PLANNED
    assert {await rig.state(post.id) for post in others} == {PostState.DELIVERED}
    assert not daemon.lanes[0].closed


async def test_each_post_is_asked_for_once_however_many_parts_it_has(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("The bridge keeps its promises, one sentence at a time. " * 12)
    await daemon.once()
    assert len(rig.x.published) > 1
    assert rig.mastodon.look_ups == [toot.id]


LONG = "The bridge keeps its promises, one sentence at a time. " * 12
GONE_WELL: Any = None
"""An answer of a fake network that is no failure."""


async def stopped_on_the_way(rig: Rig, source: FakeNetwork, target: FakeNetwork) -> Post:
    """A post of several parts, the first of which stands; the next ones wait for ten minutes."""
    daemon = await rig.started()
    post = source.write(LONG)
    until = rig.clock.now() + timedelta(minutes=10)
    target.answers = [GONE_WELL, Throttled("later", until=until)]
    await daemon.once()
    assert len(target.published) == 1
    return post


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("source", ["x", "mastodon"])
async def test_s1_the_rest_of_a_thread_stays_here_when_it_is_for_fewer_by_then(
    rig: Rig, source: str, restarted: bool
) -> None:
    here, there = (rig.x, rig.mastodon) if source == "x" else (rig.mastodon, rig.x)
    there.max_length = 280
    post = await stopped_on_the_way(rig, here, there)
    if source == "x":
        rig.x.protected = True
    else:
        seen_by(rig, Visibility.FOLLOWERS)
    if restarted:
        await rig.restart()
    await rig.pass_time(rig.daemon(), 900)
    assert len(there.published) == 1
    record = await rig.record(post.id)
    assert record.state is PostState.PARTIAL
    assert "twinpost retry" in record.parts[1].detail
    # Nobody has asked for what stands to be deleted.
    assert there.deleted == []


async def test_s1_once_it_is_for_everybody_again_its_owner_can_have_the_rest(rig: Rig) -> None:
    rig.mastodon.max_length = 280
    post = await stopped_on_the_way(rig, rig.x, rig.mastodon)
    rig.x.protected = True
    daemon = rig.daemon()
    await rig.pass_time(daemon, 900)
    await Mend(rig.ledger, await rig.record(post.id), rig.clock.now()).retry()
    await rig.pass_time(daemon, 300)
    assert len(rig.mastodon.published) == 1
    rig.x.protected = False
    await Mend(rig.ledger, await rig.record(post.id), rig.clock.now()).retry()
    await rig.pass_time(daemon, 300)
    record = await rig.record(post.id)
    assert record.state is PostState.DELIVERED
    assert len(rig.mastodon.published) == len(record.parts) > 2


async def test_r16_the_rest_of_a_thread_is_not_sent_once_its_post_is_deleted(rig: Rig) -> None:
    toot = await stopped_on_the_way(rig, rig.mastodon, rig.x)
    rig.mastodon.remove(toot)
    # As where the post is out of reach of what is read again.
    rig.mastodon.window = nothing  # type: ignore[method-assign]
    await rig.pass_time(rig.daemon(), 900)
    assert len(rig.x.published) == 1
    assert len(rig.x.deleted) == 1
    assert (await rig.record(toot.id)).state is PostState.REMOVED


async def nothing(*_: object, **__: object) -> Reading:
    return Reading(())


async def test_s1_after_a_long_upload_its_source_is_asked_once_more(rig: Rig) -> None:
    daemon = await rig.started()

    def long_upload() -> None:
        rig.clock.pass_time(300)
        seen_by(rig, Visibility.FOLLOWERS)

    rig.x.on_upload = long_upload
    toot = rig.mastodon.write("A film", media=[rig.mastodon.picture("film")])
    await rig.pass_time(daemon, 60)
    assert rig.x.published == []
    record = await rig.record(toot.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.sentence.startswith("audience")


async def test_a_long_upload_is_made_once_and_its_post_sent_once(rig: Rig) -> None:
    daemon = await rig.started()
    uploads: list[int] = []

    def long_upload() -> None:
        uploads.append(1)
        rig.clock.pass_time(300)

    rig.x.on_upload = long_upload
    toot = rig.mastodon.write("A film", media=[rig.mastodon.picture("film")])
    await rig.pass_time(daemon, 60)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.published) == len(uploads) == 1
    assert rig.mastodon.look_ups == [toot.id] * 2
