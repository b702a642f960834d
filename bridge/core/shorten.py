"""Cutting a text short at a kind place, for what may not become a thread: a warning, an excerpt.

Knows limits only through the counter that it is given. Must not say anything about what was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.core.borders import SENTENCE, atom_mask, pieces
from bridge.core.entities import x_entities
from bridge.core.graphemes import grapheme_starts
from bridge.core.sentences import TERMINATORS
from bridge.core.text import Span

ELLIPSIS = "…"

_KIND_SHARE = 0.7
"""The end of a sentence is preferred to a later place where this much of the room is used."""

Length = Callable[[str], int]
Atoms = Callable[[str], Sequence[Span]]


def shortened(
    text: str, limit: int, length: Length, *, atoms: Atoms | None = None, tail: str = ""
) -> str:
    """`text` and `tail` within `limit` by `length`: whole, or `text` cut and marked by ``…``.

    It is cut behind a word, kindly behind a sentence; links, names and tags, as found by `atoms`
    (X's by default), and graphemes are never cut. A word is cut only where it is the first. Where
    not even one character has room, what is left is ``…`` and `tail`, however long that is.
    """
    text = text.strip()
    if length(text + tail) <= limit:
        return text + tail
    spans = (atoms or x_entities)(text)
    mask = atom_mask(text, spans)
    ends = {span.end for span in spans}

    def cut(end: int) -> str:
        # The mark must not become a part of a link, a name or a tag, nor of a finished sentence.
        said = text[:end]
        apart = end in ends or "://" in said.rsplit(maxsplit=1)[-1] or said[-1] in TERMINATORS
        return f"{said}{' ' if apart else ''}{ELLIPSIS}{tail}"

    found = pieces(text, spans)
    best = _furthest([piece.end for piece in found], cut, limit, length)
    if best is not None:
        kind = [
            piece.end
            for piece in found
            if _KIND_SHARE * best <= piece.end <= best and piece.cost <= SENTENCE
        ]
        return cut(kind[-1] if kind else best)
    first = found[0] if found else None
    places = [] if first is None else list(grapheme_starts(text, first.start, first.end))
    allowed = [place for place in places if 0 < place < len(mask) and not mask[place]]
    best = _furthest(allowed, cut, limit, length)
    return ELLIPSIS + tail if best is None else cut(best)


def _furthest(
    ends: Sequence[int], cut: Callable[[int], str], limit: int, length: Length
) -> int | None:
    """The last of `ends` at which a cut fits. Lengths grow with the end, or nearly so."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if length(cut(ends[middle])) <= limit:
            low = middle + 1
        else:
            high = middle
    for index in range(low - 1, -1, -1):
        if length(cut(ends[index])) <= limit:
            return ends[index]
    return None
