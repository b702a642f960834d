"""Readers of the headers of films: boxes (MP4, MOV, M4A, and the pictures AVIF and HEIC), WebM.

Each gives a `Found`, or raises `Odd` or `CutShort`; none unpacks a pixel.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from bridge.core.model import MediaKind
from bridge.media.found import Found, Odd
from bridge.media.window import Window

_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_HEIF = frozenset({b"mif1", b"msf1", b"mif2"})
_AVIF = frozenset({b"avif", b"avis"})
_PICTURES = _AVIF | _HEIC | _HEIF
_FIRST = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_BAD_BOXES = "begins like a film in boxes, but is none"


def _boxes(window: Window, start: int = 0) -> Iterator[tuple[bytes, Window]]:
    """The boxes side by side in `window`, each with its name and its content."""
    offset = start
    while offset != window.size:
        length, name, header = window.number(offset, 4), window.read(offset + 4, 4), 8
        if length == 1:
            length, header = window.number(offset + 8, 8), 16
        elif length == 0:
            length = window.size - offset
        if length < header:
            raise Odd(_BAD_BOXES)
        yield name, window.part(offset + header, length - header)
        offset += length


def _box(window: Window, *path: bytes, start: int = 0) -> Window | None:
    """The first box at `path`, each name inside the box before it."""
    for name, content in _boxes(window, start):
        if name == path[0]:
            return content if len(path) == 1 else _box(content, *path[1:])
    return None


def _in_boxes(window: Window) -> Found:
    brands: tuple[bytes, ...] = ()
    film: Window | None = None
    picture: Window | None = None
    for name, content in _boxes(window):
        if name == b"ftyp" and not brands:
            count = min(content.size, 256) // 4
            brands = tuple(content.read(4 * n, 4) for n in range(count) if n != 1)
        elif name == b"moov" and film is None:
            film = content
        elif name == b"meta" and picture is None:
            picture = content
    if picture is not None and brands and (film is None or brands[0] in _PICTURES):
        return _boxed_picture(brands, picture, moving=film is not None)
    if film is None:
        raise Odd("has neither tracks nor pixels")
    return _film(brands, film)


def _boxed_picture(brands: tuple[bytes, ...], meta: Window, *, moving: bool) -> Found:
    if not _PICTURES & set(brands):
        raise Odd("is of no type that is known here")
    properties = _box(meta, b"iprp", b"ipco", start=4)
    sizes = [(0, 0)]
    for name, content in _boxes(properties) if properties is not None else ():
        if name == b"ispe":
            sizes.append((content.number(4, 4), content.number(8, 4)))
    # Tiles have sizes too; the whole is the largest.
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    named = ((_AVIF, "image/avif"), (_HEIC, "image/heic"), (_HEIF, "image/heif"))
    mime = next(mime for names, mime in named if names & set(brands))
    return Found(mime, MediaKind.IMAGE, width, height, moving=moving)


def _film(brands: tuple[bytes, ...], moov: Window) -> Found:
    ms: int | None = None
    seen = heard = False
    width = height = 0
    for name, content in _boxes(moov):
        if name == b"mvhd":
            ms = _length(content)
        elif name == b"trak":
            handler = _box(content, b"mdia", b"hdlr")
            what = handler.read(8, 4) if handler is not None else b""
            heard = heard or what == b"soun"
            if what == b"vide":
                seen = True
                header = _box(content, b"tkhd")
                if header is not None:
                    at = 88 if header.number(0, 1) == 1 else 76
                    width = max(width, header.number(at, 4) >> 16)
                    height = max(height, header.number(at + 4, 4) >> 16)
    if not seen and not heard:
        raise Odd("has neither pictures nor sound")
    if not seen:
        return Found("audio/mp4", MediaKind.AUDIO, ms=ms)
    if not brands or brands[0] == b"qt  ":
        mime = "video/quicktime"
    elif brands[0].startswith((b"3gp", b"3g2")):
        mime = "video/3gpp"
    else:
        mime = "video/mp4"
    return Found(mime, MediaKind.VIDEO, width, height, ms)


def _length(mvhd: Window) -> int | None:
    long = mvhd.number(0, 1) == 1
    scale = mvhd.number(20 if long else 12, 4)
    units = mvhd.number(24 if long else 16, 8 if long else 4)
    unknown = units in {0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF}  # in pieces: told nowhere else
    return None if unknown or not scale else units * 1000 // scale


_HEADER, _SEGMENT = 0x1A45DFA3, 0x18538067
_INFO, _TRACKS, _CLUSTER = 0x1549A966, 0x1654AE6B, 0x1F43B675
_DOCTYPE, _SCALE, _DURATION = 0x4282, 0x2AD7B1, 0x4489
_ENTRY, _TYPE, _VIDEO, _WIDTH, _HEIGHT = 0xAE, 0x83, 0xE0, 0xB0, 0xBA
_SOFT = frozenset({_SEGMENT, _CLUSTER})
"""Elements that may be of unknown length, as live recordings leave them."""


def _number(window: Window, offset: int, *, keep_marker: bool) -> tuple[int, int, bool]:
    """A number of EBML's variable length: value, bytes, whether it means "unknown"."""
    first = window.number(offset, 1)
    length = 9 - first.bit_length()
    if length > 8:
        raise Odd("begins like a WebM film, but is none")
    value = window.number(offset, length)
    data = value & ((1 << 7 * length) - 1)
    return (value if keep_marker else data), length, data == (1 << 7 * length) - 1


