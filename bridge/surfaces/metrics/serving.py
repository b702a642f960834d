"""The address that Prometheus asks: ``/metrics``, and nothing else.

Takes requests by IP address, as localhost, or by a name that is configured: a page in a browser
cannot read it through a name that it points here. Must not know what is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bridge.config.surface_settings import MetricsSettings
from bridge.net.listener import Limits
from bridge.net.serving import serving as within_limits

log = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds for one answer."""

_CLOSING = 0.5
_LIMITS = Limits(connections=32, per_client=16)

Page = Callable[[], Awaitable[bytes]]


@asynccontextmanager
async def serving(
    settings: MetricsSettings, page: Page, content_type: str
) -> AsyncIterator[tuple[str, int] | None]:
    """Serve `page` inside the block; the value is where, None where the address cannot be had.

    That is logged, and the daemon goes on without: it is a comfort.
    """

    async def answer(request: web.Request) -> web.Response:
        if not is_allowed(request.host, settings.hosts):
            text = "Ask by IP address, or name this host in metrics.hosts.\n"
            raise web.HTTPForbidden(text=text)
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await page()
        except TimeoutError:
            raise web.HTTPServiceUnavailable(text="The ledger does not answer.\n") from None
        return web.Response(
            body=body,
            headers={
                "Content-Type": content_type,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    app = web.Application()
    app.add_routes([web.get("/metrics", answer)])
    async with AsyncExitStack() as stack:
        where: tuple[str, int] | None = None
        host, port = settings.listen.host, settings.listen.port
        try:
            where = await stack.enter_async_context(
                within_limits(app, host, port, _LIMITS, grace=_CLOSING)
            )
        except OSError as error:
            log.error("no metrics: %s:%d cannot be listened on: %s", host, port, error.strerror)  # noqa: TRY400
        else:
            log.info("metrics are served on %s:%d", *where)
        yield where


def is_allowed(host: str, names: frozenset[str]) -> bool:
    """Whether a request that was sent to `host` may be answered. An IP address cannot be faked."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower()
        if name == "localhost" or name in names:
            return True
        ip_address(name)
    except ValueError:
        return False
    return True
