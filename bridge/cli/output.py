"""Standard streams that no argument, file name or remote text can use to steer a terminal.

Every command writes through them. Must not decide what is said.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

_STEERING = re.compile(
    r"(\x1b\[[0-9;]*m)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control, line-separating and direction-changing characters; group 1 only sets a color."""


class SafeStream:
    r"""A text stream that writes control characters out as ``\uXXXX``, which JSON reads too.

    Line feeds, tabs and, on a terminal, colors pass. Characters that the stream's encoding lacks
    are written out as well instead of failing the command.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text`; returns its length."""
        colored = self._stream.isatty()

        def written_out(match: re.Match[str]) -> str:
            if match[1] and colored:
                return match[1]
            return f"\\u{ord(match[0][0]):04x}{match[0][1:]}"

        safe = _STEERING.sub(written_out, text)
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(safe.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Have everything that is printed inside the block pass through `SafeStream`s."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", SafeStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
