"""A thread of its own for blocking work, awaited from asyncio without being torn apart.

SQLite connections belong to one thread; so do the waits for the disk. Must not know SQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from bridge.core.errors import LedgerError

T = TypeVar("T")


class WorkThread:
    """Runs one piece of work at a time, in the order asked for."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._stopped = False

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` to its end and return what it returns.

        A caller that is cancelled meanwhile is held until the work has ended, and is cancelled
        then: nobody goes on while a transaction of theirs is still open.
        Raises `LedgerError` once stopped.
        """
        if self._stopped:
            raise LedgerError("this ledger has been closed")
        return await _ended(asyncio.get_running_loop().run_in_executor(self._executor, work))

    async def stop(self, last: Callable[[], None]) -> None:
        """Run `last` after everything asked for before, then end the thread. Idempotent."""
        if self._stopped:
            return
        self._stopped = True
        future = asyncio.get_running_loop().run_in_executor(self._executor, last)
        self._executor.shutdown(wait=False)
        await _ended(future)


async def _ended(future: asyncio.Future[T]) -> T:
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((future,))
        raise
