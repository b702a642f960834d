"""However many pieces a file has, and however large, a bounded number of looks tells what it is.

Looks are counted, not timed. The bound is lowered, so that small files can exceed it.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.core.errors import MediaError
from bridge.media import window
from bridge.media.sniff import Sniffed, sniff
from bridge.media.window import Window
from tests.media.test_sniff import box, element, film, picture, track

PIECES = 20_000
LOW = 2_000
BYTES = 8 << 20

FREE = box(b"free")
VOID = b"\xec\x80"
EBML = element(0x1A45DFA3, element(0x4282, b"webm"))
SEGMENT, TRACKS, INFO, ENTRY = 0x18538067, 0x1654AE6B, 0x1549A966, 0xAE
FTYP, HEIC = box(b"ftyp", b"isom", bytes(4)), box(b"ftyp", b"heic", bytes(4))
ISPE = box(b"ispe", bytes(4), struct.pack(">II", 10, 10))
GIF = b"GIF89a" + struct.pack("<HH", 9, 9) + bytes(3)
FRAME = b"," + bytes(4) + struct.pack("<HH", 9, 9) + b"\0\x02"
PNG = picture("PNG")
CHUNK = bytes(4) + b"tEXt" + bytes(4)
VP8X = b"VP8X" + struct.pack("<I", 10) + bytes(10)


def riff(form: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + form + body


DENSE: dict[str, bytes] = {
    "boxes": FTYP + FREE * PIECES,
    "boxes in a film": FTYP + box(b"moov", FREE * PIECES),
    "many tracks": FTYP + box(b"moov", box(b"trak", FREE * 100) * (PIECES // 100)),
    "a track found late": FTYP + box(b"moov", box(b"trak", box(b"mdia", FREE * PIECES))),
    "deep boxes": FTYP + box(b"moov", box(b"trak", box(b"mdia", FREE * 9)) * (PIECES // 10)),
    "sizes in a HEIC": HEIC
    + box(b"meta", bytes(4), box(b"iprp", box(b"ipco", ISPE * (PIECES // 2)))),
    "elements": EBML + VOID * PIECES,
    "elements in a header": element(0x1A45DFA3, VOID * PIECES),
    "elements in a segment": EBML + element(SEGMENT, VOID * PIECES),
    "many entries": EBML + element(SEGMENT, element(TRACKS, element(ENTRY, VOID) * PIECES)),
    "elements in an entry": EBML + element(SEGMENT, element(TRACKS, element(ENTRY, VOID * PIECES))),
    "elements of information": EBML + element(SEGMENT, element(INFO, VOID * PIECES)),
    "blocks of a GIF": GIF + FRAME + b"\x01x" * PIECES,
    "extensions of a GIF": GIF + b"!\xfe\0" * PIECES,
    "chunks of a PNG": PNG[:33] + CHUNK * PIECES,
    "fill bytes of a JPEG": b"\xff\xd8\xff" + b"\xff" * PIECES,
    "segments of a JPEG": b"\xff\xd8" + b"\xff\xfe\0\x02" * PIECES,
    "markers of a JPEG": b"\xff\xd8" + b"\xff\x01" * PIECES,
    "chunks of a WebP": riff(b"WEBP", VP8X + (b"JUNK" + bytes(4)) * PIECES),
    "chunks of a WAV": riff(b"WAVE", (b"junk" + bytes(4)) * PIECES),
    "entries of a TIFF": b"II*\0\x08\0\0\0" + struct.pack("<H", PIECES) + bytes(12) * PIECES,
    "ends of a ZIP": PNG
    + (b"PK\x05\x06" + bytes(8) + b"\x01\0\0\0" + bytes(4) + b"\x07\0") * 2_900,
}


class Looks:
    """How often, and at how much, a file was looked."""

    def __init__(self) -> None:
        self.count = self.bytes = 0


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    made, some = Looks(), Window.some

    def counted(self: Window, offset: int, count: int) -> bytes:
        found = some(self, offset, count)
        made.count += 1
        made.bytes += len(found)
        return found

    monkeypatch.setattr(Window, "some", counted)
    return made


@pytest.fixture
def told(tmp_path: Path) -> Callable[[bytes], Sniffed]:
    def told(content: bytes) -> Sniffed:
        path = tmp_path / "file"
        path.write_bytes(content)
        return sniff(path)

    return told


Told = Callable[[bytes], Sniffed]


@pytest.mark.parametrize("name", DENSE)
def test_no_format_takes_more_looks_than_are_allowed(
    monkeypatch: pytest.MonkeyPatch, looks: Looks, told: Told, name: str
) -> None:
    monkeypatch.setattr(window, "MOST_STEPS", LOW, raising=False)
    with pytest.raises(MediaError, match="too many pieces") as caught:
        told(DENSE[name])
    assert caught.value.lasting
    assert looks.count <= LOW


def test_millions_of_pieces_are_as_much_work_as_the_bound_allows(looks: Looks, told: Told) -> None:
    with pytest.raises(MediaError, match="too many pieces"):
        told(FTYP + FREE * 1_000_000)
    assert 100_000 < looks.count <= 300_000


@pytest.mark.parametrize(
    "head",
    [
        b"\x1a\x45\xdf\xa3\x08\xff\xff\xff\xff" + b"\x42\x82\x08\x7f\xff\xff\xff",
        b"\x1a\x45\xdf\xa3\x08" + struct.pack(">I", 100 << 20) + b"\x42\x82\x08"
        + struct.pack(">I", 90 << 20),
    ],
    ids=["all there is", "nearly all"],
)  # fmt: skip
def test_no_piece_is_read_that_is_as_large_as_a_film(
    looks: Looks, tmp_path: Path, head: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(head)
    with path.open("r+b") as file:
        # Of holes: as large as a film, and no larger on the disk.
        file.truncate(200 << 20)
    with pytest.raises(MediaError):
        sniff(path)
    assert looks.bytes <= BYTES


def test_what_is_large_and_ordinary_is_within_the_bound(looks: Looks, told: Told) -> None:
    gif = GIF + FRAME + (b"\xff" + bytes(255)) * 40_000 + b"\0;"
    assert told(gif).mime == "image/gif"
    assert looks.count < 50_000
    fragments = (box(b"moof", bytes(50)) + box(b"mdat", bytes(50))) * 25_000
    assert told(film(b"isom", track(b"vide", 640, 360)) + fragments).mime == "video/mp4"
    chunks = (struct.pack(">I", 500) + b"IDAT" + bytes(504)) * 20_000
    assert told(PNG[:33] + chunks + PNG[-12:]).mime == "image/png"
