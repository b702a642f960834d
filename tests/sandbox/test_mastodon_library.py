"""The client library that most programs use, against each kind of server."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import mastodon
import pytest

from tests.fixtures.mastodon import MP4, PNG, ServedMastodon

T = TypeVar("T")


@pytest.fixture
async def api(any_mastodon_sandbox: ServedMastodon) -> mastodon.Mastodon:
    return client(any_mastodon_sandbox)


def client(served: ServedMastodon) -> mastodon.Mastodon:
    return mastodon.Mastodon(
        access_token=served.account.access_token,
        api_base_url=served.url,
        mastodon_version="4.7.3",
        version_check_mode="created",
        ratelimit_method="throw",
        request_timeout=5,
    )


async def call(do: Callable[[], T]) -> T:
    """Run a blocking call beside the loop that serves it."""
    return await asyncio.to_thread(do)


async def test_the_library_posts_reads_edits_and_deletes(
    any_mastodon_sandbox: ServedMastodon, api: mastodon.Mastodon
) -> None:
    me = await call(api.account_verify_credentials)
    assert str(me.id) == any_mastodon_sandbox.account.id

    post = await call(lambda: api.status_post("one", visibility="private", sensitive=False))
    assert (str(post.visibility), post.sensitive) == ("private", False)
    reply = await call(lambda: api.status_post("two", in_reply_to_id=post.id))
    assert str(reply.in_reply_to_id) == str(post.id)

    page = await call(lambda: api.account_statuses(me.id, limit=40))
    assert [str(one.id) for one in page] == [str(reply.id), str(post.id)]
    assert (await call(lambda: api.status(post.id))).created_at == any_mastodon_sandbox.clock.now()
    assert (await call(lambda: api.status_source(post.id))).text == "one"

    edited = await call(lambda: api.status_update(post.id, "edited"))
    assert edited.edited_at is not None
    await call(lambda: api.status_delete(post.id))
    with pytest.raises(mastodon.MastodonNotFoundError):
        await call(lambda: api.status(post.id))


async def test_the_library_uploads_and_attaches_in_order(
    any_mastodon_sandbox: ServedMastodon, api: mastodon.Mastodon
) -> None:
    def upload() -> list[str]:
        made = [
            api.media_post(PNG, mime_type="image/png", description=f"number {n}") for n in (1, 2)
        ]
        return [str(one.id) for one in made]

    ids = await call(upload)
    post = await call(lambda: api.status_post("pictures", media_ids=ids[::-1], sensitive=True))

    assert [str(one.id) for one in post.media_attachments] == ids[::-1]
    assert [one.description for one in post.media_attachments] == ["number 2", "number 1"]
    assert post.sensitive is True


async def test_the_library_sees_a_video_being_worked_on(mastodon_sandbox: ServedMastodon) -> None:
    api = client(mastodon_sandbox)
    medium = await call(lambda: api.media_post(MP4, mime_type="video/mp4"))
    assert medium.url is None
    with pytest.raises(mastodon.MastodonAPIError) as refused:
        await call(lambda: api.status_post("early", media_ids=[medium.id]))
    assert refused.value.args[1] == 422
    assert (await call(lambda: api.media(medium.id))).url is None
    assert (await call(lambda: api.media(medium.id))).url is not None


async def test_the_library_reads_both_instance_documents(mastodon_sandbox: ServedMastodon) -> None:
    api = client(mastodon_sandbox)
    first, second = await call(api.instance_v1), await call(api.instance_v2)
    assert first.version == second.version == "4.7.3"
    assert second.configuration.statuses.max_characters == 500
    assert second.configuration.urls.streaming.startswith("ws://127.0.0.1")


async def test_the_library_polls_by_min_id(mastodon_sandbox: ServedMastodon) -> None:
    api = client(mastodon_sandbox)
    account = mastodon_sandbox.account
    ids = [mastodon_sandbox.sandbox.write(account, str(number)).id for number in range(5)]
    page = await call(lambda: api.account_statuses(account.id, min_id=ids[1], limit=2))
    assert [str(one.id) for one in page] == [ids[3], ids[2]]
    many = await call(lambda: api.statuses(ids[:3]))
    assert {str(one.id) for one in many} == set(ids[:3])
    history = await call(lambda: api.status_history(ids[0]))
    assert len(history) == 1


async def test_the_library_makes_polls_quotes_and_uses_keys(
    mastodon_sandbox: ServedMastodon,
) -> None:
    api = client(mastodon_sandbox)
    poll = api.make_poll(["a", "b"], expires_in=600, multiple=True)
    asked = await call(lambda: api.status_post("?", poll=poll, idempotency_key="k"))
    again = await call(lambda: api.status_post("?", poll=poll, idempotency_key="k"))
    assert asked.id == again.id
    assert asked.poll is not None
    assert asked.poll.multiple is True
    quote = await call(lambda: api.status_post("look", quoted_status_id=asked.id))
    assert quote.quote is not None


async def test_the_library_learns_when_a_limit_ends(mastodon_sandbox: ServedMastodon) -> None:
    api = client(mastodon_sandbox)
    await call(api.account_verify_credentials)
    assert (api.ratelimit_limit, api.ratelimit_remaining) == (300, 299)
    for _ in range(299):
        await mastodon_sandbox.ask("GET", "/api/v1/accounts/verify_credentials")
    with pytest.raises(mastodon.MastodonRatelimitError):
        await call(api.account_verify_credentials)


async def test_the_library_signs_in(mastodon_sandbox: ServedMastodon) -> None:
    url = mastodon_sandbox.url
    made = await call(
        lambda: mastodon.Mastodon.create_app(
            "Library", scopes=["read:accounts", "write:statuses"], api_base_url=url
        )
    )
    client_id, secret = made
    app = mastodon.Mastodon(client_id=client_id, client_secret=secret, api_base_url=url)
    asked = await call(lambda: app.auth_request_url(scopes=["read:accounts"], allow_http=True))
    query = asked.partition("?")[2]
    form = f"{query}&account_id={mastodon_sandbox.account.id}&decision=approve"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    back = await mastodon_sandbox.ask(
        "POST", "/oauth/authorize", token=None, data=form, headers=headers
    )
    code = back.headers["Location"].partition("code=")[2].partition("&")[0]

    token = await call(lambda: app.log_in(code=code, scopes=["read:accounts"], allow_http=True))

    assert token
    assert str((await call(app.account_verify_credentials)).acct) == "ada"
    await call(lambda: app.revoke_access_token(allow_http=True))
    me = await mastodon_sandbox.ask("GET", "/api/v1/accounts/verify_credentials", token=str(token))
    assert me.status == 401
