"""Posts that wait for the mirror of another post, which they quote or repeat.

Every function takes a connection inside a transaction and only reads; `recording` has a post wait.
Must not decide for how long, nor what is sent in the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from bridge.core.model import Post, Route
from bridge.ledger import delivering
from bridge.ledger.codec import from_micros, to_micros
from bridge.ledger.judging import ON_ITS_WAY, first_state
from bridge.ledger.rows import find_route
from bridge.ledger.whole_posts import from_whole

_WAITING = """
    SELECT needs, until, source FROM awaited WHERE route_id = ? AND source IS NOT NULL
    AND EXISTS (SELECT 1 FROM part WHERE part.post_id = awaited.post_id AND part.state = 'planned')
    ORDER BY post_id
"""


def resolvable(connection: sqlite3.Connection, route: Route, now: datetime) -> tuple[Post, ...]:
    """Posts that need not wait any longer, in the order they were recorded.

    One whose time is over still waits while the mirror it needs could be sent now: whatever keeps
    that one back keeps both.
    """
    number, at = find_route(connection, route), to_micros(now)
    found: list[Post] = []
    for needs, until, source in connection.execute(_WAITING, (number,)).fetchall():
        over = first_state(connection, needs) not in ON_ITS_WAY
        if over or (until <= at and not _is_sent_by(connection, number, needs, at)):
            found.append(from_whole(source))
    return tuple(found)


def due_at(
    connection: sqlite3.Connection, route: Route, *, changes: bool = True
) -> datetime | None:
    """From when on something may be sent, resolved or, with `changes`, edited or deleted."""
    times = list(_ends(connection, find_route(connection, route)))
    due = delivering.due_at(connection, route, changes=changes)
    return min([from_micros(at) for at in times] + ([] if due is None else [due]), default=None)


def _ends(connection: sqlite3.Connection, route: int | None) -> Iterator[int]:
    """When waiting ends for want of the mirror; one that may be sent before brings its own time."""
    for needs, until, _ in connection.execute(_WAITING, (route,)).fetchall():
        if not _is_sent_by(connection, route, needs, until):
            yield until


def _is_sent_by(connection: sqlite3.Connection, route: int | None, needs: int, at: int) -> bool:
    """Whether a part of the needed mirror is next in turn, and its own time has come by then."""
    asked = {"route": route, "needs": needs}
    (not_before,) = connection.execute(
        f"SELECT min(part.not_before) {delivering.IN_TURN} AND part.post_id = :needs", asked
    ).fetchone()
    return not_before is not None and not_before <= at
