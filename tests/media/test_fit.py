"""Pictures drawn anew, and films encoded anew, in a process that can do no harm.

Bars of docs/reliability.md: S8.
"""

import io
import os
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw

from bridge.core.capabilities import FileLimits
from bridge.core.errors import MediaError
from bridge.core.model import MediaKind
from bridge.media import fit
from bridge.media.confined import Bounds, Ended, run
from bridge.media.fit import Made, recode, redraw
from bridge.media.sniff import Sniffed, sniff

HERE = Path(__file__).parent
JPEG = frozenset({"image/jpeg"})
COMMON = frozenset({"image/jpeg", "image/png", "image/webp"})


@dataclass
class Easel:
    folder: Path

    async def __call__(
        self, content: bytes, limits: FileLimits, **more: Bounds
    ) -> tuple[Image.Image, Sniffed, Made]:
        source, target = self.folder / "source", self.folder / "target"
        source.write_bytes(content)
        with target.open("w+b") as file:
            made = await redraw(source, sniff(source), limits, file.fileno(), **more)
        found = sniff(target)
        assert found.mime == made.mime
        image = Image.open(target)
        image.load()
        return image, found, made


@pytest.fixture
def drawn(tmp_path: Path) -> Easel:
    return Easel(tmp_path)


def packed(image: Image.Image, form: str, **more: object) -> bytes:
    target = io.BytesIO()
    image.save(target, form, **more)
    return target.getvalue()


def halves(size: tuple[int, int] = (80, 40), mode: str = "RGB") -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    return image.convert(mode)


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), os.urandom(3 * width * height))


def is_like(pixel: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 40 for a, b in zip(pixel[:3], wanted, strict=True))


async def test_a_picture_of_too_many_pixels_is_scaled_and_keeps_its_shape(drawn: Easel) -> None:
    content = packed(noise(600, 300), "JPEG")
    image, _, made = await drawn(content, FileLimits(JPEG, max_pixels=20_000))
    assert image.size == (200, 100)
    assert made.note == "scaled from 600 x 300 to 200 x 100 pixels"


@pytest.mark.parametrize(
    ("limits", "size"),
    [(FileLimits(JPEG, max_width=100), (100, 50)), (FileLimits(JPEG, max_height=100), (200, 100))],
)
async def test_a_picture_too_wide_or_high_is_scaled(
    drawn: Easel, limits: FileLimits, size: tuple[int, int]
) -> None:
    image, _, _ = await drawn(packed(halves((400, 200)), "JPEG"), limits)
    assert image.size == size


