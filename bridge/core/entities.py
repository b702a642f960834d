"""Links, mentions, hashtags and cashtags as either network finds them in plain text.

The one place that the counters, the splitter and the price ask. Positions are code points; time is
linear in the text. Must not change a text; `bridge.core.names` and `bridge.core.defuse` do.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.core import mastodon_marks, x_marks
from bridge.core.recall import recalled
from bridge.core.text import Span, SpanKind


@recalled
def x_entities(text: str) -> tuple[Span, ...]:
    """What X would link in `text`, in order and without overlap; the first of two wins.

    Links with and without a scheme; mentions (``target`` is ``@name``, also where the span is
    somebody's list, ``@name/list``); hashtags and cashtags (bare name). A scheme-less link's
    target is as written.
    """
    return _settled(
        [
            *x_links(text),
            *(Span(m.start, m.end, SpanKind.MENTION, "@" + m.name) for m in x_marks.mentions(text)),
            *x_marks.hashtags(text),
            *x_marks.cashtags(text),
        ]
    )


@recalled
def x_links(text: str) -> tuple[Span, ...]:
    """The links among `x_entities`, whatever overlaps them: what the weighted counter goes by."""
    return tuple(
        Span(link.start, link.end, SpanKind.LINK, link.url) for link in x_marks.sure_links(text)
    )


@recalled
def mastodon_entities(text: str) -> tuple[Span, ...]:
    """What Mastodon would link in `text`, in order and without overlap; the first of two wins.

    Links with a scheme; mentions (``target`` is the handle as written, with its host if it has
    one); hashtags.
    """
    return _settled([*mastodon_countable(text), *mastodon_marks.hashtags(text)])


@recalled
def mastodon_countable(text: str) -> tuple[Span, ...]:
    """The entities that Mastodon does not count in full: links and mentions."""
    found = [
        *mastodon_marks.links(text),
        *(Span(m.start, m.end, SpanKind.MENTION, m.handle) for m in mastodon_marks.mentions(text)),
    ]
    return _settled(found)


def _settled(found: Iterable[Span]) -> tuple[Span, ...]:
    kept: list[Span] = []
    end = 0
    for span in sorted(found, key=lambda span: span.start):
        if span.start >= end:
            kept.append(span)
            end = span.end
    return tuple(kept)
