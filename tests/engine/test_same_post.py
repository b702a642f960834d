"""The same post on both sides: written twice by hand, or carried over by somebody else's tool.

Bars of docs/reliability.md: R15, S20.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.events import PartSettled
from bridge.core.model import BridgeName, Direction, Network, Post, PostId, Route, Visibility
from bridge.core.timing import FromBeginning
from bridge.core.verdict import Action, Reason, Verdict
from bridge.engine.route import Bench
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig
from tests.fakes import FakeNetwork

NEWS = "The old lighthouse by the harbour opens its doors to everybody this Sunday"
ALIKE = "The old lighthouse by the harbour opens its doors to nearly everybody this Sunday"
DAY = timedelta(days=1).total_seconds()


def changed(network: FakeNetwork, post: Post, **fields: Any) -> Post:
    """What `post` is on its network, but for these fields."""
    network.posts[network.posts.index(post)] = other = replace(post, **fields)
    return other


async def reason(rig: Rig, post: Post) -> Reason:
    return (await rig.record(post.id)).verdict.reason


async def test_what_was_written_on_both_sides_by_hand_is_mirrored_to_neither(rig: Rig) -> None:
    daemon = await rig.started()
    toot, tweet = rig.mastodon.write(NEWS), rig.x.write(NEWS + " 🧵")
    await rig.pass_time(daemon, 120)
    assert rig.x.published == rig.mastodon.published == []
    for post, other in ((toot, tweet), (tweet, toot)):
        record = await rig.record(post.id)
        assert record.verdict.reason is Reason.SAME_POST
        assert other.url is not None
        assert other.url in record.verdict.sentence
        assert record.same_as == other.id


async def test_promise_7_a_mirror_that_is_taken_back_is_announced(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write(NEWS)
    rig.x.write(NEWS)
    await daemon.once()
    settled = [event for event in rig.events if isinstance(event, PartSettled)]
    assert [(event.route, event.state) for event in settled] == [(OUT, PartState.DROPPED)]


async def test_a_delay_is_time_in_which_the_other_side_may_be_written_by_hand(rig: Rig) -> None:
    rig.delay = timedelta(seconds=60)
    daemon = await rig.started()
    rig.mastodon.write(NEWS)
    await daemon.lanes[0].turn(read=True)
    rig.clock.pass_time(40)
    rig.x.write(NEWS)
    rig.clock.pass_time(40)
    await daemon.lanes[0].turn(read=False)
    assert rig.x.published == []


async def test_what_another_tool_carried_over_is_not_sent_again(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write(NEWS)
    await daemon.once()
    rig.clock.pass_time(20 * 60)
    copy = rig.mastodon.write(NEWS)
    await rig.pass_time(daemon, 120)
    assert len(rig.mastodon.published) == 1
    assert rig.x.published == []
    assert await reason(rig, copy) is Reason.SAME_POST


async def test_promise_4_what_bears_another_tools_mark_is_never_mirrored(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write(NEWS)
    toot = changed(rig.mastodon, toot, application="Mastodon Twitter Crossposter")
    await daemon.once()
    record = await rig.record(toot.id)
    assert record.verdict.reason is Reason.FOREIGN_MIRROR
    assert "Mastodon Twitter Crossposter" in record.verdict.sentence
    assert rig.x.published == []


async def test_an_unknown_application_or_our_own_name_is_no_mark(rig: Rig) -> None:
    daemon = await rig.started()
    for number, name in enumerate(("Tusky", "twinpost", "Buffer", "My cross poster")):
        toot = rig.mastodon.write(f"{NEWS}, number {number}")
        changed(rig.mastodon, toot, application=name)
    await daemon.once()
    assert len(rig.x.published) == 4


@pytest.mark.parametrize("greeting", ["Good morning!", "Good morning to all of you out there"])
async def test_promise_1_a_daily_greeting_on_one_side_is_mirrored_every_day(
    rig: Rig, greeting: str
) -> None:
    daemon = await rig.started()
    for day in range(1, 5):
        rig.mastodon.write(greeting)
        await rig.pass_time(daemon, 60)
        assert len(rig.x.published) == day
        rig.clock.pass_time(DAY - 60)


async def test_promise_1_a_greeting_is_mirrored_again_whichever_sides_it_was_on_before(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    greeting = "Good morning to all of you out there"
    rig.mastodon.write(greeting)
    rig.x.write(greeting)
    await daemon.once()
    rig.clock.pass_time(DAY)
    rig.mastodon.write(greeting)
    await daemon.once()
    assert (len(rig.x.published), len(rig.mastodon.published)) == (1, 0)
    rig.clock.pass_time(DAY)
    rig.x.write(greeting)
    await daemon.once()
    assert (len(rig.x.published), len(rig.mastodon.published)) == (1, 1)


async def test_few_words_are_the_same_post_only_within_minutes(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write("Good morning!")
    rig.mastodon.write("Good morning!")
    await daemon.once()
    assert rig.x.published == rig.mastodon.published == []
    rig.clock.pass_time(3600)
    rig.x.write("On my way")
    await daemon.once()
    rig.clock.pass_time(3600)
    rig.mastodon.write("On my way")
    await daemon.once()
    assert len(rig.x.published) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Episode 41 of our podcast is out now", "Episode 42 of our podcast is out now"),
        ("So far we have painted 1/3", "So far we have painted 2/3"),
        (f"{NEWS} https://example.com/a", f"{NEWS} https://example.com/b"),
        ("I love Mondays in the city", "I hate Mondays in the city"),
    ],
)
async def test_promise_1_what_differs_by_a_number_or_a_link_is_mirrored_both_ways(
    rig: Rig, one: str, other: str
) -> None:
    daemon = await rig.started()
    rig.mastodon.write(one)
    rig.x.write(other)
    await rig.pass_time(daemon, 60)
    assert (len(rig.x.published), len(rig.mastodon.published)) == (1, 1)


async def test_what_only_seems_to_be_the_same_is_held_for_its_owner(rig: Rig) -> None:
    daemon = await rig.started()
    tweet = rig.x.write(NEWS)
    await daemon.once()
    toot = rig.mastodon.write(ALIKE)
    await rig.pass_time(daemon, 120)
    record = await rig.record(toot.id)
    assert (record.verdict.action, record.verdict.reason) == (Action.HOLD, Reason.SIMILAR_POST)
    assert tweet.url is not None
    assert tweet.url in record.verdict.sentence
    assert [part.state for part in record.parts] == [PartState.HELD]
    assert rig.x.published == []
    assert record.same_as is None


async def test_a_post_cut_short_by_hand_is_the_same_post(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write(NEWS[:60] + "…")
    toot = rig.mastodon.write(NEWS)
    await daemon.once()
    assert await reason(rig, toot) is Reason.SAME_POST
    assert rig.x.published == []


async def test_after_a_restart_the_ledger_alone_knows_the_same_post(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write(NEWS)
    await daemon.once()
    await rig.restart()
    toot = rig.mastodon.write(NEWS.upper())
    await rig.daemon().once()
    assert await reason(rig, toot) is Reason.SAME_POST
    assert rig.x.published == []


async def test_promise_6_no_text_of_a_skipped_post_is_in_the_ledger(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write(NEWS)
    rig.mastodon.write(NEWS)
    rig.mastodon.write("Between us: the lighthouse is closed", visibility=Visibility.DIRECT)
    await daemon.once()
    held = rig.x.write(ALIKE)
    await daemon.once()
    assert await rig.state(held.id) is PostState.DELIVERED  # the first pair is complete
    await rig.ledger.close()
    stored = b"".join(path.read_bytes() for path in rig.folder.iterdir() if path.is_file())
    assert b"Between us" not in stored
    rig.ledger = await rig.opened(rig.folder, rig.clock)


async def test_promise_1_the_author_may_say_the_same_to_one_person_first(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write(NEWS, visibility=Visibility.DIRECT)
    rig.x.write(NEWS)
    await daemon.once()
    assert len(rig.mastodon.published) == 1


async def test_a_post_with_a_narrower_audience_over_there_stands_there_too(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write(NEWS, visibility=Visibility.FOLLOWERS)
    tweet = rig.x.write(NEWS)
    await daemon.once()
    assert await reason(rig, tweet) is Reason.SAME_POST


async def test_a_reply_is_never_the_same_as_a_post(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write(NEWS, reply_to=PostId("a stranger's"), by_other=True)
    rig.mastodon.write(NEWS)
    await daemon.once()
    assert len(rig.x.published) == 1


async def test_a_thread_written_on_both_sides_is_mirrored_to_neither(rig: Rig) -> None:
    daemon = await rig.started()
    for side in (rig.mastodon, rig.x):
        first = side.write(NEWS)
        side.write("Bring a lamp, for the stairs are dark", reply_to=first.id)
    await rig.pass_time(daemon, 120)
    assert rig.x.published == rig.mastodon.published == []


@pytest.mark.parametrize("planned", [True, False])
async def test_a_thread_that_goes_on_one_side_goes_on_below_its_twin(
    rig: Rig, planned: bool
) -> None:
    daemon = await rig.started()
    toot, tweet = rig.mastodon.write(NEWS), rig.x.write(NEWS)
    if not planned:
        await daemon.once()
    rig.mastodon.write("Bring a lamp, for the stairs are dark", reply_to=toot.id)
    await rig.pass_time(daemon, 60)
    assert [reply_to for _, reply_to, _ in rig.x.published] == [tweet.id]
    assert rig.mastodon.published == []


async def test_a_mirror_that_is_on_its_way_is_not_taken_back(rig: Rig) -> None:
    daemon = await rig.started()
    text = "The old lighthouse by the harbour. " * 12
    toot = rig.mastodon.write(text)
    rig.x.refuse_at = 2
    await daemon.once()
    assert await rig.state(toot.id) is PostState.PARTIAL
    tweet = rig.x.write(text)
    await daemon.once()
    assert await reason(rig, tweet) is Reason.SAME_POST
    assert await rig.state(toot.id) is PostState.PARTIAL


async def test_promise_1_one_post_is_the_twin_of_one_other_only(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.write(NEWS)
    rig.mastodon.write(NEWS)
    await daemon.once()
    rig.clock.pass_time(3600)
    rig.mastodon.write(NEWS)
    await daemon.once()
    assert len(rig.x.published) == 1


@pytest.mark.parametrize("copies_are_read_at_once", [True, False])
async def test_promise_4_r15_copies_of_one_post_by_several_tools_are_all_copies(
    rig: Rig, copies_are_read_at_once: bool
) -> None:
    """Each tool copies when it next looks; none knows what the others have copied already."""
    daemon = await rig.started()
    rig.mastodon.write(NEWS)
    for _ in range(3):
        rig.x.write(NEWS)
        rig.clock.pass_time(5 * 60)
        if not copies_are_read_at_once:
            await daemon.once()
    await rig.pass_time(daemon, 60)
    assert rig.mastodon.published == rig.x.published == []


async def test_promise_1_what_stands_there_again_after_the_tools_have_looked_is_new(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.mastodon.write(NEWS)
    rig.x.write(NEWS)
    for _ in range(2):
        await daemon.once()
        rig.clock.pass_time(20 * 60)
    rig.x.write(NEWS)
    await daemon.once()
    assert len(rig.mastodon.published) == 1


async def test_promise_1_our_own_mirror_is_no_reason_to_skip(rig: Rig) -> None:
    """What is written again below its mirror is new, and the mirror is nobody's twin."""
    daemon = await rig.started()
    for _ in range(3):
        rig.mastodon.write(NEWS)
        await rig.pass_time(daemon, 60)
    assert len(rig.x.published) == 3
    assert rig.mastodon.published == []


