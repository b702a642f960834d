"""Whose accounts a bridge joins, what it knows that shows so, and how it starts anew with others.

Every function takes a connection inside a transaction, those that write inside a fenced one. Must
not judge whether two accounts are the same: `bridge.core.identity` does.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import count

from bridge.core.delivery import PartEvent, PartState, after
from bridge.core.identity import EXACT, Identity, Rebound, Trace
from bridge.core.model import AccountId, BridgeName, Direction, Network, PostId, Route
from bridge.core.verdict import Reason
from bridge.ledger.codec import (
    micros_or_none,
    moment_or_none,
    storable,
    to_micros,
)
from bridge.ledger.moving import log_move
from bridge.ledger.rows import find_route, route_id

TRACES = 5
"""So many posts of each kind are remembered as witnesses; few of them will have been deleted."""

_ABOUT = timedelta(minutes=15)
"""How far the clocks of this machine and of a server may differ without either being wrong."""

_LEFT = "the bridge was bound to other accounts before this was done"

_S, _E = PartState, PartEvent
_TO_REST: dict[PartState, tuple[PartEvent, ...]] = {
    _S.PLANNED: (_E.OWNER_DROPS,),
    _S.FAILED: (_E.OWNER_DROPS,),
    _S.ATTEMPTING: (_E.DOUBT, _E.UNPROVABLE),
    _S.IN_DOUBT: (_E.UNPROVABLE,),
    _S.OUTDATED: (_E.REFUSAL,),
    _S.REVISING: (_E.REFUSAL,),
    _S.UNWANTED: (_E.CLAIM, _E.REFUSAL),
    _S.DELETING: (_E.REFUSAL,),
}
"""By which moves a part comes to rest that nobody works on any more."""

_UNSENT = (_S.PLANNED, _S.FAILED, _S.ATTEMPTING, _S.IN_DOUBT)


def identity(
    connection: sqlite3.Connection, bridge: BridgeName, network: Network
) -> Identity | None:
    """The account that `bridge` has on `network`; None where that was never noted."""
    row = connection.execute(
        "SELECT account, server, handle, created_at FROM account WHERE bridge = ? AND network = ?",
        (storable(bridge), network.value),
    ).fetchone()
    if row is None:
        return None
    account, server, handle, created_at = row
    return Identity(AccountId(account), server, handle, moment_or_none(created_at))


def note(
    connection: sqlite3.Connection,
    bridge: BridgeName,
    network: Network,
    found: Identity,
    now: datetime,
) -> None:
    """Remember whose account it is."""
    connection.execute(
        "INSERT OR REPLACE INTO account "
        "(bridge, network, account, server, handle, created_at, noted_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            storable(bridge),
            network.value,
            storable(found.id),
            storable(found.server),
            storable(found.handle),
            micros_or_none(found.created_at),
            to_micros(now),
        ),
    )


def traces(
    connection: sqlite3.Connection, bridge: BridgeName, network: Network
) -> tuple[Trace, ...]:
    """Posts of the account of `bridge` on `network`: read there, or made there; newest first.

    Not what somebody else told of: what another tool mirrored shows nothing about this bridge.
    """
    read = next(way for way in Direction if way.source is network)
    written = connection.execute(
        "SELECT post.source, post.source_url, post.created_at FROM post "
        "JOIN route ON route.id = post.route_id WHERE route.bridge = ? AND route.direction = ? "
        "AND post.gone_at IS NULL AND post.reason NOT IN (?, ?) ORDER BY post.id DESC LIMIT ?",
        (
            storable(bridge),
            read.value,
            Reason.TAKEN_OVER.value,
            Reason.LINKED.value,
            TRACES,
        ),
    ).fetchall()
    made = connection.execute(
        "SELECT part.target_id, part.target_url, part.attempted_at FROM part "
        "JOIN route ON route.id = part.route_id WHERE route.bridge = ? AND route.direction = ? "
        "AND part.state = 'delivered' AND part.attempts > 0 AND part.attempted_at IS NOT NULL "
        "ORDER BY part.post_id DESC, part.idx DESC LIMIT ?",
        (storable(bridge), read.reverse.value, TRACES),
    ).fetchall()
    found = [
        *((at, PostId(name), url, EXACT) for name, url, at in written),
        *((at, PostId(name), url, _ABOUT) for name, url, at in made),
    ]
    found.sort(key=lambda each: -each[0])
    if found:
        return tuple(Trace(name, url, moment_or_none(at), slack) for at, name, url, slack in found)
    # Posts that were there at the start: nothing but their ids is known, which shows less.
    stood = connection.execute(
        "SELECT baseline.source FROM baseline JOIN route ON route.id = baseline.route_id "
        "WHERE route.bridge = ? AND route.direction = ? ORDER BY baseline.source DESC LIMIT ?",
        (storable(bridge), read.value, TRACES),
    ).fetchall()
    return tuple(Trace(PostId(name)) for (name,) in stood)


def rebind(connection: sqlite3.Connection, bridge: BridgeName, now: datetime) -> Rebound:
    """Put all that is known of `bridge` under another name, and let its routes start anew.

    What it has spent stays with it. Parts that were on their way come to rest.
    """
    aside = _free_name(connection, bridge, now)
    unsent = _put_to_rest(connection, bridge, now)
    (posts,) = connection.execute(
        "SELECT count(*) FROM post JOIN route ON route.id = post.route_id WHERE route.bridge = ?",
        (storable(bridge),),
    ).fetchone()
    former = connection.execute(
        "SELECT id, direction FROM route WHERE bridge = ?", (storable(bridge),)
    ).fetchall()
    for table in ("route", "account"):
        connection.execute(
            f"UPDATE {table} SET bridge = ? WHERE bridge = ?",  # noqa: S608 - two names of ours
            (storable(aside), storable(bridge)),
        )
    for number, direction in former:
        route = Route(bridge, Direction(direction))
        anew = route_id(connection, route)
        connection.execute("UPDATE route SET rebound_at = ? WHERE id = ?", (to_micros(now), anew))
        connection.execute("UPDATE spend SET route_id = ? WHERE route_id = ?", (anew, number))
    return Rebound(aside, posts, unsent)


def is_rebound(connection: sqlite3.Connection, route: Route) -> bool:
    """Whether `route` was told to start anew with other accounts."""
    row = connection.execute(
        "SELECT 1 FROM route WHERE id = ? AND rebound_at IS NOT NULL",
        (find_route(connection, route),),
    ).fetchone()
    return row is not None


def _put_to_rest(connection: sqlite3.Connection, bridge: BridgeName, now: datetime) -> int:
    """End what is on its way of `bridge`; returns how many parts are not sent because of it."""
    of_bridge = (storable(bridge),)
    rows = connection.execute(
        "SELECT part.post_id, part.idx, part.state FROM part "
        "JOIN route ON route.id = part.route_id WHERE route.bridge = ? "
        "ORDER BY part.post_id, part.idx",
        of_bridge,
    ).fetchall()
    unsent, at = 0, to_micros(now)
    for post, index, state in rows:
        reached = PartState(state)
        moves = _TO_REST.get(reached, ())
        unsent += reached in _UNSENT
        for event in moves:
            reached = after(reached, event)
            log_move(connection, post, index, at=at, event=event, state=reached, detail=_LEFT)
        if moves:
            connection.execute(
                "UPDATE part SET state = ?, detail = ? WHERE post_id = ? AND idx = ?",
                (reached.value, _LEFT, post, index),
            )
    connection.execute(
        "UPDATE post SET pending = NULL WHERE pending IS NOT NULL "
        "AND route_id IN (SELECT id FROM route WHERE bridge = ?)",
        of_bridge,
    )
    for table in ("money_wait", "reservation", "awaited"):
        connection.execute(
            f"DELETE FROM {table} WHERE post_id IN (SELECT post.id FROM post "  # noqa: S608 - names of ours
            "JOIN route ON route.id = post.route_id WHERE route.bridge = ?)",
            of_bridge,
        )
    connection.execute(
        "DELETE FROM wanted WHERE route_id IN (SELECT id FROM route WHERE bridge = ?)", of_bridge
    )
    return unsent


def _free_name(connection: sqlite3.Connection, bridge: BridgeName, now: datetime) -> BridgeName:
    """A name for what is put aside, which no bridge of a configuration can have."""
    base = f"{bridge}@{now.astimezone(UTC):%Y-%m-%d}"
    for number in count(1):
        name = base if number == 1 else f"{base}.{number}"
        taken = connection.execute(
            "SELECT 1 FROM route WHERE bridge = ?1 UNION SELECT 1 FROM account WHERE bridge = ?1",
            (storable(name),),
        ).fetchone()
        if taken is None:
            return BridgeName(name)
    raise AssertionError("there is always another number")
