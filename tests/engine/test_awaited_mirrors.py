"""Quotes and boosts of own posts wait for the mirror of the post that they refer to."""

import random
from datetime import timedelta

import pytest

from bridge.core.budget import Budget
from bridge.core.delivery import PartEvent, PostState
from bridge.core.errors import InDoubt, Transient
from bridge.core.model import Microdollars, Post, PostId, Route
from bridge.core.policy import Policy
from bridge.core.prices import X_PRICES
from bridge.core.record import PostRecord
from bridge.core.verdict import Reason
from bridge.engine.judge import LONGEST_WAIT_FOR_MIRROR
from bridge.engine.preview import preview
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig
from tests.fakes import FakeNetwork

ROUTES = pytest.mark.parametrize("route", [HOME, OUT], ids=str)
REFERENCES = pytest.mark.parametrize("reference", ["quote", "boost"])
LATER = Transient("HTTP 503")
DOWN = Transient("no connection", unreachable=True)


def ends(rig: Rig, route: Route) -> tuple[FakeNetwork, FakeNetwork]:
    """The source and the target of a route."""
    return (rig.x, rig.mastodon) if route == HOME else (rig.mastodon, rig.x)


def refer(source: FakeNetwork, reference: str, to: Post, reply_to: Post | None = None) -> Post:
    """Quote or boost an own post."""
    if reference == "boost":
        return source.write("", repost=to)
    return source.write(
        f"About {to.id}", quote=to, reply_to=None if reply_to is None else reply_to.id
    )


async def refers(rig: Rig, second: Post, first: Post) -> bool:
    """Whether the mirror of `second` refers to that of `first`, in the way its network can."""
    one, other = await rig.record(first.id), await rig.record(second.id)
    assert other.state is PostState.DELIVERED, (other.verdict, other.notes)
    part, mirror = other.parts[0].part, one.parts[0]
    if second.repost is not None:
        return part.repeat == mirror.target_id
    if other.route == HOME:
        return part.quote == mirror.target_id and "://" not in part.text
    return mirror.target_url is not None and mirror.target_url in part.text


@pytest.fixture
async def daemon(rig: Rig) -> Daemon:
    rig.boosts = "own"
    return await rig.started()


@ROUTES
@REFERENCES
async def test_a_post_and_its_quote_or_boost_cross_in_one_pass(
    rig: Rig, daemon: Daemon, route: Route, reference: str
) -> None:
    source, target = ends(rig, route)
    first = source.write("First")
    second = refer(source, reference, first)
    third = refer(source, "quote", second) if reference == "quote" else None
    await daemon.once()
    assert await refers(rig, second, first)
    assert third is None or await refers(rig, third, second)
    await rig.pass_time(daemon, 120, step=40)
    assert len(target.published) == (3 if third else 2)


@ROUTES
@REFERENCES
async def test_a_quote_or_boost_within_the_delay_refers_to_the_mirror(
    rig: Rig, route: Route, reference: str
) -> None:
    rig.boosts, rig.delay = "own", timedelta(minutes=5)
    daemon = await rig.started()
    source, _ = ends(rig, route)
    first = source.write("First")
    await rig.pass_time(daemon, 60)
    second = refer(source, reference, first)
    await rig.pass_time(daemon, 60)
    assert await rig.state(second.id) is PostState.PLANNED
    await rig.restart()
    daemon = rig.daemon()
    await rig.pass_time(daemon, 420, step=60)
    assert await refers(rig, second, first)


@ROUTES
@REFERENCES
@pytest.mark.parametrize("lost", [False, True])
async def test_it_waits_while_the_first_mirror_is_late_and_others_pass_it(
    rig: Rig, daemon: Daemon, route: Route, reference: str, *, lost: bool
) -> None:
    source, target = ends(rig, route)
    first = source.write("First")
    target.answers = [InDoubt("reset") if lost else LATER]
    second = refer(source, reference, first)
    other = source.write("Something else")
    await daemon.once()
    assert await rig.state(second.id) is PostState.PLANNED
    for _ in range(2):
        await rig.restart()
        daemon = rig.daemon()
        await rig.pass_time(daemon, 120, step=40)
    assert await refers(rig, second, first)
    assert await rig.state(other.id) is PostState.DELIVERED