async def test_promise_1_a_side_that_cannot_be_read_does_not_keep_a_post(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write(NEWS)

    async def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    rig.x.read_after = broken  # type: ignore[method-assign,assignment] # it never returns
    await daemon.lanes[0].turn(read=True)
    assert len(rig.x.published) == 1


async def test_both_sides_are_read_up_to_the_same_moment_before_anything_is_sent(rig: Rig) -> None:
    rig.start = FromBeginning()
    rig.mastodon.write(NEWS)
    rig.x.write(NEWS)
    daemon = rig.daemon()
    for lane in daemon.lanes:
        await lane.begin()
    await asyncio.gather(*(lane.turn(read=True) for lane in daemon.lanes))
    assert rig.x.published == rig.mastodon.published == []


@pytest.mark.parametrize("seed", range(8))
async def test_promise_1_whichever_lane_is_faster_nothing_is_lost_and_nothing_doubled(
    rig: Rig, seed: int
) -> None:
    rig.start = FromBeginning()
    daemon = rig.daemon()
    for lane in daemon.lanes:
        await lane.begin()
    both = [f"{NEWS}, number {number}" for number in range(3)]
    for text in both:
        rig.mastodon.write(text)
        rig.x.write(text)
    rig.mastodon.write("Only on Mastodon, as it happens")
    rig.x.write("Only on X, as it happens")

    async def stumbling(work: Callable[[], Coroutine[Any, Any, object]], steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)
        await work()

    for turn in range(3):
        await asyncio.gather(
            *(
                stumbling(lambda lane=lane: lane.turn(read=True), (seed * (index + turn)) % 7)  # type: ignore[misc] # mypy does not infer a lambda's default
                for index, lane in enumerate(daemon.lanes)
            )
        )
    assert [part.text for part, _, _ in rig.x.published] == ["Only on Mastodon, as it happens"]
    assert [part.text for part, _, _ in rig.mastodon.published] == ["Only on X, as it happens"]


async def test_a_part_withdrawn_while_its_sender_waits_is_not_sent(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write(NEWS)
    rig.x.write(NEWS)
    out, home = daemon.lanes
    out.opposite = None  # it has looked before, let us say, and is about to send

    async def until(happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not happened():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.001)

    def queue() -> int:
        return sum(len(lock._waiters or ()) for lock in bench.turnstiles._accounts.values())

    bench = out._bench
    async with bench.turnstiles.passing(await rig.x.account()):
        reading = asyncio.create_task(home.turn(read=True))
        await until(lambda: queue() == 1)
        sending = asyncio.create_task(out.turn(read=True))
        await until(lambda: queue() == 2)
    await asyncio.gather(sending, reading)
    assert rig.x.published == rig.mastodon.published == []


async def test_bridges_do_not_find_each_others_posts(rig: Rig) -> None:
    other = BridgeName("work")
    here = rig.daemon()
    away = FakeNetwork(Network.X, rig.clock, _next=500)
    plans = [
        *(lane.plan for lane in here.lanes),
        replace(here.lanes[0].plan, route=Route(other, Direction.MASTODON_TO_X), target=away),
        replace(here.lanes[1].plan, route=Route(other, Direction.X_TO_MASTODON), source=away),
    ]
    daemon = Daemon(plans, Bench(rig.ledger, rig.clock, lambda: 0.0))
    await daemon.once()
    rig.mastodon.write(NEWS)
    away.write(NEWS)
    await daemon.once()
    assert len(rig.x.published) == 1
    assert away.published == []
    assert rig.mastodon.published == []
    assert {record.route for record in await rig.ledger.history()} >= {OUT, HOME}


async def test_a_process_that_died_after_taking_a_mirror_back_is_understood(rig: Rig) -> None:
    rig.delay = timedelta(seconds=60)
    daemon = await rig.started()
    toot = rig.mastodon.write(NEWS)
    await daemon.lanes[0].turn(read=True)
    tweet = rig.x.write(NEWS)
    verdict = Verdict(Action.SKIP, Reason.SAME_POST)
    await rig.ledger.withdraw(OUT, toot.id, verdict=verdict, same_as=tweet.id, now=rig.clock.now())
    await rig.restart()
    await rig.pass_time(rig.daemon(), 120)
    assert await reason(rig, tweet) is Reason.SAME_POST
    assert rig.x.published == rig.mastodon.published == []


async def test_a_side_is_read_once_more_for_what_is_sent_and_not_for_nothing(rig: Rig) -> None:
    daemon = await rig.started()
    out = daemon.lanes[0]
    await out.turn(read=True)
    reads = rig.x.reads
    for _ in range(5):
        await out.turn(read=True)
    assert rig.x.reads == reads
    rig.clock.pass_time(1)
    for number in range(4):
        rig.mastodon.write(f"{NEWS}, number {number}")
    await out.turn(read=True)
    await out.turn(read=False)
    assert len(rig.x.published) == 4
    assert rig.x.reads == reads + 1
