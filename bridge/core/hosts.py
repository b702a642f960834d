"""Finding host names in running text, in linear time: the part that both networks' links share.

Emulates what the published expressions of twitter-text match, without their nested quantifiers:
runs of host characters are cut into labels, top-level domains looked up from right to left, and
port, path and query taken by hand. Knows nothing of what a network makes of a match; see
`bridge.core.x_marks` and `bridge.core.mastodon_marks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from bridge.core.tlds import ASCII_TLDS, INTERNATIONAL_TLDS, LATER_TLDS

SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
NEVER_VALID = "\ufffe\ufeff\uffff"
"""Inside of character classes: white space, bidirectional controls, what no post may contain."""

ACCENTED = (
    "\xc0-\xd6\xd8-\xf6\xf8-\xff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268"
    "\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
ACCENTED_ANY_CASE = ACCENTED + (
    "\u0260\u0269\u0275\u0280\u0283\u0288\u028a\u028c\u0292\u0399\u03b9\u1fbe"
    "\u2c65\u2c66\u2c7e\u2c7f"
)
"""Latin letters with accents; the second with the other case of each, as `/i` adds them."""

TldFinder = Callable[[str, int, int], int]
"""`find(text, start, end)`: where the top-level domain ends that the label begins with, or 0."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the two networks' ideas of an address.

    `runs` matches one run of host characters, `telling_runs` finds the next one that has a dot
    before something else or a scheme's ``://`` behind it; `runs_of` makes both. `tail(text, end of
    host)` gives the end of the address behind port, path and query. `utf16` says that the original
    works on UTF-16 code units, where a match may begin inside a character beyond the basic plane.
    `folds` are the letters that it takes for ASCII ones.
    """

    runs: re.Pattern[str]
    telling_runs: re.Pattern[str]
    schemes: tuple[str, ...]
    tail: Callable[[str, int], int]
    tld: TldFinder
    utf16: bool
    folds: Mapping[int, str]


def runs_of(stops: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """`Dialect.runs` and `Dialect.telling_runs`, for the characters that no host can have."""
    host, label = f"[^{stops}]", f"[^.{stops}]"
    telling = f"(?<!{host})(?:{label}*+\\.++{label}{host}*+|{host}++(?=://))"
    return re.compile(f"{host}+"), re.compile(telling)


class Address(NamedTuple):
    """A match, in code points: the whole, and its host within it.

    `before` is the character in front of the match, empty at the start of the text and where the
    match begins inside a character.
    """

    start: int
    end: int
    host_start: int
    host_end: int
    before: str

    @property
    def has_scheme(self) -> bool:
        """Whether it begins with `https://` or the like."""
        return self.host_start > self.start


_ALNUM_RE = re.compile(r"[0-9A-Za-z]*")
_PUNYCODE_RE = re.compile(r"xn--[-0-9a-z]+", re.IGNORECASE | re.ASCII)
_SHORT_PUNYCODE_RE = re.compile(r"xn--[0-9a-z]+", re.IGNORECASE | re.ASCII)
_GOES_ON_RE = re.compile("[0-9A-Za-z@+-]")
_NOT_BEFORE = frozenset("@\uff20$#\uff03\ufffe\ufeff\uffff")
_NOT_AFTER_TLD = frozenset("@+-")
_SCHEME_ROOM = 8


@cache
def _ascii_tlds() -> frozenset[str]:
    # By way of a dictionary, as its size is known: the table takes half the memory then.
    return frozenset(dict.fromkeys(ASCII_TLDS.split()))


@cache
def _international() -> tuple[frozenset[str], Mapping[int, str], list[int]]:
    """The international top-level domains; for `str.translate`, their letters; their lengths."""
    words = frozenset(INTERNATIONAL_TLDS.split())
    letters = {letter for word in words for letter in word}
    forms = {ord(form): c for c in letters for form in (c.lower(), c.upper(), c) if len(form) == 1}
    return words, forms, sorted(set(map(len, words)), reverse=True)


