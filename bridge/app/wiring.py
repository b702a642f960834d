"""The ledger, both networks and the media, opened and connected: what a running bridge is made of.

Must not decide anything.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from ssl import SSLContext

from bridge import USER_AGENT
from bridge.app.accounts import signed_in, stamp_of, vault_of
from bridge.app.clock import SystemClock
from bridge.app.looking import control_over, reading, routes
from bridge.app.steering import backups_of, opened
from bridge.config import BridgeSettings, OAuth1, OAuth2, Settings
from bridge.config.choices import policy_of, rules_of
from bridge.config.settings import Recheck
from bridge.core.errors import ConfigError, LedgerError
from bridge.core.model import BridgeName, Direction, Network, Route
from bridge.core.secret import Secret
from bridge.engine.caretaking import copying, forgetting
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.identity import guarded
from bridge.engine.pricewatch import watching_prices
from bridge.engine.route import Bench, Chore, RoutePlan
from bridge.engine.supervise import Daemon
from bridge.media.store import FileMediaStore
from bridge.net.guard import Trusted
from bridge.net.session import open_session, trusting
from bridge.net.visit import Visitor
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.mastodon.traffic import noticing as calls_to_mastodon
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.pricelist import asking
from bridge.networks.x.settings import OAuth1Credentials, OAuth2Credentials, XSettings
from bridge.networks.x.traffic import noticing as calls_to_x
from bridge.ports import Clock, Ledger, LedgerView, Listener, NetworkPort, Traffic
from bridge.signin.logins import renewed_name
from bridge.vault import FileVault


@dataclass(frozen=True, slots=True)
class Running:
    """A wired bridge: the daemon, and the questions that can be asked of its ledger."""

    daemon: Daemon
    control: Control
    commands: Commands
    ledger: Ledger
    clock: Clock


TrafficOf = Callable[[BridgeName, Network], Traffic]
"""What hears of the calls to one account's network."""


@asynccontextmanager
async def wired(
    settings: Settings,
    *,
    listeners: tuple[Listener, ...] = (),
    clock: Clock | None = None,
    traffic: TrafficOf | None = None,
) -> AsyncIterator[Running]:
    """Open everything, and close it in reverse. Raises `LedgerError` and `ConfigError`."""
    clock = clock or SystemClock()
    # Before anything is written: a file without a login starts nothing.
    bridges, tls = signed_in(settings).bridges, trusting(settings.ca_file)
    async with AsyncExitStack() as stack:
        ledger = await opened(settings, clock.now(), create=True)
        stack.push_async_callback(ledger.close)
        # Spreads retries in time; nothing secret hangs on it.
        jitter = random.Random().random  # noqa: S311
        media = await stack.enter_async_context(_media(settings, bridges, tls))
        chores = _chores(settings, ledger, tls)
        bench = Bench(ledger, clock, jitter, listeners, media=media, chores=chores)
        vault = vault_of(settings)
        plans: list[RoutePlan] = []
        for bridge in bridges:
            plans += await _plans(bridge, stack, clock, vault, tls, traffic=traffic)
        daemon = Daemon(plans, bench)
        commands = Commands(
            bench, list(routes(settings)), daemon.lanes, check_accounts=daemon.check_accounts
        )
        yield Running(daemon, control_over(ledger, settings), commands, ledger, clock)


