"""What becomes of recorded mirrors when posts are edited, deleted, or found to stand there already.

Every function takes a connection inside a fenced writing transaction. Which moves an amendment
means is told by `bridge.core.amend`; must not decide whether there is to be one.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.core.amend import Amendment, Move, is_under_way, moves
from bridge.core.delivery import PartEvent, PartState
from bridge.core.model import Post, PostId, Route
from bridge.core.record import Cursor, PostRecord
from bridge.core.verdict import Verdict
from bridge.ledger.codec import from_pending, storable, to_body, to_micros, to_pending
from bridge.ledger.judging import recorded
from bridge.ledger.moving import move
from bridge.ledger.recording import add_notes, insert_parts, judge_anew, learn, note_awaited
from bridge.ledger.rows import find_route, posts, route_id

_BEGUN_ANEW = frozenset({PartState.OUTDATED, PartState.UNWANTED})


def amend(
    connection: sqlite3.Connection,
    route: Route,
    of: PostId,
    amendment: Amendment,
    now: datetime,
    *,
    post: Post | None,
    cursor: Cursor | None,
) -> PostRecord:
    """T1 for a change of a recorded post. Raises `ValueError` where there is no such."""
    number = learn(connection, route, of, post, cursor)
    connection.execute(
        "UPDATE post SET pending = ?, changed_at = ? WHERE id = ?",
        (to_pending(amendment), to_micros(now), number),
    )
    note_awaited(connection, route_id(connection, route), number, post, amendment.awaits)
    apply_pending(connection, number, now)
    return posts(connection, [number])[0]


def apply_pending(connection: sqlite3.Connection, post: int, now: datetime) -> None:
    """Carry out the amendment that waits for the parts of a post, once none is under way."""
    (pending,) = connection.execute("SELECT pending FROM post WHERE id = ?", (post,)).fetchone()
    if pending is None:
        return
    (record,) = posts(connection, [post])
    if any(is_under_way(part) for part in record.parts):
        return
    amendment = from_pending(pending)
    connection.execute("UPDATE post SET pending = NULL WHERE id = ?", (post,))
    add_notes(connection, post, amendment.notes)
    route = find_route(connection, record.route)
    assert route is not None  # noqa: S101 - one of its posts was just read
    states = {part.key.index: part.state for part in record.parts}
    at = to_micros(now)
    for each in moves(record.parts, amendment):
        if each.event is not None:
            # A new part that is held back at once has just been planned.
            state = states.get(each.index, PartState.PLANNED)
            states[each.index] = move(connection, post, each.index, state, each.event, at=at)
            _moved(connection, post, each, states[each.index], at)
        elif each.part is not None:
            insert_parts(connection, route, post, (each.part,), now, aside=each.aside)


def _moved(
    connection: sqlite3.Connection, post: int, made: Move, reached: PartState, at: int
) -> None:
    """What goes with a move beside the state: the part as it is to be, and a new beginning."""
    if made.part is not None:
        connection.execute(
            "UPDATE part SET body = ?, price = ? WHERE post_id = ? AND idx = ?",
            (to_body(made.part), made.part.price, post, made.index),
        )
    if reached in _BEGUN_ANEW:
        connection.execute(
            "UPDATE part SET attempts = 0, not_before = ?, waiting_since = NULL, "
            "refused_since = NULL WHERE post_id = ? AND idx = ?",
            (at, post, made.index),
        )


def note_gone(
    connection: sqlite3.Connection, route: Route, source: PostId, now: datetime, note: str
) -> None:
    """Remember that its author deleted `source`. Raises `ValueError` as `amend`."""
    number = learn(connection, route, source, None, None)
    connection.execute(
        "UPDATE post SET gone_at = coalesce(gone_at, ?), changed_at = ? WHERE id = ?",
        (to_micros(now), to_micros(now), number),
    )
    add_notes(connection, number, (note,))


def withdraw(
    connection: sqlite3.Connection,
    route: Route,
    source: PostId,
    *,
    verdict: Verdict,
    same_as: PostId | None,
    now: datetime,
) -> PostRecord | None:
    """Take back the mirror of a post of which nothing has been sent; None where something may have.

    What continues it goes on below `same_as`, where that stands instead of its mirror.
    """
    number = find_route(connection, route)
    post = None if number is None else recorded(connection, number, source)
    if post is None:
        return None
    found = connection.execute(
        "SELECT idx, state FROM part WHERE post_id = ? "
        "AND (state <> 'gone' OR target_id IS NOT NULL) ORDER BY idx",
        (post,),
    ).fetchall()
    if not found or any(state != PartState.PLANNED.value for _, state in found):
        return None
    at, event = to_micros(now), PartEvent.WITHDRAWN
    for index, _ in found:
        move(connection, post, index, PartState.PLANNED, event, at=at, detail=verdict.detail)
    judge_anew(connection, post, verdict, at, same_as)
    connection.execute("DELETE FROM awaited WHERE post_id = ?", (post,))
    if same_as is None:
        return posts(connection, [post])[0]
    connection.execute(
        "UPDATE post SET waits_for = NULL, answers = ? WHERE waits_for = ?",
        (storable(same_as), post),
    )
    return posts(connection, [post])[0]
