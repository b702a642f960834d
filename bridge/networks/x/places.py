"""Where X's entities stand in X's text, whatever their positions were counted on.

A position counts only where the text there says the same: tried on the escaped text, then on the
unescaped one; failing both, the same words are looked for from the last hit on. Must not change
the text or judge an entity.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

import regex

from bridge.networks.fields import number_at, text_at

SHORT_LINK = regex.compile(r"https?://t\.co/[A-Za-z0-9]+", regex.IGNORECASE)
ESCAPE = regex.compile("&(amp|lt|gt);")

_MOST_MISSES = 100
"""Links that are no short ones and not found either, before no more of them are looked for."""

_SIGNED = {
    "@": regex.compile(r"[@＠]([A-Za-z0-9_]+)"),
    "#": regex.compile(r"[#＃]([\p{L}\p{M}\p{Nd}_\u200c\u200d\u30fb\u00b7\u0f0b\u0f0c\uff5e]+)"),
    "$": regex.compile(r"[$]([A-Za-z]+(?:[._][A-Za-z]{1,2})?)"),
}


class Place(NamedTuple):
    """A stretch ``[start, end)`` of the escaped text, in code points."""

    start: int
    end: int


class Places:
    """Finds entities in one text. Each kind is asked for in order, after `begin`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._last = 0
        self._patience = _MOST_MISSES
        self._grown = _growth(text)
        self._links = _index(text, SHORT_LINK, 0)
        self._names = {sign: _index(text, pattern, 1) for sign, pattern in _SIGNED.items()}

    def begin(self) -> None:
        """Look from the head of the text again."""
        self._last = 0

    def link(self, entity: Mapping[str, object]) -> Place | None:
        """Where the short address of a link entity stands."""
        url = text_at(entity, "url")
        if not url:
            return self._stated(entity, lambda words: SHORT_LINK.fullmatch(words) is not None)
        stated = self._stated(entity, lambda words: words == url)
        if stated is not None and not self._goes_on(stated.end):
            return stated
        listed = self._links.get(_fold(url))
        if listed is not None:
            return self._next(listed, len(url))
        if SHORT_LINK.fullmatch(url):
            return None
        start = -1 if self._patience < 0 else self._text.find(url, self._last)
        if start < 0 or self._goes_on(start + len(url)):
            self._patience -= 1
            return None
        self._last = start + len(url)
        return Place(start, self._last)

    def name(self, entity: Mapping[str, object], name: str, sign: str) -> Place | None:
        """Where a name stands behind its sign (``@``, ``#`` or ``$``), in whatever case."""
        wanted = _fold(name)
        signs = {"@": "@＠", "#": "#＃"}.get(sign, sign)
        stated = self._stated(
            entity, lambda words: words[:1] in signs and _fold(words[1:]) == wanted
        )
        if stated is not None:
            return stated
        listed = self._names[sign].get(wanted)
        return None if listed is None else self._next(listed, len(name) + 1)

    def _stated(self, entity: Mapping[str, object], says_so: Callable[[str], bool]) -> Place | None:
        """The place that the entity itself states, on either base, where the text agrees."""
        start, end = number_at(entity, "start"), number_at(entity, "end")
        if start is None or end is None or not start < end <= len(self._text):
            return None
        for place in (Place(start, end), Place(self._escaped(start), self._escaped(end))):
            if says_so(self._text[place.start : place.end]):
                self._last = place.end
                return place
        return None

    def _next(self, starts: list[int], length: int) -> Place:
        """The first of `starts` from the last hit on, else the first of all."""
        index = bisect_left(starts, self._last)
        start = starts[index] if index < len(starts) else starts[0]
        self._last = max(self._last, start + length)
        return Place(start, start + length)

    def _goes_on(self, end: int) -> bool:
        """Whether a short link goes on at `end`: ``t.co/ab`` does not stand in ``t.co/abc``."""
        rest = self._text[end : end + 1]
        return rest.isascii() and rest.isalnum()

    def _escaped(self, position: int) -> int:
        """The position in the escaped text of one in the unescaped text."""
        index = bisect_left(self._grown, (position + 1, 0)) - 1
        return position + (self._grown[index][1] if index >= 0 else 0)


def _growth(text: str) -> list[tuple[int, int]]:
    """For each escape: the unescaped position right behind it, and by how much text has grown."""
    grown: list[tuple[int, int]] = []
    total = 0
    for match in ESCAPE.finditer(text):
        total += len(match[0]) - 1
        grown.append((match.end() - total, total))
    return grown


def _index(text: str, pattern: regex.Pattern[str], group: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for match in pattern.finditer(text):
        found.setdefault(_fold(match[group]), []).append(match.start())
    return found


def _fold(text: str) -> str:
    """Lower case, character by character, so that no length changes."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
