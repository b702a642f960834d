"""Reading one's own timeline on X: either vocabulary, servers that heed nothing, and the price.

Bars of docs/reliability.md: R16.
"""

import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bridge.core.errors import NetworkError, Transient, Unauthorised
from bridge.core.model import Kind, PostId, Visibility
from bridge.core.prices import FREE, X_PRICES
from bridge.core.record import Cursor
from bridge.networks.x import client as client_module
from bridge.sandbox.server import serve
from bridge.sandbox.x import XSandbox
from tests.conformance.networks.contract import EVER, Memory
from tests.fakes import VirtualClock
from tests.fixtures.x import ServedX
from tests.networks.x_stage import (
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

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
async def odd() -> AsyncIterator[OddX]:
    async with odd_x() as server:
        yield server


@pytest.fixture
async def served() -> AsyncIterator[ServedX]:
    async with served_x() as running:
        yield running


def new_post(post_id: int, **more: object) -> dict[str, object]:
    post = old_post(post_id)
    del post["author_id"], post["edit_history_tweet_ids"]
    return {**post, "edit_history_post_ids": [str(post_id)], **more}


def texts(posts: tuple[object, ...]) -> list[str]:
    return [post.text.plain for post in posts]  # type: ignore[attr-defined] # posts


async def by_dialect(request: web.Request) -> web.Response:
    """A service of the older vocabulary: it gives what it was not asked for by its own names."""
    if "tweet.fields" in request.query:
        return page(old_post(2), old_post(1))
    return page(*({"id": str(number), "text": f"post {number}"} for number in (2, 1)))


async def test_each_request_speaks_one_dialect_and_the_one_that_works_is_kept(odd: OddX) -> None:
    odd.says(TIMELINE, by_dialect)
    async with adapter_for(odd.url) as adapter:
        for _ in range(2):
            reading = await adapter.read_after(Cursor(), nothing_known)
            assert texts(reading.posts) == ["post 1", "post 2"]
            assert all(post.visibility is Visibility.PUBLIC for post in reading.posts)
    asked = [each.query for each in odd.asked(TIMELINE)]
    assert [("post.fields" in query, "tweet.fields" in query) for query in asked] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert not any(
        "referenced_posts" in query["expansions"] for query in asked if "tweet.fields" in query
    )


async def test_a_service_that_refuses_unknown_parameters_is_asked_in_the_other_dialect(
    odd: OddX,
) -> None:
    async def strict(request: web.Request) -> web.Response:
        if "post.fields" in request.query:
            return problem(400, title="Invalid Request", detail="unknown parameter [post.fields]")
        return page(old_post(1))

    odd.says(TIMELINE, strict)
    async with adapter_for(odd.url) as adapter:
        assert len((await adapter.read_after(Cursor(), nothing_known)).posts) == 1
        assert len((await adapter.baseline()).ids) == 1
    assert ["post.fields" in each.query for each in odd.asked(TIMELINE)] == [True, False, False]


async def test_a_configured_dialect_is_kept_and_what_it_misses_is_said_once(
    odd: OddX, caplog: pytest.LogCaptureFixture
) -> None:
    odd.says(TIMELINE, by_dialect)
    async with adapter_for(odd.url, dialect="post") as adapter:
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                posts = (await adapter.read_after(Cursor(), nothing_known)).posts
                assert texts(posts) == ["post 1", "post 2"]
    assert all("post.fields" in each.query for each in odd.asked(TIMELINE))
    (warning,) = [record for record in caplog.records if record.name.startswith("bridge.")]
    assert "created_at" in warning.getMessage()


async def test_where_neither_dialect_serves_the_second_is_not_paid_for_every_time(
    odd: OddX,
) -> None:
    odd.says(TIMELINE, page({"id": "1", "text": "bare"}))
    clock = VirtualClock()
    async with adapter_for(odd.url, clock=clock) as adapter:
        for _ in range(3):
            await adapter.read_after(Cursor(), nothing_known)
        assert len(odd.asked(TIMELINE)) == 4
        clock.pass_time(86_400)
        await adapter.read_after(Cursor(), nothing_known)
    assert len(odd.asked(TIMELINE)) == 6


@pytest.mark.parametrize("speaks", ["tweet", "post", "both"])
async def test_what_reading_cost_is_what_x_charged(speaks: str) -> None:
    sandbox = XSandbox(dialect=speaks)
    ada = sandbox.add_account("ada", "Ada")
    bob = sandbox.add_account("bob", "Bob")
    async with serve(sandbox.app) as url, adapter_for(url, oauth1_of(ada)) as adapter:
        cursor = (await adapter.baseline()).cursor
        assert sandbox.bill() == ()
        theirs = sandbox.write(bob, "a question")
        first = sandbox.write(ada, "first")
        sandbox.write(ada, "second", reply_to=first.id)
        sandbox.write(ada, "an answer", reply_to=theirs.id)
        edited = sandbox.write(ada, "frist")
        sandbox.write(ada, "edited", edit_of=edited.id)

        reading = await adapter.read_after(cursor, nothing_known)
        again = await adapter.recent(EVER)

        assert reading.cost == sum(charge.amount for charge in sandbox.bill())
        assert again.cost == FREE
        assert [post.kind for post in reading.posts] == [
            Kind.ORIGINAL,
            Kind.THREAD,
            Kind.REPLY,
            Kind.ORIGINAL,
        ]
        assert len(reading.posts[-1].revisions) == 2


async def test_an_idle_poll_costs_nothing_and_asks_one_page(served: ServedX) -> None:
    sandbox, ada = served.sandbox, served.account
    sandbox.write(ada, "old")
    async with adapter_for(served.url, oauth1_of(ada)) as adapter:
        cursor = (await adapter.baseline()).cursor
        before, charged = len(sandbox.faults.requests), len(sandbox.bill())
        reading = await adapter.read_after(cursor, nothing_known)
        assert (reading.posts, reading.cost) == ((), FREE)
        assert len(sandbox.faults.requests) == before + 1
        assert len(sandbox.bill()) == charged


async def test_a_post_is_charged_again_on_another_day(served: ServedX) -> None:
    clock = VirtualClock()
    served.sandbox.write(served.account, "one")
    async with adapter_for(served.url, oauth1_of(served.account), clock=clock) as adapter:
        costs = []
        for _ in range(3):
            costs.append((await adapter.recent(EVER)).cost)
            clock.pass_time(43_200)
    assert costs == [X_PRICES.owned_read, X_PRICES.owned_read, FREE]


async def test_what_a_failed_reading_cost_is_told_by_the_next(odd: OddX) -> None:
    odd.says(
        TIMELINE,
        page(old_post(2), token="next"),
        problem(503),
        page(old_post(2), token="next"),
        page(old_post(1)),
    )
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        with pytest.raises(Transient):
            await adapter.read_after(Cursor(), nothing_known)
        reading = await adapter.read_after(Cursor(), nothing_known)
    assert texts(reading.posts) == ["post 1", "post 2"]
    assert reading.cost == 2 * X_PRICES.owned_read


async def test_a_server_that_ignores_since_id_neither_floods_nor_hides(odd: OddX) -> None:
    cursor = Cursor(PostId("50"), AT, AT)
    older = [old_post(number, "2026-11-22T11:00:00.000Z") for number in range(50, 0, -1)]
    newer = [old_post(number, "2026-11-22T13:00:00.000Z") for number in range(53, 50, -1)]
    odd.says(TIMELINE, page(*newer, *older, token="more"))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(cursor, nothing_known)
    assert [post.id for post in reading.posts] == ["51", "52", "53"]
    assert len(odd.asked(TIMELINE)) == 1
    assert odd.asked(TIMELINE)[0].query["since_id"] == "50"


async def test_a_late_post_with_an_early_date_is_not_taken_for_an_old_one(odd: OddX) -> None:
    cursor = Cursor(PostId("50"), AT, AT)
    odd.says(
        TIMELINE,
        page(old_post(52), old_post(51, "2026-11-22T11:59:00.000Z"), token="more"),
        page(old_post(49, "2026-11-22T12:30:00.000Z")),
    )
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(cursor, nothing_known)
    assert [post.id for post in reading.posts] == ["49", "51", "52"]


async def test_known_posts_are_dropped_without_hiding_those_between(odd: OddX) -> None:
    cursor = Cursor(PostId("x50"), AT - timedelta(hours=1), AT - timedelta(hours=1))
    posts = [{**old_post(number), "id": f"x{number}"} for number in (53, 52, 51)]
    odd.says(TIMELINE, page(*posts))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(cursor, Memory({PostId("x52")}).known)
    assert [post.id for post in reading.posts] == ["x51", "x53"]


async def test_pages_that_do_not_end_are_given_up(odd: OddX) -> None:
    odd.says(TIMELINE, page(old_post(1), token="again"))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        with pytest.raises(Transient, match="do not come to an end"):
            await adapter.read_after(Cursor(), nothing_known)
    assert len(odd.asked(TIMELINE)) == 2


async def test_an_empty_page_in_between_does_not_end_the_reading(odd: OddX) -> None:
    odd.says(TIMELINE, page(old_post(2), token="a"), page(token="b"), page(old_post(1)))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(Cursor(), nothing_known)
    assert [post.id for post in reading.posts] == ["1", "2"]


async def test_a_post_that_moves_to_the_next_page_is_read_once(odd: OddX) -> None:
    odd.says(TIMELINE, page(old_post(2), token="a"), page(old_post(2), old_post(1)))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(Cursor(), nothing_known)
    assert [post.id for post in reading.posts] == ["1", "2"]


async def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    odd: OddX, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LONGEST_ANSWER", 4000)
    whole = [old_post(number) for number in range(30, 0, -1)]

    async def by_size(request: web.Request) -> web.Response:
        size, start = (
            int(request.query["max_results"]),
            int(request.query.get("pagination_token", 0)),
        )
        following = str(start + size) if start + size < len(whole) else None
        return page(*whole[start : start + size], token=following)

    odd.says(TIMELINE, by_size)
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(Cursor(), nothing_known)
    assert [post.id for post in reading.posts] == [str(number) for number in range(1, 31)]


@pytest.mark.parametrize(
    "body",
    ['{"meta": {"result_count": 0}}', '{"data": [], "meta": {"result_count": 0}}'],
)
async def test_an_empty_timeline_is_known_in_every_way_of_saying_so(odd: OddX, body: str) -> None:
    odd.says(TIMELINE, web.Response(text=body, content_type="application/json"))
    async with adapter_for(odd.url) as adapter:
        assert (await adapter.recent(EVER)).posts == ()


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>welcome to the hotel</html>", content_type="text/html"),
        web.Response(text=""),
        web.Response(text='{"data": [{"id": "1", "te'),
        web.Response(text="[]", content_type="application/json"),
        web.Response(text="[" * 200_000, content_type="application/json"),
        web.json_response({}),
        web.json_response({"data": {}}),
        web.json_response({"data": []}),
        web.json_response({"meta": {"result_count": 3}}),
        web.json_response(
            {"errors": [{"title": "Not Found Error", "type": "x/resource-not-found"}]}
        ),
        problem(404),
        problem(500),
        web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
async def test_what_is_not_a_page_is_never_taken_for_an_empty_timeline(
    odd: OddX, answer: web.Response
) -> None:
    odd.says(TIMELINE, answer)
    async with adapter_for(odd.url) as adapter:
        for read in (adapter.baseline(), adapter.recent(EVER)):
            with pytest.raises(Transient):
                await read


async def test_a_200_that_says_the_account_is_suspended_is_the_owners_business(odd: OddX) -> None:
    errors = [{"detail": "suspended", "type": "https://x/2/problems/not-authorized-for-resource"}]
    odd.says(TIMELINE, problem(200, errors=errors))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Unauthorised):
            await adapter.baseline()


