"""What one account on X needs to be known by: address, credentials, dialect, length.

Values only; nothing here is ever printed whole. Must not read files or the environment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bridge.core.address import x_site_of
from bridge.core.prices import X_PRICES, PriceTable

API = "https://api.x.com"

DialectName = Literal["auto", "post", "tweet"]


@dataclass(frozen=True, slots=True)
class OAuth1Credentials:
    """A user's OAuth 1.0a credentials; they do not expire."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth2Credentials:
    """A user's OAuth 2.0 credentials as the owner pasted them.

    Without a refresh token they end with the access token, two hours after the login. Public
    clients have no secret.
    """

    client_id: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class XSettings:
    """One account on X. `url` is the API's, without a path; `max_length` in weighted units.

    `premium` says that the account has Premium, and so may edit what it posted.
    """

    url: str = API
    credentials: OAuth1Credentials | OAuth2Credentials = field(kw_only=True)
    dialect: DialectName = "auto"
    max_length: int = 280
    premium: bool = False
    prices: PriceTable = X_PRICES

    @property
    def api(self) -> str:
        """The API's address without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def web(self) -> str:
        """Where people see posts: X's own site for its public API, the same host for any other."""
        return x_site_of(self.api)
