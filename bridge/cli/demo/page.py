"""The demo's page: both timelines and the bridge between them, drawn with its own page's parts.

Serves this machine only, and pages that it served itself: the guard of the bridge's page stands in
front. Must not write anything but what its own form posts.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files

from aiohttp import web

from bridge.cli.demo.shown import shown
from bridge.cli.demo.stage import Stage
from bridge.config.web import WebSettings
from bridge.core.model import Network
from bridge.engine.control import Control
from bridge.net.bodies import json_object
from bridge.net.clients import client_key
from bridge.surfaces.web import statics
from bridge.surfaces.web.catalogues import Catalogue, catalogue, chosen
from bridge.surfaces.web.guard import Guard
from bridge.surfaces.web.live import Live, stream
from bridge.surfaces.web.rendering import Renderer

_OWN = {"demo.css": "text/css", "demo.js": "text/javascript"}
_MAX_BODY = 256 * 1024


class Page:
    """The page's application, `app`; `live.hear` is its listener. Tell it of the bridge first."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._control: Control | None = None
        self._bridges_own: str | None = None
        self._renderer = Renderer("bridge.cli.demo")
        self.live = Live()
        guard = Guard(WebSettings(), _trouble)
        self.app = web.Application(middlewares=[guard.through])
        self.app.on_shutdown.append(self._close)
        self.app.add_routes(
            [
                web.get("/", self._document),
                web.get("/static/{name}", _static),
                web.get("/events", self._events),
                web.post("/posts", self._post),
            ]
        )
        stage.mastodon.subscribe(lambda _: self.live.touch())
        stage.x.subscribe(lambda _: self.live.touch())

    def ask(self, control: Control, bridges_own: str | None) -> None:
        """Whom to ask about what the bridge did, and where its own page is served, if it is."""
        self._control, self._bridges_own = control, bridges_own

    async def _document(self, request: web.Request) -> web.Response:
        # Before anything is read, so that what changes meanwhile is told once more.
        seen = self.live.version
        language = _language(request)
        records = await self._control.history(limit=60) if self._control else ()
        facts = {
            "all": shown(self._stage, records, language),
            "bridges_own": self._bridges_own,
            "networks": Network,
            "seen": seen,
            "known": True,
            "csrf": "",
            "said": None,
        }
        return web.Response(
            body=self._renderer.page("demo.html", language, facts),
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Language": language.code, "Vary": "Accept-Language"},
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await stream(request, self.live, client=client_key(request.remote or ""))

    async def _close(self, _: web.Application) -> None:
        self.live.close()

    async def _post(self, request: web.Request) -> web.Response:
        """Publish what was written on the page, as the owner of the account."""
        language = _language(request)
        try:
            body = await json_object(request, _MAX_BODY)
            network = Network(str(body["network"]))
            text, visibility = str(body["text"]), str(body.get("visibility") or "public")
            warning = str(body.get("spoiler_text") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return _problem(language.say("demo.no-post"))
        if not text.strip():
            return _problem(language.say("demo.no-text"))
        try:
            self._stage.write(network, text, visibility=visibility, warning=warning)
        except ValueError as error:
            return _problem(language.say("demo.refused") + f" {error}.")
        return web.json_response({}, status=201)


async def _static(request: web.Request) -> web.Response:
    """What a post looks like is the same here as on the bridge's own page."""
    name = request.match_info["name"]
    if name not in _OWN:
        return await statics.serve(request)
    text = (files("bridge.cli.demo") / "static" / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=_OWN[name], charset="utf-8")


def _problem(sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=422)


def _trouble(request: web.Request, status: int, key: str) -> web.Response:
    language = _language(request)
    sentences = (language.say(f"error.{key}{more}").unescape() for more in ("", ".do"))
    return web.Response(text=". ".join(sentences), status=status)


def _language(request: web.Request) -> Catalogue:
    return words(chosen(None, request.headers.get("Accept-Language", "")).code)


@cache
def words(code: str) -> Catalogue:
    """The words of the bridge's own page in a language, and those of the demo."""
    folder = files("bridge.cli.demo") / "catalogues"
    own = json.loads((folder / f"{code}.json").read_text(encoding="utf-8"))
    common = catalogue(code)
    return replace(common, texts={**common.texts, **own})
