"""Where links, mentions and hashtags stand in a text, as Mastodon's server finds them.

The core's rules, which also count them, put in order. Must not look anything up: a mention is a
mention even if nobody has that name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.core import mastodon_marks

MarkKind = Literal["url", "mention", "hashtag"]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A stretch ``[start, end)`` in code points.

    `value` is the URL, the handle without its leading ``@``, or the tag without its sign.
    """

    start: int
    end: int
    kind: MarkKind
    value: str


def marks_of(text: str) -> tuple[Mark, ...]:
    """Every mark in order; of two that overlap, the later one is dropped."""
    found = [Mark(link.start, link.end, "url", link.target) for link in mastodon_marks.links(text)]
    found += [
        Mark(one.start, one.end, "mention", one.handle[1:]) for one in mastodon_marks.mentions(text)
    ]
    found += [
        Mark(tag.start, tag.end, "hashtag", tag.target) for tag in mastodon_marks.hashtags(text)
    ]
    kept: list[Mark] = []
    for mark in sorted(found):
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return tuple(kept)


def summoned(text: str) -> tuple[str, ...]:
    """The handles whose owners a server would notify: more than are shown as mentions."""
    return tuple(dict.fromkeys(one.handle[1:] for one in mastodon_marks.summoned(text)))
