"""T1 and its neighbours: cursors, posts with their planned parts, revisions, reads and their cost.

Every function takes a connection inside a fenced writing transaction (`read_cursor`: any). Must not
keep the text of a post: what is to be sent stands in the draft, the rest leaves a fingerprint.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from bridge.core.budget import Spent
from bridge.core.delivery import PartState
from bridge.core.draft import DraftPart, LinkPrices
from bridge.core.model import Microdollars, Post, PostId, Route
from bridge.core.record import Awaited, Cursor, Decision
from bridge.core.verdict import UP_TO_ITS_TEXT, Action, Reason, Verdict
from bridge.ledger.codec import (
    from_notes,
    micros_or_none,
    moment_or_none,
    storable,
    storable_or_none,
    to_body,
    to_micros,
    to_notes,
    utc_day,
)
from bridge.ledger.content import content_of
from bridge.ledger.judging import original, recorded
from bridge.ledger.rows import route_id
from bridge.ledger.twins import fingerprint_of
from bridge.ledger.whole_posts import to_whole


def start(
    connection: sqlite3.Connection, route: Route, cursor: Cursor, baseline: Collection[PostId]
) -> None:
    """Set the first cursor of a route. Raises `ValueError` where it has one already."""
    number = route_id(connection, route)
    if read_cursor(connection, number) is not None:
        raise ValueError(f"{route} has been started before")
    _set_cursor(connection, number, cursor)
    connection.executemany(
        "INSERT INTO baseline (source, route_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(storable(name), number) for name in baseline],
    )


def read_cursor(connection: sqlite3.Connection, route: int) -> Cursor | None:
    """The cursor of a route's number, None before its first pass."""
    row = connection.execute(
        "SELECT post, at, floor FROM route_cursor WHERE route_id = ?", (route,)
    ).fetchone()
    if row is None:
        return None
    post, at, floor = row
    return Cursor(None if post is None else PostId(post), moment_or_none(at), moment_or_none(floor))


def _set_cursor(connection: sqlite3.Connection, route: int, cursor: Cursor) -> None:
    connection.execute(
        "INSERT INTO route_cursor (route_id, post, at, floor) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (route_id) DO UPDATE "
        "SET post = excluded.post, at = excluded.at, floor = excluded.floor",
        (
            route,
            storable_or_none(cursor.post),
            micros_or_none(cursor.at),
            micros_or_none(cursor.floor),
        ),
    )


def move(connection: sqlite3.Connection, route: Route, cursor: Cursor) -> None:
    """Set the cursor of a route that has one. Raises `ValueError` where it has none."""
    number = route_id(connection, route)
    if read_cursor(connection, number) is None:
        raise ValueError(f"{route} has not been started")
    _set_cursor(connection, number, cursor)


def record(
    connection: sqlite3.Connection, route: Route, decision: Decision, cursor: Cursor
) -> None:
    """T1: post, verdict, parts and cursor; of a post known already, its new ids and the cursor."""
    number = route_id(connection, route)
    _set_cursor(connection, number, cursor)
    post = decision.post
    for name in post.ids:
        known = recorded(connection, number, name)
        if known is not None:
            learn_ids(connection, number, known, post)
            return
    added = insert_post(connection, number, route, decision)
    learn_ids(connection, number, added, post)
    if decision.verdict.reason is Reason.ECHO:
        _follow(connection, route, post)
    if decision.draft is not None:
        _note_links(connection, added, decision.draft.links)
        note_awaited(connection, number, added, post, decision.awaits)
        # What is to be held must not leave before its owner has spoken.
        held = decision.verdict.action is Action.HOLD
        insert_parts(
            connection,
            number,
            added,
            decision.draft.parts,
            decision.not_before or decision.seen_at,
            state=PartState.HELD if held else PartState.PLANNED,
        )


def note_awaited(
    connection: sqlite3.Connection,
    route: int,
    post: int,
    seen: Post | None,
    awaited: Awaited | None,
) -> None:
    """Have a post, which is `seen` now, wait for the mirror of another one, or for nothing (None).

    It never waits longer than at first. Until then the whole post is kept, to be composed.
    """
    needed = None if awaited is None else recorded(connection, route, awaited.post)
    if awaited is None or seen is None or needed is None:
        connection.execute("DELETE FROM awaited WHERE post_id = ?", (post,))
        return
    connection.execute(
        "INSERT INTO awaited (post_id, route_id, needs, until, source) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (post_id) DO UPDATE SET needs = excluded.needs, source = excluded.source, "
        "until = min(until, excluded.until)",
        (post, route, needed, to_micros(awaited.until), to_whole(seen)),
    )


