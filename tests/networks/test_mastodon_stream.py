"""Listening: woken by what concerns the account, again after every loss, and never for nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from bridge.core.model import AccountId
from bridge.networks.mastodon.stream import LARGEST_EVENT, Stream, backoff
from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.mastodon.profiles import ProfileName
from bridge.sandbox.server import serve
from tests.networks.mastodon_servers import (
    STOCK,
    TOKEN,
    ManualClock,
    OddServer,
    adapter_at,
    serving,
    until_true,
)

WS = ("GET", "/api/v1/streaming")
SSE = ("GET", "/api/v1/streaming/user")
Send = Callable[[str], Awaitable[None]]


class Wakes:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    async def reach(self, count: int) -> None:
        await until_true(lambda: self.count >= count)


@asynccontextmanager
async def listening(
    server: OddServer, clock: ManualClock | None = None, wakes: Wakes | None = None
) -> AsyncIterator[tuple[Wakes, "asyncio.Task[None]"]]:
    wakes = wakes or Wakes()
    async with serving(server), adapter_at(server.url, clock) as adapter:
        task = asyncio.create_task(adapter.listen(wakes))
        try:
            yield wakes, task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def event(name: str, payload: object) -> str:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return json.dumps({"stream": ["user"], "event": name, "payload": text})


def by(account: str) -> dict[str, object]:
    return {"id": "1", "account": {"id": account}}


def websocket(talk: Callable[[web.WebSocketResponse], Awaitable[None]]) -> OddServer:
    """A server whose stream says what `talk` says, then waits for the client to go."""

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        return socket

    return OddServer(instance=STOCK, special={WS: handler})


def events(talk: Callable[[web.StreamResponse], Awaitable[None]]) -> OddServer:
    """The same by server-sent events; WebSocket is not offered."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await talk(response)
        with suppress(ConnectionError):
            await asyncio.sleep(30)
        return response

    return OddServer(instance=STOCK, special={SSE: handler})


HEARD = [
    (event("update", by("me")), True),
    (event("status.update", by("me")), True),
    (event("delete", "01HXULIDNOTANUMBER"), True),
    (event("update", by("you")), False),
    (event("status.update", by("you")), False),
    (event("notification", by("me")), False),
    (event("filters_changed", ""), False),
    (event("update", "no JSON"), False),
    (event("update", "[" * 50_000), False),
    (event("update", {"account": None}), False),
    ("no JSON", False),
    ("[]", False),
    ("[" * 50_000, False),
    ("{}", False),
]


@pytest.mark.parametrize(("frame", "wakes_up"), HEARD)
async def test_what_concerns_the_account_wakes_and_nothing_else(frame: str, wakes_up: bool) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str(frame)
        # What surely wakes, to know that the other has been heard.
        await socket.send_str(event("update", by("me")))

    async with listening(websocket(talk)) as (wakes, _):
        expected = 3 if wakes_up else 2
        await wakes.reach(expected)
        await asyncio.sleep(0.02)
        assert wakes.count == expected


NAMED = [
    (event("delete", "01HXULIDNOTANUMBER"), ["01HXULIDNOTANUMBER"]),
    (event("delete", '"114"'), ["114"]),
    (event("delete", " 114\n"), ["114"]),
    (event("status.update", by("me")), ["1"]),
    (event("status.update", by("you")), []),
    (event("update", by("me")), []),
    (event("delete", ""), []),
    (event("delete", "1" * 100_000), []),
    (event("status.update", {"account": {"id": "me"}}), []),
    ("[]", []),
]


@pytest.mark.parametrize("way", [websocket, events], ids=["WebSocket", "server-sent events"])
@pytest.mark.parametrize(("frame", "named"), NAMED)
async def test_a_stream_names_what_was_edited_or_deleted(
    frame: str, named: list[str], way: Callable[..., OddServer]
) -> None:
    told = json.loads(frame)
    name, payload = (told["event"], told["payload"]) if isinstance(told, dict) else ("", frame)
    last = event("delete", "last")

    async def talk(stream: web.WebSocketResponse | web.StreamResponse) -> None:
        if isinstance(stream, web.WebSocketResponse):
            await stream.send_str(frame)
            await stream.send_str(last)
        else:
            said = "\n".join(f"data: {line}" for line in payload.split("\n"))
            await stream.write(f"event: {name}\n{said}\n\nevent: delete\ndata: last\n\n".encode())

    changed: list[str] = []
    async with serving(way(talk)) as server, adapter_at(server.url) as adapter:
        task = asyncio.create_task(adapter.listen(Wakes(), changed.append))
        await until_true(lambda: "last" in changed)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert changed == [*named, "last"]


