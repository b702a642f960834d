"""What a login leaves in the vault, and which tokens an account is used with: its or the file's.

The newest word wins: a login replaces tokens that stand in the configuration for as long as those
very tokens stand there. A login made at one server never speaks to another. Must not do I/O: the
vault is handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from bridge.config import BridgeSettings, OAuth1, OAuth2
from bridge.core.model import BridgeName
from bridge.core.secret import Secret


class Shelf(Protocol):
    """The reading half of `bridge.ports.TokenStore`."""

    def load(self, name: str) -> dict[str, str] | None:
        """What was saved under `name`, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """One login. `account` is a handle for people; `scopes` is empty where nobody said.

    `values` are the credentials by their names in the configuration, and what else is worth
    keeping; `instead_of` is the fingerprint of configured ones that this login replaces.
    """

    url: str
    kind: str
    account: str
    scopes: str
    instead_of: str
    values: Mapping[str, str] = field(repr=False)

    def as_saved(self) -> dict[str, str]:
        """The form in which the vault keeps it."""
        facts = {
            "url": self.url,
            "kind": self.kind,
            "account": self.account,
            "scopes": self.scopes,
            "instead_of": self.instead_of,
        }
        return {**{f"value.{name}": value for name, value in self.values.items()}, **facts}


def read_login(saved: Mapping[str, str] | None) -> Login | None:
    """The login that was saved; None where there is none."""
    if not saved:
        return None
    values = {
        name.removeprefix("value."): value
        for name, value in saved.items()
        if name.startswith("value.")
    }
    facts = {name: saved.get(name, "") for name in ("url", "kind", "account", "scopes")}
    return Login(**facts, instead_of=saved.get("instead_of", ""), values=values)


def mastodon_name(bridge: BridgeName) -> str:
    """Under which name the vault keeps the Mastodon login of a bridge."""
    return f"{bridge}-mastodon.login"


def x_name(bridge: BridgeName) -> str:
    """Under which name the vault keeps the X login of a bridge.

    Tokens that were renewed since stand apart, so that a login and a daemon never write the same
    file: they count only while they descend from it.
    """
    return f"{bridge}-x.login"


def renewed_name(bridge: BridgeName) -> str:
    """Under which name the vault holds X's tokens as they were renewed last."""
    return f"{bridge}-x"


def fingerprint(given: Secret | OAuth1 | OAuth2 | None) -> str:
    """Tells configured tokens apart without giving them away; empty where there are none."""
    if isinstance(given, OAuth2):
        given = given.refresh_token or given.access_token
    elif isinstance(given, OAuth1):
        given = given.access_token
    return hashlib.sha256(given.reveal().encode()).hexdigest() if given else ""


def with_logins(bridge: BridgeSettings, shelf: Shelf) -> BridgeSettings:
    """The bridge with the credentials to use; those that nobody has given stay None.

    Raises `ConfigError` where the vault cannot be trusted.
    """
    mastodon, x = bridge.mastodon, bridge.x
    login = read_login(shelf.load(mastodon_name(bridge.name)))
    if login and _wins(login, mastodon.url, fingerprint(mastodon.access_token)):
        bridge = using(bridge, login, "mastodon")
    login = read_login(shelf.load(x_name(bridge.name)))
    if login and _wins(login, x.url, fingerprint(x.credentials)):
        bridge = using(bridge, login, "x")
    return bridge


def using(bridge: BridgeSettings, login: Login, network: str) -> BridgeSettings:
    """The bridge with the credentials of `login` on ``mastodon`` or ``x``."""
    if network == "mastodon":
        token = Secret(login.values["access_token"])
        return replace(bridge, mastodon=replace(bridge.mastodon, access_token=token))
    return replace(bridge, x=replace(bridge.x, credentials=_credentials(login)))


def lacking(bridge: BridgeSettings) -> Iterator[str]:
    """The networks (``mastodon``, ``x``) on which nobody is signed in."""
    if bridge.mastodon.access_token is None:
        yield "mastodon"
    given = bridge.x.credentials
    if given is None or given.access_token is None:
        yield "x"


def pair_of(bridge: BridgeSettings, shelf: Shelf) -> tuple[str, ...] | None:
    """Which two accounts a bridge joins, as far as logins tell; None where they do not."""
    sides = ((mastodon_name, bridge.mastodon.url), (x_name, bridge.x.url))
    logins = [read_login(shelf.load(name(bridge.name))) for name, _ in sides]
    told = [
        (login.url, login.account.lower())
        for login, (_, url) in zip(logins, sides, strict=True)
        if login is not None and login.account and login.url == url
    ]
    return tuple(each for one in told for each in one) if len(told) == len(sides) else None


def secrets_in(shelf: Shelf, bridge: BridgeName) -> Iterator[Secret]:
    """Every secret that the vault holds for a bridge, renewed tokens included."""
    for name in (mastodon_name(bridge), x_name(bridge)):
        login = read_login(shelf.load(name))
        if login is not None:
            yield from map(Secret, login.values.values())
    renewed = shelf.load(renewed_name(bridge)) or {}
    for name in ("access", "refresh", "previous"):
        if renewed.get(name):
            yield Secret(renewed[name])


def _wins(login: Login, url: str, configured: str) -> bool:
    """Whether a login is to be used at `url`, where tokens of that fingerprint are configured."""
    return login.url == url and configured in {"", login.instead_of}


def _credentials(login: Login) -> OAuth1 | OAuth2:
    kind = OAuth1 if login.kind == "oauth1" else OAuth2
    names = set(kind.__slots__)
    return kind(**{name: Secret(v) for name, v in login.values.items() if name in names and v})
