"""Who is signed in: the settings with the logins of the vault in their places.

Must not speak to a network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace

from bridge.config import BridgeSettings, Settings
from bridge.core.errors import ConfigError
from bridge.core.secret import Secret
from bridge.signin.logins import (
    fingerprint,
    lacking,
    mastodon_name,
    pair_of,
    secrets_in,
    with_logins,
    x_name,
)
from bridge.vault import FileVault

NETWORK_NAMES = {"mastodon": "Mastodon", "x": "X"}


def vault_of(settings: Settings) -> FileVault:
    """Where the logins and the renewed tokens of these settings are kept."""
    return FileVault(settings.state / "tokens")


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


def login_stamps(settings: Settings) -> tuple[object, ...]:
    """What differs after every login."""
    vault, bridges = vault_of(settings), settings.bridges
    names = [name(bridge.name) for bridge in bridges for name in (mastodon_name, x_name)]
    return tuple(vault.stamp(name) for name in names)


def stamp_of(bridge: BridgeSettings) -> str:
    """What differs after every login on a bridge's accounts and every change of its settings.

    Tokens that the bridge renews by itself make no difference. The same in every process.
    """
    told = json.dumps(asdict(bridge), default=_in_order, sort_keys=True)
    tokens = [fingerprint(bridge.mastodon.access_token), fingerprint(bridge.x.credentials)]
    return hashlib.sha256("\n".join([told, *tokens]).encode()).hexdigest()


def _in_order(value: object) -> object:
    """A value that JSON does not know, in a form that does not hang on the process."""
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


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
