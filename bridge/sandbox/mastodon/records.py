"""What the sandbox keeps: accounts, posts, media, polls. Values only, replaced and never changed.

Must not know JSON, HTML or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

ChangeKind = Literal["update", "status.update", "delete"]
MediaType = Literal["image", "gifv", "video", "audio"]


@dataclass(frozen=True, slots=True)
class MastodonAccount:
    """An account, and the token of its owner's bridge.

    `domain` is empty for an account of this server; a remote one has no token and cannot write
    through the API. `scopes` are those of `access_token`, space-separated.
    """

    id: str
    username: str
    access_token: str = field(repr=False)
    display_name: str = ""
    locked: bool = False
    default_visibility: str = "public"
    default_sensitive: bool = False
    default_language: str | None = "en"
    domain: str = ""
    scopes: str = ""
    created_at: datetime | None = None

    @property
    def acct(self) -> str:
        """The name as this server shows it: with host only where it is another's."""
        return f"{self.username}@{self.domain}" if self.domain else self.username


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll of a post. `votes` are counted for each of `options`; empty while nobody has voted."""

    id: str
    options: tuple[str, ...]
    expires_at: datetime | None
    multiple: bool = False
    hide_totals: bool = False
    votes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Medium:
    """An uploaded file. `ready_at` is when the server will be done with it; sizes in pixels.

    `status_id` is None until a post takes it, and again after that post was deleted.
    """

    id: str
    account_id: str
    type: MediaType
    mime: str
    extension: str
    size: int
    uploaded_at: datetime
    description: str | None = None
    focus: tuple[float, float] | None = None
    width: int | None = None
    height: int | None = None
    status_id: str | None = None
    ready_at: datetime | None = None
    looks_left: int = 0
    """How often it may still be asked for before it is ready, whatever the time."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One state of a post in its history. `media` pairs ids with the alt text of that time."""

    at: datetime
    text: str
    spoiler_text: str
    sensitive: bool
    media: tuple[tuple[str, str | None], ...]
    poll: Poll | None


@dataclass(frozen=True, slots=True)
class Status:
    """A post. `edits` is empty until the first edit, and then begins with the original.

    `mentions` are ids of mentioned accounts in the order of the text. `application` is None where
    the account wrote by means that have no name. `quote_state` is what whoever is quoted thinks of
    that, in the API's words.
    """

    id: str
    account_id: str
    text: str
    created_at: datetime
    visibility: str
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    in_reply_to_id: str | None = None
    in_reply_to_account_id: str | None = None
    reblog_of: str | None = None
    quote_of: str | None = None
    quote_state: str = "accepted"
    media: tuple[str, ...] = ()
    poll: Poll | None = None
    mentions: tuple[str, ...] = ()
    application: str | None = None
    website: str | None = None
    edited_at: datetime | None = None
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a post. For a deletion, `status` is what was deleted.

    `streamed` is false for what the author's own home feed leaves out.
    """

    kind: ChangeKind
    status: Status
    streamed: bool = True


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a person attaches in the web client: its bytes, and its alt text."""

    data: bytes = field(repr=False)
    description: str = ""


@dataclass(frozen=True, slots=True)
class PollDraft:
    """A poll as it is asked for. `expires_in` in seconds."""

    options: tuple[str, ...]
    expires_in: int | None
    multiple: bool = False
    hide_totals: bool = False


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A post that waits for its time; `draft` is everything it will be."""

    id: str
    account_id: str
    at: datetime
    draft: StatusDraft


@dataclass(frozen=True, slots=True)
class StatusDraft:
    """A post as it is asked for, before the server has an opinion.

    None means that the client did not say. `allowed_mentions` of None means anybody.
    """

    text: str = ""
    spoiler_text: str | None = None
    visibility: str | None = None
    sensitive: bool | None = None
    language: str | None = None
    in_reply_to: str | None = None
    quote_of: str | None = None
    media: tuple[str, ...] = ()
    poll: PollDraft | None = None
    allowed_mentions: tuple[str, ...] | None = None
    scheduled_at: datetime | None = None
    application: str | None = None
    website: str | None = None
