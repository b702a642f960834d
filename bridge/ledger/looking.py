"""What people ask the ledger: the latest posts, one post by any of its names, figures of a route.

Every function takes a connection inside a reading transaction. Must not change anything.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from bridge.core.model import Microdollars, Route
from bridge.core.prices import FREE
from bridge.core.record import Cursor, PostRecord
from bridge.ledger.auditing import audit
from bridge.ledger.codec import moment_or_none, storable
from bridge.ledger.recording import read_cursor
from bridge.ledger.rows import find_route, posts
from bridge.ports import RouteStatus

_TO_BE_DONE = ("planned", "attempting", "outdated", "revising", "unwanted", "deleting")
_COUNTED = (*_TO_BE_DONE, "in-doubt", "held", "failed")


def find(connection: sqlite3.Connection, id_or_url: str) -> tuple[PostRecord, ...]:
    """Every post that this id or address names, on either side, in the order recorded.

    An address is taken as it is; then without query, fragment and closing slash; then by its last
    two steps alone, since one post has several addresses (``…/status/1`` on more than one host).
    """
    wanted = storable(id_or_url.strip())
    if numbers := _named(connection, wanted):
        return posts(connection, sorted(numbers))
    if "://" not in wanted:
        return ()
    bare = wanted.partition("#")[0].partition("?")[0].rstrip("/")
    if numbers := _named(connection, bare):
        return posts(connection, sorted(numbers))
    candidates = posts(connection, sorted(_named(connection, bare.rpartition("/")[2])))
    return tuple(record for record in candidates if _ending(bare) in _endings(record))


def _named(connection: sqlite3.Connection, name: str) -> set[int]:
    rows = connection.execute(
        "SELECT post_id FROM known_id WHERE source = ? "
        "UNION SELECT id FROM post WHERE source_url = ? "
        "UNION SELECT post_id FROM part WHERE target_id = ? "
        "UNION SELECT post_id FROM part WHERE target_url = ? "
        "UNION SELECT post_id FROM former_target WHERE target_id = ? "
        "UNION SELECT post_id FROM former_target WHERE target_url = ?",
        (name,) * 6,
    )
    return {number for (number,) in rows}


def _ending(url: str) -> tuple[str, ...]:
    return tuple(url.rstrip("/").split("/")[-2:])


def _endings(record: PostRecord) -> set[tuple[str, ...]]:
    urls = (record.source_url, *(part.target_url for part in record.parts))
    return {_ending(url) for url in urls if url}


def status(connection: sqlite3.Connection, route: Route, now: datetime) -> RouteStatus:
    """Figures of one route, counted in parts; whatever is still to be done counts as planned."""
    number = find_route(connection, route)
    if number is None:
        return RouteStatus(route, None, None, None, 0, 0, 0, 0, 0, FREE)
    # What is delivered is the bulk, for ever; it is counted day by day as it is paid for.
    counts: dict[str, int] = dict(
        connection.execute(
            "SELECT state, count(*) FROM part WHERE route_id = ? "  # noqa: S608 - question marks
            f"AND state IN ({', '.join('?' * len(_COUNTED))}) GROUP BY state",
            (number, *_COUNTED),
        ).fetchall()
    )
    (delivered,) = connection.execute(
        "SELECT coalesce(sum(items), 0) FROM spend WHERE route_id = ? "
        "AND kind IN ('delivery', 'post', 'post_with_link', 'repost')",
        (number,),
    ).fetchone()
    # Little waits, and much is recorded: joined the other way round it takes seconds.
    (waiting,) = connection.execute(
        "SELECT count(*) FROM money_wait CROSS JOIN post ON post.id = money_wait.post_id "
        "WHERE post.route_id = ? AND EXISTS (SELECT 1 FROM part "
        "WHERE part.post_id = post.id AND part.state = 'planned')",
        (number,),
    ).fetchone()
    last_read, last_mirrored, reached = connection.execute(
        "SELECT last_read_at, last_mirrored_at, reached_at FROM route WHERE id = ?", (number,)
    ).fetchone()
    return RouteStatus(
        route=route,
        cursor=cursor(connection, route),
        last_read_at=moment_or_none(last_read),
        last_mirrored_at=moment_or_none(last_mirrored),
        planned=sum(counts.get(state, 0) for state in _TO_BE_DONE),
        in_doubt=counts.get("in-doubt", 0),
        held=counts.get("held", 0),
        failed=counts.get("failed", 0),
        delivered=delivered,
        spent_month=_spent(connection, number, now),
        waiting_for_money=waiting,
        checked_since=moment_or_none(reached),
        gap=audit(connection, route).gap,
    )


def rechecked_at(connection: sqlite3.Connection, route: Route) -> datetime | None:
    """When the source of `route` was last compared with what was mirrored of it."""
    row = connection.execute(
        "SELECT rechecked_at FROM route WHERE id = ?", (find_route(connection, route),)
    ).fetchone()
    return None if row is None else moment_or_none(row[0])


def cursor(connection: sqlite3.Connection, route: Route) -> Cursor | None:
    """How far `route` has read."""
    number = find_route(connection, route)
    return None if number is None else read_cursor(connection, number)


def _spent(connection: sqlite3.Connection, route: int, now: datetime) -> Microdollars:
    month = now.astimezone(UTC).strftime("%Y-%m")
    (total,) = connection.execute(
        "SELECT coalesce(sum(cost), 0) FROM spend WHERE route_id = ? AND day >= ? AND day <= ?",
        (route, f"{month}-01", f"{month}-31"),
    ).fetchone()
    return Microdollars(total)
