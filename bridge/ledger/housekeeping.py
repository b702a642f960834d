"""The half of the ledger on SQLite that keeps it in order: returns, wishes, texts, other tools.

One method, one transaction, as in `bridge.ledger.sqlite`, which it is a part of. Must not hold any
rule.
"""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from bridge.core.audits import Audit, Seen
from bridge.core.identity import Identity, Rebound, Trace
from bridge.core.model import BridgeName, Direction, Network, PostId, Route
from bridge.core.record import (
    BackupState,
    Cursor,
    Decision,
    OtherSender,
    Pair,
    Passage,
    PostRecord,
    Tied,
)
from bridge.core.verdict import Reason, Verdict
from bridge.core.waits import Wait
from bridge.ledger import (
    auditing,
    identity,
    purging,
    recording,
    returning,
    steering,
    tying,
    wanting,
)
from bridge.ledger import waits as waiting
from bridge.ledger.codec import decoding, from_micros, storable, to_micros

T = TypeVar("T")


class Looks(ABC):
    """What can be asked of any open ledger."""

    @abstractmethod
    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    async def passage(self, route: Route) -> Passage:
        """When the source of `route` was last read to its end, and whether restored since."""
        return await self._read(lambda db: returning.passage(db, route))

    async def skipped(
        self, route: Route, since: datetime | None = None, *, limit: int = 500
    ) -> tuple[PostRecord, ...]:
        """The newest posts that a guard of floods kept back, oldest first."""
        return await self._read(lambda db: wanting.skipped(db, route, since, limit))

    async def other_senders(self) -> tuple[OtherSender, ...]:
        """The newest mirror of each route that somebody else was seen to have made."""
        return await self._read(_other_senders)

    async def waits(self, route: Route) -> tuple[Wait, ...]:
        """What `route` waited for at the end of its last turn."""
        return await self._read(lambda db: waiting.waits(db, route))

    async def backup_state(self) -> BackupState:
        """How the ledger's copies of itself went."""
        return await self._read(_backup_state)

    async def identity(self, bridge: BridgeName, network: Network) -> Identity | None:
        """The account that `bridge` has on `network`; None before their first contact."""
        return await self._read(lambda db: identity.identity(db, bridge, network))

    async def traces(self, bridge: BridgeName, network: Network) -> tuple[Trace, ...]:
        """Some posts that `bridge` read from, or made on, `network`, newest first."""
        return await self._read(lambda db: identity.traces(db, bridge, network))

    async def audit(self, route: Route) -> Audit:
        """When all that the source of `route` lists was last compared, and the last gap in it."""
        return await self._read(lambda db: auditing.audit(db, route))

    async def seen(self, route: Route, limit: int = 200) -> tuple[Seen, ...]:
        """What `route` recorded last, newest first, and after it what stood there at the start."""
        return await self._read(lambda db: auditing.seen(db, route, limit))


