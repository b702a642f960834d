"""The composition root: settings become a wired bridge.

The only module that knows every floor below. It decides nothing: it opens, connects and closes.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bridge import __version__
from bridge.config import BridgeSettings, OAuth1, OAuth2, Settings
from bridge.core.errors import LedgerError
from bridge.core.model import Direction, Route, Visibility
from bridge.core.policy import Policy
from bridge.core.rules import Rules
from bridge.core.secret import Secret
from bridge.engine.control import Control
from bridge.engine.route import Bench, RoutePlan
from bridge.engine.supervise import Daemon
from bridge.ledger.sqlite import open_ledger, open_reader
from bridge.net.session import open_session
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.settings import OAuth1Credentials, OAuth2Credentials, XSettings
from bridge.ports import Clock, Ledger, LedgerView, Listener, NetworkPort
from bridge.vault import FileVault

USER_AGENT = f"twinpost/{__version__}"


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Running:
    """A wired bridge: the daemon, and the questions that can be asked of its ledger."""

    daemon: Daemon
    control: Control


def ledger_path(settings: Settings) -> Path:
    """Where the ledger of these settings stands."""
    return settings.state / "ledger.sqlite3"


def routes(settings: Settings) -> Iterator[Route]:
    """Every route that is switched on."""
    for bridge in settings.bridges:
        if bridge.mastodon_to_x.enabled:
            yield Route(bridge.name, Direction.MASTODON_TO_X)
        if bridge.x_to_mastodon.enabled:
            yield Route(bridge.name, Direction.X_TO_MASTODON)


def secrets_of(settings: Settings) -> Iterator[Secret]:
    """Every secret in the settings, for the log's redaction."""
    for bridge in settings.bridges:
        yield bridge.mastodon.access_token
        credentials = bridge.x.credentials
        for name in type(credentials).__slots__:
            value = getattr(credentials, name)
            if isinstance(value, Secret):
                yield value


@asynccontextmanager
async def wired(
    settings: Settings, *, listeners: tuple[Listener, ...] = (), clock: Clock | None = None
) -> AsyncIterator[Running]:
    """Open everything, and close it in reverse. Raises `LedgerError` and `ConfigError`."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        ledger = await _opened(settings, clock.now(), create=True)
        stack.push_async_callback(ledger.close)
        # Spreads retries in time; nothing secret hangs on it.
        jitter = random.Random().random  # noqa: S311
        bench = Bench(ledger, clock, jitter, listeners)
        vault = FileVault(settings.state / "tokens")
        plans: list[RoutePlan] = []
        for bridge in settings.bridges:
            plans += await _plans(bridge, stack, clock, vault)
        yield Running(Daemon(plans, bench), Control(ledger, list(routes(settings))))


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Control]:
    """The questions alone, beside a running daemon or without one. Raises `LedgerError`."""
    ledger = await open_reader(ledger_path(settings))
    try:
        yield Control(ledger, list(routes(settings)))
    finally:
        await ledger.close()


@asynccontextmanager
async def rehearsing(
    settings: Settings,
) -> AsyncIterator[tuple[list[RoutePlan], LedgerView | None]]:
    """The routes with their adapters, to ask but not to send, and the ledger where there is one."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        view: LedgerView | None = None
        with suppress(LedgerError):
            view = await open_reader(ledger_path(settings))
            stack.push_async_callback(view.close)
        vault = FileVault(settings.state / "tokens")
        plans: list[RoutePlan] = []
        for bridge in settings.bridges:
            plans += await _plans(bridge, stack, clock, vault)
        yield plans, view


@asynccontextmanager
async def mending(settings: Settings, now: datetime) -> AsyncIterator[Ledger]:
    """The ledger alone, to be written by its owner's word. Raises `LedgerError`."""
    ledger = await _opened(settings, now, create=False)
    try:
        yield ledger
    finally:
        await ledger.close()


async def _opened(settings: Settings, now: datetime, *, create: bool) -> Ledger:
    owner = f"pid {os.getpid()} on {socket.gethostname()}"
    return await open_ledger(ledger_path(settings), owner=owner, now=now, create=create)


async def _plans(
    bridge: BridgeSettings, stack: AsyncExitStack, clock: Clock, vault: FileVault
) -> list[RoutePlan]:
    """The routes of one bridge, their adapters opened on `stack`."""
    mastodon = MastodonAdapter(
        MastodonSettings(bridge.mastodon.url, bridge.mastodon.access_token.reveal()),
        session=await stack.enter_async_context(open_session(user_agent=USER_AGENT)),
        clock=clock,
    )
    stack.push_async_callback(mastodon.close)
    x = XAdapter(
        XSettings(
            url=bridge.x.url,
            credentials=_credentials(bridge.x.credentials),
            dialect=bridge.x.dialect,
            max_length=bridge.x.max_length,
        ),
        session=await stack.enter_async_context(open_session(user_agent=USER_AGENT)),
        clock=clock,
        tokens=vault,
        token_name=f"{bridge.name}-x",
    )
    stack.push_async_callback(x.close)
    people = dict(bridge.people) | {there: here for here, there in bridge.people.items()}
    outward, homeward = bridge.mastodon_to_x, bridge.x_to_mastodon
    plans = [
        _plan(bridge, Direction.MASTODON_TO_X, mastodon, x, Policy(people=people)),
        _plan(
            bridge,
            Direction.X_TO_MASTODON,
            x,
            mastodon,
            Policy(visibility=homeward.visibility, people=people),
        ),
    ]
    wanted = (outward.enabled, homeward.enabled)
    return [plan for plan, enabled in zip(plans, wanted, strict=True) if enabled]


def _plan(
    bridge: BridgeSettings,
    direction: Direction,
    source: NetworkPort,
    target: NetworkPort,
    policy: Policy,
) -> RoutePlan:
    outward = direction is Direction.MASTODON_TO_X
    given = bridge.mastodon_to_x if outward else bridge.x_to_mastodon
    audiences = bridge.mastodon_to_x.visibility if outward else frozenset({Visibility.PUBLIC})
    return RoutePlan(
        route=Route(bridge.name, direction),
        source=source,
        target=target,
        rules=Rules(audiences),
        policy=policy,
        every=given.every,
        delay=given.delay,
        start=given.start,
    )


def _credentials(given: OAuth1 | OAuth2) -> OAuth1Credentials | OAuth2Credentials:
    if isinstance(given, OAuth1):
        return OAuth1Credentials(
            consumer_key=given.consumer_key.reveal(),
            consumer_secret=given.consumer_secret.reveal(),
            access_token=given.access_token.reveal(),
            access_token_secret=given.access_token_secret.reveal(),
        )
    return OAuth2Credentials(
        client_id=given.client_id.reveal(),
        client_secret=given.client_secret.reveal() if given.client_secret else None,
        access_token=given.access_token.reveal(),
        refresh_token=given.refresh_token.reveal() if given.refresh_token else None,
    )
