"""Servers of several makes that speak the Mastodon API, each with its measured peculiarities.

Written without a look at the sandbox or the adapter, so that a misreading which those two share
shows here. Knows one account; what a make is not known to do, none of these does.
"""

import asyncio
import hashlib
import html
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from aiohttp import web

from tests.blackbox import snac

TOKEN = "mastodon-token"
OWNER = "109"


@dataclass(frozen=True)
class Make:
    """How one make of server differs from the others.

    `cursors` are those it heeds: ``all``, or ``none`` where the newest page comes whatever is
    asked. `idempotency` says what a repeated key does: ``replay`` the first answer, ``refuse``
    (with 400, even if the first try failed), or nothing. `forms` lists what is dropped from a form:
    ``booleans``. An edit gives a `new_id_for_edit` on some.
    """

    ids: Literal["number", "ulid", "uuid", "hash"]
    version: str
    max_characters: int | str
    break_tag: str = "<br>"
    paragraphs: bool = True
    instance_v2: bool = True
    cursors: Literal["all", "none"] = "all"
    idempotency: Literal["replay", "refuse", "none"] = "none"
    source: Literal["plain", "markdown", "none"] = "none"
    sends_application: bool = False
    default_visibility: str = "public"
    new_id_for_edit: bool = False
    edits: bool = False
    """Whether a mirror can be edited there."""
    takes_markup: bool = False
    """Whether every text is taken for markup, as snac does."""


MAKES = {
    "mastodon": Make(
        "number", "4.5.2", 500, idempotency="replay", source="plain", sends_application=True,
        edits=True,
    ),
    "gotosocial": Make(
        "ulid", "0.20.1+git-abc", 5000, source="markdown", default_visibility="unlisted"
    ),
    "akkoma": Make(
        "ulid", "2.7.2 (compatible; Akkoma 3.13)", 5000, break_tag="<br/>", paragraphs=False,
        idempotency="replay", source="markdown",
    ),
    "snac": Make(
        "hash", "4.0.0 (not true; really snac/2.76)", 100_000, paragraphs=False,
        instance_v2=False, cursors="none", source="plain", takes_markup=True,
    ),
    "pixelfed": Make("number", "3.5.3 (compatible; Pixelfed 0.12)", 500, idempotency="refuse"),
    "other": Make(
        "uuid", "13.1 (compatible; Something 1)", "3000", cursors="none", new_id_for_edit=True
    ),
}  # fmt: skip


@dataclass
class Status:
    """One status, `text` as it was typed."""

    id: str
    text: str
    at: datetime
    visibility: str = "public"
    in_reply_to: str | None = None
    by_api: bool = False
    edited: bool = False


