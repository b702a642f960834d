"""Where a text may be cut that has no spaces: CJK, Thai and its neighbours, runs of emoji.

Prohibition rules (kinsoku) and syllable shapes, no dictionaries. Works on one stretch without
white space at a time; must not know about sentences across spaces, or about lengths.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import regex

from bridge.core.graphemes import grapheme_starts
from bridge.core.sentences import CLAUSE_MARKS, CLOSING, COMMA_MARKS, OPENING, TERMINATORS

DENSE = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{lb=ID}\p{lb=CJ}\p{lb=NS}\p{lb=SA}\p{Extended_Pictographic}"
    r"\p{Regional_Indicator}\p{Tibetan}\u1361\u200B—、。，．：；！？｡､]"
)
"""Whatever makes a stretch worth a second look; ASCII digits, ``#`` and ``*`` are not among it."""


_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")


Inner = tuple[int, int, bool]
"""A place inside a stretch: where, how bad a cut is there, whether it is in mid-sentence.

Plain, as there may be as many of them as characters.
"""


class _Class:
    """Plain numbers: enumerations are slow as keys, and these are looked up for every grapheme."""

    OTHER = 0
    HAN = 1
    HIRAGANA = 2
    KATAKANA = 3
    COMPLEX = 4
    EMOJI = 5
    DIGIT = 6
    OPENS = 7
    CLOSES = 8
    ENDS = 9
    CLAUSE = 10
    COMMA = 11
    DASH = 12
    NO_START = 13
    LEADING_VOWEL = 14
    MARK = 15
    BREAK_AFTER = 16
    SPACING_VOWEL = 17


_CJK = frozenset({_Class.HAN, _Class.HIRAGANA, _Class.KATAKANA})
_WIDE = _CJK | {_Class.OPENS, _Class.EMOJI}
_NEVER_FIRST = frozenset(
    {
        _Class.CLOSES,
        _Class.ENDS,
        _Class.CLAUSE,
        _Class.COMMA,
        _Class.NO_START,
        _Class.MARK,
        _Class.BREAK_AFTER,
        _Class.SPACING_VOWEL,
        _Class.DASH,
    }
)
_PUNCTUATION = frozenset({_Class.ENDS, _Class.CLAUSE, _Class.COMMA, _Class.DASH})
_ENDS_LESS = frozenset({_Class.COMMA, _Class.CLOSES})
_ENDS_ALONE = frozenset({_Class.BREAK_AFTER, _Class.EMOJI})
_SEA = frozenset({_Class.COMPLEX, _Class.LEADING_VOWEL, _Class.SPACING_VOWEL})
_WIDE_CLOSING = "」』）］｝〉》】〕〗〙｣”’\u2069"
_PREFIX_SIGNS = "第約￥＄€£¥$№＃#@＠"
_ONLY_CJK_SENTENCE = "!?"

# Thai, Lao: vowels written before their consonant, and signs that never begin a line.
_LEADING_VOWELS = "\u0e40-\u0e44\u0ec0-\u0ec4"
_SPACING_VOWELS = "\u0e2f\u0e30\u0e32\u0e33\u0e45\u0e46\u0eb0\u0eb2\u0eb3\u0ec6\u17d7\u102b\u102c"

_SHAPES: tuple[tuple[int, str], ...] = (
    (_Class.LEADING_VOWEL, f"[{_LEADING_VOWELS}]"),
    (_Class.SPACING_VOWEL, f"[{_SPACING_VOWELS}]"),
    (_Class.BREAK_AFTER, "[\u0f0b\u1361\u200b]"),
    (_Class.MARK, r"[\p{M}\u200C\u200D\u2060\uFEFF]"),
    (_Class.DIGIT, r"\p{Nd}"),
    (_Class.COMPLEX, r"\p{lb=SA}"),
    (_Class.NO_START, r"[\p{lb=NS}\p{lb=CJ}\p{lb=IN}〜～％‰℃％･・ー]"),
    (_Class.HIRAGANA, r"\p{Hiragana}"),
    (_Class.KATAKANA, r"\p{Katakana}"),
    (_Class.HAN, r"\p{Han}"),
    (_Class.EMOJI, r"[\p{Extended_Pictographic}\p{Regional_Indicator}]"),
    (_Class.HAN, r"[\p{lb=ID}--\p{Hangul}]"),
)
_SHAPE = regex.compile("|".join(f"({pattern})" for _, pattern in _SHAPES), flags=regex.VERSION1)
_SIGNS: dict[str, int] = {
    **dict.fromkeys(OPENING, _Class.OPENS),
    **dict.fromkeys(CLOSING, _Class.CLOSES),
    **dict.fromkeys(TERMINATORS, _Class.ENDS),
    **dict.fromkeys(CLAUSE_MARKS, _Class.CLAUSE),
    **dict.fromkeys(COMMA_MARKS, _Class.COMMA),
    "—": _Class.DASH,
    ".": _Class.NO_START,
}


