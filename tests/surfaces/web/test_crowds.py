"""Too many connections, too slow ones, too many guesses: the page, and its owner, go on."""

import asyncio
import logging
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest

from bridge.core.events import RouteResumed
from bridge.surfaces.web.auth import FREE_TRIES
from bridge.surfaces.web.live import MOST_OF_ONE
from tests.fixtures.world import World
from tests.surfaces.web.stage import OUT, PASSWORD, Served, served

CROWD = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for _ in range(int(sys.argv[2])):
    one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    one.sendall(sys.argv[3].encode())
    held.append(one)
print(flush=True)
sys.stdin.read()
"""

HALF_A_HEAD = "GET / HTTP/1.1\r\nHost: "
HALF_A_BODY = (
    "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\npassword="
)


@asynccontextmanager
async def crowd(site: Served, count: int, say: str = "") -> AsyncIterator[None]:
    """Connections of another process, each of which begins a request by `say` and stops there."""
    port = site.url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CROWD, port, str(count), say,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            await process.stdout.readline()
        yield
    finally:
        process.kill()
        await process.communicate()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
@pytest.mark.parametrize("say", ["", HALF_A_HEAD, HALF_A_BODY], ids=["silent", "head", "body"])
async def test_a_crowd_takes_neither_the_page_nor_the_descriptors(
    world: World, caplog: pytest.LogCaptureFixture, say: str
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with served(world, password=PASSWORD) as site:
        before = descriptors()
        resource.setrlimit(resource.RLIMIT_NOFILE, (before + 150, hard))
        try:
            async with crowd(site, 250, say), aiohttp.ClientSession() as client:
                for _ in range(3):
                    async with client.get(f"{site.url}/login") as answer:
                        assert answer.status == 200
                assert descriptors() < before + 80
                # What the bridge needs for its work can be had.
                await site.ledger.renew(datetime.now(UTC))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(caplog.records) < 20
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_the_streams_of_one_client_are_limited(world: World) -> None:
    async with aiohttp.ClientSession() as client, served(world) as site:
        streams = [await client.get(f"{site.url}/events") for _ in range(MOST_OF_ONE + 3)]
        site.page.hear(RouteResumed(datetime.now(UTC), OUT))
        async with asyncio.timeout(10):
            ended = [b"changed" not in await each.content.read() for each in streams[:3]]
            for each in streams[3:]:
                while b"changed" not in await each.content.readline():
                    pass
        assert ended == [True] * 3
        for each in streams:
            each.close()


async def tried(site: Served, password: str, **headers: str) -> int:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
        client.post(
            f"{site.url}/login",
            data={"password": password},
            headers={"Origin": site.url} | headers,
            allow_redirects=False,
        ) as answer,
    ):
        return answer.status


async def test_a_browser_that_was_signed_in_is_not_locked_out_by_others(world: World) -> None:
    async with served(world, password=PASSWORD) as site:
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client,
            client.post(
                f"{site.url}/login", data={"password": PASSWORD}, headers={"Origin": site.url}
            ) as answer,
        ):
            page = await answer.text()
            cookie = "; ".join(f"{each.key}={each.value}" for each in client.cookie_jar)
        for number in range(FREE_TRIES + 2):
            await tried(site, f"guess number {number}")
        assert await tried(site, PASSWORD) == 429
        async with aiohttp.ClientSession() as client:
            async with client.get(site.url, headers={"Cookie": cookie}) as answer:
                assert 'data-csrf=""' not in await answer.text()
            csrf = page.partition('data-csrf="')[2].partition('"')[0]
            await client.post(
                f"{site.url}/logout",
                data={"csrf": csrf},
                headers={"Cookie": cookie, "Origin": site.url},
            )
        # Its session has ended; it is still known, and has tries of its own.
        wrong = [await tried(site, f"typing {n}", Cookie=cookie) for n in range(FREE_TRIES - 1)]
        assert wrong == [403] * (FREE_TRIES - 1)
        assert await tried(site, PASSWORD, Cookie=cookie) == 303
        assert await tried(site, PASSWORD, Cookie="twinpost=invented") == 429


async def test_clients_behind_a_trusted_proxy_are_told_apart(world: World) -> None:
    proxy = (ip_network("127.0.0.0/8"),)
    async with served(world, password=PASSWORD, trusted_proxies=proxy) as site:
        for number in range(FREE_TRIES):
            forged = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.1"}
            assert await tried(site, "guess", **forged) == 403
        assert await tried(site, PASSWORD, **{"X-Forwarded-For": "203.0.113.1"}) == 429
        assert await tried(site, PASSWORD, **{"X-Forwarded-For": "203.0.113.2"}) == 303
        assert await tried(site, PASSWORD) == 303


async def test_many_strangers_do_not_use_up_the_tries_of_others(world: World) -> None:
    proxy = (ip_network("127.0.0.0/8"),)
    async with served(world, password=PASSWORD, trusted_proxies=proxy) as site:
        for number in range(40):
            assert await tried(site, "guess", **{"X-Forwarded-For": f"2001:db8::{number}"}) in {
                403,
                429,
            }
        assert await tried(site, PASSWORD, **{"X-Forwarded-For": "2001:db8::41"}) == 429
        assert await tried(site, PASSWORD, **{"X-Forwarded-For": "2001:db8:0:1::"}) == 303
