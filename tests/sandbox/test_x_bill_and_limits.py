"""What the X sandbox charges, and when it has had enough."""

from datetime import UTC, date, datetime

import pytest

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.faults import Fault
from bridge.sandbox.x import X_LIMITS, Limit, XSandbox
from tests.fixtures.x_client import another, x_client


def at_noon() -> SandboxClock:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return SandboxClock(lambda: noon)


async def test_an_own_post_read_from_the_own_timeline_is_charged_once_a_utc_day() -> None:
    async with x_client(XSandbox(at_noon())) as x:
        x.sandbox.write(x.account, "hello")
        await x.timeline()
        await x.timeline()
        assert x.charges == [("owned_read", 1_000)]
        x.sandbox.clock.shift(11 * 3600)
        await x.timeline()
        assert len(x.charges) == 1
        x.sandbox.clock.shift(3600)
        await x.timeline()
        assert x.charges == [("owned_read", 1_000)] * 2


async def test_a_lookup_is_no_owned_read() -> None:
    async with x_client() as x:
        post = x.sandbox.write(x.account, "hello").id
        await x.lookup(post, "99")
        await x.get(f"/2/tweets/{post}")
        assert x.charges == [("post_read", 5_000)]


async def test_somebody_elses_timeline_costs_the_full_price_per_reader() -> None:
    async with x_client() as x:
        bob = another(x, "bob")
        x.sandbox.write(bob.account, "hello")
        await x.get(f"/2/users/{bob.account.id}/tweets")
        await bob.timeline()
        assert x.charges == [("post_read", 5_000), ("owned_read", 1_000)]


async def test_what_an_expansion_brings_along_is_charged_too() -> None:
    async with x_client() as x:
        bob = x.sandbox.add_account("bob", "Bob")
        theirs = x.sandbox.write(bob, "hello")
        x.sandbox.write(x.account, "", repost_of=theirs.id)
        await x.timeline(expansions="referenced_posts,author_id")
        assert x.charges == [("owned_read", 1_000), ("post_read", 5_000), ("user_read", 10_000)]


@pytest.mark.parametrize(
    ("text", "charge"),
    [
        ("plain", ("create", 15_000)),
        ("https://example.com", ("create_with_link", 200_000)),
        ("two https://example.com example.org", ("create_with_link", 200_000)),
        ("read README.md", ("create_with_link", 200_000)),
        ("mail me@example.com", ("create", 15_000)),
        ("#tag $TWTR", ("create", 15_000)),
    ],
)
async def test_a_post_in_which_x_finds_a_link_costs_more(
    text: str, charge: tuple[str, int]
) -> None:
    async with x_client() as x:
        await x.create(text)
        assert x.charges == [charge]


async def test_a_link_at_the_end_of_a_long_post_costs_too() -> None:
    async with x_client(premium=True) as x:
        await x.create("word " * 100 + "https://example.com")
        await x.create("word " * 100)
        assert [kind for kind, _ in x.charges] == ["create_with_link", "create"]


async def test_what_a_person_does_in_xs_own_app_costs_nothing() -> None:
    async with x_client() as x:
        x.sandbox.remove(x.sandbox.write(x.account, "https://example.com").id)
        assert x.charges == []


async def test_a_request_whose_answer_is_lost_is_charged_and_a_refused_one_is_not() -> None:
    async with x_client() as x:
        x.sandbox.faults.add(Fault("accept-then-500"))
        x.sandbox.faults.add(Fault("refuse-then-500"))
        assert [(await x.create(text)).status for text in ("one", "two", "three")] == [
            500,
            500,
            201,
        ]
        assert [post.text for post in x.sandbox.timeline(x.account)] == ["three", "one"]
        assert len(x.charges) == 2


