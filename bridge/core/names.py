"""Names across networks: nobody is pinged whom the author did not mean to.

A mention becomes a form that the other network does not take for one, or a real mention of the
same person where the owner has said who that is. Positions come from spans, never from a search
for names; the other network's own rule then says what is left to defuse. Must not look anybody up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from bridge.core import mastodon_marks
from bridge.core.defuse import JOINER, Edit, edited, muting, unlinked
from bridge.core.entities import x_entities, x_links
from bridge.core.model import Network
from bridge.core.text import Span, SpanKind, Text

_X_NAME_RE = re.compile(r"[0-9A-Za-z_]{1,20}")
_POSSIBLE_MENTION_RE = re.compile(r"[@\uff20](?=[0-9A-Za-z_])")
_LOOSE_MENTION_RE = re.compile(r"(?<![0-9A-Za-z_])@(?=[0-9A-Za-z_])")
_AT = "@\uff20"
_PASSES = 4

Scan = Callable[[Text], Iterable[tuple[int, int]]]
"""Start and end of everything that a network would take for a mention."""


def safe_for_x(text: Text, people: Mapping[str, str]) -> Text:
    """`text` from Mastodon, so that on X it mentions only those whom `people` names.

    A MENTION span becomes ``@bob@mastodon.social`` (its target), which X takes for nothing, or
    ``@bobx``, its target too then. Whatever else X would take for a mention gets U+2060 behind the
    at sign (``%40`` in a link). `people` maps handles of the two networks, in either direction and
    any case, with or without the leading at sign.
    """
    counterparts = {mastodon: x for x, mastodon in _pairs(people, by_x=False)}

    def form(handle: str) -> tuple[str, str | None]:
        name = counterparts.get(handle.lower())
        return (f"@{handle}", None) if name is None else (f"@{name}", f"@{name}")

    return _guarded_for_x(*_renamed(text, form))


def safe_for_mastodon(text: Text, people: Mapping[str, str]) -> Text:
    """`text` from X, so that on Mastodon it mentions only those whom `people` names.

    A MENTION span becomes ``bobx (on X)``, or ``@bob@mastodon.social``, its target too then.
    Whatever else a server would look up gets U+2060 behind the at sign (``%40`` in a link), a
    little more widely than Mastodon itself does: other servers' rules differ. The full-width ``＃``
    of hashtags becomes ``#``. `people` as for `safe_for_x`.
    """
    counterparts = dict(_pairs(people, by_x=True))

    def form(handle: str) -> tuple[str, str | None]:
        mastodon = counterparts.get(handle.lower())
        return (f"{handle} (on X)", None) if mastodon is None else (f"@{mastodon}", f"@{mastodon}")

    hashtags = {
        span.start
        for span in (*text.of_kind(SpanKind.HASHTAG), *x_entities(text.plain))
        if span.kind is SpanKind.HASHTAG and text.plain[span.start] == "\uff03"
    }
    text = edited(text, [(start, start + 1, "#") for start in sorted(hashtags)])
    renamed, meant = _renamed(text, form)
    return _guarded(renamed, meant, _mastodon_mentions)


def silenced(text: Text, network: Network) -> Text:
    """`text` for a network, so that it mentions only whom its MENTION spans name as they stand."""
    meant = frozenset(i for i, span in enumerate(text.spans) if span.kind is SpanKind.MENTION)
    if network is Network.X:
        return _guarded_for_x(text, meant)
    return _guarded(text, meant, _mastodon_mentions)


def _pairs(people: Mapping[str, str], *, by_x: bool) -> Iterable[tuple[str, str]]:
    """X's name and Mastodon's handle of each pair, the one to look up by in lower case."""
    for pair in reversed(list(people.items())):
        one, other = (handle.strip().lstrip(_AT) for handle in pair)
        x, mastodon = (one, other) if "@" in other else (other, one)
        whole = [m.end for m in mastodon_marks.summoned(f"@{mastodon}")] == [len(mastodon) + 1]
        if _X_NAME_RE.fullmatch(x) and "@" in mastodon and whole:
            yield (x.lower(), mastodon) if by_x else (x, mastodon.lower())


def _renamed(
    text: Text, form: Callable[[str], tuple[str, str | None]]
) -> tuple[Text, frozenset[int]]:
    """`text` with every mention in its new form, and which of its spans are to be mentions."""
    forms = [
        form(span.target.lstrip(_AT)) if span.kind is SpanKind.MENTION else None
        for span in text.spans
    ]
    remaining = iter([form for form in forms if form is not None])

    def rewrite(span: Span, present: str) -> str:
        if span.kind is not SpanKind.MENTION:
            return present
        new = next(remaining)[0]
        return new if new.startswith("@") else _gap(text.plain, span.start) + new

    rewritten = text.rewritten(rewrite)
    spans = [
        span if new is None or new[1] is None else Span(span.start, span.end, span.kind, new[1])
        for span, new in zip(rewritten.spans, forms, strict=True)
    ]
    meant = (index for index, new in enumerate(forms) if new is not None and new[1] is not None)
    return Text(rewritten.plain, tuple(spans)), frozenset(meant)


def _gap(plain: str, start: int) -> str:
    """What keeps a name without its at sign apart from what stands before it."""
    before = plain[start - 1 : start]
    if before == ".":
        return JOINER
    return " " if before.isascii() and before.isalnum() else ""


def _guarded_for_x(text: Text, meant: frozenset[int]) -> Text:
    safe = _guarded(text, meant, _x_mentions)
    for _ in range(_PASSES):
        undone = unlinked(safe, _links_behind_joiners(safe.plain))
        if undone == safe:
            break
        safe = _guarded(undone, meant, _x_mentions)
    return safe


def _guarded(text: Text, meant: frozenset[int], scan: Scan) -> Text:
    """`text`, in which `scan` finds no mention but those spans that are `meant`."""
    for attempt in range(_PASSES):
        own = {text.spans[index].start: text.spans[index] for index in meant}
        found = dict(scan(text))
        edits: set[Edit] = set()
        for span in own.values():
            if found.get(span.start) != span.end:
                apart = _set_apart(text.plain, span)
                edits |= apart
                if apart:
                    found.pop(span.start, None)
        exact = {start for start, span in own.items() if found.get(start) == span.end}
        if attempt == _PASSES - 1:
            found |= {m.start(): m.end() for m in _POSSIBLE_MENTION_RE.finditer(text.plain)}
        edits |= set(muting(text, sorted(found.keys() - exact)))
        if not edits:
            break
        text = edited(text, sorted(edits))
    return text


def _set_apart(plain: str, span: Span) -> set[Edit]:
    """Joiners on both sides of a mention whose neighbours would spoil it."""
    edits: set[Edit] = set()
    if span.start and plain[span.start - 1] != JOINER and not plain[span.start - 1].isspace():
        edits.add((span.start, span.start, JOINER))
    if span.end < len(plain) and plain[span.end] != JOINER and not plain[span.end].isspace():
        edits.add((span.end, span.end, JOINER))
    return edits


def _x_mentions(text: Text) -> Iterable[tuple[int, int]]:
    if not _POSSIBLE_MENTION_RE.search(text.plain):
        return ()
    return (
        (span.start, span.end) for span in x_entities(text.plain) if span.kind is SpanKind.MENTION
    )


def _mastodon_mentions(text: Text) -> Iterable[tuple[int, int]]:
    found = {m.start: m.end for m in mastodon_marks.summoned(text.plain)}
    links = (*text.of_kind(SpanKind.LINK), *mastodon_marks.links(text.plain))
    inside = sorted((link.start, link.end) for link in links)
    index = 0
    for loose in _LOOSE_MENTION_RE.finditer(text.plain):
        at = loose.start()
        while index < len(inside) and inside[index][1] <= at:
            index += 1
        if index == len(inside) or inside[index][0] > at:
            found.setdefault(at, at + 1)
    return found.items()


def _links_behind_joiners(plain: str) -> list[Span]:
    """Words that became links by a joiner in front: ``@name.com`` is none, ``name.com`` is."""
    if not any(at + JOINER in plain for at in _AT):
        return []
    return [
        span
        for span in x_links(plain)
        if plain[span.start - 1 : span.start] == JOINER
        and plain[span.start - 2 : span.start - 1] in ("@", "\uff20")
        and "://" not in span.target[:8]
    ]
