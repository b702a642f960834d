"""What an edit that adds or removes `#xp` or `#noxp` means, before and after a post is mirrored."""

from datetime import timedelta
from typing import Literal

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import Transient
from bridge.core.model import Post, Route
from bridge.core.policy import Policy
from bridge.core.switches import Marker
from bridge.core.verdict import Reason
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig
from tests.fakes import FakeNetwork

ROUTES = pytest.mark.parametrize("route", [HOME, OUT], ids=str)
LONG = "The bridge keeps its promises, one sentence at a time. " * 24
XP = (Marker("#xp"),)


def ends(rig: Rig, route: Route) -> tuple[FakeNetwork, FakeNetwork]:
    """The source and the target of a route."""
    return (rig.x, rig.mastodon) if route == HOME else (rig.mastodon, rig.x)


async def written(rig: Rig, route: Route, text: str) -> tuple[Daemon, Post]:
    """A daemon, and a post that it has dealt with."""
    daemon = await rig.started()
    post = ends(rig, route)[0].write(text)
    await daemon.once()
    rig.clock.pass_time(30)
    return daemon, post


async def edited(rig: Rig, daemon: Daemon, post: Post, text: str, *, seconds: float = 60) -> Post:
    """The post after an edit, and what passes make of it."""
    source = rig.x if post in rig.x.posts else rig.mastodon
    now = source.edit(post, text)
    await rig.pass_time(daemon, seconds, step=30)
    return now


