"""The ledger of some settings, to be written: by the daemon, or by its owner's word without one.

Must not import what speaks to a network, but to ask whose the credentials are.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bridge.app.clock import SystemClock
from bridge.app.looking import ledger_path, routes
from bridge.config import Settings
from bridge.core.model import BridgeName
from bridge.engine.commands import Commands
from bridge.engine.route import Bench
from bridge.ledger.backups import FolderOfBackups
from bridge.ledger.sqlite import open_ledger
from bridge.ports import Ledger


def backups_of(settings: Settings) -> FolderOfBackups:
    """The copies of the ledger that are made by themselves."""
    folder, keep = settings.state / "backups", settings.ledger.backups
    return FolderOfBackups(ledger_path(settings), folder, keep)


async def opened(settings: Settings, now: datetime, *, create: bool) -> Ledger:
    """The ledger, leased to this process; made where `create` is set. Raises `LedgerError`."""
    owner = f"pid {os.getpid()} on {socket.gethostname()}"
    return await open_ledger(ledger_path(settings), owner=owner, now=now, create=create)


@asynccontextmanager
async def steering(settings: Settings, *, create: bool = False) -> AsyncIterator[Commands]:
    """What an owner can have done where no daemon runs. Raises `LedgerError`."""
    clock = SystemClock()
    ledger = await opened(settings, clock.now(), create=create)

    async def check(bridge: BridgeName) -> None:
        # Only what decides about posts waits for the clients of both networks to be loaded.
        from bridge.app.identity import check_accounts  # noqa: PLC0415 - as said

        await check_accounts(settings, ledger, bridge)

    bench = Bench(ledger, clock, lambda: 0.0)
    try:
        yield Commands(bench, list(routes(settings)), check_accounts=check)
    finally:
        await ledger.close()
