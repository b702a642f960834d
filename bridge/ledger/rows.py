"""Rows to records: routes, posts with their parts, parts alone.

Every function takes a connection inside a transaction and only reads, but for `route_id`. Must not
decide which rows are wanted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from bridge.core.delivery import STANDING, PartState
from bridge.core.model import BridgeName, Direction, Microdollars, PostId, Route
from bridge.core.record import PartKey, PartRecord, PostRecord
from bridge.core.verdict import NOT_OURS
from bridge.ledger.codec import (
    decoding,
    from_body,
    from_micros,
    from_notes,
    moment_or_none,
    storable,
    to_verdict,
)

BATCH = 500
"""How many values one statement asks for; SQLite's oldest limit is 999."""


def batches(values: Sequence[Any]) -> Iterator[tuple[list[Any], str]]:
    """`values` in pieces, each with its ``?, ?, ?``."""
    rest = iter(values)
    while piece := list(islice(rest, BATCH)):
        yield piece, ", ".join("?" * len(piece))


def find_route(connection: sqlite3.Connection, route: Route) -> int | None:
    """The number of `route`, None where the ledger has never heard of it."""
    row = connection.execute(
        "SELECT id FROM route WHERE bridge = ? AND direction = ?",
        (storable(route.bridge), route.direction.value),
    ).fetchone()
    return None if row is None else int(row[0])


def route_id(connection: sqlite3.Connection, route: Route) -> int:
    """The number of `route`, given to it now if it has none. Inside a writing transaction."""
    number = find_route(connection, route)
    if number is None:
        number = connection.execute(
            "INSERT INTO route (bridge, direction) VALUES (?, ?)",
            (storable(route.bridge), route.direction.value),
        ).lastrowid
    assert number is not None  # noqa: S101 - sqlite3 promises it after an INSERT of one row
    return number


_POST = """
    SELECT post.id, route.bridge, route.direction, post.source, post.source_url, post.created_at,
           post.seen_at, post.changed_at, post.action, post.reason, post.detail, post.notes,
           post.parent, post.same_as, post.gone_at, post.with_others, post.missing_at,
           route.reached_at
    FROM post JOIN route ON route.id = post.route_id
    WHERE post.id IN ({marks})
"""
_PART = """
    SELECT post_id, idx, state, body, price, not_before, attempts, attempted_at,
           target_id, target_url, cost, detail, stands_since, waiting_since, aside, refused_since
    FROM part
"""


def posts(connection: sqlite3.Connection, numbers: Sequence[int]) -> tuple[PostRecord, ...]:
    """The posts of these numbers, with their parts, in the order of the numbers."""
    found: dict[int, PostRecord] = {}
    for piece, marks in batches(numbers):
        heads = {
            row[0]: row for row in connection.execute(_POST.format(marks=marks), piece).fetchall()
        }
        parts: dict[int, list[PartRecord]] = {number: [] for number in heads}
        bodies = f"{_PART} WHERE post_id IN ({marks}) ORDER BY post_id, idx"
        for row in connection.execute(bodies, piece):
            parts[row[0]].append(_part(row, _route(*heads[row[0]][1:3]), heads[row[0]][3]))
        for number, head in heads.items():
            found[number] = _post(head, tuple(parts[number]))
    return tuple(found[number] for number in numbers if number in found)


def parts(
    connection: sqlite3.Connection, keys: Sequence[tuple[int, int]]
) -> tuple[PartRecord, ...]:
    """The parts of these posts' numbers and indexes, in that order."""
    return tuple(
        part for post, index in keys for part in [_one_part(connection, post, index)] if part
    )


def _one_part(connection: sqlite3.Connection, post: int, index: int) -> PartRecord | None:
    row = connection.execute(f"{_PART} WHERE post_id = ? AND idx = ?", (post, index)).fetchone()
    if row is None:
        return None
    bridge, direction, source = connection.execute(
        "SELECT route.bridge, route.direction, post.source "
        "FROM post JOIN route ON route.id = post.route_id WHERE post.id = ?",
        (post,),
    ).fetchone()
    return _part(row, _route(bridge, direction), source)


def _route(bridge: str, direction: str) -> Route:
    with decoding():
        return Route(BridgeName(bridge), Direction(direction))


def _post(row: tuple[Any, ...], parts: tuple[PartRecord, ...]) -> PostRecord:
    _, bridge, direction, source, url, created, seen, changed, *judged = row
    action, reason, detail, notes, parent, same_as, gone_at, with_others, *rest = judged
    missing_at, reached_at = rest
    verdict = to_verdict(action, reason, detail)
    stands = any(part.state in STANDING for part in parts) and verdict.reason not in NOT_OURS
    followed = stands and gone_at is None
    return PostRecord(
        route=_route(bridge, direction),
        source=PostId(source),
        source_url=url,
        created_at=from_micros(created),
        seen_at=from_micros(seen),
        at=from_micros(changed),
        verdict=verdict,
        notes=from_notes(notes),
        parent=None if parent is None else PostId(parent),
        parts=parts,
        same_as=None if same_as is None else PostId(same_as),
        gone=gone_at is not None,
        with_others=bool(with_others),
        missing=followed and missing_at is not None,
        unchecked=followed and reached_at is not None and created < reached_at,
    )


def _part(row: tuple[Any, ...], route: Route, source: str) -> PartRecord:
    _, index, state, body, price, not_before, attempts, attempted, *outcome = row
    target_id, target_url, cost, detail, stands_since, waiting_since, *rest = outcome
    aside, refused_since = rest
    with decoding():
        known_state = PartState(state)
    return PartRecord(
        key=PartKey(route, PostId(source), index),
        state=known_state,
        part=from_body(index, price, body),
        not_before=from_micros(not_before),
        attempts=attempts,
        attempted_at=moment_or_none(attempted),
        target_id=None if target_id is None else PostId(target_id),
        target_url=target_url,
        cost=Microdollars(cost),
        detail=detail,
        stands_since=moment_or_none(stands_since),
        waiting_since=moment_or_none(waiting_since),
        aside=bool(aside),
        refused_since=moment_or_none(refused_since),
    )
