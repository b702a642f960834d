"""Accounts over HTTP: one's own credentials, anybody's profile, and pages of an account's posts.

Must not know how a page is cut or a post rendered.
"""

from __future__ import annotations

from aiohttp import web

from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.params import read_params
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError
from bridge.sandbox.mastodon.records import MastodonAccount
from bridge.sandbox.mastodon.timeline import link_header, page_of, page_query


class AccountRoutes:
    """The handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """What is served; the fixed names before the one that takes any id."""
        base = "/api/v1/accounts"
        return [
            web.get(base + "/verify_credentials", self.verify_credentials),
            web.get(base + "/lookup", self.lookup),
            web.get(base + "/{id}", self.read),
            web.get(base + "/{id}/statuses", self.statuses),
        ]

    async def verify_credentials(self, request: web.Request) -> web.Response:
        """``GET /api/v1/accounts/verify_credentials``."""
        account, _ = self._door.enter(request, "profile", "read", "read:accounts")
        origin = self._door.origin(request)
        return web.json_response(self._door.show.credentials(account, origin))

    async def lookup(self, request: web.Request) -> web.Response:
        """``GET /api/v1/accounts/lookup?acct=``."""
        account = self._door.state.resolve(request.query.get("acct", "").lstrip("@"))
        if account is None:
            raise ApiError(404, NOT_FOUND)
        return web.json_response(self._door.show.account(account, self._door.origin(request)))

    async def read(self, request: web.Request) -> web.Response:
        """``GET /api/v1/accounts/:id``."""
        self._door.look(request, "read", "read:accounts")
        account = self._account(request)
        return web.json_response(self._door.show.account(account, self._door.origin(request)))

    async def statuses(self, request: web.Request) -> web.Response:
        """``GET /api/v1/accounts/:id/statuses``."""
        viewer = self._door.look(request, "read", "read:statuses")
        if viewer is None and self._door.profile.dialect != "mastodon":
            # Only Mastodon shows pages of posts to anybody who asks.
            self._door.enter(request, "read", "read:statuses")
        account = self._account(request)
        query = page_query(await read_params(request))
        page = page_of(self._door.state, self._door.profile, account.id, viewer, query)
        origin = self._door.origin(request)
        response = web.json_response(
            [self._door.show.status(status, viewer, origin) for status in page]
        )
        link = link_header(f"{origin}{request.path}", query, page)
        if link is not None and self._door.profile.cursors:
            response.headers["Link"] = link
        return response

    def _account(self, request: web.Request) -> MastodonAccount:
        account = self._door.state.account(request.match_info["id"])
        if account is None:
            raise ApiError(404, NOT_FOUND)
        return account
