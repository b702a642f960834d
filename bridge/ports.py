"""The seams: what the engine needs from networks, ledger, clock and listeners.

Protocols and the values that cross them; no implementation. Adapters implement these, `bridge.app`
wires them, the engine and the conformance suites know nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bridge.core.capabilities import Capabilities, MediaLimits
from bridge.core.delivery import PartEvent
from bridge.core.draft import DraftMedia, DraftPart
from bridge.core.events import Event
from bridge.core.model import (
    Account,
    BridgeName,
    MediaId,
    MediaKind,
    Microdollars,
    Network,
    Post,
    PostId,
    Route,
    Visibility,
)
from bridge.core.prices import FREE
from bridge.core.record import (
    Cursor,
    Decision,
    DuePart,
    Mirror,
    PartKey,
    PartRecord,
    PostRecord,
    Receipt,
)
from bridge.core.twins import Counterpart
from bridge.core.verdict import Verdict

Known = Callable[[Collection[PostId]], Awaitable[frozenset[PostId]]]
"""Tells which of some ids the route that is being read has dealt with; see `Ledger.known`."""

Listener = Callable[[Event], None]
"""Hears of every event, in order, on the event loop; must return at once and never raise."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Where a timeline stands before anything of it is mirrored.

    `cursor` points at the newest post; `ids` are all posts of the page that told so. An empty
    timeline gives an empty cursor and no ids: everything to come is new.
    """

    cursor: Cursor
    ids: frozenset[PostId]
    cost: Microdollars


@dataclass(frozen=True, slots=True)
class Reading:
    """Posts in the order they were written, oldest first, and what reading them cost.

    `more` says that newer posts are waiting: read again from after the last one.
    """

    posts: tuple[Post, ...]
    cost: Microdollars = FREE
    more: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What can be told of a post without paying for it, right before its mirror is sent.

    `post` is the post as it stands now, None where that costs. `gone` says that it surely stands no
    more. `audience` is who can see it now, None where nothing new is known.
    """

    post: Post | None = None
    gone: bool = False
    audience: Visibility | None = None


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """A medium that was fetched and fitted, in a private file. `size` is in bytes.

    `mime` is what its content shows, never what a server said. `note` says what had to be changed
    to make it fit, empty for nothing.
    """

    path: Path
    kind: MediaKind
    mime: str
    size: int
    alt: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A medium that a network has taken in; unattached it is gone at `expires_at`, if told."""

    id: MediaId
    cost: Microdollars = FREE
    expires_at: datetime | None = None


class Source(Protocol):
    """The reading half of one account. Its methods raise `NetworkError`s, but never `InDoubt`."""

    async def account(self) -> Account:
        """Who the credentials belong to. Asked once and remembered."""
        ...

    async def baseline(self) -> Baseline:
        """Where the timeline stands now, at the least cost."""
        ...

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Own posts of every kind and audience after `cursor`, oldest first, none left out.

        A server that ignores the cursor must not hide a post or flood the caller: `known` and
        `cursor.at` tell where to stop. A cursor without a post means from the beginning, or from
        `cursor.floor` on where that is set. Unreadable fields make a post of unknown audience,
        never an exception that stops the page.
        """
        ...

    async def recent(self, since: datetime) -> Reading:
        """Own posts created at `since` or later, oldest first, read afresh.

        The witness of reconciliation: it either returns the whole stretch or raises.
        """
        ...

    async def window(self, limit: int) -> Reading:
        """The newest `limit` own posts at most, of every kind and audience, oldest first.

        Read afresh, whatever was read before: to see what was edited and what is no longer there.
        Raises rather than leave out a post of that stretch.
        """
        ...

    async def look_up(self, post: PostId) -> Post | None:
        """One own post as it stands now; None where the server says that it is not there.

        May cost: see `Capabilities.prices`. Raises where the answer is anything less than clear.
        """
        ...

    async def standing(self, post: PostId) -> Standing:
        """What is known of `post` now at no cost, asked afresh."""
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever the server hints that something new is there, until cancelled.

        Reconnects by itself, with back-off. Returns at once where the server has no such hints.
        """
        ...


class Sink(Protocol):
    """The writing half of one account."""

    async def capabilities(self) -> Capabilities:
        """What can be sent, as the server says; remembered for a day, with safe fallbacks."""
        ...

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """Hand over one medium, ready to be attached: processed, and described by its alt text.

        Nothing is seen by anybody until a post carries it, so an unclear answer is `Transient`.
        `Refused` says that the network will never take this file.
        """
        ...

    async def publish(
        self,
        part: DraftPart,
        *,
        reply_to: PostId | None,
        key: str,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        """Create one post, once, with `media` in order. Never retries by itself.

        `key` is the same at every attempt of one part. Raises `InDoubt` whenever the server may
        have created it, and every other `NetworkError` only when it surely has not. A part with
        `repeat` boosts that post; doing so twice does no harm. `media` are ids that `upload` gave,
        one for each of `part.media` that is to be seen.
        """
        ...

    async def revise(
        self,
        target: PostId,
        part: DraftPart,
        *,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        """Give the post `target` the content of `part` and `media`, all of it.

        The receipt names the post as it is known from now on. Raises `InDoubt` where it may have
        been done; where `Capabilities.free_edits` holds, it may then be repeated.
        """
        ...

    async def delete(self, target: PostId) -> Microdollars:
        """Have `target` gone; that it is gone already is as good. Returns what it cost."""
        ...


class NetworkPort(Source, Sink, Protocol):
    """Both halves of one account, as one adapter object."""

    @property
    def network(self) -> Network:
        """Which network this is."""
        ...

    async def close(self) -> None:
        """Release connections and threads. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger knows that bears on one post that was just read.

    `echo_of` names the post whose mirror this one is, made by any bridge of this ledger.
    `revision_of` names the recorded post that this one is another revision of. `baseline` says it
    stood on the timeline when the route started. `parent` is the record of the own post that it
    replies to, in the same route; `parent_is_mirror` says that the parent is itself a mirror made
    here (a thread continued by hand below a mirror). `quoted` and `reposted` are the mirror of the
    own post that it quotes or repeats, on the target network, where it stands.
    """

    echo_of: PostId | None = None
    revision_of: PostId | None = None
    baseline: bool = False
    parent: PostRecord | None = None
    parent_is_mirror: bool = False
    quoted: Mirror | None = None
    reposted: Mirror | None = None


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """Figures of one route for people. Times are aware UTC; `spent_month` counts this UTC month."""

    route: Route
    cursor: Cursor | None
    last_read_at: datetime | None
    last_mirrored_at: datetime | None
    planned: int
    in_doubt: int
    held: int
    failed: int
    delivered: int
    spent_month: Microdollars


class LedgerView(Protocol):
    """The bridge's memory, for those who only look. Needs no lease."""

    async def close(self) -> None:
        """Close. Idempotent."""
        ...

    async def history(
        self, *, bridge: BridgeName | None = None, limit: int = 50
    ) -> tuple[PostRecord, ...]:
        """The posts recorded last, newest first."""
        ...

    async def find(self, id_or_url: str) -> tuple[PostRecord, ...]:
        """Every record that an id or address of either side belongs to, mirrors' parts included."""
        ...

    async def status(self, route: Route, now: datetime) -> RouteStatus:
        """Figures of one route."""
        ...


