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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING

from bridge import __version__
from bridge.config import BridgeSettings, OAuth1, OAuth2, Settings
from bridge.config.choices import policy_of, rules_of
from bridge.config.settings import Recheck
from bridge.core.budget import Budget
from bridge.core.errors import ConfigError, LedgerError
from bridge.core.model import BridgeName, Direction, Route
from bridge.core.secret import Secret
from bridge.engine.caretaking import copying, forgetting
from bridge.engine.commands import Commands
from bridge.engine.control import Control
from bridge.engine.pricewatch import watching_prices
from bridge.engine.route import Bench, Chore, RoutePlan
from bridge.engine.supervise import Daemon
from bridge.ledger.backups import FolderOfBackups
from bridge.ledger.sqlite import open_ledger, open_reader
from bridge.media.store import FileMediaStore
from bridge.net.guard import Trusted
from bridge.net.session import open_session, trusting
from bridge.net.visit import Visitor
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.pricelist import asking
from bridge.networks.x.settings import OAuth1Credentials, OAuth2Credentials, XSettings
from bridge.ports import Clock, Ledger, LedgerView, Listener, NetworkPort
from bridge.signin.logins import (
    lacking,
    mastodon_name,
    pair_of,
    secrets_in,
    with_logins,
    x_name,
)
from bridge.vault import FileVault

if TYPE_CHECKING:
    from bridge.surfaces.web.app import WebPage

USER_AGENT = f"twinpost/{__version__}"
NETWORK_NAMES = {"mastodon": "Mastodon", "x": "X"}


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
    commands: Commands
    ledger: Ledger
    clock: Clock


def ledger_path(settings: Settings) -> Path:
    """Where the ledger of these settings stands."""
    return settings.state / "ledger.sqlite3"


def backups_of(settings: Settings) -> FolderOfBackups:
    """The copies of the ledger that are made by themselves."""
    folder, keep = settings.state / "backups", settings.ledger.backups
    return FolderOfBackups(ledger_path(settings), folder, keep)


def routes(settings: Settings) -> Iterator[Route]:
    """Every route that is switched on."""
    for bridge in settings.bridges:
        if bridge.mastodon_to_x.enabled:
            yield Route(bridge.name, Direction.MASTODON_TO_X)
        if bridge.x_to_mastodon.enabled:
            yield Route(bridge.name, Direction.X_TO_MASTODON)


def budgets_of(settings: Settings) -> dict[BridgeName, Budget]:
    """The bounds of every bridge."""
    return {bridge.name: bridge.x.money.budget for bridge in settings.bridges}


def secrets_of(settings: Settings) -> Iterator[Secret]:
    """Every secret in the settings and of logins, for the log's redaction."""
    vault = vault_of(settings)
    if settings.web.password is not None:
        yield settings.web.password
    yield from settings.surfaces.secrets()
    for bridge in settings.bridges:
        credentials = bridge.x.credentials
        given = [getattr(credentials, name) for name in getattr(type(credentials), "__slots__", ())]
        for value in (bridge.mastodon.access_token, *given):
            if isinstance(value, Secret):
                yield value
        yield from secrets_in(vault, bridge.name)


def vault_of(settings: Settings) -> FileVault:
    """Where the logins and the renewed tokens of these settings are kept."""
    return FileVault(settings.state / "tokens")


def login_stamps(settings: Settings) -> tuple[object, ...]:
    """What differs after every login."""
    vault, bridges = vault_of(settings), settings.bridges
    names = [name(bridge.name) for bridge in bridges for name in (mastodon_name, x_name)]
    return tuple(vault.stamp(name) for name in names)


def signed_in(settings: Settings) -> Settings:
    """The settings with the credentials of logins in their places.

    Raises `ConfigError`, naming the commands, where an account has none.
    """
    vault = vault_of(settings)
    bridges = tuple(with_logins(bridge, vault) for bridge in settings.bridges)
    missing = [
        f"bridge {bridge.name}: nobody is signed in on {NETWORK_NAMES[network]}; run: "
        f"twinpost login {network}{f' --bridge {bridge.name}' if len(bridges) > 1 else ''}"
        for bridge in bridges
        for network in lacking(bridge)
    ]
    if missing:
        raise ConfigError("\n".join(missing))
    seen: dict[tuple[str, ...], str] = {}
    for bridge in bridges:
        pair = pair_of(bridge, vault)
        if pair is not None and seen.setdefault(pair, bridge.name) != bridge.name:
            raise ConfigError(
                f"the bridges {seen[pair]} and {bridge.name} are signed in on the same two "
                "accounts: everything would cross twice. Remove one, or sign in elsewhere"
            )
    return replace(settings, bridges=bridges)


