"""What X takes for a link, a mention, a hashtag or a cashtag: one function a kind, linear time.

After twitter-text 3.1.0 (JavaScript), which the weighted counter is defined by. Offsets are code
points. Each function stands for itself; `bridge.core.entities` settles what overlaps. Must not
know what the bridge wants of a text.

Where X's library in JavaScript differs: letters newer than 2014 make no hashtags there; a name that
occurs twice within one international host is there placed where it occurs first.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import NamedTuple

import regex

from bridge.core.hosts import (
    ACCENTED,
    ACCENTED_ANY_CASE,
    DIRECTION_MARKS,
    NEVER_VALID,
    NO_FOLDS,
    SPACES,
    Address,
    Dialect,
    addresses,
    known_tld,
    runs_of,
)
from bridge.core.recall import recalled
from bridge.core.text import Span, SpanKind

MAX_URL = 4096
MAX_LABEL = 63
MAX_TCO_SLUG = 40
"""Limits of the reference library, in UTF-16 code units; beyond them nothing is a link."""

_NO_SCHEME_LENGTH = len("https://")
_SURELY_SHORT = 8
_PATH = r"0-9A-Za-z\u0400-\u04ff\u1c80-\u1c87!*';:=+,.$/%#\[\]\-\u2013_~@|&" + ACCENTED_ANY_CASE
_NOT_LAST_IN_PATH = "!*';:,.$%[]\u2013~@|&"
_PATH_PIECE_RE = re.compile(
    rf"[{_PATH}]++|\((?:[{_PATH}]++\)|[{_PATH}]*+\([{_PATH}]++\)[{_PATH}]*+\))"
)
_PORT_RE = re.compile(r":[0-9]+")
_QUERY_RE = re.compile(r"\?([0-9A-Za-z!?*'@();:&=+$/%#\[\]\-_.,~|]*+)")
_NOT_LAST_IN_QUERY = "!?*'@();:+$%[].,~|"
_TCO_RE = re.compile(r"https?://t\.co/([0-9A-Za-z]+)", re.IGNORECASE | re.ASCII)
_PLAIN_HOST_RE = re.compile(r"[-.0-9A-Za-z]+")
_SEPARATORS_RE = re.compile("[.\u3002\uff0e\uff61]")
_LINKABLE_RE = re.compile(rf"[-0-9A-Za-z{ACCENTED_ANY_CASE}]\.")
_NOT_BEFORE_LINK = frozenset("-_./")
_ASCII_LABEL = re.compile(rf"[-0-9A-Za-z{ACCENTED_ANY_CASE}]*")
_ASCII_LABEL_END = re.compile(rf"[-0-9A-Za-z{ACCENTED_ANY_CASE}]+\Z")


def _path_end(text: str, position: int) -> int:
    """The end of a path that begins with the `/` at `position`.

    It ends with a letter, digit or one of a few signs, or with balanced brackets right behind one
    or behind the first `/`.
    """
    end = position + 1
    complete = True
    while piece := _PATH_PIECE_RE.match(text, position + 1):
        position = piece.end() - 1
        if text[piece.start()] == "(":
            if complete:
                end = piece.end()
        elif kept := piece[0].rstrip(_NOT_LAST_IN_PATH):
            end = piece.start() + len(kept)
            complete = end == piece.end()
        else:
            complete = False
    return end


def _query_end(text: str, position: int) -> int:
    query = _QUERY_RE.match(text, position)
    kept = query[1].rstrip(_NOT_LAST_IN_QUERY) if query else ""
    return position + 1 + len(kept) if kept else position


def _tail(text: str, position: int) -> int:
    """The end of port, path and query after a host that ends at `position`."""
    if port := _PORT_RE.match(text, position):
        position = port.end()
    if text.startswith("/", position):
        position = _path_end(text, position)
    return _query_end(text, position)


_RUNS = runs_of(rf"!'#%&()*+,\\/:;<=>?@\[\]^{{|}}~${SPACES}{NEVER_VALID}{DIRECTION_MARKS}")
X = Dialect(
    runs=_RUNS[0],
    telling_runs=_RUNS[1],
    schemes=("https", "http"),
    tail=_tail,
    tld=known_tld,
    utf16=True,
    folds=NO_FOLDS,
)


class Link(NamedTuple):
    """A link as X sees it: ``[start, end)``, its host within it, and the address meant.

    `url` leaves out what stands between host and path, where X drops it: letters of another
    script (``example.com日本.みんな/a`` leads to ``example.com/a``).
    """

    start: int
    end: int
    host_start: int
    host_end: int
    url: str

    @property
    def has_scheme(self) -> bool:
        """Whether its author wrote `http://` or `https://`."""
        return self.host_start > self.start


def links(text: str, dialect: Dialect = X) -> Iterator[Link]:
    """Everything that X would turn into a link, with a scheme or without."""
    for found in addresses(text, dialect):
        if not found.has_scheme:
            linkable = _LINKABLE_RE.search(text, found.host_start, found.host_end)
            if linkable and found.before not in _NOT_BEFORE_LINK and _valid(text, found, dialect):
                yield from _ascii_links(text, found, dialect)
            continue
        if not _valid(text, found, dialect):
            continue
        end = found.end
        if slug := _TCO_RE.match(text, found.start, found.end):
            if len(slug[1]) > MAX_TCO_SLUG:
                continue
            end = _query_end(text, slug.end()) if slug.end() < found.end else slug.end()
        url = text[found.start : end]
        yield Link(found.start, end, found.host_start, found.host_end, url)


@recalled
def sure_links(text: str) -> tuple[Link, ...]:
    """What `links` finds by X's own rule."""
    return tuple(links(text))


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _valid(text: str, found: Address, dialect: Dialect) -> bool:
    url, host = text[found.start : found.end], text[found.host_start : found.host_end]
    scheme = found.host_start - found.start or _NO_SCHEME_LENGTH
    if scheme + _units(url) > MAX_URL:
        return False
    if host.startswith("xn--") and not any(_ascii_hosts(host, dialect)):
        return False
    if len(host) <= MAX_LABEL and host.isascii():
        return True
    return all(map(_label_fits, host.split(".")))


