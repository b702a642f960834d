"""Texts as a network may have them: clean, pinging nobody unmeant, linking nothing unmeant.

Also the content warning as it is shown. Pure; must not fit a text to a limit, but for the warning.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bridge.core.capabilities import Capabilities
from bridge.core.caution import MARK
from bridge.core.defuse import clean, defuse_accidental_links, edited, no_cashtag, one_cashtag
from bridge.core.fitting import counter
from bridge.core.linking import dropped, with_links_as
from bridge.core.model import Network
from bridge.core.names import safe_for_mastodon, safe_for_x
from bridge.core.policy import Policy
from bridge.core.shorten import ELLIPSIS, shortened
from bridge.core.text import Span, SpanKind, Text

_SHORTENED = "content warning shortened, to leave room for what it warns of"


@dataclass(frozen=True, slots=True)
class Head:
    """A content warning as it is shown, and what to note about it."""

    text: str = ""
    notes: tuple[str, ...] = ()


NO_HEAD = Head()


def cleaned(text: Text) -> Text:
    """Clean a text piece by piece, so that its spans stay where they belong."""
    whole: list[str] = []
    spans: list[Span] = []
    position = length = 0
    for span in text.spans:
        before = clean(text.plain[position : span.start])
        inside = clean(text.plain[span.start : span.end])
        start = length + len(before)
        length = start + len(inside)
        if inside:
            spans.append(Span(start, length, span.kind, span.target))
        whole += (before, inside)
        position = span.end
    whole.append(clean(text.plain[position:]))
    return Text("".join(whole), tuple(spans))


def safe(text: Text, to: Capabilities, policy: Policy, *, first: bool = True) -> tuple[str, int]:
    """`text` as the network may have it, and how many links it lost by the owner's choice.

    `first` says that nothing was said before it: X takes one cashtag a post.
    """
    text, changed = with_links_as(text, policy.links)
    if to.network is Network.MASTODON:
        return safe_for_mastodon(text, policy.people).plain.strip(), changed
    text = defuse_accidental_links(safe_for_x(text, policy.people))
    return (one_cashtag if first else no_cashtag)(text).plain.strip(), changed


def without_tags(text: Text, hidden: AbstractSet[str]) -> tuple[Text, list[str]]:
    """`text` without the hashtags in `hidden`, and what these were.

    In `hidden` they have no sign and are in lower case.
    """
    tags = text.of_kind(SpanKind.HASHTAG)
    found = [span for span in tags if span.target.casefold() in hidden]
    left = edited(text, [dropped(text.plain, span) for span in found])
    return left, [text.plain[span.start : span.end] for span in found]


def heading(warning: str, to: Capabilities, policy: Policy, *, alone: bool) -> Head:
    """What begins every part where there is no field for a warning: ``CW: …`` and an empty line.

    No name in it pings, nothing in it is a cashtag or an accidental link. `alone` says that it is
    all there is; otherwise it takes half a part at most.
    """
    words, _ = safe(Text(warning), to, policy, first=False)
    if alone:
        return Head(f"{MARK}{words}\n\n")
    short = short_warning(words, to, around=f"{MARK}\n\n")
    # A cut can make links and names, and mending them takes room; without its words a warning
    # still warns.
    words, _ = safe(Text(short.text), to, policy, first=False)
    if counter(to)(words) > to.max_length * 3 // 4:
        words = ELLIPSIS
    return Head(
        f"{MARK}{words}\n\n", ("content warning written at the head of each part", *short.notes)
    )


def short_warning(warning: str, to: Capabilities, around: str = "") -> Head:
    """A warning of half a part at most, so that what it warns of has room as well."""
    count = counter(to)
    short = shortened(warning, to.max_length // 2, lambda text: count(around + text))
    return Head(short, (_SHORTENED,) if short != warning.strip() else ())
