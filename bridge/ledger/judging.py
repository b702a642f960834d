"""What the ledger knows that bears on a post just read: known ids, echoes, revisions, parents.

Every function takes a connection inside a transaction. Must not change anything, nor judge.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from bridge.core.model import BridgeName, Direction, Post, PostId, Route
from bridge.core.record import Mirror
from bridge.ledger.codec import storable, storable_or_none, to_micros
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
    quoted = _mirror(connection, route, None if post.quote is None else post.quote.post)
    reposted = _mirror(connection, route, None if post.repost is None else post.repost.post)
    return Facts(
        echo_of=_echo_of(connection, route, post),
        revision_of=None if number is None else _revision_of(connection, number, post),
        baseline=number is not None and _in_baseline(connection, number, post),
        parent=None if parent is None else posts(connection, [parent])[0],
        parent_is_mirror=replied is not None and original(connection, route, replied) is not None,
        quoted=quoted,
        reposted=reposted,
        awaits=None if number is None else _awaits(connection, number, post, quoted or reposted),
    )


ON_ITS_WAY = frozenset({"planned", "attempting", "in-doubt", "held"})


def first_state(connection: sqlite3.Connection, post: int) -> str | None:
    """The state of the first part of a mirror, which is what quotes and repeats of it refer to."""
    row = connection.execute(
        "SELECT state FROM part WHERE post_id = ? AND aside = 0 "
        "AND state NOT IN ('gone', 'unwanted', 'deleting') ORDER BY idx LIMIT 1",
        (post,),
    ).fetchone()
    return None if row is None else str(row[0])


def _awaits(
    connection: sqlite3.Connection, route: int, post: Post, mirror: Mirror | None
) -> PostId | None:
    """The own post that `post` quotes or repeats, where its mirror is still to be published.

    Only one that was recorded before `post`, so that no two ever wait for each other.
    """
    reference = post.repost or post.quote
    if mirror is not None or reference is None or reference.post is None:
        return None
    found = recorded(connection, route, reference.post)
    own = revised(connection, route, post)
    if found is None or (own is not None and own <= found):
        return None
    if first_state(connection, found) not in ON_ITS_WAY:
        return None
    (source,) = connection.execute("SELECT source FROM post WHERE id = ?", (found,)).fetchone()
    return PostId(source)


def recorded(connection: sqlite3.Connection, route: int, name: PostId) -> int | None:
    """The number of the post that route number `route` knows by the id `name`."""
    row = connection.execute(
        "SELECT post_id FROM known_id WHERE source = ? AND route_id = ?", (storable(name), route)
    ).fetchone()
    return None if row is None else int(row[0])


_ORIGINAL = """
    SELECT post.source, post.source_url FROM {table}
    JOIN post ON post.id = {table}.post_id JOIN route ON route.id = post.route_id
    WHERE {table}.{column} = ? AND route.direction = ?{where} ORDER BY {table}.post_id LIMIT 1
"""


def original(connection: sqlite3.Connection, route: Route, name: PostId) -> PostId | None:
    """The post whose mirror, made by the same bridge, is what `route` would read as `name`."""
    row = _original(connection, route, "target_id", name, bridge=True)
    return None if row is None else PostId(row[0])


def _original(
    connection: sqlite3.Connection, route: Route, column: str, name: str, *, bridge: bool
) -> tuple[str, str | None] | None:
    """Id and address of what is mirrored as `name`, also under a name from before an edit."""
    asked = [storable(name), route.direction.reverse.value]
    asked += [storable(route.bridge)] if bridge else []
    where = " AND route.bridge = ?" if bridge else ""
    for table in ("part", "former_target"):
        query = _ORIGINAL.format(table=table, column=column, where=where)
        row = connection.execute(query, asked).fetchone()
        if row is not None:
            return row[0], row[1]
    return None


def _mirror(connection: sqlite3.Connection, route: Route, name: PostId | None) -> Mirror | None:
    """Where the own post `name` stands on the target: as its mirror, or as what it mirrors."""
    if name is None:
        return None
    number = find_route(connection, route)
    post = None if number is None else recorded(connection, number, name)
    if post is not None:
        row = connection.execute(
            "SELECT target_id, target_url FROM part WHERE post_id = ? AND aside = 0 "
            "AND state IN ('delivered', 'outdated', 'revising') ORDER BY idx LIMIT 1",
            (post,),
        ).fetchone()
        if row is not None:
            return Mirror(PostId(row[0]), row[1])
        row = connection.execute(
            "SELECT twin.source, twin.source_url FROM post "
            "JOIN route ON route.bridge = ? AND route.direction = ? "
            "JOIN post AS twin ON twin.route_id = route.id AND twin.source = post.same_as "
            "WHERE post.id = ?",
            (storable(route.bridge), route.direction.reverse.value, post),
        ).fetchone()
        if row is not None:
            return Mirror(PostId(row[0]), row[1])
    row = _original(connection, route, "target_id", name, bridge=True)
    return None if row is None else Mirror(PostId(row[0]), row[1])


def _echo_of(connection: sqlite3.Connection, route: Route, post: Post) -> PostId | None:
    for name in post.ids:
        if source := original(connection, route, name):
            return source
    if post.url is None:
        return None
    # An id says nothing across servers; an address does, whichever bridge made the mirror.
    row = _original(connection, route, "target_url", post.url, bridge=False)
    return None if row is None else PostId(row[0])


def _revision_of(connection: sqlite3.Connection, route: int, post: Post) -> PostId | None:
    number = revised(connection, route, post)
    if number is None:
        return None
    (source,) = connection.execute("SELECT source FROM post WHERE id = ?", (number,)).fetchone()
    return PostId(source)


def revised(connection: sqlite3.Connection, route: int, post: Post) -> int | None:
    """The number of the recorded post that `post` is, or is another revision of."""
    for name in post.ids:
        if (number := recorded(connection, route, name)) is not None:
            return number
    # Where the network tells the chain of edits, the chain is the whole answer; elsewhere an edited
    # post may come back under a new id, but keeps the time at which it was written, and what it
    # replies to: the posts of a thread may be of one and the same second.
    if post.edited_at is None or len(post.ids) > 1 or _is_mirror(connection, route, post):
        return None
    replied = None if post.in_reply_to is None else storable_or_none(post.in_reply_to.post)
    row = connection.execute(
        "SELECT id FROM post WHERE route_id = ? AND created_at = ? AND parent IS ? "
        "ORDER BY id LIMIT 1",
        (route, to_micros(post.created_at), replied),
    ).fetchone()
    return None if row is None else int(row[0])


def _is_mirror(connection: sqlite3.Connection, route: int, post: Post) -> bool:
    """Whether `post` is known by its id as a mirror: then it is no revision of anything else."""
    bridge, direction = connection.execute(
        "SELECT bridge, direction FROM route WHERE id = ?", (route,)
    ).fetchone()
    read = Route(BridgeName(bridge), Direction(direction))
    return any(original(connection, read, name) is not None for name in post.ids)


def _in_baseline(connection: sqlite3.Connection, route: int, post: Post) -> bool:
    return any(
        connection.execute(
            "SELECT 1 FROM baseline WHERE source = ? AND route_id = ?", (storable(name), route)
        ).fetchone()
        for name in post.ids
    )
