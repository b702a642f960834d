"""The page on this machine: one answer, with the right state, from a browser sent to it by name."""

import asyncio

import aiohttp
import pytest

from bridge.core.errors import ConfigError, Unauthorised
from bridge.signin.loopback import listening


async def get(address: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(address, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text(), dict(answer.headers)


async def test_the_right_answer_is_taken_once_and_shown_nowhere() -> None:
    async with listening("S") as page:
        assert page.address.startswith("http://127.0.0.1:")
        status, text, headers = await get(f"{page.address}?code=c-canary&state=S")
        assert (status, await page.code) == (200, "c-canary")
        assert "canary" not in text
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        await get(f"{page.address}?code=second&state=S")
        assert await page.code == "c-canary"


@pytest.mark.parametrize("query", ["", "?code=c", "?code=c&state=forged", "?state=S", "?error=x"])
async def test_any_other_answer_is_not(query: str) -> None:
    async with listening("S") as page:
        assert (await get(page.address + query))[0] in {200, 400}
        if query != "?state=S":
            assert not page.code.done()
            await get(f"{page.address}?code=c&state=S")
            assert await page.code == "c"


async def test_a_page_of_another_name_that_leads_here_is_sent_away() -> None:
    async with listening("S") as page:
        status, _, _ = await get(f"{page.address}?code=c&state=S", Host="evil.example")
        assert status == 403
        assert not page.code.done()


async def test_only_that_one_page_is_there() -> None:
    async with listening("S") as page:
        assert (await get(page.address.removesuffix("callback")))[0] == 404
        async with aiohttp.ClientSession() as http:
            for method in ("POST", "HEAD", "PUT"):
                answer = await http.request(method, f"{page.address}?code=c&state=S")
                assert answer.status == 405
        assert not page.code.done()


async def test_a_refusal_ends_the_waiting() -> None:
    async with listening("S") as page:
        await get(f"{page.address}?error=access_denied&state=S")
        with pytest.raises(Unauthorised, match="denied"):
            await page.code


async def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    async with listening("S") as page:
        port = int(page.address.split(":")[2].partition("/")[0])
        with pytest.raises(ConfigError, match="choose another with --port"):
            async with listening("S", port):
                pass


async def test_nothing_is_left_listening() -> None:
    async with listening("S") as page:
        port = int(page.address.split(":")[2].partition("/")[0])
    with pytest.raises(OSError, match=r"."):
        await asyncio.open_connection("127.0.0.1", port)