async def put_off(rig: Rig, post: Post, seconds: float) -> None:
    """Have the first part of a post be due only later."""
    part = (await rig.record(post.id)).parts[0]
    later = rig.clock.now() + timedelta(seconds=seconds)
    await rig.ledger.settle(part.key, PartEvent.PUT_OFF, rig.clock.now(), not_before=later)


async def planned_pair(rig: Rig, route: Route, reference: str) -> tuple[Daemon, Post, Post]:
    """A daemon, a planned post, and a planned one that waits for its mirror."""
    rig.boosts, rig.delay = "own", timedelta(minutes=1)
    daemon = await rig.started()
    source, _ = ends(rig, route)
    first = source.write("First")
    second = refer(source, reference, first)
    await daemon.once()
    assert await rig.state(second.id) is PostState.PLANNED
    return daemon, first, second


def fallen_back(record: PostRecord, first: Post) -> bool:
    """Whether a post went, or stays, as one whose reference has no mirror."""
    if not record.parts[0].part.repeat:
        assert first.url is not None
        return record.state is PostState.DELIVERED and first.url in record.parts[0].part.text
    return (record.state, record.verdict.reason) == (
        PostState.DROPPED,
        Reason.REPOST_WITHOUT_MIRROR,
    )


@ROUTES
@REFERENCES
async def test_it_waits_no_longer_than_its_time_and_blocks_nothing(
    rig: Rig, route: Route, reference: str
) -> None:
    daemon, first, second = await planned_pair(rig, route, reference)
    source, target = ends(rig, route)
    limit = LONGEST_WAIT_FOR_MIRROR.total_seconds()
    await put_off(rig, first, 3 * limit)
    third = source.write("Third")
    fourth = refer(source, "quote", second)
    await rig.pass_time(daemon, limit, step=300)
    assert await rig.state(second.id) is PostState.PLANNED
    assert await rig.state(third.id) is PostState.DELIVERED
    assert await rig.ledger.due_at(route) is not None
    await rig.restart()
    daemon = rig.daemon()
    await rig.pass_time(daemon, 600, step=300)
    assert fallen_back(await rig.record(second.id), first)
    assert await rig.state(fourth.id) is PostState.DELIVERED
    assert await rig.state(first.id) is PostState.PLANNED
    await rig.pass_time(daemon, 3 * limit, step=900)
    assert [part.text for part, _, _ in target.published].count("First") == 1


async def test_the_lane_comes_back_when_the_wait_is_over(rig: Rig) -> None:
    daemon, first, second = await planned_pair(rig, HOME, "quote")
    await put_off(rig, first, 10 * 3600)
    (lane,) = [lane for lane in daemon.lanes if lane.plan.route == HOME]
    ends_at = rig.clock.now() + timedelta(minutes=1) + LONGEST_WAIT_FOR_MIRROR
    again = await lane.turn(read=False)
    assert again == ends_at
    rig.clock.pass_time((again - rig.clock.now()).total_seconds())
    await lane.turn(read=False)
    assert fallen_back(await rig.record(second.id), first)


@ROUTES
@REFERENCES
@pytest.mark.parametrize("fate", ["refused", "dropped", "deleted", "withdrawn"])
async def test_once_the_first_mirror_will_not_come_it_goes_without(
    rig: Rig, route: Route, reference: str, fate: str
) -> None:
    daemon, first, second = await planned_pair(rig, route, reference)
    source, target = ends(rig, route)
    part = (await rig.record(first.id)).parts[0]
    if fate == "refused":
        target.refuse_at = 1
    elif fate == "dropped":
        await rig.ledger.settle(part.key, PartEvent.OWNER_DROPS, rig.clock.now())
    elif fate == "deleted":
        await rig.ledger.settle(part.key, PartEvent.RETRACTED, rig.clock.now())
    else:
        source.edit(first, "First #noxp")
    await rig.pass_time(daemon, 120, step=40)
    assert fallen_back(await rig.record(second.id), first)