def _international_end(text: str, start: int) -> int:
    """Where the longest international top-level domain at `start` ends, in any case; 0 for none."""
    words, forms, lengths = _international()
    head = text[start : start + lengths[0]].translate(forms)
    for length in lengths:
        if (
            head[:length] in words
            and length <= len(head)
            and not _GOES_ON_RE.match(text, start + length)
        ):
            return start + length
    return 0


def known_tld(text: str, start: int, end: int) -> int:
    """`TldFinder` for what the reference library links in JavaScript, punycode included."""
    found = _listed_tld(text, start, end)
    if found or text[start : start + 1] not in "xX":
        return found
    return _match_end(_PUNYCODE_RE.match(text, start, end))


def known_tld_in_ruby(text: str, start: int, end: int) -> int:
    """`TldFinder` for what it links in Ruby, where punycode ends at a hyphen."""
    label = text[start : end + 1]
    if not label.isascii():
        # Ruby takes these two for the ASCII letters that they fold to.
        label = label.translate(RUBY_FOLDS)
    found = _listed_tld(label, 0, end - start) or _match_end(_SHORT_PUNYCODE_RE.match(label))
    return start + found if found else 0


RUBY_FOLDS = MappingProxyType({0x17F: "s", 0x212A: "k"})
NO_FOLDS: Mapping[int, str] = MappingProxyType({})
"""For `str.translate`: long s and Kelvin sign, and nothing at all."""


def _match_end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _listed_tld(text: str, start: int, end: int) -> int:
    label = text[start:end]
    known = _ascii_tlds()
    plain = label.isascii()
    if plain and label.lower() in known:
        return 0 if text[end : end + 1] in _NOT_AFTER_TLD else end
    if plain and label.isalnum():
        return 0
    word_end = _match_end(_ALNUM_RE.match(text, start, end))
    if word_end < end and text[word_end] != "-" and text[start:word_end].lower() in known:
        return word_end
    return 0 if plain else _international_end(text, start)


@cache
def later_tlds() -> frozenset[str]:
    """Top-level domains that are newer than the reference library."""
    return frozenset(LATER_TLDS.split())


_PLAUSIBLE_RE = re.compile(r"[A-Za-z]{2,63}(?![0-9A-Za-z@+-])")


def any_tld(text: str, start: int, end: int) -> int:
    """`TldFinder` for whatever could be one, now or later."""
    known = known_tld(text, start, end)
    if known:
        return known
    if match := _PLAUSIBLE_RE.match(text, start):
        return match.end()
    return end if text[start:end] in later_tlds() else 0