async def test_a_stream_does_not_name_what_is_known_to_be_somebody_elses() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str(event("update", by("you")))
        await socket.send_str(event("delete", "1"))
        await socket.send_str(event("delete", "last"))

    changed: list[str] = []
    async with serving(websocket(talk)) as server, adapter_at(server.url) as adapter:
        task = asyncio.create_task(adapter.listen(Wakes(), changed.append))
        await until_true(lambda: bool(changed))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert changed == ["last"]


async def test_connecting_wakes_because_nobody_listened_before() -> None:
    async def silent(socket: web.WebSocketResponse) -> None:
        return

    async with listening(websocket(silent)) as (wakes, _):
        await wakes.reach(1)


async def test_deletions_of_strangers_by_the_thousand_wake_once() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for number in range(1000):
            await socket.send_str(event("delete", str(number)))
        await socket.send_str(event("update", by("me")))

    async with listening(websocket(talk)) as (wakes, _):
        await wakes.reach(3)
        assert wakes.count == 3


async def test_deletions_of_posts_seen_before_wake_if_they_are_ours_and_only_then() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for number in range(20):
            whose = "me" if number < 5 else "you"
            await socket.send_str(event("update", {"id": number, "account": {"id": whose}}))
        for number in range(20):
            await socket.send_str(event("delete", str(number)))
        await socket.send_str(event("update", by("me")))

    # Connecting, five own posts, their five deletions, and what ends it.
    async with listening(websocket(talk)) as (wakes, _):
        await wakes.reach(12)
        await asyncio.sleep(0.02)
        assert wakes.count == 12


async def test_whose_posts_are_is_not_remembered_for_ever() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for number in range(5000):
            await socket.send_str(event("update", {"id": number, "account": {"id": "you"}}))
        # Forgotten, so it might be ours.
        await socket.send_str(event("delete", "0"))

    async with listening(websocket(talk)) as (wakes, _):
        await wakes.reach(2)


async def test_every_loss_is_followed_by_a_wait_and_a_wake() -> None:
    async def drop(socket: web.WebSocketResponse) -> None:
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.close()

    clock = ManualClock()
    async with listening(websocket(drop), clock) as (wakes, task):
        await wakes.reach(5)
        assert not task.done()
    assert clock.sleeps[:4] == [1.0, 2.0, 4.0, 8.0]


