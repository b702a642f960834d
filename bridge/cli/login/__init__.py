"""`twinpost login`: sign in on one network, and keep what that gave in the state folder.

Checks whose account it is before anything that stands is replaced. Must not print, log or take from
the command line any code, token or secret.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

from bridge import log
from bridge.app.accounts import NETWORK_NAMES, secrets_of, vault_of
from bridge.app.identity import check_login
from bridge.app.wiring import connected
from bridge.cli.asking import say
from bridge.cli.choosing import chosen
from bridge.cli.exits import Exit
from bridge.cli.login import mastodon, x
from bridge.config import BridgeSettings, Settings, load, locate
from bridge.core.errors import ConfigError, NetworkError, Unauthorised, WrongAccount
from bridge.core.model import Network
from bridge.log import escaped
from bridge.signin.logins import (
    lacking,
    mastodon_name,
    read_login,
    using,
    with_logins,
    x_name,
)

_NAMES = {"mastodon": mastodon_name, "x": x_name}
_REFUSED = 401


def run(arguments: argparse.Namespace) -> int:
    """Sign in on the network that is named."""
    settings = load(locate(arguments.config))
    log.configure(secrets=secrets_of(settings))
    bridge = chosen(settings, arguments.bridge)
    asyncio.run(_signed_in(settings, bridge, arguments))
    _say_what_comes_next(settings, bridge)
    return Exit.FINE


async def _signed_in(
    settings: Settings, bridge: BridgeSettings, arguments: argparse.Namespace
) -> None:
    network = arguments.network
    vault, name = vault_of(settings), _NAMES[network](bridge.name)
    # Before anybody takes pains: a vault that cannot be trusted takes nothing in.
    before = read_login(vault.load(name))
    flow = mastodon.sign_in if network == "mastodon" else x.sign_in
    login = await flow(settings, bridge, arguments)
    whose, is_known = await _whose(settings, using(bridge, login, network), network)
    login = replace(login, account=whose)
    if not is_known and before and before.url == login.url and before.account and login.account:
        _require_same(before.account, login.account, f"{vault.path(name)}")
    vault.save(name, login.as_saved())
    who = f" as {escaped(login.account)}" if login.account else ""
    say(
        f"Signed in on {NETWORK_NAMES[network]}{who}. The token stands in {vault.path(name)}, "
        "which only you can read."
    )


async def _whose(settings: Settings, bridge: BridgeSettings, network: str) -> tuple[str, bool]:
    """The handle of the account, and whether a ledger was there that it was held against.

    The handle is empty where the network does not say it now. Raises `Unauthorised` where the
    network does not take the new credentials at all, and `ConfigError` where they are another
    account's than the ledger knows.
    """
    try:
        async with connected(bridge, settings, network) as port:
            handle = (await port.account()).handle
            is_known = await check_login(settings, bridge, Network(network), port)
    except WrongAccount as error:
        raise ConfigError(f"{error}. Nothing was changed") from None
    except Unauthorised as error:
        if error.status in {None, _REFUSED}:
            raise Unauthorised(
                f"{NETWORK_NAMES[network]} does not take what this sign-in gave ({error}); nothing "
                "was changed",
                status=error.status,
            ) from None
        say(f"Note: {error}. The sign-in itself is good, and is kept.")
        return "", False
    except NetworkError as error:
        say(f"Note: whose account it is could not be seen ({error}). The sign-in is kept.")
        return "", False
    return f"@{handle}", is_known


def _require_same(before: str, now: str, file: str) -> None:
    """Another account under the same name would have its posts taken for the first one's."""
    if before.lower() != now.lower():
        raise ConfigError(
            f"this bridge belongs to {escaped(before)}, and you signed in as {escaped(now)}: "
            "nothing was changed. Switch accounts in the browser and sign in again. To really move "
            f"the bridge to another account, give it a new name, or remove {file}"
        )


def _say_what_comes_next(settings: Settings, bridge: BridgeSettings) -> None:
    missing = list(lacking(with_logins(bridge, vault_of(settings))))
    option = f" --bridge {bridge.name}" if len(settings.bridges) > 1 else ""
    if missing:
        print(f"Next: twinpost login {missing[0]}{option}")
    else:
        print("Next: twinpost check. A bridge that runs already takes it up by itself.")
