"""Which client a connection or a request belongs to, as far as limits are concerned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_HOST_BITS: Final = 64
_MOST_HOPS: Final = 16


def client_key(address: str) -> str:
    """One name for all addresses that one client has: its own IPv4 address, its IPv6 /64.

    What is no address is a client of its own.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address) and not parsed.is_loopback:
        return str(IPv6Address(int(parsed) >> _HOST_BITS << _HOST_BITS))
    return address if parsed is None else str(parsed)


def is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether `address` belongs to one of `networks`."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in each for each in networks)


def forwarded_client(
    peer: str, forwarded: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]
) -> str:
    """The address of the client behind the proxies in `trusted`.

    `forwarded` are the X-Forwarded-For headers of a request from `peer`. They are read only where
    `peer` is trusted, from the right, as far as the hops are trusted: whatever is further left was
    written by the client. The last address that is certain counts where one is malformed.
    """
    known = peer
    hops = [hop for line in forwarded for hop in line.split(",")]
    for hop in hops[: -_MOST_HOPS - 1 : -1]:
        if not is_in(known, trusted):
            break
        parsed = _parsed(_without_port(hop.strip()))
        if parsed is None:
            break
        known = str(parsed)
    return known


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    name, colon, _ = hop.partition(":")
    return name if colon and hop.count(":") == 1 else hop
