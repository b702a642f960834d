"""The store of media: fetched, told by content, fitted, each for as long as it is needed.

The one module of this package that others need. Must not know posts, networks or what becomes of a
medium that cannot be had.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from yarl import URL

from bridge.core.capabilities import FileLimits, MediaLimits
from bridge.core.draft import DraftMedia
from bridge.core.errors import DiskFull, MediaError
from bridge.core.model import MediaKind
from bridge.media.download import FULL, Pace, TooMuch, download, require_room
from bridge.media.fit import Made, recode, redraw
from bridge.media.folder import PrivateFolder
from bridge.media.judge import Case, Instead, Keep, Recode, Redraw, too_large, word
from bridge.media.sniff import Sniffed, sniff
from bridge.net.visit import NotVisited, Visitor
from bridge.ports import LocalMedia

MOST_PICTURE = 64 << 20
"""Bytes of a picture that may be fetched to be made smaller."""

MOST_FILM = 1 << 30
"""Bytes of a film or sound where the network states no bound, or where it may be encoded anew."""

_AT_ONCE = 4
_NOWHERE = "an unreadable address"
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/ogg": ".ogv",
    "video/3gpp": ".3gp",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/wav": ".wav",
    "audio/aac": ".aac",
}


@dataclass(slots=True)
class _Held:
    """A file as it was fetched, and the files that were made of it and are still in use.

    `busy` is true while another one is being made of it.
    """

    path: Path
    found: Sniffed
    users: set[Path] = field(default_factory=set)
    busy: bool = False


class _Unfit(Exception):
    """A medium was had, and does not go; `why` ends a sentence about it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class FileMediaStore:
    """A `MediaStore` in a folder below `root`, of which nothing is left when it is closed.

    What is fetched while it is still in use is not fetched again. `transcode` has films that are
    too large encoded anew, where ffmpeg is installed. The visitor stays the caller's to close.
    Entering raises `ConfigError` where the folder cannot be used.
    """

    def __init__(
        self,
        root: Path,
        visitor: Visitor,
        *,
        transcode: bool = False,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self._folder = PrivateFolder(root)
        self._visitor = visitor
        self._transcode = transcode
        self._pace = pace
        self._held: dict[str, _Held] = {}
        self._address_of: dict[Path, str] = {}
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._downloads = asyncio.Semaphore(_AT_ONCE)
        # One at a time: unpacking is what takes memory.
        self._fitting = asyncio.Semaphore(1)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._folder.open)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Delete every file. Idempotent."""
        self._held.clear()
        self._address_of.clear()
        await asyncio.to_thread(self._folder.close)

    async def fetch(self, medium: DraftMedia, limits: MediaLimits) -> LocalMedia:
        """`medium` as a file that `limits` allow, re-encoded only where they would not.

        Where a film proves to be more than they allow, its still picture comes instead, with a
        note. Raises `MediaError`, naming the host, never the whole address; `DiskFull`, which is
        one, where this disk has no room.
        """
        name = f"the {word(medium.kind)} at {_host(medium.url)}"
        try:
            fetched = await self._fitted(medium.url, medium.kind, limits, name)
        except _Unfit as unfit:
            if medium.still is None or medium.kind is MediaKind.IMAGE:
                raise MediaError(f"{name} {unfit.why}; it is not passed on", lasting=True) from None
            still = f"the still picture at {_host(medium.still)}"
            try:
                fetched = await self._fitted(medium.still, MediaKind.IMAGE, limits, still)
            except _Unfit as worse:
                raise MediaError(
                    f"{name} {unfit.why}, and {still} {worse.why}; neither is passed on",
                    lasting=True,
                ) from None
            note = f"a still picture stands for the {word(medium.kind)}, which {unfit.why}"
            fetched = replace(fetched, note=f"{note}; {fetched.note}" if fetched.note else note)
        return replace(fetched, alt=medium.alt)

    async def discard(self, medium: LocalMedia) -> None:
        """Delete the file. Idempotent; a path that is not of this store is left alone."""
        self._folder.remove(medium.path)
        address = self._address_of.pop(medium.path, None)
        held = self._held.get(address or "")
        if held is not None:
            held.users.discard(medium.path)
            self._let_go(address or "", held)

    async def _fitted(
        self, address: str, kind: MediaKind, limits: MediaLimits, name: str
    ) -> LocalMedia:
        turn = self._turns.setdefault(address, asyncio.Lock())
        try:
            async with turn:
                held = self._held.get(address) or await self._fetched(address, kind, limits)
                held.busy = True
                try:
                    local = await self._made(held, kind, limits)
                    held.users.add(local.path)
                    self._address_of[local.path] = address
                    return local
                finally:
                    held.busy = False
                    self._let_go(address, held)
        except NotVisited as error:
            subject = (
                name if error.host in {"", _host(address)} else f"{name}, led to {error.host},"
            )
            raise MediaError(
                _outlook(f"{subject} {error}", error.lasting), lasting=error.lasting
            ) from None
        except DiskFull as error:
            raise DiskFull(_outlook(f"{name} {error}", False)) from None
        except MediaError as error:
            raise MediaError(
                _outlook(f"{name} {error}", error.lasting), lasting=error.lasting
            ) from None
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(
                    _outlook(f"{name} cannot be kept: the disk is full", False)
                ) from None
            raise MediaError(
                _outlook(f"{name} cannot be worked on here ({error.strerror})", False)
            ) from None

    async def _fetched(self, address: str, kind: MediaKind, limits: MediaLimits) -> _Held:
        most = self._most(kind, limits)
        if not most:
            raise _Unfit("is of a kind that is not taken there")
        pace = self._pace
        if kind is MediaKind.IMAGE:
            pace = replace(pace, total=min(pace.total, pace.picture))
        async with self._downloads:
            try:
                path = await download(self._visitor, self._folder, address, most=most, pace=pace)
            except TooMuch as error:
                raise _Unfit(too_large(error.size, most)) from None
        try:
            found = await asyncio.to_thread(sniff, path)
        except BaseException:
            self._folder.remove(path)
            raise
        held = _Held(path, found)
        self._held[address] = held
        return held

    def _most(self, kind: MediaKind, limits: MediaLimits) -> int:
        """How many bytes to fetch of what is said to be of this kind, before anything is known."""
        if kind is MediaKind.IMAGE:
            return MOST_PICTURE
        bounds = [_most(limits.video), _most(limits.animation)]
        if kind in {MediaKind.AUDIO, MediaKind.UNKNOWN}:
            bounds.append(_most(limits.audio))
        if kind in {MediaKind.GIFV, MediaKind.UNKNOWN}:
            # It may be a GIF, of which the first picture can be shown.
            bounds.append(MOST_PICTURE)
        if self._transcode:
            bounds.append(MOST_FILM)
        return max(bounds)

    async def _made(self, held: _Held, kind: MediaKind, limits: MediaLimits) -> LocalMedia:
        judgement = Case(held.found, kind, limits, recode=self._transcode).judged()
        match judgement:
            case Keep(kind=kind, mime=mime):
                path = await asyncio.to_thread(
                    self._folder.again, held.path, _ENDINGS.get(held.found.mime, "")
                )
                return LocalMedia(path, kind, mime, held.found.size)
            case Redraw(limits=bounds):
                async with self._fitting, self._file() as (path, descriptor):
                    made = await redraw(held.path, held.found, bounds, descriptor)
                    return self._named(path, MediaKind.IMAGE, made)
            case Recode(limits=bounds):
                async with self._fitting, self._file() as (path, _):
                    try:
                        made = await recode(held.path, held.found, bounds, path)
                    except MediaError as error:
                        # An encoder does not say that it lacked room.
                        require_room(self._folder, 0, self._pace)
                        raise _Unfit(f"{judgement.why} and {error}") from None
                    return self._named(path, MediaKind.VIDEO, made)
            case Instead(why=why):
                raise _Unfit(why)

    @contextlib.asynccontextmanager
    async def _file(self) -> AsyncIterator[tuple[Path, int]]:
        """A new file to write to, gone again where the block fails."""
        require_room(self._folder, MOST_PICTURE, self._pace)
        path, descriptor = await asyncio.to_thread(self._folder.new_file)
        try:
            yield path, descriptor
        except BaseException:
            self._folder.remove(path)
            raise
        finally:
            os.close(descriptor)

    def _named(self, path: Path, kind: MediaKind, made: Made) -> LocalMedia:
        """A file that was made, under a name with the ending of its type."""
        named = path.rename(self._folder.new_path(_ENDINGS.get(made.mime, "")))
        return LocalMedia(named, kind, made.mime, named.stat().st_size, note=made.note)

    def _let_go(self, address: str, held: _Held) -> None:
        """Delete what was fetched once nothing that was made of it is in use."""
        if not held.users and not held.busy:
            self._folder.remove(held.path)
            if self._held.get(address) is held:
                del self._held[address]


def _most(limits: FileLimits) -> int:
    if not limits.types:
        return 0
    return MOST_FILM if limits.max_bytes is None else limits.max_bytes


def _host(address: str) -> str:
    """The host in `address`, as the visitor names it."""
    try:
        return (URL(address).raw_host or _NOWHERE)[:253]
    except ValueError:
        return _NOWHERE


def _outlook(sentence: str, lasting: bool) -> str:  # noqa: FBT001 - one caller's attribute
    after = "it is not passed on" if lasting else "a later try may bring it"
    return f"{sentence}; {after}"
