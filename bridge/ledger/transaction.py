"""One transaction around one piece of work, and SQLite's errors in the words of the error tree.

Must not know tables. Error messages name the file and what to do, never a value of the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, TypeVar

from bridge.core.errors import LedgerDamaged, LedgerError, LedgerFull

T = TypeVar("T")

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""The last says that a statement does not fit the tables: they are not what their number says."""
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY = 0xFF
"""Extended result codes carry the primary one in their lowest byte."""

_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})
"""Whole codes. The second is what a quota or a limit of the file's size comes out as."""


class LedgerBusy(LedgerError):
    """Another process is in the middle of a write, and stayed there for the whole time-out."""


def damaged(name: str, finding: str) -> LedgerDamaged:
    """The error for a ledger that fails a check, with what to do about it."""
    return LedgerDamaged(
        f"the ledger {name} is damaged ({finding}); nothing is sent until it is mended: "
        "put a backup in its place, or ask for help with the file as it is"
    )


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Raise `LedgerError`s instead of SQLite's own errors; `name` is the file's, for people."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(error, name) from None
    except UnicodeDecodeError:
        # Chained to nothing, like the above: it carries the text that it could not read.
        raise damaged(name, "it holds text that is not UTF-8") from None


def _translation(error: sqlite3.Error, name: str) -> LedgerError:
    # Without a code it is the module's own complaint, and the one about text quotes the text.
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        if isinstance(error, sqlite3.OperationalError):
            return damaged(name, "it holds text that is not UTF-8")
        return LedgerError(f"the ledger {name} cannot be used: {error}")
    primary = code & _PRIMARY
    if primary in _DAMAGED:
        return damaged(name, str(error))
    if primary in _BUSY:
        return LedgerBusy(f"the ledger {name} is being written by another process for too long")
    if code in _NO_ROOM:
        full = primary == sqlite3.SQLITE_FULL
        return LedgerFull(
            f"the ledger {name} cannot be written: "
            f"{'the disk is full' if full else 'the disk takes no more (a quota, or a fault)'}; "
            "nothing was changed. Make room; the bridge goes on by itself"
        )
    return LedgerError(f"the ledger {name} cannot be used: {error}")


def in_transaction(
    connection: sqlite3.Connection,
    kind: Literal["READ", "WRITE"],
    work: Callable[[sqlite3.Connection], T],
) -> T:
    """Run `work` in one transaction: all of it happens, or, where anything raises, nothing.

    A reading transaction sees one moment; a writing one is alone from its first statement on.
    Raises whatever `work` raises, and sqlite3's errors untranslated.
    """
    connection.execute("BEGIN" if kind == "READ" else "BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some failures; the first error is the one to tell.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
    return result
