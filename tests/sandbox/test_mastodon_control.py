"""What tests and rehearsals do behind the API's back: write, look, subscribe, break things."""

import base64
from datetime import timedelta

import aiohttp
import pytest

from bridge.sandbox.faults import Fault
from bridge.sandbox.mastodon import ApiError, Attachment, Change, MastodonSandbox, PollDraft
from tests.fixtures.mastodon import EPOCH, PNG, ServedMastodon


async def test_a_person_writes_over_http(any_mastodon_sandbox: ServedMastodon) -> None:
    picture = {"data": base64.b64encode(PNG).decode(), "description": "a box"}
    body = {
        "username": "ada",
        "text": "Hello",
        "visibility": "public",
        "spoiler_text": "cw",
        "media": [picture],
        "created_at": "2026-02-01T00:00:00Z",
    }
    answer = await any_mastodon_sandbox.ask("POST", "/sandbox/write", token=None, json=body)

    post = answer.one
    assert post["created_at"] == "2026-02-01T00:00:00.000Z"
    assert post["spoiler_text"] == "cw"
    media = post["media_attachments"]
    assert isinstance(media, list)
    assert media[0]["description"] == "a box"
    if any_mastodon_sandbox.sandbox.profile.applications:
        assert post["application"] == {"name": "Web", "website": None}

    edit = {"username": "ada", "text": "Edited", "edit_of": post["id"]}
    edited = await any_mastodon_sandbox.ask("POST", "/sandbox/write", token=None, json=edit)
    assert edited.one["id"] == post["id"]
    timeline = await any_mastodon_sandbox.ask("GET", "/sandbox/timeline/ada", token=None)
    assert timeline.ids == [post["id"]]
    path = f"/sandbox/posts/{post['id']}"
    assert (await any_mastodon_sandbox.ask("DELETE", path, token=None)).status == 204
    assert (await any_mastodon_sandbox.ask("DELETE", path, token=None)).status == 404


