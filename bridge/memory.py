"""The seam between the engine and the ledger: what the bridge remembers, and how it is asked.

Protocols and the values that cross them; no implementation. Others import them from `bridge.ports`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol

from bridge.core.amend import Amendment
from bridge.core.audits import Audits, AuditsView
from bridge.core.delivery import PartEvent
from bridge.core.draft import DraftPart
from bridge.core.identity import Identities, IdentitiesView
from bridge.core.listing import DayFigures, Listing, Move, RouteStatus, Wanted
from bridge.core.model import BridgeName, Microdollars, Post, PostId, Route
from bridge.core.prices import FREE
from bridge.core.purse import Purse, PurseView
from bridge.core.record import (
    BackupState,
    Cursor,
    Decision,
    DuePart,
    Facts,
    Mirror,
    OtherSender,
    Pair,
    PartKey,
    PartRecord,
    Passage,
    PostRecord,
    Receipt,
    Tied,
)
from bridge.core.tracking import Tracking
from bridge.core.twins import Counterpart
from bridge.core.uploads import Uploads
from bridge.core.verdict import Reason, Verdict
from bridge.core.waits import Wait


class LedgerView(PurseView, IdentitiesView, AuditsView, Protocol):
    """The bridge's memory, for those who only look. Needs no lease."""

    async def close(self) -> None:
        """Close. Idempotent."""
        ...

    async def history(
        self, *, bridge: BridgeName | None = None, limit: int = 50, echoes: bool = True
    ) -> tuple[PostRecord, ...]:
        """The posts recorded last, newest first; without `echoes`, no mirror that was met."""
        ...

    async def find(self, id_or_url: str) -> tuple[PostRecord, ...]:
        """Every record that an id or address of either side belongs to, mirrors' parts included."""
        ...

    async def facts(self, route: Route, post: Post) -> Facts:
        """What bears on judging `post`."""
        ...

    async def status(self, route: Route, now: datetime) -> RouteStatus:
        """Figures of one route."""
        ...

    async def listing(self, wanted: Wanted) -> Listing:
        """One page of the posts that are wanted, newest first; bounded whatever the size is."""
        ...

    async def moves(self, route: Route, source: PostId) -> tuple[Move, ...]:
        """The log of every part of a post, oldest first; empty where there is no such post."""
        ...

    async def days(self, since: date) -> tuple[DayFigures, ...]:
        """What each route sent and spent on each day (UTC) from `since` on, in order."""
        ...

    async def passage(self, route: Route) -> Passage:
        """When the source of `route` was last read to its end, and whether restored since."""
        ...

    async def skipped(
        self, route: Route, since: datetime | None = None, *, limit: int = 500
    ) -> tuple[PostRecord, ...]:
        """The newest posts that a guard of floods kept back, oldest first."""
        ...

    async def other_senders(self) -> tuple[OtherSender, ...]:
        """The newest mirror of each route that somebody else was seen to have made."""
        ...

    async def waits(self, route: Route) -> tuple[Wait, ...]:
        """What `route` waited for at the end of its last turn, whoever took it."""
        ...

    async def backup_state(self) -> BackupState:
        """How the ledger's copies of itself went."""
        ...


