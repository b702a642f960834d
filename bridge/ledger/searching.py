"""What people look for in a long ledger: a page of posts, a post's log, the last days' figures.

Every function takes a connection inside a reading transaction. Whatever the ledger's size, one
question looks at a bounded number of rows and says where to go on. Must not change anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from heapq import nlargest
from typing import Final

from bridge.core.delivery import PartEvent, PartState, PostState
from bridge.core.listing import MOST_WORDS, DayFigures, Listing, Move, Wanted
from bridge.core.model import BridgeName, Direction, Microdollars, PostId, Route
from bridge.core.record import PostRecord
from bridge.ledger.codec import decoding, from_micros, storable
from bridge.ledger.rows import find_route, posts

LOOKED_AT: Final = 20_000
"""Posts that one question for a word, or for what was skipped, looks at."""

_MOST_SHARED: Final = 4
"""Each further word may cost as much again, so so many of them share those posts among them."""

_AT_ONCE: Final = 200
"""Candidates that are read whole before it is known which of them are wanted."""

_ROUNDS: Final = 10
_MOVES: Final = 1_000
"""Moves that are told of one post, the latest."""

_PARTS_OF: Final = {
    PostState.PLANNED: ("planned",),
    PostState.SENDING: ("planned", "attempting"),
    PostState.DELIVERED: ("delivered",),
    PostState.PARTIAL: ("failed", "dropped"),
    PostState.IN_DOUBT: ("in-doubt",),
    PostState.HELD: ("held",),
    PostState.FAILED: ("failed",),
    PostState.DROPPED: ("dropped",),
    PostState.CHANGING: ("outdated", "revising", "unwanted", "deleting"),
    PostState.REMOVED: ("gone",),
}
"""States of a part, one of which every post in that state has; a skipped one has no parts."""


def listing(connection: sqlite3.Connection, wanted: Wanted) -> Listing:
    """One page of what is wanted, newest first."""
    if wanted.words:
        return _looked_through(connection, wanted)
    if not wanted.states:
        return _all(connection, wanted)
    return _by_state(connection, wanted)


def newest(connection: sqlite3.Connection, wanted: Wanted) -> tuple[PostRecord, ...]:
    """The newest of what is wanted, however many pages lie between."""
    found: list[PostRecord] = []
    while len(found) < wanted.limit:
        rest = replace(wanted, limit=wanted.limit - len(found))
        page = listing(connection, rest)
        found += page.records
        if page.before is None:
            break
        wanted = replace(wanted, before=page.before)
    return tuple(found)


def _all(connection: sqlite3.Connection, wanted: Wanted) -> Listing:
    """Posts whatever their state. Where echoes are left out there may be nothing else for long."""
    before = _before(wanted)
    floor = 0 if wanted.echoes else _floor(connection, before)
    routes = _routes(connection, wanted)
    if len(routes) == _count(connection):
        rows = connection.execute(
            "SELECT id FROM post WHERE id < ? AND id >= ? AND (? OR reason <> 'echo') "
            "ORDER BY id DESC LIMIT ?",
            (before, floor, wanted.echoes, wanted.limit + 1),
        )
        numbers = [number for (number,) in rows]
    else:
        numbers = nlargest(
            wanted.limit + 1,
            (
                number
                for route in routes
                for (number,) in connection.execute(
                    "SELECT id FROM post WHERE route_id = ? AND id < ? AND id >= ? "
                    "AND (? OR reason <> 'echo') ORDER BY id DESC LIMIT ?",
                    (route, before, floor, wanted.echoes, wanted.limit + 1),
                ).fetchall()
            ),
        )
    found = list(zip(numbers, posts(connection, numbers), strict=True))
    return _page(connection, wanted, found, floor)


def _count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM route").fetchone()[0])


def _by_state(connection: sqlite3.Connection, wanted: Wanted) -> Listing:
    """Candidates come from the index of parts by state; the whole post then tells its state."""
    before, found = _before(wanted), list[tuple[int, PostRecord]]()
    floor = _floor(connection, before) if PostState.SKIPPED in wanted.states else 0
    for _ in range(_ROUNDS):
        numbers = _candidates(connection, wanted, before, floor)
        # A skipped post without a record of parts is found within the floor alone.
        for number, record in zip(numbers, posts(connection, numbers), strict=True):
            if record.state in wanted.states:
                found.append((number, record))
        if len(numbers) < _AT_ONCE:
            before = floor
            break
        before = numbers[-1]
        if len(found) > wanted.limit:
            break
    return _page(connection, wanted, found, before)


def _candidates(
    connection: sqlite3.Connection, wanted: Wanted, before: int, floor: int
) -> list[int]:
    """The newest posts that may be in one of the wanted states, `_AT_ONCE` at most."""
    routes = _routes(connection, wanted)
    states = sorted({part for post in wanted.states for part in _PARTS_OF.get(post, ())})
    numbers: set[int] = set()
    for route in routes:
        for state in states:
            rows = connection.execute(
                "SELECT DISTINCT post_id FROM part WHERE route_id = ? AND state = ? "
                "AND post_id < ? AND post_id >= ? ORDER BY post_id DESC LIMIT ?",
                (route, state, before, floor, _AT_ONCE),
            )
            numbers.update(number for (number,) in rows)
        if PostState.SKIPPED in wanted.states:
            rows = connection.execute(
                "SELECT id FROM post WHERE route_id = ? AND id < ? AND id >= ? "
                "AND action = 'skip' ORDER BY id DESC LIMIT ?",
                (route, before, floor, _AT_ONCE),
            )
            numbers.update(number for (number,) in rows)
    return nlargest(_AT_ONCE, numbers)


def _looked_through(connection: sqlite3.Connection, wanted: Wanted) -> Listing:
    """Every post of a stretch is looked at: no index knows what stands inside of words."""
    before = _before(wanted)
    words = list(enumerate(wanted.words[:MOST_WORDS]))
    looked_at = max(1, LOOKED_AT // min(len(words), _MOST_SHARED))
    floor = _floor(connection, before, looked_at)
    routes = _routes(connection, wanted)
    if not routes:
        return Listing()
    conditions, values = [], list[object]()
    # What is long is rare: where it does not stand, the others need not be looked for.
    for place, word in sorted(words, key=lambda each: -len(each[1])):
        condition, given = _says(word, wanted, place)
        conditions.append(condition)
        values += given
    marks = ", ".join("?" * len(routes))
    rows = connection.execute(
        # Only question marks are put together here.
        "SELECT id FROM post WHERE id < ? AND id >= ? "  # noqa: S608
        f"AND route_id IN ({marks}) AND {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?",
        (before, floor, *routes, *values, _AT_ONCE),
    ).fetchall()
    numbers = [number for (number,) in rows]
    found = [
        (number, record)
        for number, record in zip(numbers, posts(connection, numbers), strict=True)
        if not wanted.states or record.state in wanted.states
    ]
    return _page(connection, wanted, found, numbers[-1] if len(numbers) == _AT_ONCE else floor)


def _says(word: str, wanted: Wanted, place: int) -> tuple[str, list[object]]:
    """The condition that a post has `word` somewhere, and the values in it."""
    plain, coded = _likes(word), _likes(word, coded=True)
    reasons = sorted(wanted.reasons[place]) if place < len(wanted.reasons) else []
    own = " OR ".join(["detail LIKE ? ESCAPE '!'"] * len(plain))
    notes = " OR ".join(["notes LIKE ? ESCAPE '!'"] * len(coded))
    told = " OR ".join(["part.detail LIKE ? ESCAPE '!'"] * len(plain))
    sent = " OR ".join(["part.body LIKE ? ESCAPE '!'"] * len(coded))
    reason = f"reason IN ({', '.join('?' * len(reasons))})"
    condition = (
        f"({reason} OR {own} OR {notes} OR EXISTS (SELECT 1 FROM part "  # noqa: S608 - question marks
        f"WHERE part.post_id = post.id AND ({told} OR {sent})))"
    )
    return condition, [*reasons, *plain, *coded, *plain, *coded]


def _likes(word: str, *, coded: bool = False) -> list[str]:
    """Patterns that find `word` in either case; `coded` as it stands inside of ASCII JSON.

    SQLite knows the two cases of ASCII letters only, so others are looked for in each.
    """
    word = storable(word)
    forms = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    texts = {json.dumps(form)[1:-1] if coded else form for form in forms}
    return [
        f"%{text.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        for text in sorted(texts)
    ]


def _page(
    connection: sqlite3.Connection,
    wanted: Wanted,
    found: list[tuple[int, PostRecord]],
    reached: int,
) -> Listing:
    """What was found, cut to a page; `reached` is the last post that was looked at."""
    records = tuple(record for _, record in found[: wanted.limit])
    if len(found) > wanted.limit:
        return Listing(records, found[wanted.limit - 1][0])
    row = connection.execute("SELECT 1 FROM post WHERE id < ? LIMIT 1", (reached,)).fetchone()
    if row is None:
        return Listing(records)
    (at,) = connection.execute(
        "SELECT created_at FROM post WHERE id >= ? ORDER BY id LIMIT 1", (reached,)
    ).fetchone()
    return Listing(records, reached, from_micros(at))


def _before(wanted: Wanted) -> int:
    return 2**63 - 1 if wanted.before is None else wanted.before


def _floor(connection: sqlite3.Connection, before: int, looked_at: int | None = None) -> int:
    """The number down to which so many posts are, at most: nothing is ever left out of them."""
    (newest,) = connection.execute("SELECT max(id) FROM post WHERE id < ?", (before,)).fetchone()
    return max(0, (newest or 0) - (LOOKED_AT if looked_at is None else looked_at) + 1)


def _routes(connection: sqlite3.Connection, wanted: Wanted) -> list[int]:
    rows = connection.execute("SELECT id, bridge, direction FROM route")
    return [
        number
        for number, bridge, direction in rows
        if (wanted.bridge is None or bridge == storable(wanted.bridge))
        and wanted.direction in {None, direction}
    ]


def moves(connection: sqlite3.Connection, route: Route, source: PostId) -> tuple[Move, ...]:
    """The log of the parts of a post, oldest first; the latest `_MOVES` of it."""
    row = connection.execute(
        "SELECT id FROM post WHERE route_id = ? AND source = ?",
        (find_route(connection, route), storable(source)),
    ).fetchone()
    if row is None:
        return ()
    rows = connection.execute(
        "SELECT at, idx, event, state, detail FROM attempt_log WHERE post_id = ? "
        "ORDER BY id DESC LIMIT ?",
        (row[0], _MOVES),
    ).fetchall()
    with decoding():
        return tuple(
            Move(from_micros(at), index, PartEvent(event), PartState(state), detail)
            for at, index, event, state, detail in reversed(rows)
        )


def days(connection: sqlite3.Connection, since: date) -> tuple[DayFigures, ...]:
    """What every route sent and spent on each day from `since` on, in order."""
    return tuple(_days(connection, since))


def _days(connection: sqlite3.Connection, since: date) -> Iterator[DayFigures]:
    rows = connection.execute(
        "SELECT day, bridge, direction, "
        "sum(CASE WHEN kind IN ('delivery', 'post', 'post_with_link', 'repost') "
        "THEN items ELSE 0 END), sum(cost) "
        "FROM spend JOIN route ON route.id = spend.route_id WHERE day >= ? "
        "GROUP BY day, route.id ORDER BY day, route.id",
        (since.isoformat(),),
    )
    for day, bridge, direction, sent, cost in rows:
        with decoding():
            route = Route(BridgeName(bridge), Direction(direction))
            yield DayFigures(date.fromisoformat(day), route, sent, Microdollars(cost))
