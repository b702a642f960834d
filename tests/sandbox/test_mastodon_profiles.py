"""In what the kinds of servers differ, and what each says of itself."""

import re
from datetime import timedelta

import pytest

from bridge.sandbox.mastodon import MastodonSandbox
from bridge.sandbox.server import serve
from tests.fixtures.mastodon import EPOCH, MP4, PNG, ServedMastodon

IDS = {
    "mastodon": r"\d{18}",
    "gotosocial": r"[0-9A-HJKMNP-TV-Z]{26}",
    "minimal": r"[0-9a-f]{32}",
    "pleroma": r"[0-9A-Za-z]{18}",
}


async def test_each_server_has_ids_of_its_own(any_mastodon_sandbox: ServedMastodon) -> None:
    post = (await any_mastodon_sandbox.post("x")).one
    name = any_mastodon_sandbox.sandbox.profile.name
    assert re.fullmatch(IDS[name], str(post["id"]))
    assert re.fullmatch(IDS[name], any_mastodon_sandbox.account.id)


async def test_instance_v1_is_everywhere_with_and_without_a_slash(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    profile = any_mastodon_sandbox.sandbox.profile
    for path in ("/api/v1/instance", "/api/v1/instance/"):
        body = (await any_mastodon_sandbox.ask("GET", path, token=None)).one
        assert body["version"] == profile.version
        configuration = body["configuration"]
        assert isinstance(configuration, dict)
        assert configuration["statuses"]["max_characters"] == profile.max_characters


async def test_instance_v2_states_every_limit(mastodon_sandbox: ServedMastodon) -> None:
    body = (await mastodon_sandbox.ask("GET", "/api/v2/instance/", token=None)).one
    assert body["api_versions"] == {"mastodon": 10}
    configuration = body["configuration"]
    assert isinstance(configuration, dict)
    assert configuration["urls"] == {"streaming": mastodon_sandbox.url.replace("http", "ws")}
    assert configuration["statuses"] == {
        "max_characters": 500,
        "max_media_attachments": 4,
        "characters_reserved_per_url": 23,
    }
    assert configuration["media_attachments"]["description_limit"] == 1500
    assert configuration["media_attachments"]["image_size_limit"] == 16_777_216
    assert configuration["polls"] == {
        "max_options": 4,
        "max_characters_per_option": 50,
        "min_expiration": 300,
        "max_expiration": 2_629_746,
    }


@pytest.mark.parametrize("any_mastodon_sandbox", ["gotosocial", "minimal"], indirect=True)
async def test_other_servers_lack_what_they_lack(any_mastodon_sandbox: ServedMastodon) -> None:
    served = any_mastodon_sandbox
    post = (await served.post("x")).one["id"]
    minimal = served.sandbox.profile.name == "minimal"
    absent = {
        "/api/v2/instance": minimal,
        "/.well-known/oauth-authorization-server": minimal,
        f"/api/v1/statuses/{post}/history": minimal,
        f"/api/v1/statuses?id[]={post}": True,
        "/api/v1/streaming/user": True,
        "/api/v1/streaming/health": True,
    }
    for path, missing in absent.items():
        assert (await served.ask("GET", path)).status == (404 if missing else 200), path
    assert (await served.ask("GET", f"/api/v1/statuses/{post}/source")).status == 200


async def test_only_some_know_idempotency_keys(any_mastodon_sandbox: ServedMastodon) -> None:
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        await any_mastodon_sandbox.ask(
            "POST", "/api/v1/statuses", json={"status": "x"}, headers=key
        )
    made = len(any_mastodon_sandbox.sandbox.timeline(any_mastodon_sandbox.account))
    once = any_mastodon_sandbox.sandbox.profile.name in {"mastodon", "pleroma"}
    assert made == (1 if once else 2)


@pytest.mark.parametrize("any_mastodon_sandbox", ["gotosocial"], indirect=True)
@pytest.mark.parametrize(
    ("text", "warning", "status"),
    [
        ("a" * 5000, "", 200),
        ("a" * 5001, "", 400),
        ("a" * 4000, "b" * 1001, 400),
        ("\N{WOMAN}\u200d\N{PERSONAL COMPUTER}" * 1666, "", 200),
        ("\N{WOMAN}\u200d\N{PERSONAL COMPUTER}" * 1667, "", 400),
        ("https://example.com/" + "a" * 4981, "", 400),
    ],
)
async def test_gotosocial_counts_code_points_warning_and_whole_links(
    any_mastodon_sandbox: ServedMastodon, text: str, warning: str, status: int
) -> None:
    answer = await any_mastodon_sandbox.post(text, spoiler_text=warning)
    assert answer.status == status
    assert status == 200 or "error" in answer.one


@pytest.mark.parametrize("any_mastodon_sandbox", ["gotosocial"], indirect=True)
async def test_gotosocial_streams_over_websocket_to_whoever_may_read_everything(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    served = any_mastodon_sandbox
    url = f"{served.url}/api/v1/streaming?stream=user&access_token="
    async with served.http.ws_connect(url + served.account.access_token) as opened:
        while not served.sandbox.streaming.open_streams:
            await opened.ping()
        served.sandbox.write(served.account, "hello")
        frame = await opened.receive_json(timeout=5)
        assert (frame["stream"], frame["event"]) == (["user"], "update")
    narrow = served.sandbox.token(served.account, "read:statuses")
    refused = await served.ask(
        "GET",
        "/api/v1/streaming?stream=user",
        token=narrow,
        headers={"Upgrade": "websocket", "Connection": "Upgrade"},
    )
    assert refused.status == 401


@pytest.mark.parametrize("any_mastodon_sandbox", ["gotosocial"], indirect=True)
async def test_gotosocial_posts_unlisted_unless_told_and_takes_past_times_as_given(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    assert (await any_mastodon_sandbox.post("x")).one["visibility"] == "unlisted"
    past = EPOCH - timedelta(days=1)
    old = (await any_mastodon_sandbox.post("x", scheduled_at=past.isoformat())).one
    assert old["created_at"] == "2026-02-28T12:00:30.250Z"
    assert (await any_mastodon_sandbox.page()).ids[-1] == old["id"]


@pytest.mark.parametrize("any_mastodon_sandbox", ["minimal"], indirect=True)
async def test_a_minimal_server_gives_its_newest_page_whatever_is_asked(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    served = any_mastodon_sandbox
    ids = [served.sandbox.write(served.account, str(number)).id for number in range(30)]
    newest = ids[:9:-1]
    assert ids != sorted(ids)

    assert (await served.page()).ids == newest
    assert (await served.page(min_id=ids[28])).ids == newest
    assert (await served.page(since_id=ids[28])).ids == newest
    assert (await served.page(max_id=ids[10])).ids == ids[9::-1]
    assert "Link" not in (await served.page()).headers


@pytest.mark.parametrize("any_mastodon_sandbox", ["minimal"], indirect=True)
async def test_a_minimal_server_ignores_much_and_names_no_application(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    poll = {"options": ["a", "b"], "expires_in": 600}
    post = (await any_mastodon_sandbox.post("x", language="fr", poll=poll)).one
    assert (post["language"], post["poll"]) == (None, None)
    assert "application" not in post
    assert "quote" not in post
    for asked in ("unlisted", "private", "direct"):
        post = (await any_mastodon_sandbox.post("x", visibility=asked)).one
        assert post["visibility"] == "private"


async def test_an_edit_keeps_the_id_everywhere(any_mastodon_sandbox: ServedMastodon) -> None:
    post = (await any_mastodon_sandbox.post("one")).one
    path = f"/api/v1/statuses/{post['id']}"
    edited = await any_mastodon_sandbox.ask("PUT", path, json={"status": "two"})
    assert edited.one["id"] == post["id"]
    assert edited.one["edited_at"] is not None
    assert "two" in str((await any_mastodon_sandbox.ask("GET", path)).one["content"])


async def test_a_missing_parent_is_404_everywhere(any_mastodon_sandbox: ServedMastodon) -> None:
    assert (await any_mastodon_sandbox.post("x", in_reply_to_id="nothing")).status == 404


async def test_the_limit_can_be_set(any_mastodon_sandbox: ServedMastodon) -> None:
    name = any_mastodon_sandbox.sandbox.profile.name
    sandbox = MastodonSandbox(name, max_characters=20)
    ada = sandbox.add_account("ada")
    async with serve(sandbox.app) as url:
        headers = {"Authorization": f"Bearer {ada.access_token}"}
        for text, fits in (("a" * 20, True), ("a" * 21, False)):
            async with any_mastodon_sandbox.http.post(
                f"{url}/api/v1/statuses", json={"status": text}, headers=headers
            ) as answer:
                expected = 200 if fits else sandbox.profile.too_long_status
                assert answer.status == expected


class TestPleroma:
    """What its documentation lists as differences, as far as a bridge meets them."""

    async def test_has_ids_whose_order_is_that_of_time(
        self, pleroma_sandbox: ServedMastodon
    ) -> None:
        ids = [str((await pleroma_sandbox.post(str(number))).one["id"]) for number in range(3)]
        assert ids == sorted(ids)
        assert (await pleroma_sandbox.page(min_id=ids[0])).ids == ids[:0:-1]

    async def test_remembers_keys_for_six_hours(self, pleroma_sandbox: ServedMastodon) -> None:
        made = []
        for hours in (0, 5, 1):
            pleroma_sandbox.clock.shift(hours * 3600)
            answer = await pleroma_sandbox.ask(
                "POST",
                "/api/v1/statuses",
                json={"status": "x"},
                headers={"Idempotency-Key": "k"},
            )
            made.append(answer.one["id"])
        assert made[0] == made[1] != made[2]

    async def test_mixes_files_and_has_no_limit_to_their_number(
        self, pleroma_sandbox: ServedMastodon
    ) -> None:
        files = [(await pleroma_sandbox.upload(data)).one["id"] for data in (PNG,) * 5 + (MP4,)]
        post = await pleroma_sandbox.post("x", media_ids=files)
        assert (post.status, len(post.one["media_attachments"])) == (200, 6)  # type: ignore[arg-type] # a list

    async def test_says_what_was_typed_in_a_field_of_its_own(
        self, pleroma_sandbox: ServedMastodon
    ) -> None:
        post = (await pleroma_sandbox.post("a & b")).one
        pleroma = post["pleroma"]
        assert isinstance(pleroma, dict)
        assert pleroma["content"] == {"text/plain": "a & b"}
        assert "quote" not in post

    async def test_has_no_quotes_in_mastodon_s_terms(self, pleroma_sandbox: ServedMastodon) -> None:
        quoted = (await pleroma_sandbox.post("one")).one["id"]
        post = await pleroma_sandbox.post("two", quoted_status_id=quoted)
        assert (post.status, "quote" in post.one) == (200, False)


class TestMastodonOfSomeYearsAgo:
    """Before version 2 of uploads, before edits, before it stated its limits."""

    async def test_states_no_limits(self, old_sandbox: ServedMastodon) -> None:
        said = (await old_sandbox.ask("GET", "/api/v1/instance")).one
        assert said["version"] == "3.1.2"
        assert "configuration" not in said
        assert (await old_sandbox.ask("GET", "/api/v2/instance")).status == 404

    async def test_uploads_by_the_first_version_and_cannot_be_asked_again(
        self, old_sandbox: ServedMastodon
    ) -> None:
        assert (await old_sandbox.upload()).status == 404
        medium = await old_sandbox.upload(MP4, version=1)
        assert medium.status == 200
        assert (await old_sandbox.ask("GET", f"/api/v1/media/{medium.one['id']}")).status == 404

    async def test_edits_nothing(self, old_sandbox: ServedMastodon) -> None:
        path = f"/api/v1/statuses/{(await old_sandbox.post('one')).one['id']}"
        assert (await old_sandbox.ask("PUT", path, json={"status": "two"})).status == 404
        assert (await old_sandbox.ask("GET", path)).one["content"] == "<p>one</p>"

    async def test_takes_a_poll_or_files_but_not_both(self, old_sandbox: ServedMastodon) -> None:
        medium = (await old_sandbox.upload(version=1)).one["id"]
        poll = {"options": ["a", "b"], "expires_in": 600}
        assert (await old_sandbox.post("x", media_ids=[medium], poll=poll)).status == 422
        assert (await old_sandbox.post("x", poll=poll)).status == 200
