"""From a post to its draft on the other network: what to say, in how many parts, at what price.

Pure, and the same code for the real thing and for a preview. Asks `Capabilities` what the network
can carry; must not know adapters, and must not decide whether a post is mirrored at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.core.capabilities import Capabilities
from bridge.core.defuse import JOINER, clean, defuse_accidental_links, no_cashtag, one_cashtag
from bridge.core.draft import Draft, DraftPart
from bridge.core.entities import mastodon_entities, x_entities
from bridge.core.errors import UnfitError
from bridge.core.lengths import mastodon_length, measure_for
from bridge.core.model import Network, Poll, Post, Visibility
from bridge.core.names import safe_for_mastodon, safe_for_x
from bridge.core.policy import Policy
from bridge.core.prices import FREE, creation
from bridge.core.recall import recalling
from bridge.core.record import Mirror
from bridge.core.seams import mended
from bridge.core.split import ELLIPSIS, split
from bridge.core.text import Span, SpanKind, Text, joined

MAX_CHARACTERS = 50_000
"""Code points of a post that are composed, all its texts together; beyond, it is no longer a post.

Twice what the longest post on either network has, as its short links may stand for long ones. It
bounds the time that anybody's text can take.
"""

_WARNING_MARK = "CW: "
_ROOM_FOR_JOINERS = (0, 1, 2, 8, 32)
"""How many word joiners are left room for in each part, in case its cuts call for them.

