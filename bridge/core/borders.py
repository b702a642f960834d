"""Where a text may be cut into parts, and how much each place would hurt a reader.

Costs: the author's own separator less than nothing, an empty line 0, a line end 1, a sentence end
2, a clause 4, a comma or closing bracket 6, a word 10, CJK and Thai without spaces 14 and more,
inside a word 60.
Must not choose among the places, and knows no limit but the one it is told a piece must not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import regex

from bridge.core.graphemes import grapheme_starts
from bridge.core.sentences import (
    CLAUSE_MARKS,
    CLOSING,
    COMMA_MARKS,
    OPENING,
    TERMINATORS,
    ends_sentence,
    first_letter,
    keeps_next,
)
from bridge.core.text import Span, SpanKind
from bridge.core.unspaced import DENSE, Inner, Unspaced

OWN_SEPARATOR = -20
SENTENCE = 2
CLAUSE = 4
COMMA = 6
EMOJI_END = 5
WORD = 10
HEADING = 9
BEFORE_RULE = 30
BEFORE_DASH = 16
IN_BRACKETS = 2
AFTER_SHORT_WORD = 3
GLUED = 40
INSIDE_WORD = 60
TORN_TAGS = 80
TORN_LAST_SENTENCE = 25

LONGEST_WORD = 64
"""Code points; a longer run without a border is no word of any language and is cut anywhere."""

_LONGEST_HEADING = 80
_SHORT_WORD = 3

# No-break spaces are white space for Python, and no place to cut for anybody. White space that a
# combining mark sits on, or that follows a prepended sign, is half a grapheme.
_SPACE = "[\\t-\\r \\x85\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]"
_GAP = regex.compile(
    r"(?<!\p{GCB=Prepend})" + _SPACE + r"++(?![\p{GCB=Extend}\p{GCB=SpacingMark}\u200D])"
    r"|(?<!\p{GCB=Prepend})" + _SPACE + "+(?=" + _SPACE + ")"
)
_NEW_LINE = regex.compile(r"\r\n|[\n\v\f\r\x85\u2028\u2029]")
_RULE = regex.compile(r"[-–—=_*~](?:[ \t]?[-–—=_*~]){2,}+[ \t]*+(?=[\r\n]|\Z)")
_MARKS = frozenset(TERMINATORS + CLAUSE_MARKS + COMMA_MARKS + CLOSING + "%‰")
_TRUE_CLOSING = frozenset(CLOSING) - {'"', "'"}
_DASHES = frozenset({"-", "–", "—", "―", "|", "/", "·", "•", "→"})
_BULLET = regex.compile(r"[-–—―•·*>▪◦○●‣]|\(?[\p{Nd}]{1,3}[.):]|\(?\p{L}\)")
_EMOJI_LAST = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}]\p{M}*\Z")
_PHRASE_SPACES = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_WIDE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]")
_SOFT_ATOM = regex.compile(
    r":[A-Za-z0-9_]{2,64}:|[@＠][\w.-]{1,64}(?:@[\w.-]{1,253})?|[+-]?\d[\d.,:/]{1,32}%?"
)
_BRACKETS_OPEN = "([«“「『（"
_BRACKETS = regex.compile(r"[(\[«“「『（)\]»”」』）]")
_NAMES = "@＠#＃$"
_AFTER_HYPHEN = "-‐/_&=?+|"


class Piece(NamedTuple):
    """A stretch ``[start, end)`` that is not cut, white space up to `after`, and the border there.

    `cost` is that of a cut behind it; `open` says that such a cut would fall inside a sentence.
    """

    start: int
    end: int
    after: int
    cost: int
    open: bool


_piece: Callable[[tuple[int, int, int, int, bool]], Piece] = partial(tuple.__new__, Piece)
"""The quicker way to make one, since a text may have as many as characters."""


def atom_mask(text: str, atoms: Sequence[Span]) -> bytearray:
    """One byte a position, 1 inside atoms (where no cut may stand) and 0 at their edges."""
    mask = bytearray(len(text) + 1)
    for atom in atoms:
        mask[atom.start + 1 : atom.end] = b"\x01" * max(0, atom.end - atom.start - 1)
    return mask


def pieces(text: str, atoms: Sequence[Span]) -> list[Piece]:
    """The smallest stretches that a good cut leaves whole, in order; without outer white space.

    `atoms` are links, mentions and tags, in order. Linear in the length of the text.
    """
    mask = atom_mask(text, atoms)
    found: list[Piece] = []
    unspaced = Unspaced(text, mask)
    words = _words(text, mask)
    if not words:
        return []
    lines = _Lines(text, words[0][0])
    depth = 0
    position = words[0][0]
    for index, (start, end, after) in enumerate(words):
        word = text[start:end]
        if len(word) > LONGEST_WORD or DENSE.search(word):
            for place, cost, mid in _inside(text, start, end, mask, unspaced):
                found.append(_piece((position, place, place, cost, mid)))
                position = place
        if index + 1 == len(words):
            found.append(Piece(position, end, end, 0, open=False))
            break
        depth = max(0, depth + _opened(word))
        if _NEW_LINE.search(text, end, after):
            cost, mid = lines.cost(end, after), False
            depth = 0
        else:
            following = text[after : words[index + 1][1]]
            cost, mid = _between_words(word, following, first=start == lines.start)
            cost += IN_BRACKETS if depth else 0
        if cost < GLUED:
            found.append(Piece(position, end, after, cost, mid))
            position = after
    return _with_tags_kept(text, found, atoms)


def torn(text: str, piece: Piece, mask: bytearray, *, softly: bool = True) -> list[Piece]:
    """The graphemes of a piece that is too long to stay whole, atoms of `mask` left together.

    `softly` also keeps numbers, shortcodes and full handles together. The last one has the cost
    of the piece itself.
    """
    found: list[Piece] = []
    position = piece.start
    for gap in (*_GAP.finditer(text, piece.start, piece.end), None):
        end, after = gap.span() if gap else (piece.end, piece.after)
        if mask[end]:
            continue
        for place, cost, mid in _torn_word(text, position, end, mask, softly=softly):
            found.append(_piece((position, place, place, cost, mid)))
            position = place
        cost, mid = (GLUED, True) if gap else (piece.cost, piece.open)
        found.append(Piece(position, end, after, cost, mid))
        position = after
    return found


def _words(text: str, mask: bytearray) -> list[tuple[int, int, int]]:
    """Start and end of every word, and where the white space behind it ends."""
    found: list[tuple[int, int, int]] = []
    position = 0
    for gap in _GAP.finditer(text):
        start, end = gap.span()
        if mask[start]:
            continue
        if start > position:
            found.append((position, start, end))
        position = end
    if position < len(text):
        found.append((position, len(text), len(text)))
    return found


def _opened(word: str) -> int:
    """How many brackets and quotes a word opens more than it closes."""
    signs = _BRACKETS.findall(word)
    return sum(1 if sign in _BRACKETS_OPEN else -1 for sign in signs) if signs else 0


def _inside(
    text: str, start: int, end: int, mask: bytearray, unspaced: Unspaced
) -> Iterator[Inner]:
    """The places for a cut in a stretch without spaces; any grapheme where it is no word at all."""
    last = start
    dense = DENSE.search(text, start, end) is not None
    for place in unspaced.places(start, end) if dense else ():
        if place[0] - last > LONGEST_WORD:
            yield from _torn_word(text, last, place[0], mask, softly=True)
        last = place[0]
        yield place
    if end - last > LONGEST_WORD:
        yield from _torn_word(text, last, end, mask, softly=True)


def _torn_word(
    text: str, start: int, end: int, mask: bytearray, *, softly: bool
) -> Iterator[Inner]:
    soft = bytearray(end - start + 1)
    names = _NAMES if softly else ""
    if softly:
        for atom in _SOFT_ATOM.finditer(text, start, end):
            first, last = atom.start() - start, atom.end() - start
            soft[first + 1 : last] = b"\x01" * (last - first - 1)
    for place in grapheme_starts(text, start, end):
        if place == start or mask[place] or soft[place - start]:
            continue
        before = text[place - 1]
        # A cut beside one of these signs could make a name or a tag out of what was none.
        if text[place] in names or before in names:
            continue
        yield place, GLUED if before in _AFTER_HYPHEN else INSIDE_WORD, True


def _between_words(word: str, following: str, *, first: bool) -> tuple[int, bool]:
    """The cost of a cut between two words of one line, and whether it is in mid-sentence.

    `first` says that the word opens its line.
    """
    if _is_bound(word, following, first=first):
        return GLUED, True
    if ends_sentence(word, following):
        return SENTENCE, False
    last = word.rstrip(CLOSING)[-1:] or word[-1]
    if last in CLAUSE_MARKS or word in _DASHES:
        return CLAUSE, last not in ":："
    if last in COMMA_MARKS:
        return COMMA, True
    special = None if word.isascii() else _after_other_scripts(word, last, following)
    if special is not None:
        return special, False
    return _after_plain_word(word, following), True


def _after_other_scripts(word: str, last: str, following: str) -> int | None:
    """The cost where white space itself tells something: after emoji, in Thai, in CJK."""
    if _EMOJI_LAST.search(word):
        return WORD if first_letter(following).islower() else EMOJI_END
    if _PHRASE_SPACES.match(last):
        return CLAUSE
    return COMMA if _WIDE.match(last) and _WIDE.match(following) else None


def _after_plain_word(word: str, following: str) -> int:
    if following in _DASHES:
        return BEFORE_DASH
    if word[-1] in _TRUE_CLOSING:
        return COMMA
    return WORD + AFTER_SHORT_WORD if len(word) <= _SHORT_WORD else WORD


def _is_bound(word: str, following: str, *, first: bool) -> bool:
    """Whether two words of one line must stay together whatever it costs."""
    if word[-1] in OPENING or following[0] in _TRUE_CLOSING:
        return True
    if following[0] in _MARKS and all(sign in _MARKS for sign in following[:8]):
        return True
    if first and _BULLET.fullmatch(word):
        return True
    return keeps_next(word, following)


class _Lines:
    """Reads the lines of a text in passing: separators, headings, paragraphs."""

    def __init__(self, text: str, start: int) -> None:
        self.start = start
        self._text = text
        self._leads = True

    def cost(self, end: int, after: int) -> int:
        """The cost of a cut behind the line that ends at `end`; the next one begins at `after`."""
        text, start, leads = self._text, self.start, self._leads
        breaks = sum(1 for _ in _NEW_LINE.finditer(text, end, after))
        rule = _RULE.match(text, start)
        separates = rule is not None and rule.end() >= end
        self.start, self._leads = after, separates or breaks > 1
        if separates:
            return OWN_SEPARATOR
        if _RULE.match(text, after):
            return BEFORE_RULE
        if self._is_heading(start, end, after, leads=leads):
            return HEADING
        return 0 if breaks > 1 else 1

    def _is_heading(self, start: int, end: int, after: int, *, leads: bool) -> bool:
        """A line that ends in a colon, or a short one at the head of what is longer than itself."""
        text = self._text
        if text[end - 1] in ":：":
            return True
        if not leads or end - start > _LONGEST_HEADING or text[end - 1] in _MARKS:
            return False
        stop = _NEW_LINE.search(text, after, after + 2 * _LONGEST_HEADING)
        return stop is None or stop.start() - after > end - start


def _with_tags_kept(text: str, found: list[Piece], atoms: Sequence[Span]) -> list[Piece]:
    """Make it dear to cut a closing block of hashtags off its last sentence, or to cut within."""
    length = block = len(text.rstrip())
    for atom in reversed(atoms):
        if atom.kind is not SpanKind.HASHTAG or text[atom.end : block].strip():
            break
        block = atom.start
    if block == length or not found or block <= found[0].start:
        return found
    index = len(found) - 2
    while index >= 0 and found[index].after >= block:
        found[index] = found[index]._replace(cost=TORN_TAGS, open=False)
        index -= 1
    while index >= 0 and found[index].cost > SENTENCE:
        found[index] = found[index]._replace(cost=found[index].cost + TORN_LAST_SENTENCE)
        index -= 1
    return found
