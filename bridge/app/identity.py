"""Whether the credentials of a bridge are those of the accounts that a ledger knows, asked at once.

For commands that work on a ledger without the daemon. Must not write, and must not ask a network
for anything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from bridge.app.accounts import vault_of
from bridge.app.looking import reading
from bridge.app.wiring import connected
from bridge.config import BridgeSettings, Settings
from bridge.core.errors import ConfigError, LedgerError
from bridge.core.identity import IdentitiesView
from bridge.core.model import BridgeName, Network
from bridge.engine.identity import Accounts
from bridge.ports import NetworkPort
from bridge.signin.logins import lacking, with_logins

PATIENCE = 20.0
"""Seconds for both networks together; one that does not answer is asked again by the next pass."""


async def check_accounts(
    settings: Settings, memory: IdentitiesView, name: BridgeName | None = None
) -> None:
    """Hold one bridge, or every one, against `memory`.

    Raises `WrongAccount`. Passes where nobody is signed in, or a network does not answer.
    """
    for bridge in settings.bridges:
        if name in {None, bridge.name}:
            await _check(settings, bridge, memory)


async def check_login(
    settings: Settings, bridge: BridgeSettings, network: Network, port: NetworkPort
) -> bool:
    """Hold what a sign-in gave against the ledger; whether there is one. Raises `WrongAccount`."""
    async with known(settings) as memory:
        await Accounts(bridge.name, {network: port}, memory).check()
        return memory is not None


@asynccontextmanager
async def known(settings: Settings) -> AsyncIterator[IdentitiesView | None]:
    """The ledger of these settings; None where none can be read."""
    async with AsyncExitStack() as stack:
        memory: IdentitiesView | None = None
        with suppress(LedgerError):
            memory = await stack.enter_async_context(reading(settings))
        yield memory


async def _check(settings: Settings, bridge: BridgeSettings, memory: IdentitiesView) -> None:
    try:
        whole = with_logins(bridge, vault_of(settings))
    except ConfigError:
        return
    signed_out = set(lacking(whole))
    async with AsyncExitStack() as stack:
        ports: dict[Network, NetworkPort] = {}
        for network in Network:
            if network.value not in signed_out:
                port = connected(whole, settings, network.value)
                ports[network] = await stack.enter_async_context(port)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await Accounts(bridge.name, ports, memory).check()
