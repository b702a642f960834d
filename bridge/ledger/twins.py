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
from bridge.core.record import Mirror, PartKey
from bridge.core.twins import WINDOW, Counterpart, fingerprint, sighting
from bridge.core.verdict import Reason
from bridge.ledger.codec import from_body, from_micros, storable, to_micros
from bridge.ledger.judging import recorded
from bridge.ledger.moving import find_part
from bridge.ledger.rows import batches, find_route

_KEY = "fingerprint_key"
_PUBLISHED = "part.state IN ('delivered', 'outdated', 'revising')"
_OWN_WRITING = """
    SELECT post.source, post.source_url, post.created_at, post.media, post.fingerprint = ?3,
           EXISTS (
               SELECT 1 FROM part WHERE part.post_id = post.id
               AND part.state IN (
                   'attempting', 'in-doubt', 'delivered', 'outdated', 'revising', 'unwanted'
               )
           ),
           coalesce(
               (
                   SELECT min(other.created_at) FROM post AS other
                   WHERE other.route_id = ?1 AND other.source <> ?2
                   AND (other.same_as = post.source OR other.source = post.same_as)
               ),
               -- Its twin is not recorded yet.
               CASE WHEN post.same_as <> ?2 THEN post.created_at END
           )
    FROM post WHERE post.reason <> ?4 AND post.id IN ({marks})
    AND NOT EXISTS (
        SELECT 1 FROM part WHERE part.target_id = post.source AND part.route_id = ?1
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

    Own writing only: no mirror made here. What has a twin already says since when.
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
        asked = (own, me, digest, Reason.ECHO.value, *piece)
        alike += map(_counterpart, connection.execute(_OWN_WRITING.format(marks=marks), asked))
    return tuple(alike)


_LATEST = 500
"""So many parts whose text is still kept are compared."""


def repeated(connection: sqlite3.Connection, key: PartKey) -> Mirror | None:
    """What is published on the target with the text of the part `key`; None where none is known.

    By the very text of earlier parts while it is kept; then by the fingerprint of the posts, also
    of one that its author wrote on the target.
    """
    route, post, part = find_part(connection, key)
    texts = connection.execute(
        f"SELECT body, target_id, target_url FROM part WHERE route_id = ? AND {_PUBLISHED} "  # noqa: S608 - a constant
        "AND body IS NOT NULL AND post_id <> ? ORDER BY post_id DESC, idx LIMIT ?",
        (route, post, _LATEST),
    )
    for body, name, url in texts:
        if from_body(0, 0, body).text == part.part.text:
            return Mirror(PostId(name), url)
    row = connection.execute(
        "SELECT part.target_id, part.target_url FROM post AS same "  # noqa: S608 - as above
        "JOIN post ON post.route_id = same.route_id AND post.fingerprint = same.fingerprint "
        "JOIN part ON part.post_id = post.id "
        f"WHERE same.id = ? AND post.id <> same.id AND {_PUBLISHED} "
        "ORDER BY post.id DESC, part.idx LIMIT 1",
        (post,),
    ).fetchone()
    if row is None:
        reverse = find_route(connection, Route(key.route.bridge, key.route.direction.reverse))
        row = connection.execute(
            "SELECT post.source, post.source_url FROM post AS same "
            "JOIN post ON post.route_id = ? AND post.fingerprint = same.fingerprint "
            "WHERE same.id = ? AND post.gone_at IS NULL ORDER BY post.id DESC LIMIT 1",
            (reverse, post),
        ).fetchone()
    return None if row is None else Mirror(PostId(row[0]), row[1])


def _counterpart(row: tuple[Any, ...]) -> Counterpart:
    source, url, created, media, same_text, mirrored, twin_at = row
    return Counterpart(
        id=PostId(source),
        url=url,
        at=from_micros(created),
        media=media,
        mirrored=bool(mirrored),
        same_text=bool(same_text),
        twin_at=None if twin_at is None else from_micros(twin_at),
    )
