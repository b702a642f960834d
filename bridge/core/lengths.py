"""How long a text is: X's weighted count, Mastodon's, and what other servers make of it.

`x_length` follows twitter-text 3.1.0 with configuration 3, and errs on the longer side where X's
list of top-level domains may be newer or older than the library's. `mastodon_length` follows
`StatusLengthValidator`, with graphemes as Ruby up to 3.4 cuts them (never fewer than Ruby 4.0's).
Linear time. Must not change a text, or decide what to do with one that is too long.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import regex

from bridge.core import x_marks
from bridge.core.capabilities import Counting
from bridge.core.emoji_table import FLAGS, PATTERNS
from bridge.core.entities import mastodon_countable
from bridge.core.graphemes import composed, graphemes
from bridge.core.hosts import SPACES, any_tld, later_tlds
from bridge.core.recall import recalled
from bridge.core.text import SpanKind
from bridge.core.tlds import GONE_TLDS

X_LIMIT = 280
URL_LENGTH = 23
"""What a link counts on either network, whatever its length."""

_LIGHT_RE = re.compile("[\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]+")
_INVALID_RE = re.compile("[\ufeff\ufffe\uffff\ud800-\udfff]")
_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_TONE_RE = re.compile(f"[{_TONES}]")
_TONE_PLACE = "T"


def x_length(text: str) -> int:
    """The weighted length of `text` on X, in units of which a post may have 280.

    Counted on the NFC form: a link is 23, an emoji of several code points 2, a character 1 up to
    U+10FF and for common punctuation, else 2. A carriage return counts. What only a newer or an
    older list of top-level domains would link counts as the longer of the two.
    """
    text = composed(text)
    if "." not in text:
        # Without a dot there are no links, and most of what is counted is a word.
        return _weight(text)
    total = position = 0
    for start, end, weight in _weighed_links(text):
        total += _weight(text[position:start]) + weight
        position = end
    return total + _weight(text[position:])


def x_valid(text: str, limit: int = X_LIMIT) -> bool:
    """Whether X would take `text`: not empty, within `limit`, free of forbidden characters.

    White space alone is valid for the reference library, and so it is here.
    """
    return _INVALID_RE.search(text) is None and 0 < x_length(text) <= limit


def _weight(text: str) -> int:
    """The weight of a stretch without links."""
    if text.isascii():
        return len(text)
    light = sum(map(len, _LIGHT_RE.findall(text)))
    return 2 * len(text) - light - _emoji_saving(text)


def _emoji_saving(text: str) -> int:
    """By how much the sequences that count as one are heavier, taken character by character."""
    savings, start_re, lengths = _emoji()
    saved = position = 0
    for start in (match.start() for match in start_re.finditer(text)):
        if start < position:
            continue
        for length in lengths:
            sequence = text[start : start + length]
            if tone := _TONE_RE.search(sequence):
                sequence = sequence.replace(tone[0], _TONES[0])
            if (saving := savings.get(sequence)) is not None:
                saved += saving
                position = start + length
                break
    return saved


@cache
def _emoji() -> tuple[dict[str, int], re.Pattern[str], list[int]]:
    """Each sequence and what it saves; where one may start; their lengths, the longest first.

    Of those that differ in the skin tone only, which is then the same for everybody in them, the
    one with the first tone stands for all.
    """
    sequences = ["".join(chr(0x1F1E6 + ord(letter) - 65) for letter in f) for f in FLAGS.split()]
    for pattern in PATTERNS.split():
        codes = pattern.split("-")
        sequences.append("".join(_TONES[0] if c == _TONE_PLACE else chr(int(c, 16)) for c in codes))
    savings = {s: sum(1 if _LIGHT_RE.match(c) else 2 for c in s) - 2 for s in sequences}
    first = re.escape("".join({s[0] for s in sequences}))
    second = re.escape("".join({*_TONES, *(s[1] for s in sequences)}))
    lengths = sorted({len(s) for s in sequences}, reverse=True)
    return savings, re.compile(f"[{first}](?=[{second}])"), lengths


_ANY_TLD = replace(x_marks.X, tld=any_tld)


@cache
def _gone_tlds() -> frozenset[str]:
    return frozenset(GONE_TLDS.split())


def _weighed_links(text: str) -> list[tuple[int, int, int]]:
    """Start, end and weight of everything that counts as a link, in order."""
    sure = x_marks.sure_links(text)
    weighed = [(link.start, link.end, _sure_weight(text, link)) for link in sure]
    starts = [link.start for link in sure]
    for link in _doubtful_links(text):
        before = bisect_left(starts, link.end) - 1
        if before < 0 or sure[before].end <= link.start:
            weighed.append((link.start, link.end, _doubtful_weight(text, link)))
    return sorted(weighed)


@recalled
def _doubtful_links(text: str) -> tuple[x_marks.Link, ...]:
    """What would be a link if its top-level domain were known: with a scheme, or a new one."""
    if "://" not in text and not _later_re().search(text):
        return ()
    return tuple(
        link
        for link in x_marks.links(text, _ANY_TLD)
        if link.has_scheme or _tld(text, link) in later_tlds()
    )


@cache
def _later_re() -> re.Pattern[str]:
    return re.compile(rf"\.(?:{'|'.join(later_tlds())})", re.IGNORECASE)


def _tld(text: str, link: x_marks.Link) -> str:
    return text[link.host_start : link.host_end].rpartition(".")[2].lower()


def _sure_weight(text: str, link: x_marks.Link) -> int:
    if _tld(text, link) in _gone_tlds():
        return _doubtful_weight(text, link)
    # The library goes on counting behind as many UTF-16 units as the address has that it means.
    units = text[link.start : link.end].encode("utf-16-le", "surrogatepass")
    rest = units[2 * len(link.url) :] if len(link.url) < link.end - link.start else b""
    return URL_LENGTH + _weight(rest.decode("utf-16-le", "replace"))


def _doubtful_weight(text: str, link: x_marks.Link) -> int:
    return max(URL_LENGTH, _weight(text[link.start : link.end]))


_CONJUNCT_RE = regex.compile(
    r"\p{InCB=Consonant}([\p{InCB=Extend}\p{InCB=Linker}]++)(?=\p{InCB=Consonant})"
)
_LINKER_RE = regex.compile(r"\p{InCB=Linker}")


def grapheme_count(text: str) -> int:
    """Graphemes as Ruby up to 3.4 counts them: Indic conjuncts are not joined into one."""
    if text.isascii():
        return len(graphemes(text))
    joined = sum(1 for found in _CONJUNCT_RE.finditer(text) if _LINKER_RE.search(found[1]))
    return len(graphemes(text)) + joined


_ASCII_WHITE = "\0\t\n\v\f\r "
_BLANK_RE = re.compile(rf"[{SPACES}]*")


def mastodon_length(
    text: str,
    spoiler_text: str = "",
    *,
    counting: Counting = "mastodon",
    link: int = URL_LENGTH,
) -> int:
    """How many characters of its limit a server takes `text` with a content warning to have.

    `counting` names the rule: ``mastodon``, graphemes with links as `link` and mentions without
    their host; ``gotosocial``, code points, and ``pleroma``, graphemes, both with links in full;
    ``unknown``, whatever of these is the longest. The warning always counts, as it stands. Raises
    `ValueError` for ``x``, which has no warnings.
    """
    if counting == "x":
        raise ValueError("X's rule is x_length")
    if counting == "gotosocial":
        return len(text) + len(spoiler_text)
    if counting == "pleroma":
        return grapheme_count(text + spoiler_text)
    length = _mastodon_length(text.strip(_ASCII_WHITE), spoiler_text.strip(_ASCII_WHITE), link)
    return length if counting == "mastodon" else max(length, len(text) + len(spoiler_text))


def _mastodon_length(text: str, spoiler_text: str, link: int) -> int:
    if _BLANK_RE.fullmatch(text):
        # A warning without a text becomes the text.
        text, spoiler_text = spoiler_text, ""
    pieces = [spoiler_text]
    placeholder = "x" * link
    position = 0
    for span in mastodon_countable(text):
        name = "@" + span.target.split("@")[1] if span.kind is SpanKind.MENTION else placeholder
        pieces += (text[position : span.start], name)
        position = span.end
    return grapheme_count("".join((*pieces, text[position:])))


def measure_for(counting: Counting) -> Callable[[str], int]:
    """The counter of a text without a warning, for a network or server."""
    if counting == "x":
        return x_length
    return partial(mastodon_length, counting=counting)
