"""Servers that are odd on purpose: what the sandbox, being one good server, cannot be."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from bridge.core.draft import DraftPart
from bridge.core.model import PostId
from bridge.core.prices import FREE
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.settings import MastodonSettings
from bridge.ports import Clock

TOKEN = "t0ken-canary-5f1c"
START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
STOCK: dict[str, object] = {
    "version": "4.7.3",
    "source_url": "https://github.com/mastodon/mastodon",
    "configuration": {"statuses": {"max_characters": 500, "characters_reserved_per_url": 23}},
}
UNHEARD_OF: dict[str, object] = {"version": "1.0 (compatible; Unheard-Of 3)"}

Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


class ManualClock:
    """Time that passes only when told to, or when somebody sleeps."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self.ticks = 0.0
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.pass_time(seconds)
        await asyncio.sleep(0)

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks += seconds


def status(post_id: str, minutes: float, **fields: object) -> dict[str, object]:
    """A status created so many minutes after `START`."""
    return {
        "id": post_id,
        "created_at": (START + timedelta(minutes=minutes)).isoformat(),
        "account": {"id": "me", "acct": "me"},
        "content": f"<p>{post_id}</p>",
        "visibility": "public",
        "spoiler_text": "",
        "sensitive": False,
        "url": f"https://odd.example/@me/{post_id}",
        "in_reply_to_id": None,
        "reblog": None,
        "edited_at": None,
        **fields,
    }


@dataclass
class OddServer:
    """A server whose `listing` (newest first) is paged in the way its fields say."""

    listing: list[dict[str, object]] = field(default_factory=list)
    instance: Mapping[str, object] | None = None
    min_id: str = "honoured"
    """Or ``ignored``, ``since`` (the newest after it), ``refused``, ``looked up`` (nothing after an
    id that is not there)."""
    max_id: str = "honoured"
    cap: int = 10
    """The most posts on a page: small, so that few posts fill many."""
    ascending: bool = False
    sources: dict[str, object] = field(default_factory=dict)
    special: dict[tuple[str, str], Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.method in {"POST", "PUT"}:
            is_json = request.content_type == "application/json"
            self.bodies.append(await request.json() if is_json else dict(await request.post()))
        special = self.special.get((request.method, request.path))
        if special is not None:
            return await special(request)
        path = request.path
        if path == "/api/v1/accounts/verify_credentials":
            return web.json_response({"id": "me", "acct": "me", "url": f"{self.url}/@me"})
        if path == "/api/v2/instance" and self.instance is not None:
            return web.json_response(self.instance)
        if path == "/api/v1/accounts/me/statuses":
            return self._page(request)
        if path.endswith("/source") and path.split("/")[-2] in self.sources:
            post_id = path.split("/")[-2]
            return web.json_response({"id": post_id, "text": self.sources[post_id]})
        return web.json_response({"error": "Record not found"}, status=404)

    def _page(self, request: web.Request) -> web.Response:
        query, rows = request.query, self.listing
        ids = [row.get("id") for row in rows]
        limit = min(int(query.get("limit", "20")), self.cap)
        if (lower := query.get("min_id")) is not None:
            if self.min_id == "refused":
                return web.json_response({"error": "bad id"}, status=400)
            if self.min_id == "looked up" and lower not in ids:
                rows = []
            elif self.min_id != "ignored":
                rows = rows[: ids.index(lower)] if lower in ids else rows
                rows = rows[:limit] if self.min_id == "since" else rows[-limit:]
        if (upper := query.get("max_id")) is not None and self.max_id == "honoured":
            rows = rows[ids.index(upper) + 1 :] if upper in ids else []
        page = rows[:limit]
        return web.json_response(page[::-1] if self.ascending else page)

    def pages_asked(self) -> list[str]:
        return [line for line in self.asked if "/statuses?" in line]


@asynccontextmanager
async def serving(server: OddServer) -> AsyncIterator[OddServer]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = site_url(runner)
    try:
        yield server
    finally:
        await runner.cleanup()


def site_url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def adapter_at(
    url: str, clock: Clock | None = None, token: str = TOKEN
) -> AsyncIterator[MastodonAdapter]:
    async with aiohttp.ClientSession() as session:
        adapter = MastodonAdapter(
            MastodonSettings(url, token),
            session=session,
            clock=clock or ManualClock(),
            jitter=lambda: 0.0,
        )
        try:
            yield adapter
        finally:
            await adapter.close()


@asynccontextmanager
async def odd(
    server: OddServer, clock: ManualClock | None = None
) -> AsyncIterator[MastodonAdapter]:
    async with serving(server), adapter_at(server.url, clock) as adapter:
        yield adapter


def knowing(ids: Iterable[str]) -> Callable[[Collection[PostId]], Awaitable[frozenset[PostId]]]:
    """A ledger that has dealt with `ids`."""
    dealt_with = frozenset(ids)

    async def known(asked: Collection[PostId]) -> frozenset[PostId]:
        return frozenset(asked) & frozenset(PostId(each) for each in dealt_with)

    return known


def part(text: str = "hello", **fields: object) -> DraftPart:
    given: dict[str, object] = {"index": 0, "text": text, "price": FREE} | fields
    return DraftPart(**given)  # type: ignore[arg-type] # fields of a test


@asynccontextmanager
async def raw_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server of bytes: `talk` is given each connection; gives the address to speak to."""
    talks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        if talks:
            await asyncio.wait(talks, timeout=2)
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> str:
    """The head of one request, its body read past."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            await reader.readexactly(int(value))
    return head


def http(body: bytes, *headers: str, status_line: str = "200 OK") -> bytes:
    lines = (f"HTTP/1.1 {status_line}", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join((*lines, "Connection: close", "", "")).encode() + body


async def until_true(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something that another task is about to do."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
