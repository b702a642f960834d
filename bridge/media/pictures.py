"""Readers of the headers of pictures: JPEG, PNG, GIF, WebP, BMP, TIFF.

Each gives a `Found`, or raises `Odd` or `CutShort`; none unpacks a pixel. AVIF and HEIC are boxes
of the same kind as films: see `bridge.media.films`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from bridge.core.model import MediaKind
from bridge.media.found import Found, Odd
from bridge.media.window import CutShort, Window

Reader = Callable[[Window], Found]
_AFTER_SIGNATURE = 8
_IMAGE = MediaKind.IMAGE
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def _jpeg(window: Window) -> Found:
    offset, frame = 2, None
    while True:
        if window.number(offset, 1) != 0xFF:
            raise Odd("begins like a JPEG picture, but is none")
        marker = window.number(offset + 1, 1)
        if marker == 0xFF:  # a fill byte
            offset += 1
            continue
        offset += 2
        if marker in _ALONE:
            continue
        if marker in {0xD8, 0xD9}:
            raise Odd("begins like a JPEG picture, but has no pixels")
        length = window.number(offset, 2)
        if length < 2 or marker < 0xC0:
            raise Odd("begins like a JPEG picture, but is none")
        if marker in _SOF and frame is None:
            frame = window.number(offset + 5, 2), window.number(offset + 3, 2)
        if marker == 0xDA:
            if frame is None:
                raise Odd("begins like a JPEG picture, but has no pixels")
            window.read(offset, length + 1)
            return Found("image/jpeg", _IMAGE, *frame)
        offset += length


def _png(window: Window) -> Found:
    offset, frames, pixels = _AFTER_SIGNATURE, 0, False
    size = 0, 0
    while True:
        length = window.number(offset, 4)
        name = window.read(offset + 4, 4)
        if offset == _AFTER_SIGNATURE:
            if name != b"IHDR" or length != 13:
                raise Odd("begins like a PNG picture, but is none")
            header = window.read(offset + 4, 17)
            if zlib.crc32(header) != window.number(offset + 21, 4):
                raise Odd("is a damaged PNG picture")
            size = window.number(offset + 8, 4), window.number(offset + 12, 4)
        elif name == b"acTL" and not pixels:
            frames = window.number(offset + 8, 4)
        elif name == b"IDAT":
            pixels = True
        elif name == b"IEND":
            if not pixels:
                raise Odd("is a PNG picture without pixels")
            window.read(offset + 8, 4)
            return Found("image/png", _IMAGE, *size, moving=frames > 1)
        elif not name.isalpha():
            raise Odd("is a damaged PNG picture")
        offset += 12 + length


def _gif(window: Window) -> Found:
    width, height = window.number(6, 2, little=True), window.number(8, 2, little=True)
    offset = 13 + _colours(window.number(10, 1))
    frames = 0
    while True:
        block = window.some(offset, 1)
        if block in {b";", b""}:
            if not frames:
                raise Odd("is a GIF picture without pixels")
            if not block:
                raise CutShort
            return Found("image/gif", _IMAGE, width, height)
        if block == b",":
            frames += 1
            if frames > 1:
                return Found("image/gif", _IMAGE, width, height, moving=True)
            left, top, wide, high = (
                window.number(offset + at, 2, little=True) for at in (1, 3, 5, 7)
            )
            # Some decoders make room for the frame, not for the screen.
            width, height = max(width, left + wide), max(height, top + high)
            offset += 11 + _colours(window.number(offset + 9, 1))
        elif block == b"!":
            offset += 2
        else:
            raise Odd("begins like a GIF picture, but is none")
        while length := window.number(offset, 1):
            offset += 1 + length
        offset += 1


def _colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(window: Window) -> Found:
    if window.number(4, 4, little=True) + 8 > window.size + 1:
        raise CutShort
    name, length = window.read(12, 4), window.number(16, 4, little=True)
    body = window.part(20, min(length, window.size - 20))
    if name == b"VP8X":
        width, height = body.number(4, 3, little=True) + 1, body.number(7, 3, little=True) + 1
        moving = bool(body.number(0, 1) & 2)
        _require_pixels(window, moving=moving)
        return Found("image/webp", _IMAGE, width, height, moving=moving)
    if name == b"VP8L" and body.number(0, 1) == 0x2F:
        bits = body.number(1, 4, little=True)
        return Found("image/webp", _IMAGE, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if name == b"VP8 " and body.read(3, 3) == b"\x9d\x01\x2a":
        width, height = (body.number(at, 2, little=True) & 0x3FFF for at in (6, 8))
        return Found("image/webp", _IMAGE, width, height)
    raise Odd("begins like a WebP picture, but is none")


def _require_pixels(window: Window, *, moving: bool) -> None:
    wanted = {b"ANMF"} if moving else {b"VP8 ", b"VP8L"}
    offset = 12
    while offset + 8 <= window.size:
        if window.read(offset, 4) in wanted:
            return
        length = window.number(offset + 4, 4, little=True)
        offset += 8 + length + length % 2
    raise Odd("is a WebP picture without pixels")


def _bmp(window: Window) -> Found:
    header = window.number(14, 4, little=True)
    if header == 12:
        width, height = (window.number(at, 2, little=True) for at in (18, 20))
    elif 40 <= header <= 124:
        width, height = (
            abs(int.from_bytes(window.read(at, 4), "little", signed=True)) for at in (18, 22)
        )
    else:
        raise Odd("is of no type that is known here")
    if not 14 + header <= window.number(10, 4, little=True) <= window.size:
        raise Odd("begins like a BMP picture, but is none")
    return Found("image/bmp", _IMAGE, width, height)


def _tiff(window: Window) -> Found:
    little = window.read(0, 2) == b"II"
    at = window.number(4, 4, little=little)
    entries = window.number(at, 2, little=little)
    sides = {0x100: 0, 0x101: 0}
    for entry in range(entries):
        place = at + 2 + 12 * entry
        tag = window.number(place, 2, little=little)
        if tag in sides:
            short = window.number(place + 2, 2, little=little) == 3
            sides[tag] = window.number(place + 8, 2 if short else 4, little=little)
    if not all(sides.values()):
        raise Odd("begins like a TIFF picture, but is none")
    return Found("image/tiff", _IMAGE, sides[0x100], sides[0x101])


READERS: tuple[tuple[Callable[[bytes], bool], Reader], ...] = (
    (lambda head: head.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", _webp),
    (lambda head: head.startswith(b"BM") and head[6:10] == b"\0\0\0\0", _bmp),
    (lambda head: head.startswith((b"II*\0", b"MM\0*")), _tiff),
)
"""A look at the first bytes, and the reader to ask where it says yes."""
