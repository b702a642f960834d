"""What an adapter must be told about one account on a server that speaks the Mastodon API.

Values only. Must not read configuration files, and must not show the token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bridge.networks.mastodon.people import host_of

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class MastodonSettings:
    """The server's base address (``https://mastodon.example``) and one user's access token.

    `custom_emoji` says that shortcodes (``:blobcat:``) of posts are kept; else they are removed.
    Raises `ValueError`, without the token in it, where either cannot be used in a request.
    """

    url: str
    access_token: str = field(repr=False)
    custom_emoji: bool = True

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        if address.scheme not in {"http", "https"} or not address.hostname or address.username:
            raise ValueError("a server's address looks like https://mastodon.example")
        if not _TOKEN.fullmatch(self.access_token):
            raise ValueError("an access token is made of visible ASCII characters only")

    @property
    def base(self) -> str:
        """The address without a trailing slash."""
        return self.url.rstrip("/")

    @property
    def host(self) -> str:
        """The server's name in handles, with its port if it has one."""
        return host_of(self.url)