class _Run:
    """One run of host characters, its labels, and how far a host may reach from each of them."""

    __slots__ = ("dialect", "dots", "end", "label", "reach", "start", "text", "tlds")

    def __init__(self, text: str, start: int, end: int, dialect: Dialect) -> None:
        self.text, self.start, self.end, self.dialect = text, start, end, dialect
        self.label = 0
        tld, position = dialect.tld, start
        dots: list[int] = []
        self.tlds = [0]
        labels = text[start:end].split(".")
        for label in labels:
            position += len(label) + 1
            if dots:
                # An empty label, of which hostile texts have many, is no top-level domain.
                self.tlds.append(tld(text, dots[-1] + 1, position - 1) if label else 0)
            dots.append(position - 1)
        dots.pop()
        if not any(self.tlds):
            dots = []
        self.dots = dots
        self.reach = [0] * (len(dots) + 1)
        for index in range(len(dots) - 1, 0, -1):
            label = labels[index]
            if label and label[0] not in "-_" and label[-1] not in "-_":
                self.reach[index] = self.reach[index + 1] or (
                    index + 1 if self.tlds[index + 1] and "_" not in label else 0
                )

    def host_end(self) -> int:
        """The end of the host that begins where the run does; 0 for none."""
        if not self.dots:
            return 0
        dot = self.dots[0]
        first = self.text[self.start : dot]
        if not first or first[0] in "-_" or first[-1] in "-_":
            return 0
        return self.tlds[self.reach[1] or (1 if "_" not in first else 0)]

    def first(self, consumed: int) -> tuple[int, int, str] | None:
        """The leftmost host after `consumed`: start, end, and the character before."""
        while self.label < len(self.dots):
            index, dot = self.label, self.dots[self.label]
            end = self.tlds[self.reach[index + 1] or index + 1]
            if not end:
                self.label += 1
                continue
            low = max(self.dots[index - 1] + 1 if index else self.start, consumed)
            if not self.reach[index + 1]:
                # The label right before the top-level domain may hold no underscore.
                low = max(low, self.text.rfind("_", low, dot) + 1)
            if low < dot and self.text[dot - 1] not in "-_":
                for start in self._starts(low, dot):
                    before = self._before(start, consumed)
                    if before is not None and self.text[start] not in "-_":
                        return start, end, before
            self.label += 1
        return None

    def skip(self, consumed: int) -> None:
        """Go on behind `consumed`."""
        while self.label < len(self.dots) and self.dots[self.label] < consumed:
            self.label += 1

    def _starts(self, low: int, high: int) -> Iterator[int]:
        # At the very start of a text the expression first tries to give the first character away
        # as the one before, unless that may not stand before.
        if low == 0 and high > 1 and not _word_like(self.text[0], self.dialect.folds):
            if ord(self.text[0]) > 0xFFFF:  # noqa: PLR2004  # beyond the basic plane
                yield 0
            yield 1
        yield from range(low, high)

    def _before(self, start: int, consumed: int) -> str | None:
        """What stands before a match at `start`, None where no match may begin."""
        if start > consumed and not _word_like(self.text[start - 1], self.dialect.folds):
            return self.text[start - 1]
        if self.dialect.utf16 and ord(self.text[start]) > 0xFFFF:  # noqa: PLR2004  # beyond the basic plane
            return ""
        return "" if start == 0 else None


def _word_like(character: str, folds: Mapping[int, str]) -> bool:
    return (
        character in _NOT_BEFORE
        or (character.isascii() and character.isalnum())
        or ord(character) in folds
    )


def addresses(text: str, dialect: Dialect) -> Iterator[Address]:
    """Every match of the dialect's expression, in order, whether or not it is a link in the end.

    A match uses up its text: what it covers is part of no other. Linear time and memory.
    """
    if "." not in text:
        return
    consumed = 0
    run = _search(text, 0, dialect)
    while run is not None:
        found = run.first(consumed)
        if found is not None:
            start, host_end, before = found
            host_start = start
        else:
            start = _scheme_start(text, run, consumed, dialect)
            following = None if start < 0 else dialect.runs.match(text, run.end + 3)
            if following is None:
                run = _search(text, run.end, dialect)
                continue
            run = _Run(text, following.start(), following.end(), dialect)
            host_start = run.start
            host_end = run.host_end()
            if not host_end:
                continue
            before = text[start - 1] if start else ""
        consumed = dialect.tail(text, host_end) if host_end == run.end else host_end
        yield Address(start, consumed, host_start, host_end, before)
        if consumed >= run.end:
            run = _search(text, consumed, dialect)
        else:
            run.skip(consumed)


def _search(text: str, position: int, dialect: Dialect) -> _Run | None:
    # At `position` what stands before it, in the same run, may be used up already.
    match = dialect.runs.match(text, position)
    if match is None or not (
        text.find(".", position, match.end()) >= 0 or text.startswith("://", match.end())
    ):
        match = dialect.telling_runs.search(text, match.end() if match else position)
    return None if match is None else _Run(text, match.start(), match.end(), dialect)


def _scheme_start(text: str, run: _Run, consumed: int, dialect: Dialect) -> int:
    """Where the scheme begins that ends a run, -1 for none."""
    if not text.startswith("://", run.end):
        return -1
    ending = text[max(run.start, run.end - _SCHEME_ROOM) : run.end]
    ending = ending.translate(dialect.folds).lower()
    for scheme in dialect.schemes:
        start = run.end - len(scheme)
        if ending.endswith(scheme) and (
            start == 0 or (start > consumed and not _word_like(text[start - 1], dialect.folds))
        ):
            return start
    return -1
