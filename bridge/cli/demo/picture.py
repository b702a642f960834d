"""A picture for the demo to send: a lighthouse at dusk, drawn by hand.

Standard library alone, so that the demo carries no file of anybody's.
"""

from __future__ import annotations

import struct
import zlib

DUSK = "A white lighthouse on a dark rock, against an evening sky that turns from blue to orange"
"""What it shows, for those who cannot see it."""

_WIDTH, _HEIGHT = 320, 200
_ROOF, _GALLERY, _LAMP_ROOM = 32, 50, 8
_TOWER, _LAMP, _ROCK = (236, 232, 222), (255, 214, 110), (28, 30, 38)

_Pixel = tuple[int, int, int]


def dusk() -> bytes:
    """The picture as PNG."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(_WIDTH) for value in _pixel(x, y))
        for y in range(_HEIGHT)
    )
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _pixel(x: int, y: int) -> _Pixel:
    from_middle = abs(x - _WIDTH // 2)
    if y > _HEIGHT - 30 - max(0, 20 - from_middle // 4):
        return _ROCK
    if y > _GALLERY and from_middle < 10 + y // 20:
        return _TOWER
    if y > _ROOF and from_middle < _LAMP_ROOM:
        return _LAMP
    return (60 + y, 80 + y // 3, 150 - y // 2)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
