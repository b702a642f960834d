"""The parts on their way: which is due, T2 before the first byte, T3 and every later move.

Every function takes a connection inside a transaction, those that move a part inside a fenced one.
The moves themselves are drawn in `bridge.core.delivery`; must not allow or forbid any of its own.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.core.delivery import PartEvent, PartState, after
from bridge.core.model import PostId, Route
from bridge.core.prices import FREE
from bridge.core.record import DuePart, PartKey, PartRecord, PostRecord, Receipt
from bridge.core.verdict import Verdict
from bridge.ledger.codec import moment_or_none, storable, storable_or_none, to_micros
from bridge.ledger.judging import recorded
from bridge.ledger.recording import note_spend
from bridge.ledger.rows import find_route, parts, posts

_IN_TURN = """
    FROM part JOIN post ON post.id = part.post_id
    WHERE part.route_id = :route AND part.state = 'planned'
    AND NOT EXISTS (
        SELECT 1 FROM part AS earlier
        WHERE earlier.post_id = part.post_id AND earlier.idx < part.idx
        AND earlier.state <> 'delivered'
    )
    AND (post.waits_for IS NULL OR EXISTS (
        SELECT 1 FROM part AS last
        WHERE last.post_id = post.waits_for AND last.state = 'delivered'
        AND last.idx = (SELECT max(idx) FROM part WHERE post_id = post.waits_for)
    ))