class Unspaced:
    """Finds the places for a cut in the stretches of one text that hold no white space.

    `inside` marks the positions inside atoms, which are passed over. A text with kana is Japanese,
    where a new phrase mostly begins behind hiragana.
    """

    def __init__(self, text: str, inside: bytearray) -> None:
        self._text = text
        self._inside = inside
        self._kana = _KANA.search(text) is not None
        self._known: dict[tuple[str, int, str], tuple[int, bool, int]] = {}

    def places(self, start: int, end: int) -> Iterator[Inner]:
        """The places in ``[start, end)``, in order, without its edges."""
        text, inside, known = self._text, self._inside, self._known
        left, ended = "", _Class.OTHER
        for position in grapheme_starts(text, start, end):
            right = text[position]
            key = (left, ended, right)
            step = known.get(key)
            if step is None:
                step = known[key] = _step(left, ended, right, kana=self._kana)
            cost, mid, ended = step
            if cost and position > start and not inside[position]:
                yield position, cost, mid
            left = right


def _step(left: str, ended: int, right: str, *, kana: bool) -> tuple[int, bool, int]:
    """Cost between two graphemes' first signs, whether in mid-sentence, and what has ended then.

    `ended` is what the signs before the border close: a sentence, a clause, a bracket, or nothing.
    """
    before = _classify(left) if left else _Class.OTHER
    after = _classify(right)
    cost = _cost(before, after, ended, left, kana=kana)
    mid = ended != _Class.ENDS and before != _Class.EMOJI
    if after in _PUNCTUATION:
        ended = after
    elif after == _Class.CLOSES:
        if ended == _Class.OTHER and right in _WIDE_CLOSING:
            ended = _Class.CLOSES
    elif after != _Class.MARK:
        ended = _Class.OTHER
    return cost, mid, ended


@lru_cache(maxsize=64)  # what stands right of one place stands left of the next
def _classify(sign: str) -> int:
    if sign in _SIGNS:
        return _SIGNS[sign]
    match = _SHAPE.match(sign)
    if match is None or match.lastindex is None:
        return _Class.OTHER
    return _SHAPES[match.lastindex - 1][0]


def _cost(  # noqa: PLR0911 - one row of the table after the other, in their order
    left: int, right: int, ended: int, left_sign: str, *, kana: bool
) -> int:
    """What a cut between two graphemes costs; 0 where none may stand."""
    if right in _NEVER_FIRST or left == _Class.OPENS or left_sign in _PREFIX_SIGNS:
        return 0
    wide = right in _WIDE
    if right == _Class.EMOJI:
        return 14 if left == _Class.EMOJI else 0
    if ended == _Class.ENDS and (wide or left_sign not in _ONLY_CJK_SENTENCE + "…"):
        return 2
    if ended == _Class.CLAUSE and (wide or (left_sign in "；：" and right != _Class.DIGIT)):
        return 4
    if ended == _Class.DASH:
        return 4
    if ended in _ENDS_LESS and (wide or left_sign in "、，､"):
        return 6
    if left in _ENDS_ALONE:
        return 10
    if left in _SEA or right in _SEA:
        return _cost_in_complex_script(left, right)
    if left in _CJK or right in _CJK or left == _Class.NO_START:
        return _cost_in_cjk(left, right, kana=kana)
    return 0


def _cost_in_complex_script(left: int, right: int) -> int:
    """Thai and its neighbours: a vowel written first opens a syllable and stays with it."""
    if left == _Class.LEADING_VOWEL:
        return 0
    return 14 if right == _Class.LEADING_VOWEL or left not in _SEA or right not in _SEA else 24


def _cost_in_cjk(left: int, right: int, *, kana: bool) -> int:
    """CJK: 14, more where it would tear a Japanese word; never between a number and its unit."""
    if left == _Class.DIGIT or (left == _Class.NO_START and right not in _CJK):
        return 0
    if not kana or (left == _Class.HIRAGANA and right != _Class.HIRAGANA):
        return 14
    return 14 if _Class.OTHER in {left, right} else 22
