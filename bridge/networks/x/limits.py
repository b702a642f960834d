"""What X takes, as published: X itself states no limits over its API. Must not do I/O.

Source: docs.x.com, media best practices (September 2026), create-post and counting-characters. The
page's figures for a video's width and height contradict each other, so none are given here.
"""

from __future__ import annotations

from datetime import timedelta

from bridge.core.capabilities import Capabilities, FileLimits, MediaLimits, PollLimits
from bridge.core.model import Network
from bridge.networks.x.settings import XSettings

USUAL_LENGTH = 280
"""Weighted units that an account may post without Premium."""

MAX_MEDIA = 4
MAX_ALT_LENGTH = 1000
MOST_SEGMENTS = 1000
LARGEST_SEGMENT = 5_000_000
"""Bytes. The index of a segment has three digits, so that this also bounds a whole video."""

_MEBIBYTE = 1 << 20
_MINUTE_MS = 60_000
_IMAGE = FileLimits(
    types=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
    max_bytes=5 * _MEBIBYTE,
)
_ANIMATION = FileLimits(
    types=frozenset({"image/gif"}),
    max_bytes=15 * _MEBIBYTE,
    max_width=1280,
    max_height=1080,
)
_VIDEO_TYPES = frozenset({"video/mp4", "video/quicktime"})
_VIDEO_MINUTES, _PREMIUM_VIDEO_MINUTES = 20, 125
_POLLS = PollLimits(
    max_options=4,
    max_option_length=25,
    shortest=timedelta(minutes=5),
    longest=timedelta(days=7),
)
_EDIT_WITHIN = timedelta(hours=1)


def media_limits(*, premium: bool) -> MediaLimits:
    """What files may be attached; X takes no audio."""
    minutes = _PREMIUM_VIDEO_MINUTES if premium else _VIDEO_MINUTES
    video = FileLimits(
        types=_VIDEO_TYPES,
        max_bytes=MOST_SEGMENTS * LARGEST_SEGMENT,
        max_ms=minutes * _MINUTE_MS,
    )
    return MediaLimits(image=_IMAGE, animation=_ANIMATION, video=video)


def capabilities(settings: XSettings, *, lapsed: bool = False) -> Capabilities:
    """What the account may post: published limits, and what its owner says of it.

    `lapsed` says that it has no Premium by now, whatever its owner says.
    """
    premium = settings.premium and not lapsed
    return Capabilities(
        network=Network.X,
        counting="x",
        max_length=min(settings.max_length, USUAL_LENGTH) if lapsed else settings.max_length,
        max_media=MAX_MEDIA,
        max_alt_length=MAX_ALT_LENGTH,
        prices=settings.prices,
        media=media_limits(premium=premium),
        polls=_POLLS,
        edit_within=_EDIT_WITHIN if premium else None,
        refuses_repeats=True,
    )
