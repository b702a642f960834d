"""Looking again at own posts on X: what changed, what is gone, who sees it now, and the price."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from bridge.core.capabilities import Capabilities
from bridge.core.errors import NetworkError, Transient
from bridge.core.model import PostId, Visibility
from bridge.core.prices import FREE, X_PRICES
from bridge.core.record import Cursor
from bridge.networks.x.settings import XSettings
from bridge.ports import Standing
from tests.conformance.networks.contract import EVER
from tests.fakes import VirtualClock
from tests.fixtures.x import ServedX
from tests.networks.x_stage import (
    KEYS,
    ME,
    TIMELINE,
    OddX,
    adapter_for,
    nothing_known,
    oauth1_of,
    odd_x,
    old_post,
    page,
    problem,
    served_x,
)

LOOK = "GET /2/tweets/5"
GONE = {
    "title": "Not Found Error",
    "type": "https://api.twitter.com/2/problems/resource-not-found",
    "resource_type": "tweet",
    "value": "5",
    "detail": "Could not find tweet with id: [5].",
}


@pytest.fixture
async def odd() -> AsyncIterator[OddX]:
    async with odd_x() as server:
        yield server


@pytest.fixture
async def served() -> AsyncIterator[ServedX]:
    async with served_x() as running:
        yield running


async def test_the_window_is_charged_once_a_day_like_any_reading(served: ServedX) -> None:
    for number in range(7):
        served.sandbox.write(served.account, f"number {number}")
    async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
        first = await adapter.window(5)
        again = await adapter.window(5)
        wider = await adapter.window(7)
    assert [len(each.posts) for each in (first, again, wider)] == [5, 5, 7]
    assert [each.cost for each in (first, again, wider)] == [
        5 * X_PRICES.owned_read,
        FREE,
        2 * X_PRICES.owned_read,
    ]
    assert sum(one.amount for one in served.sandbox.bill()) == 7 * X_PRICES.owned_read


async def test_the_window_asks_for_no_more_than_it_needs_and_heeds_no_cursor(odd: OddX) -> None:
    whole = [old_post(number) for number in range(250, 0, -1)]

    async def by_size(request: web.Request) -> web.Response:
        size = int(request.query["max_results"])
        start = int(request.query.get("pagination_token", 0))
        return page(*whole[start : start + size], token=str(start + size))

    odd.says(TIMELINE, by_size)
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        for limit in (1, 20, 130):
            found = (await adapter.window(limit)).posts
            assert [post.id for post in found] == [
                str(number) for number in range(251 - limit, 251)
            ]
        assert (await adapter.window(0)).posts == ()
    sizes = [each.query["max_results"] for each in odd.asked(TIMELINE)]
    assert sizes == ["5", "20", "100", "100"]
    assert not any("since_id" in each.query for each in odd.asked(TIMELINE))


async def test_a_window_with_a_post_that_cannot_be_named_is_no_window(odd: OddX) -> None:
    odd.says(TIMELINE, page(old_post(3), {"text": "no id"}, old_post(1)))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        with pytest.raises(Transient, match="without their ids"):
            await adapter.window(20)


async def test_looking_up_costs_what_anybodys_post_costs_and_the_next_reading_tells_it(
    served: ServedX,
) -> None:
    post = PostId(served.sandbox.write(served.account, "there").id)
    async with adapter_for(served.url, oauth1_of(served.account), dialect="tweet") as adapter:
        read = await adapter.recent(EVER)
        assert await adapter.look_up(post) is not None
        assert await adapter.look_up(post) is not None
        told = await adapter.recent(EVER)
        served.sandbox.remove(post)
        assert await adapter.look_up(post) is None
        nothing = await adapter.recent(EVER)
    assert [each.cost for each in (read, told, nothing)] == [
        X_PRICES.owned_read,
        X_PRICES.post_read,
        FREE,
    ]
    assert [one.kind for one in served.sandbox.bill()] == ["owned_read", "post_read"]


@pytest.mark.parametrize("speaks", ["post", "tweet", "both"])
async def test_an_earlier_id_of_an_edited_post_leads_to_how_it_stands_now(speaks: str) -> None:
    async with served_x(speaks) as served:
        first = served.sandbox.write(served.account, "tpyo").id
        last = served.sandbox.write(served.account, "typo", edit_of=first).id
        async with adapter_for(served.url, oauth1_of(served.account)) as adapter:
            for post in (first, last):
                found = await adapter.look_up(PostId(post))
                assert found is not None
                assert (found.id, found.text.plain, found.ids) == (last, "typo", (first, last))
            cost = (await adapter.read_after(Cursor(PostId(last)), nothing_known)).cost
    assert cost == sum(one.amount for one in served.sandbox.bill())


@pytest.mark.parametrize(
    "answer",
    [
        problem(200, errors=[GONE]),
        problem(200, errors=[{**GONE, "value": None, "resource_id": "5"}]),
        problem(200, errors=[{"type": GONE["type"], "title": "Not Found Error"}]),
        problem(404, None, **GONE),
        problem(404, errors=[GONE]),
    ],
)
async def test_only_where_x_says_so_of_this_very_post_it_is_gone(
    odd: OddX, answer: web.Response
) -> None:
    odd.says(LOOK, answer)
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        assert await adapter.look_up(PostId("5")) is None


@pytest.mark.parametrize(
    "answer",
    [
        problem(404),
        problem(404, title="Not Found"),
        web.Response(status=404, text="<html>", content_type="text/html"),
        problem(200),
        problem(200, data={}),
        problem(200, data=[]),
        problem(200, data={"id": "6", "text": "another"}),
        problem(200, errors=[{**GONE, "value": "6"}]),
        problem(200, errors=[{**GONE, "resource_type": "user"}]),
        problem(200, errors=[{**GONE, "type": "x/not-authorized-for-resource"}]),
        problem(200, data={"id": "6"}, errors=[GONE]),
        problem(401),
        problem(403),
        problem(503),
        web.Response(text="<html>", content_type="text/html"),
        web.Response(text="[" * 100_000),
        web.Response(status=302, headers={"Location": "/2/tweets/6"}),
    ],
)
async def test_anything_less_than_clear_is_no_deletion(odd: OddX, answer: web.Response) -> None:
    odd.says(LOOK, answer)
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        with pytest.raises(NetworkError):
            await adapter.look_up(PostId("5"))
    assert len(odd.asked(LOOK)) == 1


async def test_a_look_up_finds_the_dialect_and_keeps_it(odd: OddX) -> None:
    async def old_only(request: web.Request) -> web.Response:
        if "post.fields" in request.query:
            return problem(400, title="Invalid Request", detail="unknown [post.fields]")
        return problem(200, data=old_post(5))

    odd.says(LOOK, old_only)
    async with adapter_for(odd.url) as adapter:
        for _ in range(2):
            found = await adapter.look_up(PostId("5"))
            assert found is not None
            assert found.visibility is Visibility.PUBLIC
    assert ["post.fields" in each.query for each in odd.asked(LOOK)] == [True, False, False]
    assert "max_results" not in odd.asked(LOOK)[0].query


@pytest.mark.parametrize(
    ("protected", "audience"),
    [(False, None), (True, Visibility.FOLLOWERS), (None, Visibility.UNKNOWN)],
)
async def test_of_a_post_as_it_stands_only_the_accounts_protection_is_free(
    odd: OddX, protected: bool | None, audience: Visibility | None
) -> None:
    user = {"id": "7", "username": "ada"}
    told = user if protected is None else {**user, "protected": protected}
    odd.says(ME, problem(200, data={**user, "protected": False}), problem(200, data=told))
    clock = VirtualClock()
    async with adapter_for(odd.url, clock=clock) as adapter:
        assert await adapter.standing(PostId("5")) == Standing()
        assert await adapter.standing(PostId("5")) == Standing()
        clock.pass_time(16)
        assert await adapter.standing(PostId("5")) == Standing(audience=audience)
    assert [f"{each.method} {each.path}" for each in odd.seen] == [ME, ME]


async def limits_of(odd: OddX, *, premium: bool) -> Capabilities:
    async with adapter_for(odd.url, premium=premium) as adapter:
        return await adapter.capabilities()


async def test_what_an_account_may_post_depends_on_premium(odd: OddX) -> None:
    plain, paying = [await limits_of(odd, premium=premium) for premium in (False, True)]
    assert (plain.edit_within, paying.edit_within) == (None, timedelta(hours=1))
    assert (plain.free_edits, plain.quotes, plain.max_alt_length) == (False, False, 1000)
    minutes = [each.media.video.max_ms for each in (plain, paying)]
    assert minutes == [20 * 60_000, 125 * 60_000]
    assert plain.media.audio.types == frozenset()
    assert plain.media.image.max_bytes == 5 << 20
    assert (plain.media.animation.max_width, plain.media.animation.max_height) == (1280, 1080)
    assert plain.polls is not None
    assert (plain.polls.max_options, plain.polls.max_option_length) == (4, 25)
    assert (plain.polls.shortest, plain.polls.longest) == (timedelta(minutes=5), timedelta(days=7))
    assert XSettings(credentials=KEYS).premium is False
    # X is asked for nothing but the account, which is free.
    assert {seen.path for seen in odd.seen} == {"/2/users/me"}
