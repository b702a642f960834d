"""What the tests of X's adapter stand on: clocks, a token shelf, and servers that answer oddly."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from bridge.core.model import PostId
from bridge.net.session import open_session
from bridge.networks.x.adapter import XAdapter
from bridge.networks.x.settings import (
    DialectName,
    OAuth1Credentials,
    OAuth2Credentials,
    XSettings,
)
from bridge.ports import Clock, TokenStore
from bridge.sandbox.server import serve
from bridge.sandbox.x import XAccount, XSandbox
from tests.fixtures.x import ServedX


class MachineClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Shelf:
    """A token store in memory that keeps every version it was given; `full` is a full disk."""

    saved: dict[str, dict[str, str]] = field(default_factory=dict)
    saves: list[dict[str, str]] = field(default_factory=list)
    full: bool = False
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def load(self, name: str) -> dict[str, str] | None:
        return self.saved.get(name)

    def save(self, name: str, values: dict[str, str]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.saved[name] = dict(values)
        self.saves.append(dict(values))

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        async with self.locks.setdefault(name, asyncio.Lock()):
            yield


Reply = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as a server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


@dataclass
class OddX:
    """A server that says what it is told: replies by route, each used once, the last for ever."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def says(self, route: str, *replies: Reply) -> None:
        self.replies[route] = list(replies)

    def asked(self, route: str) -> list[Seen]:
        return [each for each in self.seen if f"{each.method} {each.path}" == route]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query, headers = dict(request.query), dict(request.headers)
        body = (await request.read()).decode(errors="replace")
        self.seen.append(Seen(request.method, request.path, query, headers, body))
        scripted = self.replies.get(f"{request.method} {request.path}")
        if not scripted:
            return web.Response(status=404)
        reply = scripted.pop(0) if len(scripted) > 1 else scripted[0]
        if isinstance(reply, web.Response):
            return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        assert not isinstance(reply, web.StreamResponse)
        return await reply(request)


ME, TIMELINE, CREATE, TOKEN = (
    "GET /2/users/me",
    "GET /2/users/7/tweets",
    "POST /2/tweets",
    "POST /2/oauth2/token",
)
KEYS = OAuth1Credentials("ck-canary-1", "cs-canary-2", "at-canary-3", "as-canary-4")


@asynccontextmanager
async def odd_x() -> AsyncIterator[OddX]:
    """An `OddX` that knows its account, ``ada`` with the id 7, and nothing else yet."""
    odd = OddX()
    app = web.Application(client_max_size=32 << 20)
    app.router.add_route("*", "/{anything:.*}", odd.handle)
    odd.says(ME, problem(200, data={"id": "7", "username": "ada", "protected": False}))
    async with serve(app) as odd.url:
        yield odd


def problem(status: int, headers: Mapping[str, str] | None = None, **body: object) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def page(*posts: Mapping[str, object], token: str | None = None, **more: object) -> web.Response:
    """A page of a timeline; newest first, as X has them."""
    meta: dict[str, object] = {"result_count": len(posts)}
    if token is not None:
        meta["next_token"] = token
    data = {"data": list(posts)} if posts else {}
    return web.json_response({**data, "meta": meta, **more})


def old_post(
    post_id: int, at: str = "2026-11-22T12:00:00.000Z", **more: object
) -> dict[str, object]:
    """A post in the older vocabulary, complete."""
    return {
        "id": str(post_id),
        "text": f"post {post_id}",
        "author_id": "7",
        "created_at": at,
        "conversation_id": str(post_id),
        "edit_history_tweet_ids": [str(post_id)],
        "lang": "en",
        "possibly_sensitive": False,
        **more,
    }


@asynccontextmanager
async def adapter_for(
    url: str,
    credentials: OAuth1Credentials | OAuth2Credentials = KEYS,
    *,
    dialect: DialectName = "auto",
    clock: Clock | None = None,
    store: TokenStore | None = None,
    read_timeout: float = 5,
    premium: bool = False,
    max_length: int = 280,
) -> AsyncIterator[XAdapter]:
    settings = XSettings(
        url, credentials=credentials, dialect=dialect, premium=premium, max_length=max_length
    )
    async with open_session(user_agent="twinpost-tests", read_timeout=read_timeout) as session:
        adapter = XAdapter(
            settings,
            session=session,
            clock=clock or MachineClock(),
            tokens=store or Shelf(),
            token_name="x",
        )
        try:
            yield adapter
        finally:
            await adapter.close()


@asynccontextmanager
async def served_x(
    dialect: str = "both", *, confidential: bool = True, premium: bool = False
) -> AsyncIterator[ServedX]:
    """The strict stand-in, with one account, ``ada``."""
    sandbox = XSandbox(dialect=dialect)
    account = sandbox.add_account("ada", "Ada Lovelace", confidential=confidential, premium=premium)
    async with serve(sandbox.app) as url:
        yield ServedX(sandbox, url, account)


def oauth1_of(account: XAccount) -> OAuth1Credentials:
    keys = account.oauth1
    return OAuth1Credentials(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )


def oauth2_of(account: XAccount) -> OAuth2Credentials:
    keys = account.oauth2
    return OAuth2Credentials(
        keys.client_id, keys.access_token, keys.refresh_token, keys.client_secret or None
    )


async def nothing_known(ids: Collection[PostId]) -> frozenset[PostId]:
    return frozenset()
