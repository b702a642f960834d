"""What the owner switched by hand, so that it outlives the process: routes that are paused.

Every function takes a connection inside a transaction, `set_paused` inside a fenced one.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.core.model import Route
from bridge.ledger.codec import from_micros, storable, to_micros


def paused_since(connection: sqlite3.Connection, route: Route) -> datetime | None:
    """Since when `route` is paused; None while it is not."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (_name(route),)).fetchone()
    return None if row is None else from_micros(int(row[0]))


def set_paused(connection: sqlite3.Connection, route: Route, since: datetime | None) -> None:
    """Note that `route` is paused since then, or that it goes on."""
    connection.execute("DELETE FROM meta WHERE name = ?", (_name(route),))
    if since is not None:
        connection.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?)", (_name(route), str(to_micros(since)))
        )


def _name(route: Route) -> str:
    return storable(f"paused {route}")
