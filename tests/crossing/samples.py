"""Small genuine files: pictures by Pillow, and a video whose boxes say what a real one's would."""

import io
import struct

from PIL import Image


def png(colour: str = "navy", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of one colour."""
    return _saved("PNG", size, colour)


def jpeg(colour: str = "teal", size: tuple[int, int] = (64, 48)) -> bytes:
    """The same as JPEG."""
    return _saved("JPEG", size, colour)


def avif(colour: str = "olive", size: tuple[int, int] = (64, 48)) -> bytes:
    """The same as AVIF, which X does not take."""
    return _saved("AVIF", size, colour)


def animated_gif(frames: int = 3) -> bytes:
    """A GIF that moves."""
    pictures = [Image.new("P", (32, 32), index * 20) for index in range(frames)]
    out = io.BytesIO()
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0, optimize=False
    )
    return out.getvalue()


def mp4(seconds: float = 3, size: tuple[int, int] = (320, 240), payload: int = 2000) -> bytes:
    """An MP4 with one video track of so many seconds, and `payload` bytes of nothing in it."""
    duration = int(seconds * 1000)
    header = struct.pack(">IIIII", 0, 0, 0, 1000, duration) + bytes(80)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    track = (
        struct.pack(">IIIIII", 7, 0, 0, 1, 0, duration)
        + bytes(8)
        + struct.pack(">HHHH", 0, 0, 0, 0)
        + matrix
        + struct.pack(">II", size[0] << 16, size[1] << 16)
    )
    media = struct.pack(">IIIII", 0, 0, 0, 1000, duration) + bytes(4)
    handler = struct.pack(">II4s", 0, 0, b"vide") + bytes(12) + b"video\0"
    entry = (
        bytes(6)
        + struct.pack(">H", 1)
        + bytes(16)
        + struct.pack(">HH", *size)
        + struct.pack(">II", 0x480000, 0x480000)
        + bytes(4)
        + struct.pack(">H", 1)
        + bytes(32)
        + struct.pack(">Hh", 24, -1)
    )
    described = _box(b"stsd", struct.pack(">II", 0, 1) + _box(b"avc1", entry))
    tables = described + b"".join(
        _box(name, struct.pack(">II", 0, 0)) for name in (b"stts", b"stsc", b"stco")
    )
    tables += _box(b"stsz", struct.pack(">III", 0, 0, 0))
    moov = _box(b"mvhd", header) + _box(
        b"trak",
        _box(b"tkhd", track)
        + _box(
            b"mdia",
            _box(b"mdhd", media)
            + _box(b"hdlr", handler)
            + _box(b"minf", _box(b"vmhd", bytes(12)) + _box(b"stbl", tables)),
        ),
    )
    brands = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2avc1mp41")
    return brands + _box(b"moov", moov) + _box(b"mdat", bytes(payload))


def mp3() -> bytes:
    """A second of silence, more or less."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    return b"ID3\x04\x00\x00\x00\x00\x00\x00" + frame * 38


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _saved(kind: str, size: tuple[int, int], colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()