async def test_an_account_that_becomes_protected_is_noticed_by_the_next_poll(odd: OddX) -> None:
    clock = VirtualClock()
    user = {"id": "7", "username": "ada"}
    odd.says(
        ME,
        problem(200, data={**user, "protected": False}),
        problem(200, data={**user, "protected": True}),
    )
    odd.says(TIMELINE, page(old_post(1)))
    async with adapter_for(odd.url, dialect="tweet", clock=clock) as adapter:
        seen = []
        for _ in range(2):
            (post,) = (await adapter.read_after(Cursor(), nothing_known)).posts
            seen.append(post.visibility)
            # Polls a minute apart ask a little less than a minute apart now and then.
            await clock.sleep(59)
    assert seen == [Visibility.PUBLIC, Visibility.FOLLOWERS]
    asked = odd.asked(ME)[0].query["user.fields"]
    assert asked == "created_at,protected,subscription_type,username,verified_type"


@pytest.mark.parametrize("data", [{}, {"id": "7"}, {"username": "ada"}, []])
async def test_an_account_that_cannot_be_read_is_not_guessed(odd: OddX, data: object) -> None:
    odd.says(ME, problem(200, data=data))
    async with adapter_for(odd.url) as adapter:
        with pytest.raises(Transient):
            await adapter.account()