class Ledger(LedgerView, Tracking, Purse, Identities, Uploads, Audits, Protocol):
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

    async def paused_since(self, route: Route) -> datetime | None:
        """Since when its owner has paused `route`; None while it may work."""
        ...

    async def set_paused(self, route: Route, since: datetime | None) -> None:
        """Pause `route`, or let it go on (None), until told otherwise, whatever restarts."""
        ...

    async def keep_waits(self, route: Route, waits: Sequence[Wait]) -> None:
        """Remember that `route` waits for these, and for nothing else."""
        ...

    async def known(self, route: Route, ids: Collection[PostId]) -> frozenset[PostId]:
        """Which of `ids`, on the route's source network, this route has dealt with already.

        That is: recorded posts under any of their ids, skipped ones included, and the baseline. A
        mirror counts only once it has been read and skipped as an echo: a reader that stops at the
        first known id must not stop at a mirror that is newer than posts nobody has read yet.
        """
        ...

    async def counterparts(
        self, route: Route, post: Post, ids: Collection[PostId] = ()
    ) -> tuple[Counterpart, ...]:
        """What may be the same post on the target network, by fingerprint or as one of `ids`.

        Of what the reverse route of the same bridge has recorded, within the window of
        `core.twins`: own writing only, no mirror made here.
        """
        ...

    async def repeated(self, key: PartKey) -> Mirror | None:
        """What is published on the target with the text of a part; None where none is known."""
        ...

    async def withdraw(
        self,
        route: Route,
        source: PostId,
        *,
        verdict: Verdict,
        now: datetime,
        same_as: PostId | None = None,
    ) -> PostRecord | None:
        """Take back a mirror of which nothing has been sent; `same_as` stands there instead, if so.

        Its parts are dropped, its verdict is replaced, and what continues it goes on below
        `same_as`. None, and nothing done, where a part is anything but planned.
        """
        ...

    async def record(self, route: Route, decision: Decision, cursor: Cursor) -> None:
        """T1: the post, its verdict, its planned parts and the cursor, all or nothing.

        A post known already (by any of its ids) only moves the cursor and learns its new ids.
        """
        ...

    async def advance(
        self,
        route: Route,
        post: Post,
        of: PostId,
        cursor: Cursor | None,
        notes: Sequence[str] = (),
    ) -> None:
        """T1 for another revision of the recorded post `of` that changes nothing over there.

        Its ids and content are learnt, the cursor is moved where one is given.
        """
        ...

    async def amend(
        self,
        route: Route,
        of: PostId,
        amendment: Amendment,
        now: datetime,
        *,
        post: Post | None = None,
        cursor: Cursor | None = None,
    ) -> PostRecord:
        """T1 for a change of the recorded post `of`, which is now `post`: see `core.amend`.

        While something is being done with a part the amendment waits, the last one wins, and the
        `settle` that ends that applies it. Ids, content and cursor are as with `advance`.
        """
        ...

    async def note_gone(self, route: Route, source: PostId, now: datetime, note: str) -> None:
        """Remember that its author deleted `source`; what becomes of its mirror is not touched."""
        ...

    async def note_read(self, route: Route, at: datetime, posts: int, cost: Microdollars) -> None:
        """Remember when a source was last read, and what that cost."""
        ...

    async def note_passed(self, route: Route, at: datetime) -> None:
        """Remember that a source has been read to its end; what was restored is caught up with."""
        ...

    async def waiting(self, route: Route, before: datetime) -> tuple[PostRecord, ...]:
        """Some posts from before then whose mirrors are planned, and nothing else; oldest first.

        Not those that their owner asked for by name.
        """
        ...

    async def left(self, route: Route, since: datetime, until: datetime) -> tuple[datetime, ...]:
        """When posts left, or may have, within the stretch: one time a post, oldest first."""
        ...

    async def want(
        self, route: Route, names: Collection[PostId], now: datetime
    ) -> tuple[PostId, ...]:
        """Note that these posts are to be sent after all; those of them that can be.

        That is: those that a guard of floods kept back, and those that were never recorded.
        """
        ...

    async def wanted(self, route: Route, limit: int) -> tuple[PostId, ...]:
        """Posts that are to be sent after all, and have not been dealt with."""
        ...

    async def unwant(
        self,
        route: Route,
        source: PostId,
        *,
        verdict: Verdict | None,
        now: datetime,
        same_as: PostId | None = None,
    ) -> None:
        """A wanted post is dealt with, and is not sent; `verdict` replaces its own, if given."""
        ...

    async def revive(
        self, route: Route, source: PostId, decision: Decision, now: datetime
    ) -> PostRecord:
        """T1 for a wanted post. Raises `ValueError` where parts of it may stand."""
        ...

    async def tie(
        self, pairs: Sequence[Pair], *, reason: Reason, now: datetime
    ) -> tuple[Tied, ...]:
        """Know each mirror as that of its post, all at once; what came of each, in order.

        What was only planned for either is taken back; nothing is changed of those not `TIED`.
        """
        ...

    async def purge(self, before: datetime) -> int:
        """Forget the texts of what stands since before then, or never will; returns how many."""
        ...

    async def note_other_sender(self, seen: OtherSender) -> None:
        """Remember that somebody else mirrors, too."""
        ...

    async def note_backup(self, at: datetime, why: str = "") -> bool:
        """Remember that the ledger was copied, or `why` not; whether that is news."""
        ...

    async def next_due(
        self, route: Route, now: datetime, *, released: bool = False
    ) -> DuePart | None:
        """The first part, in the order its posts were recorded, that may be sent now.

        A part may be sent when its time has come, every earlier part of its post is delivered, and
        the last part of its parent's mirror, if it has a parent, is delivered. With `released`,
        only of posts that their owner has let go whatever they cost.
        """
        ...

    async def hurry(self, route: Route, now: datetime, *, beyond: datetime | None = None) -> None:
        """Have what was put off, to later than `beyond` where that is given, be due now."""
        ...

    async def due_at(self, route: Route, *, changes: bool = True) -> datetime | None:
        """When `next_due` may next have something to give, by time alone; None for never.

        Or, with `changes`, when `next_change` may.
        """
        ...

    async def resolvable(self, route: Route, now: datetime) -> tuple[Post, ...]:
        """Posts that waited for the mirror of another one, and need not wait any longer.

        That mirror is published, or will not be, or did not come in time though it could.
        """
        ...

    async def next_change(self, route: Route, now: datetime) -> PartRecord | None:
        """The first part that stands and may be edited or deleted now; deletions before edits.

        Of the parts of one post the last is deleted first.
        """
        ...

    async def unfinished(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that were being edited or deleted, by this process or one before."""
        ...

    async def claim(self, key: PartKey, now: datetime, body_hash: str) -> PartRecord:
        """T2: write down that `key` is being attempted, before the first byte leaves."""
        ...

    async def reshape(self, key: PartKey, part: DraftPart, now: datetime, note: str) -> PartRecord:
        """Have a part that is still to be sent, or edited, go as `part`, and say why."""
        ...

    async def settle(
        self,
        key: PartKey,
        event: PartEvent,
        now: datetime,
        *,
        receipt: Receipt | None = None,
        cost: Microdollars = FREE,
        not_before: datetime | None = None,
        detail: str = "",
        notes: Sequence[str] = (),
    ) -> PartRecord:
        """T3, and every later move of a part: the transition `event`, as `core.delivery` draws it.

        A receipt is required for, and only for, the events that name where a part stands. `cost`
        is what was spent without one. `notes` are added to what is told of the post. An amendment
        that waited for this part is applied. When its owner has a failed part tried again, what
        failed below it, because of it, is planned again too.
        """
        ...

    async def unproven(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are attempting or in doubt, oldest attempt first."""
        ...

    async def unsent(self, route: Route) -> tuple[PartRecord, ...]:
        """Planned parts, never attempted, of mirrors that have several; newest posts first.

        A hundred at most: they may stand there, if an older ledger has forgotten them.
        """
        ...

    async def held(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are held after an attempt and so may stand there, oldest attempt first."""
        ...

    async def stranded(self, route: Route) -> tuple[PartRecord, ...]:
        """Planned parts of posts whose parent's mirror broke off, or was deleted."""
        ...