async def test_a_person_is_held_to_the_same_rules(any_mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = any_mastodon_sandbox.sandbox, any_mastodon_sandbox.account
    with pytest.raises(ApiError):
        sandbox.write(ada, "")
    with pytest.raises(ApiError):
        sandbox.write(ada, "x", in_reply_to="nothing")
    with pytest.raises(ApiError):
        sandbox.write(ada, "x", edit_of="nothing")
    body = {"username": "nobody", "text": "x"}
    answer = await any_mastodon_sandbox.ask("POST", "/sandbox/write", token=None, json=body)
    assert answer.status == 404


async def test_accounts_are_added_over_http(mastodon_sandbox: ServedMastodon) -> None:
    body = {"username": "bob", "display_name": "Bob", "locked": True}
    made = await mastodon_sandbox.ask("POST", "/sandbox/accounts", token=None, json=body)
    assert made.status == 201
    me = await mastodon_sandbox.ask(
        "GET", "/api/v1/accounts/verify_credentials", token=str(made.one["access_token"])
    )
    assert (me.one["display_name"], me.one["locked"]) == ("Bob", True)
    again = await mastodon_sandbox.ask("POST", "/sandbox/accounts", token=None, json=body)
    assert again.status == 422
    for wrong in ("", "with space", "<b>"):
        with pytest.raises(ValueError, match="no username"):
            mastodon_sandbox.sandbox.add_account(wrong)


async def test_subscribers_hear_of_every_change_until_they_leave(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    heard: list[Change] = []
    leave = sandbox.subscribe(heard.append)

    post = sandbox.write(ada, "one", poll=PollDraft(("a", "b"), 600))
    mastodon_sandbox.clock.shift(1)
    sandbox.write(ada, "two", edit_of=post.id)
    await mastodon_sandbox.ask("DELETE", f"/api/v1/statuses/{post.id}")
    leave()
    sandbox.write(ada, "three")

    assert [(change.kind, change.status.text) for change in heard] == [
        ("update", "one"),
        ("status.update", "two"),
        ("delete", "two"),
    ]


async def test_the_timeline_shows_everything_newest_first(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = any_mastodon_sandbox.sandbox, any_mastodon_sandbox.account
    first = sandbox.write(ada, "x", visibility="direct")
    second = sandbox.write(ada, "y", media=(Attachment(PNG),))
    old = sandbox.write(ada, "z", created_at=EPOCH - timedelta(hours=1))
    boost = sandbox.write(ada, reblog_of=second.id)
    assert [one.id for one in sandbox.timeline(ada)] == [boost.id, second.id, first.id, old.id]


async def test_a_reset_forgets_posts_and_keeps_people(mastodon_sandbox: ServedMastodon) -> None:
    key = {"Idempotency-Key": "k"}
    sent = {"status": "x"}
    before = await mastodon_sandbox.ask("POST", "/api/v1/statuses", json=sent, headers=key)
    mastodon_sandbox.sandbox.idempotency_bug = True
    mastodon_sandbox.clock.shift(60)

    assert (await mastodon_sandbox.ask("POST", "/sandbox/reset", token=None)).status == 204

    assert mastodon_sandbox.clock.now() == EPOCH
    assert (await mastodon_sandbox.page()).ids == []
    after = await mastodon_sandbox.ask("POST", "/api/v1/statuses", json=sent, headers=key)
    assert after.status == 200
    assert after.one["id"] != before.one["id"]
    assert after.headers["X-RateLimit-Remaining"] == "298"


@pytest.mark.parametrize(("fault", "posts"), [("accept-then-500", 1), ("refuse-then-500", 0)])
async def test_faults_happen_on_order(
    any_mastodon_sandbox: ServedMastodon, fault: str, posts: int
) -> None:
    order = {"name": fault, "method": "POST", "path": "statuses$"}
    await any_mastodon_sandbox.ask("POST", "/sandbox/faults", token=None, json=order)

    answer = await any_mastodon_sandbox.post("x")

    assert (answer.status, answer.error) == (500, "Internal Server Error")
    sandbox = any_mastodon_sandbox.sandbox
    assert len(sandbox.timeline(any_mastodon_sandbox.account)) == posts


async def test_a_lost_connection_loses_only_the_answer(mastodon_sandbox: ServedMastodon) -> None:
    mastodon_sandbox.sandbox.faults.add(Fault("accept-then-reset", method="POST"))
    with pytest.raises(aiohttp.ClientError):
        await mastodon_sandbox.post("x")
    assert len(mastodon_sandbox.sandbox.timeline(mastodon_sandbox.account)) == 1


async def test_a_429_on_order_has_an_iso_reset_or_nothing(mastodon_sandbox: ServedMastodon) -> None:
    mastodon_sandbox.sandbox.faults.add(Fault("refuse-then-429", seconds=90))
    mastodon_sandbox.sandbox.faults.add(Fault("refuse-then-429-bare"))
    told, bare = await mastodon_sandbox.page(), await mastodon_sandbox.page()
    assert told.status == bare.status == 429
    assert told.headers["X-RateLimit-Reset"] == "2026-03-01T12:02:00.250000Z"
    assert "Retry-After" not in told.headers
    assert "X-RateLimit-Reset" not in bare.headers


async def test_requests_are_logged_without_tokens(mastodon_sandbox: ServedMastodon) -> None:
    await mastodon_sandbox.post("logged")
    log = await mastodon_sandbox.ask("GET", "/sandbox/requests", token=None)
    assert [(one["method"], one["path"], one["status"]) for one in log.many] == [
        ("POST", "/api/v1/statuses", 200)
    ]
    assert mastodon_sandbox.account.access_token.encode() not in log.body
    assert mastodon_sandbox.account.access_token not in repr(mastodon_sandbox.account)


async def test_unknown_paths_are_json_404(any_mastodon_sandbox: ServedMastodon) -> None:
    for method, path in (("GET", "/api/v1/nothing"), ("PATCH", "/api/v1/statuses")):
        answer = await any_mastodon_sandbox.ask(method, path)
        assert (answer.status, answer.error) == (404, "Record not found")


def test_what_lives_without_a_server_can_be_made_without_one() -> None:
    sandbox = MastodonSandbox()
    ada = sandbox.add_account("ada")
    assert sandbox.write(ada, "x").visibility == "public"
    assert sandbox.account("ADA") == ada


async def test_people_vote_and_take_quotes_back_over_http(mastodon_sandbox: ServedMastodon) -> None:
    async def tell(post: object, what: str, body: dict[str, object]) -> int:
        path = f"/sandbox/posts/{post}/{what}"
        return (await mastodon_sandbox.ask("POST", path, token=None, json=body)).status

    poll = {"options": ["a", "b"], "expires_in": 600}
    asked = (await mastodon_sandbox.post("which?", poll=poll)).one["id"]
    assert await tell(asked, "votes", {"votes": [2, 1]}) == 204
    for wrong in ([1], ["many", "few"], None):
        assert await tell(asked, "votes", {"votes": wrong}) == 422
    shown = (await mastodon_sandbox.ask("GET", f"/api/v1/statuses/{asked}")).one["poll"]
    assert isinstance(shown, dict)
    assert shown["votes_count"] == 3

    quoting = (await mastodon_sandbox.post("see", quoted_status_id=asked)).status
    assert quoting == 200
    (newest, _) = (await mastodon_sandbox.page()).many
    assert await tell(newest["id"], "quote", {"state": "revoked"}) == 204
    assert await tell(asked, "quote", {"state": "revoked"}) == 422
