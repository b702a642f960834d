"""An open ledger from the inside: connection, lock, lease and marker, and how they are come by.

Everything in here blocks and belongs to the ledger's own thread. Must not know what is stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from bridge.core.errors import LedgerError, LedgerFull
from bridge.ledger import files, lease, room, schema, twins
from bridge.ledger.codec import to_micros
from bridge.ledger.lock import ProcessLock
from bridge.ledger.transaction import damaged, in_transaction, translated

T = TypeVar("T")

OPENING_TIMEOUT_MS = 500
WORKING_TIMEOUT_MS = 5_000
"""How long to wait for another process's write; only openers and people with tools have any."""

MEMORY = Path("memory")

_ALWAYS = (
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    # What is deleted is overwritten, so that no text lies about in free pages.
    "secure_delete = ON",
)


@dataclass(slots=True)
class Store:
    """What is open; every field is filled as opening gets there, and `close` empties them all."""

    path: Path
    connection: sqlite3.Connection | None = None
    lock: ProcessLock | None = None
    lease: lease.Lease | None = None
    marker: files.Marker | None = None

    @property
    def name(self) -> str:
        """The ledger's file, for people."""
        return str(self.path)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction that sees one moment."""
        with translated(self.name):
            return in_transaction(self._open(), "READ", work)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction of its own, if the lease is ours. Raises `LeaseLost`.

        Where the disk is full, it is run once more if the ledger could make room by itself.
        """
        mine = self.lease
        if mine is None:
            raise LedgerError(f"the ledger {self.name} is open for reading only")

        def fenced(connection: sqlite3.Connection) -> tuple[int, T]:
            return mine.fence(connection), work(connection)

        def attempt() -> tuple[int, T]:
            with translated(self.name):
                return in_transaction(self._open(), "WRITE", fenced)

        mine.commits, result = self.with_room(attempt)
        if self.marker is not None:
            self.marker.note(mine.commits)
        return result

    def with_room(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns; made again, once, where the disk was full and there is room now.

        Raises `LedgerFull`.
        """
        try:
            return attempt()
        except LedgerFull:
            with translated(self.name):
                if self.lock is None or not room.made(self._open(), self.path):
                    raise
        return attempt()

    def outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which changes nothing that anybody could read, outside of a transaction."""
        with translated(self.name):
            return work(self._open())

    def close(self) -> None:
        """Give back whatever is held. Idempotent."""
        try:
            if self.lease is not None and self.connection is not None:
                # Lost, or not writable: then there is nothing that could be given back.
                with suppress(LedgerError):
                    self.write(lease.Lease.give_back)
        finally:
            if self.connection is not None:
                self.connection.close()
            # Last: a free lock says that nobody writes any more.
            if self.lock is not None:
                self.lock.release()
            self.connection = self.lease = self.lock = None

    def _open(self) -> sqlite3.Connection:
        if self.connection is None:
            raise LedgerError(f"the ledger {self.name} has been closed")
        return self.connection


def connect(path: Path, *, mode: str, timeout_ms: int) -> sqlite3.Connection:
    """A connection with nothing begun on it. `mode` is ``rw``, ``ro``, or ``memory``."""
    target = f"file:{quote(str(path.absolute()))}?mode={mode}" if mode != "memory" else ":memory:"
    connection = sqlite3.connect(target, uri=True, isolation_level=None, timeout=timeout_ms / 1000)
    try:
        for pragma in _ALWAYS:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection, name: str) -> None:
    """Let no commit return before it would survive a loss of power; make sure of it.

    Raises `LedgerError` where the file system cannot do it.
    """
    (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    # Where a sync is not a sync (macOS); elsewhere it changes nothing.
    connection.execute("PRAGMA fullfsync = ON")
    room.bound_journal(connection)
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    (foreign_keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
    if (journal, synchronous, foreign_keys) != ("wal", 2, 1):
        raise LedgerError(
            f"the ledger {name} cannot be kept safely on this file system "
            f"(journal {journal}, synchronous {synchronous}); put it on a local disk"
        )


def open_writing(store: Store, *, owner: str, now: datetime, create: bool, term: timedelta) -> None:
    """Fill `store`: a whole, current ledger with its lease. What was opened stays on it to close.

    Raises `LedgerInUse`, `LedgerMissing`, `LedgerDamaged`, `LedgerError`.
    """
    path, name = store.path, store.name
    if not files.require_plain_file(path):
        if not create or files.marker_path(path).exists():
            raise files.missing(path)
        files.prepare_folder(path.parent)
    store.lock = ProcessLock(files.lock_path(path), owner)
    store.lock.attempt()
    if not files.require_plain_file(path):
        if not store.lock.held():
            raise lease.in_use(name, "another process, which is creating it")
        _build(path, now)
    if store.lock.held():
        room.clear_the_way(path)
    with translated(name):
        connection = store.connection = connect(path, mode="rw", timeout_ms=OPENING_TIMEOUT_MS)
        schema.require_readable(connection, name)
        # Before anything that takes time or writes: a second daemon is told at once.
        lease.require_free(connection, store.lock, name, now)
        schema.check(connection, name, path.stat().st_size)
        files.close_to_others(path)
        make_durable(connection, name)
        own = ledger_id(connection, name)
        marker = files.read_marker(path)
        files.require_own(marker, path, own, lease.found(connection).commits)
        take = partial(lease.take, connection, store.lock, name)
        store.lease = store.with_room(partial(take, owner=owner, now=now, term=term))
        fence = _fencing(store.lease)
        schema.migrate(connection, before_each=fence)
        if not twins.has_key(connection):
            in_transaction(connection, "WRITE", _ensuring_key(fence))
        connection.execute(f"PRAGMA busy_timeout = {WORKING_TIMEOUT_MS}")
        store.marker = marker or files.write_marker(path, own, store.lease.commits)
        store.marker.note(store.lease.commits)
        room.keep_spare(path)


def _fencing(mine: lease.Lease) -> Callable[[sqlite3.Connection], None]:
    def fence(connection: sqlite3.Connection) -> None:
        mine.commits = mine.fence(connection)

    return fence


def _ensuring_key(
    fence: Callable[[sqlite3.Connection], None],
) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        fence(connection)
        twins.ensure_key(connection)

    return work


def open_reading(store: Store) -> None:
    """Fill `store` with a connection that cannot write. Raises as `open_writing`."""
    path, name = store.path, store.name
    if not files.require_plain_file(path):
        raise files.missing(path)
    marker = files.read_marker(path)
    with translated(name):
        connection = store.connection = connect(path, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
        number = schema.require_readable(connection, name)
        if number < len(schema.migrations()):
            raise LedgerError(
                f"the ledger {name} was last written by an older version of twinpost; "
                "`twinpost run` or `twinpost once` brings it up to date"
            )
        if marker is not None:
            own = ledger_id(connection, name)
            files.require_own(marker, path, own, lease.found(connection).commits)
        if (size := path.stat().st_size) <= schema.FULL_CHECK_UP_TO:
            # A larger ledger is checked post by post, as each is shown.
            schema.check(connection, name, size)


def open_in_memory(store: Store, *, owner: str, now: datetime, term: timedelta) -> None:
    """Fill `store` with a new ledger that vanishes when it is closed."""
    with translated(store.name):
        store.connection = connect(store.path, mode="memory", timeout_ms=OPENING_TIMEOUT_MS)
        _furnish(store.connection, now)
        row = lease.found(store.connection)
        store.lease = lease.Lease(row.epoch, row.commits, term)
        store.connection.execute(
            "UPDATE lease SET owner = ?, expires_at = ?", (owner, to_micros(now + term))
        )


def ledger_id(connection: sqlite3.Connection, name: str) -> str:
    """The ledger's own id. Raises `LedgerDamaged` where it has none."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
    if row is None:
        raise damaged(name, "it has no id")
    return str(row[0])


def _build(path: Path, now: datetime) -> None:
    """Make a new ledger whole under another name: a half made one never has the real one."""
    fresh = files.fresh_file(path)
    with translated(str(path)):
        connection = connect(fresh, mode="rw", timeout_ms=OPENING_TIMEOUT_MS)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            _furnish(connection, now)
        finally:
            connection.close()
    files.publish(fresh, path)


def _furnish(connection: sqlite3.Connection, now: datetime) -> None:
    schema.migrate(connection)
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('id', ?), ('made_at', ?)",
        (files.new_ledger_id(), now.isoformat()),
    )
    twins.ensure_key(connection)
    connection.execute(
        "INSERT INTO lease (id, owner, epoch, expires_at, commits) VALUES (1, '', 0, ?, 0)",
        (lease.GIVEN_BACK,),
    )
