"""What is to be done with a file so that a network takes it: pure, over what it was found to be.

    Keep        as it stands, byte for byte
    Redraw      a picture is unpacked, made smaller or of another type, and packed again
    Recode      a film is encoded anew
    Instead     it does not go: its still picture may, or it is left out

The kind that was asked for is kept where the content allows. Nothing of several frames is passed as
a picture unless the network takes such pictures: its first frame is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.core.capabilities import FileLimits, MediaLimits
from bridge.core.model import MediaKind
from bridge.media.sniff import Sniffed

_SYNONYMS = {
    "audio/aac": ("audio/aacp", "audio/x-aac"),
    "audio/flac": ("audio/x-flac",),
    "audio/mp4": ("audio/m4a", "audio/x-m4a"),
    "audio/mpeg": ("audio/mp3", "audio/x-mp3", "audio/mpeg3"),
    "audio/ogg": ("audio/vorbis", "audio/opus"),
    "audio/wav": ("audio/wave", "audio/x-wav", "audio/vnd.wave"),
    "image/bmp": ("image/x-bmp", "image/x-ms-bmp"),
    "image/heic": ("image/heif",),
    "image/jpeg": ("image/jpg", "image/pjpeg"),
    "video/3gpp": ("video/3gp",),
    "video/quicktime": ("video/mov",),
}
_REDRAWN = frozenset(
    f"image/{name}" for name in ("jpeg", "png", "gif", "webp", "bmp", "avif", "heic", "heif")
)
_MADE = frozenset({"image/jpeg", "image/png", "image/webp"})
_WORDS = {
    MediaKind.IMAGE: "picture",
    MediaKind.GIFV: "animation",
    MediaKind.VIDEO: "video",
    MediaKind.AUDIO: "audio file",
    MediaKind.UNKNOWN: "file",
}


@dataclass(frozen=True, slots=True)
class Keep:
    """Pass it on as it is, as `kind`, under the name `mime` that the network has for its type."""

    kind: MediaKind
    mime: str


@dataclass(frozen=True, slots=True)
class Redraw:
    """Make a picture within `limits` of it; `why` says what is wrong with it as it is."""

    limits: FileLimits
    why: str


@dataclass(frozen=True, slots=True)
class Recode:
    """Make an MP4 film within `limits` of it; `why` says what is wrong with it as it is."""

    limits: FileLimits
    why: str


@dataclass(frozen=True, slots=True)
class Instead:
    """It does not go as what it is; `why` ends a sentence about it."""

    why: str


Judgement = Keep | Redraw | Recode | Instead


@dataclass(frozen=True, slots=True)
class Case:
    """A file, what it was asked for as, and what may be done."""

    found: Sniffed
    wanted: MediaKind
    limits: MediaLimits
    recode: bool = field(default=False)

    def judged(self) -> Judgement:
        """What is to be done."""
        match self.found.kind:
            case MediaKind.IMAGE:
                return self._picture()
            case MediaKind.VIDEO:
                return self._film()
            case _:
                return self._sound()

    def _picture(self) -> Judgement:
        if self.wanted is MediaKind.AUDIO:
            return Instead("is a picture, not the audio file that was announced")
        found, limits = self.found, self.limits
        why = ""
        if found.moving:
            told = fault(found, limits.animation)
            if told is None and self.wanted is not MediaKind.IMAGE:
                return Keep(MediaKind.GIFV, _name(found, limits.animation))
            # The first picture of an APNG is what every reader of PNG shows.
            if told is not None and found.mime != "image/png":
                why = f"of several frames, and as an animation it {told}"
        told = why or fault(found, limits.image)
        if told is None:
            return Keep(MediaKind.IMAGE, _name(found, limits.image))
        if not limits.image.types & _MADE or found.mime not in _REDRAWN:
            return Instead(told)
        return Redraw(limits.image, told)

    def _film(self) -> Judgement:
        if self.wanted is MediaKind.IMAGE:
            return Instead("is a video, not the picture that was announced")
        found, limits = self.found, self.limits
        if self.wanted is MediaKind.GIFV and fault(found, limits.animation) is None:
            return Keep(MediaKind.GIFV, _name(found, limits.animation))
        told = fault(found, limits.video)
        if told is None:
            return Keep(MediaKind.VIDEO, _name(found, limits.video))
        long = limits.video.max_ms is not None and (found.ms or 0) > limits.video.max_ms
        if self.recode and "video/mp4" in limits.video.types and not long:
            return Recode(limits.video, told)
        return Instead(told)

    def _sound(self) -> Judgement:
        if self.wanted not in {MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.UNKNOWN}:
            return Instead(f"is an audio file, not the {word(self.wanted)} that was announced")
        told = fault(self.found, self.limits.audio)
        if told is None:
            return Keep(MediaKind.AUDIO, _name(self.found, self.limits.audio))
        return Instead(told)


def fault(found: Sniffed, limits: FileLimits) -> str | None:
    """What `limits` have against a file, as the end of a sentence about it; None for nothing."""
    if not _name(found, limits):
        return f"is of a type that is not taken ({found.mime})"
    if limits.max_bytes is not None and found.size > limits.max_bytes:
        return too_large(found.size, limits.max_bytes)
    if limits.max_ms is not None and (found.ms or 0) > limits.max_ms:
        seconds = (found.ms or 0) / 1000
        return f"lasts {seconds:.0f} s, and {limits.max_ms / 1000:.0f} s are taken at most"
    width, height, pixels = found.width or 0, found.height or 0, found.pixels or 0
    if (
        (limits.max_pixels is not None and pixels > limits.max_pixels)
        or (limits.max_width is not None and width > limits.max_width)
        or (limits.max_height is not None and height > limits.max_height)
    ):
        return f"has {width} x {height} pixels, more than are taken"
    return None


def too_large(size: int | None, most: int) -> str:
    """What to say of a file of `size` bytes (None: not told) where `most` are taken."""
    if size is None:
        return f"is larger than the {in_mb(most)} that are taken at most"
    return f"has {in_mb(size)}, and {in_mb(most)} are taken at most"


def in_mb(size: int) -> str:
    """Bytes in a form for people."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"  # noqa: PLR2004 - 0.1 MB


def word(kind: MediaKind) -> str:
    """What people call a medium of this kind."""
    return _WORDS[kind]


def _name(found: Sniffed, limits: FileLimits) -> str:
    """The name that the network has for the type of `found`; empty where it is not taken."""
    names = (found.mime, *_SYNONYMS.get(found.mime, ()))
    return next((name for name in names if name in limits.types), "")
