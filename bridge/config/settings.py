"""The settings as frozen values, complete with their defaults. Must not read anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from bridge.core.model import BridgeName, Visibility
from bridge.core.secret import Secret
from bridge.core.timing import Every, FromNow, Interval, Start

A_MINUTE = Interval(timedelta(minutes=1))
NOW = FromNow()


@dataclass(frozen=True, slots=True)
class MastodonSettings:
    """One account on a server that speaks the Mastodon API; no token where a login gives it."""

    url: str
    access_token: Secret | None


@dataclass(frozen=True, slots=True)
class OAuth1:
    """A user's OAuth 1.0a credentials from X's developer console."""

    consumer_key: Secret
    consumer_secret: Secret
    access_token: Secret
    access_token_secret: Secret


@dataclass(frozen=True, slots=True)
class OAuth2:
    """A user's OAuth 2.0 credentials; public clients have no secret.

    Without an access token they name the app alone, and a login gives the rest.
    """

    client_id: Secret
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    client_secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class XSettings:
    """One account on X; no credentials where a login gives them. `max_length` is in X's units."""

    url: str
    credentials: OAuth1 | OAuth2 | None
    dialect: Literal["auto", "post", "tweet"] = "auto"
    max_length: int = 280


@dataclass(frozen=True, slots=True)
class MastodonToX:
    """How posts go from Mastodon to X; `visibility` lists the audiences that may."""

    enabled: bool = True
    every: Every = A_MINUTE
    delay: timedelta = timedelta(seconds=30)
    start: Start = NOW
    visibility: frozenset[Visibility] = frozenset({Visibility.PUBLIC})


@dataclass(frozen=True, slots=True)
class XToMastodon:
    """How posts go from X to Mastodon; `visibility` is that of the mirror."""

    enabled: bool = True
    every: Every = A_MINUTE
    delay: timedelta = timedelta(0)
    start: Start = NOW
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """One pair of accounts. `people` maps handles of one network to handles of the other."""

    name: BridgeName
    mastodon: MastodonSettings
    x: XSettings
    mastodon_to_x: MastodonToX
    x_to_mastodon: XToMastodon
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a file says. `state` is where the ledger and rotating tokens live.

    `ca_file` holds certificates that are trusted beside the system's own, None for none.
    """

    state: Path
    bridges: tuple[BridgeSettings, ...]
    ca_file: Path | None = None