async def test_a_connection_that_lasted_makes_the_next_loss_the_first_again() -> None:
    clock, wakes = ManualClock(), Wakes()
    connections = 0

    async def last(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        await wakes.reach(connections)
        clock.pass_time(3600)
        await socket.close()

    async with listening(websocket(last), clock, wakes):
        await wakes.reach(4)
    assert set(clock.sleeps[:3]) == {1.0}


@pytest.mark.parametrize("code", [500, 502, 503, 429])
async def test_a_server_out_of_order_is_tried_again(code: int) -> None:
    attempts = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal attempts
        attempts += 1
        if attempts < 4:
            return web.Response(status=code)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    server = OddServer(instance=STOCK, special={WS: handler})
    async with listening(server, ManualClock()) as (wakes, _):
        await wakes.reach(1)
    assert attempts == 4


async def test_a_stream_that_stays_away_is_said_once_and_once_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    attempts = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal attempts
        attempts += 1
        if attempts <= 10:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if attempts > 12:
            await socket.receive()
        return socket

    server = OddServer(instance=STOCK, special={WS: handler})
    async with listening(server, ManualClock()) as (wakes, _):
        await wakes.reach(3)
    said = [record.message for record in caplog.records if "stream is" in record.message]
    assert said == [
        "the stream is lost; new posts are found by polling until it is back",
        "the stream is back",
    ]


@pytest.mark.parametrize("code", [404, 405, 400, 501, 200, 302])
async def test_where_streaming_is_not_offered_listening_returns(code: int) -> None:
    async def no(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text="no", headers={"Location": "/nowhere"})

    server = OddServer(instance=STOCK, special={WS: no, SSE: no})
    async with listening(server) as (wakes, task):
        async with asyncio.timeout(5):
            await task
        assert wakes.count == 0


async def test_what_worked_once_is_not_given_up_for_a_404_in_passing() -> None:
    attempts = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    server = OddServer(instance=STOCK, special={WS: handler})
    async with listening(server, ManualClock()) as (wakes, task):
        await wakes.reach(3)
        assert not task.done()
    assert not [line for line in server.asked if line.endswith("/user")]


@pytest.mark.parametrize("code", [401, 403])
async def test_a_token_that_may_not_stream_ends_it_with_one_line(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    async def no(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "no"}, status=code)

    async with listening(OddServer(instance=STOCK, special={WS: no})) as (wakes, task):
        async with asyncio.timeout(5):
            await task
        assert wakes.count == 0
    lines = [record for record in caplog.records if record.name.startswith("bridge")]
    assert len(lines) == 1
    assert TOKEN not in caplog.text


class TestServerSentEvents:
    async def test_are_used_where_there_is_no_websocket(self) -> None:
        async def talk(response: web.StreamResponse) -> None:
            await response.write(b":)\n\n:thump\n")
            await response.write(b"event: update\r\ndata: " + json.dumps(by("me")).encode())
            await response.write(b"\r\n\r\nevent:delete\ndata:01HX\n\n")

        async with listening(events(talk)) as (wakes, _):
            await wakes.reach(3)

    async def test_are_put_together_from_pieces_of_any_size(self) -> None:
        async def talk(response: web.StreamResponse) -> None:
            content = {"id": "1", "content": "ü" * 9, "account": {"id": "me"}}
            lines = json.dumps(content, indent=1, ensure_ascii=False).split("\n")
            data = "".join(f"data: {line}\n" for line in lines)
            for byte in f"event: update\n{data}\n".encode():
                await response.write(bytes([byte]))

        async with listening(events(talk)) as (wakes, _):
            await wakes.reach(2)

    @pytest.mark.parametrize("line", [b"data: ", b""])
    async def test_too_large_end_the_connection(self, line: bytes) -> None:
        async def talk(response: web.StreamResponse) -> None:
            with suppress(ConnectionError):
                for _ in range(40):
                    await response.write(line + b"x" * (LARGEST_EVENT // 20) + b"\n" * bool(line))

        clock = ManualClock()
        async with listening(events(talk), clock) as (wakes, _):
            await wakes.reach(2)
        assert clock.sleeps[0] == 1.0

    async def test_of_another_content_type_are_none(self) -> None:
        async def page(request: web.Request) -> web.StreamResponse:
            return web.Response(text="<html>", content_type="text/html")

        async with listening(OddServer(instance=STOCK, special={SSE: page})) as (wakes, task):
            async with asyncio.timeout(5):
                await task
            assert wakes.count == 0


async def test_a_frame_too_large_ends_the_connection_and_the_next_is_made() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        with suppress(ConnectionError):
            await socket.send_str("x" * (LARGEST_EVENT + 10))

    clock = ManualClock()
    async with listening(websocket(talk), clock) as (wakes, _):
        await wakes.reach(2)


async def test_the_token_travels_in_the_header_alone() -> None:
    async def silent(socket: web.WebSocketResponse) -> None:
        return

    server = websocket(silent)
    async with listening(server) as (wakes, _):
        await wakes.reach(1)
    asked = [
        (line, h) for line, h in zip(server.asked, server.headers, strict=True) if WS[1] in line
    ]
    ((line, headers),) = asked
    assert line == "GET /api/v1/streaming?stream=user"
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str({k: v for k, v in headers.items() if k != "authorization"})


async def test_the_stream_is_where_the_server_says_it_is() -> None:
    async def silent(socket: web.WebSocketResponse) -> None:
        return

    streaming = websocket(silent)
    async with serving(streaming):
        named = streaming.url.replace("http:", "ws:")
        server = OddServer(instance=STOCK | {"configuration": {"urls": {"streaming": named}}})
        async with listening(server) as (wakes, _):
            await wakes.reach(1)
    assert not [line for line in server.asked if "streaming" in line]


async def test_a_server_that_is_down_at_first_is_waited_for() -> None:
    async def silent(socket: web.WebSocketResponse) -> None:
        return

    server = websocket(silent)
    failures = 2

    async def flaky(request: web.Request) -> web.StreamResponse:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            return web.Response(status=502)
        return web.json_response({"id": "me", "acct": "me"})

    server.special["GET", "/api/v1/accounts/verify_credentials"] = flaky
    clock = ManualClock()
    async with listening(server, clock) as (wakes, _):
        await wakes.reach(1)
    assert clock.sleeps == [1.0, 2.0]


async def test_a_revoked_token_does_not_listen_at_all() -> None:
    async def revoked(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": "The access token was revoked"}, status=401)

    server = OddServer(instance=STOCK)
    server.special["GET", "/api/v1/accounts/verify_credentials"] = revoked
    async with listening(server) as (_, task):
        async with asyncio.timeout(5):
            await task


def test_waits_double_up_to_five_minutes_and_lose_up_to_half_by_chance() -> None:
    assert [backoff(n, 0.0) for n in (1, 2, 3, 10, 10_000)] == [1.0, 2.0, 4.0, 300.0, 300.0]
    assert backoff(3, 0.999) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("profile", ["mastodon", "gotosocial"])
async def test_own_posts_wake_on_the_sandbox_and_others_do_not(profile: ProfileName) -> None:
    sandbox = MastodonSandbox(profile)
    me, you = sandbox.add_account("me"), sandbox.add_account("you")
    sandbox.follow(me, you)
    wakes = Wakes()
    async with serve(sandbox.app) as url, adapter_at(url, token=me.access_token) as adapter:
        task = asyncio.create_task(adapter.listen(wakes))
        await wakes.reach(1)
        await until_true(lambda: sandbox.streaming.open_streams == 1)
        sandbox.write(you, "not mine")
        sandbox.write(me, "mine")
        await wakes.reach(2)
        assert wakes.count == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("code", [401, 403])
async def test_events_come_by_the_other_way_where_a_websocket_is_refused(code: int) -> None:
    sandbox = MastodonSandbox()
    me = sandbox.add_account("me")
    sandbox.faults.add(Fault(f"refuse-then-{code}", path="^/api/v1/streaming$", times=None))
    wakes = Wakes()
    async with serve(sandbox.app) as url, adapter_at(url, token=me.access_token) as adapter:
        task = asyncio.create_task(adapter.listen(wakes))
        await wakes.reach(1)
        await until_true(lambda: sandbox.streaming.open_streams == 1)
        sandbox.write(me, "mine")
        await wakes.reach(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    asked = [request.path for request in sandbox.faults.requests if "streaming" in request.path]
    assert asked == ["/api/v1/streaming", "/api/v1/streaming/user"]


async def test_a_restart_of_the_sandbox_is_survived() -> None:
    sandbox = MastodonSandbox()
    me = sandbox.add_account("me")
    wakes = Wakes()
    clock = ManualClock()
    async with (
        serve(sandbox.app) as url,
        aiohttp.ClientSession() as session,
    ):
        stream = Stream(
            session, url, me.access_token, AccountId(me.id), clock=clock, jitter=lambda: 0.5
        )
        task = asyncio.create_task(stream.listen(wakes))
        await wakes.reach(1)
        await until_true(lambda: sandbox.streaming.open_streams == 1)
        sandbox.streaming.hang_up()
        await wakes.reach(2)
        await until_true(lambda: sandbox.streaming.open_streams == 1)
        sandbox.write(me, "after the restart")
        await wakes.reach(3)
        sandbox.revoke(me.access_token)
        async with asyncio.timeout(5):
            await task
    assert clock.sleeps[0] == 0.75