def _note_links(connection: sqlite3.Connection, post: int, links: LinkPrices | None) -> None:
    """Remember what a post with links costs under each choice of what becomes of them."""
    if links is not None:
        connection.execute(
            'INSERT INTO link_price (post_id, keep, defuse, "drop") VALUES (?, ?, ?, ?)',
            (post, links.keep, links.defuse, links.drop),
        )


def advance(
    connection: sqlite3.Connection,
    route: Route,
    post: Post,
    of: PostId,
    *,
    cursor: Cursor | None,
    notes: Sequence[str],
) -> None:
    """T1 for a revision of the recorded post `of`. Raises `ValueError` where there is no such."""
    learn(connection, route, of, post, cursor)
    number = route_id(connection, route)
    known = recorded(connection, number, of)
    if known is not None:
        add_notes(connection, known, notes)
        _follow(connection, route, post)


def learn(
    connection: sqlite3.Connection,
    route: Route,
    of: PostId,
    post: Post | None,
    cursor: Cursor | None,
) -> int:
    """What the newest revision `post` of `of` tells, and the cursor; the number of the post.

    Raises `ValueError` where there is no such.
    """
    number = route_id(connection, route)
    known = recorded(connection, number, of)
    if known is None:
        raise ValueError(f"{route} has no post {of}")
    if post is not None:
        learn_ids(connection, number, known, post)
        connection.execute(
            "UPDATE post SET content = ?, edited_at = ? WHERE id = ?",
            (content_of(connection, post), micros_or_none(post.edited_at), known),
        )
    if cursor is not None:
        _set_cursor(connection, number, cursor)
    return known


def add_notes(connection: sqlite3.Connection, post: int, notes: Sequence[str]) -> None:
    """Add to what is told of a post what is not told of it yet."""
    (column,) = connection.execute("SELECT notes FROM post WHERE id = ?", (post,)).fetchone()
    told = from_notes(column)
    new = tuple(dict.fromkeys(note for note in notes if note and note not in told))
    if new:
        connection.execute(
            "UPDATE post SET notes = ? WHERE id = ?", (to_notes((*told, *new)), post)
        )


def _follow(connection: sqlite3.Connection, route: Route, echo: Post) -> None:
    """Know a mirror by the name it has now: where an edit gives a new one, and its answer was lost.

    The name it had is in the chain of its ids, so nothing else is ever taken for it.
    """
    for name in echo.ids:
        if name == echo.id:
            continue
        found = connection.execute(
            "SELECT part.post_id, part.idx, part.target_url FROM part "
            "JOIN route ON route.id = part.route_id "
            "WHERE part.target_id = ? AND route.bridge = ? AND route.direction = ?",
            (storable(name), storable(route.bridge), route.direction.reverse.value),
        ).fetchall()
        for post, index, url in found:
            rename_target(connection, post, index, name, url)
            connection.execute(
                "UPDATE part SET target_id = ?, target_url = ? WHERE post_id = ? AND idx = ?",
                (storable(echo.id), storable_or_none(echo.url), post, index),
            )


def rename_target(
    connection: sqlite3.Connection, post: int, index: int, name: str, url: str | None
) -> None:
    """Remember the name under which a part stood so far."""
    connection.execute(
        "INSERT INTO former_target (target_id, target_url, post_id, idx) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (storable(name), storable_or_none(url), post, index),
    )


def note_read(
    connection: sqlite3.Connection, route: Route, at: datetime, items: int, cost: Microdollars
) -> None:
    """Remember when a source was last read, and what that cost."""
    number = route_id(connection, route)
    connection.execute("UPDATE route SET last_read_at = ? WHERE id = ?", (to_micros(at), number))
    note_spend(connection, number, at, Spent.READ, items=items, cost=cost)


def note_recheck(connection: sqlite3.Connection, route: Route, at: datetime) -> None:
    """Remember when a source was last compared."""
    number = route_id(connection, route)
    connection.execute("UPDATE route SET rechecked_at = ? WHERE id = ?", (to_micros(at), number))


def note_spend(
    connection: sqlite3.Connection,
    route: int,
    at: datetime,
    kind: Spent,
    *,
    items: int,
    cost: Microdollars,
) -> None:
    """Add to what this UTC day has cost. Nothing is written for nothing."""
    if not items and not cost:
        return
    connection.execute(
        "INSERT INTO spend (route_id, day, kind, items, cost) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (route_id, day, kind) DO UPDATE "
        "SET items = spend.items + excluded.items, cost = spend.cost + excluded.cost",
        (route, utc_day(at), kind.value, items, cost),
    )


