"""One account on a server of any make, with all that a bridge can touch.

Written from the documents and sources of the servers, without a look at the sandbox or the adapter.
What a make does differently stands in `tests.blackbox.makes`.
"""

import asyncio
import html
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.blackbox.makes import Make

TOKEN = "mastodon-token"
OWNER = "109"
BODY = web.RequestKey("body", dict[str, Any])
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class File:
    """A file that was handed over; `looks_left` is how often it is asked for until it is done."""

    id: str
    mime: str
    content: bytes
    alt: str = ""
    looks_left: int = 0


@dataclass
class Toot:
    """One status, `text` as it was typed; `more` overrides what is shown of it."""

    id: str
    text: str
    at: datetime
    visibility: str = "public"
    in_reply_to: str | None = None
    spoiler: str = ""
    sensitive: bool = False
    files: list[File] = field(default_factory=list)
    poll: dict[str, Any] | None = None
    quotes: str | None = None
    boosts: str | None = None
    by_api: bool = False
    edited_at: datetime | None = None
    edits: int = 0
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Server:
    """The server. `elsewhere` is where files are served from, `url` where it is itself."""

    make: Make
    toots: list[Toot] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    keys: dict[str, Toot] = field(default_factory=dict)
    made: int = 0
    deleted: list[str] = field(default_factory=list)
    streaming: str | None = None
    url: str = ""
    odd_account: dict[str, Any] = field(default_factory=dict)

    # What a person does in a browser.

    def write(self, text: str, *, age: timedelta = timedelta(), **more: Any) -> Toot:
        """Put a status on the timeline."""
        at = datetime.now(UTC) - age
        self.made += 1
        toot = Toot(self.make.new_id(at, self.made), text, at, **more)
        self.toots.append(toot)
        return toot

    def edit(self, toot: Toot, text: str, **more: Any) -> None:
        """Change a status."""
        toot.text, toot.edited_at = text, datetime.now(UTC)
        for name, value in more.items():
            setattr(toot, name, value)

    def remove(self, toot: Toot) -> None:
        """Delete a status."""
        self.toots.remove(toot)

    def file(self, mime: str, content: bytes, alt: str = "") -> File:
        """A file that stands ready to be attached."""
        self.made += 1
        file = File(self.make.new_id(datetime.now(UTC), self.made), mime, content, alt)
        self.files[file.id] = file
        return file

    def mirrors(self) -> list[Toot]:
        """What came through the API, in order."""
        return [toot for toot in self.toots if toot.by_api]

    def find(self, wanted: object) -> Toot | None:
        """The status of an id."""
        return next((toot for toot in self.toots if toot.id == str(wanted)), None)

    # What the API does.

    @property
    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._let_in], client_max_size=64 << 20)
        add = app.router.add_route
        if self.make.v1 is not None:
            add("GET", "/api/v1/instance", self._instance)
        if self.make.v2 is not None:
            add("GET", "/api/v2/instance", self._instance)
        add("GET", "/api/v1/accounts/verify_credentials", self._verify)
        add("GET", f"/api/v1/accounts/{OWNER}/statuses", self._timeline)
        add("POST", "/api/v1/statuses", self._create)
        add("GET", "/api/v1/statuses/{id}", self._one)
        add("DELETE", "/api/v1/statuses/{id}", self._delete)
        if self.make.edits != "none":
            add("PUT", "/api/v1/statuses/{id}", self._edit)
        if self.make.source != "none":
            add("GET", "/api/v1/statuses/{id}/source", self._source)
        add("POST", "/api/v1/statuses/{id}/reblog", self._boost)
        add("POST", "/api/v1/statuses/{id}/unreblog", self._unboost)
        add("POST", "/api/v1/media", self._upload)
        if self.make.media_v2:
            add("POST", "/api/v2/media", self._upload)
        add("GET", "/api/v1/media/{id}", self._processed)
        add("GET", "/files/{name}", self._download)
        return app

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        public = request.path.endswith("/instance") or request.path.startswith("/files/")
        if not public and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "The access token is invalid")
        body: Any = None
        if request.content_type == "application/json" and request.can_read_body:
            body = request[BODY] = json.loads(await request.read())
        self.asked.append((request.method, request.path, body))
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = error(404, "Not Found")
        except web.HTTPMethodNotAllowed:
            response = error(405, "Method Not Allowed")
        response.headers.update(self.make.limits)
        return response

    async def _instance(self, request: web.Request) -> web.Response:
        said = self.make.v2 if "/v2/" in request.path else self.make.v1
        if self.streaming is not None and said is not None:
            said = said | {
                "configuration": said["configuration"] | {"urls": {"streaming": self.streaming}}
            }
        return web.json_response(said)

    def _account(self) -> dict[str, Any]:
        source = {"privacy": "public", "sensitive": False, "language": None}
        owner: object = int(OWNER) if self.make.id_is_number else OWNER
        account = {"id": owner, "username": "ada", "acct": "ada", "locked": False}
        return account | {"url": f"{self.url}/@ada", "source": source} | self.odd_account

    async def _verify(self, _request: web.Request) -> web.Response:
        return web.json_response(self._account())

    async def _timeline(self, request: web.Request) -> web.Response:
        query, heeded = request.query, self.make.cursors
        found = sorted(self.toots, key=lambda toot: toot.at)[::-1]
        limit = min(int(query.get("limit", "20")), 40)
        places = {toot.id: place for place, toot in enumerate(found)}
        if "max_id" in heeded and "max_id" in query:
            found = found[places.get(query["max_id"], len(found)) + 1 :]
        for name in ("min_id", "since_id"):
            if name in heeded and name in query:
                found = found[: places.get(query[name], len(found))]
        if "min_id" in heeded and "min_id" in query:
            found = found[-limit:]
        response = web.json_response([self.shown(toot) for toot in found[:limit]])
        if self.make.links and found:
            place = f"{self.url}{request.path}?max_id={found[-1].id}"
            response.headers["Link"] = f'<{place}>; rel="next"'
        return response

    def shown(self, toot: Toot) -> dict[str, Any]:
        """A status as the API shows it."""
        make = self.make
        told: dict[str, Any] = {
            "id": self._id(toot.id),
            "created_at": make.time(toot.at),
            "url": f"{self.url}/@ada/{toot.id}",
            "uri": f"{self.url}/users/ada/statuses/{toot.id}",
            "visibility": toot.visibility,
            "content": (make.markup or marked_up)(toot.text),
            "spoiler_text": toot.spoiler,
            "sensitive": toot.sensitive or bool(toot.spoiler),
            "language": "en",
            "in_reply_to_id": self._id(toot.in_reply_to),
            "in_reply_to_account_id": self._account()["id"] if toot.in_reply_to else None,
            "account": self._account(),
            "media_attachments": [self._medium(file) for file in toot.files],
            "mentions": [],
            "tags": [],
            "emojis": [],
            "card": None,
            "poll": self._poll(toot),
            "edited_at": make.time(toot.edited_at) if toot.edited_at else None,
            "reblog": self.shown(self._the(toot.boosts)) if toot.boosts else None,
        }
        if make.application:
            told["application"] = {"name": "twinpost" if toot.by_api else "Web", "website": None}
        if toot.quotes and make.quotes == "mastodon":
            quoted = self.shown(self._the(toot.quotes))
            told["quote"] = {"state": "accepted", "quoted_status": quoted}
        elif toot.quotes:
            told |= {"quote": self.shown(self._the(toot.quotes)), "quote_id": toot.quotes}
        told |= dict.fromkeys(make.nulls)
        told |= toot.more
        return {name: value for name, value in told.items() if name not in make.leaves_out}

    def _id(self, given: str | None) -> object:
        return int(given) if given and self.make.id_is_number else given

    def _the(self, wanted: str) -> Toot:
        found = self.find(wanted)
        assert found is not None
        return replace(found, quotes=None)

    def _medium(self, file: File) -> dict[str, Any]:
        kind = file.mime.partition("/")[0]
        address = f"{self.url}/files/{file.id}.{file.mime.partition('/')[2]}"
        busy = file.looks_left > 0
        return {
            "id": self._id(file.id),
            "type": "gifv" if file.mime == "image/gif" else kind,
            "url": None if busy else address,
            "preview_url": None if busy else address,
            "remote_url": None,
            "description": file.alt or None,
            "meta": None,
        }

    def _poll(self, toot: Toot) -> dict[str, Any] | None:
        if toot.poll is None:
            return None
        options = [{"title": each, "votes_count": 0} for each in toot.poll["options"]]
        return {
            "id": "1",
            "expires_at": self.make.time(toot.poll["ends_at"]),
            "expired": False,
            "multiple": toot.poll.get("multiple", False),
            "options": options,
        }

    async def _one(self, request: web.Request) -> web.Response:
        toot = self.find(request.match_info["id"])
        return self._gone() if toot is None else web.json_response(self.shown(toot))

    def _gone(self) -> web.Response:
        match self.make.gone:
            case "404":
                return error(404, "Record not found")
            case "410":
                return error(410, "Gone")
            case "page":
                page = "<html><h1>Not Found</h1></html>"
                return web.Response(status=404, text=page, content_type="text/html")

    async def _source(self, request: web.Request) -> web.Response:
        toot = self.find(request.match_info["id"])
        if toot is None:
            return self._gone()
        text = toot.text.replace("_", "\\_") if self.make.source == "markdown" else toot.text
        return web.json_response({"id": toot.id, "text": text, "spoiler_text": toot.spoiler})

    async def _create(self, request: web.Request) -> web.Response:
        given, key = request[BODY], request.headers.get("Idempotency-Key", "")
        if key in self.keys and self.make.idempotency != "none":
            if self.make.idempotency == "refuse":
                return error(400, "Duplicate idempotency key.")
            return web.json_response(self.shown(self.keys[key]))
        refused = self._refused(given)
        if refused is not None:
            return refused
        parent = given.get("in_reply_to_id")
        if parent is not None and self.find(parent) is None:
            return error(404, "Record not found")
        toot = self.write(
            given.get("status", "").strip(),
            visibility=given.get("visibility", "public"),
            in_reply_to=str(parent) if parent is not None else None,
            spoiler=given.get("spoiler_text", "") if self.make.warnings else "",
            sensitive=given.get("sensitive", False),
            files=[self.files[each] for each in given.get("media_ids", [])],
            poll=_made(given.get("poll")) if self.make.polls else None,
            quotes=self._quoted(given),
            by_api=True,
        )
        self.keys[key] = toot
        return web.json_response(self.shown(toot))

    def _quoted(self, given: dict[str, Any]) -> str | None:
        name = {"mastodon": "quoted_status_id", "pleroma": "quote_id", "none": ""}
        return given.get(name[self.make.quotes])

    def _refused(self, given: dict[str, Any]) -> web.Response | None:
        text, media = given.get("status", ""), given.get("media_ids", [])
        if not text.strip() and not media:
            return error(422, "Validation failed: Text can't be blank")
        if self.make.needs_media and not media and not given.get("in_reply_to_id"):
            return error(403, "Empty statuses are not allowed")
        if any(each not in self.files or self.files[each].looks_left for each in media):
            return error(422, "Cannot attach files that have not finished processing.")
        if len({self.files[each].mime[:5] for each in media}) > 1:
            return error(422, "Cannot attach a video to a post that already contains images")
        return None

    async def _edit(self, request: web.Request) -> web.Response:
        toot, given = self.find(request.match_info["id"]), request[BODY]
        if toot is None:
            return self._gone()
        forgets = self.make.edits == "all"
        if "status" in given or forgets:
            toot.text = given.get("status", "")
        if "spoiler_text" in given or forgets:
            toot.spoiler = given.get("spoiler_text", "")
        if "media_ids" in given or forgets:
            toot.files = [self.files[each] for each in given.get("media_ids", [])]
        if "sensitive" in given or forgets:
            toot.sensitive = given.get("sensitive", False)
        if forgets and "poll" not in given:
            toot.poll = None
        for each in given.get("media_attributes", []):
            if "description" in each:
                self.files[each["id"]].alt = each["description"]
        toot.edited_at, toot.edits = datetime.now(UTC), toot.edits + 1
        return web.json_response(self.shown(toot))

    async def _delete(self, request: web.Request) -> web.Response:
        toot = self.find(request.match_info["id"])
        if toot is None:
            return self._gone()
        self.toots.remove(toot)
        self.deleted.append(toot.id)
        return web.json_response(self.shown(toot) | {"text": toot.text})

    async def _boost(self, request: web.Request) -> web.Response:
        toot = self.find(request.match_info["id"])
        if toot is None:
            return self._gone()
        made = self.write("", boosts=toot.id, by_api=True)
        shown = made if self.make.boost == "wrapper" else toot
        return web.json_response(self.shown(shown))

    async def _unboost(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        self.toots = [toot for toot in self.toots if toot.boosts != wanted]
        return web.json_response({"id": wanted})

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        sent = form["file"]
        assert isinstance(sent, web.FileField)
        file = self.file(sent.content_type, sent.file.read(), str(form.get("description", "")))
        busy = self.make.media == "busy" and "/v2/" in request.path
        file.looks_left = 1 if busy else 0
        deferred = busy or self.make.media == "accepted"
        return web.json_response(self._medium(file), status=202 if deferred else 200)

    async def _processed(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["id"])
        if file is None:
            return error(404, "Record not found")
        file.looks_left = max(file.looks_left - 1, 0)
        await asyncio.sleep(0)
        return web.json_response(self._medium(file), status=206 if file.looks_left else 200)

    async def _download(self, request: web.Request) -> web.Response:
        file = self.files[request.match_info["name"].rpartition(".")[0]]
        return web.Response(body=file.content, content_type=file.mime)


def _made(poll: dict[str, Any] | None) -> dict[str, Any] | None:
    if poll is None:
        return None
    ends_at = datetime.now(UTC) + timedelta(seconds=int(poll["expires_in"]))
    return {"options": poll["options"], "multiple": poll.get("multiple"), "ends_at": ends_at}


def marked_up(text: str) -> str:
    """As Mastodon marks it up."""
    escaped = html.escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br />")
    return f"<p>{escaped}</p>" if text else ""


def error(status: int, words: str) -> web.Response:
    """An error as the API words it."""
    return web.json_response({"error": words}, status=status)
