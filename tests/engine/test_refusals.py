"""Refusals that say nothing about a post: tried again for a day, in order, and never one by one."""

import random
from datetime import timedelta

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import NetworkError, Refused, Transient
from bridge.core.events import RoutePaused, RouteResumed
from bridge.engine.standing import wait_rows
from tests.engine.conftest import OUT, Rig

WALL = "HTTP 403: a web page titled “Just a moment...” instead of an answer of the API"
LONG = "The bridge keeps its promises, one sentence at a time. " * 12


def wall() -> NetworkError:
    return Transient(WALL, status=403)


def texts(rig: Rig) -> list[str]:
    return [part.text for part, _, _ in rig.x.published]


async def test_a_part_of_a_thread_that_is_turned_away_follows_soon_and_in_order(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write(LONG)
    rig.x.turn_away_at = {2}
    await rig.pass_time(daemon, 60)
    record = await rig.record(toot.id)
    assert record.state is PostState.DELIVERED
    assert len(rig.x.published) == len(record.parts) > 2
    replied_to = [reply_to for _, reply_to, _ in rig.x.published]
    assert replied_to == [None, *[part.target_id for part in record.parts][:-1]]


async def test_what_a_part_refers_to_may_be_there_later(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write(LONG)
    rig.x.turn_away_at = {2, 3}
    rig.x.turned_away_by = Refused("HTTP 404: Record not found", status=404, missing=True)
    await rig.pass_time(daemon, 120)
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_a_refusal_that_passes_keeps_all_posts_in_order(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [wall()]
    for number in range(4):
        rig.mastodon.write(f"Post {number}")
    await rig.pass_time(daemon, 60)
    assert texts(rig) == [f"Post {number}" for number in range(4)]


async def test_a_post_that_alone_is_turned_away_does_not_hold_up_the_others(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuses_words = {"Disliked": wall()}
    bad = rig.mastodon.write("Disliked")
    for number in range(3):
        rig.mastodon.write(f"Liked {number}")
    await rig.pass_time(daemon, 120)
    assert texts(rig) == [f"Liked {number}" for number in range(3)]
    assert await rig.state(bad.id) is PostState.PLANNED
    # A day later it is given up, and says so; nothing else was touched.
    await rig.pass_time(daemon, 26 * 3600, step=1800)
    record = await rig.record(bad.id)
    assert record.state is PostState.FAILED
    assert "refused for a day" in record.parts[0].detail
    assert WALL in record.parts[0].detail
    assert record.parts[0].attempts < 40


async def test_several_posts_in_a_row_make_the_route_wait_and_none_fails(rig: Rig) -> None:
    daemon = await rig.started()
    toots = [rig.mastodon.write(f"Post {number}") for number in range(8)]
    rig.x.answers = [wall() for _ in range(500)]
    await rig.pass_time(daemon, 30 * 3600, step=900)
    tries = 500 - len(rig.x.answers)
    assert {await rig.state(toot.id) for toot in toots} == {PostState.PLANNED}
    # At the end once an hour, whatever the number of posts.
    assert tries < 80
    (row,) = wait_rows(daemon.lanes)
    assert (row["condition"], row["waits_for"]) == ("waiting", "x")
    assert row["detail"] == WALL
    assert row["until"] is not None
    assert [event for event in rig.events if isinstance(event, RoutePaused)]
    rig.x.answers = []
    await rig.pass_time(daemon, 2 * 3600, step=900)
    assert {await rig.state(toot.id) for toot in toots} == {PostState.DELIVERED}
    assert [event for event in rig.events if isinstance(event, RouteResumed)]
    assert wait_rows(daemon.lanes) == []


async def test_two_posts_that_never_will_do_not_stop_the_route_for_good(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.refuses_words = {"Disliked 1": wall(), "Disliked 2": wall()}
    bad = [rig.mastodon.write(f"Disliked {number}") for number in (1, 2)]
    good = [rig.mastodon.write(f"Liked {number}") for number in range(3)]
    await rig.pass_time(daemon, 2 * 3600, step=120)
    assert {await rig.state(post.id) for post in good} == {PostState.DELIVERED}
    assert {await rig.state(post.id) for post in bad} == {PostState.PLANNED}
    later = rig.mastodon.write("Liked later")
    await rig.pass_time(daemon, 3600, step=300)
    assert await rig.state(later.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 26 * 3600, step=1800)
    rig.mastodon.write("Liked at last")
    await rig.pass_time(daemon, 4 * 3600, step=900)
    assert {await rig.state(post.id) for post in bad} == {PostState.FAILED}


async def test_what_is_left_to_nobody_is_not_said_to_wait(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [wall() for _ in range(9)]
    toot = rig.mastodon.write("Changed my mind")
    await rig.pass_time(daemon, 30)
    assert wait_rows(daemon.lanes)
    rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 600)
    assert wait_rows(daemon.lanes) == []


async def test_edits_and_deletions_that_are_turned_away_do_not_hold_up_new_posts(
    rig: Rig,
) -> None:
    rig.mastodon.write("From before the bridge")
    daemon = await rig.started()
    stands = []
    for number in range(3):
        rig.clock.pass_time(60)
        stands.append(rig.mastodon.write(f"Stands {number}"))
        await daemon.once()
    rig.x.edit_answers = [wall() for _ in range(20)]
    rig.x.delete_answers = [wall() for _ in range(20)]
    rig.mastodon.edit(stands[0], "Edited")
    rig.mastodon.remove(stands[1])
    await rig.pass_time(daemon, 60)
    new = rig.mastodon.write("New")
    await rig.pass_time(daemon, 30)
    assert await rig.state(new.id) is PostState.DELIVERED
    assert (rig.x.deleted, rig.x.revised) == ([], [])
    assert len(rig.x.edit_answers) + len(rig.x.delete_answers) > 30
    rig.x.edit_answers, rig.x.delete_answers = [], []
    await rig.pass_time(daemon, 900, step=60)
    assert (len(rig.x.deleted), len(rig.x.revised)) == (1, 1)


async def test_the_day_is_counted_from_the_first_refusal_whatever_restarts(rig: Rig) -> None:
    await rig.started()
    rig.x.refuses_words = {"Disliked": wall()}
    bad = rig.mastodon.write("Disliked")
    for _ in range(25 * 4):
        rig.clock.pass_time(900)
        await rig.daemon().once()
        if await rig.state(bad.id) is PostState.FAILED:
            break
    record = await rig.record(bad.id)
    assert record.state is PostState.FAILED
    refused_since = record.parts[0].refused_since
    assert refused_since is not None
    assert timedelta(days=1) <= rig.clock.now() - refused_since < timedelta(days=1, hours=2)


@pytest.mark.parametrize("seed", range(6))
async def test_no_run_of_passing_refusals_loses_doubles_or_breaks_a_thread(
    rig: Rig, seed: int
) -> None:
    draw = random.Random(seed)
    daemon = await rig.started()
    rig.x.answers = [wall() for _ in range(draw.randint(0, 6))]
    rig.x.turn_away_at = set(draw.sample(range(1, 40), draw.randint(0, 12)))
    toots = []
    for number in range(draw.randint(2, 5)):
        toots.append(rig.mastodon.write(f"{number}: " + LONG[: draw.choice((20, 300, 640))]))
        if draw.random() < 0.5:
            await rig.pass_time(daemon, draw.choice((15, 60, 300)))
    await rig.pass_time(daemon, 4 * 3600, step=300)
    for toot in toots:
        record = await rig.record(toot.id)
        assert {part.state for part in record.parts} == {PartState.DELIVERED}
        ids = [part.target_id for part in record.parts]
        above = {reply_to for _, reply_to, _ in rig.x.published}
        assert set(ids[:-1]) <= above
    sent = [key for _, _, key in rig.x.published]
    assert len(sent) == len(set(sent))
    assert not await rig.ledger.unproven(OUT)
