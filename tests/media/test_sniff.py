"""What a file is, told by its content: every type, every refusal, and never a crash.

Bars of docs/reliability.md: S8.
"""

import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bridge.core.errors import MediaError
from bridge.core.model import MediaKind
from bridge.media.sniff import Sniffed, sniff

HERE = Path(__file__).parent


def picture(
    form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: object
) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 1).save(target, form, **more)
    return target.getvalue()


def frames(form: str, count: int = 3) -> bytes:
    first, *others = (Image.new("RGB", (16, 12), (80 * n, 0, 0)) for n in range(count))
    target = io.BytesIO()
    first.save(target, form, save_all=True, append_images=others, duration=100)
    return target.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, name) + body


def track(what: bytes, width: int = 0, height: int = 0) -> bytes:
    header = bytes(76) + struct.pack(">II", width << 16, height << 16)
    return box(
        b"trak",
        box(b"tkhd", header),
        box(b"mdia", box(b"hdlr", bytes(8), what, bytes(12), b"\0")),
    )


def film(brand: bytes, *tracks: bytes, ms: int = 12_500, big: bool = False) -> bytes:
    header = bytes(12) + struct.pack(">II", 1000, ms) + bytes(80)
    data = b"x" * 100
    mdat = struct.pack(">I4sQ", 1, b"mdat", len(data) + 16) + data if big else box(b"mdat", data)
    return (
        box(b"ftyp", brand, bytes(4), b"isom") + mdat + box(b"moov", box(b"mvhd", header), *tracks)
    )


def avif() -> bytes:
    return picture("AVIF", (33, 21))


def element(name: int, content: bytes) -> bytes:
    length = (name.bit_length() + 7) // 8
    return name.to_bytes(length, "big") + (len(content) | 1 << 56).to_bytes(8, "big") + content


def webm(*kinds: int, doctype: bytes = b"webm") -> bytes:
    entries = b"".join(
        element(
            0xAE,
            element(0x83, bytes([kind]))
            + (
                element(0xE0, element(0xB0, b"\x02\x80") + element(0xBA, b"\x01\x68"))
                if kind == 1
                else b""
            ),
        )
        for kind in kinds
    )
    info = element(0x1549A966, element(0x4489, struct.pack(">d", 2500.0)))
    head = element(0x1A45DFA3, element(0x4282, doctype))
    segment = b"\x18\x53\x80\x67\x01" + b"\xff" * 7  # of unknown length, as live recordings are
    return head + segment + info + element(0x1654AE6B, entries) + element(0x1F43B675, b"x" * 50)


def mp3(count: int = 4) -> bytes:
    return (b"\xff\xfb\x90\x00" + bytes(413)) * count


def wav() -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    body = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 4000) + bytes(4000)
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def flac() -> bytes:
    packed = (44_100 << 44) | (1 << 41) | (15 << 36) | 88_200
    return b"fLaC\x80\0\0\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16) + bytes(100)


def ogg(first: bytes) -> bytes:
    return b"OggS\0\x02" + bytes(20) + bytes([1, len(first)]) + first + bytes(50)


@pytest.fixture
def sniffed(tmp_path: Path) -> Callable[[bytes], Sniffed]:
    def sniffing(content: bytes) -> Sniffed:
        path = tmp_path / "file"
        path.write_bytes(content)
        return sniff(path)

    return sniffing


Sniffing = Callable[[bytes], Sniffed]


