"""Limits as a network has them now: changed on a server, counted its own way, or bought from X."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import pytest
from aiohttp import web

from bridge.core.errors import NetworkError, Refused
from bridge.core.lengths import mastodon_length
from bridge.core.model import PostId
from bridge.networks.mastodon.instance import read_instance
from tests.conformance.networks.contract import part
from tests.fakes import VirtualClock
from tests.networks.mastodon_servers import STOCK, ManualClock, OddServer, odd
from tests.networks.x_stage import CREATE, ME, OddX, adapter_for, odd_x, problem

KEY = "k" * 64
POST = PostId("1")


def limited_to(characters: int) -> dict[str, object]:
    return {"version": "4.7.3", "configuration": {"statuses": {"max_characters": characters}}}


async def test_a_raised_limit_is_noticed_daily() -> None:
    clock, server = ManualClock(), OddServer(instance=limited_to(500))
    async with odd(server, clock) as adapter:
        assert (await adapter.capabilities()).max_length == 500
        server.instance = limited_to(5000)
        clock.at += timedelta(hours=23)
        assert (await adapter.capabilities()).max_length == 500
        clock.at += timedelta(hours=2)
        assert (await adapter.capabilities()).max_length == 5000


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_raised_limit_is_noticed_once_the_server_is_back(status: int) -> None:
    clock, server = ManualClock(), OddServer(instance=limited_to(500))
    async with odd(server, clock) as adapter:
        assert (await adapter.capabilities()).max_length == 500
        clock.at += timedelta(minutes=10)
        looking = ("GET", "/api/v1/statuses/1")

        async def away(_request: web.Request) -> web.Response:
            return web.Response(status=status)

        server.special[looking] = away
        with pytest.raises(NetworkError):
            await adapter.look_up(POST)
        server.instance = limited_to(5000)
        assert (await adapter.capabilities()).max_length == 500
        del server.special[looking]
        assert await adapter.look_up(POST) is None
        assert (await adapter.capabilities()).max_length == 5000
        asked = len([line for line in server.asked if "/instance" in line])
        await adapter.capabilities()
        assert len([line for line in server.asked if "/instance" in line]) == asked


async def test_a_server_that_goes_up_and_down_is_not_asked_every_time() -> None:
    clock, server = ManualClock(), OddServer(instance=limited_to(500))
    answers = [500, 404] * 20

    async def flapping(_request: web.Request) -> web.Response:
        return web.json_response({"error": "x"}, status=answers.pop(0))

    server.special["GET", "/api/v1/statuses/1"] = flapping
    async with odd(server, clock) as adapter:
        await adapter.capabilities()
        for _ in range(20):
            for _ in range(2):
                with suppress(NetworkError):
                    await adapter.look_up(POST)
            clock.at += timedelta(seconds=30)
            await adapter.capabilities()
    assert len([line for line in server.asked if "/instance" in line]) <= 3


async def test_a_server_that_counts_links_in_full_is_found_out_by_its_refusal() -> None:
    taken: list[str] = []

    async def counting(request: web.Request) -> web.Response:
        text = (await request.json())["status"]
        if len(text) > 500:
            return web.json_response({"error": "zu lang"}, status=422)
        taken.append(text)
        return web.json_response({"id": "1", "visibility": "public", "content": text})

    server = OddServer(instance=STOCK, special={("POST", "/api/v1/statuses"): counting})
    links = " ".join(f"https://example.org/{'path' * 20}/{number}" for number in range(8))
    async with odd(server) as adapter:
        before = await adapter.capabilities()
        assert mastodon_length(links, counting=before.counting) <= before.max_length
        with pytest.raises(Refused) as caught:
            await adapter.publish(part(links), reply_to=None, key=KEY)
        assert caught.value.too_long
        after = await adapter.capabilities()
        assert mastodon_length(links, counting=after.counting) > after.max_length
        await adapter.publish(part("short"), reply_to=None, key=KEY)
    assert taken == ["short"]


async def test_another_refusal_says_nothing_about_links() -> None:
    async def picky(_request: web.Request) -> web.Response:
        return web.json_response({"error": "no"}, status=422)

    server = OddServer(instance=STOCK, special={("POST", "/api/v1/statuses"): picky})
    async with odd(server) as adapter:
        with pytest.raises(Refused) as caught:
            await adapter.publish(part("https://example.org/ and words"), reply_to=None, key=KEY)
        assert not caught.value.too_long
        assert (await adapter.capabilities()).counting == "mastodon"


@pytest.mark.parametrize("reserved", [24, 32, 256])
def test_a_link_counts_what_the_server_reserves_for_one(reserved: int) -> None:
    statuses = {"max_characters": 10_000, "characters_reserved_per_url": reserved}
    instance = read_instance({"version": "0.7.0", "configuration": {"statuses": statuses}})
    able = instance.capabilities
    counted = mastodon_length("https://e.org", counting=able.counting, link=able.link_length)
    assert counted == reserved


@pytest.mark.parametrize("reserved", [0, 1, 22, 23, -5, 10**9, "many", None])
def test_a_link_never_counts_less_than_its_usual_length(reserved: object) -> None:
    statuses = {"max_characters": 500, "characters_reserved_per_url": reserved}
    instance = read_instance({"version": "4.7.3", "configuration": {"statuses": statuses}})
    assert instance.capabilities.link_length == 23


Subscribed = Mapping[str, object]
NONE: Subscribed = {"subscription_type": "None", "verified_type": "none"}
PAYING = [{"subscription_type": each} for each in ("Basic", "Premium", "PremiumPlus")]
UNTOLD: list[Subscribed] = [
    {},
    {"subscription_type": None},
    {"subscription_type": 7},
    {"subscription_type": "None", "verified_type": "business"},
    {"subscription_type": "None", "verified_type": "government"},
]


def me(subscribed: Subscribed) -> web.Response:
    return problem(200, data={"id": "7", "username": "ada", "protected": False, **subscribed})


@pytest.mark.parametrize("subscribed", [*PAYING, *UNTOLD])
async def test_what_its_owner_says_of_an_account_holds_unless_x_says_otherwise(
    subscribed: Subscribed,
) -> None:
    async with odd_x() as x:
        x.says(ME, me(subscribed))
        async with adapter_for(x.url, max_length=4000, premium=True) as adapter:
            able = await adapter.capabilities()
    assert (able.max_length, able.edit_within is not None) == (4000, True)


async def test_length_and_editing_follow_premium_and_its_lapse() -> None:
    clock = VirtualClock()
    async with odd_x() as x:
        x.says(ME, me(PAYING[0]), me(NONE), me(PAYING[1]))
        async with adapter_for(x.url, max_length=4000, premium=True, clock=clock) as adapter:
            seen = []
            for _ in range(3):
                for _ in range(10):
                    able = await adapter.capabilities()
                seen.append((able.max_length, able.edit_within is not None))
                clock.pass_time(24 * 3600)
    assert seen == [(4000, True), (280, False), (4000, True)]
    assert len(x.asked(ME)) == 3


async def test_a_lapse_is_noticed_at_a_refusal() -> None:
    clock = VirtualClock()
    async with odd_x() as x:
        x.says(ME, me(PAYING[0]), me(NONE))
        async with adapter_for(x.url, max_length=4000, premium=True, clock=clock) as adapter:
            assert (await adapter.capabilities()).max_length == 4000
            clock.pass_time(60)
            assert (await adapter.capabilities(afresh=True)).max_length == 280


async def test_where_x_tells_nothing_its_refusal_of_a_long_post_is_believed_for_a_day() -> None:
    clock = VirtualClock()
    async with odd_x() as x:
        x.says(ME, me({}))
        long = problem(400, title="Bad Request", detail="Your Tweet text is too long.")
        x.says(CREATE, long)
        async with adapter_for(x.url, max_length=4000, premium=True, clock=clock) as adapter:
            with pytest.raises(Refused):
                await adapter.publish(part("a" * 281), reply_to=None, key=KEY)
            assert (await adapter.capabilities(afresh=True)).max_length == 280
            clock.pass_time(25 * 3600)
            assert (await adapter.capabilities()).max_length == 4000


@pytest.mark.parametrize("make", [lambda: web.Response(status=503), lambda: problem(401)])
async def test_x_that_does_not_answer_changes_no_limit_and_is_left_in_peace(
    make: Callable[[], web.Response],
) -> None:
    async def silent(x: OddX) -> None:
        x.says(ME, make())
        async with adapter_for(x.url, max_length=4000, premium=True, clock=VirtualClock()) as one:
            for _ in range(5):
                assert (await one.capabilities()).max_length == 4000
        assert len(x.asked(ME)) == 1

    async with odd_x() as x:
        await silent(x)