@ROUTES
@pytest.mark.parametrize(
    ("only_with", "before", "after"),
    [((), "Hello", "Hello #noxp"), (XP, "Hello #xp", "Hello"), (XP, "Hi #xp", "Hi #xp #NOXP")],
)
async def test_a_permission_taken_away_before_it_is_sent_is_honored(
    rig: Rig, route: Route, only_with: tuple[Marker, ...], before: str, after: str
) -> None:
    rig.delay, rig.only_with = timedelta(minutes=2), only_with
    daemon, post = await written(rig, route, before)
    assert await rig.state(post.id) is PostState.PLANNED
    post = await edited(rig, daemon, post, after, seconds=150)
    record = await rig.record(post.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.reason in {Reason.NEVER_WITH, Reason.ONLY_WITH}
    assert ends(rig, route)[1].published == []


@ROUTES
async def test_it_is_honored_by_single_passes_that_come_after_its_time(
    rig: Rig, route: Route
) -> None:
    rig.delay = timedelta(minutes=2)
    _, post = await written(rig, route, "Hello")
    ends(rig, route)[0].edit(post, "Hello #noxp")
    rig.clock.pass_time(600)
    await rig.restart()
    await rig.daemon().once()
    assert await rig.state(post.id) is PostState.DROPPED
    assert ends(rig, route)[1].published == []


@ROUTES
@pytest.mark.parametrize(
    ("only_with", "before", "after"),
    [((), "Hello #noxp", "Hello"), (XP, "Hello", "Hello #xp"), (XP, "A #xp #noxp", "A #xp")],
)
async def test_a_permission_given_by_an_edit_lets_a_skipped_post_cross_once(
    rig: Rig, route: Route, only_with: tuple[Marker, ...], before: str, after: str
) -> None:
    rig.only_with = only_with
    daemon, post = await written(rig, route, before)
    assert await rig.state(post.id) is PostState.SKIPPED
    post = await edited(rig, daemon, post, after)
    record = await rig.record(post.id)
    assert record.state is PostState.DELIVERED
    assert record.verdict.reason is Reason.ALLOWED
    assert "edited, and so it is mirrored after all" in record.notes
    _, target = ends(rig, route)
    await edited(rig, daemon, post, after + "!", seconds=150)
    assert len(target.published) == 1
    assert [text for text, _ in target.shown()] == [after + "!"]


@ROUTES
async def test_a_skipped_post_may_be_edited_to_and_fro_before_it_is_sent(
    rig: Rig, route: Route
) -> None:
    rig.delay = timedelta(minutes=5)
    daemon, post = await written(rig, route, "Hello #noxp")
    for text in ("Hello", "Hello #noxp", "Hello again", "Hello again #noxp", "Hello at last"):
        post = await edited(rig, daemon, post, text, seconds=30)
    await rig.pass_time(daemon, 400, step=80)
    assert [part.text for part, _, _ in ends(rig, route)[1].published] == ["Hello at last"]


@ROUTES
async def test_an_old_post_does_not_cross_by_an_edit(rig: Rig, route: Route) -> None:
    rig.max_age = timedelta(hours=24)
    daemon, post = await written(rig, route, "Hello #noxp")
    await rig.pass_time(daemon, 25 * 3600, step=3600)
    post = await edited(rig, daemon, post, "Hello")
    record = await rig.record(post.id)
    assert record.state is PostState.SKIPPED
    assert "edited; it stays all the same, since it is older than `max_age`" in record.notes


@ROUTES
async def test_an_edit_lets_nothing_cross_that_was_skipped_for_anything_else(
    rig: Rig, route: Route
) -> None:
    daemon = await rig.started()
    source, target = ends(rig, route)
    reply = source.write("I agree", reply_to=source.write("x #noxp").id, by_other=True)
    await daemon.once()
    await edited(rig, daemon, reply, "I agree much")
    assert (await rig.record(reply.id)).verdict.reason is Reason.REPLY
    assert target.published == []


@ROUTES
@pytest.mark.parametrize("deletes", ["mirror", "ignore"])
async def test_a_published_mirror_goes_when_its_post_is_given_a_marker_against_it(
    rig: Rig, route: Route, deletes: Literal["mirror", "ignore"]
) -> None:
    rig.policy = Policy(deletes=deletes)
    daemon, post = await written(rig, route, "Hello")
    _, target = ends(rig, route)
    assert len(target.posts) == 1
    post = await edited(rig, daemon, post, "Hello #noxp")
    record = await rig.record(post.id)
    if deletes == "mirror":
        assert (record.state, target.posts) == (PostState.REMOVED, [])
        assert "edited, and now has #noxp: its mirror is deleted" in record.notes
    else:
        assert record.state is PostState.DELIVERED
        assert target.shown() == [("Hello", ())]
    await edited(rig, daemon, post, "Hello once more", seconds=150)
    assert len(target.published) == 1


@ROUTES
async def test_a_published_mirror_stays_as_it_is_without_the_marker_that_let_it_cross(
    rig: Rig, route: Route
) -> None:
    rig.only_with = XP
    daemon, post = await written(rig, route, "Hello #xp")
    post = await edited(rig, daemon, post, "Hello, tidied up")
    assert await rig.state(post.id) is PostState.DELIVERED
    assert ends(rig, route)[1].shown() == [("Hello #xp", ())]


@ROUTES
@pytest.mark.parametrize("after", ["Stop #noxp", "Stop"])
async def test_the_rest_of_a_thread_is_not_sent_without_permission(
    rig: Rig, route: Route, after: str
) -> None:
    rig.policy, rig.only_with = Policy(deletes="ignore"), XP
    _, target = ends(rig, route)
    daemon = await rig.started()
    post = ends(rig, route)[0].write("#xp " + LONG)
    fine, later = target.publish, Transient("HTTP 503")

    async def once_only(*given: object, **named: object) -> object:
        if target.published:
            raise later
        return await fine(*given, **named)  # type: ignore[arg-type]

    target.publish = once_only  # type: ignore[assignment, method-assign]
    await daemon.once()
    assert await rig.state(post.id) is PostState.SENDING
    post = ends(rig, route)[0].edit(post, after)
    target.publish = fine  # type: ignore[method-assign]
    await rig.pass_time(daemon, 600, step=60)
    record = await rig.record(post.id)
    assert record.state is PostState.DELIVERED
    assert len(target.published) == 1


async def test_a_repeated_text_crosses_once_it_is_edited(rig: Rig) -> None:
    rig.x.refuses_repeats = True
    daemon, _ = await written(rig, OUT, "Good morning!")
    rig.clock.pass_time(3600)
    again = rig.mastodon.write("Good morning!")
    await daemon.once()
    assert (await rig.record(again.id)).verdict.reason is Reason.REPEATED_TEXT
    await edited(rig, daemon, again, "Good morning, Monday!")
    assert await rig.state(again.id) is PostState.DELIVERED
    assert [part.text for part, _, _ in rig.x.published][-1] == "Good morning, Monday!"


async def test_the_same_post_put_there_by_hand_meanwhile_is_not_doubled(rig: Rig) -> None:
    words = "The old lighthouse opens its doors to everybody this Sunday"
    daemon, toot = await written(rig, OUT, f"{words} #noxp")
    rig.x.write(words)
    await daemon.once()
    await edited(rig, daemon, toot, words)
    assert rig.x.published == []
    assert (await rig.record(toot.id)).verdict.reason is Reason.SAME_POST
