"""Serving a sandbox application on a socket, and stopping it at once.

Must not know which network the application stands for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_GRACE_SECONDS = 0.1
"""How long a request under way may go on after the end; hanging ones and streams use all of it."""


@asynccontextmanager
async def serve(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `app` while the context lasts; gives the base URL, without a slash at its end.

    Port 0 takes any free one. Leaving takes less than a second: requests that hang and streams
    that stand open are cut off. Raises `OSError` where the address cannot be had.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound: tuple[object, ...] = runner.addresses[0]
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{bound[1]}"
    finally:
        await runner.cleanup()