@asynccontextmanager
async def wired(
    settings: Settings, *, listeners: tuple[Listener, ...] = (), clock: Clock | None = None
) -> AsyncIterator[Running]:
    """Open everything, and close it in reverse. Raises `LedgerError` and `ConfigError`."""
    clock = clock or SystemClock()
    # Before anything is written: a file without a login starts nothing.
    bridges, tls = signed_in(settings).bridges, trusting(settings.ca_file)
    async with AsyncExitStack() as stack:
        ledger = await _opened(settings, clock.now(), create=True)
        stack.push_async_callback(ledger.close)
        # Spreads retries in time; nothing secret hangs on it.
        jitter = random.Random().random  # noqa: S311
        media = await stack.enter_async_context(_media(settings, bridges, tls))
        chores = _chores(settings, ledger)
        bench = Bench(ledger, clock, jitter, listeners, media=media, chores=chores)
        vault = vault_of(settings)
        plans: list[RoutePlan] = []
        for bridge in bridges:
            plans += await _plans(bridge, stack, clock, vault, tls)
        daemon, known = Daemon(plans, bench), list(routes(settings))
        control = Control(ledger, known, budgets_of(settings))
        yield Running(daemon, control, Commands(bench, known, daemon.lanes), ledger, clock)


def web_page(settings: Settings) -> WebPage | None:
    """The web page, where it is switched on; nothing of it is imported where it is not.

    Raises `ConfigError` where what it is made with is not installed.
    """
    if not settings.web.enabled:
        return None
    try:
        from bridge.surfaces.web.app import WebPage  # noqa: PLC0415 - an extra, only where asked for
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"web is enabled, and {error.name} is not installed; "
            'install it with: pip install "twinpost[web]"'
        ) from None
    return WebPage(settings.web)


@asynccontextmanager
async def web_served(
    page: WebPage | None, settings: Settings, running: Running
) -> AsyncIterator[None]:
    """Serve `page` beside the daemon, with a reader of its own: no page delays a post."""
    if page is None:
        yield
        return
    from bridge.surfaces.web.site import Bridge  # noqa: PLC0415 - comes with the page

    view = await open_reader(ledger_path(settings))
    try:
        control = Control(view, list(routes(settings)), budgets_of(settings))
        bridge = Bridge(
            control,
            running.commands,
            running.daemon,
            view,
            running.clock,
            lambda: running.ledger.renew(running.clock.now()),
        )
        async with page.served(bridge):
            yield
    finally:
        await view.close()


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Control]:
    """The questions alone, beside a running daemon or without one. Raises `LedgerError`."""
    ledger = await open_reader(ledger_path(settings))
    try:
        yield Control(ledger, list(routes(settings)), budgets_of(settings))
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
        vault, tls = vault_of(settings), trusting(settings.ca_file)
        plans: list[RoutePlan] = []
        for bridge in signed_in(settings).bridges:
            plans += await _plans(bridge, stack, clock, vault, tls)
        yield plans, view


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


@asynccontextmanager
async def steering(settings: Settings, *, create: bool = False) -> AsyncIterator[Commands]:
    """The ledger, made where asked, to be written by its owner's word. Raises `LedgerError`."""
    clock = SystemClock()
    ledger = await _opened(settings, clock.now(), create=create)
    try:
        yield Commands(Bench(ledger, clock, lambda: 0.0), list(routes(settings)))
    finally:
        await ledger.close()


async def _opened(settings: Settings, now: datetime, *, create: bool) -> Ledger:
    owner = f"pid {os.getpid()} on {socket.gethostname()}"
    return await open_ledger(ledger_path(settings), owner=owner, now=now, create=create)


async def _mastodon(
    bridge: BridgeSettings, stack: AsyncExitStack, clock: Clock, tls: SSLContext
) -> MastodonAdapter:
    mastodon = MastodonAdapter(
        MastodonSettings(
            bridge.mastodon.url,
            _given(bridge.mastodon.access_token),
            custom_emoji=bridge.mastodon.custom_emoji == "keep",
        ),
        session=await stack.enter_async_context(open_session(user_agent=USER_AGENT, tls=tls)),
        clock=clock,
        tls=tls,
    )
    stack.push_async_callback(mastodon.close)
    return mastodon


async def _x(
    bridge: BridgeSettings, stack: AsyncExitStack, clock: Clock, vault: FileVault, tls: SSLContext
) -> XAdapter:
    x = XAdapter(
        XSettings(
            url=bridge.x.url,
            credentials=_credentials(bridge.x.credentials),
            dialect=bridge.x.dialect,
            max_length=bridge.x.max_length,
            premium=bridge.x.has_premium,
            prices=bridge.x.money.prices,
        ),
        session=await stack.enter_async_context(open_session(user_agent=USER_AGENT, tls=tls)),
        clock=clock,
        tokens=vault,
        token_name=f"{bridge.name}-x",
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
    bridge: BridgeSettings, stack: AsyncExitStack, clock: Clock, vault: FileVault, tls: SSLContext
) -> list[RoutePlan]:
    """The routes of one bridge, their adapters opened on `stack`."""
    mastodon = await _mastodon(bridge, stack, clock, tls)
    x = await _x(bridge, stack, clock, vault, tls)
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
    )


def _chores(settings: Settings, ledger: Ledger) -> tuple[Chore, ...]:
    """How the ledger of these settings is looked after."""
    kept, chores = settings.ledger, list[Chore]()
    if kept.keep_text:
        chores.append(forgetting(ledger, kept.keep_text))
    if kept.backups:
        chores.append(copying(ledger, backups_of(settings), kept.backup_every))
    listed = [bridge for bridge in settings.bridges if bridge.x.money.price_list]
    tls = trusting(settings.ca_file)
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
