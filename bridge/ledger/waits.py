"""What routes wait for, kept from one process to the next.

Every function takes a connection inside a transaction, `keep` inside a fenced one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from bridge.core.model import Network, PostId, Route
from bridge.core.waits import Wait, Why
from bridge.ledger.codec import (
    decoding,
    from_micros,
    micros_or_none,
    moment_or_none,
    storable,
    storable_or_none,
    to_micros,
)
from bridge.ledger.rows import find_route, route_id


def waits(connection: sqlite3.Connection, route: Route) -> tuple[Wait, ...]:
    """Everything that `route` waits for, as it was kept last."""
    rows = connection.execute(
        "SELECT gate, network, why, detail, since, until, told, failures, post, several, of_media, "
        "stamp FROM wait WHERE route_id = ? ORDER BY gate",
        (find_route(connection, route),),
    ).fetchall()
    with decoding():
        return tuple(
            Wait(
                gate=gate,
                network=Network(network),
                why=Why(why),
                detail=detail,
                since=from_micros(since),
                until=from_micros(until),
                told=moment_or_none(told),
                failures=failures,
                post=None if post is None else PostId(post),
                several=bool(several),
                of_media=bool(of_media),
                stamp=stamp,
            )
            for gate, network, why, detail, since, until, told, failures, post, *flags in rows
            for several, of_media, stamp in [flags]
        )


def keep(connection: sqlite3.Connection, route: Route, kept: Sequence[Wait]) -> None:
    """Remember that `route` waits for these, and for nothing else."""
    number = route_id(connection, route)
    connection.execute("DELETE FROM wait WHERE route_id = ?", (number,))
    connection.executemany(
        "INSERT INTO wait (route_id, gate, network, why, detail, since, until, told, failures, "
        "post, several, of_media, stamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                number,
                each.gate,
                each.network.value,
                each.why.value,
                storable(each.detail),
                to_micros(each.since),
                to_micros(each.until),
                micros_or_none(each.told),
                each.failures,
                storable_or_none(each.post),
                each.several,
                each.of_media,
                each.stamp,
            )
            for each in kept
        ],
    )
