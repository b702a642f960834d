"""A file from the internet onto this disk: private, bounded in bytes and time, never in memory.

Must not know what the file is, and must not use any name that came with it.
"""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bridge.core.errors import DiskFull, MediaError
from bridge.media.folder import PrivateFolder
from bridge.net.visit import NotVisited, Visitor

_PIECE = 256 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says where a disk, or its user's share of it, has no room."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a host may be: `least` bytes a second in each `window`, `total` for one file.

    Times in seconds; `picture` is the total for what is said to be a picture. `reserve` bytes of
    the disk are left free, for the ledger.
    """

    total: float = 300
    picture: float = 90
    window: float = 20
    least: int = 4096
    reserve: int = 64 << 20


class TooMuch(Exception):
    """A file has more bytes than are wanted: `size` of them, None where it was not announced."""

    def __init__(self, size: int | None) -> None:
        super().__init__()
        self.size = size


async def download(
    visitor: Visitor, folder: PrivateFolder, address: str, *, most: int, pace: Pace
) -> Path:
    """What lies at `address`, as a private file of at most `most` bytes; nothing is left otherwise.

    Raises `NotVisited`, `TooMuch`, `DiskFull`, and `MediaError` where the file cannot be written;
    the messages end a sentence that begins with the name of the medium.
    """
    try:
        async with asyncio.timeout(pace.total), visitor.get(address) as response:
            return await _kept(response, folder, most, pace)
    except aiohttp.ServerTimeoutError:
        raise NotVisited("fell silent in the middle") from None
    except TimeoutError:
        raise NotVisited(f"did not come within {pace.total:g} s") from None
    except aiohttp.ClientError:
        # Also less than was announced; what it says may quote addresses.
        raise NotVisited("broke off in the middle") from None
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull("cannot be kept: the disk is full") from None
        raise MediaError(f"cannot be kept ({error.strerror})") from None


async def _kept(
    response: aiohttp.ClientResponse, folder: PrivateFolder, most: int, pace: Pace
) -> Path:
    announced = response.content_length
    if announced is not None and announced > most:
        raise TooMuch(announced)
    require_room(folder, announced or 0, pace)
    path, descriptor = await asyncio.to_thread(folder.new_file)
    try:
        await _poured(response, descriptor, folder, most, pace)
    except BaseException:
        folder.remove(path)
        raise
    finally:
        os.close(descriptor)
    return path


async def _poured(
    response: aiohttp.ClientResponse, descriptor: int, folder: PrivateFolder, most: int, pace: Pace
) -> None:
    clock = asyncio.get_running_loop().time
    size, window_size, window_end = 0, 0, clock() + pace.window
    piece = bytearray()
    async for data in response.content.iter_any():
        size += len(data)
        window_size += len(data)
        if size > most:
            raise TooMuch(None)
        if clock() >= window_end:
            if window_size < pace.least * pace.window:
                raise NotVisited("comes too slowly")
            window_size, window_end = 0, clock() + pace.window
        piece += data
        if len(piece) >= _PIECE:
            require_room(folder, len(piece), pace)
            await asyncio.to_thread(_write, descriptor, bytes(piece))
            piece.clear()
    await asyncio.to_thread(_write, descriptor, bytes(piece))


def require_room(folder: PrivateFolder, size: int, pace: Pace) -> None:
    """Raise `DiskFull` where `size` more bytes would leave the disk too full."""
    if folder.free_bytes() - size < pace.reserve:
        raise DiskFull("cannot be kept: the disk is nearly full")


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
