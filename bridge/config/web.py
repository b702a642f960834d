"""The keys of the web page, what they mean together, and what is refused.

A page that others on the network could open is never open to all of them: without a password, and
the names by which it may be called, the configuration itself is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

from bridge.config.declared import Key, Section, switch
from bridge.config.document import Mapping, Node
from bridge.config.read import Reader, Values
from bridge.core.secret import Secret

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
_HIGHEST_PORT = 65535
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server listens; `host` is an address or ``localhost``."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach it."""
        return self.host == "localhost" or ip_address(self.host).is_loopback

    @property
    def is_everywhere(self) -> bool:
        """Whether it stands for every address of the machine."""
        return self.host != "localhost" and ip_address(self.host).is_unspecified

    def meets(self, other: Listen) -> bool:
        """Whether two servers, one at each, would be in each other's way."""
        if not self.port or self.port != other.port:
            return False
        pairs = ((one, another) for one in self._addresses for another in other._addresses)
        return any(
            one.version == another.version
            and (one == another or one.is_unspecified or another.is_unspecified)
            for one, another in pairs
        )

    @property
    def _addresses(self) -> list[IPv4Address | IPv6Address]:
        hosts = ("127.0.0.1", "::1") if self.host == "localhost" else (self.host,)
        return [ip_address(host) for host in hosts]


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The web page: whether it is served, where, and to whom. `hosts` are names without a port."""

    enabled: bool = False
    listen: Listen = Listen("127.0.0.1", 8430)
    hosts: tuple[str, ...] = ()
    password: Secret | None = None
    behind_tls: bool = False
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()


def listen(text: str) -> Listen:
    """``127.0.0.1:8430``, ``[::1]:8430``, ``localhost:8430``."""
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    try:
        if bare != "localhost":
            ip_address(bare)
        number = int(port) if port.isascii() and port.isdigit() else -1
    except ValueError:
        number = -1
    if not colon or not 0 <= number <= _HIGHEST_PORT or (":" in bare) is not host.startswith("["):
        raise ValueError("expected an address and a port such as 127.0.0.1:8430 or [::1]:8430")
    return Listen(bare, number)


def host(text: str) -> str:
    """A name or an address by which a browser calls the page, without scheme or port."""
    lowered = text.lower()
    try:
        return str(ip_address(lowered.removeprefix("[").removesuffix("]")))
    except ValueError:
        if not _HOST.fullmatch(lowered):
            raise ValueError("expected a name such as bridge.example, without a port") from None
        return lowered


def proxy(text: str) -> IPv4Network | IPv6Network:
    """The address of a proxy, or a network that it belongs to."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("expected an address or a network such as 172.18.0.0/16") from None
    if not found.prefixlen:
        raise ValueError("every address is in that network, so that anybody would be believed")
    return found


def password(text: str) -> str:
    """Words or signs on one line, long enough not to be guessed."""
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD or not text.isprintable():
        raise ValueError(
            f"expected {SHORTEST_PASSWORD} characters or more on one line; a few words will do"
        )
    return text


WEB = Section(
    "web",
    "A page to see how all is, and to mend what needs its owner. It needs the extra `web` of the "
    "package.",
    (
        switch("enabled", "Whether it is served.", default=False),
        Key(
            "listen",
            "Address and port. Any but this machine's own (127.0.0.1, [::1]) takes a password.",
            listen,
            default="127.0.0.1:8430",
        ),
        Key(
            "hosts",
            "Further names by which browsers may call it, such as that of a proxy in front of it; "
            "this machine's own names always may.",
            host,
            default="[]",
            many=True,
            may_be_empty=True,
        ),
        Key(
            "password",
            f"Asked for before anything is shown: {SHORTEST_PASSWORD} characters or more. Without "
            "one, everybody who uses this machine can open the page.",
            password,
            secret=True,
        ),
        switch(
            "behind_tls",
            "Whether browsers reach it by https, through a proxy: then nothing is sent without.",
            default=False,
        ),
        Key(
            "trusted_proxies",
            "Addresses or networks of proxies whose `X-Forwarded-For` header is believed, so that "
            "limits on connections and wrong passwords apply to each client behind them. From "
            "anywhere else the header is ignored.",
            proxy,
            default="[]",
            many=True,
            may_be_empty=True,
        ),
    ),
)


def web_of(reader: Reader, root: Node, given: Values | None) -> WebSettings:
    """The settings of the page; faults are noted at the line of its section."""
    if not given:
        return WebSettings()
    # The declaration above has checked the types of everything taken out here.
    found: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if "hosts" in found:
        found["hosts"] = tuple(found["hosts"])
    if "trusted_proxies" in found:
        found["trusted_proxies"] = tuple(found["trusted_proxies"])
    if "password" in found:
        found["password"] = Secret(found["password"])
    made = WebSettings(**found)
    line = root.lines.get("web", root.line) if isinstance(root, Mapping) else root.line
    if made.enabled:
        _check(reader, line, made)
    return made


def _check(reader: Reader, line: int, made: WebSettings) -> None:
    if made.listen.is_loopback and not made.behind_tls:
        return
    # A proxy in front of it brings the world to this machine's own address.
    if made.password is None:
        reader.fault(
            line, "web", "whoever can reach this page could steer the bridge: give it a password"
        )
    if not made.hosts and (made.listen.is_everywhere or made.behind_tls):
        reader.fault(line, "web.hosts", "name the hosts by which browsers will call the page")
