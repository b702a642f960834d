"""Every question is answered from indexes, so that it costs the same on a ledger of a million."""

import re
import sqlite3
from collections.abc import Awaitable, Callable

import pytest

from bridge.core.amend import Amendment, Change
from bridge.core.delivery import PostState
from bridge.core.listing import Wanted
from bridge.ledger.sqlite import SqliteLedger, open_memory
from tests.ledger.made import BACK, OUT, PRIVATE, T0, delivered, draft, key, minutes, post, recorded

QUESTIONS: dict[str, Callable[[SqliteLedger], Awaitable[object]]] = {
    "cursor": lambda ledger: ledger.cursor(OUT),
    "known": lambda ledger: ledger.known(OUT, [post("1").id, post("2").id]),
    "facts": lambda ledger: ledger.facts(OUT, post("9", parent="1", edited_at=T0 + minutes(1))),
    "facts of an echo": lambda ledger: ledger.facts(BACK, post("900", route=BACK)),
    "next_due": lambda ledger: ledger.next_due(OUT, T0),
    "due_at": lambda ledger: ledger.due_at(OUT),
    "resolvable": lambda ledger: ledger.resolvable(OUT, T0),
    "unproven": lambda ledger: ledger.unproven(OUT),
    "held": lambda ledger: ledger.held(OUT),
    "stranded": lambda ledger: ledger.stranded(OUT),
    "find": lambda ledger: ledger.find("https://x.example/@me/901?s=20"),
    "history": lambda ledger: ledger.history(limit=2),
    "history of one bridge": lambda ledger: ledger.history(bridge=OUT.bridge, limit=2),
    "status": lambda ledger: ledger.status(OUT, T0),
    "claim": lambda ledger: ledger.claim(key("2"), T0, "hash"),
    "record": lambda ledger: recorded(ledger, "4", parent="1"),
    "counterparts": lambda ledger: ledger.counterparts(BACK, post("9", route=BACK), [post("3").id]),
    "repeated": lambda ledger: ledger.repeated(key("2")),
    "passage": lambda ledger: ledger.passage(OUT),
    "left": lambda ledger: ledger.left(OUT, T0, T0 + minutes(60)),
    "waiting": lambda ledger: ledger.waiting(OUT, T0),
    "skipped": lambda ledger: ledger.skipped(OUT, T0),
    "wanted": lambda ledger: ledger.wanted(OUT, 5),
    "purge": lambda ledger: ledger.purge(T0 + minutes(60)),
    "withdraw": lambda ledger: ledger.withdraw(
        OUT, post("2").id, verdict=PRIVATE, same_as=post("9").id, now=T0
    ),
    "next_change": lambda ledger: ledger.next_change(OUT, T0 + minutes(1)),
    "unfinished": lambda ledger: ledger.unfinished(OUT),
    "unsent": lambda ledger: ledger.unsent(OUT),
    "hurry": lambda ledger: ledger.hurry(OUT, T0),
    "watches": lambda ledger: ledger.watches(OUT, T0),
    "edited": lambda ledger: ledger.edited(OUT, [post("1", edited_at=T0 + minutes(1))]),
    "tracked": lambda ledger: ledger.tracked(OUT, [post("1").id]),
    "next_to_check": lambda ledger: ledger.next_to_check(OUT, T0, 5),
    "note_checked": lambda ledger: ledger.note_checked(OUT, post("1").id),
    "missing": lambda ledger: ledger.missing(OUT),
    "note_missing": lambda ledger: ledger.note_missing(OUT, [post("1").id], T0),
    "count_tracked": lambda ledger: ledger.count_tracked(OUT),
    "count_gone": lambda ledger: ledger.count_gone(OUT, T0),
    "absent": lambda ledger: ledger.absent(OUT, [post("9", at=T0 - minutes(1))]),
    "amend": lambda ledger: ledger.amend(
        OUT, post("1").id, Amendment(Change.REPLACE, draft("eins", "zwei", "drei")), T0
    ),
    "removal": lambda ledger: ledger.amend(OUT, post("1").id, Amendment(Change.REMOVE), T0),
    "uploads": lambda ledger: ledger.uploads(key("2")),
    "a page": lambda ledger: ledger.listing(Wanted(before=9)),
    "a page of one bridge": lambda ledger: ledger.listing(Wanted(bridge=OUT.bridge)),
    "a page of a state": lambda ledger: ledger.listing(Wanted(states=frozenset(PostState))),
    "words": lambda ledger: ledger.listing(Wanted(words=("hello", "öde"))),
    "moves": lambda ledger: ledger.moves(OUT, post("1").id),
    "facts of a former name": lambda ledger: ledger.facts(BACK, post("899", route=BACK)),
}
NEWEST_FIRST = "SELECT id FROM post ORDER BY id DESC LIMIT"
"""Walks the table from its end, and stops at the limit."""


