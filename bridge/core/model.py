"""The nouns of the bridge: posts, accounts, media, polls, and the names that identify them.

Values only: no behaviour beyond what is derived from a value itself, no network's dialect, no I/O.
Every id is an opaque string. Nothing may compare ids by size, or parse one, outside an adapter
that knows its own server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from bridge.core.text import Text

PostId = NewType("PostId", str)
AccountId = NewType("AccountId", str)
MediaId = NewType("MediaId", str)
BridgeName = NewType("BridgeName", str)
Microdollars = NewType("Microdollars", int)
"""A price in millionths of a US dollar: exact under addition, which floats are not."""


class Network(StrEnum):
    """The two sides of a bridge."""

    MASTODON = "mastodon"
    X = "x"

    @property
    def other(self) -> Network:
        """The side across."""
        return Network.X if self is Network.MASTODON else Network.MASTODON

    @property
    def called(self) -> str:
        """What people call it."""
        return "X" if self is Network.X else "Mastodon"


class Direction(StrEnum):
    """One of the two ways across a bridge; the value is also its key in the configuration."""

    MASTODON_TO_X = "mastodon_to_x"
    X_TO_MASTODON = "x_to_mastodon"

    @property
    def source(self) -> Network:
        """The network that posts are read from."""
        return Network.MASTODON if self is Direction.MASTODON_TO_X else Network.X

    @property
    def target(self) -> Network:
        """The network that mirrors are sent to."""
        return self.source.other

    @property
    def reverse(self) -> Direction:
        """The other way across the same bridge."""
        return (
            Direction.X_TO_MASTODON if self is Direction.MASTODON_TO_X else Direction.MASTODON_TO_X
        )


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """One direction of one bridge: the unit that is polled, paused and recorded."""

    bridge: BridgeName
    direction: Direction

    def __str__(self) -> str:
        return f"{self.bridge}/{self.direction.value}"


class Visibility(StrEnum):
    """Who can see a post. Whatever is not known for sure is `UNKNOWN`, and is never mirrored."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "private"
    DIRECT = "direct"
    UNKNOWN = "unknown"


class MediaKind(StrEnum):
    """What a medium is; a GIFV is a soundless, looping video."""

    IMAGE = "image"
    GIFV = "gifv"
    VIDEO = "video"
    AUDIO = "audio"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MediaVariant:
    """One encoding of a medium. `bitrate` is in bits per second."""

    url: str
    mime: str
    bitrate: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """Something attached to a post. Sizes in pixels, durations in milliseconds.

    `url` is the best single file; `variants` are encodings of a video to choose from. `preview_url`
    is a still picture of it.
    """

    id: MediaId
    kind: MediaKind
    url: str | None
    alt: str = ""
    mime: str | None = None
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    variants: tuple[MediaVariant, ...] = ()
    preview_url: str | None = None


@dataclass(frozen=True, slots=True)
class PollOption:
    """One answer of a poll; `votes` is None while they are hidden."""

    label: str
    votes: int | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll. `ends_at` is aware UTC, or None for a poll without an end."""

    options: tuple[PollOption, ...]
    ends_at: datetime | None = None
    multiple: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """One account as its own token sees it.

    `handle` carries no leading ``@``. `protected` says that posts reach approved followers only,
    None where the server does not say. `may_write` says whether the credentials may do more than
    read, None where the network does not tell by itself. `created_at` may be a mere date.
    """

    network: Network
    id: AccountId
    handle: str
    url: str | None = None
    protected: bool | None = None
    may_write: bool | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReplyRef:
    """What a post replies to. Either half may be unknown."""

    post: PostId | None
    account: AccountId | None


@dataclass(frozen=True, slots=True)
class QuoteRef:
    """What a post quotes; `own` says that the quoted post is by the same account, if known.

    `author` is the quoted account's handle without ``@``, with its host where it has one; `text` is
    what the quoted post says, as far as the network gave it. Both are empty where not known, and
    where the network says that the quote does not stand (revoked, pending, deleted).
    """

    post: PostId | None
    url: str | None
    own: bool | None = None
    author: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class RepostRef:
    """What a post repeats: a boost or repost of `post`, at `url`, by the account `author`.

    `own` says that the repeated post is by the same account; False where the network does not say.
    """

    post: PostId
    url: str | None = None
    own: bool = False
    author: str = ""


class Kind(StrEnum):
    """What a post is with respect to other posts."""

    ORIGINAL = "original"
    THREAD = "thread"
    """A reply to one's own post."""
    REPLY = "reply"
    """A reply to somebody else, or to somebody unknown."""
    REPOST = "repost"


@dataclass(frozen=True, slots=True)
class Post:
    """One post as its author's own account sees it, free of any network's dialect.

    `revisions` lists every id under which the network has known this post, oldest first and `id`
    among them: X gives an edited post a new one. `created_at` and `edited_at` are aware UTC.
    `spoiler` is the content warning, empty for none. `application` names the client it was
    written with, where the network tells.
    """

    network: Network
    id: PostId
    author: AccountId
    created_at: datetime
    text: Text
    visibility: Visibility
    url: str | None = None
    revisions: tuple[PostId, ...] = ()
    edited_at: datetime | None = None
    spoiler: str = ""
    sensitive: bool = False
    language: str | None = None
    in_reply_to: ReplyRef | None = None
    repost: RepostRef | None = None
    quote: QuoteRef | None = None
    media: tuple[Media, ...] = ()
    poll: Poll | None = None
    application: str | None = None

    @property
    def ids(self) -> tuple[PostId, ...]:
        """Every id of this post, oldest first, `id` included even where `revisions` omits it."""
        return self.revisions if self.id in self.revisions else (*self.revisions, self.id)

    @property
    def kind(self) -> Kind:
        """What this post is with respect to others; unknown parents count as somebody else's."""
        if self.repost is not None:
            return Kind.REPOST
        if self.in_reply_to is None:
            return Kind.ORIGINAL
        return Kind.THREAD if self.in_reply_to.account == self.author else Kind.REPLY
