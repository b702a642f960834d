"""What a file is, told by its content alone: type, size in pixels, length, whether it moves.

A type is given only where the structure agrees with the first bytes, down to the pixels of a
picture and the tracks of a film. Refused, each with a reason:

- empty files, files cut short, and everything of no type that is known here;
- texts: HTML, SVG, XML, JSON, playlists;
- files that are two things at once: a ZIP archive (JAR, APK, document) that ends where the medium
  ends, or a PDF that begins in its first kilobyte. What else may follow the end of a picture is let
  through: cameras append films and depth maps there;
- files of more pieces than `window.MOST_STEPS`;
- pictures of more pixels than `MOST_PIXELS`, or of a side longer than `LONGEST_SIDE`: nothing that
  announces that much is worth being unpacked by anybody.

Must not decode, and must not believe what a server, a name or a post said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bridge.core.errors import MediaError
from bridge.core.model import MediaKind
from bridge.media import films, pictures, sounds
from bridge.media.found import Found, Odd
from bridge.media.window import CutShort, TooMuchWork, Window

MOST_PIXELS = 120_000_000
LONGEST_SIDE = 32_767

_HEAD = 4096
_TEXT = re.compile(rb"(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\x00]*(<|\{|\[|#EXTM3U)")
_NAMED = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"%PDF-", "a PDF document"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
)
_READERS = (*pictures.READERS, *films.READERS, *sounds.READERS)
_ZIP_END = 22
_ZIP_TAIL = _ZIP_END + 65_535


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a file is. Sizes in bytes and pixels, length in milliseconds; None for not known.

    `moving` says that a picture has more than one frame. `kind` is never `GIFV`: a loop without
    sound cannot be told from a film.
    """

    mime: str
    kind: MediaKind
    size: int
    width: int | None = None
    height: int | None = None
    ms: int | None = None
    moving: bool = False

    @property
    def pixels(self) -> int | None:
        """Width times height."""
        return None if self.width is None or self.height is None else self.width * self.height


def sniff(path: Path) -> Sniffed:
    """What the file at `path` is. Blocks for a moment.

    Raises `MediaError`, whose message ends a sentence that begins with the name of the medium.
    """
    try:
        with path.open("rb") as file:
            window = Window(file)
            found = _found(window)
            return _checked(found, window.size)
    except CutShort:
        # A server that breaks off without saying so may do better at the next try.
        raise MediaError("ends in the middle") from None
    except TooMuchWork:
        raise MediaError("has too many pieces", lasting=True) from None
    except Odd as error:
        raise MediaError(str(error), lasting=True) from None
    except OSError as error:
        raise MediaError(f"cannot be read back ({error.strerror})") from None


def _found(window: Window) -> Found:
    if window.size == 0:
        raise Odd("is empty")
    head = window.some(0, _HEAD)
    for begins, reader in _READERS:
        if begins(head):
            found = reader(window)
            _require_one_thing(window, head)
            return found
    for magic, words in _NAMED:
        if head.startswith(magic):
            raise Odd(f"is {words}, not a medium")
    if _TEXT.match(head):
        raise Odd("is a text (a web page, a drawing or data), not a medium")
    raise Odd("is of no type that is known here")


def _require_one_thing(window: Window, head: bytes) -> None:
    """Refuse what is a medium at its beginning and something else at its end, or in between."""
    if b"%PDF-" in head[:1024]:
        raise Odd("is a PDF document as well")
    start = max(0, window.size - _ZIP_TAIL)
    tail = window.some(start, _ZIP_TAIL)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        record = tail[at : at + _ZIP_END]
        directory = start + at - int.from_bytes(record[12:16], "little")
        if len(record) == _ZIP_END and (
            (directory >= 0 and window.some(directory, 4) == b"PK\x01\x02")
            or at + _ZIP_END + int.from_bytes(record[20:22], "little") == len(tail)
        ):
            raise Odd("is an archive as well")
        at = tail.rfind(b"PK\x05\x06", 0, at)


def _checked(found: Found, size: int) -> Sniffed:
    width, height = found.width, found.height
    if found.kind is MediaKind.IMAGE:
        if not width or not height:
            raise Odd("has no size in pixels")
        if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
            raise Odd(f"announces {width} x {height} pixels, more than any picture needs")
    return Sniffed(
        found.mime, found.kind, size, width or None, height or None, found.ms, found.moving
    )
