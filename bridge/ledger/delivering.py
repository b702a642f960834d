"""The parts on their way: which is due, T2 before the first byte, T3 and every later move.

Every function takes a connection inside a transaction, those that move a part inside a fenced one.
The moves themselves are drawn in `bridge.core.delivery`; must not allow or forbid any of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from bridge.core.budget import Spent, kind_of
from bridge.core.delivery import LONGEST_PUT_OFF, WITH_RECEIPT, PartEvent, PartState, after
from bridge.core.draft import DraftPart
from bridge.core.model import Microdollars, PostId, Route
from bridge.core.record import DuePart, PartKey, PartRecord, Receipt
from bridge.ledger.amending import apply_pending
from bridge.ledger.codec import (
    from_micros,
    micros_or_none,
    storable,
    storable_or_none,
    to_body,
    to_micros,
)
from bridge.ledger.content import latest
from bridge.ledger.moving import find_part, log_move, move
from bridge.ledger.recording import add_notes, note_spend, rename_target
from bridge.ledger.rows import find_route, parts
from bridge.ledger.uploads import keep_attached

_ALL = 1 << 62
"""Above every index."""

IN_TURN = """
    FROM part JOIN post ON post.id = part.post_id
    WHERE part.route_id = :route AND part.state = 'planned'
    AND NOT EXISTS (SELECT 1 FROM awaited WHERE awaited.post_id = part.post_id)
    AND NOT EXISTS (
        SELECT 1 FROM part AS earlier
        WHERE earlier.post_id = part.post_id AND earlier.idx < part.idx AND earlier.aside = 0
        AND earlier.state NOT IN ('delivered', 'gone')
    )
    AND (
        post.waits_for IS NULL
        OR EXISTS (
            SELECT 1 FROM part AS earlier
            WHERE earlier.post_id = part.post_id AND earlier.idx < part.idx AND earlier.aside = 0
            AND earlier.state = 'delivered'
        )
        OR EXISTS (
            SELECT 1 FROM part AS last
            WHERE last.post_id = post.waits_for AND last.state = 'delivered'
            AND last.idx = (
                SELECT max(idx) FROM part
                WHERE post_id = post.waits_for AND state <> 'gone' AND aside = 0
            )
        )
    )
"""
"""Parts for which only time is to be waited: all that has to stand before them stands."""

_TO_CHANGE = """
    FROM part
    WHERE part.route_id = :route AND part.state IN ('outdated', 'unwanted')
    AND (part.state = 'outdated' OR NOT EXISTS (
        SELECT 1 FROM part AS later
        WHERE later.post_id = part.post_id AND later.idx > part.idx
        AND later.state IN ('unwanted', 'deleting')
    ))