Last of all as many as half a part takes: no text calls for more than one every other character.
"""


@dataclass(frozen=True, slots=True)
class Context:
    """What else bears on a draft: the time (aware UTC), and where what it points at stands.

    `quoted` and `reposted` are mirrors on the target network of the own post that is quoted or
    repeated; None where there is none.
    """

    now: datetime
    quoted: Mirror | None = None
    reposted: Mirror | None = None


@recalling()
def compose(post: Post, to: Capabilities, policy: Policy, context: Context) -> Draft:
    """The draft of `post` for the network that `to` describes.

    Raises `UnfitError`, naming the post, where it cannot be fitted at all, or has more than
    `MAX_CHARACTERS`.
    """
    del context
    _check_size(post)
    notes: list[str] = []
    body = _body(post, notes)
    if to.network is Network.X:
        body = one_cashtag(defuse_accidental_links(safe_for_x(body, policy.people)))
    else:
        body = safe_for_mastodon(body, policy.people)
    warning = clean(post.spoiler)
    if warning and not to.spoiler:
        # A network without content warnings still shows the warning first, on every part.
        notes.append("content warning written at the head of each part")
        warning = _harmless(warning, policy, to)
        if body.plain.strip():
            warning = _shortened(warning, to, notes)
        heading, warning = f"{_WARNING_MARK}{warning}\n\n", ""
    else:
        heading = ""
    known = frozenset(handle.lower() for pair in policy.people.items() for handle in pair)
    texts = _fitted(post, body.plain.strip(), to, heading=heading, warning=warning, known=known)
    if not (any(texts) or warning or post.media):
        raise UnfitError(f"nothing of post {post.id} can be said on {to.network.value}")
    if len(texts) > 1:
        notes.append(f"too long for one post: a thread of {len(texts)}")
    parts = tuple(
        _part(index, text, post, to, warning=warning, policy=policy)
        for index, text in enumerate(texts)
    )
    return Draft(parts, tuple(notes))


def _check_size(post: Post) -> None:
    texts = [post.text.plain, post.spoiler, (post.quote and post.quote.url) or ""]
    texts += [option.label for option in post.poll.options] if post.poll else []
    size = sum(map(len, texts))
    if size > MAX_CHARACTERS:
        raise UnfitError(
            f"post {post.id} has {size:,} characters, of which {MAX_CHARACTERS:,} are the most "
            "that are carried over"
        )


def _body(post: Post, notes: list[str]) -> Text:
    """Everything that a post says, as one text; what cannot be said so is noted."""
    pieces = [_cleaned(post.text)]
    if post.poll is not None:
        pieces.append(Text(_poll_in_words(post.poll)))
        notes.append("poll written out as text")
    if post.quote is not None:
        if post.quote.url is None:
            notes.append("quoted post left out: its address is not known")
        elif post.quote.url not in post.text.plain:
            span = Span(0, len(post.quote.url), SpanKind.LINK, post.quote.url)
            pieces.append(Text(post.quote.url, (span,)))
            notes.append("quoted post given as a link")
    if post.media:
        notes.append(f"{len(post.media)} attached media left out: only text is carried over yet")
    return joined([piece for piece in pieces if piece.plain], "\n\n")


def _cleaned(text: Text) -> Text:
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


def _poll_in_words(poll: Poll) -> str:
    return "\n".join(f"○ {clean(option.label)}" for option in poll.options)


def _harmless(warning: str, policy: Policy, to: Capabilities) -> str:
    """A warning has no spans: no name in it may ping, nothing in it become a link or cashtag."""
    text = safe_for_x(Text(warning), policy.people)
    return (
        no_cashtag(defuse_accidental_links(text)).plain if to.network is Network.X else text.plain
    )


def _shortened(warning: str, to: Capabilities, notes: list[str]) -> str:
    """A warning of half a part at most, so that what it warns of has room as well."""
    length = _length(to, "")
    room = to.max_length // 2 - length(f"{_WARNING_MARK}{ELLIPSIS}\n\n")
    if length(warning) <= room:
        return warning
    notes.append("content warning shortened, to leave room for what it warns of")
    try:
        first = split(warning, room, length, numbering=False)[0]
    except UnfitError:
        # Without its words a warning still warns.
        first = ""
    return f"{first.rstrip(ELLIPSIS)}{ELLIPSIS}"


def _fitted(
    post: Post, body: str, to: Capabilities, *, heading: str, warning: str, known: frozenset[str]
) -> list[str]:
    """The texts of all parts, each within the limit, `heading` and `warning` included."""
    length = _length(to, warning)
    limit = to.max_length - length(heading)
    where = f"post {post.id} cannot be fitted to {to.network.value}"
    if heading and not body:
        heading, body = "", heading.strip()
        limit = to.max_length
    atoms = x_entities if to.network is Network.X else mastodon_entities
    joiner = length(JOINER) - length("")
    for joiners in (*_ROOM_FOR_JOINERS, limit // (2 * joiner)):
        room = limit - joiners * joiner
        try:
            texts = split(body, room, length, atoms=atoms, gather_links=to.prices is not None)
        except UnfitError as error:
            raise UnfitError(f"{where}: {error}") from error
        whole = mended(texts, body, to.network, known) if len(texts) > 1 else texts
        if not heading and whole == texts:
            return texts
        fitted = [heading + text for text in whole]
        if all(length(text) <= to.max_length for text in fitted):
            return fitted
    raise UnfitError(f"{where}: no way was found to cut it for a limit of {to.max_length}")


def _length(to: Capabilities, warning: str) -> Callable[[str], int]:
    """The counter of one server, a content warning charged to every part."""
    if to.counting == "x":
        return measure_for("x")
    counting = to.counting
    return lambda text: mastodon_length(text, warning, counting=counting)


def _part(
    index: int, text: str, post: Post, to: Capabilities, *, warning: str, policy: Policy
) -> DraftPart:
    price = FREE
    if to.prices is not None:
        has_link = any(span.kind is SpanKind.LINK for span in x_entities(text))
        price = creation(to.prices, has_link=has_link)
    return DraftPart(
        index=index,
        text=text,
        price=price,
        spoiler=warning,
        sensitive=post.sensitive or bool(warning),
        language=post.language if to.language else None,
        visibility=policy.visibility if to.network is Network.MASTODON else Visibility.PUBLIC,
    )
