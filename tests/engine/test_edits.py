"""Edits: what stands is edited where it stands, and an edit never makes a second post.

Bars of docs/reliability.md: R16.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.capabilities import Capabilities
from bridge.core.delivery import PartState, PostState
from bridge.core.errors import InDoubt, Refused, Throttled, Transient
from bridge.core.model import Post
from bridge.core.policy import Policy
from bridge.core.prices import X_PRICES
from bridge.engine.supervise import Daemon
from tests.engine.conftest import HOME, Rig

LOST = (True, InDoubt("reset"))
LONG = "The bridge keeps its promises, one sentence at a time. "


async def mirrored(rig: Rig, text: str = "Frist post", *, pictures: int = 0) -> tuple[Daemon, Post]:
    """A daemon, and a toot that it has mirrored."""
    daemon = await rig.started()
    media = [rig.mastodon.picture(f"pet{number}") for number in range(pictures)]
    toot = rig.mastodon.write(text, media=media)
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED
    rig.clock.pass_time(60)
    return daemon, toot


async def test_an_edit_on_mastodon_edits_the_mirror_on_x(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.mastodon.edit(toot, "First post")
    await daemon.once()
    assert rig.x.shown() == [("First post", ())]
    record = await rig.record(toot.id)
    assert record.state is PostState.DELIVERED
    assert record.parts[0].target_id == rig.x.posts[0].id
    assert record.cost == 2 * X_PRICES.create
    assert "part 1 edited there" in record.notes
    await rig.pass_time(daemon, 300)
    assert len(rig.x.revised) == 1
    assert len(rig.mastodon.posts) == 1


async def test_an_edit_on_x_edits_the_mirror_on_mastodon(rig: Rig) -> None:
    daemon = await rig.started()
    tweet = rig.x.write("Frist post", media=[rig.x.picture()])
    await daemon.once()
    rig.clock.pass_time(60)
    edited = rig.x.edit(tweet, "First post")
    await daemon.once()
    assert rig.mastodon.shown() == [("First post", ("https://files.x.example/cat.png",))]
    for name in (tweet.id, edited.id):
        assert await rig.state(name) is PostState.DELIVERED
    await rig.pass_time(daemon, 300)
    assert len(rig.mastodon.revised) == 1
    assert len(rig.x.posts) == 1


async def test_the_mirror_is_known_by_the_name_it_had_before_it_was_edited(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    before = rig.x.posts[0]
    rig.mastodon.edit(toot, "First post")
    await daemon.once()
    assert toot.id in {record.source for record in await rig.ledger.find(before.id)}
    reply = rig.x.write("And second", reply_to=before.id)
    await daemon.once()
    sent = {part.text: above for part, above, _ in rig.mastodon.published}
    assert sent == {"And second": toot.id}
    assert await rig.state(reply.id) is PostState.DELIVERED


async def test_pictures_that_stay_are_kept_and_not_uploaded_again(rig: Rig) -> None:
    daemon, toot = await mirrored(rig, pictures=2)
    rig.mastodon.edit(toot, "Pets")
    await daemon.once()
    assert len(rig.x.media) == 2
    assert [len(media) for _, media in rig.x.shown()] == [2]


async def test_only_what_is_new_among_the_pictures_is_uploaded(rig: Rig) -> None:
    daemon, toot = await mirrored(rig, pictures=2)
    first, second = toot.media
    rig.mastodon.edit(toot, "Pets", media=[second, rig.mastodon.picture("bird")])
    await daemon.once()
    names = tuple(f"https://files.mastodon.example/{name}.png" for name in ("pet1", "bird"))
    assert rig.x.shown() == [("Pets", names)]
    assert len(rig.x.media) == 3
    assert first not in rig.x.posts[0].media


async def test_a_mirror_grows_and_shrinks_with_its_post(rig: Rig) -> None:
    daemon, toot = await mirrored(rig, LONG * 8)
    two = [post.id for post in rig.x.posts]
    longer = rig.mastodon.edit(toot, LONG * 14)
    await rig.pass_time(daemon, 60)
    grown = await rig.record(toot.id)
    assert grown.state is PostState.DELIVERED
    assert len(rig.x.posts) == 3 > len(two)
    texts = {post.id: post.text.plain for post in rig.x.posts}
    assert [texts[part.target_id] for part in grown.parts if part.target_id] == [
        part.part.text for part in grown.parts
    ]
    rig.mastodon.edit(longer, "Short after all")
    await rig.pass_time(daemon, 60)
    assert [post.text.plain for post in rig.x.posts] == ["Short after all"]
    assert len(rig.x.deleted) == 2
    assert rig.x.deleted == [part.target_id for part in reversed(grown.parts[1:])]
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_what_was_not_sent_yet_is_sent_as_it_was_edited(rig: Rig) -> None:
    rig.delay = timedelta(minutes=5)
    daemon = await rig.started()
    toot = rig.mastodon.write("Frist post")
    await daemon.once()
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 400)
    assert rig.x.shown() == [("First post", ())]
    assert rig.x.revised == []


async def test_an_edit_between_reading_and_sending_is_noticed_right_before_it_leaves(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.x.answers = [Throttled("later", until=rig.clock.now() + timedelta(minutes=2))]
    toot = rig.mastodon.write("Frist post")
    await daemon.once()
    rig.mastodon.edit(toot, "First post")
    rig.clock.pass_time(130)
    await daemon.lanes[0].turn(read=False)
    assert [part.text for part, _, _ in rig.x.published] == ["First post"]


async def test_an_edit_while_a_part_is_in_doubt_waits_for_its_proof(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [LOST]
    toot = rig.mastodon.write("Frist post")
    lane = daemon.lanes[0]
    await lane.turn(read=True)
    rig.mastodon.edit(toot, "First post")
    await lane.turn(read=True)
    assert await rig.state(toot.id) is PostState.IN_DOUBT
    await rig.restart()
    await rig.pass_time(rig.daemon(), 180)
    assert rig.x.shown() == [("First post", ())]
    assert len(rig.x.published) == 1
    assert await rig.state(toot.id) is PostState.DELIVERED


async def test_what_shows_the_same_as_before_is_not_edited(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.mastodon.edit(toot, toot.text.plain)
    await rig.pass_time(daemon, 60)
    assert rig.x.revised == []


async def test_after_its_hour_a_post_on_x_stays_as_it_is_and_that_is_said(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.clock.pass_time(3600)
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 60)
    assert rig.x.shown() == [("Frist post", ())]
    notes = (await rig.record(toot.id)).notes
    assert any("can be edited on x for 60 minutes only" in note for note in notes)


async def test_without_premium_nothing_on_x_is_edited_and_that_is_said(rig: Rig) -> None:
    rig.x.premium = False
    daemon, toot = await mirrored(rig)
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 60)
    assert rig.x.shown() == [("Frist post", ())]
    notes = (await rig.record(toot.id)).notes
    assert any("cannot be edited on x by this account" in note for note in notes)


async def test_by_choice_what_cannot_be_edited_is_deleted_and_posted_again(rig: Rig) -> None:
    rig.policy = replace(Policy(), reposting=True)
    rig.x.premium = False
    daemon, toot = await mirrored(rig, LONG * 8, pictures=1)
    old = [post.id for post in rig.x.posts]
    rig.mastodon.edit(toot, "Short, with a pet")
    await rig.pass_time(daemon, 120)
    assert rig.x.deleted == list(reversed(old))
    pet = ("https://files.mastodon.example/pet0.png",)
    assert rig.x.shown() == [("Short, with a pet", pet)]
    assert await rig.state(toot.id) is PostState.DELIVERED
    keys = [key for _, _, key in rig.x.published]
    assert len(keys) == len(set(keys))
    assert len(rig.mastodon.posts) == 1


async def test_by_choice_an_edit_is_told_in_a_reply(rig: Rig) -> None:
    rig.policy = replace(Policy(), edits="note")
    daemon, toot = await mirrored(rig)
    mirror = rig.x.posts[0].id
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 60)
    part, above, _ = rig.x.published[-1]
    assert (part.text, above) == ("Edited:\n\nFirst post", mirror)
    assert rig.x.revised == []
    await rig.pass_time(daemon, 300)
    assert len(rig.x.published) == 2
    assert len(rig.mastodon.posts) == 1


async def test_by_choice_edits_are_not_followed(rig: Rig) -> None:
    rig.policy = replace(Policy(), edits="ignore")
    daemon, toot = await mirrored(rig)
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 60)
    assert rig.x.shown() == [("Frist post", ())]
    assert "edited; `edits` says to leave its mirror as it was" in (await rig.record(toot.id)).notes


async def test_an_edit_that_ended_unclear_is_repeated_where_that_is_free(rig: Rig) -> None:
    daemon = await rig.started()
    tweet = rig.x.write("Frist post")
    await daemon.once()
    rig.clock.pass_time(60)
    rig.mastodon.edit_answers = [InDoubt("time-out")]
    edited = rig.x.edit(tweet, "First post")
    await rig.pass_time(daemon, 120)
    assert rig.mastodon.shown() == [("First post", ())]
    assert await rig.state(edited.id) is PostState.DELIVERED


@pytest.mark.parametrize("answer", [LOST, InDoubt("time-out")], ids=["made", "not-made"])
async def test_an_edit_that_ended_unclear_is_not_repeated_where_it_may_be_charged(
    rig: Rig, answer: tuple[bool, InDoubt] | InDoubt
) -> None:
    daemon, toot = await mirrored(rig)
    rig.x.edit_answers = [answer]
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 300)
    record = await rig.record(toot.id)
    assert record.state is PostState.DELIVERED
    assert any("may show what it said before" in note for note in record.notes)
    assert len(rig.x.revised) <= 1
    # Where it was made, the mirror has a new name, which the bridge learns by reading.
    assert record.parts[0].target_id == rig.x.posts[0].id
    assert len(rig.mastodon.posts) == 1


async def test_an_edit_is_tried_again_when_it_was_surely_not_made(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.x.edit_answers = [Transient("HTTP 503"), Throttled("later")]
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 180)
    assert rig.x.shown() == [("First post", ())]


async def test_an_edit_that_is_refused_leaves_the_mirror_and_says_so(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.x.edit_answers = [Refused("HTTP 403: no", status=403)]
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 180)
    record = await rig.record(toot.id)
    assert record.state is PostState.DELIVERED
    assert any("shows what it said before the edit: HTTP 403" in note for note in record.notes)


async def test_a_mirror_deleted_by_hand_is_not_brought_back_by_an_edit(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.x.remove(rig.x.posts[0])
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 180)
    assert rig.x.posts == []
    record = await rig.record(toot.id)
    assert record.state is PostState.REMOVED
    assert any("deleted there by hand" in note for note in record.notes)


async def test_an_edit_that_forbids_the_mirror_before_it_left_is_obeyed(rig: Rig) -> None:
    rig.delay = timedelta(minutes=5)
    daemon = await rig.started()
    toot = rig.mastodon.write("For all")
    await daemon.once()
    rig.mastodon.edit(toot, "For all but #noxp")
    await rig.pass_time(daemon, 400)
    assert rig.x.published == []
    assert (await rig.record(toot.id)).state is PostState.DROPPED


async def test_an_edit_of_an_edit_that_was_not_made_yet_makes_the_last_one(rig: Rig) -> None:
    daemon, toot = await mirrored(rig)
    rig.x.edit_answers = [Throttled("later", until=rig.clock.now() + timedelta(minutes=5))]
    second = rig.mastodon.edit(toot, "Second words")
    await daemon.once()
    rig.clock.pass_time(10)
    rig.mastodon.edit(second, "Third words")
    await rig.pass_time(daemon, 400)
    assert rig.x.shown() == [("Third words", ())]
    assert len(rig.x.revised) == 1


async def test_a_killed_process_leaves_no_edit_half_made(rig: Rig) -> None:
    daemon = await rig.started()
    tweet = rig.x.write("Frist post")
    await daemon.once()
    rig.clock.pass_time(60)
    rig.x.edit(tweet, "First post")

    async def cut_off(*_: object, **__: object) -> None:
        raise ConnectionAbortedError

    revise, settle = rig.mastodon.revise, rig.ledger.settle
    rig.mastodon.revise = cut_off  # type: ignore[method-assign, assignment]
    rig.ledger.settle = cut_off  # type: ignore[method-assign, assignment]
    await daemon.once()
    rig.mastodon.revise, rig.ledger.settle = revise, settle  # type: ignore[method-assign]
    (record,) = await rig.ledger.unfinished(HOME)
    assert record.state is PartState.REVISING
    await rig.restart()
    await rig.pass_time(rig.daemon(), 120)
    assert rig.mastodon.shown() == [("First post", ())]


async def test_a_target_that_does_not_say_what_it_takes_delays_an_edit_and_breaks_nothing(
    rig: Rig,
) -> None:
    daemon, toot = await mirrored(rig)
    capabilities, asked = rig.x.capabilities, 0

    async def silent(*, afresh: bool = False) -> Capabilities:
        nonlocal asked
        asked += 1
        if asked in {2, 3}:
            raise Transient("connection refused", unreachable=True)
        return await capabilities(afresh=afresh)

    rig.x.capabilities = silent  # type: ignore[method-assign]
    rig.mastodon.edit(toot, "First post")
    await rig.pass_time(daemon, 120)
    assert rig.x.shown() == [("First post", ())]
    assert not daemon.broke_off


async def test_an_edited_mirror_is_no_revision_of_what_was_written_in_the_same_moment(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    daemon.lanes[1].opposite = None
    toot, tweet = rig.mastodon.write("Written on Mastodon"), rig.x.write("Written on X")
    await daemon.lanes[1].turn(read=True)
    rig.x.edit(tweet, "Written on X, and edited")
    rig.clock.pass_time(1)
    await daemon.lanes[1].turn(read=True)
    assert [part.text for _, part in rig.mastodon.revised] == ["Written on X, and edited"]
    rig.delay = timedelta(seconds=60)
    await rig.pass_time(rig.daemon(), 120)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert [part.text for part, _, _ in rig.x.published] == ["Written on Mastodon"]
