"""How sessions behave towards servers that mean no good.

Bars of docs/reliability.md: R20, S4.
"""

import asyncio
import gzip
import logging
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import pytest
from aiohttp import web

from bridge.log import quiet_libraries
from bridge.net.session import (
    BodyTooLarge,
    ConnectionLost,
    open_session,
    read_capped,
)
from bridge.sandbox.server import serve

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(user_agent="twinpost-tests", read_timeout=0.3, total=1) as opened:
        yield opened


def answering(handler: Handler) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/", handler)
    return app


async def test_a_body_within_the_limit_is_read_whole(session: aiohttp.ClientSession) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1000)

    async with serve(answering(handler)) as url, session.get(url) as response:
        assert await read_capped(response, 1000) == b"x" * 1000


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_longer_body_is_refused(session: aiohttp.ClientSession, chunked: bool) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if not chunked:
            return web.Response(body=b"x" * 1001)
        stream = web.StreamResponse()
        await stream.prepare(request)
        for _ in range(11):
            await stream.write(b"x" * 100)
        return stream

    async with serve(answering(handler)) as url, session.get(url) as response:
        with pytest.raises(BodyTooLarge):
            await read_capped(response, 1000)
        assert response.closed


async def test_a_decompression_bomb_is_cut_off_at_the_limit(session: aiohttp.ClientSession) -> None:
    bomb = gzip.compress(b"\0" * (256 << 20), compresslevel=9)

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serve(answering(handler)) as url:
        tracemalloc.start()
        try:
            async with session.get(url) as response:
                with pytest.raises(BodyTooLarge):
                    await read_capped(response, 1 << 20)
            assert tracemalloc.get_traced_memory()[1] < 20 << 20
        finally:
            tracemalloc.stop()


async def test_bytes_that_drip_do_not_hold_the_reader_for_ever(
    session: aiohttp.ClientSession,
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        while True:
            await stream.write(b"x")
            await asyncio.sleep(0.05)

    async with serve(answering(handler)) as url, session.get(url) as response:
        with pytest.raises(TimeoutError):
            await read_capped(response, 1 << 20)


async def test_silence_ends_a_request(session: aiohttp.ClientSession) -> None:
    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    async with serve(answering(handler)) as url:
        with pytest.raises(aiohttp.SocketTimeoutError):
            await session.get(url)


async def test_a_request_whose_connection_breaks_is_not_sent_again(
    session: aiohttp.ClientSession,
) -> None:
    count = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serve(answering(handler)) as url:
        with pytest.raises(ConnectionLost):
            await session.get(url)
    assert count == 1


async def test_a_server_that_is_not_there_is_told_from_one_that_breaks_off(
    session: aiohttp.ClientSession,
) -> None:
    async with serve(web.Application()) as url:
        pass
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(url)


async def test_cookies_are_not_kept_and_every_request_has_a_connection_of_its_own(
    session: aiohttp.ClientSession,
) -> None:
    seen: list[tuple[str | None, str | None, object]] = []

    async def handler(request: web.Request) -> web.Response:
        peer = None if request.transport is None else request.transport.get_extra_info("peername")
        seen.append((request.headers.get("Cookie"), request.headers.get("User-Agent"), peer))
        return web.Response(headers={"Set-Cookie": "guest_id=1"})

    async with serve(answering(handler)) as url:
        for _ in range(2):
            async with session.get(url) as response:
                await response.read()
    assert [(cookie, agent) for cookie, agent, _ in seen] == [(None, "twinpost-tests")] * 2
    assert seen[0][2] != seen[1][2]


@pytest.fixture
def _levels_restored() -> Iterator[None]:
    names = ["tweepy", "tweepy.asynchronous.client", "oauthlib", "urllib3", "asyncio"]
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("_levels_restored")
def test_libraries_stay_silent_even_where_everything_is_logged() -> None:
    logging.getLogger("tweepy.asynchronous.client").setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    quiet_libraries()
    for name in ("tweepy", "tweepy.asynchronous.client", "oauthlib", "asyncio", "mastodon"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
    assert logging.getLogger("tweepy.asynchronous.client").isEnabledFor(logging.WARNING)
    assert not logging.getLogger("urllib3").isEnabledFor(logging.WARNING)