@ROUTES
@REFERENCES
async def test_while_the_first_one_is_on_hold_it_waits_for_its_owner(
    rig: Rig, route: Route, reference: str
) -> None:
    daemon, first, second = await planned_pair(rig, route, reference)
    part = (await rig.record(first.id)).parts[0]
    await rig.ledger.settle(part.key, PartEvent.HELD_BACK, rig.clock.now())
    await rig.pass_time(daemon, 300, step=100)
    assert await rig.state(second.id) is PostState.PLANNED
    await rig.ledger.settle(part.key, PartEvent.OWNER_SAYS_RETRY, rig.clock.now())
    await rig.pass_time(daemon, 60)
    assert await refers(rig, second, first)


async def test_a_quote_inside_a_thread_waits_for_both(rig: Rig, daemon: Daemon) -> None:
    quoted = rig.x.write("Quoted")
    root = rig.x.write("Root")
    inside = refer(rig.x, "quote", quoted, reply_to=root)
    below = rig.x.write("Below", reply_to=inside.id)
    await daemon.once()
    assert await refers(rig, inside, quoted)
    above = {part.text: reply_to for part, reply_to, _ in rig.mastodon.published}
    assert above[f"About {quoted.id}"] == (await rig.record(root.id)).parts[0].target_id
    assert above["Below"] == (await rig.record(inside.id)).parts[0].target_id
    assert await rig.state(below.id) is PostState.DELIVERED


async def test_a_boost_is_not_sent_twice_and_not_echoed(rig: Rig, daemon: Daemon) -> None:
    first = rig.mastodon.write("First")
    boost = refer(rig.mastodon, "boost", first)
    await rig.pass_time(daemon, 300, step=100)
    assert await refers(rig, boost, first)
    assert len(rig.x.published) == 2
    assert rig.mastodon.published == []


async def test_an_edit_while_it_waits_is_what_is_sent(rig: Rig) -> None:
    daemon, first, second = await planned_pair(rig, HOME, "quote")
    edited = rig.x.edit(second, "Better words")
    await rig.pass_time(daemon, 120, step=40)
    assert await refers(rig, edited, first)
    assert [part.text for part, _, _ in rig.mastodon.published] == ["First", "Better words"]


async def test_the_time_of_an_outage_does_not_count_against_the_wait(rig: Rig) -> None:
    daemon, first, second = await planned_pair(rig, HOME, "quote")
    rig.mastodon.answers = [DOWN] * 400
    await rig.pass_time(daemon, 5 * 3600, step=600)
    rig.mastodon.answers = []
    await rig.pass_time(daemon, 3600, step=600)
    assert await refers(rig, second, first)


async def test_an_order_by_age_is_kept_when_everything_is_well(rig: Rig, daemon: Daemon) -> None:
    first = rig.x.write("1")
    refer(rig.x, "quote", first)
    rig.x.write("3")
    await daemon.once()
    texts = [part.text for part, _, _ in rig.mastodon.published]
    assert texts == ["1", f"About {first.id}", "3"]


async def dearer_pair(rig: Rig) -> tuple[Daemon, Post]:
    """A daemon, and a planned quote that costs more once it links to the mirror on X."""
    rig.x.host = "x.com"
    daemon, _, second = await planned_pair(rig, OUT, "quote")
    assert (await rig.record(second.id)).parts[0].part.price == X_PRICES.create
    return daemon, second


async def test_the_price_is_that_of_what_is_sent(rig: Rig) -> None:
    daemon, second = await dearer_pair(rig)
    await rig.pass_time(daemon, 120, step=40)
    record = await rig.record(second.id)
    assert record.parts[0].part.price == record.cost == X_PRICES.create_with_link
    usage = await rig.ledger.usage(OUT.bridge, rig.clock.now())
    assert usage.spent == X_PRICES.create + X_PRICES.create_with_link


