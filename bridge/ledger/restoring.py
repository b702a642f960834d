"""What a ledger says of itself once it was put back from a backup, so that nothing leaves twice.

Takes a connection inside a writing transaction, on a ledger that nobody has open yet. What may have
happened since the backup is never guessed: it is held, or waited for. Must not touch files.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.core.delivery import PartEvent, PartState, after
from bridge.ledger import lease, twins
from bridge.ledger.codec import from_micros, to_micros
from bridge.ledger.moving import log_move

MAY_HAVE_BEEN_SENT = (
    "restored from a backup of {taken:%Y-%m-%d %H:%M} UTC: it may have been sent since; see "
    "whether it stands on the other network, then: twinpost resolve {source} --sent URL, or "
    "--not-sent"
)
EDITED_SINCE = "restored from a backup; it is edited again if it differs from its post"

_S, _E = PartState, PartEvent
_WAYS: dict[PartState, tuple[PartEvent, ...]] = {
    _S.PLANNED: (_E.HELD_BACK,),
    _S.ATTEMPTING: (_E.DOUBT, _E.UNPROVABLE),
    _S.IN_DOUBT: (_E.UNPROVABLE,),
    _S.OUTDATED: (_E.REFUSAL,),
    _S.REVISING: (_E.REFUSAL,),
}
"""By which moves a part comes to rest. What failed, or is to be deleted, can stay as it is."""


def mark(connection: sqlite3.Connection, *, now: datetime, taken: datetime, commits: int) -> int:
    """Have the ledger know that it was put back at `now`; returns how many parts are held for it.

    `taken` is when the backup was made. `commits` is above any that this ledger ever counted, so
    that the marker beside it is never ahead of it.
    """
    # Those of the first version had none.
    twins.ensure_key(connection)
    connection.execute(
        "UPDATE route SET restored_at = ? WHERE EXISTS ("
        "SELECT 1 FROM route_cursor WHERE route_cursor.route_id = route.id)",
        (to_micros(now),),
    )
    connection.execute(
        "UPDATE lease SET owner = '', epoch = epoch + 1, expires_at = ?, commits = ?",
        (lease.GIVEN_BACK, commits),
    )
    held = 0
    rows = connection.execute(
        "SELECT part.post_id, part.idx, part.state, post.source FROM part "
        "JOIN post ON post.id = part.post_id WHERE part.state IN "
        "('planned', 'attempting', 'in-doubt', 'held', 'outdated', 'revising') "
        "ORDER BY part.post_id, part.idx"
    ).fetchall()
    for post, index, state, source in rows:
        reached, at = PartState(state), to_micros(now)
        sends = reached not in {PartState.OUTDATED, PartState.REVISING}
        words = MAY_HAVE_BEEN_SENT if sends else EDITED_SINCE
        detail = words.format(taken=taken, source=source)
        for event in _WAYS.get(reached, ()):
            reached = after(reached, event)
            log_move(connection, post, index, at=at, event=event, state=reached, detail=detail)
        connection.execute(
            "UPDATE part SET state = ?, detail = ? WHERE post_id = ? AND idx = ?",
            (reached.value, detail, post, index),
        )
        if sends:
            # From then on it may have been sent: what is read is compared with it.
            connection.execute(
                "UPDATE part SET attempts = max(attempts, 1), attempted_at = ? "
                "WHERE post_id = ? AND idx = ?",
                (to_micros(taken), post, index),
            )
            held += 1
    return held


def note_taken(connection: sqlite3.Connection, at: datetime) -> None:
    """Have a copy say when it was made."""
    connection.execute("DELETE FROM meta WHERE name = 'copied_at'")
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('copied_at', ?)", (str(to_micros(at)),)
    )


def taken_at(connection: sqlite3.Connection, otherwise: datetime) -> datetime:
    """When this copy was made, at the latest; `otherwise` for one that does not say."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'copied_at'").fetchone()
    if row is None:
        # A file that somebody copied: it is as old as the last thing it knows of.
        row = connection.execute(
            "SELECT max(changed_at) FROM (SELECT max(changed_at) AS changed_at FROM post "
            "UNION ALL SELECT max(last_read_at) FROM route)"
        ).fetchone()
    return otherwise if row[0] is None else from_micros(int(row[0]))
