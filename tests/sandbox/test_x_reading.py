"""What the X sandbox gives to a reader, and what it refuses."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.sandbox.clock import SandboxClock
from bridge.sandbox.x import XFile, XSandbox
from tests.fixtures.x_client import PNG, another, x_client


async def test_oneself_is_free_to_ask_for() -> None:
    async with x_client() as x:
        answer = await x.get("/2/users/me")
        assert answer.data == {"id": x.account.id, "name": "Ada", "username": "ada"}
        more = await x.get("/2/users/me", **{"user.fields": "protected,created_at,nonsense"})
        assert set(more.data) == {"id", "name", "username", "protected", "created_at"}
        assert x.charges == []


async def test_an_empty_timeline_has_no_data_and_costs_nothing() -> None:
    async with x_client() as x:
        answer = await x.timeline()
        assert (answer.status, answer.body) == (200, {"meta": {"result_count": 0}})
        assert x.charges == []


async def test_a_timeline_comes_newest_first_in_pages_without_gap_or_repetition() -> None:
    async with x_client() as x:
        written = [x.sandbox.write(x.account, f"post {n}").id for n in range(23)]
        seen: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = (await x.timeline(**token)).body
            ids = [post["id"] for post in page["data"]]
            assert page["meta"]["result_count"] == len(ids)
            assert (page["meta"]["newest_id"], page["meta"]["oldest_id"]) == (ids[0], ids[-1])
            seen += ids
            if "next_token" not in page["meta"]:
                break
            token = {"pagination_token": page["meta"]["next_token"]}
        assert seen == written[::-1]


async def test_since_id_and_until_id_are_both_exclusive() -> None:
    async with x_client() as x:
        ids = [x.sandbox.write(x.account, f"post {n}").id for n in range(5)]
        answer = await x.timeline(since_id=ids[0], until_id=ids[4], max_results=5)
        assert [post["id"] for post in answer.data] == ids[3:0:-1]


async def test_start_time_is_inclusive_and_end_time_is_not() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    async with x_client() as x:
        ids = [
            x.sandbox.write(x.account, f"{n}", created_at=noon + timedelta(hours=n)).id
            for n in range(4)
        ]
        answer = await x.timeline(
            start_time="2026-11-20T13:00:00Z", end_time="2026-11-20T15:00:00.000Z"
        )
        assert [post["id"] for post in answer.data] == [ids[2], ids[1]]


async def test_replies_and_reposts_can_be_left_out() -> None:
    async with x_client() as x:
        other = x.sandbox.add_account("bob", "Bob")
        theirs = x.sandbox.write(other, "from Bob")
        own = x.sandbox.write(x.account, "plain").id
        reply = x.sandbox.write(x.account, "thread", reply_to=own).id
        repost = x.sandbox.write(x.account, "", repost_of=theirs.id).id

        async def ids(**params: str) -> set[str]:
            return {post["id"] for post in (await x.timeline(**params)).data}

        assert await ids() == {own, reply, repost}
        assert await ids(exclude="replies") == {own, repost}
        assert await ids(exclude="retweets,replies") == {own}


async def test_no_more_than_3200_posts_can_be_reached_and_800_without_replies() -> None:
    async with x_client() as x:
        ids = [x.sandbox.write(x.account, f"post {n}").id for n in range(3210)]
        oldest = await x.timeline(until_id=ids[15], max_results=100)
        assert [post["id"] for post in oldest.data] == ids[14:9:-1]
        without = await x.timeline(until_id=ids[-795], exclude="replies", max_results=100)
        assert [post["id"] for post in without.data] == ids[-796:-801:-1]


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"max_results": "4"}, "[4] is not between 5 and 100"),
        ({"max_results": "101"}, "[101] is not between 5 and 100"),
        ({"max_results": "ten"}, "[ten] is not between"),
        ({"since_id": "12345678901234567890"}, "`since_id`"),
        ({"since_id": "abc"}, "`since_id`"),
        ({"until_id": ""}, "`until_id`"),
        ({"start_time": "yesterday"}, "`start_time`"),
        ({"end_time": "2026-11-20"}, "`end_time`"),
        ({"pagination_token": "made-up"}, "`pagination_token`"),
        ({"exclude": "quotes"}, "`exclude`"),
        ({"tweet_fields": "text"}, "[tweet_fields] is not one of"),
    ],
)
async def test_a_parameter_out_of_bounds_is_a_400_in_problem_form(
    params: dict[str, str], complaint: str
) -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "unseen")
        answer = await x.timeline(**params)
        assert answer.status == 400
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.body["title"] == "Invalid Request"
        assert answer.body["type"] == "https://api.x.com/2/problems/invalid-request"
        assert complaint in answer.message
        assert x.charges == []


async def test_a_lookup_gives_what_stands_and_an_error_for_each_of_the_others() -> None:
    async with x_client() as x:
        stands, gone = (x.sandbox.write(x.account, text).id for text in ("here", "gone"))
        x.sandbox.remove(gone)
        answer = await x.lookup(stands, gone, "99")
        assert answer.status == 200
        assert [post["id"] for post in answer.data] == [stands]
        assert [error["resource_id"] for error in answer.body["errors"]] == [gone, "99"]
        assert all(error["type"].endswith("resource-not-found") for error in answer.body["errors"])
        only = await x.get(f"/2/tweets/{gone}")
        assert (only.status, "data" in only.body) == (200, False)
        assert (await x.get(f"/2/tweets/{stands}")).data["text"] == "here"


@pytest.mark.parametrize("ids", ["", "1,x", ",".join(map(str, range(1, 102)))])
async def test_a_lookup_takes_1_to_100_ids(ids: str) -> None:
    async with x_client() as x:
        assert (await x.lookup(ids)).status == 400


async def test_protected_posts_are_seen_by_their_author_only() -> None:
    async with x_client() as x:
        shy = another(x, "shy", protected=True)
        post = x.sandbox.write(shy.account, "for followers").id
        assert (await shy.timeline()).data[0]["id"] == post
        refused = await x.get(f"/2/users/{shy.account.id}/tweets")
        assert refused.body["errors"][0]["type"].endswith("not-authorized-for-resource")
        assert "data" not in (await x.lookup(post)).body


async def test_an_unknown_user_is_an_error_inside_a_200() -> None:
    async with x_client() as x:
        answer = await x.get("/2/users/12/tweets")
        assert answer.status == 200
        assert answer.body["errors"][0]["resource_type"] == "user"


async def test_an_edit_shows_up_as_a_new_post_and_hides_the_old_version() -> None:
    async with x_client() as x:
        first = x.sandbox.write(x.account, "tpyo")
        after = x.sandbox.write(x.account, "between")
        second = x.sandbox.write(x.account, "typo", edit_of=first.id)
        third = x.sandbox.write(x.account, "no typo", edit_of=second.id)
        polled = await x.timeline(since_id=after.id, tweet__fields="edit_controls")
        assert [post["text"] for post in polled.data] == ["no typo"]
        assert polled.data[0]["edit_history_tweet_ids"] == [first.id, second.id, third.id]
        assert polled.data[0]["edit_controls"]["edits_remaining"] == 3
        early = (await x.lookup(first.id, tweet__fields="text")).data[0]
        assert early["text"] == "tpyo"
        assert early["edit_history_tweet_ids"] == [first.id, second.id, third.id]
        x.sandbox.remove(second.id)
        gone = await x.lookup(first.id, second.id, third.id)
        assert len(gone.body["errors"]) == 3
        assert [post.text for post in x.sandbox.timeline(x.account)] == ["between"]


async def test_a_parent_that_is_gone_is_an_error_beside_good_data() -> None:
    async with x_client() as x:
        parent = x.sandbox.write(x.account, "parent").id
        reply = x.sandbox.write(x.account, "reply", reply_to=parent).id
        x.sandbox.remove(parent)
        answer = await x.timeline(expansions="referenced_posts")
        assert answer.status == 200
        assert answer.data[0]["referenced_posts"] == [{"type": "replied_to", "id": parent}]
        assert [post["id"] for post in answer.data] == [reply]
        assert "includes" not in answer.body
        (error,) = answer.body["errors"]
        assert (error["resource_id"], error["parameter"]) == (parent, "referenced_posts")


async def test_an_edit_keeps_the_media_it_says_nothing_of() -> None:
    async with x_client() as x:
        first = x.sandbox.write(x.account, "tpyo", media=[XFile(PNG)])
        x.sandbox.write(x.account, "typo", edit_of=first.id)
        answer = await x.timeline(post__fields="attachments,text")
        assert answer.data[0]["attachments"]["media_keys"] == [first.media[0].key]


async def test_no_path_and_no_method_beyond_the_known_ones_answers() -> None:
    async with x_client() as x:
        assert (await x.get("/2/tweets/search/everything")).body["status"] == 404
        assert (await x.ask("PUT", "/2/tweets", json={})).status == 405


async def test_ten_thousand_posts_are_no_burden() -> None:
    clock = SandboxClock()
    async with x_client(XSandbox(clock)) as x:
        began = datetime.now(UTC)
        for number in range(10_000):
            x.sandbox.write(x.account, f"post number {number}")
        assert (await x.timeline(max_results=100)).body["meta"]["result_count"] == 100
        assert datetime.now(UTC) - began < timedelta(seconds=10)