async def test_the_budget_of_a_month_counts_the_link_to_the_mirror(rig: Rig) -> None:
    rig.budget = Budget(X_PRICES.create_with_link)
    daemon, second = await dearer_pair(rig)
    await rig.pass_time(daemon, 300, step=100)
    assert await rig.state(second.id) is PostState.PLANNED
    assert len(rig.x.published) == 1


async def test_a_quote_that_costs_more_with_its_link_is_put_to_its_owner(rig: Rig) -> None:
    rig.policy = Policy(held_above=X_PRICES.create)
    daemon, second = await dearer_pair(rig)
    await rig.pass_time(daemon, 300, step=100)
    assert await rig.state(second.id) is PostState.HELD
    for part in (await rig.record(second.id)).parts:
        await rig.ledger.settle(part.key, PartEvent.OWNER_SAYS_RETRY, rig.clock.now())
    await rig.pass_time(daemon, 300, step=100)
    assert await rig.state(second.id) is PostState.DELIVERED


async def test_what_waits_for_money_goes_in_order_once_there_is_some(rig: Rig) -> None:
    rig.budget = Budget(Microdollars(2 * X_PRICES.create - 1))
    await rig.started()
    rig.mastodon.write("Nearly all there was")
    daemon, first, second = await planned_pair(rig, OUT, "quote")
    await rig.pass_time(daemon, 4 * 3600, step=900)
    assert len(rig.x.published) == 1
    rig.budget = Budget(X_PRICES.create_with_link)
    daemon = rig.daemon()
    await rig.pass_time(daemon, 60)
    assert await refers(rig, second, first)


async def test_history_and_preview_say_what_it_waits_for(rig: Rig) -> None:
    daemon, first, second = await planned_pair(rig, HOME, "quote")
    waiting = f"waits up to 2 hours for the mirror of {first.id}, which it quotes"
    assert timedelta(hours=2) == LONGEST_WAIT_FOR_MIRROR
    assert (await rig.record(second.id)).notes == (waiting,)
    plan = next(lane.plan for lane in daemon.lanes if lane.plan.route == HOME)
    shown = await preview(plan, second, rig.clock.now(), rig.ledger)
    assert shown.draft is not None
    assert shown.draft.notes == (waiting,)
    await rig.pass_time(daemon, 120, step=40)
    assert "the mirror of the quoted post is quoted" in (await rig.record(second.id)).notes


@ROUTES
async def test_whatever_happens_on_the_way_every_reference_is_right_in_the_end(
    rig: Rig, route: Route
) -> None:
    rig.boosts, rig.delay = "own", timedelta(seconds=40)
    daemon = await rig.started()
    source, target = ends(rig, route)
    for seed in range(2):
        chance = random.Random(seed)
        posts: list[Post] = []
        about: dict[PostId, Post] = {}
        for _ in range(10):
            rig.clock.pass_time(chance.choice((0, 1, 20)))
            named = chance.choice(posts) if posts else None
            if named is None or named.repost is not None or chance.random() < 0.3:
                posts.append(source.write(f"Post {seed} {len(posts)}"))
            else:
                kind = chance.choice(("quote", "boost"))
                posts.append(refer(source, kind, named))
                about[posts[-1].id] = named
            if chance.random() < 0.4:
                target.answers.append(
                    chance.choice((DOWN, LATER, InDoubt("reset"), (True, InDoubt("reset"))))
                )
            if chance.random() < 0.4:
                await daemon.once()
            if chance.random() < 0.15:
                await rig.restart()
                daemon = rig.daemon()
        target.answers.clear()
        await rig.pass_time(daemon, 900, step=30)
        for post in posts:
            assert await rig.state(post.id) is PostState.DELIVERED, (seed, post.id)
            if post.id in about:
                assert await refers(rig, post, about[post.id]), (seed, post.id)
