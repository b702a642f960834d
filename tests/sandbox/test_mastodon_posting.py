"""What a Mastodon server takes, refuses and answers when somebody posts, edits and deletes."""

import json
from datetime import timedelta

import aiohttp
import pytest

from tests.fixtures.mastodon import EPOCH, PNG, ServedMastodon

STATUSES = "/api/v1/statuses"


async def test_a_post_answers_with_everything_a_client_reads(
    mastodon_sandbox: ServedMastodon,
) -> None:
    answer = await mastodon_sandbox.post("Hello", language="de", visibility="unlisted")

    assert answer.status == 200
    post = answer.one
    assert post["content"] == "<p>Hello</p>"
    assert post["visibility"] == "unlisted"
    assert post["language"] == "de"
    assert post["created_at"] == "2026-03-01T12:00:30.250Z"
    assert post["edited_at"] is None
    assert post["card"] is None
    assert post["application"] == {"name": "Bridge", "website": None}
    assert post["url"] == f"{mastodon_sandbox.url}/@ada/{post['id']}"
    assert str(post["id"]).isdigit()


@pytest.mark.parametrize("kind", ["form", "multipart", "json"])
async def test_forms_multipart_and_json_mean_the_same(
    mastodon_sandbox: ServedMastodon, kind: str
) -> None:
    media = (await mastodon_sandbox.upload()).one["id"]
    flat = {
        "status": "Which?",
        "media_ids[]": str(media),
        "spoiler_text": "poll",
        "poll[expires_in]": "600",
        "poll[multiple]": "true",
    }
    pairs = [*flat.items(), ("poll[options][]", "this"), ("poll[options][]", "that")]
    if kind == "json":
        body = {
            "status": "Which?",
            "media_ids": [media],
            "spoiler_text": "poll",
            "poll": {"options": ["this", "that"], "expires_in": 600, "multiple": True},
        }
        answer = await mastodon_sandbox.ask("POST", STATUSES, json=body)
    elif kind == "form":
        answer = await mastodon_sandbox.ask("POST", STATUSES, data=pairs)
    else:
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in pairs:
            form.add_field(name, value)
        answer = await mastodon_sandbox.ask("POST", STATUSES, data=form)

    assert answer.status == 200, answer.body
    post = answer.one
    assert [one["id"] for one in json.loads(json.dumps(post["media_attachments"]))] == [media]
    poll = post["poll"]
    assert isinstance(poll, dict)
    assert [option["title"] for option in poll["options"]] == ["this", "that"]
    assert poll["multiple"] is True
    assert poll["expires_at"] == "2026-03-01T12:10:30.250Z"
    assert (post["spoiler_text"], post["sensitive"]) == ("poll", True)


async def test_a_list_sent_without_brackets_was_never_sent(
    mastodon_sandbox: ServedMastodon,
) -> None:
    media = (await mastodon_sandbox.upload()).one["id"]

    answer = await mastodon_sandbox.ask(
        "POST", STATUSES, data={"status": "look", "media_ids": str(media)}
    )

    assert answer.status == 200
    assert answer.one["media_attachments"] == []


async def test_false_with_a_capital_is_true_to_rails(mastodon_sandbox: ServedMastodon) -> None:
    sent = {"status": "a", "sensitive": "False"}
    assert (await mastodon_sandbox.ask("POST", STATUSES, data=sent)).one["sensitive"] is True
    sent = {"status": "b", "sensitive": "false"}
    assert (await mastodon_sandbox.ask("POST", STATUSES, data=sent)).one["sensitive"] is False


async def test_unreadable_json_is_400(mastodon_sandbox: ServedMastodon) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await mastodon_sandbox.ask("POST", STATUSES, data="{", headers=headers)
    assert answer.status == 400


