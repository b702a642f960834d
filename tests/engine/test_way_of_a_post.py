"""The way of a post: read once, judged once, mirrored once, and every step on record."""

from datetime import timedelta

from bridge.core.delivery import PartState, PostState
from bridge.core.model import Direction, Visibility
from bridge.core.timing import FromBeginning, FromDate
from bridge.core.verdict import Reason
from tests.engine.conftest import OUT, Rig


async def test_a_post_on_either_side_appears_on_the_other(rig: Rig) -> None:
    daemon = await rig.started()
    toot, tweet = rig.mastodon.write("From the elephant"), rig.x.write("From the bird")
    await daemon.once()
    assert [part.text for part, _, _ in rig.x.published] == ["From the elephant"]
    assert [part.text for part, _, _ in rig.mastodon.published] == ["From the bird"]
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert await rig.state(tweet.id) is PostState.DELIVERED


async def test_promise_4_no_echo_a_mirror_is_never_mirrored_back(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write("Only once")
    for _ in range(5):
        rig.clock.pass_time(60)
        await daemon.once()
    assert len(rig.x.published) == 1
    assert rig.mastodon.published == []
    echo = [r for r in await rig.ledger.history() if r.verdict.reason is Reason.ECHO]
    assert [record.route.direction for record in echo] == [Direction.X_TO_MASTODON]


async def test_promise_4_no_echo_after_a_restart_either(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write("Only once")
    await daemon.lanes[0].turn(read=True)
    await rig.restart()
    await rig.daemon().once()
    await rig.daemon().once()
    assert len(rig.x.published) == 1
    assert rig.mastodon.published == []


async def test_promise_5_no_flood_the_first_pass_only_sets_the_cursor(rig: Rig) -> None:
    for number in range(20):
        rig.mastodon.write(f"Long ago {number}")
    daemon = await rig.started()
    await rig.pass_time(daemon, 120)
    assert rig.x.published == []


async def test_an_account_without_posts_mirrors_its_very_first_one(rig: Rig) -> None:
    daemon = await rig.started()
    rig.clock.pass_time(1)
    rig.mastodon.write("Hello, world")
    await daemon.once()
    assert len(rig.x.published) == 1


async def test_a_start_at_the_beginning_mirrors_everything_in_order(rig: Rig) -> None:
    rig.start = FromBeginning()
    for number in range(3):
        rig.mastodon.write(f"Post {number}")
    await rig.daemon().once()
    assert [p.text for p, _, _ in rig.x.published] == ["Post 0", "Post 1", "Post 2"]


async def test_a_start_at_a_date_leaves_out_what_is_older_and_says_so(rig: Rig) -> None:
    old = rig.mastodon.write("Old", at=rig.clock.now() - timedelta(days=3))
    rig.mastodon.write("New")
    rig.start = FromDate(rig.clock.now() - timedelta(days=1))
    await rig.daemon().once()
    assert [p.text for p, _, _ in rig.x.published] == ["New"]
    assert (await rig.record(old.id)).verdict.reason is Reason.BEFORE_START


async def test_a_delay_keeps_a_post_planned_until_its_time(rig: Rig) -> None:
    rig.delay = timedelta(seconds=30)
    daemon = await rig.started()
    toot = rig.mastodon.write("Wait for it")
    await daemon.once()
    assert await rig.state(toot.id) is PostState.PLANNED
    rig.clock.pass_time(31)
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_a_server_whose_clock_is_ahead_cannot_stretch_the_delay(rig: Rig) -> None:
    rig.delay = timedelta(seconds=30)
    daemon = await rig.started()
    toot = rig.mastodon.write("From tomorrow", at=rig.clock.now() + timedelta(days=1))
    await daemon.once()
    rig.clock.pass_time(31)
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_a_long_post_becomes_a_thread_each_part_replying_to_the_last(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("The bridge keeps its promises, one sentence at a time. " * 12)
    await daemon.once()
    record = await rig.record(toot.id)
    assert len(record.parts) > 2
    replies = [reply_to for _, reply_to, _ in rig.x.published]
    targets = [part.target_id for part in record.parts]
    assert replies == [None, *targets[:-1]]


async def test_an_own_thread_is_mirrored_as_a_thread(rig: Rig) -> None:
    daemon = await rig.started()
    first = rig.mastodon.write("First")
    second = rig.mastodon.write("Second", reply_to=first.id)
    rig.mastodon.write("Third", reply_to=second.id)
    await daemon.once()
    targets = [(await rig.record(p.id)).parts[-1].target_id for p in (first, second)]
    assert [reply_to for _, reply_to, _ in rig.x.published] == [None, *targets]


async def test_a_thread_continued_below_a_mirror_goes_on_below_its_original(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Written on Mastodon")
    await daemon.once()
    mirror = (await rig.record(toot.id)).parts[0].target_id
    rig.x.write("Continued on X", reply_to=mirror)
    await daemon.once()
    assert [(p.text, r) for p, r, _ in rig.mastodon.published] == [("Continued on X", toot.id)]


async def test_a_reply_to_somebody_else_stays_where_it_is(rig: Rig) -> None:
    daemon = await rig.started()
    reply = rig.mastodon.write("I agree", reply_to=rig.mastodon.write("x").id, by_other=True)
    await daemon.once()
    assert (await rig.record(reply.id)).verdict.reason is Reason.REPLY


async def test_a_thread_whose_beginning_has_no_mirror_is_left_alone(rig: Rig) -> None:
    before = rig.mastodon.write("Before the bridge")
    daemon = await rig.started()
    later = rig.mastodon.write("A late addition", reply_to=before.id)
    await daemon.once()
    assert (await rig.record(later.id)).verdict.reason is Reason.PARENT_NOT_MIRRORED


async def test_an_edit_never_makes_a_second_post(rig: Rig) -> None:
    daemon = await rig.started()
    tweet = rig.x.write("A tpyo")
    await daemon.once()
    edited = rig.x.write("A typo", edit_of=tweet)
    await daemon.once()
    assert len(rig.mastodon.published) == 1
    assert (await rig.record(edited.id)).source == tweet.id


async def test_promise_3_not_wider_only_listed_audiences_cross(rig: Rig) -> None:
    daemon = await rig.started()
    posts = [rig.mastodon.write("Psst", visibility=visibility) for visibility in Visibility]
    await daemon.once()
    assert len(rig.x.published) == 1
    states = {post.visibility: await rig.state(post.id) for post in posts}
    assert states.pop(Visibility.PUBLIC) is PostState.DELIVERED
    assert set(states.values()) == {PostState.SKIPPED}


async def test_promise_3_an_unlisted_post_crosses_only_where_its_author_listed_it(rig: Rig) -> None:
    rig.audiences = frozenset({Visibility.PUBLIC, Visibility.UNLISTED})
    daemon = await rig.started()
    rig.mastodon.write("Quietly", visibility=Visibility.UNLISTED)
    await daemon.once()
    assert len(rig.x.published) == 1


async def test_promise_7_no_silence_every_post_has_a_reason(rig: Rig) -> None:
    daemon = await rig.started()
    for visibility in Visibility:
        rig.mastodon.write("Hello", visibility=visibility)
    rig.mastodon.write("")
    await daemon.once()
    records = [r for r in await rig.ledger.history() if r.route == OUT]
    assert len(records) == len(Visibility) + 1
    assert all(record.verdict.sentence for record in records)


async def test_the_ledger_knows_what_each_part_cost(rig: Rig) -> None:
    daemon = await rig.started()
    plain = rig.mastodon.write("No link here")
    linked = rig.mastodon.write("See https://example.com/page")
    await daemon.once()
    assert (await rig.record(plain.id)).cost == 15_000
    assert (await rig.record(linked.id)).cost == 200_000


async def test_a_post_that_cannot_be_fitted_is_recorded_and_stops_nothing(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.max_length = 1
    wide = rig.mastodon.write("漢字")
    await daemon.once()
    rig.x.max_length = 280
    fine = rig.mastodon.write("fits")
    await daemon.once()
    assert (await rig.record(wide.id)).verdict.reason is Reason.UNFIT
    assert (await rig.record(fine.id)).parts[0].state is PartState.DELIVERED
