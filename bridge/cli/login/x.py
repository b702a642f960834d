"""The X half of `twinpost login`: OAuth 2.0 by a browser, or the four OAuth 1.0a keys by hand."""

from __future__ import annotations

import argparse
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from bridge import USER_AGENT
from bridge.cli.asking import ask, line
from bridge.cli.login.answer import awaited, headless, show
from bridge.config import BridgeSettings, OAuth2, Settings
from bridge.config.values import token as plain_token
from bridge.core.errors import ConfigError, Unauthorised
from bridge.net.session import open_session, trusting
from bridge.signin.logins import Login, fingerprint
from bridge.signin.loopback import HOST, PATH, Loopback, listening
from bridge.signin.pkce import Proof
from bridge.signin.redirect import code_in_address
from bridge.signin.x import PORT, Client, Granted, exchange, missing_scopes, question

_LONGEST_SECRET = 64 * 1024
_CONSOLE = "https://console.x.com"
_KEYS = {
    "consumer_key": "API Key (also called Consumer Key)",
    "consumer_secret": "API Key Secret",
    "access_token": "Access Token",
    "access_token_secret": "Access Token Secret",
}
_WHERE_THE_KEYS_ARE = f"""\
In X's developer console, {_CONSOLE}, signed in as the account that
is to be bridged:
  1. Apps > your app (or Create App) > User authentication settings > Set up:
     App permissions: Read and write. Save.
  2. Keys and tokens: Consumer Keys > Regenerate shows the first two values
     below, Access Token and Secret > Generate the other two. Do this after
     step 1: a token keeps the permissions that it was made with.
Paste each value here; nothing that you paste is shown."""
_WHERE_THE_CLIENT_IS = f"""\
In X's developer console, {_CONSOLE}, signed in as the account that
is to be bridged:
  1. Apps > your app (or Create App) > User authentication settings > Set up:
     App permissions: Read and write
     Type of App: Native App (has no secret), or Web App, Automated App or
       Bot (has one)
     Callback URI: {{callback}}
     Website URL: any address of yours. Save.
  2. The page that follows, or Keys and tokens, shows the Client ID, and the
     Client Secret if there is one."""


async def sign_in(
    settings: Settings, bridge: BridgeSettings, arguments: argparse.Namespace
) -> Login:
    """A login, not kept yet. Raises `ConfigError` and `NetworkError`s."""
    if arguments.token_file:
        raise ConfigError("--token-file is for login mastodon; on X it takes --oauth1 or a browser")
    if arguments.oauth1:
        values, kind, scopes = _keys(), "oauth1", ""
    else:
        client = _client(bridge, arguments)
        granted = await _asked(settings, bridge.x.url, client, arguments)
        kind, scopes = "oauth2", granted.scopes
        values = {
            "client_id": client.client_id,
            "client_secret": client.secret,
            "access_token": granted.access_token,
            "refresh_token": granted.refresh_token,
        }
    return Login(
        url=bridge.x.url,
        kind=kind,
        account="",
        scopes=scopes,
        instead_of=fingerprint(bridge.x.credentials),
        values=values,
    )


def _keys() -> dict[str, str]:
    """The four values; from a pipe, one a line in the order of the console."""
    if sys.stdin.isatty():
        print(_WHERE_THE_KEYS_ARE)
    return {name: _secret(words) for name, words in _KEYS.items()}


def _client(bridge: BridgeSettings, arguments: argparse.Namespace) -> Client:
    """The app: out of the configuration, the options, or what is typed."""
    given = bridge.x.credentials if isinstance(bridge.x.credentials, OAuth2) else None
    if given is not None and not arguments.client_id:
        secret = given.client_secret.reveal() if given.client_secret else ""
        return Client(given.client_id.reveal(), secret)
    if not arguments.client_id:
        print(_WHERE_THE_CLIENT_IS.format(callback=_callback(arguments)))
    client_id = arguments.client_id or ask("Client ID", plain_token)
    if arguments.secret_file:
        return Client(client_id, _from_file(arguments.secret_file))
    if arguments.client_id and not sys.stdin.isatty():
        return Client(client_id, "")
    prompt = "Client Secret (not shown; Enter alone for a Native App, which has none)"
    return Client(client_id, _secret(prompt, optional=True))


async def _asked(
    settings: Settings, api: str, client: Client, arguments: argparse.Namespace
) -> Granted:
    proof, redirect = Proof(), _callback(arguments)
    tls = trusting(settings.ca_file)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(user_agent=USER_AGENT, tls=tls))
        loopback: Loopback | None = None
        if not arguments.headless:
            loopback = await _listening(stack, proof, arguments.port)
        show(question(api, client, redirect, proof), browser=bool(loopback) and not headless())
        goes_on = "This goes on by itself once you have agreed." if loopback else ""
        code = await awaited(
            f"{goes_on}\nIf the browser is on another machine, it ends at a page that cannot be\n"
            "shown: copy that page's address, paste it here within 30 seconds (it is\n"
            "not shown), and press Enter: ",
            lambda typed: code_in_address(typed, proof.state),
            loopback,
        )
        granted = await exchange(session, api, client, code, redirect=redirect, proof=proof)
    lost = missing_scopes(granted.scopes) if granted.scopes else ()
    if lost:
        raise Unauthorised(
            f"X gave fewer rights than the bridge needs: {', '.join(lost)} missing. Give the app "
            "Read and write in the developer console, then sign in again"
        )
    return granted


async def _listening(stack: AsyncExitStack, proof: Proof, port: int | None) -> Loopback | None:
    """The page to come back to; None where its port is taken and nobody would come to it here."""
    try:
        return await stack.enter_async_context(listening(proof.state, port or PORT))
    except ConfigError:
        if port or not headless():
            raise
        return None


def _callback(arguments: argparse.Namespace) -> str:
    return f"http://{HOST}:{arguments.port or PORT}{PATH}"


def _secret(words: str, *, optional: bool = False) -> str:
    while True:
        typed = line(f"{words}: ", hidden=True).strip()
        if optional and not typed:
            return ""
        try:
            return plain_token(typed)
        except ValueError as error:
            if not sys.stdin.isatty():
                raise ConfigError(f"{words}: {error}") from None
            print(f"  {error}")


def _from_file(name: str) -> str:
    try:
        with Path(name).open(encoding="utf-8") as file:
            return plain_token(file.read(_LONGEST_SECRET).strip())
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text"
        raise ConfigError(f"--secret-file {name}: {why}") from None
    except ValueError as error:
        raise ConfigError(f"--secret-file: {error}") from None