@asynccontextmanager
async def rehearsing(
    settings: Settings,
) -> AsyncIterator[tuple[list[RoutePlan], LedgerView | None]]:
    """The routes with their adapters, to ask but not to send, and the ledger where there is one."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        view: LedgerView | None = None
        with suppress(LedgerError):
            view = await stack.enter_async_context(reading(settings))
        vault, tls = vault_of(settings), trusting(settings.ca_file)
        plans: list[RoutePlan] = []
        for bridge in signed_in(settings).bridges:
            plans += await _plans(bridge, stack, clock, vault, tls)
        yield guarded(plans, view)[0], view


@asynccontextmanager
async def connected(
    bridge: BridgeSettings, settings: Settings, network: str
) -> AsyncIterator[NetworkPort]:
    """One account of a bridge whose credentials are there, to ask it questions."""
    async with AsyncExitStack() as stack:
        tls, clock = trusting(settings.ca_file), SystemClock()
        if network == "mastodon":
            yield await _mastodon(bridge, stack, clock, tls)
        else:
            yield await _x(bridge, stack, clock, vault_of(settings), tls)


async def _mastodon(
    bridge: BridgeSettings,
    stack: AsyncExitStack,
    clock: Clock,
    tls: SSLContext,
    *,
    traffic: Traffic | None = None,
) -> MastodonAdapter:
    seen = None if traffic is None else calls_to_mastodon(traffic, clock)
    session = open_session(user_agent=USER_AGENT, tls=tls, seen=seen)
    await stack.enter_async_context(session)
    mastodon = MastodonAdapter(
        MastodonSettings(
            bridge.mastodon.url,
            _given(bridge.mastodon.access_token),
            custom_emoji=bridge.mastodon.custom_emoji == "keep",
        ),
        session=session,
        clock=clock,
        tls=tls,
        traffic=traffic,
    )
    stack.push_async_callback(mastodon.close)
    return mastodon


async def _x(
    bridge: BridgeSettings,
    stack: AsyncExitStack,
    clock: Clock,
    vault: FileVault,
    tls: SSLContext,
    *,
    traffic: Traffic | None = None,
) -> XAdapter:
    seen = None if traffic is None else calls_to_x(traffic, clock)
    session = open_session(user_agent=USER_AGENT, tls=tls, seen=seen)
    await stack.enter_async_context(session)
    x = XAdapter(
        XSettings(
            url=bridge.x.url,
            credentials=_credentials(bridge.x.credentials),
            dialect=bridge.x.dialect,
            max_length=bridge.x.max_length,
            premium=bridge.x.has_premium,
            prices=bridge.x.money.prices,
        ),
        session=session,
        clock=clock,
        tokens=vault,
        token_name=renewed_name(bridge.name),
    )
    stack.push_async_callback(x.close)
    return x


@asynccontextmanager
async def _media(
    settings: Settings, bridges: tuple[BridgeSettings, ...], tls: SSLContext
) -> AsyncIterator[FileMediaStore]:
    """One store of media for the process; the servers of the settings are trusted by name."""
    servers = Trusted.of(url for bridge in bridges for url in (bridge.mastodon.url, bridge.x.url))
    async with (
        Visitor(user_agent=USER_AGENT, trusted=servers, tls=tls) as visitor,
        FileMediaStore(settings.state / "media", visitor) as store,
    ):
        yield store


async def _plans(
    bridge: BridgeSettings,
    stack: AsyncExitStack,
    clock: Clock,
    vault: FileVault,
    tls: SSLContext,
    *,
    traffic: TrafficOf | None = None,
) -> list[RoutePlan]:
    """The routes of one bridge, their adapters opened on `stack`."""
    heard = {each: None if traffic is None else traffic(bridge.name, each) for each in Network}
    mastodon = await _mastodon(bridge, stack, clock, tls, traffic=heard[Network.MASTODON])
    x = await _x(bridge, stack, clock, vault, tls, traffic=heard[Network.X])
    plans = [
        _plan(bridge, Direction.MASTODON_TO_X, mastodon, x),
        _plan(bridge, Direction.X_TO_MASTODON, x, mastodon),
    ]
    wanted = (bridge.mastodon_to_x.enabled, bridge.x_to_mastodon.enabled)
    return [plan for plan, enabled in zip(plans, wanted, strict=True) if enabled]


def _plan(
    bridge: BridgeSettings, direction: Direction, source: NetworkPort, target: NetworkPort
) -> RoutePlan:
    outward = direction is Direction.MASTODON_TO_X
    given = bridge.mastodon_to_x if outward else bridge.x_to_mastodon
    # Mastodon tells of edits and deletions by itself; X has to be asked, and charges for it.
    recheck = Recheck(every=timedelta(0)) if outward else bridge.x_to_mastodon.recheck
    return RoutePlan(
        route=Route(bridge.name, direction),
        source=source,
        target=target,
        rules=rules_of(bridge, direction),
        policy=policy_of(bridge, direction),
        every=given.every,
        delay=given.delay,
        start=given.start,
        recheck_every=recheck.every or None,
        recheck_window=recheck.window,
        budget=bridge.x.money.budget,
        max_age=given.max_age or None,
        max_per_hour=given.max_per_hour or None,
        stamp=stamp_of(bridge),
    )


def _chores(settings: Settings, ledger: Ledger, tls: SSLContext) -> tuple[Chore, ...]:
    """How the ledger of these settings is looked after."""
    kept, chores = settings.ledger, list[Chore]()
    if kept.keep_text:
        chores.append(forgetting(ledger, kept.keep_text))
    if kept.backups:
        chores.append(copying(ledger, backups_of(settings), kept.backup_every))
    listed = [bridge for bridge in settings.bridges if bridge.x.money.price_list]
    lists = [(one.name, asking(one.x.money, USER_AGENT, tls)) for one in listed]
    return (*chores, watching_prices(ledger, lists)) if lists else tuple(chores)


def _given(secret: Secret | None) -> str:
    """What `signed_in` has seen to."""
    if secret is None:
        raise ConfigError("an account without credentials was to be used")
    return secret.reveal()


def _credentials(given: OAuth1 | OAuth2 | None) -> OAuth1Credentials | OAuth2Credentials:
    if given is None:
        raise ConfigError("an account without credentials was to be used")
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
        access_token=_given(given.access_token),
        refresh_token=given.refresh_token.reveal() if given.refresh_token else None,
    )
