"""What a file is, by its first bytes: type, MIME, extension and, where easily had, its size.

Pure. Must not decode anything; it refuses what has not even the head of what it claims to be.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from bridge.sandbox.mastodon.records import MediaType

_PNG_HEAD = 24
_GIF_HEAD = 13
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})

_VIDEO_BRANDS = {
    b"qt  ": ("video/quicktime", "mov"),
    b"isom": ("video/mp4", "mp4"),
    b"iso2": ("video/mp4", "mp4"),
    b"mp41": ("video/mp4", "mp4"),
    b"mp42": ("video/mp4", "mp4"),
    b"avc1": ("video/mp4", "mp4"),
    b"M4V ": ("video/mp4", "mp4"),
}
_IMAGE_BRANDS = {
    b"avif": ("image/avif", "avif"),
    b"heic": ("image/heic", "heic"),
    b"heix": ("image/heic", "heic"),
    b"mif1": ("image/heif", "heif"),
}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file. Sizes in pixels."""

    type: MediaType
    mime: str
    extension: str
    width: int | None = None
    height: int | None = None
    is_gif: bool = False


def facts_of(data: bytes) -> FileFacts | None:
    """What `data` is, or None for anything that a Mastodon server would not take."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _gif(data)
    if data.startswith(b"\xff\xd8\xff"):
        width, height = _jpeg_size(data)
        return FileFacts("image", "image/jpeg", "jpg", width, height)
    if data[4:8] == b"ftyp":
        return _boxed(data[8:12])
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return FileFacts("image", "image/webp", "webp", *_webp_size(data))
    return _plain(data)


def _png(data: bytes) -> FileFacts | None:
    if len(data) < _PNG_HEAD or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return FileFacts("image", "image/png", "png", width, height)


def _gif(data: bytes) -> FileFacts | None:
    if len(data) < _GIF_HEAD:
        return None
    width, height = struct.unpack("<HH", data[6:10])
    # More than one image descriptor behind a graphic control extension makes an animation.
    if data.count(b"\x21\xf9\x04") > 1:
        return FileFacts("gifv", "video/mp4", "mp4", width, height, is_gif=True)
    return FileFacts("image", "image/gif", "gif", width, height, is_gif=True)


def _boxed(brand: bytes) -> FileFacts | None:
    if brand in _IMAGE_BRANDS:
        return FileFacts("image", *_IMAGE_BRANDS[brand])
    if brand in _VIDEO_BRANDS:
        return FileFacts("video", *_VIDEO_BRANDS[brand])
    if brand in {b"M4A ", b"M4B "}:
        return FileFacts("audio", "audio/m4a", "m4a")
    return FileFacts("video", "video/3gpp", "3gp") if brand.startswith(b"3gp") else None


def _plain(data: bytes) -> FileFacts | None:
    """Kinds that are known by their first bytes, and of which nothing else is asked."""
    if data.startswith(b"\x1aE\xdf\xa3"):
        return FileFacts("video", "video/webm", "webm")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return FileFacts("audio", "audio/wav", "wav")
    if data.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
        return FileFacts("audio", "audio/mpeg", "mp3")
    if data.startswith(b"OggS"):
        return FileFacts("audio", "audio/ogg", "ogg")
    if data.startswith(b"fLaC"):
        return FileFacts("audio", "audio/flac", "flac")
    return None


def _jpeg_size(data: bytes) -> tuple[int | None, int | None]:
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:  # noqa: PLR2004 - a marker's first byte
        marker = data[position + 1]
        if marker in _START_OF_FRAME:
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        if marker in _ALONE:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return None, None


def _webp_size(data: bytes) -> tuple[int | None, int | None]:
    if data[12:16] == b"VP8X" and len(data) >= 30:  # noqa: PLR2004 - the chunk's length
        width = int.from_bytes(data[24:27], "little") + 1
        return width, int.from_bytes(data[27:30], "little") + 1
    return None, None
