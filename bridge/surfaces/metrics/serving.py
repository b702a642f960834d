"""The address that Prometheus asks: ``/metrics``, and nothing else.

Takes requests by IP address, as localhost, or by a name that is configured: a page in a browser
cannot read it through a name that it points here. Must not know what is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bridge.config.surface_settings import MetricsSettings

log = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds for one answer."""

_CLOSING = 0.5

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

    app = web.Application(client_max_size=1024)
    app.add_routes([web.get("/metrics", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSING)
    await runner.setup()
    try:
        where: tuple[str, int] | None = None
        site = web.TCPSite(runner, settings.listen.host, settings.listen.port)
        try:
            await site.start()
        except OSError as error:
            place = f"{settings.listen.host}:{settings.listen.port}"
            log.error("no metrics: %s cannot be listened on: %s", place, error.strerror)  # noqa: TRY400
        else:
            where = runner.addresses[0][:2]
            log.info("metrics are served on %s:%d", *where)
        yield where
    finally:
        await runner.cleanup()


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