async def test_undated_posts_are_read_but_prove_nothing(odd: OddX) -> None:
    undated = old_post(2)
    del undated["created_at"]
    odd.says(TIMELINE, page(undated, old_post(1)))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        cursor = Cursor(PostId("0"), AT, AT)
        assert len((await adapter.read_after(cursor, nothing_known)).posts) == 2
        with pytest.raises(Transient, match="prove"):
            await adapter.recent(EVER)


@pytest.mark.parametrize(
    ("floor", "sent"),
    [
        (datetime(2026, 11, 1, 13, 0, 0, 999, tzinfo=UTC), "2026-11-01T13:00:00Z"),
        (datetime(2007, 1, 1, tzinfo=UTC), None),
    ],
)
async def test_without_a_post_the_floor_is_asked_for_as_far_as_x_allows(
    odd: OddX, floor: datetime, sent: str | None
) -> None:
    odd.says(TIMELINE, page(old_post(3), old_post(2, "2006-01-01T00:00:00.000Z"), old_post(1)))
    async with adapter_for(odd.url, dialect="tweet") as adapter:
        reading = await adapter.read_after(Cursor(floor=floor), nothing_known)
    assert odd.asked(TIMELINE)[0].query.get("start_time") == sent
    assert "2" not in [post.id for post in reading.posts]


