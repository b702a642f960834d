"""The seams: what the engine needs from networks, ledger, clock and listeners.

Protocols and the values that cross them; no implementation. Adapters implement these, `bridge.app`
wires them, the engine and the conformance suites know nothing else. The ledger's own, which is
long, is drawn in `bridge.memory` and handed on from here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bridge.core.audits import Seen
from bridge.core.capabilities import Capabilities, MediaLimits
from bridge.core.draft import DraftMedia, DraftPart
from bridge.core.events import Event
from bridge.core.listing import RouteStatus
from bridge.core.model import (
    Account,
    MediaId,
    MediaKind,
    Microdollars,
    Network,
    Post,
    PostId,
    Visibility,
)
from bridge.core.prices import FREE
from bridge.core.record import Cursor, Facts, Receipt
from bridge.core.traffic import Call
from bridge.memory import Ledger, LedgerView

__all__ = [
    "Backups",
    "Baseline",
    "Changed",
    "Clock",
    "Facts",
    "Known",
    "Ledger",
    "LedgerView",
    "Listener",
    "LocalMedia",
    "MediaStore",
    "NetworkPort",
    "Reading",
    "Recorded",
    "RouteStatus",
    "Sink",
    "Source",
    "Standing",
    "TokenStore",
    "Traffic",
    "Uploaded",
    "ignore",
]

Known = Callable[[Collection[PostId]], Awaitable[frozenset[PostId]]]
"""Tells which of some ids the route that is being read has dealt with; see `Ledger.known`."""

Changed = Callable[[PostId], None]
"""Hears of a post that may have been edited or deleted; must return at once and never raise."""


def ignore(post: PostId) -> None:
    """A `Changed` that nobody listens to."""
    del post


Recorded = Callable[[], Awaitable[Sequence[Seen]]]
"""Tells what the route that is being read has dealt with last; see `Ledger.seen`."""

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

    `more` says that there is more in the direction of reading: mostly, that newer posts are waiting
    to be read from after the last one. `strays` do not move the cursor, since their id or date
    cannot be right, or something older is still unread. `missed` are older than what was read
    before. `cursor` is how far the route has read once all of `posts` are recorded, None for no
    farther than these say. `gap` says why older posts may still be unread, empty where none are.
    """

    posts: tuple[Post, ...]
    cost: Microdollars = FREE
    more: bool = False
    strays: frozenset[PostId] = frozenset()
    missed: frozenset[PostId] = frozenset()
    cursor: Cursor | None = None
    gap: str = ""


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
    to make it fit, empty for nothing. `sensitive` asks for the network's warning in front of it.
    """

    path: Path
    kind: MediaKind
    mime: str
    size: int
    alt: str = ""
    note: str = ""
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A medium that a network has taken in; unattached it is gone at `expires_at`, if told.

    `cost` includes what earlier uploads may have cost that came to nothing, and `described`, which
    is for its alt text. `note` says what the network did not take along with the file, empty for
    nothing.
    """

    id: MediaId
    cost: Microdollars = FREE
    expires_at: datetime | None = None
    note: str = ""
    described: Microdollars = FREE


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

    async def check_cursor(self, cursor: Cursor, seen: Recorded) -> Cursor:
        """`cursor` if it can be right, else the last sound position of what was `seen`.

        Asks nothing of the server.
        """
        ...

    async def audit(self, cursor: Cursor, known: Known) -> Reading:
        """Every listed own post that is not `known` and not older than the start, oldest first.

        As far down as a bounded number of requests reaches, whatever the cursor says. Nothing is
        read, and nothing returned, where reading costs.
        """
        ...

    async def recent(self, since: datetime) -> Reading:
        """Own posts created at `since` or later, oldest first, read afresh.

        The witness of reconciliation: it either returns the whole stretch or raises.
        """
        ...

    async def window(self, limit: int, *, boosts: bool = True) -> Reading:
        """The newest `limit` own posts at most, of every audience, oldest first.

        Read afresh, whatever was read before: to see what was edited and what is no longer there;
        `more` says that there are older ones. Boosts that are not asked for may be left out. Raises
        rather than leave out another post of that stretch; but where looking up is free, replies to
        others are left out, and texts may be less exact: there every difference has to be confirmed
        by `look_up`.
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

    async def listen(self, wake: Callable[[], None], changed: Changed = ignore) -> None:
        """Call `wake` whenever the server hints that something new is there, until cancelled.

        Call `changed` with the id of every post that the server says was edited or deleted: a hint
        that anybody may have sent, about anybody's post, to be confirmed by `look_up`.

        Reconnects by itself, with back-off. Returns at once where the server has no such hints.
        """
        ...


class Sink(Protocol):
    """The writing half of one account."""

    async def capabilities(self, *, afresh: bool = False) -> Capabilities:
        """What can be sent, as the server says; remembered for a day, with safe fallbacks.

        `afresh` has the server asked now, which costs nothing: it may have changed its limits.
        """
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


class MediaStore(Protocol):
    """Fetches media from the network into private files, for as long as they are needed."""

    async def fetch(self, medium: DraftMedia, limits: MediaLimits) -> LocalMedia:
        """`medium` as a file that `limits` allow, re-encoded only where they would not.

        Raises `MediaError` where it cannot be had, or must not be passed on; its `DiskFull` says
        that there is no room here.
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


class Traffic(Protocol):
    """Hears of every call to one account's network; must return at once and never raise."""

    def called(self, call: Call) -> None:
        """A call has ended."""
        ...

    def streaming(self, connected: bool | None) -> None:  # noqa: FBT001 - a state, not a switch
        """Whether the network's stream is connected; None where it offers none."""
        ...


class Backups(Protocol):
    """The copies of the ledger that are made by themselves."""

    def newest(self) -> datetime | None:
        """When the newest one that is there was made; None for none."""
        ...

    async def make(self, now: datetime) -> Path:
        """Make one while the ledger is in use, and let the oldest go. Raises `LedgerError`."""
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