@pytest.mark.parametrize(
    ("text", "warning", "status"),
    [
        ("a" * 500, "", 200),
        ("a" * 501, "", 422),
        ("a" * 250, "b" * 250, 200),
        ("a" * 251, "b" * 250, 422),
        ("\N{SPARKLES}" * 500, "", 200),
        ("a" * 476 + " http://" + "b" * 30 + ".com/example", "", 200),
        ("a" * 476 + "http://" + "b" * 30 + ".com/example", "", 422),
        ("a" * 475 + " @alice@" + "b" * 30 + ".com", "", 200),
        ("@alice@" + "b" * 500 + ".com", "", 422),
        (" \n" + "a" * 500 + "\n ", "", 200),
    ],
)
async def test_length_is_counted_as_the_validator_counts(
    mastodon_sandbox: ServedMastodon, text: str, warning: str, status: int
) -> None:
    answer = await mastodon_sandbox.post(text, spoiler_text=warning)

    assert answer.status == status
    if status == 422:
        assert answer.error == "Validation failed: Text character limit of 500 exceeded"
        assert mastodon_sandbox.sandbox.timeline(mastodon_sandbox.account) == ()


@pytest.mark.parametrize("text", ["", "   \n", "\N{NO-BREAK SPACE}"])
async def test_a_post_needs_text_or_media(mastodon_sandbox: ServedMastodon, text: str) -> None:
    answer = await mastodon_sandbox.post(text)
    assert (answer.status, answer.error) == (422, "Validation failed: Text can't be blank")

    media = (await mastodon_sandbox.upload()).one["id"]
    answer = await mastodon_sandbox.post(text, media_ids=[media])
    assert answer.status == 200


async def test_a_warning_without_text_becomes_the_text(mastodon_sandbox: ServedMastodon) -> None:
    post = (await mastodon_sandbox.post("", spoiler_text="careful")).one
    assert (post["content"], post["spoiler_text"]) == ("<p>careful</p>", "")
    assert post["sensitive"] is True


async def test_an_unknown_visibility_is_refused(mastodon_sandbox: ServedMastodon) -> None:
    assert (await mastodon_sandbox.post("x", visibility="friends")).status == 422


async def test_omitted_visibility_is_the_accounts_own(mastodon_sandbox: ServedMastodon) -> None:
    quiet = mastodon_sandbox.sandbox.add_account("quiet", default_visibility="private")
    answer = await mastodon_sandbox.ask(
        "POST", STATUSES, token=quiet.access_token, json={"status": "psst"}
    )
    assert answer.one["visibility"] == "private"


@pytest.mark.parametrize(
    ("asked", "given"), [("fr", "fr"), ("en-US", "en"), ("xx", "en"), ("EN", "en"), (None, "en")]
)
async def test_an_unknown_language_silently_falls_back(
    mastodon_sandbox: ServedMastodon, asked: str | None, given: str
) -> None:
    assert (await mastodon_sandbox.post("x", language=asked)).one["language"] == given


async def test_a_missing_parent_is_404_and_nothing_is_posted(
    mastodon_sandbox: ServedMastodon,
) -> None:
    answer = await mastodon_sandbox.post("reply", in_reply_to_id="1")

    assert answer.status == 404
    assert "reply" in answer.error
    assert mastodon_sandbox.sandbox.timeline(mastodon_sandbox.account) == ()


async def test_a_parent_that_one_may_not_see_is_missing(mastodon_sandbox: ServedMastodon) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    secret = mastodon_sandbox.sandbox.write(bob, "to nobody", visibility="direct")

    assert (await mastodon_sandbox.post("reply", in_reply_to_id=secret.id)).status == 404


async def test_a_reply_names_its_parent_until_that_is_deleted(
    mastodon_sandbox: ServedMastodon,
) -> None:
    parent = (await mastodon_sandbox.post("first")).one["id"]
    reply = (await mastodon_sandbox.post("second", in_reply_to_id=parent)).one
    assert reply["in_reply_to_id"] == parent
    assert reply["in_reply_to_account_id"] == mastodon_sandbox.account.id

    await mastodon_sandbox.ask("DELETE", f"{STATUSES}/{parent}")

    orphan = (await mastodon_sandbox.ask("GET", f"{STATUSES}/{reply['id']}")).one
    assert orphan["in_reply_to_id"] is None
    assert orphan["in_reply_to_account_id"] == mastodon_sandbox.account.id


