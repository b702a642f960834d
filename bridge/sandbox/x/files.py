"""What a file is, by its own bytes: type, size in pixels, frames, duration.

Reads headers only; nothing is decoded. Must not know X's limits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"\x47\x40", "video/mp2t"),
)
_FILM = frozenset({"video/mp4", "video/quicktime"})
_MOST_BLOCKS = 1_000_000
_GIF_HEADER = 13
_EXTENSION, _IMAGE = 0x21, 0x2C


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file's headers say; 0 where they say nothing. `type` is empty for none X takes."""

    type: str
    width: int = 0
    height: int = 0
    frames: int = 1
    duration_ms: int = 0


def facts(content: bytes) -> FileFacts:
    """What the file says of itself. Never raises: broken headers say nothing."""
    mime_type = recognised(content)
    try:
        if mime_type == "image/png":
            return FileFacts(mime_type, *_pair(">II", content, 16))
        if mime_type == "image/gif":
            return FileFacts(mime_type, *_pair("<HH", content, 6), frames=_gif_frames(content))
        if mime_type == "image/jpeg":
            return FileFacts(mime_type, *_jpeg_dimensions(content))
        if mime_type in _FILM:
            return _film(mime_type, content)
    except (struct.error, IndexError):
        pass
    return FileFacts(mime_type)


def recognised(content: bytes) -> str:
    """The MIME type that the first bytes speak of; empty where they speak of none X takes."""
    for start, mime_type in _STARTS:
        if content.startswith(start):
            return mime_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "video/quicktime" if content[8:10] == b"qt" else "video/mp4"
    return ""


def _pair(layout: str, content: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, content, offset)
    return int(first), int(second)


def _jpeg_dimensions(content: bytes) -> tuple[int, int]:
    offset = 2
    while offset + 4 <= len(content) and content[offset] == 0xFF:  # noqa: PLR2004 - a marker
        marker = content[offset + 1]
        if marker in {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}:
            height, width = _pair(">HH", content, offset + 5)
            return width, height
        offset += 2 + struct.unpack_from(">H", content, offset + 2)[0]
    return 0, 0


def _gif_frames(content: bytes) -> int:
    """How many pictures follow each other; what is cut off is not counted."""
    offset = _GIF_HEADER + _colours(content[10])
    frames = 0
    for _ in range(_MOST_BLOCKS):
        kind = content[offset] if offset < len(content) else 0
        if kind == _IMAGE and offset + 10 < len(content):
            frames += 1
            offset += 11 + _colours(content[offset + 9])
        elif kind == _EXTENSION:
            offset += 2
        else:
            break
        while offset < len(content) and content[offset]:
            offset += 1 + content[offset]
        offset += 1
    return max(frames, 1)


def _colours(flags: int) -> int:
    """Bytes of the table of colours that `flags` announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _film(mime_type: str, content: bytes) -> FileFacts:
    duration = width = height = 0
    view = memoryview(content)
    for kind, inside in _boxes(view, b"moov"):
        if kind == b"mvhd":
            long = inside[0] == 1
            ticks, length = struct.unpack_from(">IQ" if long else ">II", inside, 20 if long else 12)
            duration = length * 1000 // ticks if ticks else 0
        elif kind == b"trak":
            for name, header in _children(inside):
                if name == b"tkhd":
                    wide, high = struct.unpack_from(">II", header, len(header) - 8)
                    width, height = max(width, wide >> 16), max(height, high >> 16)
    return FileFacts(mime_type, width, height, duration_ms=duration)


def _boxes(view: memoryview, container: bytes) -> Iterator[tuple[bytes, memoryview]]:
    for kind, inside in _children(view):
        if kind == container:
            yield from _children(inside)


def _children(view: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    offset = 0
    while offset + 8 <= len(view):
        size, kind = struct.unpack_from(">I4s", view, offset)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", view, offset + 8)
            head = 16
        elif size == 0:
            size = len(view) - offset
        if size < head:
            return
        yield kind, view[offset + head : offset + size]
        offset += size
