"""Whether the credentials of a bridge belong to the accounts that its ledger knows.

A ledger is about two accounts. With credentials of others, or at another server, its ids mean
nothing: posts would be mirrored that nobody wanted, and mirrors deleted whose posts still stand.
So nothing passes a `GuardedPort` before both accounts were asked who they are. Must not read a
timeline, and must not ask for anything that costs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bridge.core.capabilities import Capabilities
from bridge.core.draft import DraftPart
from bridge.core.errors import NetworkError, Refused, WrongAccount
from bridge.core.identity import (
    IdentitiesView,
    Identity,
    Trace,
    fits_addresses,
    identity_of,
    is_the_same,
    shows,
)
from bridge.core.model import Account, BridgeName, MediaId, Microdollars, Network, Post, PostId
from bridge.core.record import Cursor, Receipt
from bridge.engine.route import RoutePlan
from bridge.ports import (
    Baseline,
    Changed,
    Known,
    LocalMedia,
    NetworkPort,
    Reading,
    Recorded,
    Standing,
    Uploaded,
    ignore,
)

log = logging.getLogger(__name__)

Remember = Callable[[BridgeName, Network, Identity], Awaitable[None]]
"""Writes down whose account it is."""


class Accounts:
    """The accounts of one bridge, each asked once who it is and held against the ledger.

    `memory` is None where there is no ledger, and so nothing to be held against. Without `remember`
    nothing is written down. A network that does not answer holds up what is asked of it, and
    nothing else; a wrong account on either network holds up the whole bridge, for good.
    """

    def __init__(
        self,
        bridge: BridgeName,
        ports: Mapping[Network, NetworkPort],
        memory: IdentitiesView | None,
        remember: Remember | None = None,
    ) -> None:
        self._bridge = bridge
        self._ports = dict(ports)
        self._memory = memory
        self._remember = remember
        self._lock = asyncio.Lock()
        self._failed: dict[Network, NetworkError | None] = {}
        """What the first question to a network came to, until somebody was told of it."""
        self._settled: dict[Network, asyncio.Event] = defaultdict(asyncio.Event)
        self._wrong: tuple[str, str] | None = None

    async def check(self, *, but: Collection[Network] = ()) -> None:
        """Ask whoever was not asked yet. Raises `WrongAccount` and no other `NetworkError`.

        Networks that are waited for are left alone: `require` asks them when they are needed.
        """
        async with self._lock:
            for network in but:
                self._failed.setdefault(network, None)
            await self._ask_all()

    async def require(self, network: Network) -> None:
        """Return only once it is known that `network` may be spoken to for this bridge.

        Raises `WrongAccount`, also where it is that of the other network; and any `NetworkError`
        where `network` does not say whose credentials these are.
        """
        async with self._lock:
            await self._ask_all()
            if self._settled[network].is_set() or network not in self._ports:
                return
            error = self._failed.get(network)
            if error is not None:
                # It has just been asked: who comes for the first time need not ask again.
                self._failed[network] = None
                raise error
            await self._settle(network)

    async def settled(self, network: Network) -> None:
        """Wait until it is known that the account on `network` is the right one."""
        await self._settled[network].wait()

    async def _ask_all(self) -> None:
        self._raise_if_wrong()
        # At once: a server that hangs must not keep the other one from being asked.
        await asyncio.gather(
            *(
                self._ask(network)
                for network in self._ports
                if not self._settled[network].is_set() and network not in self._failed
            )
        )
        self._raise_if_wrong()

    async def _ask(self, network: Network) -> None:
        try:
            await self._settle(network)
        except NetworkError as error:
            self._failed[network] = error

    def _raise_if_wrong(self) -> None:
        if self._wrong is not None:
            detail, network = self._wrong
            raise WrongAccount(detail, network=network)

    async def _settle(self, network: Network) -> None:
        """Find out whose account it is on `network`, once and for all."""
        if self._memory is not None:
            found = identity_of(await self._ports[network].account())
            known = await self._memory.identity(self._bridge, network)
            if known != found:
                await self._compare(network, known, found)
                if self._remember is not None:
                    await self._remember(self._bridge, network, found)
        self._settled[network].set()

    async def _compare(self, network: Network, known: Identity | None, found: Identity) -> None:
        if known is not None and is_the_same(known, found):
            log.info("bridge %s: %s is known as %s now", self._bridge, known, found)
            return
        if known is not None and known.id != found.id:
            self._refuse(network, f"belongs to {known}", found)
        traces = await self._memory.traces(self._bridge, network) if self._memory else ()
        if await self._is_shown(network, traces, found, server_is_known=known is None):
            return
        if known is not None:
            self._refuse(
                network, f"belongs to {known}, which cannot be shown to be the same", found
            )
        if not fits_addresses(traces, found):
            url = next((trace.url for trace in traces if trace.url), "")
            self._refuse(network, f"knows posts such as {url}", found)

    async def _is_shown(
        self,
        network: Network,
        traces: Sequence[Trace],
        found: Identity,
        *,
        server_is_known: bool,
    ) -> bool:
        """Whether one of the posts that are known stands there as this account's."""
        port = self._ports[network]
        if not traces or (await port.capabilities()).prices is not None:
            return False
        for trace in traces:
            post = None
            # What is another account's is refused, as it cannot be asked for in this one's name.
            with suppress(Refused):
                post = await port.look_up(trace.id)
            if shows(trace, post, found.id, server_is_known=server_is_known):
                return True
        return False

    def _refuse(self, network: Network, what_is_known: str, found: Identity) -> None:
        bridge, called = self._bridge, network.called
        detail = (
            f"bridge {bridge}: on {called} its ledger {what_is_known}, but the credentials belong "
            f"to {found}: nothing is read, sent or deleted. Sign in as the former with: twinpost "
            f"login {network.value} --bridge {bridge}; or give the bridge a new name; or, if it "
            f"has moved to the new account for good: twinpost ledger rebind --bridge {bridge}"
        )
        self._wrong = detail, network.value
        self._raise_if_wrong()