@pytest.mark.parametrize(
    ("content", "mime", "moving"),
    [
        (picture("JPEG"), "image/jpeg", False),
        (picture("JPEG", progressive=True), "image/jpeg", False),
        (picture("PNG"), "image/png", False),
        (picture("GIF"), "image/gif", False),
        (picture("WEBP"), "image/webp", False),
        (picture("WEBP", lossless=True), "image/webp", False),
        (picture("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"), "image/webp", False),
        (picture("AVIF"), "image/avif", False),
        (picture("BMP"), "image/bmp", False),
        (picture("TIFF"), "image/tiff", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_still_picture_is_known_with_its_size(
    sniffed: Sniffing, content: bytes, mime: str, moving: bool
) -> None:
    assert sniffed(content) == Sniffed(mime, MediaKind.IMAGE, len(content), 40, 30, moving=moving)


@pytest.mark.parametrize(
    ("form", "mime"),
    [("GIF", "image/gif"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("AVIF", "image/avif")],
)
def test_a_picture_of_several_frames_is_known_to_move(
    sniffed: Sniffing, form: str, mime: str
) -> None:
    found = sniffed(frames(form))
    assert (found.mime, found.moving, found.width, found.height) == (mime, True, 16, 12)


def test_a_picture_from_a_telephone_is_known(sniffed: Sniffing) -> None:
    found = sniffed((HERE / "red-and-blue.heic").read_bytes())
    assert (found.mime, found.kind, found.width, found.height) == (
        "image/heic",
        MediaKind.IMAGE,
        128,
        64,
    )


@pytest.mark.parametrize(
    ("content", "mime", "kind"),
    [
        (film(b"isom", track(b"vide", 640, 360), track(b"soun")), "video/mp4", "video"),
        (film(b"mp42", track(b"vide", 640, 360)), "video/mp4", "video"),
        (film(b"isom", track(b"vide", 640, 360), big=True), "video/mp4", "video"),
        (film(b"qt  ", track(b"vide", 640, 360)), "video/quicktime", "video"),
        (film(b"3gp4", track(b"vide", 640, 360)), "video/3gpp", "video"),
        (webm(1, 2), "video/webm", "video"),
        (webm(1, doctype=b"matroska"), "video/x-matroska", "video"),
        (ogg(b"\x80theora"), "video/ogg", "video"),
        (film(b"M4A ", track(b"soun")), "audio/mp4", "audio"),
        (film(b"isom", track(b"soun")), "audio/mp4", "audio"),
        (webm(2), "audio/webm", "audio"),
        (mp3(), "audio/mpeg", "audio"),
        (b"ID3\x04\0\0\0\0\x01\x00" + bytes(128) + mp3(), "audio/mpeg", "audio"),
        (
            b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9) + b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9),
            "audio/aac",
            "audio",
        ),
        (wav(), "audio/wav", "audio"),
        (flac(), "audio/flac", "audio"),
        (ogg(b"OpusHead"), "audio/ogg", "audio"),
        (ogg(b"\x01vorbis"), "audio/ogg", "audio"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_films_and_sounds_are_told_by_their_tracks(
    sniffed: Sniffing, content: bytes, mime: str, kind: str
) -> None:
    found = sniffed(content)
    assert (found.mime, found.kind.value) == (mime, kind)
    if found.width is not None:
        assert (found.width, found.height) == (640, 360)


@pytest.mark.parametrize(
    ("content", "ms"),
    [
        (film(b"isom", track(b"vide", 640, 360)), 12_500),
        (film(b"isom", track(b"vide", 640, 360), ms=0), None),
        (webm(1), 2500),
        (wav(), 500),
        (flac(), 2000),
    ],
)
def test_the_length_is_told_where_the_file_tells_it(
    sniffed: Sniffing, content: bytes, ms: int | None
) -> None:
    assert sniffed(content).ms == ms


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg makes these files")
@pytest.mark.parametrize(
    ("ending", "mime", "arguments"),
    [
        ("mp4", "video/mp4", ["-c:v", "libx264", "-c:a", "aac"]),
        ("mp4", "video/mp4", ["-c:v", "libx264", "-movflags", "+faststart"]),
        ("mp4", "video/mp4", ["-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov"]),
        ("mov", "video/quicktime", ["-c:v", "libx264"]),
        ("webm", "video/webm", ["-c:v", "libvpx", "-c:a", "libopus"]),
        ("mkv", "video/x-matroska", ["-c:v", "libx264"]),
        ("m4a", "audio/mp4", ["-vn", "-c:a", "aac"]),
        ("mp3", "audio/mpeg", ["-vn"]),
        ("ogg", "audio/ogg", ["-vn", "-c:a", "libvorbis"]),
        ("opus", "audio/ogg", ["-vn"]),
        ("flac", "audio/flac", ["-vn"]),
        ("wav", "audio/wav", ["-vn"]),
        ("aac", "audio/aac", ["-vn", "-f", "adts"]),
        ("gif", "image/gif", ["-an"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_real_encoder_writes_is_known(
    tmp_path: Path, ending: str, mime: str, arguments: list[str]
) -> None:
    path = tmp_path / f"made.{ending}"
    inputs = ["-f", "lavfi", "-i", "testsrc=s=320x180:d=1:r=10", "-f", "lavfi", "-i", "sine=d=1"]
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", *inputs, *arguments, str(path)], check=True, timeout=60
    )
    found = sniff(path)
    assert found.mime == mime
    if found.kind is not MediaKind.AUDIO:
        assert (found.width, found.height) == (320, 180)
    if ending in {"mov", "webm", "mkv", "m4a", "wav", "flac"}:
        assert found.ms == pytest.approx(1000, abs=100)


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def huge_jpeg(width: int, height: int) -> bytes:
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def huge_gif() -> bytes:
    content = bytearray(picture("GIF"))
    at = content.index(b",") + 5
    content[at : at + 4] = struct.pack("<HH", 65535, 65535)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [huge_png(30_000, 30_000), huge_png(1_000_000, 1), huge_jpeg(30_000, 30_000), huge_gif()],
)
def test_a_header_that_announces_a_bomb_is_enough_to_refuse_it(
    sniffed: Sniffing, content: bytes
) -> None:
    with pytest.raises(MediaError, match="more than any picture needs") as caught:
        sniffed(content)
    assert caught.value.lasting


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("Main.class", "code")
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><p>Not found", "is a text"),
        (b"\xef\xbb\xbf \n<html>", "is a text"),
        (b'<?xml version="1.0"?><svg onload="x()"/>', "is a text"),
        (b"<svg/>", "is a text"),
        ("<html>".encode("utf-16"), "is a text"),
        (b'{"error": "gone"}', "is a text"),
        (b"#EXTM3U\nhttp://169.254.169.254/", "is a text"),
        (b"plain words", "no type that is known"),
        (bytes(5000), "no type that is known"),
        (archive(), "is a ZIP archive"),
        (b"\x1f\x8b\x08" + bytes(50), "packed with gzip"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"MZ" + bytes(100), "is a program"),
        (picture("PNG") + archive(), "is an archive as well"),
        (picture("JPEG") + archive(), "is an archive as well"),
        (picture("GIF") + archive(), "is an archive as well"),
        (film(b"isom", track(b"vide", 2, 2)) + box(b"free", archive()), "is an archive as well"),
        (picture("JPEG", comment=b"%PDF-1.4 obj"), "is a PDF document as well"),
        (b"\xff\xd8\xff<script>alert(1)</script>", "begins like a JPEG"),
        (b"\xff\xd8\xff\xd9", "has no pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDX" + bytes(50), "begins like a PNG"),
        (huge_png(0, 10), "has no size"),
        (huge_png(10, 10).replace(b"\0\0\0\x0a", b"\0\0\0\x0b", 1), "damaged PNG"),
        (b"GIF89a" + bytes(7) + b";", "without pixels"),
        (b"GIF89a<script>/*" + bytes(50), "GIF"),
        (b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(20), "without pixels"),
        (b"RIFF\x20\0\0\0AVI " + bytes(50), "no type that is known"),
        (box(b"ftyp", b"isom", bytes(4)) + box(b"mdat", b"x"), "neither tracks nor pixels"),
        (film(b"isom"), "neither pictures nor sound"),
        (box(b"ftyp", b"jpeg", bytes(4)) + box(b"meta", bytes(4)), "no type that is known"),
        (webm(17), "neither pictures nor sound"),
        (mp3(1)[:200] + b"words", "begins like an MP3"),
        (ogg(b"Speax"), "nothing in it that is known"),
    ],
)
def test_what_is_no_medium_or_more_than_one_thing_is_refused_with_a_reason(
    sniffed: Sniffing, content: bytes, words: str
) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        sniffed(content)
    assert caught.value.lasting


@pytest.mark.parametrize(
    "content",
    [
        picture("PNG")[:-20],
        picture("JPEG")[:200],
        picture("GIF")[:-5],
        picture("WEBP")[:-20],
        film(b"isom", track(b"vide", 2, 2))[:-20],
        film(b"isom", track(b"vide", 2, 2))[:60],
    ],
)
def test_a_file_cut_short_may_be_whole_at_the_next_try(sniffed: Sniffing, content: bytes) -> None:
    with pytest.raises(MediaError, match="ends in the middle") as caught:
        sniffed(content)
    assert not caught.value.lasting


def test_what_a_camera_appends_to_a_picture_is_let_through(sniffed: Sniffing) -> None:
    motion = picture("JPEG") + film(b"mp42", track(b"vide", 640, 360))
    assert sniffed(motion).mime == "image/jpeg"


SEEDS = [
    picture("JPEG"),
    picture("PNG"),
    frames("PNG"),
    frames("GIF"),
    frames("WEBP"),
    picture("BMP"),
    picture("TIFF"),
    picture("AVIF"),
    film(b"isom", track(b"vide", 640, 360), track(b"soun")),
    webm(1, 2),
    mp3(),
    wav(),
    flac(),
    ogg(b"OpusHead"),
]
MAGICS = [seed[:16] for seed in SEEDS] + [b"PK\x05\x06", b"\0\0\0\x01ftyp", b"ID3\x04\0\0"]


def outcome(path: Path, content: bytes) -> Sniffed | None:
    path.write_bytes(content)
    try:
        return sniff(path)
    except MediaError:
        return None


@given(st.sampled_from(MAGICS), st.binary(max_size=300))
def test_no_bytes_whatever_make_it_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, magic: bytes, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random"
    outcome(path, rest)
    outcome(path, magic + rest)


@given(st.sampled_from(SEEDS), st.data())
def test_no_damage_to_a_real_file_makes_it_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, data: st.DataObject
) -> None:
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    found = outcome(tmp_path_factory.getbasetemp() / "damaged", bytes(content[:cut]))
    if found is not None and found.kind is MediaKind.IMAGE:
        assert found.width
        assert found.height
