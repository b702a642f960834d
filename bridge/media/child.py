"""The process that unpacks a picture and packs it anew; run as a script, never imported.

    argument          what is wanted, as JSON: see `Wanted`
    standard input    the picture: a file, open for reading
    standard output   the new picture: an empty file, open for writing
    standard error    ends with one line of JSON: see `_report`

Everything that decodes what strangers made is here, behind the limits that `bridge.media.confine`
has set. Before it looks at the picture it gives up all else, by `bridge.media.lockdown`: it can
open no file, make no connection, start nothing, and reach no other process. Knows nothing of the
bridge, so that it starts fast and small.
"""

from __future__ import annotations

import errno
import json
import resource
import runpy
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import (
    AvifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
)

try:
    import pi_heif
except ImportError:
    pi_heif = None

_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
    "image/heif": "HEIF",
}
_HEIF = frozenset({"image/heic", "image/heif"})
_DRAWN = frozenset({"image/png", "image/gif", "image/bmp"})
"""Types of drawings and screenshots, which JPEG does not suit."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUALITIES = (90, 84, 76, 68)
_SMALLEST = 64
_PNG_PIXELS = 9_000_000
"""Above that, packing a PNG takes longer than anybody should wait."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the picture is, and what it is to become; bounds are None where there are none."""

    mime: str
    types: tuple[str, ...]
    most_pixels: int
    max_bytes: int | None
    max_pixels: int | None
    max_width: int | None
    max_height: int | None


class _Hopeless(Exception):
    """The picture cannot be made to fit. `str(error)` is a code that the parent knows."""


def main() -> int:
    """Do what the argument says, and report. 0 for a picture that fits."""
    wanted = Wanted(**json.loads(sys.argv[1]))
    _prepare(wanted)
    try:
        _report(_fitted(wanted))
    except _Hopeless as error:
        return _failed(str(error))
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _failed("memory")
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return _failed("disk" if full else "broken")
    except Exception as error:  # noqa: BLE001 - decoders of strangers' files raise anything
        return _failed("broken", type(error).__name__)
    return 0


def _report(facts: dict[str, object]) -> None:
    sys.stderr.write("\n" + json.dumps(facts) + "\n")


def _failed(code: str, detail: str = "") -> int:
    _report({"error": code, "detail": detail})
    return 1


def _prepare(wanted: Wanted) -> None:
    Image.MAX_IMAGE_PIXELS = wanted.most_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Every reader and writer that will be needed is loaded now: afterwards no file can be opened.
    Image.init()
    # Threads gain little here, and each takes of the address space that is bounded.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    if wanted.mime in _HEIF:
        if pi_heif is None:
            raise SystemExit(_failed("heic"))
        pi_heif.options.DECODE_THREADS = 1
        pi_heif.register_heif_opener(thumbnails=False)
    # By its path: this script runs alone, and nothing else of this folder is to be found by name.
    runpy.run_path(str(Path(__file__).with_name("lockdown.py")))["lock_down"]()
    # What remains where the kernel cannot do more.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _fitted(wanted: Wanted) -> dict[str, object]:
    image: Image.Image = Image.open(sys.stdin.buffer, formats=(_FORMATS[wanted.mime],))
    before = image.size
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    sideways = turn is not None and turn not in {
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.ROTATE_180,
    }
    size = _within(before, wanted, sideways=sideways)
    # A large JPEG is unpacked at half, a quarter or an eighth of its size right away.
    image.draft(None, size)
    image.load()
    profile = image.info.get("icc_profile")
    image, profile = _plain(image, profile)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if turn is not None:
        image = image.transpose(turn)
        before = (before[1], before[0]) if sideways else before
    opaque = not _shines_through(image)
    if opaque and image.mode in {"LA", "RGBA"}:
        image = image.convert(image.mode[:-1])
    # What is known of a picture (place, camera, comments, a preview) stays behind.
    image.info.clear()
    while True:
        excess = 1.0
        for mime, packed in _packings(image, wanted, profile, opaque=opaque):
            excess = len(packed) / (wanted.max_bytes or len(packed))
            if excess <= 1:
                sys.stdout.buffer.write(packed)
                sys.stdout.buffer.flush()
                return {"mime": mime, "before": before, "after": image.size}
        # Bytes go about with the pixels; somewhat less, so that few rounds are needed.
        scale = min(0.9, max(0.3, 0.95 * excess**-0.5))
        width, height = (max(1, int(side * scale)) for side in image.size)
        if max(width, height) < _SMALLEST:
            raise _Hopeless("limits")
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _within(size: tuple[int, int], wanted: Wanted, *, sideways: bool) -> tuple[int, int]:
    """The largest size of the same shape that the bounds allow."""
    width, height = size
    widest, highest = wanted.max_width, wanted.max_height
    if sideways:
        widest, highest = highest, widest
    scale = min(
        1.0,
        (widest or width) / width,
        (highest or height) / height,
        ((wanted.max_pixels or width * height) / (width * height)) ** 0.5,
    )
    if scale == 1.0:
        return size
    return max(1, int(width * scale)), max(1, int(height * scale))


