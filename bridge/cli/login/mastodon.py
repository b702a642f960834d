"""The Mastodon half of `twinpost login`: register an app, ask, exchange; or take a pasted token."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import aiohttp

from bridge import USER_AGENT
from bridge.cli.asking import line, say
from bridge.cli.login.answer import awaited, headless, show
from bridge.config import BridgeSettings, Settings
from bridge.config.values import token as plain_token
from bridge.core.errors import ConfigError, Unauthorised
from bridge.net.session import open_session, trusting
from bridge.networks.mastodon.instance import Software, called, software_of
from bridge.signin.logins import Login, fingerprint
from bridge.signin.loopback import listening
from bridge.signin.mastodon import (
    OUT_OF_BAND,
    WIDE,
    App,
    Endpoints,
    Granted,
    discover,
    exchange,
    missing_scopes,
    question,
    register,
    scopes_for,
)
from bridge.signin.pkce import Proof
from bridge.signin.redirect import ScopeRefused, code_in_address, plain_code
from bridge.signin.server import server_address
from bridge.signin.wire import ask

_LONGEST_TOKEN = 64 * 1024


async def sign_in(
    settings: Settings, bridge: BridgeSettings, arguments: argparse.Namespace
) -> Login:
    """A login, not kept yet. Raises `ConfigError` and `NetworkError`s."""
    if arguments.oauth1 or arguments.client_id or arguments.secret_file:
        raise ConfigError("--oauth1, --client-id and --secret-file are for login x")
    try:
        base = server_address(bridge.mastodon.url)
    except ValueError as error:
        where = f"bridge {bridge.name}: mastodon.url {bridge.mastodon.url}"
        raise ConfigError(f"{where}: {error}") from None
    values: dict[str, str] = {}
    if arguments.token_file:
        granted = Granted(_pasted(arguments.token_file), "")
    else:
        tls = trusting(settings.ca_file)
        async with open_session(user_agent=USER_AGENT, tls=tls) as session:
            app, granted = await _asked(session, base, arguments)
        values = {"client_id": app.client_id, "client_secret": app.client_secret}
    return Login(
        url=bridge.mastodon.url,
        kind="token",
        account="",
        scopes=granted.scopes,
        instead_of=fingerprint(bridge.mastodon.access_token),
        values={"access_token": granted.access_token, **values},
    )


async def _asked(
    session: aiohttp.ClientSession, base: str, arguments: argparse.Namespace
) -> tuple[App, Granted]:
    where = await discover(session, base)
    scopes = scopes_for(await _make(session, base), where.scopes)
    say(f"twinpost asks {base} for the least that it needs: {scopes.replace(' ', ', ')}.")
    try:
        return await _agreed(session, where, scopes, arguments)
    except ScopeRefused:
        if scopes == WIDE:
            raise
    wide = WIDE.replace(" ", ", ")
    say(f"This server has no such narrow rights, so it is asked for its wide ones: {wide}.")
    return await _agreed(session, where, WIDE, arguments)


async def _agreed(
    session: aiohttp.ClientSession, where: Endpoints, scopes: str, arguments: argparse.Namespace
) -> tuple[App, Granted]:
    """Ask the owner for `scopes`. Raises `ScopeRefused` where the server does not know them."""
    proof = Proof()
    if arguments.headless or (headless() and not arguments.port):
        app = await register(session, where, OUT_OF_BAND, scopes)
        show(question(where, app, proof), browser=False)
        prompt = "Type the code that the page shows (it is not shown here): "
        code = await awaited(prompt, plain_code)
        return app, await _exchanged(session, where, app, code, proof)
    async with listening(proof.state, arguments.port or 0) as loopback:
        app = await register(session, where, loopback.address, scopes)
        show(question(where, app, proof), browser=not headless())
        code = await awaited(
            "This goes on by itself once you have agreed. If the browser is on another machine,\n"
            "paste the address it ends at (it is not shown here): ",
            lambda typed: code_in_address(typed, proof.state),
            loopback,
        )
        return app, await _exchanged(session, where, app, code, proof)


async def _exchanged(
    session: aiohttp.ClientSession, where: Endpoints, app: App, code: str, proof: Proof
) -> Granted:
    granted = await exchange(session, where, app, code, proof)
    lost = missing_scopes(app.scopes, granted.scopes) if granted.scopes else ()
    if lost:
        raise Unauthorised(
            f"the server gave fewer rights than the bridge needs: {', '.join(lost)} missing. Sign "
            "in again and agree to all of them"
        )
    return granted


async def _make(session: aiohttp.ClientSession, base: str) -> str:
    """The make of the server, by what it says about itself; ``unknown`` for some."""
    for version in ("v2", "v1"):
        told = await ask(session, "GET", f"{base}/api/{version}/instance")
        if told.fine and told.body:
            known = software_of(told.body)
            name = called(told.body, known).partition(" ")[0].lower()
            return name if known is Software.UNKNOWN else known.value
    return "unknown"


def _pasted(source: str) -> str:
    """A token out of a file, or typed in; never from the command line, which others can read."""
    try:
        if source == "-":
            hint = "Paste the access token (it is not shown here): " if sys.stdin.isatty() else ""
            text = line(hint, hidden=True)
        else:
            with Path(source).open(encoding="utf-8") as file:
                text = file.read(_LONGEST_TOKEN)
        return plain_token(text.strip())
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise ConfigError(f"--token-file {source}: {why}") from None
    except ValueError as error:
        raise ConfigError(f"--token-file: {error}") from None
