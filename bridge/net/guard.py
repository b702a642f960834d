"""Which addresses of the internet may be connected to, judged on the very address of a connection.

Names are never judged: what a name means can change between a check and a connection. Hosts that
the owner configured are trusted by name and do not come here. Must not know what is fetched.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

Judge: TypeAlias = Callable[[str], str | None]
"""Says of a numeric address why it is refused, in a word or two; None where it may be used."""

_V4_REFUSED = tuple(
    (ipaddress.IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
"""IANA's registry of special-purpose addresses. `ipaddress` has it too, but differs by release."""

_V6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_V6_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V6_REFUSED = tuple(
    (ipaddress.IPv6Network(network), why)
    for network, why in (
        ("::1/128", "loopback"),
        ("::/128", "unspecified"),
        ("::ffff:0:0/96", "an IPv4 address in disguise"),
        ("::/96", "an IPv4 address in disguise"),
        ("::ffff:0:0:0/96", "an IPv4 address in disguise"),
        ("64:ff9b:1::/48", "private"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "an IPv4 address in disguise"),
        ("3fff::/20", "for documentation"),
    )
)
_DEFAULT_PORTS = {"https": 443, "http": 80}


class AddressRefused(OSError):
    """A connection was not made, because of the address it would have gone to."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the address is {why}")
        self.why = why


def refusal(address: str) -> str | None:
    """Why `address`, a numeric one, is not of the public internet; None where it is.

    An address that cannot be read is refused. A NAT64 address (RFC 6052) is judged by the IPv4
    address it leads to: on networks without IPv4 of their own, half of the internet has such ones.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "not an address"
    if isinstance(parsed, ipaddress.IPv4Address):
        return next((why for network, why in _V4_REFUSED if parsed in network), None)
    if parsed.scope_id is not None:
        return "link-local"
    if parsed in _V6_NAT64:
        return refusal(str(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)))
    named = next((why for network, why in _V6_REFUSED if parsed in network), None)
    return named or (None if parsed in _V6_GLOBAL else "reserved")


@dataclass(frozen=True, slots=True)
class Trusted:
    """Hosts, each with its port, that the owner has configured: trusted whatever their address."""

    hosts: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, places: Iterable[str]) -> Trusted:
        """From base URLs and from ``host`` or ``host:port``; without a port, 443 and 80 are meant.

        Raises `ValueError` for what is neither.
        """
        hosts: set[tuple[str, int]] = set()
        for place in places:
            url = URL(place if "://" in place else f"//{place}")
            if not url.host:
                raise ValueError("a trusted host is written as host, host:port or a URL")
            ports = {url.port} if url.port is not None else set(_DEFAULT_PORTS.values())
            hosts |= {(_named(url), port) for port in ports}
        return cls(frozenset(hosts))

    def covers(self, url: URL) -> bool:
        """Whether `url` leads to one of these hosts, on its port."""
        return (_named(url), url.port or 0) in self.hosts


def _named(url: URL) -> str:
    return (url.raw_host or "").lower().rstrip(".")


def guarded_connector(
    *, judge: Judge = refusal, resolver: AbstractResolver | None = None, connections: int = 8
) -> aiohttp.TCPConnector:
    """A connector that connects to nothing that `judge` refuses. Must be called where a loop runs.

    Each socket is judged right before it is made, by the address that it is made for: of a name
    with several addresses, those that are refused are passed over. What a name meant is used for
    one connection and not kept. A host that is refused altogether ends in a `ClientConnectorError`
    whose `os_error` is `AddressRefused`.

    A proxy would resolve names by itself, out of reach of this check: a session with this connector
    must not take one from the environment (``trust_env=False``). `Visitor` judges for proxies by
    itself, and hands them the address.
    """

    def opened(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = info
        why = judge(str(target[0]))
        if why is not None:
            raise AddressRefused(why)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        socket_factory=opened,
        force_close=True,
        limit=connections,
    )