class GuardedPort:
    """A `NetworkPort` that is not used before the accounts of its bridge are the right ones."""

    def __init__(self, port: NetworkPort, accounts: Accounts) -> None:
        self._port = port
        self._accounts = accounts

    @property
    def network(self) -> Network:
        """Which network this is."""
        return self._port.network

    async def _ready(self) -> NetworkPort:
        await self._accounts.require(self._port.network)
        return self._port

    async def account(self) -> Account:
        """See `bridge.ports.Source`, here and below."""
        return await (await self._ready()).account()

    async def baseline(self) -> Baseline:
        """Where the timeline stands now."""
        return await (await self._ready()).baseline()

    async def read_after(self, cursor: Cursor, known: Known) -> Reading:
        """Own posts after `cursor`."""
        return await (await self._ready()).read_after(cursor, known)

    async def check_cursor(self, cursor: Cursor, seen: Recorded) -> Cursor:
        """`cursor` if it can be right."""
        return await (await self._ready()).check_cursor(cursor, seen)

    async def audit(self, cursor: Cursor, known: Known) -> Reading:
        """What is listed and not known."""
        return await (await self._ready()).audit(cursor, known)

    async def recent(self, since: datetime) -> Reading:
        """Own posts created at `since` or later."""
        return await (await self._ready()).recent(since)

    async def window(self, limit: int, *, boosts: bool = True) -> Reading:
        """The newest own posts."""
        return await (await self._ready()).window(limit, boosts=boosts)

    async def look_up(self, post: PostId) -> Post | None:
        """One own post."""
        return await (await self._ready()).look_up(post)

    async def standing(self, post: PostId) -> Standing:
        """What is known of `post` now at no cost."""
        return await (await self._ready()).standing(post)

    async def listen(self, wake: Callable[[], None], changed: Changed = ignore) -> None:
        """Call `wake` and `changed` at every hint, once it is known whose hints these are."""
        await self._accounts.settled(self._port.network)
        await self._port.listen(wake, changed)

    async def capabilities(self, *, afresh: bool = False) -> Capabilities:
        """What can be sent. Raises `WrongAccount` and no other `NetworkError`."""
        await self._accounts.check()
        return await self._port.capabilities(afresh=afresh)

    async def upload(self, medium: LocalMedia) -> Uploaded:
        """Hand over one medium."""
        return await (await self._ready()).upload(medium)

    async def publish(
        self,
        part: DraftPart,
        *,
        reply_to: PostId | None,
        key: str,
        media: Sequence[MediaId] = (),
    ) -> Receipt:
        """Create one post, once."""
        port = await self._ready()
        return await port.publish(part, reply_to=reply_to, key=key, media=media)

    async def revise(
        self, target: PostId, part: DraftPart, *, media: Sequence[MediaId] = ()
    ) -> Receipt:
        """Give a post the whole content of `part`."""
        return await (await self._ready()).revise(target, part, media=media)

    async def delete(self, target: PostId) -> Microdollars:
        """Have a post gone."""
        return await (await self._ready()).delete(target)

    async def close(self) -> None:
        """Release connections and threads."""
        await self._port.close()


def guarded(
    plans: Sequence[RoutePlan], memory: IdentitiesView | None, remember: Remember | None = None
) -> tuple[list[RoutePlan], dict[BridgeName, Accounts]]:
    """The same plans on guarded ports, and the accounts of each bridge."""
    ports: dict[BridgeName, dict[Network, NetworkPort]] = defaultdict(dict)
    for plan in plans:
        for port in (plan.source, plan.target):
            ports[plan.route.bridge].setdefault(port.network, port)
    accounts = {
        bridge: Accounts(bridge, of_bridge, memory, remember) for bridge, of_bridge in ports.items()
    }
    wrapped = {
        (bridge, network): GuardedPort(port, accounts[bridge])
        for bridge, of_bridge in ports.items()
        for network, port in of_bridge.items()
    }
    return [
        replace(
            plan,
            source=wrapped[plan.route.bridge, plan.source.network],
            target=wrapped[plan.route.bridge, plan.target.network],
        )
        for plan in plans
    ], accounts
