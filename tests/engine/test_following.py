"""Edits and deletions are followed however old a post is, and whatever else was written since."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bridge.core.delivery import PostState
from bridge.core.errors import NetworkError, Refused, Throttled, Transient, Unauthorised
from bridge.core.events import RoutePaused
from bridge.core.model import Post, PostId
from bridge.core.policy import Policy
from bridge.engine import recheck
from bridge.engine.control import reason
from bridge.engine.deletions import A_DAY, MANY
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig

HOUR = 3600
SEEDS = range(3)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of a few posts, so that a few dozen posts are many."""
    monkeypatch.setattr(recheck, "FREE_WINDOW", 5)
    monkeypatch.setattr(recheck, "DEEP_WINDOW", 8)
    monkeypatch.setattr(recheck, "BATCH", 4)


async def mirrored(rig: Rig, count: int) -> tuple[Daemon, list[Post]]:
    """A daemon, and so many toots whose mirrors stand, a minute apart."""
    daemon = await rig.started()
    toots = []
    for number in range(count):
        rig.clock.pass_time(60)
        toots.append(rig.mastodon.write(f"Number {number}"))
    await daemon.once()
    assert len(rig.x.posts) == count
    rig.clock.pass_time(60)
    return daemon, toots


def numbers(rig: Rig) -> list[int]:
    """Which of the toots have a mirror."""
    return sorted(int(post.text.plain.split()[1]) for post in rig.x.posts)


def asked(rig: Rig) -> list[str]:
    """What the owner was asked."""
    events = [each for each in rig.events if isinstance(each, RoutePaused)]
    return [each.detail for each in events if "no longer there" in each.detail]


@pytest.mark.parametrize("gone", [0, 11, 19])
async def test_a_deleted_post_is_found_wherever_it_stood(rig: Rig, gone: int) -> None:
    daemon, toots = await mirrored(rig, 20)
    rig.mastodon.remove(toots[gone])
    await rig.pass_time(daemon, 7 * HOUR, step=900)
    assert numbers(rig) == [number for number in range(20) if number != gone]
    assert not asked(rig)


@pytest.mark.parametrize("count", [1, 2])
async def test_a_timeline_that_is_empty_now_is_no_exception(rig: Rig, count: int) -> None:
    daemon, toots = await mirrored(rig, count)
    for toot in toots:
        rig.mastodon.remove(toot)
    await daemon.once()
    assert rig.x.posts == []


async def test_the_only_post_on_x_is_noticed_as_well(rig: Rig) -> None:
    rig.recheck_every = timedelta(hours=6)
    daemon = await rig.started()
    rig.clock.pass_time(60)
    tweet = rig.x.write("Alone")
    await daemon.once()
    rig.x.remove(tweet)
    await rig.pass_time(daemon, 7 * HOUR, step=1800)
    assert rig.mastodon.posts == []


@pytest.mark.parametrize("place", [0, 9, 19])
async def test_a_hint_is_followed_at_once_wherever_the_post_stands(rig: Rig, place: int) -> None:
    daemon, toots = await mirrored(rig, 20)
    await daemon.once()
    rig.mastodon.remove(toots[place])
    daemon.lanes[0].hint(toots[place].id)
    await daemon.lanes[0].turn(read=False)
    assert place not in numbers(rig)
    assert len(numbers(rig)) == 19


async def test_a_hint_is_believed_for_what_its_look_up_says(rig: Rig) -> None:
    daemon, toots = await mirrored(rig, 20)
    await daemon.once()
    for toot in toots:
        daemon.lanes[0].hint(toot.id)
    await daemon.lanes[0].turn(read=False)
    assert len(numbers(rig)) == 20
    assert not asked(rig)


async def test_hints_at_others_posts_cost_nothing_and_are_bounded(rig: Rig) -> None:
    daemon, _ = await mirrored(rig, 3)
    reads, look_ups = rig.mastodon.reads, len(rig.mastodon.look_ups)
    for number in range(10 * recheck.HINTS):
        daemon.lanes[0].hint(PostId(f"stranger-{number}"))
    assert len(daemon.lanes[0]._recheck._hints) == recheck.HINTS
    await daemon.lanes[0].turn(read=False)
    assert (rig.mastodon.reads, len(rig.mastodon.look_ups)) == (reads, look_ups)
    assert not daemon.lanes[0]._recheck._hints


@pytest.mark.parametrize(
    "error",
    [Transient("HTTP 502", unreachable=True), Throttled("HTTP 429"), Unauthorised("HTTP 401")],
    ids=["502", "429", "401"],
)
async def test_a_hint_waits_until_its_look_up_is_answered(rig: Rig, error: NetworkError) -> None:
    daemon, toots = await mirrored(rig, 20)
    await daemon.once()
    rig.mastodon.remove(toots[0])
    rig.mastodon.look_up_errors = [error]
    daemon.lanes[0].hint(toots[0].id)
    await daemon.lanes[0].turn(read=False)
    assert 0 in numbers(rig)
    await rig.pass_time(daemon, HOUR, step=300)
    assert numbers(rig) == list(range(1, 20))