def _label_fits(label: str) -> bool:
    """Whether a label in punycode keeps within `MAX_LABEL`."""
    if label.isascii() or len(label) > MAX_LABEL:
        return 0 < len(label) <= MAX_LABEL
    if len(label) <= _SURELY_SHORT:
        return True
    parts = _SEPARATORS_RE.split(label)
    lengths = (len(p) if p.isascii() else 4 + len(p.encode("punycode")) for p in parts)
    return sum(lengths) + len(parts) - 1 <= MAX_LABEL


def _has_path(text: str, found: Address) -> bool:
    port = _PORT_RE.match(text, found.host_end, found.end)
    return text.startswith("/", port.end() if port else found.host_end, found.end)


def _ascii_links(text: str, found: Address, dialect: Dialect) -> Iterator[Link]:
    """Links without a scheme: only the ASCII (and accented Latin) names within the host."""
    base = found.host_start
    if _PLAIN_HOST_RE.fullmatch(text, base, found.host_end):
        end = found.end if _has_path(text, found) else found.host_end
        yield Link(base, end, base, found.host_end, text[base:end])
        return
    hosts = [(base + a, base + b) for a, b in _ascii_hosts(text[base : found.host_end], dialect)]
    with_path = _has_path(text, found)
    for index, (start, end) in enumerate(hosts):
        if with_path and index == len(hosts) - 1:
            url = text[start:end] + text[found.host_end : found.end]
            yield Link(start, found.end, start, end, url)
        else:
            yield Link(start, end, start, end, text[start:end])


