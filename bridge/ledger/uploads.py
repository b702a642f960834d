"""Media that the target network has taken in for a part: noted at once, so never paid for twice.

Every function takes a connection inside a transaction. Must not judge whether one is still alive.
"""

from __future__ import annotations

import sqlite3

from bridge.core.budget import Spent
from bridge.core.model import MediaId, Microdollars
from bridge.core.record import KnownUpload, PartKey, PartRecord, media_names
from bridge.ledger.codec import from_micros, micros_or_none, moment_or_none, storable, to_micros
from bridge.ledger.moving import find_part
from bridge.ledger.recording import note_spend
from bridge.ledger.rows import parts


def uploads(connection: sqlite3.Connection, key: PartKey) -> tuple[KnownUpload, ...]:
    """What the target network has of the media of a part. Raises `ValueError` for no such part."""
    _, post, _ = find_part(connection, key)
    rows = connection.execute(
        "SELECT what, media_id, at, expires_at, attached FROM upload WHERE post_id = ? AND idx = ? "
        "ORDER BY at, what",
        (post, key.index),
    )
    return tuple(
        KnownUpload(
            what=what,
            id=MediaId(media),
            at=from_micros(at),
            expires_at=moment_or_none(expires_at),
            attached=bool(attached),
        )
        for what, media, at, expires_at, attached in rows
    )


def note_upload(
    connection: sqlite3.Connection,
    key: PartKey,
    upload: KnownUpload,
    cost: Microdollars,
    described: Microdollars,
) -> PartRecord:
    """Remember one upload, in place of an earlier one of the same medium, and what it cost."""
    route, post, _ = find_part(connection, key)
    connection.execute(
        "INSERT INTO upload (post_id, idx, what, media_id, at, expires_at, attached, cost) "
        "VALUES (?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (post_id, idx, what) DO UPDATE SET "
        "media_id = excluded.media_id, at = excluded.at, expires_at = excluded.expires_at, "
        "attached = 0, cost = upload.cost + excluded.cost",
        (
            post,
            key.index,
            upload.what,
            storable(upload.id),
            to_micros(upload.at),
            micros_or_none(upload.expires_at),
            cost,
        ),
    )
    connection.execute(
        "UPDATE part SET cost = cost + ? WHERE post_id = ? AND idx = ?", (cost, post, key.index)
    )
    rest = Microdollars(cost - described)
    note_spend(connection, route, upload.at, Spent.MEDIA, items=1, cost=rest)
    if described:
        note_spend(connection, route, upload.at, Spent.ALT_TEXT, items=1, cost=described)
    (noted,) = parts(connection, [(post, key.index)])
    return noted


def forget(connection: sqlite3.Connection, key: PartKey) -> None:
    """Have what stands in no post be handed over again; what it cost is counted already."""
    _, post, _ = find_part(connection, key)
    connection.execute(
        "DELETE FROM upload WHERE post_id = ? AND idx = ? AND attached = 0", (post, key.index)
    )


def keep_attached(connection: sqlite3.Connection, post: int, record: PartRecord) -> None:
    """What a part stands with now lives as long as it does; the rest is of no more use."""
    names = media_names(record.part)
    marks = ", ".join("?" * len(names))
    connection.execute(
        f"DELETE FROM upload WHERE post_id = ? AND idx = ? AND what NOT IN ({marks})",  # noqa: S608 - question marks
        (post, record.key.index, *names),
    )
    connection.execute(
        "UPDATE upload SET attached = 1 WHERE post_id = ? AND idx = ?", (post, record.key.index)
    )
