"""What could be the same post on the other network: fingerprints, and who has the same one.

Every function takes a connection inside a transaction, `ensure_key` inside a writing one. Knows
texts only long enough to make a keyed digest of them; whether two posts are the same is judged in
`bridge.core.twins`.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection
from typing import Any

from bridge.core.errors import LedgerDamaged
from bridge.core.model import Post, PostId, Route
from bridge.core.twins import WINDOW, Counterpart, fingerprint, sighting
from bridge.core.verdict import Reason
from bridge.ledger.codec import from_micros, storable, to_micros
from bridge.ledger.judging import recorded
from bridge.ledger.rows import batches, find_route

_KEY = "fingerprint_key"
_FREE = """
    SELECT post.source, post.source_url, post.created_at, post.media, post.fingerprint = ?,
           EXISTS (
               SELECT 1 FROM part WHERE part.post_id = post.id
               AND part.state IN (
                   'attempting', 'in-doubt', 'delivered', 'outdated', 'revising', 'unwanted'
               )
           )
    FROM post WHERE post.id IN ({marks}) AND post.reason <> ?
    AND (post.same_as IS NULL OR post.same_as = ?)
    AND NOT EXISTS (
        SELECT 1 FROM post AS other
        WHERE other.route_id = ? AND other.same_as = post.source
    )
    AND NOT EXISTS (
        SELECT 1 FROM part WHERE part.target_id = post.source AND part.route_id = ?
    )
"""


def has_key(connection: sqlite3.Connection) -> bool:
    """Whether this ledger can make fingerprints already."""
    return connection.execute("SELECT 1 FROM meta WHERE name = ?", (_KEY,)).fetchone() is not None


def ensure_key(connection: sqlite3.Connection) -> None:
    """Give the ledger its key, once and for ever."""
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (_KEY, secrets.token_hex(32)),
    )


def key(connection: sqlite3.Connection) -> bytes:
    """The ledger's key, by which alone its digests can be compared with texts."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (_KEY,)).fetchone()
    try:
        return bytes.fromhex(row[0])
    except (TypeError, ValueError):
        raise LedgerDamaged("the ledger's fingerprint key is lost; restore a backup") from None


def fingerprint_of(connection: sqlite3.Connection, post: Post) -> str | None:
    """The keyed digest of what `post` says; None for what is not compared."""
    seen = sighting(post)
    return None if seen is None else fingerprint(seen, key(connection))


def counterparts(
    connection: sqlite3.Connection, route: Route, post: Post, ids: Collection[PostId]
) -> tuple[Counterpart, ...]:
    """What stands on the target of `route` and says the same as `post`, or is one of `ids`.

    Own writing only: no mirror made here, and nothing that is the twin of another post. One that
    was withdrawn for `post`, by a process that came no further, is still its twin.
    """
    reverse = find_route(connection, Route(route.bridge, route.direction.reverse))
    if reverse is None:
        return ()
    digest = fingerprint_of(connection, post)
    rows = connection.execute(
        "SELECT id FROM post WHERE route_id = ? AND fingerprint = ? AND created_at BETWEEN ? AND ?",
        (reverse, digest, *(to_micros(post.created_at + way) for way in (-WINDOW, WINDOW))),
    )
    numbers = {number for (number,) in rows}
    numbers.update(found for name in ids if (found := recorded(connection, reverse, name)))
    own, me = find_route(connection, route), storable(post.id)
    alike: list[Counterpart] = []
    for piece, marks in batches(sorted(numbers)):
        asked = (digest, *piece, Reason.ECHO.value, me, own, own)
        alike += map(_counterpart, connection.execute(_FREE.format(marks=marks), asked))
    return tuple(alike)


def _counterpart(row: tuple[Any, ...]) -> Counterpart:
    source, url, created, media, same_text, mirrored = row
    return Counterpart(
        id=PostId(source),
        url=url,
        at=from_micros(created),
        media=media,
        mirrored=bool(mirrored),
        same_text=bool(same_text),
    )
