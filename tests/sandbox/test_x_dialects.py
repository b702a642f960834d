"""The two vocabularies, and the silence about names a service does not know."""

from collections.abc import Iterable

import pytest

from bridge.sandbox.x import XPoll, XSandbox
from tests.fixtures.x_client import XClient, x_client

LONG = "word " * 80


def keys(posts: Iterable[dict[str, object]]) -> set[str]:
    return {key for post in posts for key in post}


def seeded(x: XClient) -> tuple[str, str]:
    """A long post and a reply to it."""
    first = x.sandbox.write(x.account, "short")
    x.sandbox.remove(first.id)
    long = x.sandbox.write(x.account, LONG)
    reply = x.sandbox.write(x.account, "reply", reply_to=long.id)
    return long.id, reply.id


async def test_the_new_service_gives_only_id_and_text_by_itself() -> None:
    async with x_client(XSandbox(dialect="post")) as x:
        x.sandbox.write(x.account, "hello")
        assert keys((await x.timeline()).data) == {"id", "text"}


async def test_the_old_service_gives_the_edit_history_too() -> None:
    async with x_client(XSandbox(dialect="tweet")) as x:
        post = x.sandbox.write(x.account, "hello")
        assert (await x.timeline()).data == [
            {"id": post.id, "text": "hello", "edit_history_tweet_ids": [post.id]}
        ]


@pytest.mark.parametrize("dialect", ["post", "both"])
async def test_the_new_vocabulary_is_understood(dialect: str) -> None:
    async with x_client(XSandbox(dialect=dialect), premium=True) as x:
        long, reply = seeded(x)
        answer = await x.timeline(
            post__fields="note_post,created_at",
            expansions="author_id,in_reply_to_user_id,referenced_posts,edit_history_post_ids",
        )
        newest, oldest = answer.data
        assert newest["referenced_posts"] == [{"type": "replied_to", "id": long}]
        assert newest["in_reply_to_user_id"] == newest["author_id"] == x.account.id
        assert newest["edit_history_post_ids"] == [reply]
        assert "edit_history_tweet_ids" not in newest
        assert oldest["note_post"]["text"] == LONG.strip()
        assert [user["id"] for user in answer.body["includes"]["users"]] == [x.account.id]


@pytest.mark.parametrize("dialect", ["tweet", "both"])
async def test_the_old_vocabulary_is_understood(dialect: str) -> None:
    async with x_client(XSandbox(dialect=dialect), premium=True) as x:
        long, reply = seeded(x)
        answer = await x.timeline(
            since_id=long,
            tweet__fields="author_id,in_reply_to_user_id,referenced_tweets,note_tweet",
            expansions="referenced_tweets.id",
        )
        assert answer.data == [
            {
                "id": reply,
                "text": "reply",
                "edit_history_tweet_ids": [reply],
                "author_id": x.account.id,
                "in_reply_to_user_id": x.account.id,
                "referenced_tweets": [{"type": "replied_to", "id": long}],
            }
        ]
        included = answer.body["includes"]["tweets"]
        assert [(post["id"], post["note_tweet"]["text"]) for post in included] == [
            (long, LONG.strip())
        ]


async def test_new_names_mean_nothing_to_the_old_service_and_are_charged_all_the_same() -> None:
    async with x_client(XSandbox(dialect="tweet"), premium=True) as x:
        seeded(x)
        answer = await x.timeline(
            post__fields="note_post,created_at", expansions="referenced_posts"
        )
        assert answer.status == 200
        assert keys(answer.data) == {"id", "text", "edit_history_tweet_ids"}
        assert "includes" not in answer.body
        assert [kind for kind, _ in x.charges] == ["owned_read", "owned_read"]


async def test_old_names_mean_nothing_to_the_new_timeline() -> None:
    async with x_client(XSandbox(dialect="post"), premium=True) as x:
        seeded(x)
        answer = await x.timeline(
            tweet__fields="note_tweet,created_at,referenced_tweets",
            expansions="referenced_tweets.id",
        )
        assert (answer.status, keys(answer.data)) == (200, {"id", "text"})


async def test_lookups_of_the_new_service_know_the_old_fields_as_an_alias() -> None:
    async with x_client(XSandbox(dialect="post"), premium=True) as x:
        long, _ = seeded(x)
        alias = await x.lookup(long, tweet__fields="note_tweet,created_at")
        assert {"note_tweet", "created_at"} <= keys(alias.data)
        mixed = await x.lookup(
            long,
            tweet__fields="note_post",
            expansions="referenced_tweets.id,edit_history_tweet_ids",
        )
        assert keys(mixed.data) == {"id", "text"}


async def test_what_became_an_expansion_is_no_field_any_more() -> None:
    async with x_client() as x:
        _, reply = seeded_short(x)
        answer = await x.lookup(
            reply,
            post__fields="author_id,in_reply_to_user_id,referenced_posts,edit_history_post_ids",
        )
        assert keys(answer.data) == {"id", "text"}


def seeded_short(x: XClient) -> tuple[str, str]:
    first = x.sandbox.write(x.account, "first").id
    return first, x.sandbox.write(x.account, "reply", reply_to=first).id


async def test_unknown_field_names_are_ignored_in_silence() -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "hello")
        answer = await x.timeline(post__fields="text,mood", expansions="moods", media__fields="x")
        assert (answer.status, keys(answer.data)) == (200, {"id", "text"})
        assert len(x.charges) == 1


async def test_the_answer_to_a_new_post_keeps_the_old_spelling_with_an_empty_string() -> None:
    async with x_client(XSandbox(dialect="post")) as x:
        answer = await x.create("hello")
        assert answer.status == 201
        assert answer.data["edit_history_tweet_ids"] == [""]
        assert set(answer.data) == {"id", "text", "edit_history_tweet_ids"}


async def test_metrics_are_spelled_as_the_dialect_spells_them() -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "hello")
        new = await x.timeline(
            post__fields="public_metrics", expansions="author_id", user__fields="public_metrics"
        )
        old = await x.timeline(
            tweet__fields="public_metrics", expansions="author_id", user__fields="public_metrics"
        )
        assert "repost_count" in new.data[0]["public_metrics"]
        assert "retweet_count" in old.data[0]["public_metrics"]
        assert new.body["includes"]["users"][0]["public_metrics"]["post_count"] == 1
        assert old.body["includes"]["users"][0]["public_metrics"]["tweet_count"] == 1


async def test_polls_come_with_their_options() -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "tea?", poll=XPoll(("yes", "no"), 60))
        answer = await x.timeline(
            expansions="attachments.poll_ids", poll__fields="duration_minutes,voting_status"
        )
        (poll,) = answer.body["includes"]["polls"]
        assert answer.data[0]["attachments"] == {"poll_ids": [poll["id"]]}
        assert [option["label"] for option in poll["options"]] == ["yes", "no"]
        assert (poll["duration_minutes"], poll["voting_status"]) == (60, "open")
