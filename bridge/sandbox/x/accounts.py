"""The people of the X sandbox and the keys their own developer apps hold.

Values only. Must not decide whether a key is valid: `oauth1` and `oauth2` do.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

SCOPES = "tweet.read tweet.write users.read media.write offline.access"
HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")


@dataclass(frozen=True, slots=True)
class OAuth1Keys:
    """An OAuth 1.0a key pair and the token pair of the app's owner. They never expire."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth2Keys:
    """An OAuth 2.0 client and the tokens first given to its owner.

    `client_secret` is empty for a public client. The tokens are those of the start: a refresh
    replaces them.
    """

    client_id: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class XAccount:
    """One person, who also owns the developer app that the keys belong to.

    `id` is digits, as a string; `handle` has no ``@``. `read_only` says that the app had no right
    to write when its OAuth 1.0a token was made, `scopes` what its OAuth 2.0 tokens may do.
    """

    id: str
    handle: str
    name: str
    created_at: datetime
    oauth1: OAuth1Keys
    oauth2: OAuth2Keys
    premium: bool = False
    protected: bool = False
    read_only: bool = False
    scopes: str = SCOPES

    @property
    def max_length(self) -> int:
        """How long a post may be, weighted."""
        return 25_000 if self.premium else 280

    @property
    def max_video_ms(self) -> int:
        """How long a video in a post may be."""
        return (125 if self.premium else 20) * 60_000

    @property
    def url(self) -> str:
        """The profile's address."""
        return f"https://x.com/{self.handle}"


def new_account(
    account_id: str,
    handle: str,
    name: str,
    created_at: datetime,
    *,
    premium: bool,
    protected: bool,
    confidential: bool,
) -> XAccount:
    """An account with fresh keys. Raises `ValueError` for a handle that X does not allow."""
    if not HANDLE.fullmatch(handle):
        raise ValueError(f"{handle!r} is no handle: 1 to 15 of A-Z, a-z, 0-9 and _")
    oauth1 = OAuth1Keys(
        consumer_key=secrets.token_hex(12),
        consumer_secret=secrets.token_hex(25),
        access_token=f"{account_id}-{secrets.token_hex(16)}",
        access_token_secret=secrets.token_hex(22),
    )
    oauth2 = OAuth2Keys(
        client_id=secrets.token_urlsafe(24),
        client_secret=secrets.token_urlsafe(36) if confidential else "",
        access_token=secrets.token_urlsafe(48),
        refresh_token=secrets.token_urlsafe(48),
    )
    return XAccount(
        account_id, handle, name, created_at, oauth1, oauth2, premium=premium, protected=protected
    )
