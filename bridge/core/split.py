"""Cutting a text into the parts of a thread, so that each reads as if it had been written so.

Knows limits only through the counter that it is given, and entities only through a scanner. Must
not send, price or number anything beyond the text itself, and never makes a part over the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from bridge.core.borders import CLAUSE, WORD, Piece, atom_mask, pieces, torn
from bridge.core.entities import x_entities
from bridge.core.errors import UnfitError
from bridge.core.partition import (
    Room,
    Stretch,
    furthest,
    kindest,
    link_parts,
    without_torn_sentences,
)
from bridge.core.sentences import CLAUSE_MARKS, COMMA_MARKS, TERMINATORS
from bridge.core.text import Span, SpanKind

Length = Callable[[str], int]
Atoms = Callable[[str], Sequence[Span]]

ELLIPSIS = "…"

_FEW_WORDS = 4
_TORN_CLAUSE = 10
"""Added to the cost of a cut that only an ellipsis can excuse: worse than a few at commas."""

_MOST_TRIES = 12
_MOST_DIGITS = 7
_PAUSES = frozenset(CLAUSE_MARKS + COMMA_MARKS + TERMINATORS + "-‐–")


def split(
    text: str,
    limit: int,
    length: Length,
    *,
    numbering: bool = True,
    atoms: Atoms | None = None,
    gather_links: bool = False,
) -> list[str]:
    """The parts of a thread that says `text`, none longer than `limit` by `length`.

    What fits is returned untouched, as the only part; so is an empty text. Otherwise the fewest
    parts at natural borders are made, or one more where that helps to cut at ends of sentences;
    among those the ones that cut most kindly and are most even. Joined, without numbers and added
    ellipses, they give the text up to white space at the cuts. Links, mentions, hashtags and
    cashtags, as found by `atoms` (by default X's own rule), are never cut, nor are graphemes; a
    word is cut only where it fits no part.

    `numbering` ends each part of a thread with its number on a line of its own: ``1/3``. Where a
    text has something that fits the limit but not beside a number, the thread goes without.
    An ellipsis ends a part that breaks off inside a sentence, where there is room for it.
    `gather_links` is for a network that charges each part with a link: links then share as few
    parts as possible, for at most one part more.

    `length` is called once a distinct word or so and once a part; lengths of words add up to that
    of a text or nearly so, in any unit, and may include a constant. Linear in the text's length.

    Raises `UnfitError` where the limit is smaller than one grapheme or one atom of the text.
    """
    if length(text) <= limit:
        return [text]
    stripped = text.strip()
    if stripped != text and length(stripped) <= limit:
        return [stripped]
    spans = (atoms or x_entities)(stripped)
    job = _Job(stripped, limit, length, spans, gather_links=gather_links)
    if numbering:
        try:
            return job.parts(numbering=True)
        except _NoRoomError:
            pass
    try:
        return job.parts(numbering=False)
    except _NoRoomError as error:
        raise UnfitError(str(error)) from None


class _NoRoomError(Exception):
    """Something in the text is longer than a part may be."""


class _Job:
    """One text and one limit on their way to parts; remembers what the counter said."""

    def __init__(
        self,
        text: str,
        limit: int,
        length: Length,
        spans: Sequence[Span],
        *,
        gather_links: bool,
    ) -> None:
        self._text = text
        self._limit = limit
        self._length = length
        self._spans = spans
        self._mask = atom_mask(text, spans)
        self._pieces = pieces(text, spans)
        self._gather = gather_links
        self._empty = length("")
        self._around = length("xx")
        self._torn: dict[Piece, list[Piece]] = {}
        self._known: dict[str, int] = {"": 0}
        self._known_gaps: dict[str, int] = {"": 0}
        self._atom_ends = {span.end for span in spans}
        self._lengths = [self._of_piece(piece) for piece in self._pieces]
        self._longest = max(self._lengths, default=0)

    def parts(self, *, numbering: bool) -> list[str]:
        """The parts; raises `_NoRoomError` where a piece does not fit beside a number."""
        slack = 0
        for _ in range(_MOST_TRIES):
            found = self._numbered(slack) if numbering else self._fitted(0, slack)
            excess = max(map(self._length, found)) - self._limit
            if excess <= 0:
                return found
            # Cutting changed what the counter sees (a link out of the middle of a word, say).
            slack += excess
        raise _NoRoomError(f"no way was found to cut this text for a limit of {self._limit}")

    def _numbered(self, slack: int) -> list[str]:
        """Parts with numbers, by fixed point: room for as many digits as their count turns out."""
        at_least = -(-sum(self._lengths) // max(1, self._limit))
        for digits in range(len(str(at_least)), _MOST_DIGITS):
            found = self._fitted(digits, slack)
            if found:
                return found
        raise _NoRoomError("a thread of more than a million parts")

    def _fitted(self, digits: int, slack: int) -> list[str]:
        """Parts for a total of so many digits (0: no numbers), ellipses and numbers written.

        None at all where there turn out to be too many for so many digits.
        """
        budget = self._limit - self._empty - slack
        reserved = [0] + [
            self._of_gap(_number(10**d - 1, 10**digits - 1)) for d in range(1, digits + 1)
        ]

        def room(number: int) -> int:
            return budget - reserved[min(len(str(number)), digits)] if digits else budget

        smallest = room(10**digits - 1)
        if smallest <= 0:
            raise _NoRoomError(f"a limit of {self._limit} leaves no room for any text")
        if smallest >= self._longest:
            fine, lengths, walls = self._pieces, self._lengths, frozenset[int]()
        else:
            fine, lengths, walls = self._refined(smallest)
        stretch = self._stretch(fine, lengths, walls)
        latest = furthest(stretch, room)
        if digits and len(latest) >= 10**digits:
            return []
        cuts = self._chosen(stretch, room, latest)
        total = len(cuts)
        if digits and total >= 10**digits:
            return []
        firsts = (0, *(cut + 1 for cut in cuts))
        found: list[str] = []
        for number, (first, last) in enumerate(zip(firsts, cuts, strict=False), start=1):
            body = self._text[fine[first].start : fine[last].end]
            long = stretch.ends[last] - stretch.starts[first]
            if number < total and long + stretch.mark(last) <= room(number):
                body += self._mark(fine[last])
            found.append(body + _number(number, total) if digits else body)
        return found

    def _chosen(self, stretch: Stretch, room: Room, latest: Sequence[int]) -> list[int]:
        """The fewest parts, or one more where that spares sentences or the price of links.

        One more and no further: a count that grows with the room would be no limit at all.
        """
        fewest = len(latest)
        parts = min(fewest + 1, without_torn_sentences(stretch, room, CLAUSE))
        cuts = kindest(stretch, room, latest, parts)
        linked = link_parts(stretch, cuts)
        if linked <= 1 or parts > fewest or parts == len(stretch.ends):
            # Links that share one part already, or are none, cannot share fewer.
            return cuts
        looser = kindest(stretch, room, latest, parts + 1)
        return looser if link_parts(stretch, looser) < linked else cuts

    def _refined(self, smallest: int) -> tuple[list[Piece], list[int], frozenset[int]]:
        """The pieces, those too long for a part torn; their lengths; which must begin a part.

        A torn word begins a part of its own, so that a larger limit never makes more parts.
        """
        fine: list[Piece] = []
        walls: set[int] = set()
        for piece, length in zip(self._pieces, self._lengths, strict=True):
            if length <= smallest:
                fine.append(piece)
                continue
            walls.add(len(fine))
            fragments = self._torn.get(piece)
            if fragments is None:
                fragments = self._torn[piece] = torn(self._text, piece, self._mask)
            for fragment in fragments:
                if self._of_piece(fragment) <= smallest:
                    fine.append(fragment)
                else:
                    fine += self._atomised(fragment, smallest)
        return fine, [self._of_piece(piece) for piece in fine], frozenset(walls)

    def _atomised(self, fragment: Piece, smallest: int) -> list[Piece]:
        fragments = torn(self._text, fragment, self._mask, softly=False)
        for atom in fragments:
            if self._of_piece(atom) > smallest:
                inside = any(self._mask[atom.start : atom.end])
                what = "link, name or tag" if inside else "character"
                raise _NoRoomError(
                    f"a limit of {self._limit} is too small for one {what} of the text, "
                    f"which counts {self._of_piece(atom)}"
                )
        return fragments

    def _stretch(
        self, fine: Sequence[Piece], lengths: Sequence[int], walls: frozenset[int]
    ) -> Stretch:
        starts: list[int] = []
        ends: list[int] = []
        places: list[int] = []
        position = place = 0
        for index, (piece, own) in enumerate(zip(fine, lengths, strict=True)):
            if index and index in walls:
                position += self._limit + 1
            starts.append(position)
            position += own
            place += own
            ends.append(position)
            places.append(place)
            if piece.after > piece.end:
                gap = self._of_gap(self._text[piece.end : piece.after])
                position += gap
                place += gap
        return Stretch(
            starts=starts,
            ends=ends,
            places=places,
            costs=[
                piece.cost + _TORN_CLAUSE if piece.open and piece.cost >= WORD else piece.cost
                for piece in fine
            ],
            mark=lambda piece: self._of_gap(self._mark(fine[piece])),
            links=self._links(fine),
            short=lambda piece: self._few_words_after(fine[piece].after),
        )

    def _links(self, fine: Sequence[Piece]) -> Sequence[int]:
        places = [span.start for span in self._spans if span.kind is SpanKind.LINK]
        if not self._gather or not places:
            return ()
        counts = [0] * len(fine)
        index = 0
        for place in places:
            while fine[index].end <= place:
                index += 1
            counts[index] += 1
        return list(accumulate(counts))

    def _few_words_after(self, position: int) -> bool:
        return len(self._text[position:].split(maxsplit=_FEW_WORDS)) < _FEW_WORDS

    def _mark(self, piece: Piece) -> str:
        """The ellipsis behind a piece that breaks off in mid-sentence with no sign of a pause.

        It never touches what it could become a part of: a link, a name or a tag.
        """
        paused = self._text[piece.end - 1] in _PAUSES or self._text.startswith("…", piece.after)
        if paused or not piece.open:
            return ""
        whole = piece.end in self._atom_ends or "://" in self._text[piece.start : piece.end]
        return " " + ELLIPSIS if whole else ELLIPSIS

    def _of_piece(self, piece: Piece) -> int:
        return self._of(self._text[piece.start : piece.end])

    def _of(self, content: str) -> int:
        """What some text adds to the length of a part."""
        known = self._known.get(content)
        if known is None:
            known = self._known[content] = self._length(content) - self._empty
        return known

    def _of_gap(self, gap: str) -> int:
        """What white space, an ellipsis or a number adds; counters may drop white space at ends."""
        known = self._known_gaps.get(gap)
        if known is None:
            measured = self._length(f"x{gap}x") - self._around
            known = self._known_gaps[gap] = max(0, measured)
        return known


def _number(number: int, total: int) -> str:
    return f"\n{number}/{total}"
