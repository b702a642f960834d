"""The door of the X sandbox: who asks, how often, on what credit; then the endpoint answers.

Every ``/2/`` endpoint but the token desk goes through here. Must not know what endpoints do.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from bridge.sandbox.x.accounts import XAccount
from bridge.sandbox.x.oauth2 import needed
from bridge.sandbox.x.problems import Json, Refusal, plain, problem_response
from bridge.sandbox.x.state import XState


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON object; None sends no body."""

    status: int
    body: Json | None


ACCESS_LEVEL = "x-access-level"
_NO_RIGHT: Json = {
    "type": "https://api.twitter.com/2/problems/oauth1-permissions",
    "detail": "Your client app is not configured with the appropriate oauth1 app permissions for "
    "this endpoint.",
}

Endpoint = Callable[[web.Request, XAccount], Awaitable[Answer]]


class Door:
    """Turns endpoints into handlers."""

    def __init__(self, state: XState) -> None:
        self._state = state

    def route(self, name: str, endpoint: Endpoint) -> web.RouteDef:
        """The route of `name`, such as ``GET /2/tweets/:id``, whose limits go by that name."""
        method, _, path = name.partition(" ")
        pattern = path.replace(":id", "{id}").replace(":source", "{source}")

        async def handle(request: web.Request) -> web.Response:
            return await self._handle(name, endpoint, request)

        return web.route(method, pattern, handle)

    async def _handle(self, name: str, endpoint: Endpoint, request: web.Request) -> web.Response:
        headers: dict[str, str] = {}
        try:
            account = await self._account(request, name)
            headers = _access_level(request, account)
            _check_right(request, headers)
            headers |= self._state.limiter.count(name, account.id, self._state.clock.now())
            self._check_credit(account)
            answer = await endpoint(request, account)
        except Refusal as refusal:
            refusal.headers = {**headers, **refusal.headers}
            return refusal.response()
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.Response(
            status=answer.status,
            text=json.dumps(answer.body, ensure_ascii=False),
            content_type="application/json",
            headers=headers,
        )

    async def _account(self, request: web.Request, name: str) -> XAccount:
        header = request.headers.get("Authorization", "")
        if header.lower().startswith("bearer "):
            account_id = self._state.tokens.account_id(request)
        else:
            account_id = await self._state.signatures.account_id(request)
        if account_id is None:
            raise Refusal(401, plain(401))
        if header.lower().startswith("bearer ") and not (
            needed(name) <= set(self._state.tokens.scopes(request))
        ):
            raise Refusal(403, plain(403))
        return self._state.accounts[account_id]

    def _check_credit(self, account: XAccount) -> None:
        switches = self._state.switches
        if switches.out_of_credits:
            raise self._state.problems.out_of_credits(account.id)
        reset = switches.spend_cap_reset
        if reset is not None and self._state.clock.now().date() < reset:
            raise self._state.problems.spend_cap(account.id, reset)


def _access_level(request: web.Request, account: XAccount) -> dict[str, str]:
    """The header by which X tells what OAuth 1.0a keys may do."""
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return {}
    return {ACCESS_LEVEL: "read" if account.read_only else "read-write"}


def _check_right(request: web.Request, headers: dict[str, str]) -> None:
    if headers.get(ACCESS_LEVEL) == "read" and request.method != "GET":
        raise Refusal(403, {**plain(403), **_NO_RIGHT})


@web.middleware
async def in_problem_form(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give what aiohttp itself refuses (no such path, no such method, too large) X's form."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or not request.path.startswith("/2/"):  # noqa: PLR2004 - redirects
            raise
        return problem_response(error.status, plain(error.status))
