"""The guards that no rule of a user can switch off: audience, echo (own and foreign), flood.

Pure questions about one post and what the ledger knows of it; each answers with the verdict that
stops the post, or None to let it pass. Must fail closed: what is not known is not mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.core import crossposters
from bridge.core.fingerprint import Match
from bridge.core.model import Network, Post, PostId, Visibility
from bridge.core.twins import Twin
from bridge.core.verdict import Action, Reason, Verdict

NEVER_WIDENED = frozenset({Visibility.FOLLOWERS, Visibility.DIRECT, Visibility.UNKNOWN})
"""Audiences that no configuration can let across."""

_IN_WORDS = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "followers only",
    Visibility.DIRECT: "direct",
    Visibility.UNKNOWN: "unknown",
}


def audience(post: Post, allowed: frozenset[Visibility]) -> Verdict | None:
    """Stop a post whose audience is not among `allowed`, or is not known."""
    return seen_by(post.network, post.visibility, allowed)


def seen_by(
    network: Network, visibility: Visibility, allowed: frozenset[Visibility]
) -> Verdict | None:
    """The same of an audience alone, of a post on `network`."""
    if visibility is Visibility.UNKNOWN:
        return Verdict(Action.SKIP, Reason.AUDIENCE_UNKNOWN)
    if network is Network.X and visibility is Visibility.FOLLOWERS:
        return Verdict(Action.SKIP, Reason.PROTECTED)
    if visibility in NEVER_WIDENED or visibility not in allowed:
        return Verdict(Action.SKIP, Reason.AUDIENCE, _IN_WORDS[visibility])
    return None


def echo(echo_of: PostId | None) -> Verdict | None:
    """Stop a post that the bridge itself made; `echo_of` is the post that it mirrors."""
    return None if echo_of is None else Verdict(Action.SKIP, Reason.ECHO, f"mirror of {echo_of}")


def foreign_mirror(post: Post) -> Verdict | None:
    """Stop a post that bears the mark of another cross-poster."""
    maker = crossposters.maker(post)
    return None if maker is None else Verdict(Action.SKIP, Reason.FOREIGN_MIRROR, maker)


def same_post(twin: Twin | None) -> Verdict | None:
    """Stop a post that its author has on the other side too; hold one that only seems to be so.

    It speaks last, so that only what would be mirrored otherwise is ever held.
    """
    if twin is None:
        return None
    where = twin.post.url or twin.post.id
    if twin.match is Match.SIMILAR:
        return Verdict(Action.HOLD, Reason.SIMILAR_POST, where)
    return Verdict(Action.SKIP, Reason.SAME_POST, where)


def flood(post: Post, *, floor: datetime | None, baseline: bool) -> Verdict | None:
    """Stop a post that stood there before the bridge was told to start."""
    if baseline or (floor is not None and post.created_at < floor):
        return Verdict(Action.SKIP, Reason.BEFORE_START)
    return None


@dataclass(frozen=True, slots=True)
class Return:
    """How a reading of a source came about that may bring posts nobody waits for any more.

    `reference` is the latest time that is known: the own clock's, or the creation of the newest
    post, so that a clock that stands behind lets nothing old through. `absent` is how long the
    source had not been read to its end, None where it never was. `restored` says that the ledger
    was put back from a backup, and that the source has not been read to its end since.
    """

    reference: datetime
    absent: timedelta | None = None
    restored: bool = False


def late(post: Post, came_back: Return, max_age: timedelta | None) -> Verdict | None:
    """Stop a post that was written while nobody was there to mirror it, or may have been mirrored.

    Without an absence of `max_age` nothing is old, whatever a clock says: it was read as it came.
    """
    if came_back.restored:
        return Verdict(Action.SKIP, Reason.RESTORED)
    if max_age is None or came_back.absent is None or came_back.absent <= max_age:
        return None
    if came_back.reference - post.created_at <= max_age:
        return None
    return Verdict(Action.SKIP, Reason.TOO_OLD)
