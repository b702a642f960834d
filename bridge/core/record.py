"""What the ledger remembers, in the shapes that engine and surfaces read.

Values only. Must not know SQL, nor how any of this is shown.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bridge.core.delivery import PartState, PostState, post_state
from bridge.core.draft import Draft, DraftMedia, DraftPart
from bridge.core.model import MediaId, Microdollars, Post, PostId, Route
from bridge.core.prices import FREE
from bridge.core.verdict import Action, Verdict


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a route has read.

    `post` is the last post dealt with, None while there was none. `at` is the latest creation time
    dealt with, by the server's clock. `floor` is the creation time before which nothing is
    mirrored, whatever a server returns; None for no such bound.
    """

    post: PostId | None = None
    at: datetime | None = None
    floor: datetime | None = None

    def past(self, post: Post) -> Cursor:
        """The cursor once `post` has been dealt with."""
        at = post.created_at if self.at is None else max(self.at, post.created_at)
        return replace(self, post=post.id, at=at)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A network's word that a part stands: its id there, its address, what creating it cost.

    Uploads are not in the cost. `note` says what became otherwise than asked for, if anything.
    """

    id: PostId
    url: str | None = None
    cost: Microdollars = FREE
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where an own post stands on the target network: its first part, and its address."""

    id: PostId
    url: str | None = None


AWAITED = Mirror(PostId("awaited"))
"""Stands for a mirror that is not published yet. What names it is never sent."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """The own post whose mirror another one quotes or repeats, and until when that waits for it."""

    post: PostId
    until: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything T1 writes about one post: the verdict and, where it is to be mirrored, the draft.

    `seen_at` is when it was read, `not_before` when its first part may leave (both aware UTC).
    `parent` is the own post that it continues, if any. `same_as` is the post of the target network
    that a skipped one was found to be the same as. With `awaits`, the draft is what is sent if that
    mirror does not come. `with_others` says that the post belongs to a conversation with
    somebody else.
    """

    post: Post
    verdict: Verdict
    seen_at: datetime
    draft: Draft | None = None
    not_before: datetime | None = None
    parent: PostId | None = None
    same_as: PostId | None = None
    awaits: Awaited | None = None
    with_others: bool = False

    def __post_init__(self) -> None:
        if (self.verdict.action is Action.SKIP) is not (self.draft is None):
            raise ValueError("a skipped post has no draft, and every other post has one")


