"""What is attached to a post on X, pictures, films and polls, as the bridge's own nouns.

Any field may be missing, null or odd. Must not do I/O.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.core.model import Media, MediaId, MediaKind, MediaVariant, Poll, PollOption
from bridge.networks.fields import (
    ids_at,
    mapping_at,
    mappings_at,
    moment_at,
    number_at,
    readable,
    text_at,
    web_address,
)
from bridge.networks.x.dialects import Includes
from bridge.networks.x.entities_text import Body

_KINDS = {
    "photo": MediaKind.IMAGE,
    "animated_gif": MediaKind.GIFV,
    "video": MediaKind.VIDEO,
}
_IMAGE_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_IMAGE_TYPE = re.compile(r"[.=](jpe?g|png|webp)(?=$|[?&:])", re.IGNORECASE)
_ORIGINAL_SIZE = re.compile(r"https://pbs\.twimg\.com/media/[\w-]+\.\w{3,4}")


def attached_media(item: Mapping[str, object], includes: Includes, body: Body) -> tuple[Media, ...]:
    """What a post carries, in order, also what the page does not describe; `body` is its text's."""
    keys = ids_at(mapping_at(item, "attachments"), "media_keys")
    alts = {
        text_at(entry, "media_key"): text_at(entry, "alt_text")
        for entry in mappings_at(item, "media_metadata")
    }
    named = dict.fromkeys((*keys, *body.media_keys))
    media = tuple(_media(key, includes.media.get(key, {}), alts.get(key, "")) for key in named)
    if media:
        return media
    # The text had a link for it, so something is attached, whatever it is.
    return tuple(Media(MediaId(each), MediaKind.UNKNOWN, None) for each in body.unnamed_media)


def _media(key: str, data: Mapping[str, object], other_alt: str) -> Media:
    kind = _KINDS.get(text_at(data, "type"), MediaKind.UNKNOWN)
    variants = _variants(data)
    url, mime = web_address(data.get("url")), None
    if kind in {MediaKind.VIDEO, MediaKind.GIFV}:
        best = max(
            variants,
            key=lambda each: (each.mime == "video/mp4", each.bitrate or 0),
            default=None,
        )
        url, mime = (best.url, best.mime or None) if best is not None else (None, None)
    elif url is not None:
        found = _IMAGE_TYPE.search(url)
        mime = _IMAGE_TYPES[found[1].lower()] if found else None
        if _ORIGINAL_SIZE.fullmatch(url):
            # Without a word X's own host gives a picture scaled down.
            url += "?name=orig"
    return Media(
        id=MediaId(key),
        kind=kind,
        url=url,
        alt=readable(text_at(data, "alt_text") or other_alt).strip(),
        mime=mime,
        width=number_at(data, "width") or None,
        height=number_at(data, "height") or None,
        duration_ms=number_at(data, "duration_ms"),
        variants=variants,
        preview_url=web_address(data.get("preview_image_url")),
    )


def _variants(data: Mapping[str, object]) -> tuple[MediaVariant, ...]:
    """The encodings that are files; a playlist is none."""
    found = (
        (
            web_address(each.get("url")),
            text_at(each, "content_type").lower(),
            number_at(each, "bit_rate"),
        )
        for each in mappings_at(data, "variants")
    )
    return tuple(
        MediaVariant(url, mime, bitrate)
        for url, mime, bitrate in found
        if url is not None and (not mime or mime.startswith("video/"))
    )


def attached_poll(item: Mapping[str, object], includes: Includes) -> Poll | None:
    """The poll of a post, if it has one that the page describes."""
    keys = ids_at(mapping_at(item, "attachments"), "poll_ids")
    data = next((includes.polls[key] for key in keys if key in includes.polls), {})
    listed = sorted(
        mappings_at(data, "options"), key=lambda option: number_at(option, "position") or 0
    )
    options = tuple(
        PollOption(readable(text_at(option, "label")).strip(), number_at(option, "votes"))
        for option in listed
    )
    if not options:
        return None
    return Poll(
        options=options,
        ends_at=moment_at(data, "end_datetime"),
        closed=text_at(data, "voting_status") == "closed",
    )
