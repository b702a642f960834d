"""Which kind of server the sandbox stands for, as data: every difference has one name here.

Holds no behaviour; whoever behaves differently asks a field, never the profile's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.core.capabilities import Counting

ProfileName = Literal["mastodon", "gotosocial", "minimal", "pleroma", "old"]
IdKind = Literal["snowflake", "ulid", "flake", "hash"]
Dialect = Literal["mastodon", "gotosocial", "minimal", "pleroma"]
Filters = Literal["threads stay", "threads go", "ignored"]

MASTODON_SCOPES = "read:accounts read:statuses write:media write:statuses"
"""What the bridge asks for: the least that it can work with, on servers before 4.3 too."""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What may be uploaded. Sizes in bytes, matrices in pixels, rates in frames per second."""

    image_size: int
    video_size: int
    image_matrix: int
    video_matrix: int
    frame_rate: int
    alt_length: int
    delayed: bool
    """Whether video, audio and GIFs are worked on after the upload was answered."""
    gif_matrix: int | None = None
    """Pixels of a GIF; None where there is no limit of its own."""
    alt_least: int = 0
    """Characters that an alt text must have."""
    mixing: bool = False
    """Whether a video may stand beside pictures."""


@dataclass(frozen=True, slots=True)
class PollLimits:
    """What a poll may be. Times in seconds."""

    max_options: int
    option_length: int
    min_seconds: int
    max_seconds: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of server, as its clients notice it. See those below."""

    name: ProfileName
    version: str
    ids: IdKind
    dialect: Dialect
    counting: Counting
    max_characters: int
    too_long_status: int
    max_media: int
    url_characters: int
    default_visibility: str
    scopes: str
    media: MediaLimits
    polls: PollLimits | None
    api_version: int = 0
    """What ``api_versions.mastodon`` states; 0 where nothing is stated."""
    idempotency: bool = True
    key_hours: int = 1
    """How long an Idempotency-Key is remembered."""
    instance_v2: bool = True
    configured: bool = True
    """Whether the instance document states the limits."""
    media_v2: bool = True
    media_progress: bool = True
    """Whether an uploaded file can be asked for."""
    editing: bool = True
    polls_with_media: bool = False
    websocket: bool = True
    events: bool = True
    """Server-sent events under ``/api/v1/streaming/user``."""
    streaming_scope: str = "read:statuses"
    cursors: bool = True
    """Whether `min_id` and `since_id` mean anything."""
    filters: Filters = "threads stay"
    """What `exclude_replies` does with replies to oneself; whether filters mean anything at all."""
    history: bool = True
    many_by_id: bool = True
    quotes: bool = True
    languages: bool = True
    applications: bool = True
    """Whether a post names the client it was written with."""
    coarse_visibility: bool = False
    """Only public and not: whatever is not public comes back as private."""
    backdating: bool = False
    """A `scheduled_at` in the past is the post's time; elsewhere it is ignored."""
    scheduling: bool = True
    metadata: bool = True
    """``/.well-known/oauth-authorization-server``."""
    limits: Literal["mastodon", "address", "none"] = "mastodon"


_POLLS = PollLimits(max_options=4, option_length=50, min_seconds=300, max_seconds=2_629_746)

MASTODON = Profile(
    name="mastodon",
    version="4.7.3",
    ids="snowflake",
    dialect="mastodon",
    counting="mastodon",
    max_characters=500,
    too_long_status=422,
    max_media=4,
    url_characters=23,
    default_visibility="public",
    scopes=MASTODON_SCOPES,
    media=MediaLimits(
        16_777_216, 103_809_024, 33_177_600, 8_294_400, 120, 1500, delayed=True, gif_matrix=921_600
    ),
    polls=_POLLS,
    api_version=10,
    polls_with_media=True,
)

GOTOSOCIAL = Profile(
    name="gotosocial",
    version="0.20.2+git-8d4b2f5",
    ids="ulid",
    dialect="gotosocial",
    counting="gotosocial",
    max_characters=5000,
    too_long_status=400,
    max_media=6,
    url_characters=25,
    default_visibility="unlisted",
    scopes="read write",
    media=MediaLimits(
        41_943_040, 41_943_040, 2_147_483_647, 2_147_483_647, 2_147_483_647, 5000, delayed=False
    ),
    polls=PollLimits(max_options=6, option_length=50, min_seconds=300, max_seconds=2_629_746),
    idempotency=False,
    events=False,
    streaming_scope="read",
    many_by_id=False,
    quotes=False,
    backdating=True,
    limits="address",
)

MINIMAL = Profile(
    name="minimal",
    version="4.0.0 (not true; really snac/2.82)",
    ids="hash",
    dialect="minimal",
    counting="unknown",
    max_characters=100_000,
    too_long_status=400,
    max_media=8,
    url_characters=32,
    default_visibility="public",
    scopes=MASTODON_SCOPES,
    media=MediaLimits(41_943_040, 41_943_040, 33_177_600, 33_177_600, 120, 1500, delayed=False),
    polls=None,
    idempotency=False,
    instance_v2=False,
    websocket=False,
    events=False,
    cursors=False,
    filters="ignored",
    history=False,
    many_by_id=False,
    quotes=False,
    languages=False,
    applications=False,
    coarse_visibility=True,
    scheduling=False,
    metadata=False,
    limits="none",
)

PLEROMA = Profile(
    name="pleroma",
    version="2.7.2 (compatible; Pleroma 2.9.1)",
    ids="flake",
    dialect="pleroma",
    counting="pleroma",
    max_characters=5000,
    too_long_status=422,
    max_media=1000,
    url_characters=23,
    default_visibility="public",
    scopes="read write",
    media=MediaLimits(16_000_000, 16_000_000, 2**31, 2**31, 120, 5000, delayed=False, mixing=True),
    polls=PollLimits(max_options=20, option_length=200, min_seconds=0, max_seconds=31_536_000),
    key_hours=6,
    events=False,
    filters="threads go",
    many_by_id=False,
    quotes=False,
    metadata=False,
    limits="none",
)

OLD = Profile(
    name="old",
    version="3.1.2",
    ids="snowflake",
    dialect="mastodon",
    counting="mastodon",
    max_characters=500,
    too_long_status=422,
    max_media=4,
    url_characters=23,
    default_visibility="public",
    scopes=MASTODON_SCOPES,
    media=MediaLimits(
        8_388_608, 41_943_040, 16_777_216, 2_304_000, 60, 1500, delayed=False, gif_matrix=921_600
    ),
    polls=PollLimits(max_options=4, option_length=25, min_seconds=300, max_seconds=2_629_746),
    instance_v2=False,
    configured=False,
    media_v2=False,
    media_progress=False,
    editing=False,
    history=False,
    many_by_id=False,
    quotes=False,
    metadata=False,
)
"""Mastodon as it was before it knew version 2 of uploads (3.1.3) and edits (3.5)."""

PROFILES: dict[str, Profile] = {
    profile.name: profile for profile in (MASTODON, GOTOSOCIAL, MINIMAL, PLEROMA, OLD)
}
