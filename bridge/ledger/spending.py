"""What was spent, what may have been, and what waits for money: the ledger's side of the budget.

Every function takes a connection inside a transaction, those that write inside a fenced one. Must
not know what the budget is: `bridge.core.budget` does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from bridge.core.budget import (
    Line,
    PostCost,
    Spending,
    Spent,
    Till,
    Usage,
    month_begin,
    month_end,
    month_of,
)
from bridge.core.delivery import PartEvent, PartState
from bridge.core.draft import LinkPrices
from bridge.core.model import BridgeName, Direction, Microdollars, PostId, Route
from bridge.core.record import PartKey, PartRecord
from bridge.core.verdict import Reason
from bridge.ledger import delivering
from bridge.ledger.codec import storable, to_micros
from bridge.ledger.moving import find_part
from bridge.ledger.rows import find_route

_MAY_BE_CHARGED = "part.state IN ('attempting', 'in-doubt', 'revising', 'held')"
"""Where a reservation counts; what was tried and is held may stand, nobody knows."""

_HELD = (
    "EXISTS (SELECT 1 FROM part WHERE part.post_id = money_wait.post_id AND part.state = 'held')"
)

_WAITS = """
    FROM part JOIN post ON post.id = part.post_id
    WHERE part.route_id = :route AND part.state = 'planned' AND part.not_before <= :now
    AND post.released_at IS NULL
