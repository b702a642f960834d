"""Whether a mirror that nobody remembers stands among posts that were just read.

Compares what would be sent, part by part, with what was written on the other network since. Pure;
only the same words count, what is merely similar proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bridge.core.draft import Draft, DraftPart
from bridge.core.fingerprint import Match, canonical, same_post
from bridge.core.model import Post
from bridge.core.text import Text

SLACK = timedelta(minutes=15)
"""How far the clocks of two servers may differ."""


def stands_as(draft: Draft, post: Post, others: Iterable[Post]) -> Post | None:
    """The last of `others` that is a part of `draft`, the mirror of `post`; None for none."""
    since = post.created_at - SLACK
    alike = [
        other
        for other in others
        if other.created_at >= since and any(says(part, other) for part in draft.parts)
    ]
    return max(alike, key=lambda other: other.created_at, default=None)


def says(part: DraftPart, post: Post) -> bool:
    """Whether `post` has the words of `part`; never where there are none to compare."""
    if part.repeat is not None or post.repost is not None:
        return False
    # A poll that has little time left by then is written out.
    said = (part.text, part.poll.otherwise) if part.poll else (part.text,)
    return any(same_post(post.text, Text(words)) is Match.EXACT for words in said if _has(words))


def may_stand_as(draft: Draft, post: Post, others: Iterable[Post]) -> Post | None:
    """One of `others` that has as many media as a wordless part of `draft`, and no words either."""
    since = post.created_at - SLACK
    counts = {len(part.media) for part in draft.parts if part.media and not _has(part.text)}
    return next(
        (
            other
            for other in others
            if other.created_at >= since
            and other.repost is None
            and len(other.media) in counts
            and not _has(other.text.plain)
        ),
        None,
    )


def _has(words: str) -> bool:
    what = canonical(Text(words))
    return bool(what.words or what.links)
