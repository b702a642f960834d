"""The proxies that the environment names, and whether they can be used at all.

The libraries that ask the networks do not agree on an odd one: it is passed over, used for half of
what is asked, or ends in an exception with its password in the words. So it is refused before
anything is asked. Must not show more of a proxy than its host and port.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from bridge.core.errors import ConfigError
from bridge.core.secret import Secret

_SCHEMES = ("http", "https", "ws", "wss")
"""What may be asked through a proxy; every session reads them all, whatever it asks."""

_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is. `address` is the whole of it, with the password that may be in it."""

    host: str
    port: int
    address: Secret

    def __str__(self) -> str:
        """``proxy.example:3128``, ``[::1]:3128``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def proxy_for(url: str) -> Proxy | None:
    """The proxy by which `url` is asked, None where it is asked directly. Raises `ConfigError`."""
    named, parts = proxies(), urlsplit(url)
    host = parts.hostname or ""
    return None if not host or proxy_bypass(host) else named.get(parts.scheme)


def proxies() -> dict[str, Proxy]:
    """All that the environment names, by the scheme of what is asked through them.

    Raises `ConfigError`, naming the variable, for one that could not be used for everything.
    """
    given = getproxies()
    if "all" in given and "https" not in given:
        raise ConfigError(
            "ALL_PROXY would be used for half of what is asked; set HTTPS_PROXY, and HTTP_PROXY "
            "where it is needed, instead"
        )
    return {scheme: _read(scheme, given[scheme]) for scheme in _SCHEMES if scheme in given}


def _read(scheme: str, given: str) -> Proxy:
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port or _HTTP_PORT
    except ValueError:
        host, port = None, 0
    else:
        # Others are passed over by one library and taken by another.
        host = host if parts.scheme == "http" else None
    if not host:
        raise ConfigError(
            f"{scheme.upper()}_PROXY cannot be used: expected http://HOST:PORT or "
            "http://NAME:PASSWORD@HOST:PORT, with signs such as / : @ # of a password written as "
            "%2F %3A %40 %23"
        )
    return Proxy(host, port, Secret(given))
