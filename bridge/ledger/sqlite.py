"""The ledger on SQLite, behind the ports `Ledger` and `LedgerView`.

The only module of this package that others import. One method, one transaction, on one thread of
its own. Must not hold any rule: each method only names the work and hands it to that thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from bridge.core.amend import Amendment
from bridge.core.delivery import PartEvent
from bridge.core.draft import DraftPart
from bridge.core.listing import DayFigures, Listing, Move, Wanted
from bridge.core.model import BridgeName, Microdollars, Post, PostId, Route
from bridge.core.prices import FREE
from bridge.core.record import (
    Absence,
    Cursor,
    Decision,
    DuePart,
    KnownUpload,
    Mirror,
    PartKey,
    PartRecord,
    PostRecord,
    Receipt,
)
from bridge.core.twins import Counterpart
from bridge.core.verdict import Verdict
from bridge.ledger import (
    amending,
    awaiting,
    content,
    delivering,
    examining,
    judging,
    looking,
    recording,
    searching,
    spending,
    store,
    twins,
    uploads,
)
from bridge.ledger.codec import micros_or_none
from bridge.ledger.following import Follows
from bridge.ledger.housekeeping import Keeps, Looks
from bridge.ledger.purse import SqlitePurse, SqlitePurseView
from bridge.ledger.store import Store
from bridge.ledger.thread import WorkThread
from bridge.ports import Facts, RouteStatus

T = TypeVar("T")

LEASE_SECONDS = 30.0


async def open_ledger(
    path: Path,
    *,
    owner: str,
    now: datetime,
    create: bool,
    lease_seconds: float = LEASE_SECONDS,
) -> SqliteLedger:
    """Open the ledger at `path` for writing, and take its lease as `owner` (shown to others).

    With `create` a ledger is made where there never was one; a lost one is never replaced.
    Raises `LedgerInUse` within a second, `LedgerMissing`, `LedgerDamaged`, and `LedgerError` for
    everything else that stands in the way (permissions, a full disk).
    """
    term = timedelta(seconds=lease_seconds)
    opened = Store(path)

    def work() -> None:
        store.open_writing(opened, owner=owner, now=now, create=create, term=term)

    return SqliteLedger(opened, await _started(opened, work))


async def open_reader(path: Path) -> SqliteReader:
    """Open the ledger at `path` to look at it, while a daemon writes it or not.

    Raises `LedgerMissing`, `LedgerDamaged`, and `LedgerError` for one that an older version wrote.
    """
    opened = Store(path)
    return SqliteReader(opened, await _started(opened, lambda: store.open_reading(opened)))


async def open_memory(
    *, now: datetime, owner: str = "memory", lease_seconds: float = LEASE_SECONDS
) -> SqliteLedger:
    """A new, empty ledger in memory, gone when it is closed: the same code on another place."""
    term = timedelta(seconds=lease_seconds)
    opened = Store(store.MEMORY)

    def work() -> None:
        store.open_in_memory(opened, owner=owner, now=now, term=term)

    return SqliteLedger(opened, await _started(opened, work))


async def _started(opened: Store, work: Callable[[], None]) -> WorkThread:
    thread = WorkThread("ledger")
    try:
        await thread.run(work)
    except BaseException:
        await thread.stop(opened.close)
        raise
    return thread


class SqliteReader(Looks, SqlitePurseView):
    """A `LedgerView`: for those who only look. Its connection cannot write."""

    def __init__(self, opened: Store, thread: WorkThread) -> None:
        self._store = opened
        self._thread = thread

    async def close(self) -> None:
        """Close; a writer gives its lease back. Idempotent."""
        await self._thread.stop(self._store.close)

    async def history(
        self, *, bridge: BridgeName | None = None, limit: int = 50, echoes: bool = True
    ) -> tuple[PostRecord, ...]:
        """The posts recorded last, newest first; without `echoes`, no mirror that was met."""
        wanted = Wanted(bridge=bridge, limit=limit, echoes=echoes)
        return await self._shown(lambda db: searching.newest(db, wanted))

    async def find(self, id_or_url: str) -> tuple[PostRecord, ...]:
        """Every record that an id or address of either side belongs to, in the order recorded.

        An address also names a post by its last two steps (``status/1``), and without its query.
        """
        return await self._shown(lambda db: looking.find(db, id_or_url))

    async def facts(self, route: Route, post: Post) -> Facts:
        """What bears on judging `post`."""
        return await self._read(lambda db: judging.facts(db, route, post))

    async def status(self, route: Route, now: datetime) -> RouteStatus:
        """Figures of one route, counted in parts; one being sent counts as planned still."""
        return await self._read(lambda db: looking.status(db, route, now))

    async def listing(self, wanted: Wanted) -> Listing:
        """One page of the posts that are wanted, newest first."""

        def work(db: sqlite3.Connection) -> Listing:
            listing = searching.listing(db, wanted)
            self._require_whole(db, listing.records)
            return listing

        return await self._read(work)

    async def moves(self, route: Route, source: PostId) -> tuple[Move, ...]:
        """The log of every part of a post, oldest first."""
        return await self._read(lambda db: searching.moves(db, route, source))

    async def days(self, since: date) -> tuple[DayFigures, ...]:
        """What each route sent and spent on each day (UTC) from `since` on."""
        return await self._read(lambda db: searching.days(db, since))

    async def _shown(
        self, work: Callable[[sqlite3.Connection], tuple[PostRecord, ...]]
    ) -> tuple[PostRecord, ...]:
        def checked(db: sqlite3.Connection) -> tuple[PostRecord, ...]:
            records = work(db)
            self._require_whole(db, records)
            return records

        return await self._read(checked)

    def _require_whole(self, db: sqlite3.Connection, records: Sequence[PostRecord]) -> None:
        """Show no post whose row is damaged. A writer has examined the whole file before."""
        if self._store.lease is None:
            examining.require_indexed(db, self._store.name, records)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._thread.run(lambda: self._store.read(work))


class SqliteLedger(SqliteReader, Keeps, Follows, SqlitePurse):
    """A `Ledger`. Every writing method raises `LeaseLost` once another process took it over.

    A caller that is cancelled waits for its transaction to end, and is cancelled then.
    """

    async def renew(self, now: datetime) -> None:
        """Extend the lease to a whole term from `now`."""
        await self._write(lambda db: self._extend(db, now))

    def _extend(self, connection: sqlite3.Connection, now: datetime) -> None:
        if self._store.lease is not None:
            self._store.lease.renew(connection, now)

    async def cursor(self, route: Route) -> Cursor | None:
        """How far `route` has read; None before its first pass."""
        return await self._read(lambda db: looking.cursor(db, route))

    async def start(self, route: Route, cursor: Cursor, baseline: Collection[PostId]) -> None:
        """Set the first cursor and remember what stood there. Raises `ValueError` when repeated."""
        await self._write(lambda db: recording.start(db, route, cursor, baseline))

    async def known(self, route: Route, ids: Collection[PostId]) -> frozenset[PostId]:
        """Which of `ids` this route has dealt with: recorded under any id, or in the baseline."""
        return await self._read(lambda db: judging.known(db, route, ids))

    async def counterparts(
        self, route: Route, post: Post, ids: Collection[PostId] = ()
    ) -> tuple[Counterpart, ...]:
        """What may be the same post on the other side: by fingerprint, or as one of `ids`."""
        return await self._read(lambda db: twins.counterparts(db, route, post, ids))

    async def repeated(self, key: PartKey) -> Mirror | None:
        """What is published on the target with the text of a part; None where none is known."""
        return await self._read(lambda db: twins.repeated(db, key))

    async def withdraw(
        self,
        route: Route,
        source: PostId,
        *,
        verdict: Verdict,
        now: datetime,
        same_as: PostId | None = None,
    ) -> PostRecord | None:
        """Take back a mirror that has not begun to leave; None, and nothing done, where it has."""
        return await self._write(
            lambda db: amending.withdraw(
                db, route, source, verdict=verdict, same_as=same_as, now=now
            )
        )

    async def record(self, route: Route, decision: Decision, cursor: Cursor) -> None:
        """T1. A post known already only moves the cursor and learns its new ids.

        The parts of a post that is held for its owner are recorded as held, all others as planned.
        """
        await self._write(lambda db: recording.record(db, route, decision, cursor))

    async def advance(
        self,
        route: Route,
        post: Post,
        of: PostId,
        cursor: Cursor | None,
        notes: Sequence[str] = (),
    ) -> None:
        """T1 for a revision of the recorded post `of`. Raises `ValueError` if there is no such."""
        await self._write(
            lambda db: recording.advance(db, route, post, of, cursor=cursor, notes=notes)
        )

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
        """T1 for a change of the recorded post `of`. Raises `ValueError` if there is no such."""
        return await self._write(
            lambda db: amending.amend(db, route, of, amendment, now, post=post, cursor=cursor)
        )

    async def note_gone(self, route: Route, source: PostId, now: datetime, note: str) -> None:
        """Remember that `source` was deleted, whose mirror stays."""
        await self._write(lambda db: amending.note_gone(db, route, source, now, note))

    async def edited(self, route: Route, posts: Sequence[Post]) -> tuple[Post, ...]:
        """Those of `posts`, just read, that are mirrored and show something else than they did."""
        return await self._read(lambda db: content.edited(db, route, posts))

    async def absent(self, route: Route, posts: Sequence[Post], *, whole: bool = False) -> Absence:
        """Which mirrored posts a stretch of the source's timeline does not have."""
        return await self._read(lambda db: content.absent(db, route, posts, whole=whole))

    async def watches(self, route: Route, since: datetime | None, *, skipped: bool = False) -> bool:
        """Whether something as new as `since` is mirrored; with `skipped`, or may be by an edit."""
        at = micros_or_none(since)
        return await self._read(lambda db: content.watches(db, route, at, skipped=skipped))

    async def rechecked_at(self, route: Route) -> datetime | None:
        """When the source was last compared."""
        return await self._read(lambda db: looking.rechecked_at(db, route))

    async def note_recheck(self, route: Route, at: datetime) -> None:
        """Remember when the source was last compared."""
        await self._write(lambda db: recording.note_recheck(db, route, at))

    async def note_read(self, route: Route, at: datetime, posts: int, cost: Microdollars) -> None:
        """Remember when a source was last read, and what that cost."""
        await self._write(lambda db: recording.note_read(db, route, at, posts, cost))

    async def next_due(
        self, route: Route, now: datetime, *, released: bool = False
    ) -> DuePart | None:
        """The first part, in the order its posts were recorded, that may be sent now."""
        return await self._read(lambda db: delivering.next_due(db, route, now, released=released))

    async def hurry(self, route: Route, now: datetime, *, beyond: datetime | None = None) -> None:
        """Have what was put off, to later than `beyond` where that is given, be due now."""
        await self._write(lambda db: delivering.hurry(db, route, now, beyond))

    async def due_at(self, route: Route, *, changes: bool = True) -> datetime | None:
        """From when on `next_due` gives something if only time passes; None for never."""
        return await self._read(lambda db: awaiting.due_at(db, route, changes=changes))

    async def resolvable(self, route: Route, now: datetime) -> tuple[Post, ...]:
        """Posts that waited for the mirror of another one, and need not wait any longer."""
        return await self._read(lambda db: awaiting.resolvable(db, route, now))

    async def next_change(self, route: Route, now: datetime) -> PartRecord | None:
        """The first part that may be edited or deleted now; deletions come first."""
        return await self._read(lambda db: delivering.next_change(db, route, now))

    async def unfinished(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are being edited or deleted, or were when a process ended."""
        return await self._read(lambda db: delivering.unfinished(db, route))

    async def claim(self, key: PartKey, now: datetime, body_hash: str) -> PartRecord:
        """T2. Raises `ValueError` unless the part is planned, outdated or unwanted."""
        return await self._write(
            lambda db: spending.reserve(db, delivering.claim(db, key, now, body_hash), now)
        )

    async def reshape(self, key: PartKey, part: DraftPart, now: datetime, note: str) -> PartRecord:
        """Have a part that is still to be sent, or edited, go as `part`. Raises `ValueError`."""
        return await self._write(lambda db: delivering.reshape(db, key, part, now, note))

    async def uploads(self, key: PartKey) -> tuple[KnownUpload, ...]:
        """What the target network has of the media of a part."""
        return await self._read(lambda db: uploads.uploads(db, key))

    async def forget_uploads(self, key: PartKey) -> None:
        """Have what was taken in for a part, and stands in no post, be handed over again."""
        await self._write(lambda db: uploads.forget(db, key))

    async def note_upload(
        self,
        key: PartKey,
        upload: KnownUpload,
        cost: Microdollars,
        *,
        described: Microdollars = FREE,
    ) -> PartRecord:
        """Remember, right after its answer, what the target network has taken in."""
        return await self._write(
            lambda db: spending.uploaded(
                db, uploads.note_upload(db, key, upload, cost, described), cost
            )
        )

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
        """T3. Raises `ValueError` for a move that `core.delivery` does not draw.

        Also for a receipt that is missing, or comes with a move that names no post.
        """
        return await self._write(
            lambda db: delivering.settle(
                db,
                key,
                event,
                now,
                receipt=receipt,
                cost=cost,
                not_before=not_before,
                detail=detail,
                notes=notes,
            )
        )

    async def unproven(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are attempting or in doubt, oldest attempt first."""
        return await self._read(lambda db: delivering.unproven(db, route))

    async def unsent(self, route: Route) -> tuple[PartRecord, ...]:
        """Planned parts, never attempted, of mirrors that have several, newest posts first."""
        return await self._read(lambda db: delivering.unsent(db, route))

    async def held(self, route: Route) -> tuple[PartRecord, ...]:
        """Parts that are held after an attempt and so may stand there, oldest attempt first."""
        return await self._read(lambda db: delivering.held(db, route))

    async def stranded(self, route: Route) -> tuple[PartRecord, ...]:
        """Planned parts of posts whose parent's mirror broke off, in the order recorded."""
        return await self._read(lambda db: delivering.stranded(db, route))

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._thread.run(lambda: self._store.write(work))

    async def _outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._thread.run(lambda: self._store.outside(work))
