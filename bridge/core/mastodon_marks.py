"""What a Mastodon server takes for a link, mention or hashtag: one function a kind, linear time.

After Mastodon's `Extractor`, its changes to the Ruby twitter-text and `Account::MENTION_RE`, as of
4.6. Offsets are code points. Each function stands for itself; `bridge.core.entities` settles what
overlaps. Links to `xmpp:` and `magnet:` addresses, which count in full, are left out. Must not
know what the bridge wants of a text.
"""

from __future__ import annotations

import re
import stringprep
from collections.abc import Iterator
from encodings import idna
from typing import NamedTuple

import regex

from bridge.core.hosts import (
    ACCENTED_ANY_CASE,
    DIRECTION_MARKS,
    NEVER_VALID,
    RUBY_FOLDS,
    SPACES,
    Dialect,
    addresses,
    known_tld_in_ruby,
    runs_of,
)
from bridge.core.recall import recalled
from bridge.core.text import Span, SpanKind

SCHEMES = ("https", "http", "dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "gemini")
MAX_URL = 4096
MAX_TCO_SLUG = 40
MAX_MENTION_HOST = 253
"""Limits in code points; beyond them nothing is a link or a mention."""

_WHITE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PATH = rf"[^{_WHITE}<>()?]"
_BRACKETS = rf"\((?:{_PATH}++\)|{_PATH}*+\({_PATH}++\){_PATH}*+\))"
_PATH_PIECE_RE = re.compile(rf"{_PATH}++|{_BRACKETS}")
_NOT_LAST_IN_PATH = "!*\"'「」<>;:=,.$%[]~&|@"
_LATIN_PATH = (
    r"[0-9A-Za-z\u0400-\u052f\u1c80-\u1c88\u1d2b\u1d78\u2de0-\u2dff\ua640-\ua69f!*';:=+,.$/%#\[\]"
    r"\-\u058a\u05be\u1400\u1806\u2010-\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u301c\u3030\u30a0"
    rf"\ufe31\ufe32\ufe58\ufe63\uff0d_~&|@{ACCENTED_ANY_CASE}]"
)
_LAST_BRACKETS_RE = re.compile(
    rf"\((?:{_LATIN_PATH}++|{_LATIN_PATH}*+\({_LATIN_PATH}++\){_LATIN_PATH}*+)\)"
)
_PORT_RE = re.compile(r":[0-9]+")
_BEYOND_LATIN = (
    r"\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\uffef\U00010000-\U0001fffd\U00020000-\U0002fffd"
    r"\U00030000-\U0003fffd\U00040000-\U0004fffd\U00050000-\U0005fffd\U00060000-\U0006fffd"
    r"\U00070000-\U0007fffd\U00080000-\U0008fffd\U00090000-\U0009fffd\U000a0000-\U000afffd"
    r"\U000b0000-\U000bfffd\U000c0000-\U000cfffd\U000d0000-\U000dfffd\U000e1000-\U000efffd"
    r"\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)
_QUERY_RE = re.compile(rf"\?([0-9A-Za-z!?*'();:&=+$/%#\[\]\-_.,~|@^{_BEYOND_LATIN}]*+)")
_NOT_LAST_IN_QUERY = "!?*'();:+$%[].,~|@^"
_TCO_RE = re.compile(
    r"http[sſ]?://t\.co/([0-9A-Za-zſK]+)(?:\?[0-9A-Za-z!?*'();:&=+$/%#\[\]\-_.,~|@]*[0-9A-Za-z_&=#/\-])?",
    re.IGNORECASE | re.ASCII,
)


def _path_end(text: str, position: int) -> int:
    """The end of a path that begins with the `/` at `position`."""
    pieces = [(position, position + 1)]
    end = position + 1
    while piece := _PATH_PIECE_RE.match(text, end):
        pieces.append(piece.span())
        end = piece.end()
    for start, stop in reversed(pieces):
        if text[start] == "(":
            # Only brackets around Latin or Cyrillic may end a path.
            if _LAST_BRACKETS_RE.fullmatch(text, start, stop):
                return stop
        elif kept := text[start:stop].rstrip(_NOT_LAST_IN_PATH):
            return start + len(kept)
    return position + 1


def _tail(text: str, position: int) -> int:
    """The end of port, path and query after a host that ends at `position`."""
    if port := _PORT_RE.match(text, position):
        position = port.end()
    if text.startswith("/", position):
        position = _path_end(text, position)
    query = _QUERY_RE.match(text, position)
    kept = query[1].rstrip(_NOT_LAST_IN_QUERY) if query else ""
    return position + 1 + len(kept) if kept else position


_RUNS = runs_of(
    rf"!\"#$%&'()*+,/:;<=>?@\[\]^`{{|}}~\x00-\x1f\x7f{SPACES}{NEVER_VALID}{DIRECTION_MARKS}"
)
MASTODON = Dialect(
    runs=_RUNS[0],
    telling_runs=_RUNS[1],
    schemes=SCHEMES,
    tail=_tail,
    tld=known_tld_in_ruby,
    utf16=False,
    folds=RUBY_FOLDS,
)


@recalled
def links(text: str) -> tuple[Span, ...]:
    """Everything that Mastodon would turn into a link: addresses with a scheme only."""
    return tuple(_links(text))


def _links(text: str) -> Iterator[Span]:
    for found in addresses(text, MASTODON):
        if not found.has_scheme:
            continue
        end = found.end
        if slug := _TCO_RE.match(text, found.start, end):
            if len(slug[1]) > MAX_TCO_SLUG:
                continue
            end = slug.end()
        encoded = _encoded_length(text[found.host_start : found.host_end])
        host = found.host_end - found.host_start
        if encoded and end - found.start + max(encoded - host, 0) <= MAX_URL:
            yield Span(found.start, end, SpanKind.LINK, text[found.start : end])


def _encoded_length(host: str) -> int:
    """Length of a host in punycode by IDNA 2003 without unassigned code points; 0 for none."""
    if len(host) > MAX_URL:
        return 0
    try:
        return (
            sum(len(_encoded(label)) + 1 for label in re.split("[.\u3002\uff0e\uff61]", host)) - 1
        )
    except UnicodeError:
        return 0


def _encoded(label: str) -> bytes:
    if not label.isascii():
        if any(map(stringprep.in_table_a1, label)):
            raise UnicodeError("a code point that was not assigned in Unicode 3.2")
        label = idna.nameprep(label)
    return idna.ToASCII(label)


WORD = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"
"""Inside of a character class of `regex`: what Ruby's `[[:word:]]` matches."""

_NAME = r"[0-9A-Za-z_\u017f\u212a]++"
_MENTION_RE = regex.compile(
    rf"(?<![=/{WORD}])@({_NAME}(?:[.-]++{_NAME})*+)(?:@([{WORD}]++(?:[.-]++[{WORD}]++)*+))?+"
)
_AFTER_MENTION_RE = re.compile(rf"[@\uff20]|[{ACCENTED_ANY_CASE}]|://")


class Mention(NamedTuple):
    """A mention: ``[start, end)``, its name, and its host or nothing."""

    start: int
    end: int
    name: str
    host: str

    @property
    def handle(self) -> str:
        """``@name@host``, or ``@name`` where the text names no host."""
        return f"@{self.name}@{self.host}" if self.host else f"@{self.name}"


def summoned(text: str) -> Iterator[Mention]:
    """Everybody whom a server would look up and notify.

    Wider than `mentions`: it goes by the bare expression, in links and before accents too.
    """
    for found in _MENTION_RE.finditer(text):
        yield Mention(found.start(), found.end(), found[1], found[2] or "")


def mentions(text: str) -> Iterator[Mention]:
    """Everything that is counted and shown as a mention."""
    for found in summoned(text):
        if len(found.host) <= MAX_MENTION_HOST and not _AFTER_MENTION_RE.match(text, found.end):
            yield found


_JOINING = r"_\xb7\u30fb\u200c"
_HASHTAG_RE = regex.compile(
    rf"(?:(?<![/)0-9A-Za-z_])#|(?<![^\s])[#\uff03])([{WORD}][{WORD}{_JOINING}]*+)"
)
_INNER_RE = regex.compile(rf"[\p{{Alphabetic}}{_JOINING}]")
_LETTER_RE = regex.compile(r"\p{Alphabetic}")
_PLAIN_RE = regex.compile(rf"[{WORD}]++")


def hashtags(text: str) -> Iterator[Span]:
    """Everything that a Mastodon of any age since 4.0 would take for a hashtag."""
    consumed = 0
    for found in _HASHTAG_RE.finditer(text):
        start, first = found.start(), found.start(1)
        end = _hashtag_end(text, first, found.end())
        if end == first or 0 < start == consumed:
            continue
        consumed = end
        if text.startswith("://", end):
            schemes = (s for s in ("https", "http") if text[first + 1 : end].endswith(s))
            end -= len(next(schemes, ""))
        yield Span(start, end, SpanKind.HASHTAG, text[first:end])


def _hashtag_end(text: str, first: int, end: int) -> int:
    """The end of the name that begins at `first`, in a run of its characters; `first` for none."""
    last = first + len(text[first:end].rstrip("\xb7\u30fb\u200c"))
    if _INNER_RE.search(text, first + 1, last - 1):
        return last
    plain = _PLAIN_RE.match(text, first, end)
    return plain.end() if plain and _LETTER_RE.search(text, first, plain.end()) else first
