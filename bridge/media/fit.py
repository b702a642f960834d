"""Making a file that a network takes of one that it does not, in a confined process.

Must not be asked for what is within limits already. Nothing of a picture or film is unpacked in
this process, and Pillow is not even loaded here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bridge.core.capabilities import FileLimits
from bridge.core.errors import DiskFull, MediaError
from bridge.media.confined import Bounds, Ended, Files, run
from bridge.media.judge import in_mb
from bridge.media.sniff import MOST_PIXELS, Sniffed

_CHILD = Path(__file__).with_name("child.py")
_PICTURE = Bounds(memory=1 << 30, seconds=60, file=64 << 20)
_PICTURE_WAIT = 90.0
_FILM = Bounds(memory=2 << 30, seconds=900, file=1 << 30)
_FILM_WAIT = 1200.0
_FORMS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/ogg": "ogg",
}
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store")
_SOUND_BITS = 96_000
_FEWEST_BITS = 150_000
"""A second of film at less than that shows nothing; then a still picture says more."""

_MOST_BITS = 5_000_000
_OVERHEAD = 0.94
_LONGEST_SIDE = 1280
_REASONS = {
    "memory": "needs more memory to be unpacked than a picture is given",
    "broken": "cannot be unpacked: it is damaged, or not what it seems",
    "heic": (
        "is in HEIC, which is not taken there and cannot be unpacked here; "
        "to have such pictures changed into JPEG, install twinpost[heic]"
    ),
    "types": "is of a type that is not taken, and none that is can be made of it",
    "limits": "cannot be made small enough",
}
_NO_ROOM = "disk"


@dataclass(frozen=True, slots=True)
class Made:
    """What was written, and a sentence's worth about how it differs."""

    mime: str
    note: str


async def redraw(
    source: Path, found: Sniffed, limits: FileLimits, target: int, *, bounds: Bounds = _PICTURE
) -> Made:
    """Write a picture within `limits` to the descriptor `target`, made of the first of `source`.

    Turned upright, without metadata, with its colours. Raises `MediaError`, whose message ends a
    sentence that begins with the name of the medium, `DiskFull` for a disk without room, and
    `OSError` where no process can be started.
    """
    wanted = {
        "mime": found.mime,
        "types": sorted(limits.types),
        "most_pixels": MOST_PIXELS,
        "max_bytes": limits.max_bytes,
        "max_pixels": limits.max_pixels,
        "max_width": limits.max_width,
        "max_height": limits.max_height,
    }
    # -P: the modules beside the script must not stand for others of the same name.
    program = [sys.executable, "-P", str(_CHILD), json.dumps(wanted)]
    with source.open("rb") as file:
        ended = await run(program, bounds, wait=_PICTURE_WAIT, source=file.fileno(), target=target)
    said = _said(ended)
    if ended.code != 0 or "mime" not in said:
        code = str(said.get("error", ""))
        if code == _NO_ROOM:
            raise DiskFull("cannot be kept: the disk is full")
        raise MediaError(_REASONS.get(code) or _ended_badly(ended), lasting=True)
    mime, before, after = str(said["mime"]), said["before"], said["after"]
    notes = []
    if before != after:
        notes.append("scaled from {} x {} to {} x {} pixels".format(*before, *after))
    if mime != found.mime:
        notes.append(f"changed from {_form(found.mime)} to {_form(mime)}")
    if found.moving:
        notes.append("only its first picture is shown")
    return Made(mime, ", ".join(notes) or "packed more tightly")


async def recode(source: Path, found: Sniffed, limits: FileLimits, target: Path) -> Made:
    """Write a film within `limits` to the file `target`, by ffmpeg. Raises as `redraw` does."""
    ffmpeg = shutil.which("ffmpeg")
    form = _FORMS.get(found.mime)
    if ffmpeg is None or form is None:
        raise MediaError(f"cannot be encoded anew ({'no ffmpeg' if form else found.mime})")
    most = limits.max_bytes if limits.max_bytes is not None else _FILM.file
    # Before it is confined: there it can write to a file, and make none.
    await asyncio.to_thread(target.touch, 0o600)
    bits = _MOST_BITS
    if found.ms:
        bits = min(bits, int(most * 8 * _OVERHEAD / (found.ms / 1000)) - _SOUND_BITS)
    for _ in range(2):
        if bits < _FEWEST_BITS:
            break
        program = [ffmpeg, *_arguments(source, form, found, limits, bits), f"file:{target}"]
        ended = await run(program, _FILM, wait=_FILM_WAIT, files=_needed(ffmpeg, source, target))
        if ended.code != 0:
            raise MediaError(_ended_badly(ended), lasting=True)
        size = _size(target)
        if size <= most:
            note = f"encoded anew to {in_mb(size)} from {in_mb(found.size)}"
            return Made("video/mp4", note)
        bits = int(bits * most / size * _OVERHEAD)
    raise MediaError("is too long to be made small enough", lasting=True)


def _arguments(source: Path, form: str, found: Sniffed, limits: FileLimits, bits: int) -> list[str]:
    side = min(_LONGEST_SIDE, limits.max_width or _LONGEST_SIDE, limits.max_height or _LONGEST_SIDE)
    scale = min(1.0, side / max(found.width or side, found.height or side, 1))
    if limits.max_pixels is not None and found.pixels:
        scale = min(scale, (limits.max_pixels / found.pixels) ** 0.5)
    return [
        *("-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
        # A film must not have other files, or other hosts, read.
        *("-protocol_whitelist", "file", "-f", form, "-threads", "1", "-i", f"file:{source}"),
        *("-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1"),
        *(
            "-map_chapters",
            "-1",
            "-vf",
            f"scale=trunc(iw*{scale:.6f}/2)*2:trunc(ih*{scale:.6f}/2)*2",
        ),
        # One thread: the daemon may be alone with one slow processor.
        *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1"),
        *("-b:v", str(bits), "-maxrate", str(bits), "-bufsize", str(2 * bits)),
        *("-c:a", "aac", "-b:a", str(_SOUND_BITS), "-ac", "2", "-movflags", "+faststart"),
        *("-f", "mp4"),
    ]


def _needed(ffmpeg: str, source: Path, target: Path) -> Files:
    """What ffmpeg may reach: its libraries, the film, and the file that it writes and rereads."""
    found = Path(ffmpeg).resolve()
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return Files(
        read=("/etc/ld.so.cache", "/dev/null", "/dev/urandom", str(source)),
        run=(*_SYSTEM, str(found), *filter(os.path.isabs, libraries)),
        write=(str(target),),
    )


def _said(ended: Ended) -> dict[str, list[int] | str]:
    """The last line of what a child said, if it is as agreed."""
    lines = ended.words.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _ended_badly(ended: Ended) -> str:
    if not ended.in_time or ended.code == -24:  # noqa: PLR2004 - SIGXCPU
        return "takes too long to be unpacked"
    if ended.code < 0:
        return f"cannot be unpacked: it breaks the decoder (signal {-ended.code})"
    return "cannot be unpacked"


def _size(path: Path) -> int:
    return path.stat().st_size


def _form(mime: str) -> str:
    return mime.partition("/")[2].upper()
