"""Reading small pieces of a large file at any place. Must not know what they mean."""

from __future__ import annotations

import os
from typing import BinaryIO


class CutShort(Exception):
    """A file ends before what it announces."""


class Window:
    """A file opened for reading, of which a part may be seen: `size` bytes from `start` on.

    Pieces are small; nobody asks for more than is needed to tell what a file is.
    """

    def __init__(self, file: BinaryIO, start: int = 0, size: int | None = None) -> None:
        self._file = file
        self._start = start
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
        return Window(self._file, self._start + offset, size)
