"""Deletions: followed to the last part, and only when it is sure that the author made them.

Bars of docs/reliability.md: R16.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import InDoubt, Refused, Throttled, Transient, Unauthorised
from bridge.core.events import RoutePaused, RouteResumed
from bridge.core.model import Post, Visibility
from bridge.core.policy import Policy
from bridge.core.prices import X_PRICES
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, OUT, Rig

LONG = "The bridge keeps its promises, one sentence at a time. "
LOST = (True, InDoubt("reset"))
SIX_HOURS = 6 * 3600


async def mirrored(rig: Rig, *texts: str) -> tuple[Daemon, list[Post]]:
    """A daemon, and toots that it has mirrored; there is an older one that it has not."""
    rig.mastodon.write("From before the bridge")
    rig.x.write("From before the bridge, there")
    daemon = await rig.started()
    toots = []
    for text in texts or ("Soon gone",):
        rig.clock.pass_time(60)
        toots.append(rig.mastodon.write(text))
        await daemon.once()
    assert {await rig.state(toot.id) for toot in toots} == {PostState.DELIVERED}
    rig.clock.pass_time(60)
    return daemon, toots


def left_on_x(rig: Rig) -> list[str]:
    return [post.text.plain for post in rig.x.posts[1:]]


async def test_what_is_deleted_on_mastodon_is_deleted_on_x_last_part_first(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig, LONG * 8)
    parts = [part.target_id for part in (await rig.record(toot.id)).parts]
    assert len(parts) == 2
    rig.mastodon.remove(toot)
    await daemon.once()
    assert rig.x.deleted == parts[::-1]
    record = await rig.record(toot.id)
    assert record.state is PostState.REMOVED
    assert record.gone
    assert "deleted on mastodon, and so is its mirror" in record.notes
    assert record.cost == 2 * X_PRICES.create + 2 * X_PRICES.delete


async def test_what_is_deleted_on_x_is_seen_on_schedule_and_deleted_on_mastodon(rig: Rig) -> None:
    rig.recheck_every = timedelta(hours=6)
    rig.x.write("From before the bridge")
    daemon = await rig.started()
    rig.clock.pass_time(60)
    tweet = rig.x.write("Soon gone")
    await daemon.once()
    await rig.pass_time(daemon, 600, step=60)
    assert rig.x.windows == 1
    rig.x.remove(tweet)
    await rig.pass_time(daemon, 3600, step=600)
    assert rig.x.windows == 1
    await rig.restart()
    await rig.pass_time(rig.daemon(), SIX_HOURS, step=600)
    assert rig.x.windows == 2
    assert rig.mastodon.posts == []
    assert await rig.state(tweet.id) is PostState.REMOVED
    spent = (await rig.ledger.status(HOME, rig.clock.now())).spent_month
    assert spent == X_PRICES.owned_read * (2 + 1)


async def test_where_reading_costs_nothing_is_read_again_but_when_asked_for(rig: Rig) -> None:
    rig.x.write("From before the bridge")
    daemon = await rig.started()
    rig.clock.pass_time(60)
    tweet = rig.x.write("Soon gone")
    await daemon.once()
    rig.x.remove(tweet)
    await rig.pass_time(daemon, SIX_HOURS, step=600)
    assert rig.x.windows == 0
    await daemon.once(recheck=True)
    assert rig.x.windows == 1
    assert rig.mastodon.posts == []


async def test_nothing_is_read_again_while_nothing_is_mirrored(rig: Rig) -> None:
    rig.recheck_every = timedelta(hours=6)
    daemon = await rig.started()
    rig.mastodon.write("For few", visibility=Visibility.FOLLOWERS)
    await rig.pass_time(daemon, 600)
    assert rig.mastodon.windows == 0
    assert rig.x.windows == 0


async def test_what_a_page_does_not_reach_is_not_taken_for_deleted(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.mastodon.remove(toot)
    for number in range(45):
        rig.mastodon.write(f"For few {number}", visibility=Visibility.FOLLOWERS)
    await rig.pass_time(daemon, 60)
    assert left_on_x(rig) == ["Soon gone"]
    assert rig.mastodon.look_ups == [toot.id]  # when it left


async def test_an_empty_page_deletes_nothing(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.mastodon.forgotten = len(rig.mastodon.posts)
    await rig.pass_time(daemon, 60)
    assert left_on_x(rig) == ["Soon gone"]
    assert toot.id in rig.mastodon.look_ups[1:]


async def test_an_absence_is_believed_only_once_the_post_itself_was_asked_for(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.mastodon.forgotten = 1
    await rig.pass_time(daemon, 60)
    assert left_on_x(rig) == ["Soon gone"]
    assert toot.id in rig.mastodon.look_ups[1:]


@pytest.mark.parametrize(
    "error",
    [Unauthorised("HTTP 401", status=401), Refused("HTTP 403"), Transient("HTTP 502")],
    ids=["401", "403", "502"],
)
async def test_without_a_clear_answer_nothing_is_deleted(
    rig: Rig, error: Unauthorised | Refused | Transient
) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.mastodon.remove(toot)
    rig.mastodon.look_up_errors = [error]
    await daemon.once()
    assert left_on_x(rig) == ["Soon gone"]
    other = rig.mastodon.write("Goes on")
    rig.clock.pass_time(1)
    await daemon.once()
    assert await rig.state(other.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 3600, step=60)
    assert left_on_x(rig) == ["Goes on"]


async def test_one_post_of_which_nothing_clear_is_said_does_not_keep_the_others(rig: Rig) -> None:
    daemon, (first, second) = await mirrored(rig, "Unclear", "Soon gone")
    rig.mastodon.remove(first)
    rig.mastodon.remove(second)
    rig.mastodon.look_up_errors = [Refused("HTTP 403", status=403)]
    await daemon.once()
    assert left_on_x(rig) == ["Unclear"]


async def test_when_much_vanishes_at_once_the_owner_is_asked(rig: Rig) -> None:
    daemon, toots = await mirrored(rig, *(f"Post {number}" for number in range(8)))
    for toot in toots[1:7]:
        rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 600, step=60)
    assert len(left_on_x(rig)) == 8
    (paused,) = [e for e in rig.events if isinstance(e, RoutePaused)]
    assert "6 of 8 mirrored posts are no longer there" in paused.detail
    assert "twinpost once --recheck --deleted" in paused.detail
    assert daemon.lanes[0].closed
    other = rig.mastodon.write("Goes on")
    await daemon.once()
    assert await rig.state(other.id) is PostState.DELIVERED
    await daemon.once(recheck=True, deleted=True)
    assert left_on_x(rig) == ["Post 0", "Post 7", "Goes on"]
    assert len([e for e in rig.events if isinstance(e, RouteResumed)]) == 1


async def test_when_it_comes_back_the_owner_is_not_asked_any_more(rig: Rig) -> None:
    daemon, toots = await mirrored(rig, *(f"Post {number}" for number in range(4)))
    there = list(rig.mastodon.posts)
    for toot in toots:
        rig.mastodon.remove(toot)
    await daemon.once()
    assert daemon.lanes[0].closed
    rig.mastodon.posts[:] = there
    await daemon.once()
    assert not daemon.lanes[0].closed
    assert len(left_on_x(rig)) == 4


async def test_what_was_not_sent_yet_is_not_sent(rig: Rig) -> None:
    rig.delay = timedelta(minutes=5)
    daemon = await rig.started()
    rig.mastodon.write("Stays")
    rig.clock.pass_time(1)
    toot = rig.mastodon.write("Soon gone")
    await daemon.once()
    rig.mastodon.remove(toot)
    await daemon.once()
    record = await rig.record(toot.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.sentence.startswith("deleted: ")
    await rig.pass_time(daemon, 400)
    assert [part.text for part, _, _ in rig.x.published] == ["Stays"]


async def test_by_choice_deletions_are_not_followed_but_nothing_new_is_sent(rig: Rig) -> None:
    rig.policy = replace(Policy(), deletes="ignore")
    daemon, (toot,) = await mirrored(rig)
    rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 120)
    record = await rig.record(toot.id)
    assert left_on_x(rig) == ["Soon gone"]
    assert record.state is PostState.DELIVERED
    assert "deleted on mastodon; `deletes` says to keep its mirror" in record.notes
    assert rig.mastodon.look_ups.count(toot.id) == 2


async def test_a_part_in_doubt_is_proven_first_and_then_deleted(rig: Rig) -> None:
    rig.mastodon.write("From before the bridge")
    daemon = await rig.started()
    rig.clock.pass_time(60)
    rig.x.answers = [LOST]
    toot = rig.mastodon.write("Soon gone")
    lane = daemon.lanes[0]
    await lane.turn(read=True)
    rig.mastodon.remove(toot)
    await lane.turn(read=True)
    assert await rig.state(toot.id) is PostState.IN_DOUBT
    assert len(rig.x.posts) == 1
    await rig.pass_time(daemon, 180)
    assert rig.x.posts == []
    assert await rig.state(toot.id) is PostState.REMOVED


async def test_a_thread_that_breaks_off_by_a_deletion_is_not_continued(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.delay = timedelta(minutes=5)
    child = rig.mastodon.write("Continues", reply_to=toot.id)
    patient = rig.daemon()
    await patient.once()
    rig.mastodon.remove(toot)
    await rig.pass_time(patient, 400)
    assert left_on_x(rig) == []
    assert (await rig.record(child.id)).parts[0].state is PartState.FAILED
    del daemon


async def test_a_deletion_is_repeated_until_it_is_sure(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.x.delete_answers = [
        Throttled("50 in 15 min"),
        Transient("HTTP 503"),
        LOST,
        InDoubt("time-out"),
    ]
    rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 900)
    record = await rig.record(toot.id)
    assert record.state is PostState.REMOVED
    # Twice it is not known whether it was done and charged.
    assert record.cost == X_PRICES.create + 3 * X_PRICES.delete


async def test_a_deletion_that_is_refused_is_said_with_what_to_do(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.x.delete_answers = [Refused("HTTP 403: no", status=403)]
    rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 300)
    record = await rig.record(toot.id)
    assert record.state is PostState.DELIVERED
    assert any("delete it by hand: https://x.example/" in note for note in record.notes)
    assert rig.mastodon.look_ups.count(toot.id) == 2


async def test_a_mirror_that_its_owner_deleted_by_hand_is_deleted_already(rig: Rig) -> None:
    daemon, (toot,) = await mirrored(rig)
    rig.x.remove(rig.x.posts[-1])
    rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 60)
    assert await rig.state(toot.id) is PostState.REMOVED


async def test_a_mirror_deleted_by_hand_deletes_no_original(rig: Rig) -> None:
    rig.recheck_every = timedelta(minutes=1)
    daemon, (toot,) = await mirrored(rig)
    rig.x.remove(rig.x.posts[-1])
    await rig.pass_time(daemon, 600, step=60)
    assert toot in rig.mastodon.posts
    assert rig.mastodon.deleted == []
    assert (await rig.ledger.status(OUT, rig.clock.now())).planned == 0


async def found_by_its_picture_alone(rig: Rig) -> tuple[Daemon, Post, Post]:
    """A daemon, a toot of one picture that was lost on its way, and what was taken for it."""
    daemon, _ = await mirrored(rig)
    rig.x.answers = [InDoubt("reset")]
    toot = rig.mastodon.write("", media=[rig.mastodon.picture("cat")])
    await daemon.once()
    own = rig.x.write("", media=[rig.x.picture("dog")])
    await rig.pass_time(daemon, 120)
    assert (await rig.record(toot.id)).parts[0].target_id == own.id
    return daemon, toot, own


async def test_what_was_taken_for_a_mirror_by_its_picture_alone_is_never_deleted(rig: Rig) -> None:
    daemon, toot, own = await found_by_its_picture_alone(rig)
    rig.mastodon.remove(toot)
    await rig.pass_time(daemon, 120)
    assert own in rig.x.posts
    assert rig.x.deleted == []
    told = [note for note in (await rig.record(toot.id)).notes if "by hand" in note]
    assert told
    assert all(str(own.url) in note for note in told)


async def test_what_was_taken_for_a_mirror_by_its_picture_alone_is_never_edited(rig: Rig) -> None:
    daemon, toot, own = await found_by_its_picture_alone(rig)
    rig.mastodon.edit(toot, "A word at last")
    await rig.pass_time(daemon, 120)
    assert own in rig.x.posts
    assert rig.x.revised == []
    (part,) = (await rig.record(toot.id)).parts
    assert part.state is PartState.DELIVERED
    assert any("shows what it said before" in note for note in (await rig.record(toot.id)).notes)
