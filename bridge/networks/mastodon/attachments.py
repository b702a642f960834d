"""What may be attached to a post, read from an instance document: files and polls.

Every figure may be missing or absurd; what is not stated is assumed on the safe side. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bridge.core.capabilities import FileLimits, MediaLimits, PollLimits
from bridge.networks.fields import list_at, number_at

_MEGABYTE = 1024 * 1024
_GIF = "image/gif"
_IMAGES = frozenset(("image/jpeg", "image/png"))
_VIDEOS = frozenset(("video/mp4",))
_AUDIO = frozenset(("audio/mpeg",))
_NOT_SENT = frozenset(("image/svg+xml", "image/jxl"))
"""Types that servers may list and others cannot show."""

_IMAGE_BYTES = 8 * _MEGABYTE
_VIDEO_BYTES = 40 * _MEGABYTE
_IMAGE_PIXELS = 16_777_216
_VIDEO_PIXELS = 2_304_000
"""What Mastodon took some years ago: a server that does not say what it takes may be that old."""

_GIF_PIXELS = 921_600
"""1280 by 720: Mastodon's limit for GIFs, animated or not, which it states nowhere."""

_BYTES = range(64 * 1024, 2**40)
_PIXELS = range(10_000, 2**48)

ASSUMED_MEDIA = MediaLimits(
    image=FileLimits(_IMAGES, _IMAGE_BYTES, _IMAGE_PIXELS),
    animation=FileLimits(frozenset((_GIF,)), _IMAGE_BYTES, _GIF_PIXELS),
    video=FileLimits(_VIDEOS, _VIDEO_BYTES, _VIDEO_PIXELS),
    audio=FileLimits(_AUDIO, _VIDEO_BYTES),
)

_OPTIONS = range(2, 101)
_OPTION_LENGTHS = range(10, 10_001)
_SECONDS = range(1, 100 * 366 * 86_400)
_STOCK_POLL = (4, 50, 300, 2_629_746)


def media_limits(attachments: Mapping[str, object]) -> MediaLimits:
    """``configuration.media_attachments`` as limits.

    GIFs are for animations alone: as still pictures they are re-encoded, because their smaller
    limit holds for these too.
    """
    stated = list_at(attachments, "supported_mime_types")
    listed = {each.lower().strip() for each in stated if isinstance(each, str)}
    types = frozenset(each for each in listed if "*" not in each) - _NOT_SENT
    image_bytes = _sensible(_BYTES, attachments, "image_size_limit") or _IMAGE_BYTES
    image_pixels = _sensible(_PIXELS, attachments, "image_matrix_limit") or _IMAGE_PIXELS
    video_bytes = _sensible(_BYTES, attachments, "video_size_limit") or _VIDEO_BYTES
    every = not listed

    def those(kind: str, assumed: frozenset[str]) -> frozenset[str]:
        found = frozenset(each for each in types if each.startswith(kind))
        return found | assumed if every or listed & {f"{kind}*", "*/*"} else found

    gifs = those("image/", frozenset((_GIF,))) & {_GIF}
    return MediaLimits(
        image=FileLimits(those("image/", _IMAGES) - {_GIF}, image_bytes, image_pixels),
        animation=FileLimits(gifs, image_bytes, min(image_pixels, _GIF_PIXELS)),
        video=FileLimits(
            those("video/", _VIDEOS),
            video_bytes,
            _sensible(_PIXELS, attachments, "video_matrix_limit") or _VIDEO_PIXELS,
        ),
        audio=FileLimits(those("audio/", _AUDIO), video_bytes),
    )


def poll_limits(polls: Mapping[str, object], *, stock: bool, with_media: bool) -> PollLimits | None:
    """``configuration.polls``, or Pleroma's ``poll_limits``, as limits; None for no polls at all.

    A `stock` Mastodon that does not state a figure has the usual one.
    """
    named = {"max_characters_per_option": polls.get("max_option_chars"), **polls}
    options, length, shortest, longest = (
        _sensible(sensible, named, key) or (usual if stock else None)
        for sensible, key, usual in zip(
            (_OPTIONS, _OPTION_LENGTHS, _SECONDS, _SECONDS),
            ("max_options", "max_characters_per_option", "min_expiration", "max_expiration"),
            _STOCK_POLL,
            strict=True,
        )
    )
    if options is None or length is None or longest is None:
        return None
    # Some state no least time, or zero: the usual one does no harm.
    least = _STOCK_POLL[2] if shortest is None else shortest
    if least > longest:
        return None
    return PollLimits(
        max_options=options,
        max_option_length=length,
        shortest=timedelta(seconds=least),
        longest=timedelta(seconds=longest),
        multiple=True,
        with_media=with_media,
    )


def _sensible(sensible: range, data: Mapping[str, object], key: str) -> int | None:
    """The figure at `key`, never 0; None where it makes no sense."""
    figure = number_at(data, key)
    return None if figure is None or figure not in sensible else figure