def _ascii_hosts(host: str, dialect: Dialect) -> Iterator[tuple[int, int]]:
    """Names made of ASCII and accented Latin labels within a host, and their places in it."""
    labels = host.split(".")
    starts = [0]
    for label in labels:
        starts.append(starts[-1] + len(label) + 1)
    tlds = [dialect.tld(host, starts[i], starts[i + 1] - 1) for i in range(len(labels))]
    reach = [0] * (len(labels) + 1)
    for index in range(len(labels) - 1, 0, -1):
        found = _ASCII_LABEL.fullmatch(labels[index])
        if found and found[0] and index + 1 < len(labels):
            reach[index] = reach[index + 1] or (index + 1 if tlds[index + 1] else 0)
    consumed = index = 0
    while index + 1 < len(labels):
        last = reach[index + 1] or (index + 1 if tlds[index + 1] else 0)
        begin = max(starts[index], consumed)
        tail = _ASCII_LABEL_END.search(host, begin, starts[index + 1] - 1) if last else None
        if tail is None:
            index += 1
            continue
        yield tail.start(), tlds[last]
        consumed, index = tlds[last], last


_MENTION_RE = re.compile(r"[@\uff20]([0-9A-Za-z_]{1,20})(/[A-Za-z][0-9A-Za-z_-]{0,24})?")
_NOT_BEFORE_MENTION = frozenset(string.ascii_letters + string.digits + "_!#$%&*@\uff20")
_NOT_BEFORE_RETWEET = frozenset(string.ascii_letters + string.digits + "_+~.-")
_AFTER_MENTION_RE = re.compile(rf"[@\uff20]|[{ACCENTED}]|://")


class Mention(NamedTuple):
    """A mention, or a list of somebody's: ``[start, end)``, name and ``/list`` or nothing."""

    start: int
    end: int
    name: str
    slug: str


def mentions(text: str) -> Iterator[Mention]:
    """Everything that X would take for a mention or for somebody's list, in links too."""
    consumed = 0
    for found in _MENTION_RE.finditer(text):
        at = found.start()
        if not _may_stand(text, at, consumed):
            continue
        consumed = found.end()
        if not _AFTER_MENTION_RE.match(text, found.end()):
            yield Mention(at, found.end(), found[1], found[2] or "")


def _may_stand(text: str, at: int, consumed: int) -> bool:
    """Whether what precedes the sign at `at`, itself behind `consumed`, allows for a mention."""
    if at == 0:
        return True
    if at == consumed:
        return False
    if text[at - 1] not in _NOT_BEFORE_MENTION:
        return True
    start = at - 2
    return text[max(start, 0) : at].lower() == "rt" and (
        start == 0 or (start > consumed and text[start - 1] not in _NOT_BEFORE_RETWEET)
    )


_LETTERS = r"\p{L}\p{M}\uf870-\uf87f\uf882\uf884-\uf89f\uf8b8\uf8c1-\uf8d6"
_HASHTAG_CHARS = (
    _LETTERS + r"\p{Nd}_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb"
    r"\u3003\u0f0b\u0f0c\xb7"
)
_HASHTAG_RE = regex.compile(
    rf"(?:(?<=[\ufe0e\ufe0f])|(?<![&{_HASHTAG_CHARS}]))[#\uff03](?![\ufe0f\u20e3])([{_HASHTAG_CHARS}]++)"
)
_HASHTAG_LETTER_RE = regex.compile(rf"[{_LETTERS}]")
_AFTER_HASHTAG_RE = re.compile(r"[#\uff03]|://")


def hashtags(text: str) -> Iterator[Span]:
    """Everything that X would take for a hashtag, in links too."""
    consumed = 0
    for found in _HASHTAG_RE.finditer(text):
        start, end = found.span()
        if (0 < start == consumed) or not _HASHTAG_LETTER_RE.search(text, start + 1, end):
            continue
        consumed = end
        if not _AFTER_HASHTAG_RE.match(text, end):
            yield Span(start, end, SpanKind.HASHTAG, found[1])


_CASHTAG_RE = re.compile(
    rf"(?<![^{SPACES}])\$([A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)"
    r"(?=\Z|[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
    r"!'#%&()*+,\\\-./:;<=>?@\[\]^_{|}~$])"
)


def cashtags(text: str) -> Iterator[Span]:
    """Everything that X would take for a cashtag."""
    for found in _CASHTAG_RE.finditer(text):
        yield Span(found.start(), found.end(), SpanKind.CASHTAG, found[1])
