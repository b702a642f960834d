"""What the ledger knows that bears on a post just read: known ids, echoes, revisions, parents.

Every function takes a connection inside a transaction. Must not change anything, nor judge.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from bridge.core.model import Post, PostId, Route
from bridge.ledger.codec import storable, to_micros
from bridge.ledger.rows import batches, find_route, posts
from bridge.ports import Facts


def known(
    connection: sqlite3.Connection, route: Route, ids: Collection[PostId]
) -> frozenset[PostId]:
    """Which of `ids` this route has dealt with: recorded under any id, or in the baseline."""
    number = find_route(connection, route)
    if number is None:
        return frozenset()
    asked = {storable(name): name for name in ids}
    found: set[PostId] = set()
    for piece, marks in batches(list(asked)):
        for table in ("known_id", "baseline"):
            rows = connection.execute(
                f"SELECT source FROM {table} WHERE route_id = ? AND source IN ({marks})",  # noqa: S608 - two names of ours, and question marks
                (number, *piece),
            )
            found.update(asked[name] for (name,) in rows)
    return frozenset(found)


def facts(connection: sqlite3.Connection, route: Route, post: Post) -> Facts:
    """What bears on judging `post`."""
    number = find_route(connection, route)
    replied = None if post.in_reply_to is None else post.in_reply_to.post
    parent = None if replied is None or number is None else recorded(connection, number, replied)
    return Facts(
        echo_of=_echo_of(connection, route, post),
        revision_of=None if number is None else _revision_of(connection, number, post),
        baseline=number is not None and _in_baseline(connection, number, post),
        parent=None if parent is None else posts(connection, [parent])[0],
        parent_is_mirror=replied is not None and original(connection, route, replied) is not None,
    )


def recorded(connection: sqlite3.Connection, route: int, name: PostId) -> int | None:
    """The number of the post that route number `route` knows by the id `name`."""
    row = connection.execute(
        "SELECT post_id FROM known_id WHERE source = ? AND route_id = ?", (storable(name), route)
    ).fetchone()
    return None if row is None else int(row[0])


def original(connection: sqlite3.Connection, route: Route, name: PostId) -> PostId | None:
    """The post whose mirror, made by the same bridge, is what `route` would read as `name`."""
    row = connection.execute(
        "SELECT post.source FROM part "
        "JOIN post ON post.id = part.post_id JOIN route ON route.id = part.route_id "
        "WHERE part.target_id = ? AND route.bridge = ? AND route.direction = ? "
        "ORDER BY part.post_id LIMIT 1",
        (storable(name), storable(route.bridge), route.direction.reverse.value),
    ).fetchone()
    return None if row is None else PostId(row[0])


def _echo_of(connection: sqlite3.Connection, route: Route, post: Post) -> PostId | None:
    for name in post.ids:
        if source := original(connection, route, name):
            return source
    if post.url is None:
        return None
    # An id says nothing across servers; an address does, whichever bridge made the mirror.
    row = connection.execute(
        "SELECT post.source FROM part "
        "JOIN post ON post.id = part.post_id JOIN route ON route.id = part.route_id "
        "WHERE part.target_url = ? AND route.direction = ? ORDER BY part.post_id LIMIT 1",
        (storable(post.url), route.direction.reverse.value),
    ).fetchone()
    return None if row is None else PostId(row[0])


def _revision_of(connection: sqlite3.Connection, route: int, post: Post) -> PostId | None:
    number = next(
        (found for name in post.ids if (found := recorded(connection, route, name)) is not None),
        None,
    )
    if number is not None:
        (source,) = connection.execute("SELECT source FROM post WHERE id = ?", (number,)).fetchone()
        return PostId(source)
    # Where the network tells the chain of edits, the chain is the whole answer; elsewhere an edited
    # post may come back under a new id, but keeps the time at which it was written.
    if post.edited_at is None or len(post.ids) > 1:
        return None
    row = connection.execute(
        "SELECT source FROM post WHERE route_id = ? AND created_at = ? ORDER BY id LIMIT 1",
        (route, to_micros(post.created_at)),
    ).fetchone()
    return None if row is None else PostId(row[0])


def _in_baseline(connection: sqlite3.Connection, route: int, post: Post) -> bool:
    return any(
        connection.execute(
            "SELECT 1 FROM baseline WHERE source = ? AND route_id = ?", (storable(name), route)
        ).fetchone()
        for name in post.ids
    )