@pytest.mark.parametrize(
    ("poll", "status"),
    [
        ({"options": ["a", "b"], "expires_in": 300}, 200),
        ({"options": ["a"], "expires_in": 300}, 422),
        ({"options": ["a", "b", "c", "d", "e"], "expires_in": 300}, 422),
        ({"options": ["a", "a"], "expires_in": 300}, 422),
        ({"options": ["a", "b" * 51], "expires_in": 300}, 422),
        ({"options": ["a", "b"], "expires_in": 299}, 422),
        ({"options": ["a", "b"], "expires_in": 2_629_747}, 422),
        ({"options": ["a", "b"]}, 422),
    ],
)
async def test_a_poll_has_bounds(
    mastodon_sandbox: ServedMastodon, poll: dict[str, object], status: int
) -> None:
    assert (await mastodon_sandbox.post("?", poll=poll)).status == status


async def test_mentions_are_refused_beyond_those_allowed(mastodon_sandbox: ServedMastodon) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    carol = mastodon_sandbox.sandbox.add_account("carol@remote.example")
    text = "@bob and @carol@remote.example and @nobody"

    refused = await mastodon_sandbox.post(text, allowed_mentions=[bob.id])
    assert refused.status == 422
    unexpected = refused.one["unexpected_accounts"]
    assert isinstance(unexpected, list)
    assert [one["id"] for one in unexpected] == [carol.id]
    assert (await mastodon_sandbox.post("@bob", allowed_mentions=[])).status == 422

    allowed = await mastodon_sandbox.post(text, allowed_mentions=[bob.id, carol.id])
    assert allowed.status == 200
    mentions = allowed.one["mentions"]
    assert isinstance(mentions, list)
    assert [one["acct"] for one in mentions] == ["bob", "carol@remote.example"]


async def test_a_quote_shows_what_it_quotes(mastodon_sandbox: ServedMastodon) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    quoted = mastodon_sandbox.sandbox.write(bob, "worth reading")

    post = (await mastodon_sandbox.post("see", quoted_status_id=quoted.id)).one

    url = f"{mastodon_sandbox.url}/@bob/{quoted.id}"
    assert str(post["content"]).startswith(f'<p class="quote-inline">RE: <a href="{url}"')
    assert str(post["content"]).endswith("<p>see</p>")
    quote = post["quote"]
    assert isinstance(quote, dict)
    assert quote["state"] == "accepted"
    assert quote["quoted_status"]["id"] == quoted.id

    mastodon_sandbox.sandbox.remove(quoted.id)
    later = (await mastodon_sandbox.ask("GET", f"{STATUSES}/{post['id']}")).one
    assert later["quote"] == {"state": "deleted", "quoted_status": None}
    assert later["content"] == "<p>see</p>"


async def test_what_may_not_be_quoted_is_404_and_media_beside_a_quote_422(
    mastodon_sandbox: ServedMastodon,
) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    private = mastodon_sandbox.sandbox.write(bob, "x", visibility="private")
    own = mastodon_sandbox.sandbox.write(mastodon_sandbox.account, "x", visibility="private")
    media = (await mastodon_sandbox.upload()).one["id"]

    assert (await mastodon_sandbox.post("q", quoted_status_id="7")).status == 404
    assert (await mastodon_sandbox.post("q", quoted_status_id=private.id)).status == 404
    both = await mastodon_sandbox.post("q", quoted_status_id=own.id, media_ids=[media])
    assert both.status == 422
    narrowed = await mastodon_sandbox.post("q", quoted_status_id=own.id, visibility="public")
    assert narrowed.one["visibility"] == "private"