async def test_every_answer_tells_what_is_left_of_its_limit() -> None:
    async with x_client(XSandbox(at_noon())) as x:
        noon = int(x.sandbox.clock.now().timestamp())
        for left in (99, 98):
            headers = (await x.create(f"{left}")).headers
            assert headers["x-rate-limit-limit"] == "100"
            assert headers["x-rate-limit-remaining"] == str(left)
            assert headers["x-rate-limit-reset"] == str(noon + 900)
            assert headers["x-app-limit-24hour-remaining"] == str(9_900 + left)
            assert headers["x-app-limit-24hour-reset"] == str(noon + 86_400)
        refused = await x.create("98")
        assert (refused.status, refused.headers["x-rate-limit-remaining"]) == (403, "97")
        assert (await x.timeline()).headers["x-rate-limit-remaining"] == "899"


async def test_a_used_up_limit_is_a_429_until_its_window_ends() -> None:
    async with x_client() as x:
        for left in range(75):
            assert (await x.get("/2/users/me")).headers["x-rate-limit-remaining"] == str(74 - left)
        refused = await x.get("/2/users/me")
        assert (refused.status, refused.body) == (
            429,
            {
                "title": "Too Many Requests",
                "detail": "Too Many Requests",
                "type": "about:blank",
                "status": 429,
            },
        )
        assert refused.headers["x-rate-limit-remaining"] == "0"
        assert (await another(x, "bob").get("/2/users/me")).status == 200
        assert (await x.timeline()).status == 200
        x.sandbox.clock.shift(901)
        assert (await x.get("/2/users/me")).status == 200


async def test_the_day_limit_of_the_app_outlasts_the_quarter_hours() -> None:
    limits = {"POST /2/tweets": Limit(2, 3, 86_400)}
    async with x_client(XSandbox(limits=limits)) as x:
        first = [(await x.create(f"a{n}")).status for n in range(3)]
        x.sandbox.clock.shift(901)
        second = [await x.create(f"b{n}") for n in range(2)]
        assert (first, [answer.status for answer in second]) == ([201, 201, 429], [201, 429])
        assert second[1].headers["x-app-limit-24hour-remaining"] == "0"
        assert second[1].headers["x-rate-limit-remaining"] == "1"
        x.sandbox.clock.shift(86_400)
        assert (await x.create("c")).status == 201


def test_every_endpoint_has_its_published_limit() -> None:
    published = {name: (one.per_user, one.per_app) for name, one in X_LIMITS.items()}
    assert published["POST /2/tweets"] == (100, 10_000)
    assert published["DELETE /2/tweets/:id"] == (50, None)
    assert published["GET /2/users/:id/tweets"] == (900, 10_000)
    assert published["GET /2/tweets"] == (5_000, 3_500)
    assert published["GET /2/tweets/:id"] == (900, 450)
    assert published["GET /2/users/me"] == (75, None)
    assert published["POST /2/media/upload/:id/append"] == (1_875, 180_000)


async def test_without_credits_everything_is_a_402() -> None:
    async with x_client() as x:
        x.sandbox.out_of_credits = True
        for answer in (await x.create("x"), await x.timeline(), await x.get("/2/users/me")):
            assert (answer.status, answer.body) == (
                402,
                {
                    "title": "Payment Required",
                    "detail": "credits depleted",
                    "type": "https://api.x.com/2/problems/credits-depleted",
                    "status": 402,
                },
            )
        x.sandbox.out_of_credits = False
        assert (await x.create("x")).status == 201


async def test_the_old_service_words_its_402_in_its_own_way() -> None:
    async with x_client(XSandbox(dialect="tweet")) as x:
        x.sandbox.out_of_credits = True
        answer = await x.create("x")
        assert (answer.status, answer.body["title"]) == (402, "CreditsDepleted")
        assert answer.body["type"] == "https://api.twitter.com/2/problems/credits"
        assert x.account.id in answer.detail


async def test_a_spending_cap_names_the_day_it_ends_and_ends_on_it() -> None:
    async with x_client(XSandbox(at_noon())) as x:
        x.sandbox.spend_cap_reset = date(2026, 11, 24)
        answer = await x.create("x")
        assert (answer.status, answer.body["title"]) == (403, "SpendCapReached")
        assert answer.body["reset_date"] == "2026-11-24"
        assert "billing cycle spend cap" in answer.detail
        assert answer.detail.endswith("until the next cycle begins on 2026-11-24.")
        x.sandbox.clock.shift(2 * 86_400)
        assert (await x.create("x")).status == 201
