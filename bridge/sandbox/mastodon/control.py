"""What a person does in the web client, and what a test looks at, over HTTP under ``/sandbox/``.

No part of any real API: no token is asked for, no limit counts. Must not do anything that
`MastodonSandbox` cannot do as well.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.sandbox.mastodon.params import Params, read_params
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError
from bridge.sandbox.mastodon.records import Attachment, MastodonAccount, PollDraft

if TYPE_CHECKING:
    from bridge.sandbox.mastodon.app import MastodonSandbox


class ControlRoutes:
    """The handlers."""

    def __init__(self, sandbox: MastodonSandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [
            web.post("/sandbox/write", self.write),
            web.delete("/sandbox/posts/{id}", self.remove),
            web.post("/sandbox/posts/{id}/votes", self.vote),
            web.post("/sandbox/posts/{id}/quote", self.answer_quote),
            web.get("/sandbox/timeline/{username}", self.timeline),
            web.post("/sandbox/accounts", self.add_account),
        ]

    async def write(self, request: web.Request) -> web.Response:
        """``POST /sandbox/write``: `MastodonSandbox.write`; the account by ``username``.

        ``media`` is a list of ``{"data": base64, "description": text}``, ``poll`` is
        ``{"options": [...], "expires_in": seconds}``, ``created_at`` ISO 8601. Answers the post
        as its author sees it.
        """
        params = await read_params(request)
        account = self._account(params.text("username") or "")
        created_at = params.text("created_at")
        try:
            moment = datetime.fromisoformat(created_at) if created_at else None
        except ValueError:
            raise ApiError(422, "created_at is no ISO 8601 time") from None
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        status = self._sandbox.write(
            account,
            params.text("text") or "",
            visibility=params.text("visibility") or "public",
            spoiler_text=params.text("spoiler_text") or "",
            in_reply_to=params.text("in_reply_to"),
            reblog_of=params.text("reblog_of"),
            quote_of=params.text("quote_of"),
            edit_of=params.text("edit_of"),
            sensitive=bool(params.flag("sensitive")),
            language=params.text("language"),
            poll=_poll(params.group("poll")),
            media=tuple(_attachment(one) for one in params.groups("media")),
            created_at=moment,
            application=params.text("application") or "Web",
        )
        return web.json_response(self._sandbox.as_json(status, self._origin(request)))

    async def remove(self, request: web.Request) -> web.Response:
        """``DELETE /sandbox/posts/:id``."""
        if not self._sandbox.remove(request.match_info["id"]):
            raise ApiError(404, NOT_FOUND)
        return web.Response(status=204)

    async def vote(self, request: web.Request) -> web.Response:
        """``POST /sandbox/posts/:id/votes`` with ``{"votes": [how many for each answer]}``."""
        params = await read_params(request)
        try:
            votes = tuple(int(one) for one in params.texts("votes") or ())
            self._sandbox.vote(request.match_info["id"], votes)
        except ValueError as error:
            raise ApiError(422, str(error)) from None
        return web.Response(status=204)

    async def answer_quote(self, request: web.Request) -> web.Response:
        """``POST /sandbox/posts/:id/quote`` with ``{"state": "revoked"}`` or another state."""
        params = await read_params(request)
        try:
            self._sandbox.answer_quote(request.match_info["id"], params.text("state") or "")
        except ValueError as error:
            raise ApiError(422, str(error)) from None
        return web.Response(status=204)

    async def timeline(self, request: web.Request) -> web.Response:
        """``GET /sandbox/timeline/:username``: every post of every visibility, newest first."""
        account = self._account(request.match_info["username"])
        origin = self._origin(request)
        posts = self._sandbox.timeline(account)
        return web.json_response([self._sandbox.as_json(status, origin) for status in posts])

    async def add_account(self, request: web.Request) -> web.Response:
        """``POST /sandbox/accounts``: answers id, username, acct, access_token and scopes."""
        params = await read_params(request)
        username = params.text("username") or ""
        try:
            account = self._sandbox.add_account(
                username,
                params.text("display_name") or username,
                locked=bool(params.flag("locked")),
                default_visibility=params.text("default_visibility"),
            )
        except ValueError as error:
            raise ApiError(422, str(error)) from None
        body = {
            "id": account.id,
            "username": account.username,
            "acct": account.acct,
            "access_token": account.access_token,
            "scopes": account.scopes,
        }
        return web.json_response(body, status=201)

    def _account(self, username: str) -> MastodonAccount:
        account = self._sandbox.account(username)
        if account is None:
            raise ApiError(404, f"there is no account {username!r} here")
        return account

    def _origin(self, request: web.Request) -> str:
        return f"{request.scheme}://{request.host}"


def _poll(group: Params | None) -> PollDraft | None:
    if group is None:
        return None
    return PollDraft(
        options=group.texts("options") or (),
        expires_in=group.number("expires_in"),
        multiple=bool(group.flag("multiple")),
        hide_totals=bool(group.flag("hide_totals")),
    )


def _attachment(one: Params) -> Attachment:
    try:
        data = base64.b64decode(one.text("data") or "", validate=True)
    except binascii.Error:
        raise ApiError(422, "media.data is no base64") from None
    return Attachment(data, one.text("description") or "")
