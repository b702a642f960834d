"""Where graphemes begin, and the composed form of a text, in linear time whatever the text.

The libraries that know Unicode need quadratic time for two kinds of text that nobody writes but to
do harm: long rows of flag letters, and long rows of marks out of their order. Both are dealt with
here, so that nobody else need know. Must not count or cut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate, groupby

import regex

_GRAPHEME_RE = regex.compile(r"\X")
_INDICATORS_RE = re.compile("[\U0001f1e6-\U0001f1ff]{5,}")
_LONG_ROW = 32
_MARKS_RE = regex.compile(rf"\p{{M}}{{{_LONG_ROW},}}+")


def graphemes(text: str) -> list[str]:
    """`text` in extended grapheme clusters, none of which may ever be cut."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found: list[str] = []
    position = 0
    # Flag letters pair up from the start of their row, so there is a border after every second
    # one. The last ones may have marks behind them, and the first a sign before.
    for row in _INDICATORS_RE.finditer(text):
        found += _GRAPHEME_RE.findall(text[position : row.start() + 2])
        position = row.end() - 1 - (row.end() - row.start() + 1) % 2
        found += (text[pair : pair + 2] for pair in range(row.start() + 2, position, 2))
    found += _GRAPHEME_RE.findall(text[position:])
    return found


def grapheme_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where each grapheme of ``text[start:end]`` begins, in order."""
    found = graphemes(text[start:end])
    if len(found) == end - start:
        return iter(range(start, end))
    return accumulate(map(len, found[:-1]), initial=start)


def composed(text: str) -> str:
    """`text` in Unicode's normalisation form C."""
    if text.isascii():
        return text
    if len(text) >= _LONG_ROW:
        text = _MARKS_RE.sub(_in_order, text)
    return unicodedata.normalize("NFC", text)


def _in_order(marks: regex.Match[str]) -> str:
    """A row of marks, taken apart, each stretch of combining ones by class as is canonical."""
    apart = {mark: unicodedata.normalize("NFD", mark) for mark in set(marks[0])}
    signs = "".join(map(apart.__getitem__, marks[0]))
    groups = groupby(signs, key=lambda sign: unicodedata.combining(sign) > 0)
    return "".join(
        "".join(sorted(group, key=unicodedata.combining) if combining else group)
        for combining, group in groups
    )
