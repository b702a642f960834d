"""Forgetting texts: what was delivered long ago is known by its ids and digests alone.

Takes a connection inside a fenced writing transaction; `emptied` one outside of any. What is
deleted is overwritten (`secure_delete`, set on every connection), and then the log of writes is
emptied. Must not decide how long texts are kept.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.ledger.codec import to_micros

AT_ONCE = 1000
"""Texts in one transaction: nobody waits for long."""


def purge(connection: sqlite3.Connection, before: datetime) -> int:
    """Forget texts of parts that stand since before then, or never will; returns how many.

    At most `AT_ONCE`; ask again while so many come. Dropped parts that were never tried go with
    their posts: they count from when these were read.
    """
    found = connection.execute(
        "SELECT rowid FROM part WHERE body IS NOT NULL "
        "AND state IN ('delivered', 'dropped', 'gone') AND attempted_at < ? LIMIT ?",
        (to_micros(before), AT_ONCE),
    ).fetchall()
    if len(found) < AT_ONCE:
        found += connection.execute(
            "SELECT part.rowid FROM part JOIN post ON post.id = part.post_id "
            "WHERE part.body IS NOT NULL AND part.state IN ('delivered', 'dropped', 'gone') "
            "AND part.attempted_at IS NULL AND post.seen_at < ? LIMIT ?",
            (to_micros(before), AT_ONCE - len(found)),
        ).fetchall()
    connection.executemany("UPDATE part SET body = NULL WHERE rowid = ?", found)
    return len(found)


def emptied(connection: sqlite3.Connection) -> bool:
    """Empty the log of writes, which still holds pages as they were; False while somebody reads.

    Does not wait for readers: others wait for this thread.
    """
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy
