"""X with all that a bridge can touch: media, polls, edits, reposts, deletions, and a bill.

Written from the published documents and from notes of what was measured, without a look at the
sandbox or the adapter. Knows one account, in one of the two vocabularies. `tests.blackbox.openapi`
holds what was asked against the documents themselves.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from aiohttp import web

from tests.blackbox.x_files import XFile, XFiles
from tests.blackbox.x_posts import EPOCH_MS, OWNER, XPost, shown

KEYS = ("consumer-k&y=1", "consumer/secret+%&", "15000-access~tok*en", "access+secret=!;")
"""With characters on which signatures go wrong that encode once too often, or too seldom."""

SCOPES = {
    "GET /2/users/me": "tweet.read users.read",
    "GET /2/users/tweets": "tweet.read users.read",
    "GET /2/tweets": "tweet.read users.read",
    "POST /2/tweets": "tweet.read tweet.write users.read",
    "DELETE /2/tweets": "tweet.read tweet.write users.read",
    "POST /2/users/retweets": "tweet.read tweet.write users.read",
    "DELETE /2/users/retweets": "tweet.read tweet.write users.read",
    "GET /2/media/upload": "media.write",
    "POST /2/media": "media.write",
}


BODY = web.RequestKey("body", dict[str, Any])
FILE = web.RequestKey("file", web.FileField)


@dataclass(frozen=True)
class Asked:
    """One request. `body` is its JSON object, or the names and values of a form's text fields."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]


@dataclass
class WholeX:
    """One account. `vocabulary` is the only one understood: ``post`` or ``tweet``.

    `ignores_unknown` says that the other vocabulary's names are passed over in silence, as the real
    X was seen to do, and billed. `premium` lets posts be edited.
    """

    vocabulary: str = "post"
    ignores_unknown: bool = False
    premium: bool = False
    protected: bool = False
    bearer: str | None = None
    posts: list[XPost] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    files: XFiles = field(default_factory=XFiles)
    asked: list[Asked] = field(default_factory=list)
    bill: list[tuple[str, float]] = field(default_factory=list)
    failures: dict[tuple[str, str], list[web.Response]] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    granted: str = " ".join(SCOPES.values())
    url: str = ""

    # What a person does in a browser.

    def write(self, text: str, *, age: timedelta = timedelta(), **more: Any) -> XPost:
        """Put a post on the timeline."""
        at = datetime.now(UTC) - age
        number = (int(at.timestamp() * 1000) - EPOCH_MS) << 22
        taken = {int(each) for post in self.posts for each in post.chain}
        while number in taken:
            number += 1
        chain = [*more.pop("chain", []), str(number)]
        post = XPost(str(number), text, at, chain=chain, **more)
        for ref in post.refs:
            parent = self.find(ref["id"])
            if ref["type"] == "replied_to" and parent is not None:
                post.conversation = parent.conversation or parent.chain[0]
        self.posts.append(post)
        return post

    def edit(self, post: XPost, text: str, **more: Any) -> XPost:
        """An edit is a new post that takes the old one's place and names it."""
        self.posts.remove(post)
        kept: dict[str, Any] = {
            "refs": post.refs,
            "media": post.media,
            "poll": post.poll,
            "by_api": post.by_api,
        }
        edited = self.write(text, chain=post.chain, **kept | more)
        edited.at = post.at
        return edited

    def delete(self, post: XPost) -> None:
        """Take a post off the timeline."""
        self.posts.remove(post)
        self.gone.update(post.chain)

    def mirrors(self) -> list[XPost]:
        """What came through the API, in order."""
        return [post for post in self.posts if post.by_api]

    def requests(self, method: str, path: str) -> list[Asked]:
        """All requests of one kind."""
        return [each for each in self.asked if (each.method, each.path) == (method, path)]

    def fail_next(self, method: str, path: str, *answers: web.Response) -> None:
        """Have the next requests of one kind answered so, without anything being done."""
        self.failures.setdefault((method, path), []).extend(answers)

    # What the API does.

    @property
    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._let_in], client_max_size=64 << 20)
        add = app.router.add_route
        add("GET", "/2/users/me", self._me)
        add("GET", f"/2/users/{OWNER}/tweets", self._timeline)
        add("GET", "/2/tweets/{id}", self._one)
        add("POST", "/2/tweets", self._create)
        add("DELETE", "/2/tweets/{id}", self._delete)
        add("POST", f"/2/users/{OWNER}/retweets", self._repost)
        add("DELETE", f"/2/users/{OWNER}/retweets/{{id}}", self._unrepost)
        add("POST", "/2/media/upload", self._upload)
        add("GET", "/2/media/upload", self._status)
        add("POST", "/2/media/upload/initialize", self._initialize)
        add("POST", "/2/media/upload/{id}/append", self._append)
        add("POST", "/2/media/upload/{id}/finalize", self._finalize)
        add("POST", "/2/media/metadata", self._metadata)
        add("GET", "/files/{key}", self._file)
        return app

    @web.middleware
    async def _let_in(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if request.path.startswith(("/files/", "/2/oauth2/")):
            return await handler(request)
        refused = self._refused(request)
        if refused is not None:
            return refused
        body: dict[str, Any] = {}
        if request.content_type == "application/json":
            body = json.loads(await request.read())
        elif request.content_type == "multipart/form-data":
            form = await request.post()
            body = {key: value for key, value in form.items() if isinstance(value, str)}
            sent = form["media"]
            assert isinstance(sent, web.FileField)
            request[FILE] = sent
        elif await request.read():
            return problem(415, "Unsupported Media Type")
        request[BODY] = body
        self.asked.append(Asked(request.method, request.path, dict(request.query), body))
        waiting = self.failures.get((request.method, request.path))
        if waiting:
            return waiting.pop(0)
        response = await handler(request)
        reset = str(int(datetime.now(UTC).timestamp()) + 900)
        left = {"x-rate-limit-limit": "900", "x-rate-limit-remaining": "899"}
        response.headers.update(left | {"x-rate-limit-reset": reset})
        return response

    def _refused(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if self.bearer is None:
            return None if self._is_signed(request, given) else problem(401, "Unauthorized")
        if given != f"Bearer {self.bearer}":
            return problem(401, "Unauthorized")
        path = request.path.replace(f"/{OWNER}", "")
        kind = f"{request.method} {path}"
        wanted = next(scopes for each, scopes in SCOPES.items() if kind.startswith(each))
        if set(wanted.split()) <= set(self.granted.split()):
            return None
        return problem(403, "Forbidden")

    def _is_signed(self, request: web.Request, header: str) -> bool:
        given = {
            key: value.strip('"')
            for key, _, value in (
                part.strip().partition("=") for part in header.removeprefix("OAuth ").split(",")
            )
        }
        path, _, query = request.raw_path.partition("?")
        signature = given.pop("oauth_signature", "")
        pairs = [*given.items()]
        pairs += [(_q(key), _q(value)) for key, value in parse_qsl(query, keep_blank_values=True)]
        joined = "&".join(f"{key}={value}" for key, value in sorted(pairs))
        base = "&".join((request.method, _q(f"http://{request.host}{path}"), _q(joined)))
        key = f"{_q(KEYS[1])}&{_q(KEYS[3])}".encode()
        right = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        fresh = given.get("oauth_nonce", "") not in self.nonces
        self.nonces.add(given.get("oauth_nonce", ""))
        known = (given.get("oauth_consumer_key"), given.get("oauth_token"))
        return _q(right) == signature and fresh and known == (_q(KEYS[0]), _q(KEYS[2]))

    async def _me(self, request: web.Request) -> web.Response:
        user: dict[str, object] = {"id": OWNER, "name": "Ada", "username": "ada"}
        if "protected" in request.query.get("user.fields", ""):
            user["protected"] = self.protected
        return web.json_response({"data": user})

    def _misunderstood(self, query: Any) -> bool:
        theirs = {"post": "tweet.fields", "tweet": "post.fields"}[self.vocabulary]
        return theirs in query and not self.ignores_unknown

    async def _timeline(self, request: web.Request) -> web.Response:
        query = request.query
        size = int(query.get("max_results", "10"))
        if self._misunderstood(query) or not 5 <= size <= 100:
            return problem(400, "Invalid Request")
        found = sorted(self.posts, key=lambda post: -int(post.id))
        if "since_id" in query:
            found = [post for post in found if int(post.id) > int(query["since_id"])]
        if "start_time" in query:
            start = datetime.fromisoformat(query["start_time"])
            found = [post for post in found if post.at >= start]
        first = int(query.get("pagination_token", "p0").removeprefix("p"))
        page = found[first : first + size]
        if not page:
            return web.json_response({"meta": {"result_count": 0}})
        meta: dict[str, object] = {"result_count": len(page), "newest_id": page[0].id}
        if first + len(page) < len(found):
            meta["next_token"] = f"p{first + len(page)}"
        self.bill += [("owned read", 0.001)] * len(page)
        return web.json_response(shown(self, page, query) | {"meta": meta})

    async def _one(self, request: web.Request) -> web.Response:
        if self._misunderstood(request.query):
            return problem(400, "Invalid Request")
        wanted = request.match_info["id"]
        post = self.find(wanted)
        if post is None:
            return web.json_response({"errors": [not_found(wanted)]})
        self.bill.append(("post read", 0.005))
        answer = shown(self, [post], request.query)
        return web.json_response(answer | {"data": answer["data"][0]})

    def find(self, wanted: str) -> XPost | None:
        """The post that has, or had, this id."""
        return next((post for post in self.posts if wanted in post.chain), None)

    async def _create(self, request: web.Request) -> web.Response:
        body = request[BODY]
        refused = self._refused_post(body)
        if refused is not None:
            return refused
        old = self.find(body.get("edit_options", {}).get("previous_post_id", ""))
        media = [self.files.by_id[each] for each in body.get("media", {}).get("media_ids", [])]
        parent = body.get("reply", {}).get("in_reply_to_tweet_id")
        made: dict[str, Any] = {
            "refs": [{"type": "replied_to", "id": parent}] if parent else [],
            "media": media,
            "poll": body.get("poll"),
            "by_api": True,
        }
        if old is None:
            post = self.write(body["text"], **made)
        else:
            post = self.edit(old, body["text"], media=media)
        link = "://" in body["text"]
        self.bill.append(("create with link" if link else "create", 0.2 if link else 0.015))
        data = {"id": post.id, "text": body["text"], "edit_history_tweet_ids": [""]}
        return web.json_response({"data": data}, status=201)

    def _refused_post(self, body: dict[str, Any]) -> web.Response | None:
        allowed = {"text", "reply", "media", "poll", "edit_options", "reply_settings"}
        media = body.get("media", {}).get("media_ids", [])
        wrong = set(body) - allowed or not isinstance(body.get("text"), str)
        if wrong or ("poll" in body and media) or not (body["text"] or media):
            return problem(400, "Invalid Request")
        files = [self.files.by_id.get(each) for each in media]
        if not all(file is not None and file.ready for file in files):
            return problem(400, "Your media IDs are invalid.")
        moving = [file for file in files if file is not None and file.category != "tweet_image"]
        if len(files) > 4 or (moving and len(files) > 1):
            return problem(400, "Invalid Request")
        return self._forbidden_post(body)

    def _forbidden_post(self, body: dict[str, Any]) -> web.Response | None:
        old = body.get("edit_options", {}).get("previous_post_id")
        if old is not None and (not self.premium or self.find(old) is None):
            return problem(403, "You are not permitted to perform this action.")
        same = [post.text for post in self.posts if post.chain[-1] != old]
        if "media" not in body and body["text"] in same:
            return problem(403, "You are not allowed to create a Tweet with duplicate content.")
        parent = body.get("reply", {}).get("in_reply_to_tweet_id")
        if parent is not None and self.find(parent) is None:
            words = "You attempted to reply to a Tweet that is deleted or not visible to you."
            return problem(403, words)
        return None

    async def _delete(self, request: web.Request) -> web.Response:
        post = self.find(request.match_info["id"])
        self.bill.append(("delete", 0.01))
        if post is not None:
            self.delete(post)
        return web.json_response({"data": {"deleted": True}})

    async def _repost(self, request: web.Request) -> web.Response:
        wanted = request[BODY].get("tweet_id")
        if self.find(str(wanted)) is None:
            return web.json_response({"errors": [not_found(str(wanted))]})
        refs = [{"type": "retweeted", "id": str(wanted)}]
        self.write("RT @ada: …", refs=refs, by_api=True)
        self.bill.append(("repost", 0.015))
        return web.json_response({"data": {"retweeted": True, "rest_id": "1"}})

    async def _unrepost(self, request: web.Request) -> web.Response:
        refs = [{"type": "retweeted", "id": request.match_info["id"]}]
        for post in [post for post in self.posts if post.refs == refs]:
            self.delete(post)
        return web.json_response({"data": {"retweeted": False}})

    async def _upload(self, request: web.Request) -> web.Response:
        content = request[FILE].file.read()
        if request[BODY].get("media_category") != "tweet_image" or len(content) > 5 << 20:
            return problem(400, "Invalid Request")
        file = self.files.made("tweet_image", request[FILE].content_type, content)
        file.ready = True
        self.bill.append(("upload", 0.015))
        data = {"id": file.id, "media_key": f"3_{file.id}", "expires_after_secs": 86400}
        return web.json_response({"data": data | {"size": len(content)}})

    async def _initialize(self, request: web.Request) -> web.Response:
        body = request[BODY]
        file = self.files.made(body["media_category"], body["media_type"], b"")
        file.announced = body["total_bytes"]
        return web.json_response({"data": {"id": file.id, "expires_after_secs": 86400}})

    async def _append(self, request: web.Request) -> web.Response:
        file = self.files.by_id.get(request.match_info["id"])
        content = request[FILE].file.read()
        if file is None or int(request[BODY]["segment_index"]) != file.segments:
            return problem(400, "Invalid Request")
        if len(content) > 5 << 20:
            return problem(413, "Payload Too Large")
        file.content += content
        file.segments += 1
        return web.json_response({"data": {"expires_at": 1}})

    async def _finalize(self, request: web.Request) -> web.Response:
        file = self.files.by_id.get(request.match_info["id"])
        if file is None or len(file.content) != file.announced:
            return problem(400, "Invalid Request")
        file.looks_left = 1
        self.bill.append(("upload", 0.015))
        return web.json_response({"data": self._told(file)})

    async def _status(self, request: web.Request) -> web.Response:
        file = self.files.by_id.get(request.query.get("media_id", ""))
        if file is None:
            return problem(404, "Not Found")
        file.looks_left -= 1
        return web.json_response({"data": self._told(file)})

    def _told(self, file: XFile) -> dict[str, Any]:
        told: dict[str, Any] = {"id": file.id, "media_key": f"7_{file.id}"}
        state = ["succeeded", "in_progress", "pending"][max(file.looks_left, 0)]
        told["processing_info"] = {"state": state}
        if state == "succeeded":
            file.ready = True
            told["processing_info"]["progress_percent"] = 100
        else:
            told["processing_info"]["check_after_secs"] = 1
        return told

    async def _metadata(self, request: web.Request) -> web.Response:
        body = request[BODY]
        file = self.files.by_id.get(str(body.get("id")))
        if file is None:
            return problem(400, "Invalid Request")
        alt = body["metadata"].get("alt_text")
        if alt is not None:
            if set(alt) != {"text"} or len(alt["text"]) > 1000:
                return problem(400, "Invalid Request")
            file.alt = alt["text"]
        file.warned = bool(body["metadata"].get("sensitive_media_warning"))
        self.bill.append(("metadata", 0.005))
        return web.json_response({"data": {"id": file.id, "associated_metadata": {}}})

    async def _file(self, request: web.Request) -> web.Response:
        file = self.files.by_id[request.match_info["key"].partition(".")[0]]
        return web.Response(body=file.content, content_type=file.mime)


def problem(status: int, detail: str) -> web.Response:
    """An error as X words it."""
    body = {"title": detail, "detail": detail, "type": "about:blank", "status": status}
    return web.json_response(body, status=status, content_type="application/problem+json")


def not_found(post: str) -> dict[str, object]:
    """What stands in `errors` of an answer with status 200."""
    return {
        "value": post,
        "detail": f"Could not find tweet with id: [{post}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "id",
        "resource_id": post,
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }


def _q(text: str) -> str:
    return quote(text, safe="~")
