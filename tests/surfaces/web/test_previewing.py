"""What a post of one's own would become, asked for by the address that a browser shows."""

import re

import aiohttp
import pytest

from tests.fixtures.world import World
from tests.surfaces.web.stage import served


@pytest.mark.parametrize("place", ["", "/photo/1", "/photo/1?s=20", "/"])
async def test_an_own_post_on_x_is_found_by_the_address_of_its_picture_too(
    world: World, place: str
) -> None:
    post = world.x.write(world.x_account, "Calm sea, strong tea")
    jar = aiohttp.CookieJar(unsafe=True)
    async with served(world) as site, aiohttp.ClientSession(cookie_jar=jar) as client:
        async with client.get(site.url) as answer:
            token = re.search(r'data-csrf="([^"]+)"', await answer.text())
        assert token
        asked = {
            "csrf": token[1],
            "address": f"https://mobile.twitter.com/ada/status/{post.id}{place}",
        }
        async with client.post(
            f"{site.url}/preview", data=asked, headers={"Origin": site.url}
        ) as answer:
            assert answer.status == 200
            assert "Calm sea, strong tea" in await answer.text()
