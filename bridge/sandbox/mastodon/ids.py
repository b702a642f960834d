"""Ids as the different servers make them, and how each server's pages are ordered.

Must not be used to learn anything from an id that came from outside but its place in a page.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime

from bridge.sandbox.mastodon.profiles import IdKind

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ULID_LENGTH = 26
_FLAKE_LENGTH = 18
_FLAKE_TAIL_BITS = 64
_RANDOM_BITS = 80
_TAIL_BITS = 16
_DIGITS = re.compile(r"\d{1,20}")

SortKey = tuple[int, str]
"""Orders one account's posts; the larger is the newer, as far as this kind of server knows."""


class IdMaker:
    """Makes the ids of one server.

    `snowflake`: milliseconds and a sequence, as decimal digits. `ulid`: 26 characters, growing
    within a millisecond. `flake`: 18 letters and digits whose order is that of time. `hash`: 32
    hexadecimal digits without any order. `draw(bits)` gives randomness.
    """

    def __init__(self, kind: IdKind, draw: Callable[[int], int] = secrets.randbits) -> None:
        self._kind = kind
        self._draw = draw
        self._tails: dict[int, int] = {}
        self._made = 0

    def make(self, moment: datetime) -> str:
        """A new id for something that came to be at `moment`."""
        self._made += 1
        milliseconds = int(moment.timestamp() * 1000)
        if self._kind == "hash":
            seed = f"{milliseconds}-{self._made}-{self._draw(64)}"
            return hashlib.sha256(seed.encode()).hexdigest()[:32]
        if self._kind == "ulid":
            tail = self._next(milliseconds, lambda: self._draw(_RANDOM_BITS - 1))
            return _base32(milliseconds << _RANDOM_BITS | tail)
        if self._kind == "flake":
            tail = self._next(milliseconds, lambda: 0)
            return _base62(milliseconds << _FLAKE_TAIL_BITS | tail)
        tail = self._next(milliseconds, lambda: self._draw(_TAIL_BITS - 2))
        return str((milliseconds << _TAIL_BITS) + tail)

    def sort_key(self, status_id: str, created_at: datetime, number: int) -> SortKey:
        """Where a post stands among the posts of its account; `number` counts posts made."""
        if self._kind == "hash":
            return int(created_at.timestamp() * 1_000_000), f"{number:012}"
        return self.cursor(status_id)

    def cursor(self, given: str) -> SortKey:
        """The place that `given` names, whether or not anything has that id.

        As PostgreSQL sees it through Rails: what is no number is 0. ULIDs and flakes, all of one
        length, compare as text.
        """
        if self._kind == "snowflake":
            number = _DIGITS.match(given.strip())
            return (int(number.group()) if number else 0), ""
        return 0, given

    def _next(self, milliseconds: int, start: Callable[[], int]) -> int:
        before = self._tails.get(milliseconds)
        tail = start() if before is None else before + 1
        self._tails[milliseconds] = tail
        return tail


def _base62(number: int) -> str:
    digits = []
    for _ in range(_FLAKE_LENGTH):
        number, digit = divmod(number, len(_BASE62))
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))


def _base32(number: int) -> str:
    digits = []
    for _ in range(_ULID_LENGTH):
        digits.append(_CROCKFORD[number & 31])
        number >>= 5
    return "".join(reversed(digits))
