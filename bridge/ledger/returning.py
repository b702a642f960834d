"""What tells a flood from a day's work: how long nobody was there, what waits, what left lately.

Every function takes a connection inside a transaction, `note_passed` inside a fenced one. Must not
judge anything: `bridge.core.guards` does.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.core.model import Route
from bridge.core.record import Passage, PostRecord
from bridge.core.verdict import Reason
from bridge.ledger.codec import from_micros, moment_or_none, to_micros
from bridge.ledger.rows import find_route, posts, route_id

MOST_WAITING = 500
"""So many are asked for at once."""


def passage(connection: sqlite3.Connection, route: Route) -> Passage:
    """When the source of `route` was last read to its end, and whether it was restored since."""
    row = connection.execute(
        "SELECT passed_at, restored_at FROM route WHERE id = ?", (find_route(connection, route),)
    ).fetchone()
    return Passage() if row is None else Passage(moment_or_none(row[0]), row[1] is not None)


def note_passed(connection: sqlite3.Connection, route: Route, at: datetime) -> None:
    """Remember that the source of `route` has been read to its end."""
    connection.execute(
        "UPDATE route SET passed_at = ?, restored_at = NULL WHERE id = ?",
        (to_micros(at), route_id(connection, route)),
    )


def waiting(
    connection: sqlite3.Connection, route: Route, before: datetime
) -> tuple[PostRecord, ...]:
    """Posts written before then of whose mirrors nothing stands; oldest first, some.

    Not those that their owner has asked for by name.
    """
    rows = connection.execute(
        "SELECT DISTINCT post.id FROM part JOIN post ON post.id = part.post_id "
        "WHERE part.route_id = ? AND part.state = 'planned' AND post.created_at < ? "
        "AND post.reason <> ? AND NOT EXISTS (SELECT 1 FROM part AS other "
        "WHERE other.post_id = post.id AND other.state <> 'planned') "
        "ORDER BY post.id LIMIT ?",
        (
            find_route(connection, route),
            to_micros(before),
            Reason.CAUGHT_UP.value,
            MOST_WAITING,
        ),
    ).fetchall()
    return posts(connection, [number for (number,) in rows])


def left(
    connection: sqlite3.Connection, route: Route, since: datetime, until: datetime
) -> tuple[datetime, ...]:
    """When posts of `route` left, or may have: one time a post, oldest first, within the stretch.

    Times are the own clock's; what lies in its future, after it was set back, is left out.
    """
    stretch = (find_route(connection, route), to_micros(since), to_micros(until))
    rows = connection.execute(
        "SELECT max(at) FROM ("
        "SELECT post_id, stands_since AS at FROM part "
        "WHERE route_id = ? AND stands_since > ? AND stands_since <= ? "
        "UNION ALL SELECT post_id, attempted_at FROM part WHERE route_id = ? "
        "AND state IN ('attempting', 'in-doubt') AND attempted_at > ? AND attempted_at <= ?"
        ") GROUP BY post_id ORDER BY 1",
        (*stretch, *stretch),
    ).fetchall()
    return tuple(from_micros(at) for (at,) in rows)
