"""Taking the charge out of text: what a network would take for more than its author meant.

`clean` makes any string fit to be counted and sent; the others put U+2060, which is invisible and
allows no line break, where it keeps a word from becoming a link or a cashtag. Positions come from
spans. Must not shorten a text, or touch what its author meant as a link.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote

from bridge.core.entities import x_entities, x_links
from bridge.core.graphemes import composed
from bridge.core.hosts import SPACES
from bridge.core.text import Span, SpanKind, Text

JOINER = "\u2060"
"""Word joiner: counts 2 on X and 1 on Mastodon."""

_PASSES = 6
_LINE_END_RE = re.compile("\r\n?|[\n\v\f\x85\u2028\u2029]")
_FORBIDDEN_RE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_SURROGATE_RE = re.compile("[\ud800-\udfff]")
_DOT_OR_AT_RE = re.compile(rf"(?<!{JOINER})\.|[@\uff20](?=[0-9A-Za-z_])")
_WORD_RE = re.compile(rf"[^{SPACES}]+")

Edit = tuple[int, int, str]
"""Start, end, and what is to stand there instead; an insertion where both are equal."""


def edited(text: Text, edits: Sequence[Edit]) -> Text:
    """`text` with `edits` made, which are in order and do not overlap; spans move along.

    What is put in within a span, or replaces a part of it, belongs to the span; what is put in at
    either end of one does not.
    """
    if not edits:
        return text
    pieces: list[str] = []
    position = 0
    for start, end, new in edits:
        pieces += (text.plain[position:start], new)
        position = end
    plain = "".join((*pieces, text.plain[position:]))
    spans: list[Span] = []
    shift = index = 0
    for span in text.spans:
        while index < len(edits) and edits[index][1] <= span.start:
            start, end, new = edits[index]
            shift += len(new) - (end - start)
            index += 1
        begin = span.start + shift
        while index < len(edits) and edits[index][0] < span.end:
            start, end, new = edits[index]
            shift += len(new) - (end - start)
            index += 1
        spans.append(Span(begin, span.end + shift, span.kind, span.target))
    return Text(plain, tuple(span for span in spans if span.end > span.start))


def clean(plain: str) -> str:
    """`plain` as any network takes it.

    Line ends of every kind become a line feed; NFC; no control characters but tab and line feed, no
    U+FEFF, no code points that are no characters, no lone surrogates. Idempotent.
    """
    if _SURROGATE_RE.search(plain):
        # Two halves that belong together are one character in disguise.
        plain = plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    plain = _FORBIDDEN_RE.sub("", _LINE_END_RE.sub("\n", plain))
    return composed(plain)


def defuse_accidental_links(text: Text) -> Text:
    """`text` for X, where words such as ``README.md`` are no links unless the author made them so.

    A scheme-less token that X would link, and that no LINK span of `text` covers, gets U+2060
    before each of its dots. Nobody is mentioned who was not before: X sees no mention within a
    link, and does once it is none, so these are defused as well (``%40`` in a LINK span). What
    lies within a LINK span or begins with a scheme otherwise stays as it is. Idempotent.
    """
    mentions: set[int] | None = None
    for attempt in range(_PASSES):
        present = [span for span in x_entities(text.plain) if span.kind is SpanKind.MENTION]
        if mentions is None:
            mentions = {span.start for span in present}
        accidental: Iterable[Span] = _accidental_links(text, x_links(text.plain))
        if attempt == _PASSES - 1:
            # Words that keep growing new links: every dot of theirs, which none survives.
            accidental = _words_around(text.plain, list(accidental))
        new = (span.start for span in present if span.start not in mentions)
        edits = sorted({*_unlinking(text, accidental), *muting(text, new)})
        if not edits:
            break
        places = [start for start, _, _ in edits]
        shifts = [0, *accumulate(len(new) - (end - start) for start, end, new in edits)]
        mentions = {at + shifts[bisect_right(places, at)] for at in mentions}
        text = edited(text, edits)
    return text


def _accidental_links(text: Text, links: Iterable[Span]) -> Iterator[Span]:
    meant = text.of_kind(SpanKind.LINK)
    index = 0
    for span in links:
        if "://" in span.target[:8]:
            continue
        while index < len(meant) and meant[index].end <= span.start:
            index += 1
        host_end = span.start + len(re.split("[/:?]", span.target, maxsplit=1)[0])
        if index == len(meant) or meant[index].start >= host_end:
            yield span


def unlinked(text: Text, links: Iterable[Span]) -> Text:
    """`text` with U+2060 before each dot, and behind each at sign, of `links`, which are in order.

    Nothing changes within LINK spans of `text`.
    """
    return edited(text, list(_unlinking(text, links)))


def _unlinking(text: Text, links: Iterable[Span]) -> Iterator[Edit]:
    meant = text.of_kind(SpanKind.LINK)
    index = 0
    for link in links:
        for sign in _DOT_OR_AT_RE.finditer(text.plain, link.start, link.end):
            position = sign.start()
            while index < len(meant) and meant[index].end <= position:
                index += 1
            if index == len(meant) or meant[index].start > position:
                place = position if sign[0] == "." else position + 1
                yield place, place, JOINER


def muting(text: Text, at_signs: Iterable[int]) -> Iterator[Edit]:
    """What keeps at signs, in order, from mentioning: their escape in a link, else a joiner."""
    links = text.of_kind(SpanKind.LINK)
    index = 0
    for at in at_signs:
        while index < len(links) and links[index].end <= at:
            index += 1
        if index < len(links) and links[index].start <= at:
            yield at, at + 1, quote(text.plain[at])
        else:
            yield at + 1, at + 1, JOINER


def _words_around(plain: str, spans: Sequence[Span]) -> Iterator[Span]:
    """The words, by white space, that `spans` lie in."""
    index = 0
    for word in _WORD_RE.finditer(plain):
        while index < len(spans) and spans[index].end <= word.start():
            index += 1
        if index < len(spans) and spans[index].start < word.end():
            yield Span(word.start(), word.end(), SpanKind.LINK, word[0])


def one_cashtag(text: Text) -> Text:
    """`text` for X, which takes one cashtag a post: the others get U+2060 behind the sign."""
    return _without_cashtags(text, after=1)


def no_cashtag(text: Text) -> Text:
    """`text` for X without any cashtag, for what stands in a post beside other text."""
    return _without_cashtags(text, after=0)


def _without_cashtags(text: Text, *, after: int) -> Text:
    if text.plain.count("$") <= after:
        return text
    cashtags = [span for span in x_entities(text.plain) if span.kind is SpanKind.CASHTAG]
    return edited(text, [(span.start + 1, span.start + 1, JOINER) for span in cashtags[after:]])
