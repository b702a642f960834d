"""What edits, deletions and their owner's word do to the parts of a mirror, in any ledger."""

import pytest

from bridge.core.amend import Amendment, Change
from bridge.core.delivery import PartEvent, PartState, PostState
from bridge.core.model import (
    Microdollars,
    Post,
    PostId,
)
from bridge.core.record import Cursor, PostRecord
from bridge.ports import Ledger
from tests.ledger.made import (
    BACK,
    ECHO,
    OUT,
    T0,
    delivered,
    draft,
    key,
    minutes,
    post,
    receipt,
    recorded,
)

DOUBT, ABSENT = PartEvent.DOUBT, PartEvent.PROVEN_ABSENT
S = PartState


async def stands(ledger: Ledger, *texts: str, name: str = "1") -> Post:
    """A post whose mirror stands whole, as 900 and so on."""
    seen = await recorded(ledger, name, *texts)
    for index in range(len(texts)):
        await delivered(ledger, name, f"9{int(name) - 1}{index}", index)
    return seen


async def amended(ledger: Ledger, change: Change, *texts: str) -> PostRecord:
    made = None if change is Change.REMOVE else draft(*texts)
    amendment = Amendment(change, made, notes=("edited",))
    return await ledger.amend(OUT, PostId("1"), amendment, T0 + minutes(1))


def states(record: PostRecord) -> list[PartState]:
    return [part.state for part in record.parts]


async def carried_out(ledger: Ledger) -> list[tuple[str, int]]:
    """Make every change that is due; which ones, in order."""
    done = []
    now = T0 + minutes(2)
    while (record := await ledger.next_change(OUT, now)) is not None:
        claimed = await ledger.claim(record.key, now, "hash")
        if claimed.state is S.REVISING:
            new = receipt(f"{record.target_id}b")
            await ledger.settle(record.key, PartEvent.RECEIPT, now, receipt=new)
        else:
            await ledger.settle(record.key, PartEvent.REMOVED, now, cost=Microdollars(10_000))
        done.append((claimed.state.value, record.key.index))
    return done


async def test_only_what_differs_is_edited_where_it_stands(ledger: Ledger) -> None:
    await stands(ledger, "one", "two", "three")
    record = await amended(ledger, Change.REPLACE, "one", "zwei", "three")
    assert states(record) == [S.DELIVERED, S.OUTDATED, S.DELIVERED]
    assert record.state is PostState.CHANGING
    assert record.notes == ("shortened", "edited")
    assert await ledger.due_at(OUT) == T0 + minutes(1)
    assert await carried_out(ledger) == [("revising", 1)]
    (record,) = await ledger.history()
    assert [part.target_id for part in record.parts] == ["900", "901b", "902"]
    assert [part.part.text for part in record.parts] == ["one", "zwei", "three"]
    assert record.cost == 4 * 15_000
    assert (await ledger.status(OUT, T0)).delivered == 3


async def test_a_mirror_that_was_edited_is_found_by_both_its_names(ledger: Ledger) -> None:
    await stands(ledger, "one")
    await amended(ledger, Change.REPLACE, "eins")
    await carried_out(ledger)
    for name in ("900", "900b", "https://x.example/@me/900", "https://x.example/@me/900b"):
        assert [record.source for record in await ledger.find(name)] == ["1"]
    for name in ("900", "900b"):
        assert (await ledger.facts(BACK, post(name, route=BACK))).echo_of == "1"
        reply = post("950", route=BACK, parent=name)
        assert (await ledger.facts(BACK, reply)).parent_is_mirror


async def test_a_mirror_whose_new_name_was_lost_is_known_by_it_once_it_is_read(
    ledger: Ledger,
) -> None:
    await stands(ledger, "one")
    await amended(ledger, Change.REPLACE, "eins")
    await ledger.claim(key("1"), T0, "hash")
    await ledger.settle(key("1"), PartEvent.UNPROVABLE, T0)
    echo = post("900b", route=BACK, revisions=("900", "900b"))
    assert (await ledger.facts(BACK, echo)).echo_of == "1"
    await recorded(ledger, "900b", route=BACK, verdict=ECHO)
    await ledger.advance(BACK, echo, PostId("900b"), None)
    (record,) = [one for one in await ledger.find("900b") if one.route == OUT]
    assert record.parts[0].target_id == "900b"
    assert (await ledger.facts(BACK, post("900", route=BACK))).echo_of == "1"


async def test_a_mirror_that_grows_has_its_new_parts_sent_below_the_old_ones(
    ledger: Ledger,
) -> None:
    await stands(ledger, "one")
    record = await amended(ledger, Change.REPLACE, "eins", "zwei")
    assert states(record) == [S.OUTDATED, S.PLANNED]
    assert await ledger.next_due(OUT, T0 + minutes(5)) is None
    await carried_out(ledger)
    due = await ledger.next_due(OUT, T0 + minutes(5))
    assert due is not None
    assert (due.record.key, due.reply_to, due.first) == (key("1", 1), "900b", False)


