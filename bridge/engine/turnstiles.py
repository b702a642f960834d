"""The two locks of a process: one for each account, and one for the records of each bridge.

An *account* is held from before a post is created there until its id is recorded, by whoever judges
posts that were read from it, and by whoever looks on it for what may have been created. Otherwise
the bridge could read its own mirror before it is known, and mirror it.

The *turn* of a bridge is held from reading the ledger to writing what follows from it, so that
nobody decides on facts that another activity is just changing. It must not be held while something
is sent.

A task holds one account at most, and takes it before a turn: so nobody ever waits in a circle.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bridge.core.model import Account, AccountId, BridgeName, Network

AccountKey = tuple[Network, str, AccountId]


class Turnstiles:
    """Every account and every bridge of a process. Breaking the order is a `RuntimeError`."""

    def __init__(self) -> None:
        self._accounts: defaultdict[AccountKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._turns: defaultdict[BridgeName, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._passing: set[asyncio.Task[object] | None] = set()
        self._taking: dict[asyncio.Task[object] | None, frozenset[BridgeName]] = {}

    @asynccontextmanager
    async def passing(self, account: Account) -> AsyncIterator[None]:
        """Hold `account` inside the block, whatever bridge it belongs to."""
        task = asyncio.current_task()
        if task in self._passing or task in self._taking:
            raise RuntimeError("an account is taken first, and only one at a time")
        async with self._accounts[key_of(account)]:
            self._passing.add(task)
            try:
                yield
            finally:
                self._passing.discard(task)

    @asynccontextmanager
    async def turn(self, *bridges: BridgeName) -> AsyncIterator[None]:
        """Hold the turns of `bridges` inside the block; a task may take what it holds again."""
        task, wanted = asyncio.current_task(), frozenset(bridges)
        if task in self._taking:
            if not wanted <= self._taking[task]:
                raise RuntimeError("the turns of several bridges are taken at once")
            yield
            return
        async with AsyncExitStack() as stack:
            for bridge in sorted(wanted):
                await stack.enter_async_context(self._turns[bridge])
            self._taking[task] = wanted
            try:
                yield
            finally:
                del self._taking[task]


def key_of(account: Account) -> AccountKey:
    """What tells one account from all others: ids are only unique on one server."""
    server = (account.url or "").split("/@")[0]
    return account.network, server, account.id