class Ledger(LedgerView, Protocol):
    """The bridge's memory: one method, one transaction. Writers hold the lease.

    Every writing method raises `LeaseLost` once another process has taken the lease over, and has
    then changed nothing. Cancelling a caller never leaves half a transaction.
    """

    async def close(self) -> None:
        """Give the lease back and close. Idempotent."""
        ...

    async def renew(self, now: datetime) -> None:
        """Prove that this process lives; call it several times per lease term."""
        ...

    async def cursor(self, route: Route) -> Cursor | None:
        """How far `route` has read; None before its first pass."""
        ...

    async def start(self, route: Route, cursor: Cursor, baseline: Collection[PostId]) -> None:
        """Set the first cursor of a route and remember what stood there before it."""
        ...

    async def known(self, route: Route, ids: Collection[PostId]) -> frozenset[PostId]:
        """Which of `ids`, on the route's source network, this route has dealt with already.

        That is: recorded posts under any of their ids, skipped ones included, and the baseline. A
        mirror counts only once it has been read and skipped as an echo: a reader that stops at the
        first known id must not stop at a mirror that is newer than posts nobody has read yet.
        """
        ...

    async def facts(self, route: Route, post: Post) -> Facts:
        """What bears on judging `post`."""
        ...

    async def counterparts(
        self, route: Route, post: Post, ids: Collection[PostId] = ()
    ) -> tuple[Counterpart, ...]:
        """What may be the same post on the target network, by fingerprint or as one of `ids`.

        Of what the reverse route of the same bridge has recorded, within the window of
        `core.twins`: own writing only, no mirror made here, nothing that is another post's twin.
        """
        ...

    async def withdraw(
        self, route: Route, source: PostId, *, verdict: Verdict, same_as: PostId, now: datetime
    ) -> PostRecord | None:
        """Take back a mirror of which nothing has been sent, because `same_as` stands there.

        Its parts are dropped, its verdict is replaced, and what continues it goes on below
        `same_as`. None, and nothing done, where a part is anything but planned.
        """
        ...

    async def record(self, route: Route, decision: Decision, cursor: Cursor) -> None:
        """T1: the post, its verdict, its planned parts and the cursor, all or nothing.

        A post known already (by any of its ids) only moves the cursor and learns its new ids.
        """
        ...

    async def advance(self, route: Route, post: Post, of: PostId, cursor: Cursor) -> None:
        """T1 for another revision of the recorded post `of`: learn its ids, move the cursor."""
        ...

    async def note_read(self, route: Route, at: datetime, posts: int, cost: Microdollars) -> None:
        """Remember when a source was last read, and what that cost."""
        ...

    async def next_due(self, route: Route, now: datetime) -> DuePart | None:
        """The first part, in the order its posts were recorded, that may be sent now.

        A part may be sent when its time has come, every earlier part of its post is delivered, and
        the last part of its parent's mirror, if it has a parent, is delivered.
        """
        ...

    async def due_at(self, route: Route) -> datetime | None:
        """When `next_due` may next have something to give, by time alone; None for never."""
        ...

    async def claim(self, key: PartKey, now: datetime, body_hash: str) -> None:
        """T2: write down that `key` is being attempted, before the first byte leaves."""
        ...

    async def settle(
        self,
        key: PartKey,
        event: PartEvent,
        now: datetime,
        *,
        receipt: Receipt | None = None,
        not_before: datetime | None = None,
        detail: str = "",
    ) -> PartRecord:
        """T3, and every later move of a part: the transition `event`, as `core.delivery` draws it.

        A receipt is required for, and only for, the events that lead to delivered.
        """
        ...

    async def unproven(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are attempting or in doubt, oldest attempt first."""
        ...

    async def held(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are held after an attempt and so may stand there, oldest attempt first."""
        ...

    async def stranded(self, route: Route) -> tuple[PartRecord, ...]:
        """Planned parts of posts whose parent's mirror broke off: a part failed or was dropped."""
        ...


class MediaStore(Protocol):
    """Fetches media from the network into private files, for as long as they are needed."""

    async def fetch(self, medium: DraftMedia, limits: MediaLimits) -> LocalMedia:
        """`medium` as a file that `limits` allow, re-encoded only where they would not.

        Raises `MediaError` where it cannot be had, or must not be passed on.
        """
        ...

    async def discard(self, medium: LocalMedia) -> None:
        """Delete the file. Idempotent."""
        ...


class Clock(Protocol):
    """Time. Only `monotonic` may measure waits; `now` may jump."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class TokenStore(Protocol):
    """Where rotating credentials are kept: durable before they are used."""

    def load(self, name: str) -> dict[str, str] | None:
        """What was saved under `name`, or None. Raises `ConfigError` where others can read it."""
        ...

    def save(self, name: str, values: dict[str, str]) -> None:
        """Replace what stands under `name`, atomically and durably (0600)."""
        ...

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """Keep every other process from renewing what stands under `name` meanwhile."""
        ...
