"""X as its published documents describe it, in as few lines as the black-box tests need.

Written without a look at the sandbox or the adapter, so that a misreading which those two share
shows here. Knows one account; must not be more lenient than the documents.
"""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from aiohttp import web

OWNER = "1500000000000000001"
KEYS = ("consumer-key", "consumer-secret", "access-token", "access-secret")
_EPOCH_MS = 1288834974657


@dataclass
class Tweet:
    """One post, `text` as it was typed. `chain` is every id that its edits have had."""

    id: str
    text: str
    at: datetime
    refs: list[dict[str, str]] = field(default_factory=list)
    by_api: bool = False
    chain: list[str] = field(default_factory=list)


@dataclass
class PlainX:
    """One account. `vocabulary` is the only one understood: ``post`` or ``tweet``.

    `empty` is the body of an answer without posts; `hangs_after` is how many posts are created
    before the next one is created as well, but never answered.
    """

    vocabulary: str = "post"
    empty: dict[str, Any] = field(default_factory=lambda: {"meta": {"result_count": 0}})
    protected: bool = False
    hangs_after: int | None = None
    tweets: list[Tweet] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)

    def write(self, text: str, *, age: timedelta = timedelta(), **more: Any) -> Tweet:
        """Put a post on the timeline."""
        at = datetime.now(UTC) - age
        number = (int(at.timestamp() * 1000) - _EPOCH_MS) << 22
        taken = {int(tweet.id) for tweet in self.tweets}
        while number in taken:
            number += 1
        tweet = Tweet(str(number), text, at, **more)
        tweet.chain = [*tweet.chain, tweet.id]
        self.tweets.append(tweet)
        return tweet

    def edit(self, tweet: Tweet, text: str) -> Tweet:
        """An edit is a new post that takes the old one's place and names it."""
        self.tweets.remove(tweet)
        edited = self.write(text, refs=tweet.refs, chain=tweet.chain, by_api=tweet.by_api)
        edited.at = tweet.at
        return edited

    def mirrors(self) -> list[str]:
        """The texts that came through the API, in order."""
        return [tweet.text for tweet in self.tweets if tweet.by_api]

    def asked(self, method: str, path: str) -> list[dict[str, str]]:
        """The queries of all requests to `path`."""
        return [query for m, p, query in self.requests if (m, p) == (method, path)]

    @property
    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[self._signed])
        app.router.add_get("/2/users/me", self._me)
        app.router.add_get(f"/2/users/{OWNER}/tweets", self._timeline)
        app.router.add_post("/2/tweets", self._create)
        return app

    @web.middleware
    async def _signed(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        given = {
            key: value.strip('"')
            for key, _, value in (
                part.strip().partition("=")
                for part in request.headers["Authorization"].removeprefix("OAuth ").split(",")
            )
        }
        path, _, query = request.raw_path.partition("?")
        signature = given.pop("oauth_signature")
        pairs = list(given.items())
        pairs += [(_q(key), _q(value)) for key, value in parse_qsl(query, keep_blank_values=True)]
        sorted_pairs = "&".join(f"{key}={value}" for key, value in sorted(pairs))
        base = "&".join((request.method, _q(f"http://{request.host}{path}"), _q(sorted_pairs)))
        key = f"{_q(KEYS[1])}&{_q(KEYS[3])}".encode()
        right = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()
        if _q(right) != signature or given["oauth_nonce"] in self.nonces:
            return _problem(401, "Unauthorized")
        self.nonces.add(given["oauth_nonce"])
        return await handler(request)

    async def _me(self, request: web.Request) -> web.Response:
        user: dict[str, object] = {"id": OWNER, "name": "Ada", "username": "ada"}
        if "protected" in request.query.get("user.fields", ""):
            user["protected"] = self.protected
        return web.json_response({"data": user})

    async def _timeline(self, request: web.Request) -> web.Response:
        query = request.query
        theirs = {"post": "tweet.fields", "tweet": "post.fields"}[self.vocabulary]
        if theirs in query or not 5 <= int(query.get("max_results", "10")) <= 100:
            return _problem(400, "Invalid Request")
        fields = set(query.get(f"{self.vocabulary}.fields", "").split(","))
        expansions = set(query.get("expansions", "").split(","))
        found = sorted(self.tweets, key=lambda tweet: -int(tweet.id))
        if "since_id" in query:
            found = [tweet for tweet in found if int(tweet.id) > int(query["since_id"])]
        if "start_time" in query:
            start = datetime.fromisoformat(query["start_time"])
            found = [tweet for tweet in found if tweet.at >= start]
        first = int(query.get("pagination_token", "0"))
        page = found[first : first + int(query.get("max_results", "10"))]
        if not page:
            return web.json_response(self.empty)
        meta: dict[str, object] = {"result_count": len(page), "newest_id": page[0].id}
        if first + len(page) < len(found):
            meta["next_token"] = str(first + len(page))
        data = [self._shown(tweet, fields, expansions) for tweet in page]
        return web.json_response({"data": data, "meta": meta})

    def _shown(self, tweet: Tweet, fields: set[str], expansions: set[str]) -> dict[str, Any]:
        old = self.vocabulary == "tweet"
        shown: dict[str, Any] = {"id": tweet.id, "text": _escaped(tweet.text), "unheard_of": None}
        if old:
            shown["edit_history_tweet_ids"] = tweet.chain
        elif "edit_history_post_ids" in expansions:
            shown["edit_history_post_ids"] = tweet.chain
        if "created_at" in fields:
            shown["created_at"] = f"{tweet.at:%Y-%m-%dT%H:%M:%S}.{tweet.at.microsecond // 1000:03}Z"
        if tweet.refs and (
            "referenced_tweets" in fields if old else "referenced_posts" in expansions
        ):
            shown["referenced_tweets" if old else "referenced_posts"] = tweet.refs
        if old and tweet.refs and "in_reply_to_user_id" in fields:
            shown["in_reply_to_user_id"] = OWNER
        return shown

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if set(body) - {"text", "reply"} or not isinstance(body.get("text"), str):
            return _problem(400, "Invalid Request")
        if re.search(r"(?<![\w@/])@\w{1,15}(?![\w@])", body["text"]):
            return _problem(403, "Creating posts with @mentions is not allowed")
        if body["text"] in [tweet.text for tweet in self.tweets]:
            return _problem(403, "You are not allowed to create a Tweet with duplicate content.")
        refs = []
        if "reply" in body:
            parent = body["reply"]["in_reply_to_tweet_id"]
            if parent not in [tweet.id for tweet in self.tweets]:
                return _problem(403, "You attempted to reply to a Tweet that is deleted")
            refs = [{"type": "replied_to", "id": parent}]
        tweet = self.write(body["text"], refs=refs, by_api=True)
        if self.hangs_after is not None and len(self.mirrors()) > self.hangs_after:
            self.hangs_after = None
            await asyncio.sleep(3600)
        data = {"id": tweet.id, "text": _escaped(tweet.text), "edit_history_tweet_ids": [""]}
        return web.json_response({"data": data}, status=201)


def _q(text: str) -> str:
    return quote(text, safe="~")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _problem(status: int, detail: str) -> web.Response:
    body = {"title": detail, "detail": detail, "type": "about:blank", "status": status}
    return web.json_response(body, status=status, content_type="application/problem+json")
