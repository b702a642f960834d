"""Texts that are forgotten, posts that are wanted after all, mirrors that somebody else made.

Bars of docs/reliability.md: S20.
"""

import sqlite3
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.core.delivery import PartEvent, PartState, PostState
from bridge.core.model import PostId
from bridge.core.record import Cursor, Mirror, Pair, Tied
from bridge.core.verdict import Action, Reason, Verdict
from bridge.ledger import care
from bridge.ledger.sqlite import SqliteLedger, open_ledger, open_memory, open_reader
from tests.ledger.made import (
    ALLOWED,
    BACK,
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

WEEK = timedelta(days=7)
OLD = Verdict(Action.SKIP, Reason.TOO_OLD)
AFTER_ALL = Verdict(Action.MIRROR, Reason.CAUGHT_UP)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file())


async def tied(
    ledger: SqliteLedger, one: str, other: str | None, reason: Reason = Reason.LINKED
) -> Tied:
    mirror = None if other is None else Mirror(PostId(other))
    pair = Pair(OUT, Mirror(PostId(one)), mirror)
    (came,) = await ledger.tie((pair,), reason=reason, now=T0)
    return came


async def test_promise_6_a_text_that_is_not_needed_any_more_is_nowhere_in_the_files(
    path: Path,
) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    for number in range(60):
        await recorded(ledger, str(number), f"canary {number} " + "very long " * 400)
        await delivered(ledger, str(number), f"x{number}")
    await recorded(ledger, "unsent", "parrot, which is still to be sent")
    assert b"canary" in content(path.parent)
    assert await ledger.purge(T0 + WEEK) == 60
    assert b"canary" not in content(path.parent)
    assert b"very long" not in content(path.parent)
    assert b"parrot" in content(path.parent)
    (record,) = await ledger.find("x7")
    assert (record.state, record.parts[0].target_id) == (PostState.DELIVERED, "x7")
    await ledger.close()
    assert b"canary" not in content(path.parent)
    assert care.verify(path).findings == ()


async def test_a_text_stays_as_long_as_it_may_be_needed(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "1", "one")
    await delivered(ledger, "1", "x1", now=T0 + minutes(5))
    await recorded(ledger, "2", "two")
    await ledger.claim(key("2"), T0, "hash")
    await ledger.settle(key("2"), PartEvent.DOUBT, T0)
    assert await ledger.purge(T0 + minutes(4)) == 0
    assert await ledger.purge(T0 + minutes(6)) == 1
    assert await ledger.purge(T0 + minutes(6)) == 0
    (doubtful,) = await ledger.unproven(OUT)
    assert doubtful.part.text == "two"
    await ledger.close()


async def test_what_was_dropped_or_withdrawn_unsent_is_forgotten_too(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "1", "canary")
    await ledger.withdraw(OUT, PostId("1"), verdict=OLD, now=T0)
    assert await ledger.purge(T0 + WEEK) == 1
    assert b"canary" not in content(path.parent)
    await ledger.close()


async def test_a_reader_in_the_way_only_puts_off_emptying_the_log(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "1", "canary")
    await delivered(ledger, "1", "x1")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM post").fetchall()
    begun = time.monotonic()
    assert await ledger.purge(T0 + WEEK) == 1
    assert time.monotonic() - begun < 2
    assert b"canary" in content(path.parent)
    reader.close()
    assert await ledger.purge(T0 + WEEK) == 0
    assert b"canary" not in content(path.parent)
    await ledger.close()


