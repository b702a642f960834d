"""Whether a ledger holds together: SQLite's own checks, and what the tables promise each other.

Every function takes a connection inside a reading transaction. Must not mend anything, and must not
repeat a text: a finding names rows and states.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.core.errors import LedgerDamaged
from bridge.core.record import PostRecord
from bridge.ledger import codec, twins
from bridge.ledger.rows import BATCH, posts
from bridge.ledger.transaction import damaged

MOST_FINDINGS: Final = 10
"""So many of one kind are told; a ledger that is broken through and through says so in one page."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was looked at, with figures, and what was found to be wrong; both for people."""

    checked: tuple[str, ...]
    findings: tuple[str, ...]


_RULES: Final = (
    (
        "every post that is to be mirrored has parts, numbered without a gap",
        """
        SELECT 'post ' || post.source || ' has no parts, or a gap among them'
        FROM post LEFT JOIN part ON part.post_id = post.id GROUP BY post.id
        HAVING (post.action <> 'skip' AND count(part.idx) = 0)
        OR count(part.idx) <> coalesce(max(part.idx) + 1, 0)
        """,
    ),
    (
        "every part belongs to the route of its post",
        """
        SELECT 'a part of post ' || post.source || ' is of another route'
        FROM part JOIN post ON post.id = part.post_id WHERE part.route_id <> post.route_id
        """,
    ),
    (
        "every part stands where its last move has left it",
        """
        SELECT 'part ' || part.idx || ' of post ' || post.source || ' is ' || part.state
               || ', but its last move led to ' || log.state
        FROM part JOIN post ON post.id = part.post_id
        JOIN attempt_log AS log ON log.id = (
            SELECT max(id) FROM attempt_log
            WHERE attempt_log.post_id = part.post_id AND attempt_log.idx = part.idx
        )
        WHERE log.state <> part.state
        """,
    ),
    (
        "nothing is under way that was never begun",
        """
        SELECT 'part ' || part.idx || ' of post ' || post.source || ' is ' || part.state
               || ' without an attempt'
        FROM part JOIN post ON post.id = part.post_id
        WHERE part.state IN ('attempting', 'in-doubt') AND part.attempts = 0
        """,
    ),
    (
        "what is unsent has its text",
        """
        SELECT 'part ' || part.idx || ' of post ' || post.source || ' is ' || part.state
               || ' and has no text'
        FROM part JOIN post ON post.id = part.post_id
        WHERE part.body IS NULL AND part.state IN (
            'planned', 'attempting', 'in-doubt', 'held', 'failed', 'outdated', 'revising'
        )
        """,
    ),
    (
        "every post is known by its own id",
        """
        SELECT 'post ' || post.source || ' is not known by its id' FROM post
        WHERE NOT EXISTS (
            SELECT 1 FROM known_id WHERE known_id.route_id = post.route_id
            AND known_id.source = post.source AND known_id.post_id = post.id
        )
        """,
    ),
    (
        "there is one lease and one id",
        """
        SELECT 'it lacks its lease or its id'
        WHERE (SELECT count(*) FROM lease) <> 1
        OR (SELECT count(*) FROM meta WHERE name = 'id') <> 1
        """,
    ),
)
"""What is checked, in words, and a query that finds where it is not so, a sentence each."""


_INDEXED = (
    """
    SELECT count(*) FROM route
    JOIN post AS found ON found.route_id = route.id
    JOIN post AS row NOT INDEXED ON row.id = found.id
    WHERE route.bridge = ?1 AND route.direction = ?2 AND found.source = ?3
    AND row.route_id = found.route_id AND row.source = found.source
    AND EXISTS (
        SELECT 1 FROM post AS entry INDEXED BY post_by_time
        WHERE (entry.route_id, entry.created_at, entry.id) = (row.route_id, row.created_at, row.id)
    )
    AND (row.source_url IS NULL OR EXISTS (
        SELECT 1 FROM post AS entry INDEXED BY post_by_url
        WHERE entry.source_url = row.source_url AND entry.id = row.id
    ))
    """,
    """
    SELECT count(*) FROM route
    JOIN post ON post.route_id = route.id
    JOIN part AS found ON found.post_id = post.id
    JOIN part AS row NOT INDEXED ON row.rowid = found.rowid
    WHERE route.bridge = ?1 AND route.direction = ?2 AND post.source = ?3
    AND row.post_id = found.post_id AND row.idx = found.idx
    AND EXISTS (
        SELECT 1 FROM part AS entry INDEXED BY part_by_state
        WHERE (entry.route_id, entry.state, entry.post_id, entry.idx, entry.not_before)
        = (row.route_id, row.state, row.post_id, row.idx, row.not_before)
    )
    AND (row.target_id IS NULL OR EXISTS (
        SELECT 1 FROM part AS entry INDEXED BY part_by_target
        WHERE entry.target_id = row.target_id AND entry.rowid = row.rowid
    ))
    AND (row.target_url IS NULL OR EXISTS (
        SELECT 1 FROM part AS entry INDEXED BY part_by_target_url
        WHERE entry.target_url = row.target_url AND entry.rowid = row.rowid
    ))
    """,
)
"""How many rows of a post, and of its parts, agree with every index that leads to them."""


def require_indexed(
    connection: sqlite3.Connection, name: str, records: Sequence[PostRecord]
) -> None:
    """Compare the rows of `records` with the indexes; raise `LedgerDamaged` where they differ.

    A flipped bit in a row leaves a well-formed file. Its copy in an index gives it away.
    """
    for record in records:
        key = (record.route.bridge, record.route.direction.value, record.source)
        counts = [connection.execute(query, key).fetchone()[0] for query in _INDEXED]
        if counts != [1, len(record.parts)]:
            raise damaged(name, "a post differs from its entry in an index")


def examine(connection: sqlite3.Connection) -> Examination:
    """Look at everything. Raises sqlite3's errors where the file cannot even be read."""
    checked, findings = ["SQLite's own check of every page and index"], list[str]()
    pages = connection.execute(f"PRAGMA integrity_check({MOST_FINDINGS})").fetchall()
    if pages != [("ok",)]:
        # Nothing else can be believed of such a file.
        return Examination(tuple(checked), tuple(f"SQLite says: {row[0]}" for row in pages))
    checked.append("rows that refer to each other")
    findings += [
        f"a row of {table} refers to one of {parent} that is not there"
        for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(
            MOST_FINDINGS
        )
    ]
    for what, query in _RULES:
        checked.append(what)
        findings += [row[0] for row in connection.execute(query).fetchmany(MOST_FINDINGS)]
    checked.append(_readable(connection, findings))
    return Examination(tuple(checked), tuple(findings))


def _readable(connection: sqlite3.Connection, findings: list[str]) -> str:
    """Read every post, part and waiting change as the bridge does; what was read, in words."""
    count = parts = 0
    numbers = [number for (number,) in connection.execute("SELECT id FROM post ORDER BY id")]
    for begin in range(0, len(numbers), BATCH):
        piece = numbers[begin : begin + BATCH]
        try:
            for record in posts(connection, piece):
                count, parts = count + 1, parts + len(record.parts)
        except LedgerDamaged as error:
            findings.append(f"among the posts {piece[0]} to {piece[-1]}: {error}")
    try:
        for (pending,) in connection.execute("SELECT pending FROM post WHERE pending IS NOT NULL"):
            codec.from_pending(pending)
        twins.key(connection)
    except LedgerDamaged as error:
        findings.append(str(error))
    return f"{count} posts with {parts} parts, each read as the bridge reads it"
