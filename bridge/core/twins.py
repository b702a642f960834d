"""Whether a post stands on the other network already, put there by hand or by another tool.

Two posts of one author, one a side, that say the same are twins. Judges what it is shown: which
posts of the other side there are, and which of them are mirrors made here, the ledger knows. Must
not compare posts of one side with each other: what its owner writes every morning is a new post
every morning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from bridge.core.fingerprint import Canonical, Match, canonical, compared, digest
from bridge.core.model import Kind, Post, PostId, Visibility

WINDOW = timedelta(hours=48)
"""How far apart, by creation time, twins may be written."""

WINDOW_BESIDE_MIRROR = timedelta(hours=12)
"""The same where the other one has a mirror on this side: whoever writes it there a day later, by
hand and beside that mirror, means a new post."""

WINDOW_OF_FEW_WORDS = timedelta(minutes=10)
"""The same for what is soon said again, such as a greeting."""

COPIES_WITHIN = timedelta(minutes=30)
"""How far from the first twin of a post others may be written: several tools may copy one post,
each when it next looks. What stands there again later was written again by its author."""

MOST_LIKELY = 10

_SEEN_BY_OTHERS = frozenset({Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS})
_STRENGTH = (Match.EXACT, Match.PREFIX, Match.SIMILAR)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is compared of a post. `media` is how many there are; `replies`, whether to a post."""

    id: PostId
    at: datetime
    what: Canonical
    media: int
    replies: bool


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A recorded post of the other side that is no mirror made here.

    `same_text` says that the fingerprints agree. `mirrored` says that parts of a mirror of it have
    been sent. `media` is None where it is not known. `twin_at` is when the first of its twins on
    this side was written, None where it has none yet.
    """

    id: PostId
    url: str | None
    at: datetime
    media: int | None
    mirrored: bool
    same_text: bool
    twin_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """The post of the other side that is the same, or may be, and how surely."""

    match: Match
    post: Counterpart


def sighting(post: Post) -> Sighting | None:
    """What of `post` can be compared; None for what is not own writing that stands somewhere.

    That is: reposts, replies to others, and what was said to few or to nobody knows whom.
    """
    if post.visibility not in _SEEN_BY_OTHERS or post.kind is Kind.REPOST or _to_others(post):
        return None
    what = canonical(post.text)
    if not (what.words or what.links):
        return None
    return Sighting(post.id, post.created_at, what, len(post.media), post.in_reply_to is not None)


def fingerprint(seen: Sighting, key: bytes) -> str:
    """Equal for posts of one kind that say the same, and where it tells no words to others."""
    kind = "reply" if seen.replies else "post"
    return digest(seen.what, key, apart=f"{kind} {seen.what.number}")


def likely(seen: Sighting, others: Iterable[Sighting]) -> dict[PostId, Match]:
    """Those of `others` that could be twins by kind, time and words, and how they agree.

    The first `MOST_LIKELY` of them: each that is much alike takes long to be compared.
    """
    near = (o for o in others if o.replies is seen.replies and abs(o.at - seen.at) <= WINDOW)
    matches = ((other.id, compared(seen.what, other.what)) for other in near)
    return dict(islice((pair for pair in matches if pair[1] is not Match.NONE), MOST_LIKELY))


def twin(
    seen: Sighting, counterparts: Iterable[Counterpart], matches: Mapping[PostId, Match]
) -> Twin | None:
    """The surest of `counterparts`, then the nearest in time; `matches` are those of `likely`."""
    twins = [
        Twin(Match.EXACT if other.same_text else matches.get(other.id, Match.NONE), other)
        for other in counterparts
        if abs(other.at - seen.at) <= _window(seen, other) and _media_agree(seen, other)
    ]
    return min(
        (one for one in twins if one.match is not Match.NONE and _is_free(seen, one)),
        key=lambda one: (_STRENGTH.index(one.match), abs(one.post.at - seen.at), one.post.id),
        default=None,
    )


def _to_others(post: Post) -> bool:
    """Whether it surely replies to somebody else; a server may not name whom a reply is to."""
    return post.in_reply_to is not None and post.in_reply_to.account not in {None, post.author}


def _window(seen: Sighting, other: Counterpart) -> timedelta:
    if seen.what.few:
        return WINDOW_OF_FEW_WORDS
    return WINDOW_BESIDE_MIRROR if other.mirrored else WINDOW


def _is_free(seen: Sighting, one: Twin) -> bool:
    """Whether a post with a twin may have another: a copy, and not only something like it."""
    first = one.post.twin_at
    if first is None:
        return True
    return one.match is not Match.SIMILAR and abs(first - seen.at) <= COPIES_WITHIN


def _media_agree(seen: Sighting, other: Counterpart) -> bool:
    """Tools leave media behind, so none is no contradiction, unless there are few words besides."""
    if other.media is None or other.media == seen.media:
        return True
    return not seen.what.few and 0 in {seen.media, other.media}