@dataclass
class PlainMastodon:
    """One account on a server of one make.

    `hangs_after` is how many statuses are created before the next one is created as well, but
    never answered.
    """

    make: Make
    statuses: list[Status] = field(default_factory=list)
    hangs_after: int | None = None
    keys: dict[str, Status] = field(default_factory=dict)

    def write(self, text: str, *, age: timedelta = timedelta(), **more: Any) -> Status:
        """Put a status on the timeline."""
        at = datetime.now(UTC) - age
        status = Status(self._new_id(at), text, at, **more)
        self.statuses.append(status)
        return status

    def edit(self, status: Status, text: str) -> None:
        """Change a status, as its author does in a browser."""
        status.text, status.edited = text, True
        if self.make.new_id_for_edit:
            status.id = self._new_id(status.at)

    def mirrors(self) -> list[str]:
        """What people see of the statuses that came through the API, in order."""
        return [snac.read(self._content(status)) for status in self.statuses if status.by_api]

    def _new_id(self, at: datetime) -> str:
        milliseconds, count = int(at.timestamp() * 1000), len(self.statuses)
        match self.make.ids:
            case "number":
                return str((milliseconds << 16) + count)
            case "ulid":
                return f"01{milliseconds:012X}{count:012X}"
            case "uuid":
                return str(uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | count))
            case "hash":
                return hashlib.md5(uuid.uuid4().bytes, usedforsecurity=False).hexdigest()

    @property
    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._authorised])
        app.router.add_get("/api/v1/accounts/verify_credentials", self._verify)
        app.router.add_get(f"/api/v1/accounts/{OWNER}/statuses", self._timeline)
        app.router.add_get("/api/v1/instance", self._instance)
        if self.make.instance_v2:
            app.router.add_get("/api/v2/instance", self._instance)
        app.router.add_post("/api/v1/statuses", self._create)
        app.router.add_get("/api/v1/statuses/{id}", self._one)
        if self.make.edits:
            app.router.add_put("/api/v1/statuses/{id}", self._edit)
        app.router.add_get("/api/v1/statuses/{id}/source", self._source)
        return app

    @web.middleware
    async def _authorised(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        public = request.path.endswith("/instance")
        if not public and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "The access token is invalid")
        return await handler(request)

    def _account(self) -> dict[str, Any]:
        source = {"privacy": self.make.default_visibility, "sensitive": False, "language": None}
        return {
            "id": OWNER,
            "username": "ada",
            "acct": "ada",
            "locked": False,
            "url": "https://home.example/@ada",
            "source": source,
        }

    async def _verify(self, _request: web.Request) -> web.Response:
        return web.json_response(self._account())

    async def _instance(self, _request: web.Request) -> web.Response:
        limits = {"max_characters": self.make.max_characters}
        body = {"version": self.make.version, "configuration": {"statuses": limits}}
        return web.json_response(body)

    async def _timeline(self, request: web.Request) -> web.Response:
        found = sorted(self.statuses, key=lambda status: status.at)[::-1]
        limit = min(int(request.query.get("limit", "20")), 40)
        if (until := request.query.get("max_id")) is not None:
            ids = [status.id for status in found]
            found = found[ids.index(until) + 1 :] if until in ids else []
        if self.make.cursors == "all":
            for key in ("min_id", "since_id"):
                if (after := request.query.get(key)) is not None:
                    found = [status for status in found if status.id > after]
            if "min_id" in request.query:
                found = found[-limit:]
        return web.json_response([self._shown(status) for status in found[:limit]])

    def _content(self, status: Status) -> str:
        if self.make.takes_markup:
            return snac.marked_up(status.text)
        escaped = html.escape(status.text)
        if self.make.paragraphs:
            escaped = "".join(f"<p>{each}</p>" for each in escaped.split("\n\n"))
        return escaped.replace("\n", self.make.break_tag)

    def _shown(self, status: Status) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": status.id,
            "created_at": f"{status.at:%Y-%m-%dT%H:%M:%S}.{status.at.microsecond // 1000:03}Z",
            "url": f"https://home.example/@ada/{status.id}",
            "visibility": status.visibility,
            "content": self._content(status),
            "spoiler_text": "",
            "in_reply_to_id": status.in_reply_to,
            "in_reply_to_account_id": OWNER if status.in_reply_to else None,
            "reblog": None,
            "account": self._account(),
            "media_attachments": [],
            "unheard_of": {"at": "all"},
        }
        if self.make.sends_application:
            name = "twinpost" if status.by_api else "Web"
            shown["application"] = {"name": name, "website": None}
        return shown

    async def _one(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        status = next((each for each in self.statuses if each.id == wanted), None)
        if status is None:
            return _error(404, "Record not found")
        return web.json_response(self._shown(status))

    async def _edit(self, request: web.Request) -> web.Response:
        wanted, form = request.match_info["id"], await request.json()
        status = next((each for each in self.statuses if each.id == wanted), None)
        if status is None:
            return _error(404, "Record not found")
        self.edit(status, str(form.get("status", "")))
        return web.json_response(self._shown(status))

    async def _source(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        status = next((each for each in self.statuses if each.id == wanted), None)
        if status is None or self.make.source == "none":
            return _error(404, "Record not found")
        text = status.text
        if self.make.source == "markdown":
            text = text.replace("_", "\\_")
        return web.json_response({"id": wanted, "text": text, "spoiler_text": ""})

    async def _create(self, request: web.Request) -> web.Response:
        form = await (
            request.json() if request.content_type == "application/json" else request.post()
        )
        key = request.headers.get("Idempotency-Key", "")
        if key in self.keys and self.make.idempotency != "none":
            if self.make.idempotency == "refuse":
                return _error(400, "Duplicate idempotency key.")
            return web.json_response(self._shown(self.keys[key]))
        text = str(form.get("status", "")).strip()
        if not text or len(text) > int(self.make.max_characters):
            return _error(422, "Validation failed")
        parent = form.get("in_reply_to_id")
        if parent and str(parent) not in [status.id for status in self.statuses]:
            return _error(404, "Record not found")
        status = self.write(
            text,
            visibility=str(form.get("visibility", self.make.default_visibility)),
            in_reply_to=str(parent) if parent else None,
            by_api=True,
        )
        self.keys[key] = status
        if self.hangs_after is not None and len(self.mirrors()) > self.hangs_after:
            self.hangs_after = None
            await asyncio.sleep(3600)
        return web.json_response(self._shown(status))


def _error(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)