def _plain(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """The picture in one of the modes L, LA, RGB, RGBA, with the colour profile that suits it."""
    mode = image.mode
    if mode in {"RGB", "RGBA"}:
        return image, profile
    if mode in {"L", "LA", "1"}:
        return image.convert("L") if mode == "1" else image, None
    if mode.startswith("I"):
        # 16 bits a pixel; converting would cut off at 255 and not scale.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L"), None
    if mode in {"P", "PA"}:
        clear = mode == "PA" or "transparency" in image.info
        return image.convert("RGBA" if clear else "RGB"), None
    if mode == "CMYK" and profile:
        try:
            return _to_srgb(image, profile), None
        except ImageCms.PyCMSError:
            pass
    return image.convert("RGB"), None


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    made = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        outputMode="RGB",
    )
    return image.convert("RGB") if made is None else made


def _shines_through(image: Image.Image) -> bool:
    if image.mode not in {"LA", "RGBA"}:
        return False
    lowest = image.getchannel("A").getextrema()[0]
    return isinstance(lowest, (int, float)) and lowest < 255  # noqa: PLR2004 - opaque


def _packings(
    image: Image.Image, wanted: Wanted, profile: bytes | None, *, opaque: bool
) -> Iterator[tuple[str, bytes]]:
    """The picture packed in every way that is taken, the best first."""
    taken = set(wanted.types)
    small = image.width * image.height <= _PNG_PIXELS
    drawn = wanted.mime in _DRAWN or not opaque
    if "image/png" in taken and ((small and drawn) or not taken & {"image/jpeg", "image/webp"}):
        yield "image/png", _packed(image, "PNG", profile)
    if "image/webp" in taken and not (opaque and "image/jpeg" in taken):
        for quality in _QUALITIES:
            yield "image/webp", _packed(image, "WEBP", profile, quality=quality)
    if "image/jpeg" in taken:
        solid = image if opaque else _on_white(image)
        for quality in _QUALITIES:
            yield "image/jpeg", _packed(solid, "JPEG", profile, quality=quality)
    if not taken & {"image/jpeg", "image/png", "image/webp"}:
        raise _Hopeless("types")


def _on_white(image: Image.Image) -> Image.Image:
    clear = image.convert("RGBA")
    ground = Image.new("RGB", clear.size, "white")
    ground.paste(clear, mask=clear.getchannel("A"))
    return ground


def _packed(image: Image.Image, form: str, profile: bytes | None, **options: int) -> bytes:
    target = BytesIO()
    image.save(target, form, **({"icc_profile": profile} if profile else {}), **options)
    return target.getvalue()


if __name__ == "__main__":
    sys.exit(main())