async def test_a_post_for_later_waits_for_its_time(mastodon_sandbox: ServedMastodon) -> None:
    at = EPOCH + timedelta(minutes=10)
    answer = await mastodon_sandbox.post("later", scheduled_at=at.isoformat())
    assert answer.one["scheduled_at"] == "2026-03-01T12:10:30.250Z"
    assert (await mastodon_sandbox.page()).ids == []

    mastodon_sandbox.clock.shift(601)
    assert [one["content"] for one in (await mastodon_sandbox.page()).many] == ["<p>later</p>"]


async def test_too_soon_is_refused_and_a_past_time_means_now(
    mastodon_sandbox: ServedMastodon,
) -> None:
    soon = EPOCH + timedelta(minutes=4)
    assert (await mastodon_sandbox.post("x", scheduled_at=soon.isoformat())).status == 422
    past = EPOCH - timedelta(days=1)
    answer = await mastodon_sandbox.post("x", scheduled_at=past.isoformat())
    assert answer.one["created_at"] == "2026-03-01T12:00:30.250Z"


async def test_an_application_is_named_to_the_author_only(mastodon_sandbox: ServedMastodon) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    path = f"{STATUSES}/{(await mastodon_sandbox.post('x')).one['id']}"

    assert "application" in (await mastodon_sandbox.ask("GET", path)).one
    assert "application" not in (await mastodon_sandbox.ask("GET", path, token=None)).one
    other = await mastodon_sandbox.ask("GET", path, token=bob.access_token)
    assert "application" not in other.one


async def test_several_posts_are_read_at_once_up_to_twenty(
    mastodon_sandbox: ServedMastodon,
) -> None:
    ids = [str((await mastodon_sandbox.post(f"{n}")).one["id"]) for n in range(3)]
    query = [("id[]", one) for one in [*ids, "999"]]

    answer = await mastodon_sandbox.ask("GET", STATUSES, params=query)

    assert sorted(answer.ids) == sorted(ids)
    many = [("id[]", str(n)) for n in range(21)]
    assert (await mastodon_sandbox.ask("GET", STATUSES, params=many)).status == 422
    assert (await mastodon_sandbox.ask("GET", STATUSES, params=many[:20])).status == 200


async def test_a_boost_carries_the_boosted_post_and_goes_with_it(
    mastodon_sandbox: ServedMastodon,
) -> None:
    bob = mastodon_sandbox.sandbox.add_account("bob")
    original = mastodon_sandbox.sandbox.write(bob, "boost me")

    boost = (await mastodon_sandbox.ask("POST", f"{STATUSES}/{original.id}/reblog")).one

    assert boost["id"] != original.id
    assert boost["content"] == ""
    assert isinstance(boost["reblog"], dict)
    assert boost["reblog"]["id"] == original.id
    assert boost["reblog"]["reblogs_count"] == 1
    again = (await mastodon_sandbox.ask("POST", f"{STATUSES}/{original.id}/reblog")).one
    assert again["id"] == boost["id"]
    mastodon_sandbox.sandbox.remove(original.id)
    assert (await mastodon_sandbox.ask("GET", f"{STATUSES}/{boost['id']}")).status == 404


@pytest.mark.parametrize(
    ("count", "data", "status"), [(4, PNG, 200), (5, PNG, 422)], ids=["four", "five"]
)
async def test_four_pictures_are_the_most(
    mastodon_sandbox: ServedMastodon, count: int, data: bytes, status: int
) -> None:
    ids = [(await mastodon_sandbox.upload(data)).one["id"] for _ in range(count)]
    assert (await mastodon_sandbox.post("x", media_ids=ids)).status == status


async def test_half_a_character_is_no_text(mastodon_sandbox: ServedMastodon) -> None:
    headers = {"Content-Type": "application/json"}
    sent = b'{"status": "half \\ud83d"}'
    answer = await mastodon_sandbox.ask("POST", STATUSES, data=sent, headers=headers)
    assert answer.status == 400
    assert mastodon_sandbox.sandbox.timeline(mastodon_sandbox.account) == ()