"""
"""Parts whose time has come, and that nothing but money may keep."""

_IN_MONTH = "route.bridge = :bridge AND spend.day >= :first AND spend.day <= :last"


def usage(connection: sqlite3.Connection, bridge: BridgeName, now: datetime) -> Usage:
    """What the UTC month of `now` has cost one bridge, and may have cost it besides."""
    month = month_of(now)
    (spent,) = connection.execute(
        f"SELECT coalesce(sum(spend.cost), 0) FROM spend "  # noqa: S608 - a constant of this module
        f"JOIN route ON route.id = spend.route_id WHERE {_IN_MONTH}",
        _month(bridge, month),
    ).fetchone()
    (under_way,) = connection.execute(
        "SELECT coalesce(sum(reservation.price), 0) FROM reservation "  # noqa: S608 - as above
        "JOIN part ON part.post_id = reservation.post_id AND part.idx = reservation.idx "
        "JOIN route ON route.id = part.route_id "
        f"WHERE route.bridge = ? AND reservation.at >= ? AND {_MAY_BE_CHARGED}",
        (storable(bridge), to_micros(month_begin(month))),
    ).fetchone()
    return Usage(Microdollars(spent), Microdollars(under_way))


def till(connection: sqlite3.Connection, key: PartKey, now: datetime) -> Till:
    """What bears on whether the post of `key` may be sent now. Raises `ValueError` for no such."""
    route, post, _ = find_part(connection, key)
    asked = {"route": route, "now": to_micros(now)}
    (needed,) = connection.execute(
        "SELECT coalesce(sum(price), 0) FROM part WHERE post_id = ? AND state = 'planned'", (post,)
    ).fetchone()
    (released,) = connection.execute(
        "SELECT released_at IS NOT NULL FROM post WHERE id = ?", (post,)
    ).fetchone()
    (marked,) = connection.execute(
        f"SELECT count(*) FROM money_wait CROSS JOIN post ON post.id = money_wait.post_id "  # noqa: S608 - as above
        f"WHERE post.route_id = ? AND NOT {_HELD}",
        (route,),
    ).fetchone()
    (unmarked,) = connection.execute(
        f"SELECT count(DISTINCT part.post_id) {_WAITS} "  # noqa: S608 - as above
        "AND part.post_id NOT IN (SELECT post_id FROM money_wait)",
        asked,
    ).fetchone()
    return Till(
        usage(connection, key.route.bridge, now),
        Microdollars(needed),
        released=bool(released),
        marked=marked,
        unmarked=unmarked,
    )


def wait_for_money(connection: sqlite3.Connection, route: Route, now: datetime, why: str) -> None:
    """Note of every post that is due that it waits, and `why`, which its first part tells."""
    asked = {"route": find_route(connection, route), "now": to_micros(now), "why": storable(why)}
    connection.execute(
        f"INSERT INTO money_wait (post_id, since) SELECT DISTINCT part.post_id, :now {_WAITS} "
        "ON CONFLICT DO NOTHING",
        asked,
    )
    connection.execute(
        "UPDATE part SET detail = :why WHERE route_id = :route AND state = 'planned' "
        "AND not_before <= :now AND post_id IN (SELECT post_id FROM money_wait) AND idx = ("
        "SELECT min(idx) FROM part AS first WHERE first.post_id = part.post_id "
        "AND first.state = 'planned')",
        asked,
    )


def money_is_there(connection: sqlite3.Connection, route: Route) -> None:
    """Note that nothing of `route` waits for money any more."""
    number = find_route(connection, route)
    waiting = "SELECT post_id FROM money_wait"
    connection.execute(
        f"UPDATE part SET detail = '' WHERE route_id = ? AND state = 'planned' "  # noqa: S608 - a constant
        f"AND post_id IN ({waiting})",
        (number,),
    )
    # What no month can pay is held, and waits for its owner's word all the same.
    connection.execute(
        f"DELETE FROM money_wait WHERE post_id IN (SELECT id FROM post WHERE route_id = ?) "  # noqa: S608 - as above
        f"AND NOT {_HELD}",
        (number,),
    )


def never_affordable(
    connection: sqlite3.Connection, key: PartKey, now: datetime, why: str
) -> tuple[PartRecord, ...]:
    """Hold a post of which nothing was tried, and that no month can pay; its parts, or none."""
    _, post, _ = find_part(connection, key)
    rows = connection.execute(
        "SELECT idx, state, attempts FROM part WHERE post_id = ? AND state <> 'gone'", (post,)
    ).fetchall()
    if any(state != PartState.PLANNED.value or attempts for _, state, attempts in rows):
        return ()
    connection.execute(
        "INSERT INTO money_wait (post_id, since) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (post, to_micros(now)),
    )
    return tuple(
        _moved(connection, PartKey(key.route, key.source, index), PartEvent.HELD_BACK, now, why)
        for index, _, _ in rows
    )


def release(
    connection: sqlite3.Connection, route: Route, source: PostId | None, now: datetime
) -> tuple[PostId, ...]:
    """Let what waits for money go: one post of `route`, or all that wait for the next month.

    Returns their first ids, none where nothing of the kind waits.
    """
    number = find_route(connection, route)
    rows = connection.execute(
        "SELECT post.id, post.source "
        "FROM post LEFT JOIN money_wait ON money_wait.post_id = post.id "
        "WHERE post.route_id = :route AND (:source IS NULL OR post.source = :source) AND ("
        "(money_wait.since IS NOT NULL AND EXISTS (SELECT 1 FROM part "
        "WHERE part.post_id = post.id AND part.state = 'planned')) "
        "OR (:source IS NOT NULL AND (money_wait.since IS NOT NULL OR post.reason = :dear) "
        "AND EXISTS (SELECT 1 FROM part WHERE part.post_id = post.id AND part.state = 'held' "
        "AND part.attempts = 0))) ORDER BY post.id",
        {
            "route": number,
            "source": None if source is None else storable(source),
            "dear": Reason.TOO_DEAR.value,
        },
    ).fetchall()
    for post, name in rows:
        _let_go(connection, route, post, PostId(name), now)
    return tuple(PostId(name) for _, name in rows)


def _let_go(
    connection: sqlite3.Connection, route: Route, post: int, source: PostId, now: datetime
) -> None:
    connection.execute("UPDATE post SET released_at = ? WHERE id = ?", (to_micros(now), post))
    connection.execute("DELETE FROM money_wait WHERE post_id = ?", (post,))
    held = connection.execute(
        "SELECT idx FROM part WHERE post_id = ? AND state = 'held' AND attempts = 0", (post,)
    ).fetchall()
    for (index,) in held:
        key = PartKey(route, source, index)
        _moved(connection, key, PartEvent.OWNER_SAYS_RETRY, now, "released by its owner")
    connection.execute(
        "UPDATE part SET detail = 'released by its owner' WHERE post_id = ? AND state = 'planned' "
        "AND detail <> ''",
        (post,),
    )


def _moved(
    connection: sqlite3.Connection, key: PartKey, event: PartEvent, now: datetime, why: str
) -> PartRecord:
    return delivering.settle(
        connection,
        key,
        event,
        now,
        receipt=None,
        cost=Microdollars(0),
        not_before=now,
        detail=why,
        notes=(),
    )


def reserve(connection: sqlite3.Connection, record: PartRecord, now: datetime) -> PartRecord:
    """Count what a part just claimed may cost; deletions are charged when they are done."""
    _, post, _ = find_part(connection, record.key)
    if record.state in {PartState.ATTEMPTING, PartState.REVISING}:
        connection.execute(
            "INSERT OR REPLACE INTO reservation (post_id, idx, at, price) VALUES (?, ?, ?, ?)",
            (post, record.key.index, to_micros(now), record.part.price),
        )
    return record


def uploaded(connection: sqlite3.Connection, record: PartRecord, cost: Microdollars) -> PartRecord:
    """What an upload has cost is spent now, and may not be so once more."""
    _, post, _ = find_part(connection, record.key)
    connection.execute(
        "UPDATE reservation SET price = max(0, price - ?) WHERE post_id = ? AND idx = ?",
        (cost, post, record.key.index),
    )
    return record


def note_warned(connection: sqlite3.Connection, bridge: BridgeName, month: str) -> bool:
    """Note that the owner is warned in this month; false where that was so before."""
    name = storable(f"warned {bridge}")
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row is not None and row[0] >= month:
        return False
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, month))
    return True


def prices_looked_at(connection: sqlite3.Connection) -> int | None:
    """When X's own price list was last asked for, in microseconds; None for never."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'prices looked at'").fetchone()
    return None if row is None else int(row[0])