async def test_what_was_kept_back_is_listed_and_nothing_else(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    await recorded(ledger, "old", verdict=OLD)
    await recorded(ledger, "private", verdict=PRIVATE)
    await recorded(ledger, "sent")
    reader = await open_reader(path)
    for view in (ledger, reader):
        assert [record.source for record in await view.skipped(OUT)] == ["old"]
        assert await view.skipped(OUT, T0 + minutes(1)) == ()
        assert await view.skipped(BACK) == ()
    await reader.close()
    await ledger.close()


async def test_only_what_was_kept_back_or_never_recorded_can_be_wanted() -> None:
    ledger = await open_memory(now=T0)
    await recorded(ledger, "old", verdict=OLD)
    await recorded(ledger, "private", verdict=PRIVATE)
    await recorded(ledger, "sent")
    names = [PostId(name) for name in ("old", "private", "sent", "unknown", "old")]
    assert await ledger.want(OUT, names, T0) == ("old", "unknown", "old")
    assert await ledger.wanted(OUT, 10) == ("old", "unknown")
    await ledger.unwant(OUT, PostId("unknown"), verdict=None, now=T0)
    gone = Verdict(Action.SKIP, Reason.DELETED)
    await ledger.unwant(OUT, PostId("old"), verdict=gone, now=T0)
    assert await ledger.wanted(OUT, 10) == ()
    (record,) = await ledger.find("old")
    assert record.verdict == gone
    await ledger.close()


async def test_what_is_wanted_is_planned_and_sent_as_if_it_were_new() -> None:
    ledger = await open_memory(now=T0)
    seen = await recorded(ledger, "old", verdict=OLD)
    await ledger.want(OUT, [seen.id], T0)
    later = T0 + minutes(5)
    decided = replace(decision(seen, "one", "two"), verdict=AFTER_ALL)
    record = await ledger.revive(OUT, seen.id, decided, later)
    assert (record.state, record.verdict) == (PostState.PLANNED, AFTER_ALL)
    assert await ledger.wanted(OUT, 10) == ()
    due = await ledger.next_due(OUT, later)
    assert due is not None
    assert (due.record.key, due.record.part.text) == (key("old"), "one")
    await ledger.close()


async def test_parts_of_a_mirror_that_was_taken_back_are_never_sent_under_their_old_names() -> None:
    ledger = await open_memory(now=T0)
    seen = await recorded(ledger, "1", "one", "two")
    await ledger.withdraw(OUT, seen.id, verdict=OLD, now=T0)
    await ledger.want(OUT, [seen.id], T0)
    record = await ledger.revive(OUT, seen.id, decision(seen, "anew"), T0 + minutes(1))
    assert [part.state for part in record.parts] == [
        PartState.GONE,
        PartState.GONE,
        PartState.PLANNED,
    ]
    due = await ledger.next_due(OUT, T0 + minutes(1))
    assert due is not None
    assert due.record.key.index == 2
    await ledger.close()


async def test_what_stands_is_never_revived() -> None:
    ledger = await open_memory(now=T0)
    seen = await recorded(ledger, "1")
    await delivered(ledger, "1", "x1")
    with pytest.raises(ValueError, match="may stand"):
        await ledger.revive(OUT, seen.id, decision(seen, "again"), T0)
    assert await ledger.next_due(OUT, T0 + WEEK) is None
    await ledger.close()


async def test_what_was_never_recorded_is_recorded_when_it_is_wanted() -> None:
    ledger = await open_memory(now=T0)
    await ledger.start(OUT, Cursor(), [PostId("before")])
    seen = post("before")
    await ledger.want(OUT, [seen.id], T0)
    await ledger.revive(OUT, seen.id, replace(decision(seen), verdict=AFTER_ALL), T0)
    assert await ledger.next_due(OUT, T0) is not None
    await ledger.close()


async def test_tied_posts_are_known_on_both_sides_and_threads_go_on_below() -> None:
    ledger = await open_memory(now=T0)
    assert await tied(ledger, "1", "x1") is Tied.TIED
    assert await ledger.known(OUT, [PostId("1")]) == {"1"}
    assert (await ledger.facts(BACK, post("x1", route=BACK))).echo_of == "1"
    await recorded(ledger, "2", parent="1")
    due = await ledger.next_due(OUT, T0)
    assert due is not None
    assert (due.record.key, due.reply_to) == (key("2"), "x1")
    assert await tied(ledger, "1", "x1") is Tied.KNOWN
    assert await tied(ledger, "1", "x9") is Tied.OTHER_MIRROR
    assert await tied(ledger, "9", "x1") is Tied.OTHER_POST
    await ledger.close()


async def test_what_was_planned_for_either_of_two_tied_posts_never_leaves() -> None:
    ledger = await open_memory(now=T0)
    await recorded(ledger, "1")
    await recorded(ledger, "x1", route=BACK)
    assert await tied(ledger, "1", "x1") is Tied.TIED
    for route in (OUT, BACK):
        assert await ledger.next_due(route, T0 + WEEK) is None
    (other,) = [r for r in await ledger.find("x1") if r.route == BACK]
    assert other.verdict.reason is Reason.ECHO
    (record,) = await ledger.find("1")
    assert (record.state, record.verdict.reason) == (PostState.DELIVERED, Reason.LINKED)
    await ledger.close()


async def test_posts_with_mirrors_of_their_own_are_not_tied() -> None:
    ledger = await open_memory(now=T0)
    await recorded(ledger, "1")
    await delivered(ledger, "1", "x5")
    await recorded(ledger, "2")
    await ledger.claim(key("2"), T0, "hash")
    await recorded(ledger, "x3", route=BACK)
    await ledger.claim(key("x3", route=BACK), T0, "hash")
    assert await tied(ledger, "1", "x1") is Tied.OTHER_MIRROR
    assert await tied(ledger, "2", "x1") is Tied.OTHER_MIRROR
    assert await tied(ledger, "9", "x5") is Tied.OTHER_POST
    assert await tied(ledger, "9", "x3") is Tied.OTHER_POST
    assert await ledger.find("9") == ()
    await ledger.close()


async def test_a_mirror_that_somebody_else_made_is_neither_edited_nor_missed() -> None:
    ledger = await open_memory(now=T0)
    assert await tied(ledger, "1", "x1", Reason.TAKEN_OVER) is Tied.TIED
    edited = post("1", text="edited", edited_at=T0 + minutes(9))
    assert await ledger.edited(OUT, (edited,)) == ()
    assert (await ledger.absent(OUT, (post("0", at=T0 - WEEK),))).missing == ()
    assert not await ledger.watches(OUT, None)
    await ledger.close()


async def test_what_another_tool_saw_to_without_saying_how_is_not_mirrored() -> None:
    ledger = await open_memory(now=T0)
    assert await tied(ledger, "1", None, Reason.TAKEN_OVER) is Tied.TIED
    (record,) = await ledger.find("1")
    assert (record.state, record.verdict.reason) == (PostState.SKIPPED, Reason.TAKEN_OVER)
    assert await ledger.known(OUT, [PostId("1")]) == {"1"}
    assert await tied(ledger, "1", None, Reason.TAKEN_OVER) is Tied.KNOWN
    await ledger.close()


async def test_every_state_that_comes_of_all_this_holds_together(path: Path) -> None:
    ledger = await open_ledger(path, owner="test", now=T0, create=True)
    seen = await recorded(ledger, "1", "one", "two")
    await ledger.withdraw(OUT, seen.id, verdict=OLD, now=T0)
    await ledger.revive(OUT, seen.id, decision(seen, "anew"), T0)
    await recorded(ledger, "2")
    await recorded(ledger, "x2", route=BACK)
    await tied(ledger, "2", "x2")
    await tied(ledger, "3", "x3", Reason.TAKEN_OVER)
    await tied(ledger, "4", None, Reason.TAKEN_OVER)
    await recorded(ledger, "5", verdict=ALLOWED)
    await delivered(ledger, "5", "x5")
    await ledger.purge(T0 + WEEK)
    await ledger.close()
    assert care.verify(path).findings == ()


async def test_posts_are_counted_by_when_they_left_each_once_and_no_future_ones() -> None:
    ledger = await open_memory(now=T0)
    for number, at in enumerate((0, 10, 70)):
        await recorded(ledger, str(number), "one", "two")
        await delivered(ledger, str(number), f"x{number}", 0, now=T0 + minutes(at))
        await delivered(ledger, str(number), f"y{number}", 1, now=T0 + minutes(at + 1))
    left = await ledger.left(OUT, T0, T0 + minutes(60))
    assert left == (T0 + minutes(1), T0 + minutes(11))
    await recorded(ledger, "9")
    await ledger.claim(key("9"), T0 + minutes(20), "hash")
    assert len(await ledger.left(OUT, T0, T0 + minutes(60))) == 3
    await ledger.settle(key("9"), PartEvent.RECEIPT, T0 + minutes(21), receipt=receipt("x9"))
    assert len(await ledger.left(OUT, T0, T0 + minutes(60))) == 3
    assert await ledger.left(BACK, T0, T0 + minutes(60)) == ()
    await ledger.close()


async def test_a_backup_that_fails_is_news_once_and_so_is_one_that_works_again() -> None:
    ledger = await open_memory(now=T0)
    assert [
        await ledger.note_backup(T0 + minutes(number), why)
        for number, why in enumerate(("", "full", "full", "", ""))
    ] == [False, True, False, True, False]
    await ledger.note_backup(T0 + minutes(9), "full")
    state = await ledger.backup_state()
    assert (state.at, state.since, state.why) == (T0 + minutes(4), T0 + minutes(9), "full")
    await ledger.close()