async def test_a_start_that_is_still_to_come_asks_nothing(odd: OddX) -> None:
    clock = VirtualClock()
    async with adapter_for(odd.url, clock=clock) as adapter:
        cursor = Cursor(floor=clock.now() + timedelta(days=1))
        assert (await adapter.read_after(cursor, nothing_known)).posts == ()
    assert odd.seen == []


@pytest.mark.parametrize("parent_in", ["the same page", "the ledger", "nowhere"])
async def test_a_reply_whose_author_is_not_named_is_a_thread_where_the_parent_is_own(
    odd: OddX, parent_in: str
) -> None:
    reply = new_post(9, conversation_id="5", referenced_posts=[{"type": "replied_to", "id": "5"}])
    above = [new_post(5)] if parent_in == "the same page" else []
    odd.says(TIMELINE, page(reply, *above, includes={"posts": [{"id": "5", "text": "…"}]}))
    memory = Memory({PostId("5")} if parent_in == "the ledger" else set())
    async with adapter_for(odd.url) as adapter:
        *_, last = (await adapter.read_after(Cursor(), memory.known)).posts
    assert last.kind is (Kind.REPLY if parent_in == "nowhere" else Kind.THREAD)
    expansions = odd.asked(TIMELINE)[0].query["expansions"].split(",")
    assert not {"author_id", "in_reply_to_user_id", "username"} & set(expansions)


async def test_no_error_of_a_reading_is_anything_but_a_network_error(odd: OddX) -> None:
    hostile: list[object] = [None, 1, "x", [], {"data": 5, "meta": []}, {"data": [None, 7, "x"]}]
    async with adapter_for(odd.url) as adapter:
        for body in hostile:
            odd.says(TIMELINE, web.Response(text=json.dumps(body)))
            for read in (adapter.baseline(), adapter.read_after(Cursor(), nothing_known)):
                try:
                    await read
                except NetworkError:
                    continue
