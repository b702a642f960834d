"""What the address of a post tells by itself: which network it leads to, and the id it names.

Works on strings alone. Must not take an address for proof that there is such a post.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from bridge.core.model import Network, PostId

X_HOSTS = frozenset(
    prefix + name for prefix in ("", "www.", "mobile.", "m.") for name in ("x.com", "twitter.com")
)
_X_API_HOSTS = frozenset({"api.x.com", "api.twitter.com"})
_STATUS = re.compile(r"/status(?:es)?/(\d+)(?:/|$)", re.ASCII)


def is_address(name: str) -> bool:
    """Whether a post is named by an address, and not by its id."""
    return "://" in name


def host_of(name: str) -> str:
    """The host of an address, in small letters; empty for an id and for what cannot be read."""
    try:
        return urlsplit(name).hostname or "" if is_address(name) else ""
    except ValueError:
        return ""


def network_of(name: str) -> Network | None:
    """Where an address leads; None for an id, and for what cannot be read.

    Any host that is not one of X's may be a server of Mastodon's.
    """
    host = host_of(name)
    if not host:
        return None
    return Network.X if host in X_HOSTS else Network.MASTODON


def x_site_of(api: str) -> str:
    """Where the posts and the pages behind X's API stand: elsewhere for X itself only."""
    return "https://x.com" if urlsplit(api).hostname in _X_API_HOSTS else api


def id_in(name: str) -> PostId:
    """The id that an address names, with its scheme or without; empty where there is none in it.

    An id is that itself. Behind that of a post on X may stand which of its pictures is looked at.
    """
    try:
        path = urlsplit(name).path
    except ValueError:
        return PostId("")
    found = _STATUS.search(path)
    return PostId(found[1] if found else path.rstrip("/").rsplit("/", 1)[-1])
