"""The lease: which process may write, kept in the ledger itself, fenced by a number that grows.

Every writing transaction passes `Lease.fence` first, in the same transaction: a process that slept
through the loss of its lease changes nothing when it wakes. Must not start transactions, but for
the one that takes the lease.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.core.errors import LeaseLost, LedgerDamaged, LedgerInUse
from bridge.ledger.codec import storable, to_micros
from bridge.ledger.lock import ProcessLock
from bridge.ledger.transaction import LedgerBusy, in_transaction, translated

GIVEN_BACK: Final = 0
"""An `expires_at` that has always run out."""


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The lease as it stands in the ledger."""

    owner: str
    epoch: int
    expires_at: int
    commits: int


@dataclass(slots=True)
class Lease:
    """Our lease. `commits` counts the ledger's writing transactions up to our last one."""

    epoch: int
    commits: int
    term: timedelta

    def fence(self, connection: sqlite3.Connection) -> int:
        """Go on only if the lease is still ours; returns the number of this commit.

        Raises `LeaseLost`. To be called inside a writing transaction.
        """
        number = self.commits + 1
        mine = connection.execute(
            "UPDATE lease SET commits = ? WHERE id = 1 AND epoch = ?", (number, self.epoch)
        )
        if mine.rowcount != 1:
            raise LeaseLost(
                "another process has taken the ledger over while this one did not answer; "
                "this one stops"
            )
        return number

    def renew(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Extend it to a whole term from `now`. Inside a fenced transaction."""
        expires_at = to_micros(now + self.term)
        connection.execute("UPDATE lease SET expires_at = ? WHERE id = 1", (expires_at,))

    @staticmethod
    def give_back(connection: sqlite3.Connection) -> None:
        """Let the next process have it at once. Inside a fenced transaction."""
        connection.execute("UPDATE lease SET expires_at = ? WHERE id = 1", (GIVEN_BACK,))


def found(connection: sqlite3.Connection) -> LeaseRow:
    """The lease as it stands. Raises `LedgerDamaged` where there is none."""
    row = connection.execute(
        "SELECT owner, epoch, expires_at, commits FROM lease WHERE id = 1"
    ).fetchone()
    if row is None:
        raise LedgerDamaged("the ledger has no lease row; restore it from a backup")
    return LeaseRow(*row)


def require_free(
    connection: sqlite3.Connection, lock: ProcessLock, name: str, now: datetime
) -> None:
    """Raise `LedgerInUse` if somebody else is alive and in possession. Changes nothing."""
    if lock.held():
        return
    row = found(connection)
    if row.expires_at > to_micros(now):
        raise in_use(name, lock.holder() or row.owner)


def take(
    connection: sqlite3.Connection,
    lock: ProcessLock,
    name: str,
    *,
    owner: str,
    now: datetime,
    term: timedelta,
) -> Lease:
    """Take the lease, from nobody, from a dead process, or from one that let it run out.

    Raises `LedgerInUse`.
    """

    def work(connection: sqlite3.Connection) -> Lease:
        # Looked at again in here: another process may have supplanted our lock meanwhile.
        require_free(connection, lock, name, now)
        if not lock.held():
            lock.supplant()
        row = found(connection)
        lease = Lease(row.epoch + 1, row.commits + 1, term)
        connection.execute(
            "UPDATE lease SET owner = ?, epoch = ?, expires_at = ?, commits = ? WHERE id = 1",
            (storable(owner), lease.epoch, to_micros(now + term), lease.commits),
        )
        return lease

    with translated(name):
        try:
            with translated(name):
                return in_transaction(connection, "WRITE", work)
        except LedgerBusy:
            raise _locked_by_another(connection, lock, name) from None


def _locked_by_another(connection: sqlite3.Connection, lock: ProcessLock, name: str) -> LedgerInUse:
    """The error for a write lock that is not released. Never names an owner that has ended.

    While the process lock is in our hands, no other bridge process is alive.
    """
    if not lock.held():
        # It was stopped in the middle of a write; only its end makes way.
        return in_use(name, lock.holder() or found(connection).owner)
    return LedgerInUse(
        f"the ledger {name} is locked by another program that has it open, such as a database "
        f"shell or a backup tool; close it (to find it: fuser {name})"
    )


def in_use(name: str, owner: str) -> LedgerInUse:
    """The error for a ledger that somebody else writes."""
    return LedgerInUse(
        f"the ledger {name} is in use by {owner}; stop that process first (one daemon a ledger)"
    )