async def test_a_mirror_that_shrinks_loses_its_last_parts_first(ledger: Ledger) -> None:
    await stands(ledger, "one", "two", "three")
    record = await amended(ledger, Change.REPLACE, "eins")
    assert states(record) == [S.OUTDATED, S.UNWANTED, S.UNWANTED]
    assert await carried_out(ledger) == [("deleting", 2), ("deleting", 1), ("revising", 0)]
    (record,) = await ledger.history()
    assert record.state is PostState.DELIVERED
    await recorded(ledger, "2", parent="1")
    due = await ledger.next_due(OUT, T0 + minutes(5))
    assert due is not None
    assert due.reply_to == "900b"
    assert (await ledger.facts(BACK, post("902", route=BACK))).echo_of == "1"


async def test_no_index_is_ever_used_twice(ledger: Ledger) -> None:
    await stands(ledger, "one", "two")
    await amended(ledger, Change.REPLACE, "one")
    await carried_out(ledger)
    record = await amended(ledger, Change.REPLACE, "one", "two")
    assert states(record) == [S.DELIVERED, S.GONE, S.PLANNED]
    record = await amended(ledger, Change.AFRESH, "one")
    assert states(record) == [S.UNWANTED, S.GONE, S.GONE, S.PLANNED]
    await carried_out(ledger)
    due = await ledger.next_due(OUT, T0 + minutes(5))
    assert due is not None
    assert (due.record.key.index, due.reply_to, due.first) == (3, None, True)


async def test_nothing_is_posted_again_beside_what_cannot_be_deleted(ledger: Ledger) -> None:
    await stands(ledger, "one")
    await amended(ledger, Change.AFRESH, "eins")
    await ledger.claim(key("1"), T0 + minutes(1), "hash")
    await ledger.settle(key("1"), PartEvent.REFUSAL, T0 + minutes(1))
    (record,) = await ledger.history()
    assert states(record) == [S.DELIVERED, S.DROPPED]
    assert record.state is PostState.PARTIAL
    assert await ledger.next_due(OUT, T0 + minutes(5)) is None


