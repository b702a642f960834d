"""Posts that were kept back and that their owner wants to have sent after all.

Every function takes a connection inside a transaction, all but `skipped` and `wanted` inside a
fenced one. What is to become of a post is told to it; must not judge anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bridge.core.delivery import PartEvent, PartState
from bridge.core.model import PostId, Route
from bridge.core.record import Decision, PostRecord
from bridge.core.verdict import CATCHABLE, Action, Verdict
from bridge.ledger.codec import storable, storable_or_none, to_micros
from bridge.ledger.content import content_of
from bridge.ledger.judging import recorded
from bridge.ledger.moving import move
from bridge.ledger.recording import (
    add_notes,
    continues,
    insert_parts,
    insert_post,
    judge_anew,
    learn_ids,
    note_awaited,
)
from bridge.ledger.rows import find_route, posts, route_id

_CATCHABLE = tuple(sorted(reason.value for reason in CATCHABLE))


def skipped(
    connection: sqlite3.Connection, route: Route, since: datetime | None, limit: int
) -> tuple[PostRecord, ...]:
    """The newest posts of `route` that were kept back by a guard of floods, oldest first."""
    rows = connection.execute(
        "SELECT id FROM post WHERE route_id = ? AND created_at >= ? AND action = 'skip' "  # noqa: S608 - question marks
        f"AND reason IN ({', '.join('?' * len(_CATCHABLE))}) "
        "ORDER BY created_at DESC, id DESC LIMIT ?",
        (
            find_route(connection, route),
            -(1 << 62) if since is None else to_micros(since),
            *_CATCHABLE,
            limit,
        ),
    ).fetchall()
    return posts(connection, [number for (number,) in reversed(rows)])


def want(
    connection: sqlite3.Connection, route: Route, names: Collection[PostId], now: datetime
) -> tuple[PostId, ...]:
    """Note that these posts are wanted; returns those of them that can be.

    That is: those that a guard of floods kept back, and those that were never recorded.
    """
    number, taken = route_id(connection, route), list[PostId]()
    for name in names:
        post = recorded(connection, number, name)
        if post is not None:
            action, reason, source = connection.execute(
                "SELECT action, reason, source FROM post WHERE id = ?", (post,)
            ).fetchone()
            if action != "skip" or reason not in _CATCHABLE:
                continue
            name = PostId(source)  # noqa: PLW2901 - the same post, by its first id
        connection.execute(
            "INSERT INTO wanted (source, route_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (storable(name), number, to_micros(now)),
        )
        taken.append(name)
    return tuple(taken)


def wanted(connection: sqlite3.Connection, route: Route, limit: int) -> tuple[PostId, ...]:
    """Posts that are wanted and have not been dealt with; those of one request in its order."""
    rows = connection.execute(
        "SELECT source FROM wanted WHERE route_id = ? ORDER BY at, rowid LIMIT ?",
        (find_route(connection, route), limit),
    )
    return tuple(PostId(source) for (source,) in rows)


def unwant(
    connection: sqlite3.Connection,
    route: Route,
    source: PostId,
    *,
    verdict: Verdict | None,
    same_as: PostId | None,
    now: datetime,
) -> None:
    """A wanted post is dealt with, and is not sent; `verdict` is the reason from now on, if any."""
    number = route_id(connection, route)
    _done(connection, number, source)
    post = recorded(connection, number, source)
    if post is not None and verdict is not None:
        judge_anew(connection, post, verdict, to_micros(now), same_as)


def revive(
    connection: sqlite3.Connection, route: Route, source: PostId, decision: Decision, now: datetime
) -> PostRecord:
    """T1 for the wanted post `source`, whatever was said of it before.

    Parts from before that never stood are gone from it, and their numbers are not used again.
    Raises `ValueError` where it has parts that are anything else.
    """
    number = route_id(connection, route)
    _done(connection, number, source)
    post = recorded(connection, number, source)
    if post is None:
        post = insert_post(connection, number, route, decision)
        learn_ids(connection, number, post, decision.post)
    else:
        learn_ids(connection, number, post, decision.post)
        judge_anew(connection, post, decision.verdict, to_micros(now), decision.same_as)
        connection.execute(
            "UPDATE post SET content = ?, parent = ?, waits_for = ?, answers = ? WHERE id = ?",
            (
                content_of(connection, decision.post),
                storable_or_none(decision.parent),
                *continues(connection, number, route, decision.parent),
                post,
            ),
        )
    fresh = _cleared(connection, post, to_micros(now))
    if decision.draft is not None:
        add_notes(connection, post, decision.draft.notes)
        held = decision.verdict.action is Action.HOLD
        state = PartState.HELD if held else PartState.PLANNED
        parts = [replace(part, index=fresh + part.index) for part in decision.draft.parts]
        insert_parts(connection, number, post, parts, decision.not_before or now, state=state)
    note_awaited(connection, number, post, decision.post, decision.awaits)
    return posts(connection, [post])[0]


def _done(connection: sqlite3.Connection, route: int, source: PostId) -> None:
    connection.execute(
        "DELETE FROM wanted WHERE source = ? AND route_id = ?", (storable(source), route)
    )


def _cleared(connection: sqlite3.Connection, post: int, at: int) -> int:
    """Have no part of a post from before; returns the first index that was never used."""
    fresh = 0
    for index, state in connection.execute(
        "SELECT idx, state FROM part WHERE post_id = ? ORDER BY idx", (post,)
    ).fetchall():
        fresh = index + 1
        if state == PartState.GONE.value:
            continue
        if state != PartState.DROPPED.value:
            raise ValueError("a post that is to be sent after all has parts that may stand")
        move(connection, post, index, PartState.DROPPED, PartEvent.SUPERFLUOUS, at=at)
    return fresh
