"""Reading small pieces of a large file at any place. Must not know what they mean."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

MOST_STEPS: Final = 300_000
"""Pieces that may be read of one file: more than a picture of 64 MB has, in whatever format."""

MOST_BYTES: Final = 8 << 20
"""Bytes of all these pieces together."""


class CutShort(Exception):
    """A file ends before what it announces."""


class TooMuchWork(Exception):
    """A file has more pieces, or larger ones, than anybody should look at."""


class Work:
    """How much was read of one file, whatever part of it was asked for."""

    def __init__(self) -> None:
        self._steps, self._bytes = MOST_STEPS, MOST_BYTES

    def spend(self, count: int) -> None:
        """One more piece, of `count` bytes. Raises `TooMuchWork`."""
        self._steps -= 1
        self._bytes -= count
        if self._steps < 0 or self._bytes < 0:
            raise TooMuchWork


class Window:
    """A file opened for reading, of which a part may be seen: `size` bytes from `start` on.

    Every look at the file is counted, for all windows on it together: whoever reads in a loop needs
    no bound of his own.
    """

    def __init__(
        self,
        file: BinaryIO,
        start: int = 0,
        size: int | None = None,
        work: Work | None = None,
    ) -> None:
        self._file = file
        self._start = start
        self._work = Work() if work is None else work
        self.size = os.fstat(file.fileno()).st_size - start if size is None else size

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises `CutShort` where there are fewer."""
        if offset < 0 or offset + count > self.size:
            raise CutShort
        found = self.some(offset, count)
        if len(found) != count:
            raise CutShort
        return found

    def some(self, offset: int, count: int) -> bytes:
        """At most `count` bytes at `offset`, fewer at the end."""
        self._work.spend(count)
        if offset >= self.size:
            return b""
        self._file.seek(self._start + offset)
        return self._file.read(min(count, self.size - offset))

    def number(self, offset: int, count: int, *, little: bool = False) -> int:
        """The unsigned number in `count` bytes at `offset`, the high byte first if not `little`."""
        return int.from_bytes(self.read(offset, count), "little" if little else "big")

    def part(self, offset: int, size: int) -> Window:
        """A window on `size` bytes at `offset` of this one."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise CutShort
        return Window(self._file, self._start + offset, size, self._work)
