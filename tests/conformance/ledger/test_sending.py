"""The life of parts in any ledger: order, claims, outcomes, what is due and when."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from bridge.core.delivery import (
    STANDING,
    TRANSITIONS,
    WITH_RECEIPT,
    PartEvent,
    PartState,
    PostState,
)
from bridge.core.draft import Draft, DraftMedia, DraftPart, DraftPoll
from bridge.core.model import (
    MediaId,
    MediaKind,
    Microdollars,
    PostId,
    Visibility,
)
from bridge.core.record import Cursor, Decision, PartRecord
from bridge.core.verdict import Action, Reason, Verdict
from bridge.ports import Ledger
from tests.ledger.made import (
    ALLOWED,
    BACK,
    ECHO,
    OTHER_OUT,
    OUT,
    PRIVATE,
    T0,
    decision,
    delivered,
    key,
    minutes,
    post,
    receipt,
    recorded,
)

EVERYTHING = DraftPart(
    index=0,
    text="line one\nline two 🇩🇪 \x00 \ud83d",
    price=Microdollars(35_000),
    spoiler="careful",
    sensitive=True,
    language="de",
    visibility=Visibility.UNLISTED,
    media=(
        DraftMedia(
            id=MediaId("m1"),
            kind=MediaKind.GIFV,
            url="https://cdn.example/1.mp4",
            alt="a cat",
            still="https://cdn.example/1.png",
        ),
        DraftMedia(id=MediaId("m2"), kind=MediaKind.IMAGE, url="https://cdn.example/2.png"),
    ),
    poll=DraftPoll(
        options=("yes", "no"),
        ends_at=datetime(2026, 11, 23, tzinfo=UTC),
        multiple=True,
        otherwise="yes, or no?",
    ),
    quote=PostId("q1"),
    repeat=PostId("r1"),
)


def test_the_example_of_a_part_leaves_no_field_at_its_default() -> None:
    for example in (EVERYTHING, EVERYTHING.media[0]):
        for field in fields(example):
            if field.name != "index":
                assert getattr(example, field.name) != field.default, field.name


async def test_a_part_comes_back_exactly_as_it_was_composed(ledger: Ledger) -> None:
    seen = post("1")
    drafted = Draft((EVERYTHING,), notes=("the poll is left out", "two pictures – no more"))

    await ledger.record(OUT, Decision(seen, ALLOWED, T0, drafted), Cursor())

    (record,) = await ledger.history()
    assert record.parts[0].part == EVERYTHING
    assert record.notes == drafted.notes
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert due.record == record.parts[0]


async def test_nothing_is_due_in_an_empty_ledger(ledger: Ledger) -> None:
    assert await ledger.next_due(OUT, T0) is None
    assert await ledger.due_at(OUT) is None
    assert await ledger.unproven(OUT) == ()


async def test_skipped_posts_have_nothing_to_send(ledger: Ledger) -> None:
    await recorded(ledger, "1", verdict=PRIVATE)

    assert await ledger.next_due(OUT, T0) is None
    assert await ledger.due_at(OUT) is None


async def test_posts_are_due_in_the_order_they_were_recorded(ledger: Ledger) -> None:
    for name in ("30", "10", "20"):
        await recorded(ledger, name)

    order = []
    while (due := await ledger.next_due(OUT, T0)) is not None:
        order.append(due.record.key.source)
        await delivered(ledger, due.record.key.source, f"x{due.record.key.source}")
    assert order == ["30", "10", "20"]


async def test_a_part_is_due_from_its_time_on(ledger: Ledger) -> None:
    await recorded(ledger, "1", not_before=T0 + minutes(1))
    await recorded(ledger, "2", not_before=T0 + minutes(5))

    assert await ledger.next_due(OUT, T0) is None
    assert await ledger.due_at(OUT) == T0 + minutes(1)
    due = await ledger.next_due(OUT, T0 + minutes(1))
    assert due is not None
    assert due.record.key == key("1")


async def test_one_that_waits_does_not_hold_up_those_recorded_later(ledger: Ledger) -> None:
    await recorded(ledger, "1", not_before=T0 + minutes(60))
    await recorded(ledger, "2")

    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert due.record.key == key("2")


async def test_routes_do_not_see_each_others_parts(ledger: Ledger) -> None:
    await recorded(ledger, "1", route=OTHER_OUT)

    assert await ledger.next_due(OUT, T0) is None
    assert await ledger.next_due(BACK, T0) is None


async def test_parts_of_a_thread_go_in_order_each_below_the_one_before(ledger: Ledger) -> None:
    await recorded(ledger, "1", "a", "b", "c")

    sent = []
    for index in range(3):
        due = await ledger.next_due(OUT, T0)
        assert due is not None
        sent.append((due.record.key.index, due.reply_to))
        await delivered(ledger, "1", f"90{index}", index)
    assert sent == [(0, None), (1, "900"), (2, "901")]
    assert await ledger.next_due(OUT, T0) is None


@pytest.mark.parametrize(
    "events",
    [
        (),
        (PartEvent.DOUBT,),
        (PartEvent.DOUBT, PartEvent.UNPROVABLE),
        (PartEvent.REFUSAL,),
        (PartEvent.REFUSAL, PartEvent.OWNER_DROPS),
    ],
)
async def test_nothing_follows_a_part_that_does_not_stand_but_other_posts_go_on(
    ledger: Ledger, events: tuple[PartEvent, ...]
) -> None:
    await recorded(ledger, "1", "a", "b")
    await recorded(ledger, "2", parent="1")
    await recorded(ledger, "3")
    await ledger.claim(key("1"), T0, "hash")
    for event in events:
        await ledger.settle(key("1"), event, T0)

    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert due.record.key == key("3")
    await delivered(ledger, "3", "903")
    assert await ledger.next_due(OUT, T0 + minutes(1_000)) is None
    assert await ledger.due_at(OUT) is None


async def test_a_reply_waits_for_the_whole_mirror_of_its_parent_and_goes_below_its_end(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1", "a", "b")
    await recorded(ledger, "2", parent="1")

    await delivered(ledger, "1", "900", 0)
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert due.record.key == key("1", 1)
    await delivered(ledger, "1", "901", 1)
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert (due.record.key, due.reply_to) == (key("2"), "901")


async def test_a_parent_is_recognised_under_a_later_id(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await ledger.advance(OUT, post("1b", revisions=("1", "1b")), PostId("1"), Cursor())
    await recorded(ledger, "2", parent="1b")

    await delivered(ledger, "1", "900")
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert due.reply_to == "900"


@pytest.mark.parametrize("mirror", ["900", "901"])
@pytest.mark.parametrize("read_before", [False, True])
async def test_a_thread_that_goes_on_below_a_mirror_answers_the_original(
    ledger: Ledger, mirror: str, read_before: bool
) -> None:
    await recorded(ledger, "1", "a", "b")
    await delivered(ledger, "1", "900", 0)
    await delivered(ledger, "1", "901", 1)
    if read_before:
        await recorded(ledger, mirror, route=BACK, verdict=ECHO)

    await recorded(ledger, "950", route=BACK, parent=mirror)

    due = await ledger.next_due(BACK, T0)
    assert due is not None
    assert (due.record.key.source, due.reply_to) == ("950", "1")


async def test_a_reply_to_a_post_without_mirror_waits(ledger: Ledger) -> None:
    await recorded(ledger, "1", verdict=PRIVATE)
    await recorded(ledger, "2", parent="1")

    assert await ledger.next_due(OUT, T0) is None
    assert await ledger.due_at(OUT) is None


async def test_what_is_to_be_held_does_not_leave_before_its_owner_has_spoken(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1", verdict=Verdict(Action.HOLD, Reason.ALLOWED))

    (record,) = await ledger.history()
    assert record.state is PostState.HELD
    assert await ledger.next_due(OUT, T0 + minutes(1_000)) is None
    await ledger.settle(key("1"), PartEvent.OWNER_SAYS_RETRY, T0)
    assert await ledger.next_due(OUT, T0) is not None


async def test_a_claim_is_written_down_before_anything_is_sent(ledger: Ledger) -> None:
    await recorded(ledger, "1")

    await ledger.claim(key("1"), T0 + minutes(1), "hash")

    (unproven,) = await ledger.unproven(OUT)
    assert unproven.state is PartState.ATTEMPTING
    assert (unproven.attempts, unproven.attempted_at) == (1, T0 + minutes(1))
    assert (await ledger.history())[0].at == T0 + minutes(1)
    assert await ledger.next_due(OUT, T0 + minutes(1_000)) is None


async def test_a_part_is_claimed_by_one_alone(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await ledger.claim(key("1"), T0, "hash")

    with pytest.raises(ValueError, match="attempting cannot take claim"):
        await ledger.claim(key("1"), T0, "hash")
    assert (await ledger.unproven(OUT))[0].attempts == 1


async def test_what_is_not_there_can_be_neither_claimed_nor_settled(ledger: Ledger) -> None:
    await recorded(ledger, "1")

    for absent in (key("1", 1), key("2"), key("1", 0, BACK)):
        with pytest.raises(ValueError, match="has no part"):
            await ledger.claim(absent, T0, "hash")
        with pytest.raises(ValueError, match="has no part"):
            await ledger.settle(absent, PartEvent.DOUBT, T0)


async def test_a_receipt_makes_a_part_delivered_with_its_id_address_and_cost(
    ledger: Ledger,
) -> None:
    await recorded(ledger, "1")
    await ledger.claim(key("1"), T0, "hash")

    settled = await ledger.settle(
        key("1"), PartEvent.RECEIPT, T0 + minutes(1), receipt=receipt("900", cost=200_000)
    )

    assert settled.state is PartState.DELIVERED
    assert (settled.target_id, settled.target_url) == ("900", "https://x.example/@me/900")
    assert settled.cost == 200_000
    (record,) = await ledger.history()
    assert record.parts == (settled,)
    assert (record.state, record.at) == (PostState.DELIVERED, T0 + minutes(1))


async def test_a_failed_attempt_is_planned_again_for_later(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await ledger.claim(key("1"), T0, "hash")

    settled = await ledger.settle(
        key("1"), PartEvent.SURELY_NOT_DONE, T0, not_before=T0 + minutes(2), detail="HTTP 503"
    )

    assert (settled.state, settled.attempts) == (PartState.PLANNED, 1)
    assert (settled.not_before, settled.detail) == (T0 + minutes(2), "HTTP 503")
    assert await ledger.next_due(OUT, T0 + minutes(1)) is None
    assert await ledger.due_at(OUT) == T0 + minutes(2)
    await ledger.claim(key("1"), T0 + minutes(2), "hash")
    assert (await ledger.unproven(OUT))[0].attempts == 2


@pytest.mark.parametrize("state", list(PartState))
async def test_every_move_is_made_or_refused_as_it_is_drawn(
    ledger: Ledger, state: PartState
) -> None:
    for number, event in enumerate(PartEvent):
        name = f"{number}"
        await recorded(ledger, name)
        for step in _WAYS[state]:
            await _step(ledger, name, step)
        (before,) = await ledger.find(name)
        goal = None if event is PartEvent.CLAIM else TRANSITIONS.get((state, event))

        if goal is None:
            with pytest.raises(ValueError, match=r"cannot take|is claimed by"):
                await ledger.settle(key(name), event, T0)
            assert await ledger.find(name) == (before,)
            continue
        settled = await _step(ledger, name, event)
        assert settled.state is goal, event
        stands = goal in STANDING or state in STANDING
        assert (settled.target_id is not None) is stands


async def _step(ledger: Ledger, name: str, event: PartEvent) -> PartRecord:
    if event is PartEvent.CLAIM:
        return await ledger.claim(key(name), T0, "hash")
    sent = receipt(f"9{name}") if event in WITH_RECEIPT else None
    return await ledger.settle(key(name), event, T0, receipt=sent)


_SENT = (PartEvent.CLAIM, PartEvent.RECEIPT)
_WAYS: dict[PartState, tuple[PartEvent, ...]] = {
    PartState.PLANNED: (),
    PartState.ATTEMPTING: (PartEvent.CLAIM,),
    PartState.IN_DOUBT: (PartEvent.CLAIM, PartEvent.DOUBT),
    PartState.DELIVERED: _SENT,
    PartState.HELD: (PartEvent.CLAIM, PartEvent.DOUBT, PartEvent.UNPROVABLE),
    PartState.FAILED: (PartEvent.CLAIM, PartEvent.REFUSAL),
    PartState.DROPPED: (PartEvent.OWNER_DROPS,),
    PartState.OUTDATED: (*_SENT, PartEvent.EDITED),
    PartState.REVISING: (*_SENT, PartEvent.EDITED, PartEvent.CLAIM),
    PartState.UNWANTED: (*_SENT, PartEvent.RETRACTED),
    PartState.DELETING: (*_SENT, PartEvent.RETRACTED, PartEvent.CLAIM),
    PartState.GONE: (*_SENT, PartEvent.RETRACTED, PartEvent.CLAIM, PartEvent.REMOVED),
}


async def test_a_receipt_goes_with_delivery_and_with_nothing_else(ledger: Ledger) -> None:
    await recorded(ledger, "1")
    await ledger.claim(key("1"), T0, "hash")

    with pytest.raises(ValueError, match="receipt"):
        await ledger.settle(key("1"), PartEvent.RECEIPT, T0)
    with pytest.raises(ValueError, match="receipt"):
        await ledger.settle(key("1"), PartEvent.DOUBT, T0, receipt=receipt("900"))
    assert (await ledger.unproven(OUT))[0].state is PartState.ATTEMPTING
    assert (await ledger.status(OUT, T0)).spent_month == 0


async def test_the_unproven_are_listed_by_the_age_of_their_attempt(ledger: Ledger) -> None:
    for name, at in (("1", 3), ("2", 1), ("3", 2)):
        await recorded(ledger, name)
        await ledger.claim(key(name), T0 + minutes(at), "hash")
    await ledger.settle(key("2"), PartEvent.DOUBT, T0 + minutes(9))
    await recorded(ledger, "4")
    await recorded(ledger, "5", route=OTHER_OUT)
    await ledger.claim(key("5", 0, OTHER_OUT), T0, "hash")

    assert [part.key.source for part in await ledger.unproven(OUT)] == ["2", "3", "1"]


async def test_what_is_held_after_an_attempt_is_listed_by_its_age(ledger: Ledger) -> None:
    for name, at in (("1", 2), ("2", 1)):
        await recorded(ledger, name)
        await ledger.claim(key(name), T0 + minutes(at), "hash")
        await ledger.settle(key(name), PartEvent.DOUBT, T0 + minutes(at))
        await ledger.settle(key(name), PartEvent.UNPROVABLE, T0 + minutes(9))
    await recorded(ledger, "3", verdict=Verdict(Action.HOLD, Reason.ALLOWED))

    assert [part.key.source for part in await ledger.held(OUT)] == ["2", "1"]
    assert await ledger.held(BACK) == ()


@pytest.mark.parametrize("event", [PartEvent.REFUSAL, PartEvent.OWNER_DROPS])
async def test_what_waits_for_a_mirror_that_broke_off_is_stranded(
    ledger: Ledger, event: PartEvent
) -> None:
    await recorded(ledger, "1", "a", "b")
    await recorded(ledger, "2", "c", "d", parent="1")
    await recorded(ledger, "3", parent="2")
    await delivered(ledger, "1", "900")
    assert await ledger.stranded(OUT) == ()
    if event is PartEvent.REFUSAL:
        await ledger.claim(key("1", 1), T0, "hash")
    await ledger.settle(key("1", 1), event, T0)

    assert [part.key for part in await ledger.stranded(OUT)] == [key("2"), key("2", 1)]
    await ledger.settle(key("2"), PartEvent.THREAD_BROKEN_OFF, T0)
    assert [part.key for part in await ledger.stranded(OUT)] == [key("2", 1), key("3")]
    assert await ledger.stranded(BACK) == ()


async def test_status_counts_parts_by_where_they_stand(ledger: Ledger) -> None:
    await recorded(ledger, "1", "a", "b")
    await delivered(ledger, "1", "900")
    for name, events in (
        ("2", (PartEvent.DOUBT,)),
        ("3", (PartEvent.DOUBT, PartEvent.UNPROVABLE)),
        ("4", (PartEvent.REFUSAL,)),
        ("5", ()),
    ):
        await recorded(ledger, name)
        await ledger.claim(key(name), T0, "hash")
        for event in events:
            await ledger.settle(key(name), event, T0)
    await recorded(ledger, "6", verdict=PRIVATE)

    status = await ledger.status(OUT, T0)
    assert (status.planned, status.delivered) == (2, 1)
    assert (status.in_doubt, status.held, status.failed) == (1, 1, 1)


async def test_due_at_and_next_due_agree(ledger: Ledger) -> None:
    await recorded(ledger, "1", "a", "b", not_before=T0 + minutes(2))
    await recorded(ledger, "2", parent="1", not_before=T0 + minutes(1))
    await recorded(ledger, "3", not_before=T0 + minutes(3))

    # The reply could leave first by its own time, but its parent cannot.
    assert await ledger.due_at(OUT) == T0 + minutes(2)
    due = await ledger.next_due(OUT, T0 + minutes(2))
    assert due is not None
    assert due.record.key == key("1")


async def test_closing_twice_is_closing_once(ledger: Ledger) -> None:
    await ledger.close()
    await ledger.close()


async def test_a_lease_can_be_renewed_for_ever(ledger: Ledger) -> None:
    for count in range(3):
        await ledger.renew(T0 + minutes(count))
    await ledger.record(OUT, decision(post("1")), Cursor())
