"""Plain text under construction: white space folded, borders kept, spans remembered.

Borders, breaks and spaces are owed until the next visible character, so nothing begins or ends
with one. Must not know elements or servers.
"""

from __future__ import annotations

import re

from bridge.core.text import Span, SpanKind, Text
from bridge.networks.fields import readable

LINE = 1
PARAGRAPH = 2
_QUOTE = "> "
_WHITE = re.compile("[ \t\n\r\f]+")
_DEEPEST = 8
_GLUED = frozenset("@#$＠＃")


class Prose:
    """Collects words and borders, in reading order."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._spans: list[Span] = []
        self._length = 0
        self._border = 0
        self._breaks = 0
        self._space = False
        self._link_ends = False
        self._marker = ""
        self._quotes = 0
        self._shared_quotes = 0

    @property
    def last(self) -> str:
        """The character that the next word would touch; empty where it would touch none."""
        return self._pieces[-1][-1] if self.in_line and not self._space else ""

    @property
    def in_line(self) -> bool:
        """Whether the next word would stand behind another one on its line."""
        return bool(self._pieces) and not (self._border or self._breaks)

    def finished(self) -> Text:
        """Everything so far."""
        return Text("".join(self._pieces), tuple(self._spans))

    def words(self, text: str) -> None:
        """Add inline text; runs of ASCII white space are one space, other white space stays."""
        folded = _WHITE.sub(" ", readable(text))
        body = folded.strip(" ")
        self._space = self._space or folded.startswith(" ")
        if body:
            self._put(body)
            self._space = folded.endswith(" ")

    def preformatted(self, text: str) -> None:
        """Add text whose white space means something; line ends at its borders do not."""
        for index, line in enumerate(readable(text).split("\n")):
            if index:
                self.break_line()
            if line:
                self._put(line)

    def marked(self, text: str, kind: SpanKind, target: str) -> None:
        """Add a stretch that stands for something. `text` is final, and holds no line end."""
        if not text:
            return
        if kind is SpanKind.LINK and self.last and _sticks(self.last):
            self._space = True
        self._put(text)
        self._spans.append(Span(self._length - len(text), self._length, kind, target))
        self._link_ends = kind is SpanKind.LINK

    def space(self) -> None:
        """Owe a space."""
        self._space = True

    def take_back(self, sign: str) -> bool:
        """Unwrite one character, if it is what the next word would touch and is in no span."""
        marked = bool(self._spans) and self._spans[-1].end == self._length
        if self.last != sign or marked:
            return False
        self._length -= 1
        self._pieces[-1] = self._pieces[-1][:-1]
        if not self._pieces[-1]:
            self._pieces.pop()
        return True

    def break_line(self) -> None:
        """Owe a line end; at the border of a block it would show nothing."""
        if not self._border:
            self._breaks += 1
            self._space = False

    def border(self, strength: int, *, exactly: bool = False) -> None:
        """Owe a border of `LINE` or `PARAGRAPH`; a list item's own border is not widened."""
        if exactly or not self._marker:
            self._border = strength if exactly else max(self._border, strength)
        self._breaks = 0
        self._space = False

    def marker(self, sign: str) -> None:
        """Owe a list item's sign; empty takes back one that was never written."""
        self._marker = sign

    def quote(self, step: int) -> None:
        """Go one level deeper into a quotation (1), or out of it (-1)."""
        self._quotes = max(self._quotes + step, 0)
        self._shared_quotes = min(self._shared_quotes, self._quotes)

    def _put(self, text: str) -> None:
        lead = self._lead(text[0]) + self._marker
        self._border = self._breaks = 0
        self._space = self._link_ends = False
        self._marker = ""
        self._shared_quotes = self._quotes
        if lead:
            self._pieces.append(lead)
        self._pieces.append(text)
        self._length += len(lead) + len(text)

    def _lead(self, first: str) -> str:
        if not self._pieces:
            return _quoted(self._quotes)
        if newlines := self._border or self._breaks:
            empty = "\n" + _quoted(min(self._shared_quotes, self._quotes)).rstrip()
            return empty * (newlines - 1) + "\n" + _quoted(self._quotes)
        glued = self._link_ends and (first.isalnum() or first in "/_-=&@#")
        return " " if self._space or glued else ""


def _quoted(depth: int) -> str:
    """What begins a line so deep in quotations; beyond eight, nobody counts the signs."""
    return _QUOTE * min(depth, _DEEPEST)


def _sticks(before: str) -> bool:
    """Whether an address right behind this character would not be seen as a link."""
    return (before.isascii() and before.isalnum()) or before in _GLUED
