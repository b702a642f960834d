"""What a person does in X's own app, as the sandbox offers it to tests and to its page."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.sandbox.x import ChangeKind, XChange, XFile, XPoll, XSandbox
from tests.fixtures.x_client import GIF, PNG, XClient, x_client


async def control(x: XClient, method: str, path: str, body: object = None) -> Any:
    return await x.ask(method, f"/sandbox/{path}", json=body, headers={})


def test_what_xs_own_app_would_not_post_raises() -> None:
    sandbox = XSandbox()
    ada, bob = sandbox.add_account("ada", "Ada"), sandbox.add_account("bob", "Bob")
    theirs = sandbox.write(bob, "mine").id
    wrongs: tuple[dict[str, Any], ...] = (
        {"text": ""},
        {"text": "a" * 281},
        {"text": "half \ud83d a smile"},
        {"text": "x", "reply_to": "1"},
        {"text": "x", "edit_of": theirs},
        {"text": "x", "repost_of": theirs},
        {"text": "x", "media": [XFile(b"no picture")]},
        {"text": "x", "media": [XFile(PNG)] * 5},
        {"text": "x", "media": [XFile(PNG), XFile(GIF)]},
        {"text": "x", "poll": XPoll(("one",))},
    )
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"\w"):
            sandbox.write(ada, **wrong)
    assert sandbox.timeline(ada) == ()
    with pytest.raises(ValueError, match="taken"):
        sandbox.add_account("ADA", "Imposter")
    with pytest.raises(ValueError, match="no handle"):
        sandbox.add_account("ada.lovelace", "Ada")
    with pytest.raises(KeyError):
        sandbox.remove("1")


def test_a_post_may_be_backdated_and_stands_where_its_time_says() -> None:
    sandbox = XSandbox()
    ada = sandbox.add_account("ada", "Ada")
    sandbox.write(ada, "today")
    old = sandbox.write(ada, "in 2020", created_at=datetime(2020, 5, 17, 12, 30, tzinfo=UTC))
    assert [post.text for post in sandbox.timeline(ada)] == ["today", "in 2020"]
    assert (int(old.id) >> 22) + 1_288_834_974_657 == old.created_at.timestamp() * 1000


def test_no_post_can_be_edited_more_than_five_times() -> None:
    sandbox = XSandbox()
    ada = sandbox.add_account("ada", "Ada")
    post = sandbox.write(ada, "0")
    for number in range(1, 6):
        post = sandbox.write(ada, str(number), edit_of=post.id)
    with pytest.raises(ValueError, match="any more"):
        sandbox.write(ada, "6", edit_of=post.id)
    assert [one.text for one in sandbox.timeline(ada)] == ["5"]


def test_subscribers_hear_of_every_change_until_they_stop() -> None:
    sandbox = XSandbox()
    ada = sandbox.add_account("ada", "Ada")
    heard: list[XChange] = []
    stop = sandbox.subscribe(heard.append)
    first = sandbox.write(ada, "one")
    sandbox.write(ada, "two", edit_of=first.id)
    sandbox.remove(first.id)
    stop()
    sandbox.write(ada, "three")
    assert [(change.kind, change.post.text) for change in heard] == [
        (ChangeKind.CREATED, "one"),
        (ChangeKind.EDITED, "two"),
        (ChangeKind.DELETED, "two"),
    ]


def test_the_oldest_posts_and_files_are_forgotten_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.sandbox.x.posts.MAX_POSTS", 3)
    monkeypatch.setattr("bridge.sandbox.x.uploads.MAX_KEPT_BYTES", 2 * len(PNG))
    sandbox = XSandbox()
    ada = sandbox.add_account("ada", "Ada")
    edited = sandbox.write(ada, "0", media=[XFile(PNG)])
    sandbox.write(ada, "0!", edit_of=edited.id)
    for number in range(1, 5):
        sandbox.write(ada, str(number), media=[XFile(PNG)])
    assert [post.text for post in sandbox.timeline(ada)] == ["4", "3", "2"]
    assert sandbox.post(edited.id) is None
    kept = [sandbox.file(post.media[0].key) for post in sandbox.timeline(ada)]
    assert [one is not None for one in kept] == [True, True, False]


async def test_community_posts_say_so() -> None:
    async with x_client() as x:
        x.sandbox.write(x.account, "among us", community=True)
        answer = await x.timeline(post__fields="community_id")
        assert answer.data[0]["community_id"].isdigit()


async def test_everything_a_person_does_can_be_done_over_http() -> None:
    async with x_client() as x:
        bob = await control(x, "POST", "accounts", {"handle": "bob", "name": "Bob"})
        assert (bob.status, set(bob.body) >= {"id", "oauth1", "oauth2"}) == (201, True)
        listed = (await control(x, "GET", "accounts")).body
        assert [one["handle"] for one in listed] == ["ada", "bob"]
        assert "oauth1" not in listed[1]
        encoded = base64.b64encode(PNG).decode()
        written = await control(
            x,
            "POST",
            "write",
            {
                "handle": "bob",
                "text": "see example.com",
                "media": [{"content": encoded, "alt_text": "a dot"}],
                "created_at": "2026-11-20T12:00:00+01:00",
            },
        )
        assert (written.status, written.body["text"]) == (201, "see example.com")
        reply = {"handle": "bob", "text": "and?", "reply_to": written.body["id"]}
        assert (await control(x, "POST", "write", reply)).status == 201
        poll = {"handle": "bob", "text": "tea?", "poll": {"options": ["yes", "no"]}}
        assert (await control(x, "POST", "write", poll)).body["poll"] == ["yes", "no"]
        timeline = (await control(x, "GET", "timeline/bob")).body
        assert [post["text"] for post in timeline] == ["tea?", "and?", "see example.com"]
        async with x.http.get(timeline[2]["media"][0]["url"]) as file:
            assert await file.read() == PNG
        gone = await control(x, "DELETE", f"posts/{written.body['id']}")
        assert gone.status == 204
        assert len((await control(x, "GET", "timeline/bob")).body) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("write", {"handle": "nobody", "text": "x"}, 404),
        ("write", {"text": "x"}, 400),
        ("write", {"handle": "ada"}, 400),
        ("write", {"handle": "ada", "text": 5}, 400),
        ("write", {"handle": "ada", "text": "x", "media": [{"content": "???"}]}, 400),
        ("write", {"handle": "ada", "text": "x", "media": ["x"]}, 400),
        ("write", {"handle": "ada", "text": "x", "poll": ["a", "b"]}, 400),
        ("write", {"handle": "ada", "text": "x", "created_at": "2026-11-20"}, 400),
        ("write", {"handle": "ada", "text": "x", "created_at": "1999-01-01T00:00Z"}, 400),
        ("write", [], 400),
        ("accounts", {"handle": "ada"}, 400),
        ("accounts", {"handle": "eve", "premium": "yes"}, 400),
        ("credit", {"spend_cap_reset": "soon"}, 400),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_a_reason(
    path: str, body: object, status: int
) -> None:
    async with x_client() as x:
        answer = await control(x, "POST", path, body)
        assert (answer.status, list(answer.body)) == (status, ["error"])


async def test_the_bill_and_the_credit_are_there_over_http() -> None:
    async with x_client() as x:
        await x.create("https://example.com")
        bill = (await control(x, "GET", "bill")).body
        assert (bill["total_microdollars"], bill["total"]) == (200_000, "$0.20")
        assert bill["charges"][0]["kind"] == "create_with_link"
        await control(x, "POST", "credit", {"out_of_credits": True})
        assert (await x.create("x")).status == 402
        body = {"out_of_credits": False, "spend_cap_reset": "2999-01-01"}
        assert (await control(x, "POST", "credit", body)).body == body
        assert (await x.create("x")).status == 403


async def test_a_reset_leaves_the_accounts_and_nothing_else() -> None:
    async with x_client() as x:
        await x.create("hello")
        await x.upload(PNG, "image/png", "tweet_image")
        x.bearer = x.account.oauth2.access_token
        await control(x, "POST", "time", {"shift_seconds": 10_000})
        x.sandbox.out_of_credits = True
        assert (await control(x, "POST", "reset")).status == 204
        assert x.sandbox.timeline(x.account) == ()
        assert x.sandbox.bill() == ()
        assert x.sandbox.faults.requests == ()
        assert (await x.get("/2/users/me")).status == 200
        assert (await x.create("hello")).headers["x-rate-limit-remaining"] == "99"
