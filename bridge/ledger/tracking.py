"""Which mirrors are still followed, which of them were looked up, and which wait for their owner.

Every function takes a connection inside a transaction; those that begin with `note` inside a fenced
writing one. Must not decide what is looked up, nor what a deletion means.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bridge.core.model import PostId, Route
from bridge.core.record import Tracked
from bridge.ledger.codec import micros_or_none, moment_or_none, to_micros
from bridge.ledger.content import CONCERNED, KEPT_BY_TEXT, OURS, latest
from bridge.ledger.judging import recorded
from bridge.ledger.rows import find_route, posts, route_id

_FOLLOWED = f"""
    post.gone_at IS NULL AND {OURS}
    AND EXISTS (SELECT 1 FROM part WHERE part.post_id = post.id AND {CONCERNED})
"""  # noqa: S608 - constants of ours


def tracked(
    connection: sqlite3.Connection, route: Route, names: Collection[PostId]
) -> Mapping[PostId, Tracked]:
    """Those of `names` that are posts of `route` that are followed, mirrored or not."""
    number = find_route(connection, route)
    known = {} if number is None else {name: recorded(connection, number, name) for name in names}
    followed = {
        name: post
        for name, post in known.items()
        if post is not None and _is_followed(connection, post)
    }
    return dict(zip(followed, _records(connection, list(followed.values())), strict=True))


def _is_followed(connection: sqlite3.Connection, post: int) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM post WHERE post.id = ? AND (({_FOLLOWED}) OR "  # noqa: S608 - constants of ours
        f"(post.gone_at IS NULL AND {KEPT_BY_TEXT}))",
        (post,),
    )
    return found.fetchone() is not None


def next_to_check(
    connection: sqlite3.Connection, route: Route, before: datetime | None, limit: int
) -> tuple[Tracked, ...]:
    """The next posts of the round: mirrored, not after `before`, in the order recorded."""
    number = find_route(connection, route)
    # Only what stands: what has not left yet is looked up before it does.
    rows = connection.execute(
        "SELECT DISTINCT part.post_id FROM part CROSS JOIN post ON post.id = part.post_id "  # noqa: S608 - constants of ours
        "WHERE part.route_id = ? AND part.state = 'delivered' AND part.post_id > "
        "coalesce((SELECT checked_post FROM route WHERE id = ?), 0) "
        "AND (? IS NULL OR post.created_at <= ?) AND post.missing_at IS NULL "
        f"AND post.gone_at IS NULL AND {OURS} ORDER BY part.post_id LIMIT ?",
        (number, number, micros_or_none(before), micros_or_none(before), limit),
    )
    return _records(connection, [post for (post,) in rows.fetchall()])


def note_checked(connection: sqlite3.Connection, route: Route, last: PostId) -> None:
    """Remember how far the round has come."""
    number = route_id(connection, route)
    post = recorded(connection, number, last)
    connection.execute("UPDATE route SET checked_post = ? WHERE id = ?", (post, number))


def note_round(connection: sqlite3.Connection, route: Route, at: datetime) -> None:
    """Remember that a round has ended, if one was under way: the next begins with the first."""
    connection.execute(
        "UPDATE route SET checked_post = NULL, checked_at = ? "
        "WHERE id = ? AND checked_post IS NOT NULL",
        (to_micros(at), route_id(connection, route)),
    )


def round_ended_at(connection: sqlite3.Connection, route: Route) -> datetime | None:
    """When the last round ended; None where one is under way, and before the first."""
    row = connection.execute(
        "SELECT checked_at FROM route WHERE id = ? AND checked_post IS NULL",
        (find_route(connection, route),),
    ).fetchone()
    return None if row is None else moment_or_none(row[0])


def missing(connection: sqlite3.Connection, route: Route) -> tuple[Tracked, ...]:
    """Posts that are gone whose mirrors wait for the owner, the longest not asked for first."""
    rows = connection.execute(
        f"SELECT post.id FROM post WHERE post.route_id = ? AND post.missing_at IS NOT NULL "  # noqa: S608 - constants of ours
        f"AND {_FOLLOWED} ORDER BY post.missing_at, post.id",
        (find_route(connection, route),),
    )
    return _records(connection, [post for (post,) in rows.fetchall()])


def note_missing(
    connection: sqlite3.Connection, route: Route, sources: Collection[PostId], at: datetime | None
) -> None:
    """Remember that these were found gone at `at`; with None, that they stand after all."""
    number = route_id(connection, route)
    for source in sources:
        connection.execute(
            "UPDATE post SET missing_at = ? WHERE id = ?",
            (micros_or_none(at), recorded(connection, number, source)),
        )


def count_tracked(connection: sqlite3.Connection, route: Route) -> int:
    """How many mirrors of `route` are followed."""
    (count,) = connection.execute(
        f"SELECT count(*) FROM post WHERE post.route_id = ? AND {_FOLLOWED}",  # noqa: S608 - constants of ours
        (find_route(connection, route),),
    ).fetchone()
    return int(count)


def count_gone(connection: sqlite3.Connection, route: Route, since: datetime) -> int:
    """How many posts were found deleted since then, and since their owner confirmed deletions."""
    number = find_route(connection, route)
    (count,) = connection.execute(
        "SELECT count(*) FROM post WHERE route_id = ? AND gone_at > "
        "max(?, coalesce((SELECT vouched_at FROM route WHERE id = ?), 0))",
        (number, to_micros(since), number),
    ).fetchone()
    return int(count)


def note_vouched(connection: sqlite3.Connection, route: Route, at: datetime) -> None:
    """Remember that the owner has confirmed what was found deleted until now."""
    number = route_id(connection, route)
    connection.execute("UPDATE route SET vouched_at = ? WHERE id = ?", (to_micros(at), number))


def note_reach(connection: sqlite3.Connection, route: Route, oldest: datetime | None) -> None:
    """Remember how far back the source was compared; None for all of it."""
    connection.execute(
        "UPDATE route SET reached_at = ? WHERE id = ?",
        (micros_or_none(oldest), route_id(connection, route)),
    )


def _records(connection: sqlite3.Connection, numbers: Sequence[int]) -> tuple[Tracked, ...]:
    return tuple(
        Tracked(record, latest(connection, number))
        for number, record in zip(numbers, posts(connection, numbers), strict=True)
    )
