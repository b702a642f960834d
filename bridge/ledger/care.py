"""Copies of a ledger: made while it is in use, examined, and put back in its place.

Blocking. A copy has its name only once it is whole and examined, and a ledger is replaced in one
step; killed at any moment, either the old one stands there or the new one, and nothing is sent that
may have been sent before. Must not know what the tables mean.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bridge.core.errors import LedgerDamaged, LedgerError
from bridge.ledger import files, lease, restoring, schema
from bridge.ledger.examining import Examination, examine
from bridge.ledger.lock import ProcessLock
from bridge.ledger.store import WORKING_TIMEOUT_MS, connect, ledger_id
from bridge.ledger.transaction import damaged, in_transaction, translated

PAGES_AT_ONCE: Final = 256
"""A megabyte: between two of them others have the processor."""

STAMP: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back: when the copy was made, and how many parts are held because of it.

    `aside` is where the old ledger lies now, None where there was none.
    """

    taken: datetime
    held: int
    aside: Path | None


def verify(ledger: Path) -> Examination:
    """Examine the ledger at `ledger`, its marker included, while it is in use or not.

    Raises `LedgerMissing`; `LedgerDamaged` where it is so damaged that it cannot be examined.
    """
    if not files.require_plain_file(ledger):
        raise files.missing(ledger)
    marker = files.read_marker(ledger)
    found = _examined(ledger, marker)
    note = f"the marker {files.marker_path(ledger).name} beside it"
    words = note if marker is not None else f"{note}: there is none; the next run makes it"
    return Examination((*found.checked, words), found.findings)


