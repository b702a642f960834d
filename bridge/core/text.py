"""Plain text with spans: what both networks' posts are turned into, and rendered from.

Must not know any network's markup, counting or mention rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class SpanKind(StrEnum):
    """What a stretch of text is to its author."""

    LINK = "link"
    MENTION = "mention"
    HASHTAG = "hashtag"
    CASHTAG = "cashtag"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch ``[start, end)`` of the text, in code points, and what it stands for.

    `target` is the whole URL of a link; the full handle of a mention (``@bob@mastodon.social``,
    ``@bobx``), host included on Mastodon even where the text omits it; the bare name of a tag.
    """

    start: int
    end: int
    kind: SpanKind
    target: str


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, and its spans in order and without overlap.

    Raises `ValueError` when a span is empty, out of range, out of order or overlapping, so that
    nobody downstream has to look again.
    """

    plain: str
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        end = 0
        for span in self.spans:
            if not end <= span.start < span.end <= len(self.plain):
                raise ValueError(f"span {span.start}-{span.end} does not fit its text")
            end = span.end

    def of_kind(self, kind: SpanKind) -> tuple[Span, ...]:
        """The spans of one kind, in order."""
        return tuple(span for span in self.spans if span.kind is kind)

    def rewritten(self, rewrite: Callable[[Span, str], str]) -> Text:
        """A copy in which each span's text is what `rewrite(span, its present text)` returns.

        Spans move along with the text; one whose new text is empty disappears.
        """
        pieces: list[str] = []
        spans: list[Span] = []
        position = length = 0
        for span in self.spans:
            before = self.plain[position : span.start]
            inside = rewrite(span, self.plain[span.start : span.end])
            pieces += (before, inside)
            start = length + len(before)
            length = start + len(inside)
            if inside:
                spans.append(Span(start, length, span.kind, span.target))
            position = span.end
        pieces.append(self.plain[position:])
        return Text("".join(pieces), tuple(spans))


def joined(pieces: Iterable[Text], separator: str = "") -> Text:
    """Concatenate texts, moving their spans along."""
    plain: list[str] = []
    spans: list[Span] = []
    length = 0
    for piece in pieces:
        if plain:
            plain.append(separator)
            length += len(separator)
        spans += (Span(length + s.start, length + s.end, s.kind, s.target) for s in piece.spans)
        plain.append(piece.plain)
        length += len(piece.plain)
    return Text("".join(plain), tuple(spans))
