"""What a person does in X's own app, and what an operator sees, over HTTP below ``/sandbox/``.

Only translates to `XSandbox`; needs no authorisation, so a sandbox belongs on loopback.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.core.model import Microdollars
from bridge.core.prices import in_dollars
from bridge.sandbox.x.accounts import SCOPES, XAccount
from bridge.sandbox.x.posts import StoredPost, XPoll
from bridge.sandbox.x.problems import Json
from bridge.sandbox.x.uploads import XFile

if TYPE_CHECKING:
    from bridge.sandbox.x.sandbox import XSandbox

_Handler = Callable[[web.Request], Awaitable[web.Response]]


def control_routes(sandbox: XSandbox) -> list[web.RouteDef]:
    """The routes beside those of the fault plan.

    ``POST /sandbox/accounts`` ``{handle, name, premium?, protected?, confidential?,
    read_only?, scopes?}``: the account
    with its keys. ``GET /sandbox/accounts``: all, without keys. ``POST /sandbox/write`` ``{handle,
    text, reply_to?, quote?, repost_of?, edit_of?, media?: [{content (base64), alt_text?,
    animation?, sensitive?}], poll?: {options, duration_minutes?, votes?}, community?,
    created_at?}``: the post. ``DELETE
    /sandbox/posts/{id}``. ``GET /sandbox/timeline/{handle}``: posts, newest first. ``GET
    /sandbox/bill``. ``POST /sandbox/credit`` ``{out_of_credits?, spend_cap_reset?}``. Errors are
    400 or 404 with ``{error}``.
    """
    control = _Control(sandbox)
    return [
        web.get("/sandbox/accounts", control.accounts),
        web.post("/sandbox/accounts", _explained(control.add_account)),
        web.post("/sandbox/write", _explained(control.write)),
        web.delete("/sandbox/posts/{id}", _explained(control.remove)),
        web.get("/sandbox/timeline/{handle}", _explained(control.timeline)),
        web.get("/sandbox/bill", control.bill),
        web.post("/sandbox/credit", _explained(control.credit)),
    ]


def shown(post: StoredPost, origin: str = "") -> Json:
    """A post as a page shows it: the text as written, and addresses of its files at `origin`."""
    return {
        "id": post.id,
        "url": post.url,
        "handle": post.author.handle,
        "name": post.author.name,
        "text": post.text,
        "created_at": post.created_at.isoformat(),
        "conversation_id": post.conversation_id,
        "reply_to": post.reply_to,
        "quote": post.quote,
        "repost_of": post.repost_of,
        "versions": list(post.versions),
        "community_id": post.community_id,
        "poll": None if post.poll is None else list(post.poll.options),
        "media": [
            {"kind": one.kind, "url": f"{origin}/media/{one.key}", "alt_text": one.alt_text}
            for one in post.media
        ],
    }


class _Control:
    def __init__(self, sandbox: XSandbox) -> None:
        self._sandbox = sandbox

    async def accounts(self, _request: web.Request) -> web.Response:
        accounts = self._sandbox.accounts()
        return web.json_response([_account(one) for one in accounts])

    async def add_account(self, request: web.Request) -> web.Response:
        body = await _object(request)
        handle = _text(body, "handle")
        account = self._sandbox.add_account(
            handle,
            _text(body, "name", default=handle),
            premium=_flag(body, "premium"),
            protected=_flag(body, "protected"),
            confidential=_flag(body, "confidential", default=True),
            read_only=_flag(body, "read_only"),
            scopes=_text(body, "scopes", default=SCOPES),
        )
        one, two = account.oauth1, account.oauth2
        keys: Json = {
            "oauth1": {
                "consumer_key": one.consumer_key,
                "consumer_secret": one.consumer_secret,
                "access_token": one.access_token,
                "access_token_secret": one.access_token_secret,
            },
            "oauth2": {
                "client_id": two.client_id,
                "client_secret": two.client_secret,
                "access_token": two.access_token,
                "refresh_token": two.refresh_token,
            },
        }
        return web.json_response({**_account(account), **keys}, status=201)

    async def write(self, request: web.Request) -> web.Response:
        body = await _object(request)
        files = []
        for one in _list(body, "media"):
            if not isinstance(one, dict):
                raise ValueError("media holds objects")  # noqa: TRY004 - one kind for all input
            content = base64.b64decode(_text(one, "content"), validate=True)
            files.append(
                XFile(
                    content,
                    _text(one, "alt_text", default=""),
                    animation=_flag(one, "animation"),
                    sensitive=_flag(one, "sensitive"),
                )
            )
        stated, poll = body.get("poll"), None
        if isinstance(stated, dict):
            options = tuple(str(option) for option in _list(stated, "options"))
            votes = tuple(int(str(number)) for number in _list(stated, "votes"))
            poll = XPoll(options, int(stated.get("duration_minutes", 1440)), votes)
        elif stated is not None:
            raise ValueError("poll is an object")
        created_at = body.get("created_at")
        post = self._sandbox.write(
            self._sandbox.account(_text(body, "handle")),
            _text(body, "text", default=""),
            reply_to=_optional(body, "reply_to"),
            quote=_optional(body, "quote"),
            repost_of=_optional(body, "repost_of"),
            edit_of=_optional(body, "edit_of"),
            media=files,
            poll=poll,
            community=_flag(body, "community"),
            created_at=None if created_at is None else _aware(str(created_at)),
        )
        return web.json_response(shown(post, str(request.url.origin())), status=201)

    async def remove(self, request: web.Request) -> web.Response:
        self._sandbox.remove(request.match_info["id"])
        return web.Response(status=204)

    async def timeline(self, request: web.Request) -> web.Response:
        account = self._sandbox.account(request.match_info["handle"])
        origin = str(request.url.origin())
        posts = [shown(post, origin) for post in self._sandbox.timeline(account)]
        return web.json_response(posts)

    async def bill(self, _request: web.Request) -> web.Response:
        charges = self._sandbox.bill()
        total = sum(charge.amount for charge in charges)
        return web.json_response(
            {
                "total_microdollars": total,
                "total": in_dollars(Microdollars(total)),
                "charges": [charge.as_json() for charge in charges],
            }
        )

    async def credit(self, request: web.Request) -> web.Response:
        body = await _object(request)
        if "out_of_credits" in body:
            self._sandbox.out_of_credits = _flag(body, "out_of_credits")
        if "spend_cap_reset" in body:
            stated = _optional(body, "spend_cap_reset")
            self._sandbox.spend_cap_reset = None if stated is None else date.fromisoformat(stated)
        reset = self._sandbox.spend_cap_reset
        return web.json_response(
            {
                "out_of_credits": self._sandbox.out_of_credits,
                "spend_cap_reset": None if reset is None else reset.isoformat(),
            }
        )


def _explained(handler: _Handler) -> _Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except KeyError as error:
            return web.json_response({"error": f"there is no {error.args[0]}"}, status=404)
        except (ValueError, TypeError, OverflowError, LookupError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return handle


def _account(account: XAccount) -> Json:
    return {
        "id": account.id,
        "handle": account.handle,
        "name": account.name,
        "url": account.url,
        "premium": account.premium,
        "protected": account.protected,
    }


async def _object(request: web.Request) -> Json:
    body = await request.json()
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")  # noqa: TRY004 - one kind for all input
    return body


def _text(body: Json, name: str, *, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name} is a text")  # noqa: TRY004 - one kind for all input
    return value


def _optional(body: Json, name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)


def _flag(body: Json, name: str, *, default: bool = False) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false")  # noqa: TRY004 - one kind for all input
    return value


def _list(body: Json, name: str) -> list[object]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} is a list")  # noqa: TRY004 - one kind for all input
    return value


def _aware(stated: str) -> datetime:
    moment = datetime.fromisoformat(stated)
    if moment.tzinfo is None:
        raise ValueError("created_at needs its offset from UTC")
    return moment.astimezone(UTC)