def _examined(path: Path, marker: files.Marker | None = None) -> Examination:
    name = str(path)
    with translated(name):
        connection = connect(path, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
        try:
            number = schema.require_readable(connection, name)
            if marker is not None:
                own = ledger_id(connection, name)
                files.require_own(marker, path, own, lease.found(connection).commits)
            if number < len(schema.migrations()):
                findings = connection.execute("PRAGMA integrity_check(10)").fetchall()
                wrong = () if findings == [("ok",)] else tuple(str(row[0]) for row in findings)
                said = f"SQLite's own check; an older version wrote it (schema {number})"
                return Examination((said,), wrong)
            return in_transaction(connection, "READ", examine)
        finally:
            connection.close()


def back_up(ledger: Path, target: Path, now: datetime) -> None:
    """Write a copy of the ledger to the new file `target`, durably, 0600, and examine it.

    Sees one moment; whoever writes meanwhile neither waits nor is in the copy.
    Raises `LedgerError`; there is no file `target` then.
    """
    if not files.require_plain_file(ledger):
        raise files.missing(ledger)
    if target.exists() or target.is_symlink():
        raise LedgerError(f"{target} is there already; name a new file")
    part = target.with_name(target.name + ".part")
    try:
        _copied(ledger, part, now)
        with translated(str(part)):
            require_whole(_examined(part), part)
        _synced(part)
        files.publish(part, target)
    except BaseException:
        _removed(part)
        raise


def _copied(source: Path, target: Path, now: datetime) -> None:
    """Copy a database that may be in use to the private file `target`, in rollback mode."""
    _removed(target)
    private(target)
    name = str(source)
    with translated(name):
        reading = connect(source, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
        try:
            schema.require_readable(reading, name)
            writing = connect(target, mode="rw", timeout_ms=WORKING_TIMEOUT_MS)
            try:
                # Held from here on, so that a commit on the way does not begin the copy anew.
                reading.execute("BEGIN")
                lease.found(reading)
                reading.backup(writing, pages=PAGES_AT_ONCE)
                reading.execute("COMMIT")
                # One file, which needs no other beside it, and no write to be looked at.
                writing.execute("PRAGMA journal_mode = DELETE")
                in_transaction(writing, "WRITE", lambda db: restoring.note_taken(db, now))
            finally:
                writing.close()
        finally:
            reading.close()


Approve = Callable[[Path], None]
"""Looks at a whole ledger before it is put in its place; what it raises keeps that from it."""


def approve_any(_: Path) -> None:
    """Approve of any ledger."""


def restore(
    ledger: Path, backup: Path, now: datetime, *, approve: Approve = approve_any
) -> Restored:
    """Put the copy `backup` in the ledger's place; what was there is kept aside.

    Raises `LedgerInUse` while a process writes the ledger, `LedgerMissing` and `LedgerDamaged` for
    a copy that is no good, or of another ledger, and `LedgerError`; nothing is changed then.
    """
    if not files.require_plain_file(backup):
        raise LedgerError(f"there is no file {backup}")

    def build(fresh: Path) -> datetime:
        with translated(str(backup)):
            asked = connect(backup, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
            try:
                schema.require_readable(asked, str(backup))
                taken = restoring.taken_at(asked, now)
            finally:
                asked.close()
        _copied(backup, fresh, taken)
        return taken

    return install(ledger, build, now, called=str(backup), approve=approve)


def install(
    ledger: Path,
    build: Callable[[Path], datetime],
    now: datetime,
    *,
    called: str,
    approve: Approve = approve_any,
) -> Restored:
    """Have `build` make a ledger in the file it is given, and put it in the place of `ledger`.

    `build` returns the moment that the ledger knows of; `called` names what it is made from.
    """
    files.prepare_folder(ledger.parent)
    lock = ProcessLock(files.lock_path(ledger), f"pid {os.getpid()}, which restores a backup")
    try:
        if not lock.attempt():
            raise lease.in_use(str(ledger), lock.holder() or "another process")
        fresh = ledger.with_name(ledger.name + ".restoring")
        try:
            taken = build(fresh)
            held = _prepared(fresh, ledger, now, taken, called)
            approve(fresh)
            _synced(fresh)
            aside = _set_aside(ledger, now)
            files.publish(fresh, ledger)
        except BaseException:
            _removed(fresh)
            raise
        with translated(str(ledger)):
            connection = connect(ledger, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
            try:
                own, commits = ledger_id(connection, str(ledger)), lease.found(connection).commits
            finally:
                connection.close()
        # Last: until then the marker is behind the new ledger, which does no harm.
        files.write_marker(ledger, own, commits)
    finally:
        lock.release()
    return Restored(taken, held, aside)


def _prepared(fresh: Path, ledger: Path, now: datetime, taken: datetime, called: str) -> int:
    """Bring a copy up to date, mark it as restored, examine it; returns how many parts are held."""
    with translated(called):
        connection = connect(fresh, mode="rw", timeout_ms=WORKING_TIMEOUT_MS)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            schema.require_readable(connection, called)
            schema.check(connection, called, 0)
            own, before = ledger_id(connection, called), lease.found(connection).commits
            marker = files.read_marker(ledger)
            if marker is not None and marker.ledger_id != own:
                raise LedgerDamaged(
                    f"{called} is a copy of another ledger than the one that belongs here; if you "
                    f"are sure that it is right, remove {marker.path} and try again"
                )
            seen = max(before, marker.commits if marker else 0, _commits_of(ledger))
            schema.migrate(connection)
            held = in_transaction(
                connection,
                "WRITE",
                lambda db: restoring.mark(db, now=now, taken=taken, commits=seen + 1),
            )
            require_whole(in_transaction(connection, "READ", examine), Path(called))
        finally:
            connection.close()
    return held


def require_whole(found: Examination, path: Path) -> None:
    """Raise `LedgerDamaged` where an examination found something."""
    if found.findings:
        raise damaged(str(path), found.findings[0])


def _commits_of(ledger: Path) -> int:
    """How many commits the ledger that is to be replaced has seen, as far as it can be read."""
    with suppress(LedgerError), translated(str(ledger)):
        if not files.require_plain_file(ledger):
            return 0
        connection = connect(ledger, mode="ro", timeout_ms=WORKING_TIMEOUT_MS)
        try:
            return lease.found(connection).commits
        finally:
            connection.close()
    return 0


def _set_aside(ledger: Path, now: datetime) -> Path | None:
    """Keep the ledger under another name too, whole and without a log beside it."""
    if not ledger.exists():
        _logs_aside(ledger, ledger.with_name(f"{ledger.name}.lost-{now:{STAMP}}"))
        return None
    aside = free(ledger.with_name(f"{ledger.name}.replaced-{now.astimezone(UTC):{STAMP}}"))
    try:
        connection = connect(ledger, mode="rw", timeout_ms=WORKING_TIMEOUT_MS)
        try:
            # With the last connection the log goes, once it is played in.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        pass  # Damaged: it is kept as it is.
    # A log left behind would be taken for one of the new ledger, and played into it.
    _logs_aside(ledger, aside)
    try:
        os.link(ledger, aside)
        files.sync_folder(ledger.parent)
    except OSError as error:
        raise LedgerError(f"cannot keep {ledger} as {aside}: {error.strerror}") from error
    return aside


def _logs_aside(ledger: Path, aside: Path) -> None:
    for end in ("-wal", "-shm", "-journal"):
        log = ledger.with_name(ledger.name + end)
        if log.exists():
            log.replace(aside.with_name(aside.name + end))


def free(path: Path) -> Path:
    """`path`, or the first like it (``-2`` before its ending) that nothing has as its name."""
    stem, end = path.stem, path.suffix
    tries = [path, *(path.with_name(f"{stem}-{count}{end}") for count in range(2, 1000))]
    return next(each for each in tries if not each.exists())


def private(path: Path) -> None:
    """Make an empty file that is its owner's alone. Raises `LedgerError`."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, files.PRIVATE_FILE)
        os.fchmod(file, files.PRIVATE_FILE)
        os.close(file)
    except OSError as error:
        raise LedgerError(f"cannot write {path}: {error.strerror}") from error


def _synced(path: Path) -> None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise LedgerError(f"cannot write {path}: {error.strerror}") from error


def _removed(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)
