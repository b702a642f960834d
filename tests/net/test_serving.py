"""An HTTP server of ours bounds every request in time, whoever is slow: the client, or we."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bridge.net.bodies import form
from bridge.net.listener import Limits
from bridge.net.serving import lift_time_limit, serving

SHORT, LONG = 0.1, 30.0
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@asynccontextmanager
async def served(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], **limits: float
) -> AsyncIterator[tuple[str, int]]:
    app = web.Application()
    app.router.add_route("*", "/", handler)
    patient = {"head": LONG, "body": LONG, "idle": LONG, "answer": LONG} | limits
    async with serving(app, "127.0.0.1", 0, Limits(**patient), grace=SHORT) as where:  # type: ignore[arg-type]
        yield where


async def said(where: tuple[str, int], request: str) -> bytes:
    """All that comes until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*where)
    writer.write(request.encode())
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


async def greet(request: web.Request) -> web.Response:
    if request.method == "POST":
        await form(request)
    return web.Response(text="hello")


async def never(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("begun", ["", "GET / HT", GET[:-2], "\r\n\r\n"])
async def test_a_request_that_does_not_come_is_not_waited_for(begun: str) -> None:
    async with served(greet, head=SHORT) as where:
        assert await said(where, begun) == b""


async def test_a_body_that_does_not_come_is_not_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\n{FORM}"
    async with served(greet, body=SHORT) as where:
        for begun in ("Content-Length: 9\r\n\r\na=", "Transfer-Encoding: chunked\r\n\r\n5\r\na="):
            assert await said(where, head + begun) == b""
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_between_two_requests_a_client_has_a_while_and_no_more() -> None:
    async with served(greet, idle=SHORT) as where:
        answers = await said(where, GET * 3)
        assert answers.count(b"hello") == 3


async def test_an_answer_that_is_not_taken_is_given_up() -> None:
    async def much(_: web.Request) -> web.Response:
        return web.Response(body=bytes(30_000_000))

    async with served(much, idle=SHORT) as where:
        reader, writer = await asyncio.open_connection(*where, limit=1024)
        writer.write(GET.encode())
        await reader.readexactly(1)
        # Nothing is read for as long as that takes: the stream's buffer is full.
        await asyncio.sleep(3 * SHORT)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(30_000_000)
        writer.close()


async def test_an_answer_that_takes_too_long_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with served(never, answer=SHORT, idle=SHORT) as where:
        assert b" 503 " in await said(where, GET)
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_a_stream_may_go_on_for_longer() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        lift_time_limit(request)
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5):
            await asyncio.sleep(SHORT / 2)
            await response.write(b"tick")
        return response

    async with served(stream, answer=SHORT, idle=SHORT) as where:
        assert (await said(where, GET)).count(b"tick") == 5


async def test_a_fault_of_ours_is_logged_and_one_of_the_client_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_: web.Request) -> web.Response:
        raise RuntimeError("ours")

    async with served(broken, idle=SHORT) as where:
        assert b" 400 " in await said(where, "no HTTP at all\r\n\r\n")
        assert not caplog.records
        assert b" 500 " in await said(where, GET)
        assert "ours" in caplog.text
