"""The page on which an account's owner agrees, on servers of several makes, and what follows it.

Written from the documents: RFC 6749, the Mastodon API's, and what was seen of other makes.
"""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.blackbox.fediverse import TOKEN, Server, error


@dataclass
class Consent:
    """How one server lets apps in.

    `known` are the scopes that it knows, None for any; `refuses_at` says where it minds others:
    ``register``, or ``authorize``. `metadata` is its own account of all this, None where it gives
    none. `pkce` says that it wants the proof, `answer` what its answer with the token holds beside.
    """

    server: Server
    known: frozenset[str] | None = None
    refuses_at: str = "authorize"
    metadata: dict[str, Any] | None = None
    pkce: bool = False
    answer: dict[str, Any] = field(default_factory=dict)
    apps: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def on(self, app: web.Application) -> web.Application:
        """`app` with the routes for it before all others."""
        whole = web.Application()
        whole.router.add_get("/.well-known/oauth-authorization-server", self._metadata)
        whole.router.add_post("/api/v1/apps", self._register)
        whole.router.add_get("/oauth/authorize", self._authorize)
        whole.router.add_post("/oauth/token", self._token)
        whole.add_subapp("/api/", self._below(app))
        return whole

    @staticmethod
    def _below(app: web.Application) -> web.Application:
        below = web.Application(middlewares=list(app.middlewares))
        for route in app.router.routes():
            place = route.resource.canonical if route.resource else ""
            if place.startswith("/api/") and route.method != "HEAD":
                below.router.add_route(route.method, place.removeprefix("/api"), route.handler)
        return below

    async def _metadata(self, request: web.Request) -> web.Response:
        if self.metadata is None:
            return web.Response(status=404, text="<html>not here</html>", content_type="text/html")
        base = f"{request.scheme}://{request.host}"
        return web.json_response(json.loads(json.dumps(self.metadata).replace("BASE", base)))

    def _minds(self, scopes: str) -> bool:
        return self.known is not None and not set(scopes.split()) <= self.known

    async def _register(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self.refuses_at == "register" and self._minds(form["scopes"]):
            return error(422, "Validation failed: Scopes doesn't match configured on the server.")
        client_id = secrets.token_hex(8)
        self.apps[client_id] = form | {"secret": secrets.token_hex(8)}
        told = {"client_id": client_id, "client_secret": self.apps[client_id]["secret"]}
        return web.json_response({"id": 7, "name": form["client_name"], "vapid_key": None} | told)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = request.query
        app = self.apps[query["client_id"]]
        self.asked.append(query["scope"])
        assert query["redirect_uri"] == app["redirect_uris"]
        back = {"state": query["state"]}
        if self._minds(query["scope"]):
            back |= {"error": "invalid_scope", "hint": "Check the `read:accounts` scope"}
        else:
            code = secrets.token_hex(8)
            self.codes[code] = {"challenge": query.get("code_challenge", ""), **app}
            back |= {"code": code}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(back)}")

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        app = self.codes.pop(str(form.get("code")), None)
        if app is None or form["client_secret"] != app["secret"]:
            return error(400, "invalid_grant")
        if self.pkce != ("code_verifier" in form):
            return error(400, "invalid_request")
        told = {"access_token": TOKEN, "token_type": "Bearer", "created_at": "1700000000"}
        return web.json_response(told | self.answer)
