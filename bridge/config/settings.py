"""The settings as frozen values, complete with their defaults. Must not read anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from bridge.config.money import MoneySettings
from bridge.config.surface_settings import SurfaceSettings
from bridge.config.web import WebSettings
from bridge.core.model import BridgeName, Microdollars, Visibility
from bridge.core.policy import (
    Audio,
    Deletes,
    Edits,
    Links,
    LongText,
    MediaMissing,
    Polls,
    Quotes,
    Sensitive,
    Unfitting,
    Warnings,
)
from bridge.core.rules import NOXP, Boosts, Threads
from bridge.core.secret import Secret
from bridge.core.switches import Marker
from bridge.core.timing import Every, FromNow, Interval, Start

A_MINUTE = Interval(timedelta(minutes=1))
NOW = FromNow()
_LENGTH_FOR_ALL = 280


@dataclass(frozen=True, slots=True)
class MastodonSettings:
    """One account on a server that speaks the Mastodon API; no token where a login gives it."""

    url: str
    access_token: Secret | None
    custom_emoji: Literal["keep", "remove"] = "keep"


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
    premium: bool | None = None
    money: MoneySettings = field(default_factory=MoneySettings)

    @property
    def has_premium(self) -> bool:
        """Whether the account has Premium; long posts come with it."""
        return self.max_length > _LENGTH_FOR_ALL if self.premium is None else self.premium


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What both directions have in common: when posts are read, which cross, in what form.

    Zero for `max_age` or `max_per_hour` is no bound.
    """

    enabled: bool = True
    every: Every = A_MINUTE
    delay: timedelta = timedelta(0)
    start: Start = NOW
    only_with: tuple[Marker, ...] = ()
    never_with: tuple[Marker, ...] = (NOXP,)
    hide_markers: bool = False
    media_only: bool = False
    languages: tuple[str, ...] = ()
    threads: Threads = "skip"
    boosts: Boosts = "skip"
    quotes: Quotes = "link"
    long_text: LongText = "thread"
    polls: Polls = "native"
    alt_text: bool = True
    video: Unfitting = "thumbnail"
    media_missing: MediaMissing = "hold"
    warn_about: Mapping[str, str] = field(default_factory=dict)
    warning_words: Mapping[str, str] = field(default_factory=dict)
    edits: Edits = "replace"
    edits_by_reposting: bool = False
    deletes: Deletes = "mirror"
    max_age: timedelta = timedelta(hours=24)
    max_per_hour: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MastodonToX(Crossing):
    """How posts go from Mastodon to X; `visibility` lists the audiences that may."""

    delay: timedelta = timedelta(seconds=30)
    visibility: frozenset[Visibility] = frozenset({Visibility.PUBLIC})
    warnings: Warnings = "prefix"
    sensitive: Sensitive = "send"
    audio: Audio = "skip"
    links: Links = "keep"
    max_usd_per_post: Microdollars | None = None


@dataclass(frozen=True, slots=True)
class Recheck:
    """How often, and how far back, the own timeline on X is read again; zero for never."""

    every: timedelta = timedelta(hours=6)
    window: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class XToMastodon(Crossing):
    """How posts go from X to Mastodon; `visibility` is that of the mirror."""

    visibility: Visibility = Visibility.PUBLIC
    never_wider_than_default: bool = False
    recheck: Recheck = Recheck()


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
class LedgerSettings:
    """How the ledger is kept: `backups` copies, none for zero, one `backup_every` so often.

    The text of what was delivered is forgotten after `keep_text`, never for zero.
    """

    backups: int = 7
    backup_every: timedelta = timedelta(hours=24)
    keep_text: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a file says. `state` is where the ledger and rotating tokens live.

    `ca_file` holds certificates that are trusted beside the system's own, None for none.
    """

    state: Path
    bridges: tuple[BridgeSettings, ...]
    ca_file: Path | None = None
    ledger: LedgerSettings = LedgerSettings()
    web: WebSettings = field(default_factory=WebSettings)
    surfaces: SurfaceSettings = field(default_factory=SurfaceSettings)