def learn_ids(connection: sqlite3.Connection, route: int, post: int, seen: Post) -> None:
    """Know a recorded post by every id of `seen`, a revision of it.

    The ids of a post are kept in order. A chain may be told later than its newest id, which then
    has to come last again.
    """
    names = [storable(name) for name in seen.ids]
    connection.execute(
        "DELETE FROM known_id WHERE source = ?1 AND route_id = ?2 AND post_id = ?3 AND rowid = "
        "(SELECT max(rowid) FROM known_id WHERE post_id = ?3)",
        (names[-1], route, post),
    )
    connection.executemany(
        "INSERT INTO known_id (source, route_id, post_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(name, route, post) for name in names],
    )


def insert_post(
    connection: sqlite3.Connection, number: int, route: Route, decision: Decision
) -> int:
    """A new post with its verdict, without parts; its number."""
    post, verdict = decision.post, decision.verdict
    waits_for, answers = continues(connection, number, route, decision.parent)
    notes = () if decision.draft is None else decision.draft.notes
    echo = verdict.reason is Reason.ECHO
    fingerprint = None if echo else fingerprint_of(connection, post)
    added = connection.execute(
        "INSERT INTO post (route_id, source, source_url, created_at, seen_at, changed_at, "
        "action, reason, detail, notes, parent, waits_for, answers, fingerprint, media, same_as, "
        "content, edited_at, with_others) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            storable(post.id),
            storable_or_none(post.url),
            to_micros(post.created_at),
            to_micros(decision.seen_at),
            to_micros(decision.seen_at),
            verdict.action.value,
            verdict.reason.value,
            storable(verdict.detail),
            to_notes(notes),
            storable_or_none(decision.parent),
            waits_for,
            answers,
            fingerprint,
            len(post.media),
            storable_or_none(decision.same_as),
            content_of(connection, post) if _follows_edits(decision) else None,
            micros_or_none(post.edited_at),
            int(decision.with_others),
        ),
    ).lastrowid
    assert added is not None  # noqa: S101 - sqlite3 promises it after an INSERT of one row
    return added


def _follows_edits(decision: Decision) -> bool:
    """Whether an edit of the post would change anything."""
    return decision.draft is not None or decision.verdict.reason in UP_TO_ITS_TEXT


def judge_anew(
    connection: sqlite3.Connection,
    post: int,
    verdict: Verdict,
    at: int,
    same_as: PostId | None = None,
) -> None:
    """Put `verdict` in the place of what was decided about a recorded post."""
    connection.execute(
        "UPDATE post SET action = ?, reason = ?, detail = ?, same_as = ?, changed_at = ? "
        "WHERE id = ?",
        (
            verdict.action.value,
            verdict.reason.value,
            storable(verdict.detail),
            storable_or_none(same_as),
            at,
            post,
        ),
    )


def continues(
    connection: sqlite3.Connection, number: int, route: Route, parent: PostId | None
) -> tuple[int | None, PostId | None]:
    """What a post that continues `parent` waits for, or which post on the target it answers."""
    if parent is None:
        return None, None
    waits_for = recorded(connection, number, parent)
    if waits_for is not None and (twin := _twin(connection, waits_for)) is not None:
        return None, twin
    if waits_for is not None and _has_parts(connection, waits_for):
        return waits_for, None
    # A mirror made here is recorded too once it has been read, but as a skipped echo.
    answers = original(connection, route, parent)
    return (waits_for, None) if answers is None else (None, answers)


def _twin(connection: sqlite3.Connection, post: int) -> PostId | None:
    (found,) = connection.execute("SELECT same_as FROM post WHERE id = ?", (post,)).fetchone()
    return None if found is None else PostId(found)


def _has_parts(connection: sqlite3.Connection, post: int) -> bool:
    found = connection.execute("SELECT 1 FROM part WHERE post_id = ? LIMIT 1", (post,)).fetchone()
    return found is not None


def insert_parts(
    connection: sqlite3.Connection,
    route: int,
    post: int,
    parts: Sequence[DraftPart],
    not_before: datetime,
    *,
    state: PartState = PartState.PLANNED,
    aside: bool = False,
) -> None:
    """New parts of a post, none of which may leave earlier than `not_before`."""
    connection.executemany(
        "INSERT INTO part (post_id, idx, route_id, state, body, price, not_before, attempts, "
        "cost, detail, aside) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '', ?)",
        [
            (
                post,
                part.index,
                route,
                state.value,
                to_body(part),
                part.price,
                to_micros(not_before),
                int(aside),
            )
            for part in parts
        ],
    )