def note_prices_looked_at(connection: sqlite3.Connection, at: datetime) -> None:
    """Remember that X's own price list was asked for."""
    connection.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('prices looked at', ?)",
        (str(to_micros(at)),),
    )


def spending(
    connection: sqlite3.Connection, bridge: BridgeName, month: str, dearest: int
) -> Spending:
    """What one bridge has cost in one month, with so many of its dearest posts."""
    rows = connection.execute(
        f"SELECT spend.kind, sum(spend.items), sum(spend.cost) FROM spend "  # noqa: S608 - a constant of this module
        f"JOIN route ON route.id = spend.route_id WHERE {_IN_MONTH} AND "
        # Of what is free, what was done on X: read from there, and all else toward there.
        "(spend.cost > 0 OR (spend.kind = 'read') = (route.direction = 'x_to_mastodon')) "
        "GROUP BY spend.kind",
        _month(bridge, month),
    ).fetchall()
    found = {kind: (items, cost) for kind, items, cost in rows}
    lines = tuple(
        Line(kind, found[kind.value][0], Microdollars(found[kind.value][1]))
        for kind in Spent
        if kind.value in found
    )
    out = Route(bridge, Direction.MASTODON_TO_X)
    costs = _costs(connection, out, month)
    return Spending(
        month=month,
        lines=lines,
        posts=len(costs),
        of_posts=Microdollars(sum(cost for *_, cost in costs)),
        dearest=tuple(
            PostCost(out, PostId(source), url, count, Microdollars(cost))
            for _, source, url, count, cost in costs[:dearest]
        ),
        links=_by_choice(connection, costs),
    )


_Cost = tuple[int, str, str | None, int, int]
"""A post's number, id and address, how many parts of it were sent, and what they cost."""


def _costs(connection: sqlite3.Connection, route: Route, month: str) -> Sequence[_Cost]:
    """Posts whose first part came to stand in that month, the dearest first."""
    return connection.execute(
        "SELECT post.id, post.source, post.source_url, count(part.stands_since), sum(part.cost) "
        "FROM post JOIN part ON part.post_id = post.id WHERE post.id IN ("
        "SELECT post_id FROM part WHERE route_id = :route AND stands_since IS NOT NULL "
        "AND stands_since >= :begin AND stands_since < :end) "
        "GROUP BY post.id HAVING min(part.stands_since) >= :begin "
        "ORDER BY sum(part.cost) DESC, post.id",
        {
            "route": find_route(connection, route),
            "begin": to_micros(month_begin(month)),
            "end": to_micros(month_end(month)),
        },
    ).fetchall()


def _by_choice(connection: sqlite3.Connection, costs: Sequence[_Cost]) -> LinkPrices:
    """What these posts cost under each choice; those without links cost the same under all."""
    keep = defuse = drop = 0
    for number, *_, cost in costs:
        row = connection.execute(
            'SELECT keep, defuse, "drop" FROM link_price WHERE post_id = ?', (number,)
        ).fetchone()
        one = row or (cost, cost, cost)
        keep, defuse, drop = keep + one[0], defuse + one[1], drop + one[2]
    return LinkPrices(Microdollars(keep), Microdollars(defuse), Microdollars(drop))


def _month(bridge: BridgeName, month: str) -> dict[str, str]:
    return {"bridge": storable(bridge), "first": f"{month}-01", "last": f"{month}-31"}
