"""One part and the log of its moves: what every module that moves parts needs.

Every function takes a connection inside a transaction. Must not decide which move is made.
"""

from __future__ import annotations

import sqlite3

from bridge.core.delivery import PartEvent, PartState, after
from bridge.core.record import PartKey, PartRecord
from bridge.ledger.codec import storable, storable_or_none
from bridge.ledger.rows import find_route, parts


def find_part(connection: sqlite3.Connection, key: PartKey) -> tuple[int, int, PartRecord]:
    """The numbers of its route and post, and the part."""
    route = find_route(connection, key.route)
    row = connection.execute(
        "SELECT id FROM post WHERE route_id = ? AND source = ?", (route, storable(key.source))
    ).fetchone()
    found = () if row is None else parts(connection, [(row[0], key.index)])
    if route is None or not found:
        raise ValueError(f"{key.route} has no part {key.index} of a post {key.source}")
    return route, row[0], found[0]


def move(
    connection: sqlite3.Connection,
    post: int,
    index: int,
    state: PartState,
    event: PartEvent,
    *,
    at: int,
    detail: str | None = None,
) -> PartState:
    """Have a part that is in `state` make the move `event`; the state that it reaches.

    `detail` is what is told of the part from now on; None leaves what is told. Raises `ValueError`
    for a move that `bridge.core.delivery` does not draw.
    """
    reached = after(state, event)
    connection.execute(
        "UPDATE part SET state = ?, detail = coalesce(?, detail) WHERE post_id = ? AND idx = ?",
        (reached.value, storable_or_none(detail), post, index),
    )
    log_move(connection, post, index, at=at, event=event, state=reached, detail=detail or "")
    return reached


def log_move(
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
    """Write down a move of a part, for ever, and when its post was last changed."""
    connection.execute("UPDATE post SET changed_at = ? WHERE id = ?", (at, post))
    connection.execute(
        "INSERT INTO attempt_log (post_id, idx, at, event, state, body_hash, detail) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (post, index, at, event.value, state.value, body_hash, storable(detail)),
    )
