"""HTTP sessions as this bridge wants them: bounded in time and size, without cookies, silent.

Must not know any network, nor hold credentials: those travel with each request.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp

from bridge.core.errors import ConfigError
from bridge.net.proxies import proxies
from bridge.net.tracing import Seen, tracing

_CONNECTIONS = 16
_CONNECTIONS_PER_HOST = 8


class BodyTooLarge(Exception):
    """An answer was longer than its reader allows; the rest of it was never read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the answer is longer than {limit} bytes")
        self.limit = limit


class ConnectionLost(aiohttp.ClientConnectionError):
    """The connection broke after it was made: whether the request was carried out is not known."""


async def _never_repeat(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET again by itself when its connection breaks.

    Reads may be billed, and an OAuth 1.0a signature is refused when it comes a second time.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        words = getattr(error, "strerror", None) or type(error).__name__
        raise ConnectionLost(words) from error


def trusting(*ca_files: Path | None) -> ssl.SSLContext:
    """What TLS trusts: the system's certificates and those in `ca_files` (PEM), None for none.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's. Raises `ConfigError`.
    """
    context = ssl.create_default_context()
    for ca_file in filter(None, ca_files):
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            # An SSLError is an OSError, too: a file without a certificate in it.
            why = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigError(f"{ca_file} {why}; certificates are expected there (PEM)") from None
    return context


def open_session(
    *,
    user_agent: str,
    tls: ssl.SSLContext | None = None,
    connect_timeout: float = 10,
    read_timeout: float = 30,
    total: float = 60,
    seen: Seen | None = None,
) -> aiohttp.ClientSession:
    """A session for one network; the caller closes it. Times in seconds.

    `tls` is what `trusting` gave, None for what the system trusts.

    `seen` hears of every request as it ends; without it, nothing is traced.

    `read_timeout` bounds each silence, `total` a whole exchange; long-lived streams pass their own
    `timeout`. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`, ...). Cookies are
    neither kept nor sent. A request is sent once: a connection that breaks is `ConnectionLost` or
    another `aiohttp.ClientError`. Must be called where a loop runs. Raises `ConfigError` for a
    proxy that cannot be used.

    aiohttp follows redirects unless a request says otherwise: every request that carries
    credentials must pass ``allow_redirects=False``.
    """
    proxies()
    connector = aiohttp.TCPConnector(
        ssl=tls or True,
        limit=_CONNECTIONS,
        limit_per_host=_CONNECTIONS_PER_HOST,
        # A kept connection may die in the very moment a post is written to it, and then nobody
        # knows whether the post was made. Polls are minutes apart: there is nothing to be gained.
        force_close=True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        middlewares=(_never_repeat,),
        trace_configs=None if seen is None else [tracing(seen)],
        timeout=aiohttp.ClientTimeout(
            total=total,
            connect=connect_timeout,
            sock_connect=connect_timeout,
            sock_read=read_timeout,
        ),
        trust_env=True,
    )


async def read_capped(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The decompressed body of `response`, at most `limit` bytes long.

    Raises `BodyTooLarge`, with the connection closed, for a longer one; and whatever aiohttp
    raises for a body that breaks off. aiohttp unpacks piece by piece as it is read, so that a
    decompression bomb is cut off at the limit too, within one piece (some hundred KiB).
    """
    if response.content_length is not None and response.content_length > limit:
        response.close()
        raise BodyTooLarge(limit)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            response.close()
            raise BodyTooLarge(limit)
    return bytes(body)