@pytest.mark.parametrize("question", QUESTIONS)
async def test_no_question_reads_a_whole_table(question: str) -> None:
    ledger = await open_memory(now=T0)
    await recorded(ledger, "1", "one", "two")
    await delivered(ledger, "1", "900", 0)
    await delivered(ledger, "1", "901", 1)
    await recorded(ledger, "2", parent="1")
    await recorded(ledger, "3")
    await ledger.claim(key("3"), T0, "hash")
    asked: list[str] = []

    def listen(database: sqlite3.Connection) -> None:
        database.set_trace_callback(asked.append)

    def plans(database: sqlite3.Connection) -> list[tuple[str, str]]:
        database.set_trace_callback(None)
        return [
            (statement, str(row[3]))
            for statement in asked
            if re.match(r"\s*(SELECT|UPDATE)", statement)
            for row in database.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        ]

    await ledger._read(listen)
    await QUESTIONS[question](ledger)
    found = await ledger._read(plans)
    await ledger.close()

    assert found
    for statement, step in found:
        walks = re.match(r"SCAN (?!\(|route|spend|lease|meta|money_wait|CONSTANT)", step)
        assert not walks or statement.startswith(NEWEST_FIRST), (statement, step)
        if question in {"next_due", "due_at", "history"}:
            assert "TEMP B-TREE" not in step, (statement, step)


async def test_a_fingerprint_is_looked_up_by_its_own_index() -> None:
    ledger = await open_memory(now=T0)
    await recorded(ledger, "1")
    asked: list[str] = []
    await ledger._read(lambda database: database.set_trace_callback(asked.append))
    await ledger.counterparts(BACK, post("9", route=BACK))
    (lookup,) = (statement for statement in asked if "fingerprint = '" in statement[:80])

    def plan(database: sqlite3.Connection) -> list[str]:
        database.set_trace_callback(None)
        return [str(row[3]) for row in database.execute(f"EXPLAIN QUERY PLAN {lookup}")]

    (step,) = await ledger._read(plan)
    await ledger.close()
    assert "post_by_fingerprint (route_id=? AND fingerprint=? AND created_at>?" in step


async def test_what_waits_for_money_is_counted_from_its_own_list() -> None:
    """Not from all posts of the route, which is what the planner would choose."""
    ledger = await open_memory(now=T0)
    await recorded(ledger, "1")
    asked: list[str] = []
    await ledger._read(lambda database: database.set_trace_callback(asked.append))
    await ledger.status(OUT, T0)
    (counting,) = (statement for statement in asked if "money_wait" in statement)

    def plan(database: sqlite3.Connection) -> list[str]:
        database.set_trace_callback(None)
        return [str(row[3]) for row in database.execute(f"EXPLAIN QUERY PLAN {counting}")]

    first, second, *_ = await ledger._read(plan)
    await ledger.close()
    assert first == "SCAN money_wait"
    assert "id=?" in second
