"""Serving an HTTP application within limits: the listener's, and those of each request.

A request has a time in which it has to be answered; bodies are read by `bridge.net.bodies` alone.
Must not know what is served.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bridge.net.listener import Connection, Limits, accepting, bound

log = logging.getLogger(__name__)


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a line of aiohttp is about more than what a client has written wrongly."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


log.addFilter(_is_our_fault)
_TIMEOUT: Final = web.RequestKey("timeout", asyncio.Timeout)


@asynccontextmanager
async def serving(
    app: web.Application, host: str, port: int, limits: Limits, *, grace: float
) -> AsyncIterator[tuple[str, int]]:
    """Serve `app` inside the block; gives the address and port that it is served on.

    Requests under way have `grace` seconds at the end. Raises `OSError` where the address is taken.
    """
    app.middlewares.insert(0, _bounded)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=log,
        shutdown_timeout=grace,
        keepalive_timeout=limits.idle,
        lingering_time=limits.body,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        sockets = await bound(host, port)
        assert runner.server is not None  # noqa: S101 - it is set up
        address: tuple[str, int] = sockets[0].getsockname()[:2]
        async with accepting(sockets, runner.server, limits):
            yield address
    finally:
        await runner.cleanup()


@web.middleware
async def _bounded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    connection = _connection(request)
    if connection is None:
        return await handler(request)
    connection.serve()
    try:
        async with asyncio.timeout(connection.limits.answer) as timeout:
            request[_TIMEOUT] = timeout
            return await handler(request)
    except TimeoutError:
        return web.Response(status=503, text="There was no answer in time. Try again.\n")
    finally:
        # The answer has to be taken, and the next request to come, within that time.
        connection.wait(connection.limits.idle)


def lift_time_limit(request: web.Request) -> None:
    """Let `request` be answered for as long as it takes: a stream, which bounds itself."""
    timeout = request.get(_TIMEOUT)
    if timeout is not None:
        timeout.reschedule(None)


@contextmanager
def client_has_to_act(request: web.Request) -> Iterator[None]:
    """Close the connection where the block takes too long: it waits for the client's bytes."""
    connection = _connection(request)
    if connection is None:
        yield
        return
    connection.wait(connection.limits.body)
    try:
        yield
    finally:
        connection.serve()


def _connection(request: web.Request) -> Connection | None:
    """None where the client has left already."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    return protocol if isinstance(protocol, Connection) else None