@dataclass(frozen=True, slots=True, order=True)
class PartKey:
    """Names one part of one mirror, for ever. `source` is the id the post was first recorded by."""

    route: Route
    source: PostId
    index: int

    @property
    def idempotency_key(self) -> str:
        """The same 64 hexadecimal digits for this part at every attempt, on every machine."""
        name = "\x1f".join(
            (
                "twinpost",
                self.route.bridge,
                self.route.direction.value,
                self.source,
                str(self.index),
            )
        )
        return hashlib.sha256(name.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One part as the ledger has it. `detail` is what happened last, for people.

    `part` is what is to stand, `cost` all that was spent on it. `stands_since` is the attempt by
    which it came to stand. `waiting_since` is when a medium of it was first found missing, None
    where none is; `refused_since` when it was first refused for a reason that may pass. `aside`
    marks a reply of the bridge's own that tells of an edit.
    """

    key: PartKey
    state: PartState
    part: DraftPart
    not_before: datetime
    attempts: int = 0
    attempted_at: datetime | None = None
    target_id: PostId | None = None
    target_url: str | None = None
    cost: Microdollars = FREE
    detail: str = ""
    stands_since: datetime | None = None
    waiting_since: datetime | None = None
    aside: bool = False
    refused_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownUpload:
    """A medium of a part that the target network has. `what` is its name among `media_names`.

    `at` is when it was taken in, `attached` says that it stands in a post, which keeps it.
    """

    what: str
    id: MediaId
    at: datetime
    expires_at: datetime | None = None
    attached: bool = False


def media_names(part: DraftPart) -> tuple[str, ...]:
    """A name for each medium of `part`: the same as long as the same is to be seen and told.

    64 hexadecimal digits; equal media of one part have different names.
    """
    names: list[str] = []
    for medium in part.media:
        nth = 0
        while (name := _media_name(medium, nth)) in names:
            nth += 1
        names.append(name)
    return tuple(names)


def _media_name(medium: DraftMedia, nth: int) -> str:
    what = json.dumps([medium.id, medium.kind.value, medium.alt, nth])
    return hashlib.sha256(what.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PostRecord:
    """One post as the ledger has it, with all its parts in order. `at` is the last change.

    `same_as` is the post of the target network that was found to be the same. `gone` says that its
    author deleted it, `missing` that it is gone and its owner has yet to confirm so many deletions.
    `with_others` says that it belongs to a conversation with somebody else, `unchecked` that it is
    too old to be compared with its source, where comparing costs.
    """

    route: Route
    source: PostId
    source_url: str | None
    created_at: datetime
    seen_at: datetime
    at: datetime
    verdict: Verdict
    notes: tuple[str, ...] = ()
    parent: PostId | None = None
    parts: tuple[PartRecord, ...] = ()
    same_as: PostId | None = None
    gone: bool = False
    with_others: bool = False
    missing: bool = False
    unchecked: bool = False

    @property
    def state(self) -> PostState:
        """Where the whole post stands."""
        if not self.parts:
            return PostState.SKIPPED
        return post_state([part.state for part in self.parts])

    @property
    def cost(self) -> Microdollars:
        """What its parts have cost so far."""
        return Microdollars(sum(part.cost for part in self.parts))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger knows that bears on one post that was just read.

    `echo_of` names the post whose mirror this one is, made by any bridge of this ledger.
    `revision_of` names the recorded post that this one is another revision of. `baseline` says it
    stood on the timeline when the route started. `parent` is the record of the own post that it
    replies to, in the same route; `parent_is_mirror` says that the parent is itself a mirror made
    here (a thread continued by hand below a mirror). `quoted` and `reposted` are the mirror of the
    own post that it quotes or repeats, on the target network, where it stands. `awaits` is that own
    post where its mirror is on its way.
    """

    echo_of: PostId | None = None
    revision_of: PostId | None = None
    baseline: bool = False
    parent: PostRecord | None = None
    parent_is_mirror: bool = False
    quoted: Mirror | None = None
    reposted: Mirror | None = None
    awaits: PostId | None = None


@dataclass(frozen=True, slots=True)
class DuePart:
    """A part that may be sent now, and the post on the target network that it replies to.

    `first` says that nothing of its post stands yet. `latest` is the newest id of that post.
    `released` says that it was asked for as one of those that go whatever they cost.
    """

    record: PartRecord
    reply_to: PostId | None = None
    first: bool = True
    latest: PostId | None = None
    released: bool = False


@dataclass(frozen=True, slots=True)
class Tracked:
    """A post whose mirror follows its edits and its deletion. `latest` is its newest id."""

    record: PostRecord
    latest: PostId


@dataclass(frozen=True, slots=True)
class Absence:
    """What a stretch of a timeline lacks, of `expected` mirrored posts that should be in it."""

    missing: tuple[Tracked, ...] = ()
    expected: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A post of one route and what somebody else made its mirror; `written` where it is known.

    `mirror` is None where only that there is one, or that none is wanted, is known.
    """

    route: Route
    post: Mirror
    mirror: Mirror | None
    written: datetime | None = None


class Tied(StrEnum):
    """What came of having two posts known as post and mirror, in words."""

    TIED = "tied"
    KNOWN = "they are known as post and mirror already"
    OTHER_MIRROR = "the first one has another mirror already, or may have, or is a mirror itself"
    OTHER_POST = "the second one is the mirror of another post, or has a mirror of its own"


@dataclass(frozen=True, slots=True)
class Passage:
    """When a source was last read to its end, by the own clock; None for never.

    `restored` says that the ledger was put back from a backup since.
    """

    at: datetime | None = None
    restored: bool = False


@dataclass(frozen=True, slots=True)
class OtherSender:
    """A mirror that somebody else made of a post of `route`: when, and its address or id."""

    route: Route
    at: datetime
    post: str


@dataclass(frozen=True, slots=True)
class BackupState:
    """When a ledger was last copied by itself, and what went wrong the last time, empty if nothing.

    `since` is the first of the failures in a row, None where the last one worked.
    """

    at: datetime | None = None
    since: datetime | None = None
    why: str = ""
