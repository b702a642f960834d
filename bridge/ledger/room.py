"""Room for the ledger to come out of a full disk by itself: a spare file, and an emptied journal.

    ledger.db.spare   as much room as folding the journal may take; freed for that, and for opening

The journal holds every version of a page until it is folded into the ledger. Folding gives that
room back, but takes some first, for what is new: on a full disk there is none. Must not know
tables, nor open the ledger itself (see `bridge.ledger.files`).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.ledger.files import create_private
from bridge.ledger.purging import emptied

PAGE: Final = 4096
"""Bytes of a page of the ledger: SQLite's own default."""

JOURNAL_PAGES: Final = 64
"""After so many pages the journal is folded into the ledger and used anew.

Sixteen times sooner than SQLite would: a small disk is full of journal by then.
"""

SPARE: Final = JOURNAL_PAGES * PAGE
"""Bytes: folding never adds more pages than the journal has, unless one change was very large."""


def spare_path(ledger: Path) -> Path:
    """``ledger.db.spare`` for ``ledger.db``."""
    return ledger.with_name(ledger.name + ".spare")


def bound_journal(connection: sqlite3.Connection) -> None:
    """Have the journal folded early, and cut where one large change has made it long."""
    connection.execute(f"PRAGMA wal_autocheckpoint = {JOURNAL_PAGES}").fetchone()
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_PAGES * PAGE}").fetchone()


def clear_the_way(ledger: Path) -> None:
    """Free the spare room where there is little else: what is put beside an open ledger takes some.

    Never raises.
    """
    with suppress(OSError):
        disk = os.statvfs(ledger.parent)
        if disk.f_bavail * disk.f_frsize < 2 * SPARE:
            _give_up_spare(ledger)


def _give_up_spare(ledger: Path) -> None:
    with suppress(OSError):
        spare_path(ledger).unlink(missing_ok=True)


def keep_spare(ledger: Path) -> None:
    """Take the spare room, where it is not taken yet and is to be had. Never raises."""
    path = spare_path(ledger)
    with suppress(OSError):
        if path.lstat().st_size == SPARE:
            return
    with suppress(OSError):
        path.unlink(missing_ok=True)
        file = create_private(path)
        try:
            # Not zeroes: some file systems keep those without taking room for them.
            whole = os.write(file, os.urandom(SPARE)) == SPARE
        except OSError:
            whole = False
        finally:
            os.close(file)
        if not whole:
            path.unlink()


def made(connection: sqlite3.Connection, ledger: Path) -> bool:
    """Whether the journal could be folded and cut to nothing, so that there is room again.

    Not while somebody reads the ledger, and not where even the spare room is not enough.
    """
    _give_up_spare(ledger)
    there_is = emptied(connection)
    keep_spare(ledger)
    return there_is
