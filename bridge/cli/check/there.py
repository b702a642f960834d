"""What the networks say: who we are there, what we may do, what they can take, what time it is.

Asks only what is free. Must not post, and must not read a timeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLContext

import aiohttp

from bridge import USER_AGENT
from bridge.app.accounts import vault_of
from bridge.app.identity import check_login
from bridge.app.wiring import connected
from bridge.cli.check.findings import Finding, Level
from bridge.config import BridgeSettings, OAuth1, Settings
from bridge.core.errors import NetworkError, Unauthorised, Unpaid, WrongAccount
from bridge.core.model import Account
from bridge.core.prices import X_PRICES, PriceTable, in_dollars
from bridge.net.session import open_session, trusting
from bridge.networks.mastodon.instance import Instance, read_instance
from bridge.networks.x.pricelist import asking
from bridge.ports import NetworkPort
from bridge.signin import mastodon as mastodon_flow
from bridge.signin import x as x_flow
from bridge.signin.logins import Login, mastodon_name, read_login, using, x_name
from bridge.signin.wire import Answer, ask

REBIND = "twinpost ledger rebind"

_UNPUNCTUAL, _TOO_LATE = 30.0, 240.0
"""Seconds: X refuses a signature that is five minutes off."""
_STREAM_WAIT = 10.0


async def mastodon(settings: Settings, bridge: BridgeSettings) -> AsyncIterator[Finding]:
    """The Mastodon side of a bridge whose credentials are there."""
    name, base = bridge.name, bridge.mastodon.url
    tls = trusting(settings.ca_file)
    async with open_session(user_agent=USER_AGENT, tls=tls) as session:
        answer = None
        for version in ("v2", "v1"):
            with suppress(NetworkError):
                answer = await ask(session, "GET", f"{base}/api/{version}/instance")
                if answer.fine and answer.body:
                    break
        async with connected(bridge, settings, "mastodon") as port:
            account = await _account("mastodon", port, name)
            yield account
            if account.level is Level.FAULT:
                return
            if (wrong := await _wrong_account(settings, bridge, port)) is not None:
                yield wrong
            yield await _mastodon_scopes(settings, bridge, session, answer)
            if answer is not None:
                yield _limits(read_instance(answer.body), name)
            yield await _streaming(port, name)
    if answer is not None:
        for finding in _clock("mastodon", answer, name, strict=False):
            yield finding


async def x(settings: Settings, bridge: BridgeSettings) -> AsyncIterator[Finding]:
    """The X side of a bridge whose credentials are there."""
    name, credentials = bridge.name, bridge.x.credentials
    async with connected(bridge, settings, "x") as port:
        account = await _account("x", port, name)
        yield account
        if account.level is not Level.FAULT:
            if (wrong := await _wrong_account(settings, bridge, port)) is not None:
                yield wrong
            who = await port.account()
            if who.protected:
                todo = "make the account public if its posts are to cross"
                yield Finding(
                    "x audience", Level.WARNING, "protected: its posts do not cross", todo, name
                )
            yield _price(f"@{who.handle}", bridge.x.money.prices, name)
            yield _x_scopes(settings, bridge, who)
            yield await _x_length(bridge, port)
    tls = trusting(settings.ca_file)
    yield await _prices(bridge, tls)
    async with open_session(user_agent=USER_AGENT, tls=tls) as session:
        with suppress(NetworkError):
            # Without credentials: refused, free, and dated.
            answer = await ask(session, "GET", f"{bridge.x.url}/2/users/me")
            for finding in _clock("x", answer, name, strict=isinstance(credentials, OAuth1)):
                yield finding


async def _account(network: str, port: NetworkPort, bridge: str) -> Finding:
    check = f"{network} account"
    try:
        account = await port.account()
    except Unpaid as error:
        todo = "see the network's developer console: it wants money or another plan, no login helps"
        return Finding(check, Level.FAULT, str(error), todo, bridge)
    except Unauthorised as error:
        todo = "" if "twinpost login" in str(error) else f"twinpost login {network}, or as it says"
        return Finding(check, Level.FAULT, str(error), todo, bridge, shut_out=True)
    except NetworkError as error:
        todo = "see whether the server can be reached from here, and try again"
        return Finding(check, Level.FAULT, str(error), todo, bridge)
    return Finding(check, Level.OK, f"signed in as @{account.handle}", bridge=bridge)


async def _wrong_account(
    settings: Settings, bridge: BridgeSettings, port: NetworkPort
) -> Finding | None:
    """Whether it is another account than the one that the ledger knows."""
    try:
        await check_login(settings, bridge, port.network, port)
    except WrongAccount as error:
        check = f"{port.network.value} ledger"
        todo = f"see which account it is to be; after a move: {REBIND} --bridge {bridge.name}"
        return Finding(check, Level.FAULT, str(error), todo, bridge.name, shut_out=True)
    return None


async def _mastodon_scopes(
    settings: Settings,
    bridge: BridgeSettings,
    session: aiohttp.ClientSession,
    instance: Answer | None,
) -> Finding:
    """What the token may do: as its login was told, else what its app may at most."""
    check, name = "mastodon scopes", bridge.name
    make = read_instance(instance.body).software.value if instance else "unknown"
    wanted = mastodon_flow.scopes_for(make, frozenset())
    login = read_login(vault_of(settings).load(mastodon_name(name)))
    granted = login.scopes if _is_used(login, bridge, "mastodon") and login else ""
    if not granted and bridge.mastodon.access_token is not None:
        headers = {"Authorization": f"Bearer {bridge.mastodon.access_token.reveal()}"}
        address = f"{bridge.mastodon.url}/api/v1/apps/verify_credentials"
        with suppress(NetworkError):
            told = await ask(session, "GET", address, headers=headers)
            listed = told.body.get("scopes") if told.fine else None
            granted = " ".join(map(str, listed)) if isinstance(listed, list) else ""
    if not granted:
        todo = f"see under Preferences > Development that the token has {wanted}"
        return Finding(check, Level.WARNING, "this server does not tell", todo, name)
    # Whoever has the narrower right to its own profile needs no more.
    has = f"{granted} read:accounts" if "profile" in granted.split() else granted
    lost = mastodon_flow.missing_scopes(wanted, has)
    if lost:
        todo = "twinpost login mastodon, which asks for what is needed"
        detail = f"{', '.join(lost)} missing"
        return Finding(check, Level.FAULT, detail, todo, name, shut_out=True)
    return Finding(check, Level.OK, granted, bridge=name)


def _is_used(login: Login | None, bridge: BridgeSettings, network: str) -> bool:
    return login is not None and using(bridge, login, network) == bridge


def _x_scopes(settings: Settings, bridge: BridgeSettings, who: Account) -> Finding:
    check, name = "x scopes", bridge.name
    login = read_login(vault_of(settings).load(x_name(name)))
    if isinstance(bridge.x.credentials, OAuth1):
        todo = (
            "see that the console shows Read and write beside the access token: "
            "https://console.x.com > Apps > Keys and tokens"
        )
        if who.may_write:
            return Finding(check, Level.OK, "Read and write", bridge=name)
        if who.may_write is False:
            todo = (
                "give the app Read and write at https://console.x.com, then have its access token "
                "made again: one that was made before stays as it was"
            )
            detail = "these keys may only read: nothing can be posted or uploaded"
            return Finding(check, Level.FAULT, detail, todo, name, shut_out=True)
        return Finding(check, Level.WARNING, "X does not tell for OAuth 1.0a", todo, name)
    if login is None or not login.scopes or not _is_used(login, bridge, "x"):
        todo = "twinpost login x gets tokens whose scopes are known"
        return Finding(check, Level.WARNING, "X does not tell for pasted tokens", todo, name)
    lost = x_flow.missing_scopes(login.scopes)
    if lost:
        detail = f"{', '.join(lost)} missing"
        return Finding(check, Level.FAULT, detail, "twinpost login x", name, shut_out=True)
    return Finding(check, Level.OK, login.scopes, bridge=name)


async def _x_length(bridge: BridgeSettings, port: NetworkPort) -> Finding:
    """How long a post on X may be: as configured, unless X says that the account has no Premium."""
    check, wanted, name = "x length", bridge.x.max_length, bridge.name
    takes = (await port.capabilities()).max_length
    if takes >= wanted:
        return Finding(check, Level.OK, f"{takes} characters", bridge=name)
    detail = (
        f"x.max_length is {wanted}, but X says that the account has no Premium: {takes} is kept"
    )
    todo = f"set x.max_length to {takes}, or renew Premium, which is noticed within a day"
    return Finding(check, Level.WARNING, detail, todo, name)


def _limits(instance: Instance, bridge: str) -> Finding:
    able = instance.capabilities
    detail = f"{instance.called}; {able.max_length} characters, {able.max_media} media"
    if instance.called.startswith("Pixelfed"):
        detail += "; it takes no posts without media"
        todo = "media_only: true under x_to_mastodon keeps the others from being tried"
        return Finding("mastodon server", Level.WARNING, detail, todo, bridge)
    return Finding("mastodon server", Level.OK, detail, bridge=bridge)


async def _streaming(port: NetworkPort, bridge: str) -> Finding:
    """Whether the server tells of new posts by itself."""
    check, hint = "mastodon streaming", asyncio.Event()
    listening = asyncio.create_task(port.listen(hint.set))
    heard = asyncio.create_task(hint.wait())
    try:
        await asyncio.wait(
            {listening, heard}, timeout=_STREAM_WAIT, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        listening.cancel()
        heard.cancel()
        await asyncio.gather(listening, heard, return_exceptions=True)
    if hint.is_set():
        return Finding(check, Level.OK, "new posts are noticed at once", bridge=bridge)
    detail = "none; new posts are noticed when the bridge next reads, by default every 60s"
    return Finding(check, Level.WARNING, detail, bridge=bridge)


def _price(handle: str, prices: PriceTable, bridge: str) -> Finding:
    """X's API does not tell whose app it is, and the price of reading hangs on it."""
    check = "x reading price"
    cheap, dear = in_dollars(prices.owned_read), in_dollars(prices.post_read)
    if cheap == dear:
        detail = f"{cheap} for a post, whoever owns the developer app"
        return Finding(check, Level.OK, detail, bridge=bridge)
    return Finding(
        check,
        Level.WARNING,
        f"{cheap} for a post where {handle} owns the developer app, else {dear}; X does not tell "
        "which",
        f"sign in at https://console.x.com as {handle}: this app must be among its Apps",
        bridge,
    )


