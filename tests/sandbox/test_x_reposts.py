"""Reposts through the API of X: once a post, without words of their own, gone with the original."""

import pytest

from bridge.sandbox.x import XSandbox
from tests.fixtures.x_client import Answer, XClient, another, x_client


async def repost(x: XClient, post: str, user: str | None = None) -> Answer:
    path = f"/2/users/{user or x.account.id}/retweets"
    return await x.ask("POST", path, json={"tweet_id": post})


async def take_back(x: XClient, post: str) -> Answer:
    return await x.ask("DELETE", f"/2/users/{x.account.id}/retweets/{post}")


@pytest.mark.parametrize(("dialect", "name"), [("post", "rest_id"), ("tweet", "id")])
async def test_a_repost_stands_on_the_timeline_and_its_answer_names_the_original(
    dialect: str, name: str
) -> None:
    async with x_client(XSandbox(dialect=dialect)) as x:
        post = x.sandbox.write(x.account, "mine").id
        answer = await repost(x, post)
        assert (answer.status, answer.data) == (200, {name: post, "retweeted": True})
        newest, _ = x.sandbox.timeline(x.account)
        assert (newest.repost_of, newest.text) == (post, "RT @ada: mine")
        assert x.charges == [("repost", 15_000)]


async def test_asked_again_there_is_still_one_and_it_is_charged_again() -> None:
    async with x_client() as x:
        post = x.sandbox.write(x.account, "mine").id
        for _ in range(2):
            assert (await repost(x, post)).data["retweeted"] is True
        assert len(x.sandbox.timeline(x.account)) == 2
        assert [kind for kind, _ in x.charges] == ["repost", "repost"]


async def test_a_repost_can_be_taken_back_and_made_again() -> None:
    async with x_client() as x:
        post = x.sandbox.write(x.account, "mine").id
        await repost(x, post)
        assert (await take_back(x, post)).data == {"retweeted": False}
        assert [one.text for one in x.sandbox.timeline(x.account)] == ["mine"]
        assert (await take_back(x, post)).data == {"retweeted": False}
        await repost(x, post)
        assert len(x.sandbox.timeline(x.account)) == 2


async def test_a_repost_of_a_repost_repeats_the_original() -> None:
    async with x_client() as x:
        bob = another(x, "bob")
        original = x.sandbox.write(x.account, "mine").id
        theirs = x.sandbox.write(bob.account, "", repost_of=original).id
        assert (await repost(x, theirs)).data["rest_id"] == original


async def test_with_its_original_a_repost_is_gone() -> None:
    async with x_client() as x:
        bob = another(x, "bob")
        post = x.sandbox.write(x.account, "mine").id
        await repost(bob, post)
        x.sandbox.remove(post)
        assert x.sandbox.timeline(bob.account) == ()
        assert (await repost(bob, post)).status == 404
        assert (await take_back(bob, post)).status == 404


async def test_nobody_reposts_for_somebody_else_nor_what_is_protected() -> None:
    async with x_client() as x:
        bob = another(x, "bob", protected=True)
        hidden = x.sandbox.write(bob.account, "for few").id
        mine = x.sandbox.write(x.account, "mine").id
        assert (await repost(x, mine, user=bob.account.id)).status == 400
        assert (await repost(bob, hidden)).status == 403
        assert (await repost(x, hidden)).status == 403
        body = {"tweet_id": mine, "comment": "so true"}
        wrong = await x.ask("POST", f"/2/users/{x.account.id}/retweets", json=body)
        assert (wrong.status, "comment" in wrong.message) == (400, True)


async def test_fifty_reposts_fill_a_quarter_of_an_hour() -> None:
    async with x_client() as x:
        post = x.sandbox.write(x.account, "mine").id
        answers = [(await repost(x, post)).status for _ in range(51)]
        assert answers == [200] * 50 + [429]
