"""Audits: when a source was last compared with the ledger, and the posts it had missed.

Every function takes a connection inside a transaction; `note` needs a fenced writing one. Must not
judge whether anything is missing: the engine does.
"""

from __future__ import annotations

import sqlite3

from bridge.core.audits import Audit, Gap, Seen
from bridge.core.model import PostId, Route
from bridge.ledger.codec import (
    from_micros,
    micros_or_none,
    moment_or_none,
    storable,
)
from bridge.ledger.rows import find_route, route_id


def audit(connection: sqlite3.Connection, route: Route) -> Audit:
    """The last audit of `route`, and the last gap."""
    row = connection.execute(
        "SELECT at, gap_since, gap_why, gap_posts, gap_closed FROM audit WHERE route_id = ?",
        (find_route(connection, route),),
    ).fetchone()
    if row is None:
        return Audit()
    at, since, why, posts, closed = row
    if since is None:
        return Audit(moment_or_none(at))
    return Audit(moment_or_none(at), Gap(from_micros(since), why, posts, moment_or_none(closed)))


def note(connection: sqlite3.Connection, route: Route, audit: Audit) -> None:
    """Remember an audit in place of the one before."""
    gap = audit.gap
    connection.execute(
        "INSERT INTO audit (route_id, at, gap_since, gap_why, gap_posts, gap_closed) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (route_id) DO UPDATE SET at = excluded.at, "
        "gap_since = excluded.gap_since, gap_why = excluded.gap_why, "
        "gap_posts = excluded.gap_posts, gap_closed = excluded.gap_closed",
        (
            route_id(connection, route),
            micros_or_none(audit.at),
            None if gap is None else micros_or_none(gap.since),
            "" if gap is None else storable(gap.why),
            0 if gap is None else gap.posts,
            None if gap is None else micros_or_none(gap.closed_at),
        ),
    )


def seen(connection: sqlite3.Connection, route: Route, limit: int) -> tuple[Seen, ...]:
    """The posts recorded last, newest first, and then those of the baseline."""
    number = find_route(connection, route)
    recorded = connection.execute(
        "SELECT source, created_at FROM post WHERE route_id = ? ORDER BY id DESC LIMIT ?",
        (number, limit),
    ).fetchall()
    stood = connection.execute("SELECT source FROM baseline WHERE route_id = ?", (number,))
    return (
        *(Seen(PostId(source), from_micros(at)) for source, at in recorded),
        *(Seen(PostId(source)) for (source,) in stood),
    )