async def _prices(bridge: BridgeSettings, tls: SSLContext) -> Finding:
    """What is counted with, and whether X lists the same; asking for its list is free."""
    check, money = "x prices", bridge.x.money
    own = [
        f"{each.name} {in_dollars(getattr(money.prices, each.name))}"
        for each in fields(PriceTable)
        if getattr(money.prices, each.name) != getattr(X_PRICES, each.name)
    ]
    detail = f"as of {X_PRICES.as_of}" + (f"; by x.prices {', '.join(own)}" if own else "")
    if money.price_list:
        try:
            differing = await asking(money, USER_AGENT, tls)()
        except NetworkError as error:
            return Finding(check, Level.OK, f"{detail}; X's own list: {error}", bridge=bridge.name)
        if differing:
            todo = "see on the price page of X which is right; what is counted is what x.prices say"
            detail = ". ".join(str(each) for each in differing)
            return Finding(check, Level.WARNING, detail, todo, bridge.name)
        detail += "; X lists the same"
    return Finding(check, Level.OK, detail, bridge=bridge.name)


def _clock(network: str, answer: Answer, bridge: str, *, strict: bool) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        return
    off = (datetime.now(UTC) - theirs.replace(tzinfo=theirs.tzinfo or UTC)).total_seconds()
    check, detail = f"{network} clock", f"{abs(off):.0f}s apart"
    if abs(off) <= _UNPUNCTUAL:
        yield Finding(check, Level.OK, detail, bridge=bridge)
        return
    way = "ahead of" if off > 0 else "behind"
    level = Level.FAULT if strict and abs(off) > _TOO_LATE else Level.WARNING
    todo = "set this machine's clock by the network: timedatectl set-ntp true"
    detail = f"this machine's clock is {abs(off):.0f}s {way} the server's"
    yield Finding(check, level, detail, todo, bridge)