def _elements(window: Window) -> Iterator[tuple[int, Window]]:
    offset = 0
    while offset < window.size:
        name, wide, _ = _number(window, offset, keep_marker=True)
        offset += wide
        length, wide, unknown = _number(window, offset, keep_marker=False)
        offset += wide
        rest = window.size - offset
        if unknown or (name in _SOFT and length > rest):
            if name not in _SOFT:
                raise Odd("begins like a WebM film, but is none")
            length = rest
        yield name, window.part(offset, length)
        offset += length


def _matroska(window: Window) -> Found:
    doctype = b""
    for name, content in _elements(window):
        if name == _HEADER:
            doctype = next((c.read(0, c.size) for n, c in _elements(content) if n == _DOCTYPE), b"")
        elif name == _SEGMENT:
            ending = "webm" if doctype.rstrip(b"\0") == b"webm" else "x-matroska"
            return _webm_segment(content, ending)
    raise Odd("has neither pictures nor sound")


def _webm_segment(segment: Window, ending: str) -> Found:
    kinds: set[int] = set()
    width = height = 0
    ms: int | None = None
    for part, inside in _elements(segment):
        if part == _INFO:
            ms = _webm_length(inside)
        elif part == _TRACKS:
            for kind, wide, high in (_webm_track(e) for t, e in _elements(inside) if t == _ENTRY):
                kinds.add(kind)
                width, height = max(width, wide), max(height, high)
        elif part == _CLUSTER:
            break
    if 1 in kinds:
        return Found(f"video/{ending}", MediaKind.VIDEO, width, height, ms)
    if 2 in kinds:
        return Found(f"audio/{ending}", MediaKind.AUDIO, ms=ms)
    raise Odd("has neither pictures nor sound")


def _webm_track(entry: Window) -> tuple[int, int, int]:
    kind, sides = 0, {_WIDTH: 0, _HEIGHT: 0}
    for name, content in _elements(entry):
        if name == _TYPE:
            kind = _integer(content)
        elif name == _VIDEO:
            for side, value in _elements(content):
                if side in sides:
                    sides[side] = _integer(value)
    return kind, sides[_WIDTH], sides[_HEIGHT]


def _webm_length(info: Window) -> int | None:
    scale, units = 1_000_000, None
    for name, content in _elements(info):
        if name == _SCALE:
            scale = _integer(content)
        elif name == _DURATION:
            units = _real(content)
    if units is None or not 0 < units * scale < 1e18:
        return None
    return int(units * scale / 1e6)


def _integer(content: Window) -> int:
    return content.number(0, min(content.size, 8))


def _real(content: Window) -> float | None:
    form = {4: ">f", 8: ">d"}.get(content.size)
    if form is None:
        return None
    (value,) = struct.unpack(form, content.read(0, content.size))
    return float(value)


def _begins_in_boxes(head: bytes) -> bool:
    return head[4:8] in _FIRST and int.from_bytes(head[:4], "big") not in range(2, 8)


READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Window], Found]], ...] = (
    (_begins_in_boxes, _in_boxes),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), _matroska),
)
"""A look at the first bytes, and the reader to ask where it says yes."""