"""
"""Parts for which only time is to be waited: all that has to stand before them stands."""


def next_due(connection: sqlite3.Connection, route: Route, now: datetime) -> DuePart | None:
    """The first part, in the order posts were recorded, that may be sent now."""
    number = find_route(connection, route)
    if number is None:
        return None
    asked = {"route": number, "now": to_micros(now)}
    earliest = connection.execute(
        "SELECT min(not_before) FROM part WHERE route_id = :route AND state = 'planned'", asked
    ).fetchone()[0]
    if earliest is None or earliest > asked["now"]:
        return None
    # The plus keeps this term off the index by time, which would have to be sorted afterwards.
    row = connection.execute(
        f"SELECT part.post_id, part.idx {_IN_TURN} AND +part.not_before <= :now "
        "ORDER BY part.post_id, part.idx LIMIT 1",
        asked,
    ).fetchone()
    if row is None:
        return None
    (record,) = parts(connection, [row])
    return DuePart(record, _reply_to(connection, *row))


def due_at(connection: sqlite3.Connection, route: Route) -> datetime | None:
    """From when on `next_due` gives something, if nothing but time happens."""
    number = find_route(connection, route)
    row = connection.execute(
        f"SELECT part.not_before {_IN_TURN} ORDER BY part.not_before LIMIT 1", {"route": number}
    ).fetchone()
    return None if row is None else moment_or_none(row[0])


def _reply_to(connection: sqlite3.Connection, post: int, index: int) -> PostId | None:
    if index > 0:
        query, values = (
            "SELECT target_id FROM part WHERE post_id = ? AND idx = ?",
            (post, index - 1),
        )
        return PostId(connection.execute(query, values).fetchone()[0])
    waits_for, answers = connection.execute(
        "SELECT waits_for, answers FROM post WHERE id = ?", (post,)
    ).fetchone()
    if waits_for is None:
        return None if answers is None else PostId(answers)
    (last,) = connection.execute(
        "SELECT target_id FROM part WHERE post_id = ? ORDER BY idx DESC LIMIT 1", (waits_for,)
    ).fetchone()
    return PostId(last)


def claim(connection: sqlite3.Connection, key: PartKey, now: datetime, body_hash: str) -> None:
    """T2. Raises `ValueError` unless the part is there, and planned."""
    _, post, record = _part(connection, key)
    state = after(record.state, PartEvent.CLAIM)
    at = to_micros(now)
    connection.execute(
        "UPDATE part SET state = ?, attempts = attempts + 1, attempted_at = ?, body_hash = ? "
        "WHERE post_id = ? AND idx = ?",
        (state.value, at, storable(body_hash), post, key.index),
    )
    _log(
        connection,
        post,
        key.index,
        at=at,
        event=PartEvent.CLAIM,
        state=state,
        body_hash=body_hash,
    )


def settle(
    connection: sqlite3.Connection,
    key: PartKey,
    event: PartEvent,
    now: datetime,
    *,
    receipt: Receipt | None,
    not_before: datetime | None,
    detail: str,
) -> PartRecord:
    """T3, and every later move but `claim`.

    Raises `ValueError` for a move that is not drawn, and where a receipt is missing or idle.
    """
    if event is PartEvent.CLAIM:
        raise ValueError("a part is claimed by `claim`, which takes the hash of its body")
    route, post, record = _part(connection, key)
    state = after(record.state, event)
    if (state is PartState.DELIVERED) is not (receipt is not None):
        raise ValueError("a receipt goes with the moves to delivered, and with no others")
    at = to_micros(now)
    connection.execute(
        "UPDATE part SET state = ?, detail = ?, not_before = ?, target_id = ?, target_url = ?, "
        "cost = ? WHERE post_id = ? AND idx = ?",
        (
            state.value,
            storable(detail),
            to_micros(record.not_before if not_before is None else not_before),
            None if receipt is None else storable(receipt.id),
            None if receipt is None else storable_or_none(receipt.url),
            FREE if receipt is None else receipt.cost,
            post,
            key.index,
        ),
    )
    if receipt is not None:
        connection.execute("UPDATE route SET last_mirrored_at = ? WHERE id = ?", (at, route))
        note_spend(connection, route, now, "delivery", items=1, cost=receipt.cost)
    _log(connection, post, key.index, at=at, event=event, state=state, detail=detail)
    (settled,) = parts(connection, [(post, key.index)])
    return settled


def withdraw(
    connection: sqlite3.Connection,
    route: Route,
    source: PostId,
    *,
    verdict: Verdict,
    same_as: PostId,
    now: datetime,
) -> PostRecord | None:
    """Take back the mirror of a post of which nothing has been sent; None where something may have.

    What continues it goes on below `same_as`, which stands where its mirror would have.
    """
    number = find_route(connection, route)
    post = None if number is None else recorded(connection, number, source)
    if post is None:
        return None
    found = connection.execute(
        "SELECT idx, state FROM part WHERE post_id = ? ORDER BY idx", (post,)
    ).fetchall()
    if not found or any(state != PartState.PLANNED.value for _, state in found):
        return None
    at, state = to_micros(now), after(PartState.PLANNED, PartEvent.WITHDRAWN)
    for index, _ in found:
        connection.execute(
            "UPDATE part SET state = ?, detail = ? WHERE post_id = ? AND idx = ?",
            (state.value, storable(verdict.detail), post, index),
        )
        _log(
            connection,
            post,
            index,
            at=at,
            event=PartEvent.WITHDRAWN,
            state=state,
            detail=verdict.detail,
        )
    connection.execute(
        "UPDATE post SET action = ?, reason = ?, detail = ?, same_as = ?, changed_at = ? "
        "WHERE id = ?",
        (
            verdict.action.value,
            verdict.reason.value,
            storable(verdict.detail),
            storable(same_as),
            at,
            post,
        ),
    )
    connection.execute(
        "UPDATE post SET waits_for = NULL, answers = ? WHERE waits_for = ?",
        (storable(same_as), post),
    )
    return posts(connection, [post])[0]


def unproven(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Parts that are attempting or in doubt, oldest attempt first."""
    rows = connection.execute(
        "SELECT post_id, idx FROM part WHERE route_id = ? AND state IN ('attempting', 'in-doubt') "
        "ORDER BY attempted_at, post_id, idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def held(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Parts that are held after an attempt, oldest attempt first; not those their owner asked for.

    What was never attempted stands nowhere.
    """
    rows = connection.execute(
        "SELECT post_id, idx FROM part WHERE route_id = ? AND state = 'held' AND attempts > 0 "
        "ORDER BY attempted_at, post_id, idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def stranded(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Planned parts of posts that wait for a mirror of which a part failed or was dropped."""
    rows = connection.execute(
        "SELECT part.post_id, part.idx FROM part JOIN post ON post.id = part.post_id "
        "WHERE part.route_id = ? AND part.state = 'planned' AND EXISTS ("
        "SELECT 1 FROM part AS above WHERE above.post_id = post.waits_for "
        "AND above.state IN ('failed', 'dropped')) ORDER BY part.post_id, part.idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def _part(connection: sqlite3.Connection, key: PartKey) -> tuple[int, int, PartRecord]:
    """The numbers of its route and post, and the part."""
    route = find_route(connection, key.route)
    row = connection.execute(
        "SELECT id FROM post WHERE route_id = ? AND source = ?", (route, storable(key.source))
    ).fetchone()
    found = () if row is None else parts(connection, [(row[0], key.index)])
    if route is None or not found:
        raise ValueError(f"{key.route} has no part {key.index} of a post {key.source}")
    return route, row[0], found[0]


def _log(
    connection: sqlite3.Connection,
    post: int,
    index: int,
    *,
    at: int,
    event: PartEvent,
    state: PartState,
    body_hash: str | None = None,
    detail: str = "",
) -> None:
    connection.execute("UPDATE post SET changed_at = ? WHERE id = ?", (at, post))
    connection.execute(
        "INSERT INTO attempt_log (post_id, idx, at, event, state, body_hash, detail) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (post, index, at, event.value, state.value, body_hash, storable(detail)),
    )
