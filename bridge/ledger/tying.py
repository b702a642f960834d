"""Posts whose mirrors somebody else made: another cross-poster, or their owner by hand.

Takes a connection inside a fenced writing transaction. Such a mirror is known, so that neither of
the two is ever mirrored, and threads go on below it; it is not the bridge's to edit or to delete.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.core.delivery import PartEvent, PartState
from bridge.core.model import PostId, Route
from bridge.core.record import Mirror, Tied
from bridge.core.verdict import Action, Reason, Verdict
from bridge.ledger.codec import storable, storable_or_none, to_micros, to_notes
from bridge.ledger.judging import original, recorded
from bridge.ledger.moving import move
from bridge.ledger.recording import judge_anew
from bridge.ledger.rows import posts, route_id

_IDLE = frozenset({PartState.PLANNED.value, PartState.DROPPED.value, PartState.GONE.value})


def tie(
    connection: sqlite3.Connection,
    route: Route,
    post: Mirror,
    mirror: Mirror | None,
    *,
    reason: Reason,
    written: datetime,
    now: datetime,
) -> Tied:
    """Know `mirror` as the mirror of `post`, which was `written` then, as far as is known.

    Mirrors of either that are only planned are taken back. Nothing is changed unless it is `TIED`.
    """
    number = route_id(connection, route)
    if mirror is None:
        return _dealt_with(connection, number, post, reason, (to_micros(written), to_micros(now)))
    reverse = Route(route.bridge, route.direction.reverse)
    first, second = (
        recorded(connection, number, post.id),
        recorded(connection, route_id(connection, reverse), mirror.id),
    )
    stands_for = original(connection, reverse, mirror.id)
    if stands_for is not None:
        return (
            Tied.KNOWN
            if stands_for == _first_name(connection, first, post.id)
            else (Tied.OTHER_POST)
        )
    if original(connection, route, post.id) is not None:
        return (
            Tied.KNOWN
            if original(connection, route, post.id) == _first_name(connection, second, mirror.id)
            else Tied.OTHER_MIRROR
        )
    if first is not None and not _is_idle(connection, first):
        return Tied.OTHER_MIRROR
    if second is not None and not _is_idle(connection, second):
        return Tied.OTHER_POST
    at = to_micros(now)
    if second is not None:
        _taken_back(connection, second, at)
        echo = Verdict(Action.SKIP, Reason.ECHO, f"mirror of {post.id}")
        judge_anew(connection, second, echo, at)
        _not_wanted(connection, second)
    if first is None:
        first = _inserted(connection, number, post, reason, (to_micros(written), at))
    else:
        _taken_back(connection, first, at)
        judge_anew(connection, first, Verdict(Action.MIRROR, reason), at)
        _not_wanted(connection, first)
    _stands(connection, number, first, mirror, at)
    return Tied.TIED


def _dealt_with(
    connection: sqlite3.Connection,
    route: int,
    post: Mirror,
    reason: Reason,
    times: tuple[int, int],
) -> Tied:
    """Know a post as one that somebody else has seen to, whatever came of it."""
    if recorded(connection, route, post.id) is not None:
        return Tied.KNOWN
    added = _inserted(connection, route, post, reason, times)
    connection.execute("UPDATE post SET action = 'skip' WHERE id = ?", (added,))
    return Tied.TIED


def _first_name(connection: sqlite3.Connection, post: int | None, name: PostId) -> PostId:
    """The id under which a post was first recorded."""
    if post is None:
        return name
    (source,) = connection.execute("SELECT source FROM post WHERE id = ?", (post,)).fetchone()
    return PostId(source)


def _is_idle(connection: sqlite3.Connection, post: int) -> bool:
    """Whether nothing of a post's mirror stands, or may stand."""
    rows = connection.execute("SELECT state, attempts FROM part WHERE post_id = ?", (post,))
    return all(
        state in _IDLE or (state in {"held", "failed"} and not attempts) for state, attempts in rows
    )


def _taken_back(connection: sqlite3.Connection, post: int, at: int) -> None:
    """Have nothing of a mirror leave that is not on its way yet."""
    (record,) = posts(connection, [post])
    for part in record.parts:
        if part.state is PartState.GONE:
            continue
        move(connection, post, part.key.index, part.state, PartEvent.SUPERFLUOUS, at=at)
    connection.execute("UPDATE post SET pending = NULL WHERE id = ?", (post,))


def _not_wanted(connection: sqlite3.Connection, post: int) -> None:
    """Forget that its owner wanted a post sent after all."""
    connection.execute(
        "DELETE FROM wanted WHERE EXISTS (SELECT 1 FROM known_id WHERE known_id.post_id = ? "
        "AND known_id.source = wanted.source AND known_id.route_id = wanted.route_id)",
        (post,),
    )


def _inserted(
    connection: sqlite3.Connection,
    route: int,
    post: Mirror,
    reason: Reason,
    times: tuple[int, int],
) -> int:
    """A new post, `times` being when it was written and when that was recorded; its number."""
    added = connection.execute(
        "INSERT INTO post (route_id, source, source_url, created_at, seen_at, changed_at, action, "
        "reason, detail, notes) VALUES (?, ?, ?, ?, ?, ?, 'mirror', ?, '', ?)",
        (
            route,
            storable(post.id),
            storable_or_none(post.url),
            *times,
            times[1],
            reason.value,
            to_notes(()),
        ),
    ).lastrowid
    assert added is not None  # noqa: S101 - sqlite3 promises it after an INSERT of one row
    connection.execute(
        "INSERT INTO known_id (source, route_id, post_id) VALUES (?, ?, ?)",
        (storable(post.id), route, added),
    )
    return added


def _stands(connection: sqlite3.Connection, route: int, post: int, mirror: Mirror, at: int) -> None:
    """One part that stands as `mirror`, without a text and without a price."""
    (index,) = connection.execute(
        "SELECT coalesce(max(idx) + 1, 0) FROM part WHERE post_id = ?", (post,)
    ).fetchone()
    connection.execute(
        "INSERT INTO part (post_id, idx, route_id, state, body, price, not_before, attempts, "
        "target_id, target_url, cost, detail) VALUES (?, ?, ?, 'delivered', NULL, 0, ?, 0, ?, ?, "
        "0, '')",
        (post, index, route, at, storable(mirror.id), storable_or_none(mirror.url)),
    )
