"""Telling whether a post still shows what it showed: a keyed digest of all that it shows.

Every function takes a connection inside a transaction and only reads. Knows texts only long enough
to make the digest; must not judge what a difference means.
"""

from __future__ import annotations

import hmac
import json
import sqlite3
from collections.abc import Sequence

from bridge.core.model import Post, PostId, Route
from bridge.core.record import Absence, Tracked
from bridge.core.verdict import NOT_OURS, UP_TO_ITS_TEXT
from bridge.ledger.codec import micros_or_none, storable, to_micros
from bridge.ledger.judging import revised
from bridge.ledger.rows import find_route, posts
from bridge.ledger.twins import key

CONCERNED = "part.state NOT IN ('gone', 'dropped', 'failed', 'unwanted', 'deleting')"
"""Parts that an edit or a deletion of their post would do something to, or keep from leaving."""

_OTHERS = ", ".join(f"'{reason.value}'" for reason in sorted(NOT_OURS))
OURS = f"post.reason NOT IN ({_OTHERS})"
"""Posts whose mirrors the bridge wrote: others' are neither edited nor deleted."""

_KEPT = ", ".join(f"'{reason.value}'" for reason in sorted(UP_TO_ITS_TEXT))
KEPT_BY_TEXT = f"""
    post.action = 'skip' AND post.reason IN ({_KEPT})
    AND NOT EXISTS (SELECT 1 FROM part WHERE part.post_id = post.id AND part.target_id IS NOT NULL)
"""  # noqa: S608 - constants of ours
"""Posts of which nothing was ever published, and that an edit may let cross."""

_MIRRORED = f"""
    SELECT post.id FROM post WHERE post.route_id = ? AND post.created_at > ?
    AND post.gone_at IS NULL AND {OURS}
    AND EXISTS (SELECT 1 FROM part WHERE part.post_id = post.id AND {CONCERNED})
"""  # noqa: S608 - constants of ours


_BEFORE_ALL = -(2**62)


def content_of(connection: sqlite3.Connection, seen: Post) -> str:
    """The digest: equal for equal text, warning, media with alt texts, and poll; hexadecimal."""
    shown = [
        seen.text.plain,
        [span.target for span in seen.text.spans],
        seen.spoiler,
        seen.sensitive,
        [[medium.id, medium.alt] for medium in seen.media],
        None if seen.poll is None else [option.label for option in seen.poll.options],
    ]
    said = b"content\x1f" + json.dumps(shown).encode()
    return hmac.digest(key(connection), said, "sha256").hex()


def watches(
    connection: sqlite3.Connection, route: Route, since: int | None, *, skipped: bool
) -> bool:
    """Whether something as new as `since` (microseconds) is mirrored, or is about to be.

    With `skipped`, also whether an edit may let something cross.
    """
    number = find_route(connection, route)
    asked = (number, _BEFORE_ALL if since is None else since - 1)
    if connection.execute(f"{_MIRRORED} LIMIT 1", asked).fetchone() is not None:
        return True
    kept = (
        "SELECT 1 FROM post WHERE post.route_id = ? AND post.created_at > ? "  # noqa: S608 - constants of ours
        f"AND post.gone_at IS NULL AND {KEPT_BY_TEXT} LIMIT 1"
    )
    return skipped and connection.execute(kept, asked).fetchone() is not None


def edited(connection: sqlite3.Connection, route: Route, seen: Sequence[Post]) -> tuple[Post, ...]:
    """Those of the posts just `seen` that are mirrored, and show something else than they did."""
    number = find_route(connection, route)
    if number is None:
        return ()
    found = [(post, revised(connection, number, post)) for post in seen]
    return tuple(
        post for post, known in found if known is not None and _differs(connection, known, post)
    )


def absent(
    connection: sqlite3.Connection, route: Route, stretch: Sequence[Post], *, whole: bool
) -> Absence:
    """Which mirrored posts are not in `stretch`, of those newer than its oldest one.

    Of all of them where it is the `whole` timeline.
    """
    number = find_route(connection, route)
    if number is None or not (stretch or whole):
        return Absence()
    since = _BEFORE_ALL if whole else min(to_micros(seen.created_at) for seen in stretch)
    expected = [post for (post,) in connection.execute(_MIRRORED, (number, since))]
    there = {revised(connection, number, seen) for seen in stretch}
    missing = sorted(post for post in expected if post not in there)
    return Absence(
        tuple(
            Tracked(record, latest(connection, post))
            for post, record in zip(missing, posts(connection, missing), strict=True)
        ),
        len(expected),
    )


def latest(connection: sqlite3.Connection, post: int) -> PostId:
    """The newest id of a recorded post."""
    (source,) = connection.execute(
        "SELECT source FROM known_id WHERE post_id = ? ORDER BY rowid DESC LIMIT 1", (post,)
    ).fetchone()
    return PostId(source)


def _differs(connection: sqlite3.Connection, post: int, seen: Post) -> bool:
    """Whether a mirrored post was edited since, and shows something else than it did.

    A network's word that there was an edit is needed too: what a timeline shows of a post may
    differ in trifles from one reading to the next.
    """
    content, edited_at, seen_at, gone_at = connection.execute(
        "SELECT content, edited_at, seen_at, gone_at FROM post WHERE id = ?", (post,)
    ).fetchone()
    concerned = connection.execute(
        f"SELECT 1 FROM post WHERE post.id = ? AND {OURS} AND (({KEPT_BY_TEXT}) OR EXISTS "  # noqa: S608 - constants of ours
        f"(SELECT 1 FROM part WHERE part.post_id = post.id AND {CONCERNED}))",
        (post,),
    ).fetchone()
    if gone_at is not None or concerned is None:
        return False
    edit = micros_or_none(seen.edited_at)
    if content is None:  # recorded before contents were
        return edit is not None and edit > seen_at
    new_id = connection.execute(
        "SELECT 1 FROM known_id WHERE post_id = ? AND source = ?", (post, storable(seen.id))
    ).fetchone()
    if new_id is not None and edit == edited_at:
        return False
    return bool(content != content_of(connection, seen))
