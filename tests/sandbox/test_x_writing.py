"""What may be posted through the API of X, and in which words the rest is refused."""

from typing import Any

import pytest

from bridge.sandbox.x import XSandbox
from tests.fixtures.x_client import PNG, another, x_client


async def test_a_post_stands_on_the_timeline_it_was_created_on() -> None:
    async with x_client() as x:
        created = await x.create("Hello, world")
        assert created.status == 201
        assert (await x.timeline()).data == [{"id": created.data["id"], "text": "Hello, world"}]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"text": "x", "colour": "red"}, "$.colour: is not defined in the schema"),
        ({"text": "x", "reply": {"in_reply_to_post_id": "1"}}, "$.reply"),
        ({"text": 5}, "$.text: integer found, string expected"),
        ({"text": None}, "$.text: null found"),
        ({}, "$.text: is missing"),
        ({"media": {"media_ids": ["1"]}}, "$.text: is missing"),
        ({"text": ""}, "needs a text"),
        ({"text": " \n"}, "needs a text"),
        ({"text": "x", "media": {"media_ids": []}}, "minimum of 1 items"),
        ({"text": "x", "media": {"media_ids": ["1", "2", "3", "4", "5"]}}, "maximum of 4 items"),
        ({"text": "x", "media": {"media_ids": ["a"]}}, "$.media.media_ids[0]"),
        ({"text": "x", "poll": {"options": ["a"], "duration_minutes": 60}}, "minimum of 2"),
        ({"text": "x", "poll": {"options": ["a", "b"]}}, "$.poll.duration_minutes: is missing"),
        ({"text": "x", "poll": {"options": ["a", "b" * 26], "duration_minutes": 60}}, "25"),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": 4}}, "minimum value"),
        ({"text": "x", "poll": {"options": ["a", "b"], "duration_minutes": True}}, "boolean"),
        ({"text": "x", "reply_settings": "everyone"}, "enumeration"),
        ({"text": "x", "nullcast": "no"}, "boolean expected"),
        ({"text": "\ud800"}, "Unicode"),
        ({"text": "a\ufffeb"}, "characters"),
        ([], "array found, object expected"),
        (
            {
                "text": "x",
                "media": {"media_ids": ["1"]},
                "poll": {"options": ["a", "b"], "duration_minutes": 60},
            },
            "mutually exclusive",
        ),
        ({"text": "x", "media": {"media_ids": ["1"]}, "quote_tweet_id": "1"}, "exclusive"),
    ],
)
async def test_a_body_of_the_wrong_shape_is_a_400(body: Any, complaint: str) -> None:
    async with x_client() as x:
        answer = await x.ask("POST", "/2/tweets", json=body)
        assert (answer.status, answer.body["title"]) == (400, "Invalid Request")
        assert complaint in answer.message
        assert (x.charges, x.sandbox.timeline(x.account)) == ([], ())


async def test_only_json_is_a_body() -> None:
    async with x_client() as x:
        assert (await x.ask("POST", "/2/tweets", data=b'{"text":"x"}')).status == 400
        headers = {
            **x.signed("POST", f"{x.url}/2/tweets"),
            "Content-Type": "application/json",
        }
        answer = await x.ask("POST", "/2/tweets", data=b"{", headers=headers)
        assert (answer.status, answer.message) == (400, "Invalid JSON in the request body.")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 280, True),
        ("a" * 281, False),
        ("あ" * 140, True),
        ("あ" * 141, False),
        ("a" * 256 + " https://example.com/" + "x" * 500, True),
        ("a" * 257 + " https://example.com/", False),
        ("👩‍👩‍👧‍👦" * 140, True),
        ("e\u0301" * 280, True),
    ],
)
async def test_length_is_weighted(text: str, fits: bool) -> None:
    async with x_client() as x:
        answer = await x.create(text)
        assert answer.status == (201 if fits else 403)
        if not fits:
            assert answer.detail.startswith("Your Tweet text is too long.")


async def test_the_old_service_calls_a_long_text_a_bad_request() -> None:
    async with x_client(XSandbox(dialect="tweet")) as x:
        answer = await x.create("a" * 281)
        assert (answer.status, answer.detail[:19]) == (400, "Your Tweet text is ")


async def test_premium_accounts_may_post_25000_weighted_characters() -> None:
    async with x_client(premium=True) as x:
        assert (await x.create("あ" * 12_500)).status == 201
        assert (await x.create("b" + "あ" * 12_500)).status == 403


async def test_the_same_text_again_is_refused_while_the_first_stands() -> None:
    async with x_client() as x:
        first = (await x.create("same https://example.com")).data["id"]
        again = await x.create("same https://example.com ")
        assert (again.status, again.body) == (
            403,
            {
                "title": "Forbidden",
                "detail": "You are not allowed to create a Tweet with duplicate content.",
                "type": "about:blank",
                "status": 403,
            },
        )
        assert (await another(x, "bob").create("same https://example.com")).status == 201
        await x.ask("DELETE", f"/2/tweets/{first}")
        assert (await x.create("same https://example.com")).status == 201


async def test_the_same_text_is_allowed_again_after_a_day() -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "good morning")
        assert (await x.create("good morning")).status == 403
        x.sandbox.clock.shift(25 * 3600)
        assert (await x.create("good morning")).status == 201