@pytest.mark.parametrize("hinted", [True, False], ids=["by a hint", "by the round"])
async def test_an_edit_of_an_old_post_is_followed_and_makes_no_second_one(
    rig: Rig, hinted: bool
) -> None:
    daemon, toots = await mirrored(rig, 20)
    await daemon.once()
    rig.clock.pass_time(600)
    edited = rig.mastodon.edit(toots[2], "Number 2 corrected")
    if hinted:
        daemon.lanes[0].hint(edited.id)
        await daemon.lanes[0].turn(read=False)
    else:
        await rig.pass_time(daemon, 8 * HOUR, step=1200)
    texts = [post.text.plain for post in rig.x.posts]
    assert len(texts) == 20
    if hinted:
        assert "Number 2 corrected" in texts
    else:
        assert any("its mirror shows" in note for note in (await rig.record(edited.id)).notes)


async def test_a_round_goes_on_after_a_restart_where_it_was(rig: Rig) -> None:
    daemon, toots = await mirrored(rig, 30)
    rig.mastodon.look_ups.clear()
    for _ in range(8):
        rig.clock.pass_time(60)
        await daemon.once()
        await rig.restart()
        daemon = rig.daemon()
    older = [toot.id for toot in toots[:22]]
    assert [each for each in rig.mastodon.look_ups if each in older] == older
    looked_up = len(rig.mastodon.look_ups)
    await rig.pass_time(daemon, 5 * HOUR, step=1800)
    assert len(rig.mastodon.look_ups) == looked_up
    await rig.pass_time(daemon, 3 * HOUR, step=600)
    assert set(rig.mastodon.look_ups[looked_up:]) >= set(older)
    assert len(rig.mastodon.look_ups[looked_up:]) < len(toots)


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_look_ups_answer_only_what_is_gone_is_deleted_and_all_of_it(
    rig: Rig, seed: int
) -> None:
    chance = Random(seed)
    daemon, toots = await mirrored(rig, 30)
    gone = chance.sample(range(30), 4)
    for number in gone:
        rig.mastodon.remove(toots[number])
        if chance.random() < 0.5:
            daemon.lanes[0].hint(toots[number].id)
    kinds = [
        Refused("HTTP 403", status=403),
        Transient("HTTP 404 of a proxy", status=404, unreachable=True),
        Transient("HTTP 500", status=500),
        Unauthorised("HTTP 401", status=401),
    ]
    for _ in range(20):
        rig.mastodon.look_up_errors = chance.choices(kinds, k=chance.randrange(6))
        await rig.pass_time(daemon, 300, step=300)
        assert set(numbers(rig)) >= set(range(30)) - set(gone)
        if chance.random() < 0.1:
            await rig.restart()
            daemon = rig.daemon()
    rig.mastodon.look_up_errors = []
    await rig.pass_time(daemon, 16 * HOUR, step=1800)
    assert numbers(rig) == sorted(set(range(30)) - set(gone))
    assert not asked(rig)


