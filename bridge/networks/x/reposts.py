"""The name by which a repost is known here: X tells no id when it makes one.

An account repeats a post once or not at all, so that the post repeated says which repost is meant.
Whatever carries such a name can never be taken for the post itself. Must not do I/O.
"""

from __future__ import annotations

from bridge.core.model import PostId

_PREFIX = "repost-of-"


def repost_name(of: PostId) -> PostId:
    """The name of the own account's repost of the post `of`."""
    return PostId(f"{_PREFIX}{of}")


def reposted(name: PostId) -> PostId | None:
    """The post whose repost `name` is; None where it is no such name."""
    return PostId(name.removeprefix(_PREFIX)) if name.startswith(_PREFIX) else None
