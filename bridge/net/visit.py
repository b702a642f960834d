"""GET from hosts that nobody vouches for: public addresses, https, a few redirects, no secrets.

Must not know what is fetched, and never holds a credential, a cookie or a referrer.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bridge.net.guard import AddressRefused, Judge, Trusted, guarded_connector, refusal
from bridge.net.proxies import Proxy, proxies, proxy_for

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN = re.compile(r"[!-~]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_ADDRESS = 8192
_LONGEST_HOST = 253


class NotVisited(Exception):
    """A file could not be asked for, or was not answered. `str(error)` ends a sentence about it.

    `host` is the one that failed. `lasting` is true where asking again is in vain.
    """

    def __init__(self, what: str, *, host: str = "", lasting: bool = False) -> None:
        super().__init__(what)
        self.host = host
        self.lasting = lasting


class Visitor:
    """Fetches from anywhere on the public internet, and from hosts that are `trusted` by name.

    Times in seconds: `connect_timeout` for a connection, `silence` for each wait for data. There is
    no bound on a whole exchange: the reader sets one. `judge`, `resolver` and `tls` stand for the
    rules, the names and the authorities of the internet. Must be made where a loop runs. Raises
    `ConfigError` for a proxy of the environment that cannot be used.

    A proxy is handed the address of a stranger that was judged here, never a name: what it would
    make of that is out of reach. Hosts that are trusted by name are asked of it by name.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        trusted: Trusted = Trusted(),  # noqa: B008 - frozen
        connect_timeout: float = 10,
        silence: float = 20,
        judge: Judge = refusal,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        proxies()
        self._trusted = trusted
        self._judge = judge
        self._tls: ssl.SSLContext | bool = tls or True
        self._ours = resolver is None
        self._resolver = resolver or aiohttp.DefaultResolver()
        # Names included, which have no bound of their own.
        self._patience = 2 * connect_timeout
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self._patience,
            sock_connect=connect_timeout,
            sock_read=silence,
        )

        def session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
            return aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                # Packed bodies are not asked for, nor unpacked: what arrives is the file.
                headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
                auto_decompress=False,
                timeout=timeout,
                trust_env=False,
            )

        self._guarded = session(guarded_connector(judge=judge, resolver=self._resolver))
        self._open = session(aiohttp.TCPConnector(resolver=self._resolver, force_close=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Idempotent."""
        await self._guarded.close()
        await self._open.close()
        if self._ours:
            await self._resolver.close()

    @asynccontextmanager
    async def get(self, address: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer at `address`, with status 200 and its body unread, after its redirects.

        Raises `NotVisited`; reading the body raises what aiohttp raises.
        """
        response = await self._answer(address)
        try:
            yield response
        finally:
            response.close()

    async def _answer(self, address: str) -> aiohttp.ClientResponse:
        url = _parsed(address)
        trusted = self._trusted.covers(url)
        for _ in range(MOST_REDIRECTS + 1):
            _require_decent(url, trusted=trusted)
            response = await self._asked(url, trusted=trusted)
            if response.status == 200:  # noqa: PLR2004 - OK
                return response
            response.close()
            if response.status not in _REDIRECTS:
                gone = response.status == 410  # noqa: PLR2004 - Gone
                raise NotVisited(
                    f"is not there (HTTP {response.status})", host=_host(url), lasting=gone
                )
            url = _parsed(response.headers.get("Location", ""), base=url)
            # A stranger must not send us to the owner's own machines, so trust is never regained.
            trusted = trusted and self._trusted.covers(url)
        raise NotVisited(
            f"is behind more than {MOST_REDIRECTS} redirects", host=_host(url), lasting=True
        )

    async def _asked(self, url: URL, *, trusted: bool) -> aiohttp.ClientResponse:
        proxy = proxy_for(str(url))
        try:
            if proxy is not None:
                return await self._through(proxy, url, trusted=trusted)
            session = self._open if trusted else self._guarded
            return await session.get(url, allow_redirects=False, ssl=self._tls)
        except aiohttp.ClientHttpProxyError as error:
            why = f"cannot be reached: the proxy answered HTTP {error.status}"
            raise NotVisited(why, host=_host(url)) from None
        except aiohttp.InvalidURL:
            raise _unreadable() from None
        except aiohttp.ClientConnectorCertificateError:
            raise NotVisited("has no valid certificate", host=_host(url)) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise _not_public(url, error.os_error.why) from None
            raise NotVisited("cannot be reached", host=_host(url)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = "did not answer in time" if isinstance(error, TimeoutError) else "broke off"
            raise NotVisited(why, host=_host(url)) from None

    async def _through(self, proxy: Proxy, url: URL, *, trusted: bool) -> aiohttp.ClientResponse:
        """The answer at `url` by way of `proxy`. Raises `NotVisited` and what aiohttp raises."""
        target, name = url, None
        if not trusted:
            target, name = url.with_host(await self._judged(url)), url.raw_host
        return await self._open.get(
            target,
            headers={"Host": url.raw_authority} if name else None,
            server_hostname=name,
            proxy=proxy.address.reveal(),
            allow_redirects=False,
            ssl=self._tls,
        )

    async def _judged(self, url: URL) -> str:
        """An address of the host of `url` that may be connected to. Raises `NotVisited`."""
        verdicts = [(address, self._judge(address)) for address in await self._addresses(url)]
        for address, refused in verdicts:
            if refused is None:
                return address
        raise _not_public(url, next((why for _, why in verdicts if why), "not an address"))

    async def _addresses(self, url: URL) -> list[str]:
        host = url.raw_host or ""
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(self._patience):
                found = await self._resolver.resolve(host, url.port or 0, socket.AF_UNSPEC)
        except TimeoutError:
            raise
        except OSError:
            why = "has a name that is not known here, and a proxy is not asked for strangers"
            raise NotVisited(why, host=_host(url)) from None
        return [each["host"] for each in found]


def _not_public(url: URL, why: str) -> NotVisited:
    what = f"has an address that is not of the public internet ({why})"
    return NotVisited(what, host=_host(url), lasting=True)


def _parsed(address: str, base: URL | None = None) -> URL:
    if not address or len(address) > _LONGEST_ADDRESS:
        raise _unreadable()
    try:
        # What is written properly is sent as it stands: some hosts sign their addresses.
        url = URL(address, encoded=_PLAIN.fullmatch(address) is not None)
        url = base.join(url) if base is not None else url
        # Read only now: what is written properly may still make no sense.
        if not url.host or not url.port:
            raise _unreadable()
    except ValueError:
        raise _unreadable() from None
    return url


def _require_decent(url: URL, *, trusted: bool) -> None:
    host = _host(url)
    if url.scheme != "https" and not (trusted and url.scheme == "http"):
        raise NotVisited("is not offered over https", host=host, lasting=True)
    if url.raw_user is not None or url.raw_password is not None or "@" in url.raw_authority:
        raise NotVisited("has a name or password in its address", host=host, lasting=True)
    labels = (url.raw_host or "").lower().rstrip(".").split(".")
    if ":" not in labels[0] and _NUMBER.fullmatch(labels[-1]) and not _is_dotted(labels):
        raise NotVisited("has an address that is a number in disguise", host=host, lasting=True)


def _is_dotted(labels: list[str]) -> bool:
    """Whether a host is an IPv4 address in its one plain form: octal and short forms are not."""
    return len(labels) == 4 and all(  # noqa: PLR2004 - four bytes
        label.isdecimal() and label == str(int(label)) and int(label) < 256  # noqa: PLR2004 - a byte
        for label in labels
    )


def _host(url: URL) -> str:
    """The host as ASCII, so that it can be shown as what it is, and not too much of it."""
    return (url.raw_host or "?")[:_LONGEST_HOST]


def _unreadable() -> NotVisited:
    return NotVisited("has an address that cannot be read", lasting=True)
