"""What happens when networks misbehave: nothing lost, nothing doubled, order kept, and a reason.

Bars of docs/reliability.md: R4, R6, R7, R12, R13, R17.
"""

import asyncio

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import (
    InDoubt,
    LeaseLost,
    Refused,
    Throttled,
    Transient,
    Unauthorised,
)
from bridge.core.events import RoutePaused, RouteResumed, SourceRead
from bridge.ledger.sqlite import open_ledger
from tests.engine.conftest import OUT, Rig


async def being_sent(rig: Rig) -> None:
    """Wait until a part toward X is claimed."""
    while not await rig.ledger.unproven(OUT):  # noqa: ASYNC110 - the ledger offers no event
        await asyncio.sleep(0.01)


LOST = InDoubt("HTTP 500 after sending", status=500)


async def test_promise_2_not_twice_a_lost_answer_is_looked_up_before_anything_is_repeated(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.x.answers = [(True, LOST)]
    toot = rig.mastodon.write("Sent, but was it heard?")
    await daemon.lanes[0].turn(read=True)
    assert await rig.state(toot.id) is PostState.IN_DOUBT
    await rig.pass_time(daemon, 120)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.published) == 1
    assert rig.mastodon.published == []


async def test_promise_2_a_mirror_met_on_the_timeline_proves_its_part(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [(True, LOST)]
    toot = rig.mastodon.write("Sent, but was it heard?")
    await daemon.lanes[0].turn(read=True)
    await daemon.lanes[1].turn(read=True)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert rig.mastodon.published == []


async def test_promise_1_not_lost_what_is_proven_absent_is_sent_again(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [LOST]
    toot = rig.mastodon.write("Never arrived")
    await daemon.once()
    await rig.pass_time(daemon, 120)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.published) == 1


async def test_looking_for_a_lost_answer_is_told_as_every_reading_is(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [(True, LOST)]
    rig.mastodon.write("Sent, but was it heard?")
    await daemon.lanes[0].turn(read=True)
    rig.clock.pass_time(120)
    before = len(rig.events)
    await daemon.lanes[0].turn(read=False)
    told = [event for event in rig.events[before:] if isinstance(event, SourceRead)]
    assert [(event.route, event.posts) for event in told] == [(OUT, 1)]


async def test_an_absence_is_not_believed_too_early(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [LOST]
    toot = rig.mastodon.write("Timelines lag")
    await daemon.once()
    await rig.pass_time(daemon, 30)
    assert await rig.state(toot.id) is PostState.IN_DOUBT


async def test_without_read_access_doubt_is_held_and_says_what_to_do(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [(True, LOST)]
    toot = rig.mastodon.write("Nobody can look")
    await daemon.lanes[0].turn(read=True)
    rig.x.read_errors = [Refused("HTTP 403: reading is not allowed", status=403)] * 9
    rig.clock.pass_time(15)
    await daemon.lanes[0].turn(read=False)
    record = await rig.record(toot.id)
    assert record.state is PostState.HELD
    assert "see whether it stands on the other network" in record.parts[0].detail
    await rig.pass_time(daemon, 600)
    assert len(rig.x.published) == 1


async def test_a_duplicate_refusal_is_proven_by_the_timeline_or_held(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Refused("duplicate content", status=403, duplicate=True)]
    toot = rig.mastodon.write("Seen before, they say")
    await daemon.once()
    assert await rig.state(toot.id) is PostState.HELD
    await rig.pass_time(daemon, 600)
    assert rig.x.published == []


async def test_of_two_posts_with_the_same_words_each_gets_its_own_mirror(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [(True, LOST), (True, LOST)]
    first, second = rig.mastodon.write("Good morning"), rig.mastodon.write("Good morning")
    await rig.pass_time(daemon, 180)
    targets = {(await rig.record(post.id)).parts[0].target_id for post in (first, second)}
    assert len(targets) == len(rig.x.published) == 2


async def test_a_refused_post_fails_alone_and_the_next_one_goes_on(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Refused("HTTP 403: not allowed", status=403)]
    bad, good = rig.mastodon.write("Not liked"), rig.mastodon.write("Liked")
    await daemon.once()
    assert await rig.state(bad.id) is PostState.FAILED
    assert await rig.state(good.id) is PostState.DELIVERED


async def test_a_dead_server_keeps_the_order_of_posts(rig: Rig) -> None:
    daemon = await rig.started()
    down = Transient("connection refused", unreachable=True)
    rig.x.answers = [down] * 4
    for number in range(3):
        rig.mastodon.write(f"Post {number}")
    await rig.pass_time(daemon, 600)
    assert [p.text for p, _, _ in rig.x.published] == ["Post 0", "Post 1", "Post 2"]


async def test_a_dead_server_is_asked_rarely_and_reported_once(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Transient("connection refused", unreachable=True) for _ in range(3)]
    for number in range(10):
        rig.mastodon.write(f"Post {number}")
    await rig.pass_time(daemon, 600)
    assert len([e for e in rig.events if isinstance(e, RoutePaused)]) == 1
    assert len([e for e in rig.events if isinstance(e, RouteResumed)]) == 1


@pytest.mark.parametrize("side", ["x", "mastodon"])
async def test_a_network_that_is_gone_is_said_once_and_once_when_it_is_back(
    rig: Rig, side: str
) -> None:
    daemon = await rig.started()
    net = rig.x if side == "x" else rig.mastodon
    troubles = [Transient("HTTP 503", status=503), Throttled("HTTP 429", status=429)]
    # It is read by one route, and sent to by the other; two kinds of trouble take turns.
    net.read_errors = [troubles[number % 2] for number in range(8)]
    await rig.pass_time(daemon, 8 * 3600, step=300)
    assert net.read_errors == []
    heard = [event for event in rig.events if isinstance(event, RoutePaused | RouteResumed)]
    paused = [event for event in heard if isinstance(event, RoutePaused)]
    assert [event.detail.rsplit(": ", 1)[-1] for event in paused] == ["HTTP 503", "HTTP 429"]
    assert len({event.route for event in heard}) == 1
    assert [type(event) for event in heard[2:]] == [RouteResumed]


async def test_one_stuck_post_does_not_block_the_others(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Transient("its media are not ready")]
    stuck, free = rig.mastodon.write("Stuck"), rig.mastodon.write("Free")
    await daemon.once()
    assert await rig.state(stuck.id) is PostState.PLANNED
    assert await rig.state(free.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 60)
    assert await rig.state(stuck.id) is PostState.DELIVERED


async def test_a_throttled_network_is_left_alone_until_it_says(rig: Rig) -> None:
    daemon = await rig.started()
    until = rig.clock.now().replace(hour=13)
    rig.x.answers = [Throttled("too many requests", until=until, status=429)]
    toot = rig.mastodon.write("Patience")
    await rig.pass_time(daemon, 3000)
    assert rig.x.published == []
    assert await rig.state(toot.id) is PostState.PLANNED
    await rig.pass_time(daemon, 900)
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_revoked_credentials_pause_one_direction_only(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Unauthorised("HTTP 401", status=401) for _ in range(3)]
    toot, tweet = rig.mastodon.write("Waits"), rig.x.write("Passes")
    await daemon.once()
    assert daemon.lanes[0].unauthorised
    assert await rig.state(toot.id) is PostState.PLANNED
    assert await rig.state(tweet.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 4 * 3600, step=60)
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_a_thread_stops_at_the_part_that_failed_and_never_repeats_the_sent_ones(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("The bridge keeps its promises, one sentence at a time. " * 12)
    await daemon.lanes[0].turn(read=True)
    sent = list(rig.x.published)
    other = rig.mastodon.write("Another promise is kept by the bridge, sentence by sentence. " * 12)
    rig.x.refuse_at = len(sent) + 2
    await rig.pass_time(daemon, 300)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert await rig.state(other.id) is PostState.PARTIAL
    assert rig.x.published[: len(sent)] == sent
    assert len(rig.x.published) == len(sent) + 1


async def test_what_a_killed_process_was_sending_is_proven_first(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Killed in the middle")
    rig.x.hang = asyncio.Event()
    task = asyncio.create_task(daemon.lanes[0].turn(read=True))
    async with asyncio.timeout(5):
        await being_sent(rig)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await rig.record(toot.id)).parts[0].state is PartState.ATTEMPTING
    rig.x.hang = None
    await rig.restart()
    await rig.pass_time(rig.daemon(), 180)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.published) == 1


async def test_a_source_that_cannot_be_read_does_not_stop_what_is_due(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write("Ready to go")
    rig.x.answers = [Throttled("later", until=None)]
    await daemon.once()
    rig.mastodon.read_errors = [Transient("HTTP 503", unreachable=True) for _ in range(50)]
    await rig.pass_time(daemon, 60)
    assert len(rig.x.published) == 1


async def test_a_daemon_whose_lease_was_taken_sends_nothing_more(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write("Too late")
    rig.clock.pass_time(3600)
    successor = await open_ledger(
        rig.folder / "ledger.sqlite3", owner="successor", now=rig.clock.now(), create=True
    )
    with pytest.raises(LeaseLost):
        await daemon.once()
    assert rig.x.published == []
    await successor.close()


async def test_a_daemon_that_is_told_to_stop_finishes_the_part_under_way(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Almost there")
    rig.x.hang = asyncio.Event()
    stop = asyncio.Event()
    running = asyncio.create_task(daemon.run(stop))
    async with asyncio.timeout(5):
        await being_sent(rig)
        stop.set()
        rig.x.hang.set()
        await running
    assert await rig.state(toot.id) is PostState.DELIVERED
