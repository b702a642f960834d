"""GET from hosts that nobody vouches for: public addresses, https, a few redirects, no secrets.

Must not know what is fetched, and never holds a credential, a cookie or a referrer.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bridge.net.guard import AddressRefused, Judge, Trusted, guarded_connector, refusal

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
    rules, the names and the authorities of the internet. Must be made where a loop runs.
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
        self._trusted = trusted
        self._tls: ssl.SSLContext | bool = tls or True
        self._ours = resolver is None
        self._resolver = resolver or aiohttp.DefaultResolver()
        timeout = aiohttp.ClientTimeout(
            total=None,
            # Names included, which have no bound of their own.
            connect=2 * connect_timeout,
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
        session = self._open if trusted else self._guarded
        try:
            return await session.get(url, allow_redirects=False, ssl=self._tls)
        except aiohttp.InvalidURL:
            raise _unreadable() from None
        except aiohttp.ClientConnectorCertificateError:
            raise NotVisited("has no valid certificate", host=_host(url)) from None
        except aiohttp.ClientConnectorError as error:
            refused = error.os_error
            if isinstance(refused, AddressRefused):
                raise NotVisited(
                    f"has an address that is not of the public internet ({refused.why})",
                    host=_host(url),
                    lasting=True,
                ) from None
            raise NotVisited("cannot be reached", host=_host(url)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = "did not answer in time" if isinstance(error, TimeoutError) else "broke off"
            raise NotVisited(why, host=_host(url)) from None


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
