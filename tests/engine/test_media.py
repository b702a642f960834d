"""Media on their way: fetched first, uploaded once, paid once, left out only by choice.

Bars of docs/reliability.md: R6, R7.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.core.delivery import PartState, PostState
from bridge.core.errors import InDoubt, LeaseLost, Refused, Throttled, Transient
from bridge.core.events import RoutePaused
from bridge.core.model import Media
from bridge.core.policy import Policy
from bridge.core.prices import X_PRICES
from bridge.ledger.sqlite import open_ledger
from tests.engine.conftest import OUT, Rig

CAT = "https://files.mastodon.example/cat.png"
DOG = "https://files.mastodon.example/dog.png"
LOST = (True, InDoubt("reset"))


def pets(rig: Rig) -> list[Media]:
    return [rig.mastodon.picture("cat", alt="A cat"), rig.mastodon.picture("dog")]


async def test_pictures_cross_in_order_with_their_alt_texts(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Two pets", media=pets(rig))
    await daemon.once()
    assert rig.x.shown() == [("Two pets", (CAT, DOG))]
    assert [stored.alt for stored in rig.x.media.values()] == ["A cat", ""]
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert rig.files.left == []


async def test_every_upload_is_counted_beside_what_the_post_costs(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Two pets", media=pets(rig))
    await daemon.once()
    cost = X_PRICES.create + 2 * X_PRICES.media + X_PRICES.alt_text
    assert (await rig.record(toot.id)).cost == cost
    assert (await rig.ledger.status(OUT, rig.clock.now())).spent_month == cost


async def test_what_was_uploaded_before_a_failure_is_neither_sent_nor_paid_again(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Transient("HTTP 503")]
    toot = rig.mastodon.write("Two pets", media=pets(rig))
    await daemon.once()
    assert len(rig.x.media) == 2
    await rig.restart()
    await rig.pass_time(rig.daemon(), 60)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.media) == 2
    assert rig.files.fetched == [CAT, DOG]
    assert rig.files.left == []


async def test_an_upload_is_not_used_after_its_end(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [Throttled("later", until=rig.clock.now() + timedelta(hours=23, minutes=58))]
    toot = rig.mastodon.write("A pet", media=pets(rig)[:1])
    await daemon.once()
    rig.clock.pass_time(23 * 3600 + 58 * 60)
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.media) == 2


async def test_a_second_upload_goes_on_where_the_first_broke_off(rig: Rig) -> None:
    daemon = await rig.started()
    uploads = 0

    def second_fails() -> None:
        nonlocal uploads
        uploads += 1
        rig.x.upload_answers = [Transient("HTTP 500")] if uploads == 2 else []

    rig.x.on_upload = second_fails
    toot = rig.mastodon.write("Two pets", media=pets(rig))
    await daemon.once()
    assert await rig.state(toot.id) is PostState.PLANNED
    await rig.pass_time(daemon, 60)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert uploads == 3
    assert rig.x.shown() == [("Two pets", (CAT, DOG))]
    assert rig.files.left == []


async def test_when_uploads_are_used_up_posts_wait_in_order(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.upload_answers = [Throttled("30 in 30 min", until=rig.clock.now() + timedelta(minutes=9))]
    rig.mastodon.write("A pet", media=pets(rig)[:1])
    rig.mastodon.write("No pet")
    await rig.pass_time(daemon, 480)
    assert rig.x.published == []
    await rig.pass_time(daemon, 90)
    assert [part.text for part, _, _ in rig.x.published] == ["A pet", "No pet"]
    assert len([e for e in rig.events if isinstance(e, RoutePaused)]) == 1


async def test_a_medium_that_comes_late_is_waited_for(rig: Rig) -> None:
    daemon = await rig.started()
    rig.files.missing(CAT, 3)
    toot = rig.mastodon.write("A pet", media=pets(rig)[:1])
    other = rig.mastodon.write("No pet")
    await daemon.once()
    record = await rig.record(toot.id)
    assert record.state is PostState.PLANNED
    assert "image 1 of part 1 cannot be had: its server says 404" in record.parts[0].detail
    assert await rig.state(other.id) is PostState.DELIVERED
    await rig.pass_time(daemon, 600)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert ("A pet", (CAT,)) in rig.x.shown()


async def test_one_that_never_comes_is_left_out_after_an_hour_and_that_is_said(rig: Rig) -> None:
    daemon = await rig.started()
    rig.files.missing(DOG, 100)
    toot = rig.mastodon.write("Two pets", media=pets(rig))
    await rig.pass_time(daemon, 3540, step=60)
    assert rig.x.published == []
    asked = rig.files.fetched.count(DOG)
    assert 5 <= asked <= 12
    await rig.restart()
    await rig.pass_time(rig.daemon(), 180)
    assert rig.x.shown() == [("Two pets", (CAT,))]
    record = await rig.record(toot.id)
    assert "image 2 of part 1 left out: its server says 404" in record.notes
    assert record.parts[0].part.price == X_PRICES.create + X_PRICES.media + X_PRICES.alt_text


async def test_a_file_that_is_at_fault_is_not_waited_for(rig: Rig) -> None:
    daemon = await rig.started()
    rig.files.missing(DOG, lasting=True)
    rig.mastodon.write("Two pets", media=pets(rig))
    await daemon.once()
    assert rig.x.shown() == [("Two pets", (CAT,))]


async def test_a_file_that_the_network_never_takes_is_left_out(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.upload_answers = [Refused("HTTP 422: not a picture", status=422)]
    toot = rig.mastodon.write("Two pets", media=pets(rig))
    await daemon.once()
    assert rig.x.shown() == [("Two pets", (DOG,))]
    record = await rig.record(toot.id)
    assert "image 1 of part 1 left out: HTTP 422: not a picture" in record.notes
    assert rig.files.left == []


async def test_by_choice_a_post_does_not_wait_for_its_media(rig: Rig) -> None:
    rig.policy = replace(Policy(), media_missing="send_without")
    daemon = await rig.started()
    rig.files.missing(CAT)
    rig.mastodon.write("A pet", media=pets(rig)[:1])
    await daemon.once()
    assert rig.x.shown() == [("A pet", ())]


async def test_by_choice_a_post_without_its_media_is_skipped(rig: Rig) -> None:
    rig.policy = replace(Policy(), media_missing="skip")
    daemon = await rig.started()
    rig.files.missing(CAT)
    toot = rig.mastodon.write("A pet", media=pets(rig)[:1])
    await daemon.once()
    record = await rig.record(toot.id)
    assert record.state is PostState.DROPPED
    assert record.verdict.sentence.startswith("media-missing: ")
    assert rig.x.published == []


async def test_what_would_be_empty_without_its_medium_is_not_sent(rig: Rig) -> None:
    daemon = await rig.started()
    rig.files.missing(CAT, lasting=True)
    toot = rig.mastodon.write("", media=pets(rig)[:1])
    await daemon.once()
    record = await rig.record(toot.id)
    assert record.state is PostState.FAILED
    assert "nothing else to be said" in record.parts[0].detail
    assert rig.x.published == []


async def test_a_picture_without_words_is_proven_by_its_number(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [LOST]
    toot = rig.mastodon.write("", media=pets(rig)[:1])
    await rig.pass_time(daemon, 180)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert rig.x.shown() == [("", (CAT,))]
    assert len(rig.mastodon.posts) == 1


async def test_one_without_words_that_was_not_sent_is_sent_again(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [InDoubt("time-out")]
    toot = rig.mastodon.write("", media=pets(rig)[:1])
    await rig.pass_time(daemon, 180)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert rig.x.shown() == [("", (CAT,))]
    assert len(rig.x.media) == 1


async def test_what_its_author_put_there_before_is_no_proof_of_one_without_words(
    rig: Rig,
) -> None:
    daemon = await rig.started()
    rig.mastodon.write("", media=[rig.mastodon.picture("by hand")])
    rig.x.write("", media=[rig.x.picture("mirrored")])
    rig.mastodon.answers = [InDoubt("nothing came back")]
    await rig.pass_time(daemon, 300)
    assert (len(rig.mastodon.posts), len(rig.x.posts)) == (2, 2)


async def test_one_without_words_is_held_where_it_could_be_either_of_two(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.answers = [LOST]
    toot = rig.mastodon.write("", media=pets(rig)[:1])
    await daemon.lanes[0].turn(read=True)
    rig.x.write("", media=[rig.x.picture("bird")])
    await rig.pass_time(daemon, 180)
    record = await rig.record(toot.id)
    assert record.state is PostState.HELD
    assert "more than it could be" in record.parts[0].detail
    # What may be its own mirror is not mirrored back: its owner is asked.
    assert len(rig.mastodon.posts) == 1


async def test_after_long_uploads_the_lease_is_proven_before_anything_is_seen(rig: Rig) -> None:
    daemon = await rig.started()
    rig.x.on_upload = lambda: rig.clock.pass_time(300)
    toot = rig.mastodon.write("A long film", media=pets(rig)[:1])
    await daemon.once()
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.published) == 1


async def test_whoever_lost_the_lease_while_uploading_publishes_nothing(rig: Rig) -> None:
    daemon = await rig.started()
    rig.mastodon.write("Too late", media=pets(rig)[:1])
    successors = []

    async def take_over() -> None:
        rig.clock.pass_time(3600)
        successors.append(
            await open_ledger(
                rig.folder / "ledger.sqlite3", owner="successor", now=rig.clock.now(), create=True
            )
        )

    upload = rig.x.upload

    async def slow(*given: object) -> object:
        await take_over()
        return await upload(*given)  # type: ignore[arg-type]

    rig.x.upload = slow  # type: ignore[method-assign, assignment]
    with pytest.raises(LeaseLost):
        await daemon.lanes[0].turn(read=True)
    assert rig.x.published == []
    assert rig.files.left == []
    for successor in successors:
        await successor.close()


async def test_the_next_process_uses_what_a_killed_one_had_uploaded(rig: Rig) -> None:
    daemon = await rig.started()
    toot = rig.mastodon.write("Two pets", media=pets(rig))

    rig.x.hang = asyncio.Event()
    task = asyncio.create_task(daemon.lanes[0].turn(read=True))
    async with asyncio.timeout(5):
        await rig.x.reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rig.x.hang = None
    assert (await rig.record(toot.id)).parts[0].state is PartState.ATTEMPTING
    await rig.restart()
    await rig.pass_time(rig.daemon(), 180)
    assert await rig.state(toot.id) is PostState.DELIVERED
    assert len(rig.x.media) == 2
    assert len(rig.x.published) == 1
