"""A page on this machine to which a browser is sent back after the owner has agreed.

Listens on the loopback interface only, for one answer, and takes it only with the right state. Must
not know which network sends the browser, and never shows what it was given.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bridge.core.errors import ConfigError, Unauthorised
from bridge.net.listener import Limits
from bridge.net.serving import serving
from bridge.signin.redirect import NotOurs, code_in

HOST = "127.0.0.1"
PATH = "/callback"
_GRACE = 0.5
_LIMITS = Limits(connections=16, per_client=16)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>twinpost</title></head>
<body><h1>{title}</h1><p>{words}</p></body></html>
"""
_DONE = ("The answer has arrived", "The terminal says how it went. This page can be closed.")
_DENIED = ("Nothing was changed", "The network refused. The terminal says more.")
_FOREIGN = (
    "Not used",
    "This answer does not belong to the sign-in under way. Use the terminal's newest address.",
)


@dataclass(frozen=True, slots=True)
class Loopback:
    """`address` is where the browser is to be sent; `code` is what it brings."""

    address: str
    code: asyncio.Future[str]


@asynccontextmanager
async def listening(state: str, port: int = 0) -> AsyncIterator[Loopback]:
    """Listen while the context lasts; port 0 takes any free one.

    `code` fails with `Unauthorised` where the owner or the network refused. Raises `ConfigError`
    where the port is taken.
    """
    code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    own: set[str] = set()

    async def answer(request: web.Request) -> web.Response:
        if request.host not in own:
            return _page(403, _FOREIGN)
        try:
            brought = code_in(dict(request.query), state)
        except NotOurs:
            return _page(400, _FOREIGN)
        except Unauthorised as error:
            if not code.done():
                code.set_exception(error)
            return _page(200, _DENIED)
        if not code.done():
            code.set_result(brought)
        return _page(200, _DONE)

    app = web.Application()
    app.router.add_get(PATH, answer, allow_head=False)
    async with AsyncExitStack() as stack:
        try:
            _, bound = await stack.enter_async_context(
                serving(app, HOST, port, _LIMITS, grace=_GRACE)
            )
        except OSError as error:
            raise ConfigError(
                f"port {port} on this machine is taken ({error.strerror}); choose another with "
                "--port (on X it must then stand in the app's callback addresses, too)"
            ) from None
        own |= {f"{HOST}:{bound}", f"localhost:{bound}"}
        try:
            yield Loopback(f"http://{HOST}:{bound}{PATH}", code)
        finally:
            if code.done() and not code.cancelled():
                # Seen, so that nobody complains about a refusal that came when nobody waited more.
                code.exception()


def _page(status: int, words: tuple[str, str]) -> web.Response:
    page = _PAGE.format(title=words[0], words=words[1])
    return web.Response(status=status, text=page, content_type="text/html", headers=_HEADERS)