async def test_a_picture_of_too_many_bytes_is_packed_more_tightly_then_scaled(drawn: Easel) -> None:
    content = packed(noise(500, 400), "JPEG", quality=98)
    _, found, made = await drawn(content, FileLimits(JPEG, max_bytes=len(content) // 2))
    assert found.size <= len(content) // 2
    assert (found.width, made.note) == (500, "packed more tightly")
    _, found, made = await drawn(content, FileLimits(JPEG, max_bytes=20_000))
    assert found.size <= 20_000
    assert made.note.startswith("scaled from 500 x 400 to ")


async def test_what_cannot_be_made_small_enough_says_so(drawn: Easel) -> None:
    with pytest.raises(MediaError, match="cannot be made small enough") as caught:
        await drawn(packed(noise(200, 200), "JPEG"), FileLimits(JPEG, max_bytes=100))
    assert caught.value.lasting


@pytest.mark.parametrize("form", ["AVIF", "BMP", "GIF", "WEBP", "PNG"])
async def test_a_type_that_is_not_taken_becomes_one_that_is(drawn: Easel, form: str) -> None:
    image, found, made = await drawn(packed(halves(), form), FileLimits(JPEG))
    assert (found.mime, image.size) == ("image/jpeg", (80, 40))
    assert made.note == f"changed from {form} to JPEG"
    assert is_like(image.getpixel((5, 20)), (255, 0, 0))
    assert is_like(image.getpixel((75, 20)), (0, 0, 255))


async def test_a_heic_picture_is_changed_where_its_decoder_is_installed(drawn: Easel) -> None:
    content = (HERE / "red-and-blue.heic").read_bytes()
    image, _, made = await drawn(content, FileLimits(COMMON))
    assert made == Made("image/jpeg", "changed from HEIC to JPEG")
    assert image.size == (128, 64)
    assert is_like(image.getpixel((10, 30)), (200, 30, 30))
    assert is_like(image.getpixel((120, 30)), (30, 30, 200))
    assert not image.getexif()


async def test_a_heic_picture_without_a_decoder_says_what_to_install(
    drawn: Easel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pi_heif.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MediaError, match=r"install twinpost\[heic\]") as caught:
        await drawn((HERE / "red-and-blue.heic").read_bytes(), FileLimits(COMMON))
    assert caught.value.lasting


async def test_a_drawing_stays_sharp_and_a_photograph_becomes_small(drawn: Easel) -> None:
    _, found, _ = await drawn(packed(halves((400, 200)), "PNG"), FileLimits(COMMON, max_width=200))
    assert found.mime == "image/png"
    _, found, _ = await drawn(packed(noise(400, 200), "PNG"), FileLimits(COMMON, max_bytes=100_000))
    assert found.mime == "image/jpeg"


async def test_what_shines_through_is_kept_where_it_can_be_and_is_white_elsewhere(
    drawn: Easel,
) -> None:
    clear = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((0, 0, 30, 60), fill=(255, 0, 0, 255))
    content = packed(clear, "WEBP", lossless=True)
    image, found, _ = await drawn(content, FileLimits(frozenset({"image/png"}), max_width=30))
    assert (found.mime, image.mode) == ("image/png", "RGBA")
    image, _, _ = await drawn(content, FileLimits(JPEG))
    assert is_like(image.getpixel((50, 50)), (255, 255, 255))
    assert is_like(image.getpixel((5, 5)), (255, 0, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_picture_is_turned_upright_and_measured_as_it_is_seen(
    drawn: Easel, orientation: int
) -> None:
    # The sensor's picture of a scene that is red at the top, for each way to hold a camera.
    upright = halves((80, 40)).transpose(Image.Transpose.ROTATE_270)  # red above, 40 x 80
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = upright if undo is None else upright.transpose(undo)
    content = packed(raw, "JPEG", exif=exif, quality=95)
    image, _, made = await drawn(content, FileLimits(JPEG, max_height=40))
    assert image.size == (20, 40)
    assert is_like(image.getpixel((10, 5)), (255, 0, 0))
    assert is_like(image.getpixel((10, 35)), (0, 0, 255))
    assert not image.getexif()
    assert made.note == "scaled from 40 x 80 to 20 x 40 pixels"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_what_a_camera_noted_stays_behind(drawn: Easel, form: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "canary in a description"
    more: dict[str, object] = {"comment": b"canary in a comment"} if form == "JPEG" else {}
    content = packed(halves((90, 60)), form, exif=exif, xmp=b"canary in xmp", **more)
    assert b"canary" in content
    for types in (JPEG, frozenset({"image/png"}), frozenset({"image/webp"})):
        image, _, _ = await drawn(content, FileLimits(types, max_width=45))
        assert b"canary" not in (tmp_path / "target").read_bytes()
        assert not image.getexif()


async def test_the_colours_of_a_picture_come_along(drawn: Easel) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = packed(halves((90, 60)), "JPEG", icc_profile=profile)
    image, _, _ = await drawn(content, FileLimits(JPEG, max_width=45))
    assert image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("mode", "form"), [("CMYK", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("LA", "PNG")]
)
async def test_pictures_of_every_mode_of_colour_can_be_drawn(
    drawn: Easel, mode: str, form: str
) -> None:
    content = packed(halves(mode=mode), form)
    image, _, _ = await drawn(content, FileLimits(JPEG, max_width=40))
    assert image.size == (40, 20)
    if mode in {"CMYK", "P"}:
        assert is_like(image.getpixel((5, 10)), (255, 0, 0))


async def test_grey_of_sixteen_bits_keeps_its_shades(drawn: Easel) -> None:
    shades = Image.frombytes("I;16", (4, 1), struct.pack("<4H", 0, 0x4000, 0x8000, 0xFFFF))
    content = packed(shades.resize((40, 10), Image.Resampling.NEAREST), "PNG")
    image, _, _ = await drawn(content, FileLimits(JPEG))
    found = image.convert("L").tobytes()[5 * 40 : 6 * 40]
    assert [round(found[x] / 10) for x in (5, 15, 25, 35)] == [0, 6, 13, 26]


async def test_of_an_animation_the_first_picture_is_drawn(drawn: Easel) -> None:
    red, blue = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    content = packed(red, "GIF", save_all=True, append_images=[blue])
    image, found, made = await drawn(content, FileLimits(COMMON))
    assert (found.moving, made.note) == (
        False,
        "changed from GIF to PNG, only its first picture is shown",
    )
    assert is_like(image.convert("RGB").getpixel((5, 5)), (255, 0, 0))


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that unpacks to very many: all black, and packed well."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    line = bytes(1 + width * 4)
    pixels = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    )


async def test_a_bomb_takes_no_more_memory_than_the_child_is_given(drawn: Easel) -> None:
    content = bomb(6000, 6000)
    assert len(content) < 1_000_000
    with pytest.raises(MediaError, match="needs more memory") as caught:
        await drawn(
            content,
            FileLimits(JPEG, max_width=100),
            bounds=Bounds(memory=192 << 20, seconds=20, file=1 << 20),
        )
    assert caught.value.lasting


@pytest.mark.parametrize("damage", ["cut", "scrambled"])
async def test_a_damaged_picture_is_refused(drawn: Easel, damage: str) -> None:
    content = bytearray(packed(noise(300, 300), "PNG"))
    if damage == "cut":
        head, end = content[:3000], packed(halves(), "PNG")[-12:]
        head[33:37] = struct.pack(">I", len(head) - 45)
        content = head + end
    else:
        content[5000:9000] = os.urandom(4000)
    with pytest.raises(MediaError, match="cannot be unpacked") as caught:
        await drawn(bytes(content), FileLimits(JPEG))
    assert caught.value.lasting


async def test_a_child_that_takes_too_long_is_killed(
    drawn: Easel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("import time\nwhile True: time.sleep(1)\n")
    monkeypatch.setattr(fit, "_CHILD", endless)
    monkeypatch.setattr(fit, "_PICTURE_WAIT", 0.5)
    with pytest.raises(MediaError, match="takes too long"):
        await drawn(packed(halves(), "PNG"), FileLimits(JPEG))


SCRIPT = """
import os, socket, sys
what = sys.argv[1]
if what == "memory": block = bytearray(500 << 20)
if what == "file": os.write(1, bytes(3 << 20)); os.write(1, bytes(1))
if what == "time":
    while True: pass
if what == "secret": sys.stderr.write(repr(dict(os.environ)))
"""


@pytest.mark.parametrize(
    ("what", "ended"),
    [
        ("memory", lambda e: e.code == 1 and "MemoryError" in e.words),
        ("file", lambda e: e.code != 0),
        ("time", lambda e: e.code in {-24, -9}),
        ("nothing", lambda e: e.code == 0),
    ],
)
async def test_a_confined_program_cannot_take_more_than_its_bounds(
    tmp_path: Path, what: str, ended: Callable[[Ended], bool]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with (tmp_path / "out").open("wb") as out:
        result = await run(
            [sys.executable, str(script), what],
            Bounds(memory=300 << 20, seconds=1, file=2 << 20),
            wait=20,
            target=out.fileno(),
        )
    assert ended(result), result
    assert (tmp_path / "out").stat().st_size <= 2 << 20


async def test_a_confined_program_sees_no_secret_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINPOST_TOKEN", "canary")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    bounds = Bounds(memory=300 << 20, seconds=5, file=1)
    result = await run([sys.executable, str(script), "secret"], bounds, wait=20)
    assert "PATH" in result.words
    assert "canary" not in result.words


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not here")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film"
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=4:r=15", "-f", "lavfi", "-i", "sine=d=4"]
    more = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-c:a", "aac", "-f", "mp4"]
    subprocess.run(["ffmpeg", "-loglevel", "error", *inputs, *more, str(path)], check=True)
    return path


@needs_ffmpeg
async def test_a_film_is_encoded_anew_to_fit(tmp_path: Path, film: Path) -> None:
    before, target = sniff(film), tmp_path / "target"
    limits = FileLimits(frozenset({"video/mp4"}), max_bytes=300_000, max_width=320)
    assert before.size > 900_000
    made = await recode(film, before, limits, target)
    after = sniff(target)
    assert after.size <= 300_000
    assert (after.mime, after.width, after.height) == ("video/mp4", 320, 180)
    assert after.ms == pytest.approx(4000, abs=200)
    assert made.note.startswith("encoded anew to 0.")


@needs_ffmpeg
async def test_a_film_too_long_for_its_bytes_is_not_encoded(tmp_path: Path, film: Path) -> None:
    limits = FileLimits(frozenset({"video/mp4"}), max_bytes=50_000)
    with pytest.raises(MediaError, match="too long to be made small enough"):
        await recode(film, sniff(film), limits, tmp_path / "target")


@pytest.fixture
def hollow(film: Path) -> tuple[Path, Sniffed]:
    """A film whose tracks are announced and hold nothing."""
    found = sniff(film)
    content = bytearray(film.read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    film.write_bytes(content)
    return film, found


@needs_ffmpeg
async def test_a_film_that_cannot_be_unpacked_says_so(
    tmp_path: Path, hollow: tuple[Path, Sniffed]
) -> None:
    limits = FileLimits(frozenset({"video/mp4"}), max_bytes=300_000)
    with pytest.raises(MediaError, match="unpacked"):
        await recode(*hollow, limits, tmp_path / "target")


async def test_without_ffmpeg_a_film_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = Sniffed("video/mp4", MediaKind.VIDEO, 1, 2, 2, 1000)
    with pytest.raises(MediaError, match="no ffmpeg"):
        await recode(tmp_path / "x", found, FileLimits(), tmp_path / "y")
