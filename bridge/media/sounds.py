"""Readers of the headers of sounds: MP3, AAC, WAV, FLAC, Ogg.

Each gives a `Found`, or raises `Odd` or `CutShort`.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.core.model import MediaKind
from bridge.media.found import Found, Odd
from bridge.media.window import Window

_AUDIO = MediaKind.AUDIO
_MP3_RATES = (44_100, 48_000, 32_000)
_MP3_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second, by (version, layer) of MPEG audio."""

_FRAMES = 3
"""That many frames in a row are no accident."""

_OGG = (
    (b"\x01vorbis", "audio/ogg"),
    (b"OpusHead", "audio/ogg"),
    (b"\x7fFLAC", "audio/ogg"),
    (b"Speex   ", "audio/ogg"),
    (b"\x80theora", "video/ogg"),
    (b"fishead\0", "video/ogg"),
)


def _mpeg_frame(header: bytes) -> int:
    """The length of the MPEG audio frame with this header of 4 bytes; 0 for none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version = {3: 1, 2: 2, 0: 3}.get(header[1] >> 3 & 3)
    layer = 4 - (header[1] >> 1 & 3)
    rate, kbits = header[2] >> 2 & 3, header[2] >> 4
    if version is None or layer == 4 or rate == 3 or kbits in {0, 15}:
        return 0
    hertz = _MP3_RATES[rate] >> (version - 1)
    bits = _MP3_KBITS[min(version, 2), layer][kbits - 1] * 1000
    padding = header[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    samples = 72 if layer == 3 and version > 1 else 144
    return samples * bits // hertz + padding


def _aac_frame(header: bytes) -> int:
    """The length of the ADTS frame with this header; 0 for none."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 and header[2] >> 2 & 15 < 13 else 0


def _frames(window: Window, offset: int, frame: Callable[[bytes], int]) -> bool:
    """Whether frames follow one another from `offset` on, two of them where the file ends."""
    for count in range(_FRAMES):
        length = frame(window.some(offset, 8))
        if not length:
            return count > 1 and offset >= window.size
        offset += length
    return True


def _mpeg(window: Window) -> Found:
    offset = 0
    if window.some(0, 3) == b"ID3":
        parts = window.read(6, 4)
        if max(parts) > 127:
            raise Odd("begins like an MP3 file, but is none")
        offset = 10 + (parts[0] << 21 | parts[1] << 14 | parts[2] << 7 | parts[3])
        # A picture in the tag may be followed by padding that the tag does not count.
        padding = window.some(offset, 4096)
        offset += len(padding) - len(padding.lstrip(b"\0"))
        if window.some(offset, 4) == b"fLaC":
            return _flac(window.part(offset, window.size - offset))
    if _frames(window, offset, _aac_frame):
        return Found("audio/aac", _AUDIO)
    if _frames(window, offset, _mpeg_frame):
        return Found("audio/mpeg", _AUDIO)
    raise Odd("begins like an MP3 file, but is none")


def _wav(window: Window) -> Found:
    offset, a_second, ms = 12, 0, None
    while True:
        name, length = window.read(offset, 4), window.number(offset + 4, 4, little=True)
        if name == b"fmt ":
            a_second = window.number(offset + 16, 4, little=True)
        if name == b"data":
            if not a_second:
                raise Odd("begins like a WAV file, but is none")
            length = min(length, window.size - offset - 8)
            ms = length * 1000 // a_second
            return Found("audio/wav", _AUDIO, ms=ms)
        offset += 8 + length + length % 2


def _flac(window: Window) -> Found:
    if window.number(4, 1) & 0x7F or window.number(5, 3) != 34:
        raise Odd("begins like a FLAC file, but is none")
    packed = window.number(18, 8)
    hertz, samples = packed >> 44, packed & ((1 << 36) - 1)
    if not hertz:
        raise Odd("begins like a FLAC file, but is none")
    return Found("audio/flac", _AUDIO, ms=samples * 1000 // hertz or None)


def _ogg(window: Window) -> Found:
    at = 27 + window.number(26, 1)
    first = window.some(at, 16)
    for magic, mime in _OGG:
        if first.startswith(magic):
            kind = MediaKind.VIDEO if mime.startswith("video") else _AUDIO
            return Found(mime, kind)
    raise Odd("is an Ogg file with nothing in it that is known here")


READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Window], Found]], ...] = (
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WAVE", _wav),
    (lambda head: head.startswith(b"fLaC"), _flac),
    (lambda head: head.startswith(b"OggS\0"), _ogg),
    (lambda head: head.startswith(b"ID3") or _mpeg_frame(head) > 0 or _aac_frame(head) > 0, _mpeg),
)
"""A look at the first bytes, and the reader to ask where it says yes."""
