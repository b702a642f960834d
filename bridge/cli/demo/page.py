"""The demo's page: one HTML document, one style sheet, one script, and a stream of snapshots.

Serves this machine only, and pages that it served itself: foreign hosts and foreign origins are
turned away before anything else. Must not write anything but what its own form posts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bridge.cli.demo.snapshot import snapshot
from bridge.cli.demo.stage import Stage
from bridge.core.events import Event
from bridge.core.model import Network
from bridge.engine.control import Control

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_MAX_BODY = 256 * 1024
_SETTLE = 0.05
"""Seconds in which changes are gathered before they are shown."""


class Page:
    """The page's application, `app`. Give it the bridge's control before it is served."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._control: Control | None = None
        self._changed = asyncio.Condition()
        self._version = 0
        self._pending: asyncio.Task[None] | None = None
        self.app = web.Application(client_max_size=_MAX_BODY, middlewares=[_only_own_pages])
        self.app.add_routes(
            [
                web.get("/", self._document),
                web.get("/static/{name}", self._static),
                web.get("/events", self._events),
                web.post("/posts", self._post),
            ]
        )
        stage.mastodon.subscribe(lambda _: self._touch())
        stage.x.subscribe(lambda _: self._touch())

    def ask(self, control: Control) -> None:
        """Whom to ask about what the bridge did."""
        self._control = control

    def hear(self, _: Event) -> None:
        """A listener: whatever happened, the page may look different now."""
        self._touch()

    def _touch(self) -> None:
        if self._pending is None or self._pending.done():
            self._pending = asyncio.get_running_loop().create_task(self._announce())

    async def _announce(self) -> None:
        await asyncio.sleep(_SETTLE)
        # Done before the snapshot is taken, so that a change during it is announced again.
        self._pending = None
        async with self._changed:
            self._version += 1
            self._changed.notify_all()

    async def _document(self, _: web.Request) -> web.Response:
        return _file("page.html")

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in {"page.css", "page.js"}:
            return _file(name)
        if name in {"tokens.css", "post.css"}:
            # What a post looks like is the same here as on the bridge's own page.
            return _file(name, "bridge.surfaces.web")
        raise web.HTTPNotFound(text="There is no such file here.")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the whole picture at once, then again after every change."""
        response = web.StreamResponse(headers=_HEADERS | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        shown = -1
        try:
            while True:
                async with self._changed:
                    while shown == self._version:
                        await self._changed.wait()
                    shown = self._version
                await response.write(f"data: {json.dumps(await self._picture())}\n\n".encode())
        except ConnectionResetError:
            return response

    async def _picture(self) -> dict[str, object]:
        records = await self._control.history(limit=60) if self._control else ()
        return snapshot(self._stage, records)

    async def _post(self, request: web.Request) -> web.Response:
        """Publish what was written on the page, as the owner of the account."""
        try:
            body = await request.json()
            network = Network(body["network"])
            text, visibility = str(body["text"]), str(body.get("visibility") or "public")
            warning = str(body.get("spoiler_text") or "")
        except (ValueError, KeyError, TypeError):
            return _problem("Not published: the page sent something that is no post. Reload it.")
        if not text.strip():
            return _problem("Not published: there is no text in it.")
        try:
            self._stage.write(network, text, visibility=visibility, warning=warning)
        except ValueError as error:
            return _problem(f"Not published: {error}.")
        return web.json_response({}, status=201, headers=_HEADERS)


def _file(name: str, package: str = "bridge.cli.demo") -> web.Response:
    text = (files(package) / "static" / name).read_text(encoding="utf-8")
    return web.Response(
        text=text, content_type=_TYPES[name.rsplit(".", 1)[1]], charset="utf-8", headers=_HEADERS
    )


def _problem(sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=422, headers=_HEADERS)


@web.middleware
async def _only_own_pages(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn away names that were pointed at this machine, and requests that other pages cause."""
    if not _is_this_machine(f"//{request.host}"):
        raise web.HTTPForbidden(text="This page is for this machine; open it by 127.0.0.1.")
    if request.method != "GET":
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin != f"http://{request.host}"
        if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden(text="Only this page's own form may write here.")
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="Expected JSON.")
    return await handler(request)


def _is_this_machine(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