async def test_what_was_not_sent_is_replaced_in_its_place(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", "two", not_before=T0 + minutes(30))
    record = await amended(ledger, Change.REPLACE, "eins")
    assert states(record) == [S.PLANNED, S.GONE]
    assert record.parts[0].part.text == "eins"
    assert record.parts[0].not_before == T0 + minutes(30)
    assert record.state is PostState.SENDING


async def test_a_reply_that_tells_of_an_edit_stands_aside(ledger: Ledger) -> None:
    await stands(ledger, "one")
    await amended(ledger, Change.NOTE, "Edited: eins")
    record = await amended(ledger, Change.NOTE, "Edited: uno")
    assert states(record) == [S.DELIVERED, S.GONE, S.PLANNED]
    assert [part.aside for part in record.parts] == [False, True, True]
    await recorded(ledger, "2", parent="1")
    now = T0 + minutes(5)
    found = {}
    while (due := await ledger.next_due(OUT, now)) is not None:
        found[due.record.key.source, due.record.key.index] = due.reply_to
        await delivered(ledger, due.record.key.source, "99", due.record.key.index)
    assert found == {("1", 2): "900", ("2", 0): "900"}


@pytest.mark.parametrize(
    ("proof", "after"), [(ABSENT, [S.PLANNED]), (PartEvent.PROVEN_PRESENT, [S.OUTDATED])]
)
async def test_an_edit_waits_for_the_proof_of_a_part_in_doubt(
    ledger: Ledger, proof: PartEvent, after: list[PartState]
) -> None:
    await recorded(ledger, "1", "one")
    await ledger.claim(key("1"), T0, "hash")
    await amended(ledger, Change.REPLACE, "zwischen")
    record = await amended(ledger, Change.REPLACE, "eins")
    assert states(record) == [S.ATTEMPTING]
    assert record.parts[0].part.text == "one"
    await ledger.settle(key("1"), DOUBT, T0)
    found = receipt("900") if proof is PartEvent.PROVEN_PRESENT else None
    settled = await ledger.settle(key("1"), proof, T0, receipt=found)
    (record,) = await ledger.history()
    assert states(record) == after
    assert settled == record.parts[0]
    assert settled.part.text == "eins"
    assert record.notes == ("shortened", "edited")


@pytest.mark.parametrize(
    ("proof", "after"), [(ABSENT, S.DROPPED), (PartEvent.PROVEN_PRESENT, S.UNWANTED)]
)
async def test_a_deletion_waits_for_it_too(
    ledger: Ledger, proof: PartEvent, after: PartState
) -> None:
    await recorded(ledger, "1", "one")
    await ledger.claim(key("1"), T0, "hash")
    await ledger.settle(key("1"), DOUBT, T0)
    await ledger.settle(key("1"), PartEvent.UNPROVABLE, T0)
    assert states(await amended(ledger, Change.REMOVE)) == [S.HELD]
    event = PartEvent.OWNER_SAYS_RETRY if proof is ABSENT else proof
    found = receipt("900") if proof is PartEvent.PROVEN_PRESENT else None
    assert (await ledger.settle(key("1"), event, T0, receipt=found)).state is after


async def test_what_is_deleted_ends_from_its_last_part_on(ledger: Ledger) -> None:
    await stands(ledger, "one", "two")
    await recorded(ledger, "2", parent="1")
    record = await amended(ledger, Change.REMOVE)
    assert states(record) == [S.UNWANTED, S.UNWANTED]
    assert await carried_out(ledger) == [("deleting", 1), ("deleting", 0)]
    (record,) = await ledger.find("1")
    assert record.state is PostState.REMOVED
    assert record.cost == 2 * 15_000 + 2 * 10_000
    assert [part.key for part in await ledger.stranded(OUT)] == [key("2")]
    assert (await ledger.status(OUT, T0)).spent_month == record.cost


async def test_deletions_come_before_edits(ledger: Ledger) -> None:
    await stands(ledger, "one")
    await stands(ledger, "two", name="2")
    await amended(ledger, Change.REPLACE, "eins")
    remove = Amendment(Change.REMOVE)
    await ledger.amend(OUT, PostId("2"), remove, T0 + minutes(1))
    assert await carried_out(ledger) == [("deleting", 0), ("revising", 0)]


async def test_what_was_cut_off_is_found_again(ledger: Ledger) -> None:
    await stands(ledger, "one", "two")
    await amended(ledger, Change.REPLACE, "eins")
    await ledger.claim(key("1", 1), T0 + minutes(2), "hash")
    await ledger.claim(key("1"), T0 + minutes(2), "hash")
    assert [part.state for part in await ledger.unfinished(OUT)] == [S.REVISING, S.DELETING]
    assert await ledger.unproven(OUT) == ()
    assert await ledger.unfinished(BACK) == ()


async def test_a_change_with_its_ids_and_the_cursor_is_one_transaction(ledger: Ledger) -> None:
    await stands(ledger, "one")
    edit = post("1b", revisions=("1", "1b"), text="eins")
    ahead = Cursor(PostId("1b"), T0)
    amendment = Amendment(Change.REPLACE, draft("eins"))
    await ledger.amend(OUT, PostId("1"), amendment, T0, post=edit, cursor=ahead)
    assert await ledger.cursor(OUT) == ahead
    assert await ledger.known(OUT, [PostId("1b")]) == {PostId("1b")}
    with pytest.raises(ValueError, match="has no post"):
        await ledger.amend(OUT, PostId("7"), amendment, T0, cursor=Cursor())
    assert await ledger.cursor(OUT) == ahead


async def test_a_part_goes_as_it_was_reshaped_and_that_is_said(ledger: Ledger) -> None:
    await stands(ledger, "one")
    with pytest.raises(ValueError, match="delivered cannot take reshaped"):
        await ledger.reshape(key("1"), draft("less").parts[0], T0, "less")
    await amended(ledger, Change.REPLACE, "more")
    reshaped = await ledger.reshape(key("1"), draft("less").parts[0], T0, "less")
    assert (reshaped.state, reshaped.part.text) == (S.OUTDATED, "less")
    assert (await ledger.history())[0].notes == ("shortened", "edited", "less")


async def test_when_a_part_came_to_stand_is_not_changed_by_an_edit(ledger: Ledger) -> None:
    await stands(ledger, "one")
    await amended(ledger, Change.REPLACE, "eins")
    await carried_out(ledger)
    (record,) = await ledger.history()
    assert record.parts[0].stands_since == T0
    assert record.parts[0].attempted_at == T0 + minutes(2)


async def test_what_is_tried_again_takes_what_failed_below_it_along(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one")
    await recorded(ledger, "2", "two", parent="1")
    await recorded(ledger, "3", "three", parent="2")
    await recorded(ledger, "4", "four", parent="1")
    for name, event in (
        ("1", PartEvent.REFUSAL),
        ("2", PartEvent.THREAD_BROKEN_OFF),
        ("3", PartEvent.THREAD_BROKEN_OFF),
        ("4", PartEvent.REFUSAL),
    ):
        if event is PartEvent.REFUSAL:
            await ledger.claim(key(name), T0, "hash")
        await ledger.settle(key(name), event, T0)
    await ledger.settle(key("1"), PartEvent.OWNER_SAYS_RETRY, T0)
    found = {record.source: record.parts[0].state for record in await ledger.history()}
    assert found == {"1": S.PLANNED, "2": S.PLANNED, "3": S.PLANNED, "4": S.FAILED}


async def test_what_was_put_off_can_be_hurried(ledger: Ledger) -> None:
    await recorded(ledger, "1", "one", not_before=T0 + minutes(30))
    await recorded(ledger, "2", "two")
    later = T0 + minutes(90)
    await ledger.settle(key("2"), PartEvent.PUT_OFF, T0, not_before=later, detail="busy")
    await ledger.hurry(OUT, T0, beyond=T0 + minutes(120))
    assert await ledger.due_at(OUT) == T0 + minutes(30)
    await ledger.hurry(OUT, T0)
    assert await ledger.due_at(OUT) == T0
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert due.record.key == key("2")