class Keeps(Looks):
    """What can be done to a ledger that is ours to write."""

    _log_holds_texts = False
    """Whether texts were forgotten while somebody read: then the log of writes has them still."""

    @abstractmethod
    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    @abstractmethod
    async def _outside(self, work: Callable[[sqlite3.Connection], T]) -> T: ...

    async def note_other_sender(self, seen: OtherSender) -> None:
        """Remember that somebody else mirrors, too."""
        await self._write(lambda db: _note_other_sender(db, seen))

    async def keep_waits(self, route: Route, waits: Sequence[Wait]) -> None:
        """Remember that `route` waits for these, and for nothing else."""
        await self._write(lambda db: waiting.keep(db, route, waits))

    async def paused_since(self, route: Route) -> datetime | None:
        """Since when its owner has paused `route`; None while it may work."""
        return await self._read(lambda db: steering.paused_since(db, route))

    async def set_paused(self, route: Route, since: datetime | None) -> None:
        """Pause `route`, or let it go on (None)."""
        await self._write(lambda db: steering.set_paused(db, route, since))

    async def move(self, route: Route, cursor: Cursor) -> None:
        """Set the cursor of a started route. Raises `ValueError` for one that was not started."""
        await self._write(lambda db: recording.move(db, route, cursor))

    async def note_audit(self, route: Route, audit: Audit) -> None:
        """Remember an audit, and the gap it is about, in place of what was remembered."""
        await self._write(lambda db: auditing.note(db, route, audit))

    async def note_passed(self, route: Route, at: datetime) -> None:
        """Remember that the source of `route` has been read to its end."""
        await self._write(lambda db: returning.note_passed(db, route, at))

    async def waiting(self, route: Route, before: datetime) -> tuple[PostRecord, ...]:
        """Posts written before then whose mirrors are planned, and nothing else."""
        return await self._read(lambda db: returning.waiting(db, route, before))

    async def left(self, route: Route, since: datetime, until: datetime) -> tuple[datetime, ...]:
        """When posts left, or may have, within the stretch: one time a post, oldest first."""
        return await self._read(lambda db: returning.left(db, route, since, until))

    async def want(
        self, route: Route, names: Collection[PostId], now: datetime
    ) -> tuple[PostId, ...]:
        """Note that these posts are to be sent after all; those of them that can be."""
        return await self._write(lambda db: wanting.want(db, route, names, now))

    async def wanted(self, route: Route, limit: int) -> tuple[PostId, ...]:
        """Posts that are to be sent after all, and have not been dealt with."""
        return await self._read(lambda db: wanting.wanted(db, route, limit))

    async def unwant(
        self,
        route: Route,
        source: PostId,
        *,
        verdict: Verdict | None,
        now: datetime,
        same_as: PostId | None = None,
    ) -> None:
        """A wanted post is dealt with, and is not sent."""
        await self._write(
            lambda db: wanting.unwant(db, route, source, verdict=verdict, same_as=same_as, now=now)
        )

    async def revive(
        self, route: Route, source: PostId, decision: Decision, now: datetime
    ) -> PostRecord:
        """T1 for a wanted post. Raises `ValueError` where parts of it may stand."""
        return await self._write(lambda db: wanting.revive(db, route, source, decision, now))

    async def purge(self, before: datetime) -> int:
        """Forget texts that stand since before then; returns how many."""
        count = 0
        while found := await self._write(lambda db: purging.purge(db, before)):
            count += found
        if count or self._log_holds_texts:
            self._log_holds_texts = not await self._outside(purging.emptied)
        return count

    async def note_identity(
        self, bridge: BridgeName, network: Network, found: Identity, now: datetime
    ) -> None:
        """Remember whose account it is, instead of what was known."""
        await self._write(lambda db: identity.note(db, bridge, network, found, now))

    async def rebind(self, bridge: BridgeName, now: datetime) -> Rebound:
        """Keep all that is known of `bridge` under another name, and let it start anew."""
        return await self._write(lambda db: identity.rebind(db, bridge, now))

    async def is_rebound(self, route: Route) -> bool:
        """Whether `route` was told to start anew with other accounts."""
        return await self._read(lambda db: identity.is_rebound(db, route))

    async def note_backup(self, at: datetime, why: str = "") -> bool:
        """Remember that the ledger was copied, or `why` not; whether that is news."""
        return await self._write(lambda db: _note_backup(db, at, why))

    async def tie(
        self,
        pairs: Sequence[Pair],
        *,
        reason: Reason,
        now: datetime,
    ) -> tuple[Tied, ...]:
        """Know each mirror as that of its post, all in one transaction; what came of each."""
        return await self._write(
            lambda db: tuple(
                tying.tie(
                    db,
                    pair.route,
                    pair.post,
                    pair.mirror,
                    reason=reason,
                    written=pair.written or now,
                    now=now,
                )
                for pair in pairs
            )
        )


def _other_senders(connection: sqlite3.Connection) -> tuple[OtherSender, ...]:
    row = connection.execute("SELECT value FROM meta WHERE name = 'other_senders'").fetchone()
    if row is None:
        return ()
    with decoding():
        return tuple(
            OtherSender(Route(BridgeName(bridge), Direction(way)), from_micros(at), str(post))
            for bridge, way, at, post in json.loads(row[0])
        )


def _note_other_sender(connection: sqlite3.Connection, seen: OtherSender) -> None:
    others = [one for one in _other_senders(connection) if one.route != seen.route]
    rows = [
        (one.route.bridge, one.route.direction.value, to_micros(one.at), storable(one.post))
        for one in (*others, seen)
    ]
    connection.execute("DELETE FROM meta WHERE name = 'other_senders'")
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('other_senders', ?)", (json.dumps(rows),)
    )


def _backup_state(connection: sqlite3.Connection) -> BackupState:
    row = connection.execute("SELECT value FROM meta WHERE name = 'backup'").fetchone()
    if row is None:
        return BackupState()
    with decoding():
        at, since, why = json.loads(row[0])
        return BackupState(
            None if at is None else from_micros(at),
            None if since is None else from_micros(since),
            str(why),
        )


def _note_backup(connection: sqlite3.Connection, at: datetime, why: str) -> bool:
    before = _backup_state(connection)
    since = None if not why else before.since or at
    copied = before.at if why else at
    told = [None if time is None else to_micros(time) for time in (copied, since)]
    connection.execute("DELETE FROM meta WHERE name = 'backup'")
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('backup', ?)", (json.dumps([*told, why]),)
    )
    return bool(why) is not bool(before.why)