"""
"""Parts that may be edited or deleted, apart from time: of one post, the last is deleted first."""


def next_due(
    connection: sqlite3.Connection, route: Route, now: datetime, *, released: bool = False
) -> DuePart | None:
    """The first part, in the order posts were recorded, that may be sent now."""
    number = find_route(connection, route)
    if number is None:
        return None
    asked = {"route": number, "now": to_micros(now)}
    earliest = connection.execute(
        "SELECT min(not_before) FROM part WHERE route_id = :route AND state = 'planned'", asked
    ).fetchone()[0]
    if earliest is None or earliest > asked["now"]:
        return None
    # The plus keeps this term off the index by time, which would have to be sorted afterwards.
    bound = "AND post.released_at IS NOT NULL" if released else ""
    row = connection.execute(
        f"SELECT part.post_id, part.idx {IN_TURN} AND +part.not_before <= :now {bound} "
        "ORDER BY part.post_id, part.idx LIMIT 1",
        asked,
    ).fetchone()
    if row is None:
        return None
    (record,) = parts(connection, [row])
    above = _last_standing(connection, row[0], below=row[1])
    reply_to = _above(connection, row[0]) if above is None else above
    newest = latest(connection, row[0])
    return DuePart(record, reply_to, first=above is None, latest=newest, released=released)


def next_change(connection: sqlite3.Connection, route: Route, now: datetime) -> PartRecord | None:
    """The first part that may be edited or deleted now; deletions come first."""
    row = connection.execute(
        f"SELECT part.post_id, part.idx {_TO_CHANGE} AND part.not_before <= :now "
        "ORDER BY part.state = 'outdated', part.post_id, part.idx LIMIT 1",
        {"route": find_route(connection, route), "now": to_micros(now)},
    ).fetchone()
    return None if row is None else parts(connection, [row])[0]


def due_at(
    connection: sqlite3.Connection, route: Route, *, changes: bool = True
) -> datetime | None:
    """From when on something may be sent or, with `changes`, edited or deleted, by time alone."""
    number = {"route": find_route(connection, route)}
    to_send = connection.execute(
        f"SELECT part.not_before {IN_TURN} ORDER BY part.not_before LIMIT 1", number
    ).fetchone()
    found = [None if to_send is None else to_send[0]]
    if changes:
        found += connection.execute(f"SELECT min(part.not_before) {_TO_CHANGE}", number).fetchone()
    return min((from_micros(at) for at in found if at is not None), default=None)


def hurry(
    connection: sqlite3.Connection, route: Route, now: datetime, beyond: datetime | None
) -> None:
    """Have what was put off, as its detail says, be due now; with `beyond`, what was wrongly so.

    That is to later than `beyond`; for a part that was refused, to later than such a part ever is.
    """
    latest, longest = (now, None) if beyond is None else (beyond, now + LONGEST_PUT_OFF)
    connection.execute(
        "UPDATE part SET not_before = :now WHERE route_id = :route AND detail <> '' "
        "AND not_before > :latest AND state IN ('planned', 'outdated', 'unwanted') "
        "AND NOT (coalesce(refused_since, :never) <= :now AND not_before <= :longest)",
        {
            "now": to_micros(now),
            "route": find_route(connection, route),
            "latest": to_micros(latest),
            "longest": 0 if longest is None else to_micros(longest),
            "never": to_micros(now) + 1,
        },
    )


def _last_standing(connection: sqlite3.Connection, post: int, *, below: int) -> PostId | None:
    row = connection.execute(
        "SELECT target_id FROM part WHERE post_id = ? AND idx < ? AND aside = 0 "
        "AND state = 'delivered' ORDER BY idx DESC LIMIT 1",
        (post, below),
    ).fetchone()
    return None if row is None else PostId(row[0])


def _above(connection: sqlite3.Connection, post: int) -> PostId | None:
    """What the first part of a post replies to."""
    waits_for, answers = connection.execute(
        "SELECT waits_for, answers FROM post WHERE id = ?", (post,)
    ).fetchone()
    if waits_for is None:
        return None if answers is None else PostId(answers)
    return _last_standing(connection, waits_for, below=_ALL)


def claim(
    connection: sqlite3.Connection, key: PartKey, now: datetime, body_hash: str
) -> PartRecord:
    """T2. Raises `ValueError` unless the part is there, and planned, outdated or unwanted."""
    _, post, record = find_part(connection, key)
    state = after(record.state, PartEvent.CLAIM)
    at = to_micros(now)
    connection.execute(
        "UPDATE part SET state = ?, attempts = attempts + 1, attempted_at = ?, body_hash = ? "
        "WHERE post_id = ? AND idx = ?",
        (state.value, at, storable(body_hash), post, key.index),
    )
    log_move(
        connection,
        post,
        key.index,
        at=at,
        event=PartEvent.CLAIM,
        state=state,
        body_hash=body_hash,
    )
    (claimed,) = parts(connection, [(post, key.index)])
    return claimed


def settle(
    connection: sqlite3.Connection,
    key: PartKey,
    event: PartEvent,
    now: datetime,
    *,
    receipt: Receipt | None,
    cost: Microdollars,
    not_before: datetime | None,
    detail: str,
    notes: Sequence[str],
) -> PartRecord:
    """T3, and every later move but `claim` and those of an amendment.

    Raises `ValueError` for a move that is not drawn, and where a receipt is missing or idle.
    """
    if event is PartEvent.CLAIM:
        raise ValueError("a part is claimed by `claim`, which takes the hash of its body")
    route, post, record = find_part(connection, key)
    state = after(record.state, event)
    if (event in WITH_RECEIPT) is not (receipt is not None):
        raise ValueError("a receipt goes with the moves that it proves, and with no others")
    at = to_micros(now)
    since, refused = record.waiting_since, record.refused_since
    if event is PartEvent.MEDIA_MISSING:
        since = since or now
    elif event is PartEvent.TURNED_AWAY:
        refused = refused or now
    elif event is PartEvent.OWNER_SAYS_RETRY:
        since = refused = None
    spent = cost if receipt is None else receipt.cost
    if receipt is None:
        stands = record.target_id, record.target_url, record.stands_since
    else:
        stands = receipt.id, receipt.url, record.stands_since or record.attempted_at
        since = refused = None
    connection.execute(
        "UPDATE part SET state = ?, detail = ?, not_before = ?, target_id = ?, target_url = ?, "
        "cost = cost + ?, stands_since = ?, waiting_since = ?, refused_since = ? "
        "WHERE post_id = ? AND idx = ?",
        (
            state.value,
            storable(detail),
            to_micros(record.not_before if not_before is None else not_before),
            storable_or_none(stands[0]),
            storable_or_none(stands[1]),
            spent,
            micros_or_none(stands[2]),
            micros_or_none(since),
            micros_or_none(refused),
            post,
            key.index,
        ),
    )
    if receipt is not None:
        if record.target_id not in {None, receipt.id}:
            rename_target(connection, post, key.index, str(record.target_id), record.target_url)
        keep_attached(connection, post, record)
    _charge(connection, route, record, event, now, cost=spent)
    log_move(connection, post, key.index, at=at, event=event, state=state, detail=detail)
    add_notes(connection, post, notes)
    _consequences(connection, post, (record.state, event), at)
    apply_pending(connection, post, now)
    (settled,) = parts(connection, [(post, key.index)])
    return settled


def _charge(
    connection: sqlite3.Connection,
    route: int,
    record: PartRecord,
    event: PartEvent,
    now: datetime,
    *,
    cost: Microdollars,
) -> None:
    """Count what a move has cost; `record` is the part before it."""
    kind = _SPENT_ON.get(record.state)
    if kind is Spent.DELIVERY:
        done = event in WITH_RECEIPT
        kind = kind_of(record.key.route.direction, record.part)
        if done:
            at = to_micros(now)
            connection.execute("UPDATE route SET last_mirrored_at = ? WHERE id = ?", (at, route))
    else:
        done = after(record.state, event) is not record.state and cost > 0
    if kind is not None:
        note_spend(connection, route, now, kind, items=int(done), cost=cost)


_SPENT_ON: dict[PartState, Spent] = {
    PartState.PLANNED: Spent.DELIVERY,
    PartState.ATTEMPTING: Spent.DELIVERY,
    PartState.IN_DOUBT: Spent.DELIVERY,
    PartState.HELD: Spent.DELIVERY,
    PartState.REVISING: Spent.EDIT,
    PartState.DELETING: Spent.DELETION,
}


def _consequences(
    connection: sqlite3.Connection, post: int, made: tuple[PartState, PartEvent], at: int
) -> None:
    """What a move of one part means for others."""
    if made[1] in WITH_RECEIPT | {PartEvent.OWNER_DROPS}:
        connection.execute("DELETE FROM awaited WHERE post_id = ?", (post,))
    if made[1] is PartEvent.OWNER_SAYS_RETRY:
        _revive_below(connection, post, at)
    elif made == (PartState.DELETING, PartEvent.REFUSAL):
        _not_posted_again(connection, post, at)


def _not_posted_again(connection: sqlite3.Connection, post: int, at: int) -> None:
    """What was to be posted afresh must not stand beside the old one, which cannot be deleted."""
    event, detail = PartEvent.WITHDRAWN, "not posted again, since what stands cannot be deleted"
    rows = connection.execute(
        "SELECT idx FROM part WHERE post_id = ? AND state = 'planned'", (post,)
    ).fetchall()
    for (index,) in rows:
        move(connection, post, index, PartState.PLANNED, event, at=at, detail=detail)


def _revive_below(connection: sqlite3.Connection, post: int, at: int) -> None:
    """Plan again what failed only because its thread had broken off at `post`."""
    event = PartEvent.OWNER_SAYS_RETRY
    rows = connection.execute(
        "SELECT part.post_id, part.idx FROM part JOIN post ON post.id = part.post_id "
        "WHERE post.waits_for = ? AND part.state = 'failed' AND ? = ("
        "SELECT event FROM attempt_log WHERE attempt_log.post_id = part.post_id "
        "AND attempt_log.idx = part.idx ORDER BY attempt_log.id DESC LIMIT 1)",
        (post, PartEvent.THREAD_BROKEN_OFF.value),
    ).fetchall()
    for child, index in rows:
        detail = "to be tried again, with what it continues"
        move(connection, child, index, PartState.FAILED, event, at=at, detail=detail)
        connection.execute(
            "UPDATE part SET not_before = ? WHERE post_id = ? AND idx = ?", (at, child, index)
        )
    for child in dict(rows):
        _revive_below(connection, child, at)


def reshape(
    connection: sqlite3.Connection, key: PartKey, part: DraftPart, now: datetime, note: str
) -> PartRecord:
    """Have a part that is still to be sent, or edited, go as `part`. Raises `ValueError` else."""
    _, post, record = find_part(connection, key)
    state = after(record.state, PartEvent.RESHAPED)
    connection.execute(
        "UPDATE part SET body = ?, price = ? WHERE post_id = ? AND idx = ?",
        (to_body(part), part.price, post, key.index),
    )
    at, event = to_micros(now), PartEvent.RESHAPED
    log_move(connection, post, key.index, at=at, event=event, state=state, detail=note)
    add_notes(connection, post, (note,))
    (reshaped,) = parts(connection, [(post, key.index)])
    return reshaped


def unfinished(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Parts that are being edited or deleted, or were when a process ended."""
    rows = connection.execute(
        "SELECT post_id, idx FROM part WHERE route_id = ? AND state IN ('revising', 'deleting') "
        "ORDER BY post_id, idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def unproven(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Parts that are attempting or in doubt, oldest attempt first."""
    rows = connection.execute(
        "SELECT post_id, idx FROM part WHERE route_id = ? AND state IN ('attempting', 'in-doubt') "
        "ORDER BY attempted_at, post_id, idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def unsent(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Planned parts, never attempted, of mirrors of several; the newest posts first, some hundred.

    What a ledger that was lost knew of them may stand there.
    """
    rows = connection.execute(
        "SELECT post_id, idx FROM part WHERE route_id = ? AND state = 'planned' AND attempts = 0 "
        "AND EXISTS (SELECT 1 FROM part AS other WHERE other.post_id = part.post_id "
        "AND other.idx <> part.idx) ORDER BY post_id DESC, idx LIMIT 100",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def held(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Parts that are held after an attempt, oldest attempt first; not those their owner asked for.

    What was never attempted stands nowhere.
    """
    rows = connection.execute(
        "SELECT post_id, idx FROM part WHERE route_id = ? AND state = 'held' AND attempts > 0 "
        "ORDER BY attempted_at, post_id, idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)


def stranded(connection: sqlite3.Connection, route: Route) -> tuple[PartRecord, ...]:
    """Planned parts of posts that wait for a mirror of which a part failed, or that is no more.

    What has begun to leave waits for nothing above it.
    """
    rows = connection.execute(
        "SELECT part.post_id, part.idx FROM part JOIN post ON post.id = part.post_id "
        "WHERE part.route_id = ? AND part.state = 'planned' AND post.waits_for IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM part AS own WHERE own.post_id = part.post_id "
        "AND own.target_id IS NOT NULL AND own.state <> 'gone') "
        "AND (EXISTS (SELECT 1 FROM part AS above WHERE above.post_id = post.waits_for "
        "AND above.aside = 0 AND above.state IN ('failed', 'dropped')) "
        "OR NOT EXISTS (SELECT 1 FROM part AS above WHERE above.post_id = post.waits_for "
        "AND above.aside = 0 AND above.state <> 'gone')) ORDER BY part.post_id, part.idx",
        (find_route(connection, route),),
    ).fetchall()
    return parts(connection, rows)