async def test_one_post_that_is_never_answered_for_does_not_stop_the_round(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, toots = await mirrored(rig, 30)
    rig.mastodon.remove(toots[9])
    look_up = rig.mastodon.look_up

    async def broken(post: PostId) -> Post | None:
        if post == toots[3].id:
            raise Transient("HTTP 500", status=500, unreachable=True)
        return await look_up(post)

    monkeypatch.setattr(rig.mastodon, "look_up", broken)
    await rig.pass_time(daemon, 8 * HOUR, step=600)
    assert numbers(rig) == [number for number in range(30) if number != 9]


async def test_who_denies_what_it_lists_is_not_believed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, toots = await mirrored(rig, 20)

    async def nothing(post: PostId) -> Post | None:
        rig.mastodon.look_ups.append(post)
        return None

    monkeypatch.setattr(rig.mastodon, "look_up", nothing)
    daemon.lanes[0].hint(toots[0].id)
    await rig.pass_time(daemon, HOUR, step=300)
    assert toots[0].id in rig.mastodon.look_ups
    assert len(numbers(rig)) == 20


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_mass_of_deletions_is_followed_without_its_owner(rig: Rig, seed: int) -> None:
    """However they are spread, and however they become known."""
    chance = Random(seed)
    daemon, toots = await mirrored(rig, 40)
    await daemon.once()
    hinted = chance.random() < 0.7
    waiting = list(toots[:-3]) if chance.random() < 0.5 else chance.sample(toots, 37)
    for _ in range(16):
        for _ in range(chance.randrange(8)):
            if waiting:
                rig.mastodon.remove(waiting[0])
                if hinted:
                    daemon.lanes[0].hint(waiting[0].id)
                del waiting[0]
        standing = len(numbers(rig))
        await rig.pass_time(daemon, 300, step=300)
        assert standing - len(numbers(rig)) <= MANY
        if chance.random() < 0.2:
            await rig.restart()
            daemon = rig.daemon()
    await rig.pass_time(daemon, 12 * HOUR, step=1800)
    assert len(numbers(rig)) >= 40 - A_DAY
    assert asked(rig)
    there = len(rig.mastodon.posts)
    for toot in toots:
        if toot not in rig.mastodon.posts and (await rig.record(toot.id)).missing:
            record = await rig.record(toot.id)
            assert "twinpost once --recheck --deleted" in reason(record)
    await daemon.once(recheck=True, deleted=True)
    assert len(numbers(rig)) == there
    assert not [each for each in daemon.lanes[0].closed if "no longer there" in str(each.error)]


async def test_what_waits_for_the_owner_is_looked_up_once_a_minute_however_often_it_is_read(
    rig: Rig,
) -> None:
    daemon, toots = await mirrored(rig, 30)
    for toot in toots[:20]:
        rig.mastodon.remove(toot)
        daemon.lanes[0].hint(toot.id)
    await rig.pass_time(daemon, 600, step=60)
    assert await rig.ledger.missing(OUT)
    rig.mastodon.look_ups.clear()
    await rig.pass_time(daemon, 120, step=2)
    assert 0 < len(rig.mastodon.look_ups) <= 3 * recheck.BATCH


async def test_what_waits_for_the_owner_is_let_go_where_it_comes_back(rig: Rig) -> None:
    daemon, toots = await mirrored(rig, 30)
    there = list(rig.mastodon.posts)
    for toot in toots[:20]:
        rig.mastodon.remove(toot)
        daemon.lanes[0].hint(toot.id)
    await rig.pass_time(daemon, 600, step=60)
    assert len(await rig.ledger.missing(OUT)) == 20
    await rig.restart()
    daemon = rig.daemon()
    await daemon.once()
    assert daemon.lanes[0].closed
    rig.mastodon.posts[:] = there
    await rig.pass_time(daemon, 1800, step=180)
    assert not daemon.lanes[0].closed
    assert not await rig.ledger.missing(OUT)
    assert len(numbers(rig)) == 30


async def test_automatic_deletion_at_the_pace_of_writing_is_followed_for_ever(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server deletes what is older than two days; ten posts a day are written."""
    monkeypatch.setattr(recheck, "BATCH", 10)
    daemon, _ = await mirrored(rig, 0)
    for number in range(45):
        rig.mastodon.write(f"Number {number}")
        age = rig.clock.now() - timedelta(days=2)
        for toot in [each for each in rig.mastodon.posts if each.created_at < age]:
            rig.mastodon.remove(toot)
        await rig.pass_time(daemon, 2.4 * HOUR, step=1.2 * HOUR)
    await rig.pass_time(daemon, 8 * HOUR, step=1200)
    left = [int(post.text.plain.split()[1]) for post in rig.mastodon.posts]
    assert numbers(rig) == left
    assert len(left) < 30
    assert not asked(rig)


async def test_who_keeps_mirrors_of_deleted_posts_is_not_asked(rig: Rig) -> None:
    rig.policy = replace(Policy(), deletes="ignore")
    daemon, toots = await mirrored(rig, 20)
    for toot in toots[:15]:
        rig.mastodon.remove(toot)
        daemon.lanes[0].hint(toot.id)
    await rig.pass_time(daemon, HOUR, step=300)
    assert len(numbers(rig)) == 20
    assert not asked(rig)
    assert all([(await rig.record(toot.id)).gone for toot in toots[:15]])


async def test_what_is_beyond_the_window_on_x_says_so(rig: Rig) -> None:
    rig.recheck_every = timedelta(hours=6)
    daemon = await rig.started()
    tweets = []
    for number in range(25):
        rig.clock.pass_time(60)
        tweets.append(rig.x.write(f"Number {number}"))
    await daemon.once()
    await rig.pass_time(daemon, 600, step=60)
    assert (await rig.ledger.status(HOME, rig.clock.now())).checked_since == tweets[5].created_at
    for number, tweet in enumerate(tweets):
        record = await rig.record(tweet.id)
        told = "not checked for deletion: beyond `recheck.window`" in reason(record)
        assert told is (number < 5)
    rig.x.remove(tweets[0])
    rig.x.remove(tweets[24])
    await rig.pass_time(daemon, 7 * HOUR, step=1800)
    left = [post.text.plain for post in rig.mastodon.posts]
    assert left == [f"Number {number}" for number in range(24)]
    assert "not checked" in reason(await rig.record(tweets[0].id))
    assert await rig.state(tweets[24].id) is PostState.REMOVED
    assert "not checked" not in reason(await rig.record(tweets[24].id))
