"""The copies of the ledger that are made by themselves: a folder of them, the oldest let go.

Made on a thread of their own, beside the one that writes. Must not decide when: that is a chore of
the engine's.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

from bridge.core.errors import LedgerError
from bridge.ledger import care, files

_NAME = re.compile(r"ledger-(\d{8}T\d{6}Z)(?:-\d+)?\.sqlite3")


class FolderOfBackups:
    """At most `keep` copies of `ledger` in `folder`; other files there are left alone."""

    def __init__(self, ledger: Path, folder: Path, keep: int) -> None:
        self._ledger = ledger
        self._folder = folder
        self._keep = keep

    def all(self) -> list[tuple[datetime, Path]]:
        """Every copy, oldest first, with when it was made."""
        if not self._folder.is_dir():
            return []
        found = [
            (datetime.strptime(match[1], care.STAMP).replace(tzinfo=UTC), path)
            for path in self._folder.iterdir()
            if (match := _NAME.fullmatch(path.name)) and path.is_file()
        ]
        return sorted(found)

    def newest(self) -> datetime | None:
        """When the newest one that is there was made."""
        found = self.all()
        return found[-1][0] if found else None

    async def make(self, now: datetime) -> Path:
        """Make one while the ledger is in use, and let the oldest go. Raises `LedgerError`."""
        try:
            return await asyncio.to_thread(self._make, now)
        except OSError as error:
            raise LedgerError(f"cannot write to {self._folder}: {error.strerror}") from error

    def _make(self, now: datetime) -> Path:
        if not files.require_plain_file(self._ledger):
            raise files.missing(self._ledger)
        files.prepare_folder(self._folder)
        if self._folder.is_symlink():
            raise LedgerError(f"{self._folder} is a link; copies go into a real folder")
        self._clear_leftovers()
        target = care.free(self._folder / f"ledger-{now.astimezone(UTC):{care.STAMP}}.sqlite3")
        care.back_up(self._ledger, target, now)
        # The newest one is kept whatever its name says: a clock may have been ahead.
        others = [path for _, path in self.all() if path != target]
        for path in others[: max(0, len(others) + 1 - self._keep)]:
            path.unlink(missing_ok=True)
        return target

    def _clear_leftovers(self) -> None:
        """Remove what a process that was killed left behind, half written."""
        for path in self._folder.glob("ledger-*.sqlite3.part*"):
            path.unlink(missing_ok=True)
