"""The application: every address of the page, and how it is served while a daemon runs.

Imported only where the page is switched on. A page that cannot be served is logged, and the bridge
goes on without: it is there to mirror.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bridge.config.web import WebSettings
from bridge.core.events import Event
from bridge.net.listener import Limits
from bridge.net.serving import serving
from bridge.surfaces.web import statics
from bridge.surfaces.web.acting import Acting, own_path
from bridge.surfaces.web.auth import Patience, Sessions
from bridge.surfaces.web.guard import PROBES, SAFE, Guard, Handler
from bridge.surfaces.web.health import Health
from bridge.surfaces.web.live import Live, stream
from bridge.surfaces.web.pages import Pages
from bridge.surfaces.web.previewing import Previewing
from bridge.surfaces.web.site import SEEN, Bridge, Site

log = logging.getLogger(__name__)

LONGEST_ANSWER: Final = 75.0
"""Seconds; a preview may have to read a post from a network, which takes a minute at most."""

LAST_WORDS: Final = 1.0
"""Seconds that answers under way are given when the daemon ends."""

_OPEN: Final = frozenset({"/login", "/language", *PROBES})


class WebPage:
    """The page of one daemon: give it to the daemon as a listener, then serve it."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._live = Live()
        self._site: Site | None = None
        self.address: str | None = None
        """Where it is served, None while it is not."""

    def hear(self, event: Event) -> None:
        """A listener of the daemon."""
        self._live.hear(event)

    def alive(self) -> None:
        """Called with every proof that the daemon's loop turns."""
        if self._site is not None:
            self._site.alive_at = self._site.bridge.clock.monotonic()

    @asynccontextmanager
    async def served(self, bridge: Bridge) -> AsyncIterator[None]:
        """Serve it inside the block, at `address` where it can be."""
        monotonic = bridge.clock.monotonic
        password = self._settings.password
        site = self._site = Site(
            settings=self._settings,
            bridge=bridge,
            live=self._live,
            sessions=Sessions(password.reveal() if password else None, monotonic),
            patience=Patience(monotonic),
            alive_at=monotonic(),
        )
        async with AsyncExitStack() as stack:
            self.address = await self._listen(application(site), stack)
            stack.callback(self._live.close)
            try:
                yield
            finally:
                self.address = None

    async def _listen(self, app: web.Application, stack: AsyncExitStack) -> str | None:
        listen = self._settings.listen
        limits = Limits(answer=LONGEST_ANSWER, trusted=self._settings.trusted_proxies)
        try:
            host, port = await stack.enter_async_context(
                serving(app, listen.host, listen.port, limits, grace=LAST_WORDS)
            )
        except OSError as error:
            log.error(  # noqa: TRY400 - the sentence says all that there is to know
                "no web page: %s:%d cannot be listened on (%s); the bridge goes on without. "
                "Choose another with web.listen",
                listen.host,
                listen.port,
                error.strerror,
            )
            return None
        shown = f"[{host}]" if ":" in host else host
        log.info("the web page is at http://%s:%d/", shown, port)
        return f"http://{shown}:{port}"


class Door:
    """Between the guard and the pages: who has signed in, and what belongs to no single page."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def trouble(self, request: web.Request, status: int, key: str) -> web.Response:
        """A page that says what went wrong and what to do."""
        return self._site.page(
            request,
            "error.html",
            {"key": key, "status": status},
            status=status,
            turned_away=key in {"host", "foreign"},
        )

    @web.middleware
    async def known(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Show nothing to whoever has not signed in."""
        request[SEEN] = self._site.live.version
        is_open = request.path in _OPEN or request.path.startswith("/static/")
        if is_open or self._site.session(request) is not None:
            return await handler(request)
        if request.method not in SAFE or request.path == "/events":
            raise web.HTTPForbidden
        goal = urlencode({"back": request.path_qs})
        return web.Response(status=303, headers={"Location": f"/login?{goal}"})

    async def login(self, request: web.Request) -> web.Response:
        """Where the password is asked for."""
        if self._site.session(request) is not None:
            return web.Response(status=303, headers={"Location": "/"})
        goal = own_path(request.query.get("back", "/"))
        return self._site.page(request, "login.html", {"wrong": False, "wait": 0, "goal": goal})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What happens, until the session of whoever listens is over."""

        def known() -> bool:
            return self._site.session(request) is not None

        return await stream(request, self._site.live, known, self._site.client(request).key)

    async def close(self, _: web.Application) -> None:
        """End what would otherwise go on until its readers leave."""
        self._site.live.close()


def application(site: Site) -> web.Application:
    """Every address there is, behind the guard."""
    door, pages, acting = Door(site), Pages(site), Acting(site)
    previewing, health = Previewing(site), Health(site)
    guard = Guard(site.settings, door.trouble)
    app = web.Application(middlewares=[guard.through, door.known])
    app.on_shutdown.append(door.close)
    app.add_routes(
        [
            web.get("/", pages.overview),
            web.get("/posts", pages.posts),
            web.get("/post", pages.post),
            web.get("/preview", previewing.page),
            web.post("/preview", previewing.preview),
            web.post("/do", acting.do),
            web.get("/login", door.login),
            web.post("/login", acting.sign_in),
            web.post("/logout", acting.sign_out),
            web.post("/language", acting.speak),
            web.get("/events", door.events),
            web.get("/healthz", health.lives),
            web.get("/readyz", health.ready),
            web.get("/static/{name}", statics.serve),
        ]
    )
    return app