async def test_quotes_are_refused() -> None:
    async with x_client() as x:
        post = x.sandbox.write(x.account, "own").id
        assert (await x.create("look", quote_tweet_id=post)).status == 403


async def test_a_thread_of_own_posts_is_allowed() -> None:
    async with x_client() as x:
        first = (await x.create("1")).data["id"]
        second = (await x.create("2", reply={"in_reply_to_tweet_id": first})).data["id"]
        stored = x.sandbox.post(second)
        assert stored is not None
        assert (stored.reply_to, stored.conversation_id) == (first, first)


async def test_a_reply_to_somebody_needs_to_be_summoned() -> None:
    async with x_client() as x:
        bob = x.sandbox.add_account("bob", "Bob")
        plain = x.sandbox.write(bob, "hello").id
        refused = await x.create("hi", reply={"in_reply_to_tweet_id": plain})
        assert refused.status == 403
        assert refused.detail.startswith("Reply to this conversation is not allowed")
        named = x.sandbox.write(bob, "hello @Ada").id
        assert (await x.create("hi", reply={"in_reply_to_tweet_id": named})).status == 201
        own = x.sandbox.write(x.account, "quotable").id
        quoting = x.sandbox.write(bob, "see", quote=own).id
        assert (await x.create("yes", reply={"in_reply_to_tweet_id": quoting})).status == 201


async def test_a_reply_to_what_is_gone_is_refused() -> None:
    async with x_client() as x:
        gone = x.sandbox.write(x.account, "gone").id
        x.sandbox.remove(gone)
        answer = await x.create("hi", reply={"in_reply_to_tweet_id": gone})
        assert (answer.status, "deleted or not visible" in answer.detail) == (403, True)


@pytest.mark.parametrize("text", ["hello @bob", "see ＠bob", "@bob/list"])
async def test_nobody_outside_the_conversation_can_be_mentioned(text: str) -> None:
    async with x_client() as x:
        answer = await x.create(text)
        assert (answer.status, answer.detail) == (
            403,
            "Creating posts with @mentions is not allowed for your access package.",
        )


@pytest.mark.parametrize(
    "text", ["@bob@mastodon.social", "bob@example.org", "@ada said", "an @ sign", "@\u2060bob"]
)
async def test_what_mentions_nobody_else_is_no_mention(text: str) -> None:
    async with x_client() as x:
        assert (await x.create(text)).status == 201


async def test_a_second_cashtag_is_refused() -> None:
    async with x_client() as x:
        assert (await x.create("buy $TWTR")).status == 201
        assert (await x.create("buy $TWTR, sell $GOOG")).status == 403
        assert (await x.create("costs $5 and $10")).status == 201


@pytest.mark.parametrize("field", ["nullcast", "for_super_followers_only"])
async def test_posts_that_would_not_be_public_are_refused(field: str) -> None:
    async with x_client() as x:
        assert (await x.create("hidden", **{field: True})).status == 403
        assert (await x.create("shown", **{field: False})).status == 201


async def test_an_edit_needs_premium_an_own_post_and_the_first_hour() -> None:
    async with x_client(premium=True) as x:
        plain = another(x, "bob")
        first = (await x.create("tpyo")).data["id"]
        theirs = (await plain.create("mine")).data["id"]
        edit = {"edit_options": {"previous_post_id": first}}
        assert (await plain.create("not mine", **edit)).status == 403
        own_edit = {"edit_options": {"previous_post_id": theirs}}
        assert (await plain.create("without Premium", **own_edit)).status == 403
        second = await x.create("typo", **edit)
        assert second.status == 201
        assert (await x.create("not the latest version", **edit)).status == 403
        x.sandbox.clock.shift(3601)
        late = {"edit_options": {"previous_post_id": second.data["id"]}}
        assert (await x.create("too late", **late)).status == 403


async def test_deleting_says_so_once_and_only_to_the_author() -> None:
    async with x_client() as x:
        post = (await x.create("short-lived")).data["id"]
        bob = another(x, "bob")
        assert (await bob.ask("DELETE", f"/2/tweets/{post}")).status == 403
        deleted = await x.ask("DELETE", f"/2/tweets/{post}")
        assert (deleted.status, deleted.data) == (200, {"deleted": True})
        assert (await x.ask("DELETE", f"/2/tweets/{post}")).status == 404
        assert [kind for kind, _ in x.charges] == ["create", "delete"]


async def test_media_must_be_own_ready_fresh_and_go_together() -> None:
    async with x_client() as x:
        photo = (await x.upload(PNG, "image/png", "tweet_image")).data["id"]
        bob = another(x, "bob")

        async def status(client: Any, text: str, *ids: str) -> int:
            answer = await client.create(text, media={"media_ids": list(ids)})
            assert answer.status == 201 or answer.detail == "Your media IDs are invalid."
            return int(answer.status)

        assert await status(bob, "not mine", photo) == 400
        assert await status(x, "unknown", "123") == 400
        assert await status(x, "twice", photo, photo) == 400
        assert await status(x, "", photo) == 201
        x.sandbox.clock.shift(86_400)
        assert await status(x, "a day later", photo) == 400
