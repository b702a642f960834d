"""What a bridge does for its ledger now and then: copy it, and forget texts that are not needed.

A chore that fails is said once, and once when it works again, and keeps nothing else from going on.
Must not do any of it itself: the ledger forgets, and copies are made by what is handed in.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bridge.core.errors import LeaseLost, LedgerError
from bridge.engine.route import Bench, Chore
from bridge.ports import Backups, Ledger

log = logging.getLogger(__name__)

LOOKED_AFTER_EVERY = 600.0
"""Seconds between two rounds."""


def forgetting(ledger: Ledger, keep: timedelta) -> Chore:
    """Forget the text of what was sent more than `keep` ago."""

    async def chore(now: datetime) -> None:
        if count := await ledger.purge(now - keep):
            log.info("forgot the text of %d part(s) that were sent long ago", count)

    return chore


def copying(ledger: Ledger, backups: Backups, every: timedelta) -> Chore:
    """Make a copy of the ledger where the last one is older than `every`."""

    async def chore(now: datetime) -> None:
        last = backups.newest()
        # One from the future was made when the clock was wrong.
        if last is not None and timedelta(0) <= now - last < every:
            return
        try:
            await backups.make(now)
        except LeaseLost:
            raise
        except LedgerError as error:
            if await ledger.note_backup(now, str(error)):
                log.error("the ledger could not be copied: %s; it is tried again", error)  # noqa: TRY400 - the message says it all
            return
        if await ledger.note_backup(now):
            log.info("the ledger can be copied again")

    return chore


class Caretaker:
    """Goes through all chores again and again."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._troubled: set[int] = set()

    async def run(self) -> None:
        """Until cancelled. Raises `LeaseLost`, and nothing else."""
        while True:
            await self.round()
            await self._bench.clock.sleep(LOOKED_AFTER_EVERY)

    async def round(self) -> None:
        """Do every chore once, if there is something to be done."""
        for number, chore in enumerate(self._bench.chores):
            try:
                await chore(self._bench.clock.now())
            except LeaseLost:
                raise
            except Exception:
                # Nothing that is looked after now and then may keep posts from crossing.
                if number not in self._troubled:
                    log.exception("a chore broke off; it is tried again")
                self._troubled.add(number)
            else:
                if number in self._troubled:
                    log.info("the chore that broke off works again")
                self._troubled.discard(number)
