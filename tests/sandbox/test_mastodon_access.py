"""Tokens, scopes and the sign-in flow; how often may be asked, and how that is told."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.fixtures.mastodon import ServedMastodon

OOB = "urn:ietf:wg:oauth:2.0:oob"
HERE = "http://127.0.0.1:9/callback"


async def registered(served: ServedMastodon, **fields: object) -> dict[str, Any]:
    sent = {"client_name": "Test", "redirect_uris": f"{HERE}\n{OOB}", "scopes": "read write"}
    answer = await served.ask("POST", "/api/v1/apps", token=None, data={**sent, **fields})
    assert answer.status == 200, answer.body
    return answer.one


async def approved(served: ServedMastodon, app: dict[str, Any], **fields: str) -> dict[str, str]:
    """Ask for the page, press the button, and return what came back with the redirect."""
    query = {
        "client_id": app["client_id"],
        "redirect_uri": HERE,
        "response_type": "code",
        "scope": "read",
        **fields,
    }
    page = await served.ask("GET", f"/oauth/authorize?{urlencode(query)}", token=None)
    if page.status == 200:
        assert b"Authorize" in page.body
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.body.decode())
        form = {name: unescape(value) for name, value in hidden}
        form |= {"account_id": served.account.id, "decision": "approve"}
        page = await served.ask("POST", "/oauth/authorize", token=None, data=form)
    assert page.status == 302, page.body
    answer = parse_qs(urlsplit(page.headers["Location"]).query)
    return {name: values[0] for name, values in answer.items()}


async def exchanged(
    served: ServedMastodon, app: dict[str, Any], code: str, **fields: str
) -> tuple[int, dict[str, Any]]:
    sent = {
        "grant_type": "authorization_code",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "redirect_uri": HERE,
        "code": code,
        **fields,
    }
    answer = await served.ask("POST", "/oauth/token", token=None, data=sent)
    return answer.status, answer.one


async def test_an_application_is_registered(mastodon_sandbox: ServedMastodon) -> None:
    app = await registered(mastodon_sandbox, website="https://example.com")
    assert app["redirect_uris"] == [HERE, OOB]
    assert app["scopes"] == ["read", "write"]
    assert app["client_secret_expires_at"] == 0


@pytest.mark.parametrize(
    "fields", [{"client_name": ""}, {"redirect_uris": ""}, {"scopes": "read everything"}]
)
async def test_a_registration_can_be_refused(
    mastodon_sandbox: ServedMastodon, fields: dict[str, str]
) -> None:
    sent = {"client_name": "Test", "redirect_uris": OOB, **fields}
    assert (await mastodon_sandbox.ask("POST", "/api/v1/apps", data=sent)).status == 422


async def test_signing_in_gives_a_token_with_the_scopes_asked_for(
    mastodon_sandbox: ServedMastodon,
) -> None:
    app = await registered(mastodon_sandbox)
    answer = await approved(mastodon_sandbox, app, state="abc&d", scope="read write")
    assert answer["state"] == "abc&d"

    status, token = await exchanged(mastodon_sandbox, app, answer["code"])

    assert (status, token["token_type"], token["scope"]) == (200, "Bearer", "read write")
    me = await mastodon_sandbox.ask(
        "GET", "/api/v1/accounts/verify_credentials", token=token["access_token"]
    )
    assert me.one["id"] == mastodon_sandbox.account.id
    post = await mastodon_sandbox.ask(
        "POST", "/api/v1/statuses", token=token["access_token"], json={"status": "x"}
    )
    assert post.one["application"] == {"name": "Test", "website": None}


async def test_a_code_serves_once_and_for_ten_minutes(mastodon_sandbox: ServedMastodon) -> None:
    app = await registered(mastodon_sandbox)
    code = (await approved(mastodon_sandbox, app))["code"]
    assert (await exchanged(mastodon_sandbox, app, code))[0] == 200
    status, body = await exchanged(mastodon_sandbox, app, code)
    assert (status, body["error"]) == (400, "invalid_grant")

    late = (await approved(mastodon_sandbox, app))["code"]
    mastodon_sandbox.clock.shift(600)
    assert (await exchanged(mastodon_sandbox, app, late))[0] == 400


async def test_a_code_is_bound_to_client_and_address(mastodon_sandbox: ServedMastodon) -> None:
    app, other = await registered(mastodon_sandbox), await registered(mastodon_sandbox)
    code = (await approved(mastodon_sandbox, app))["code"]
    assert (await exchanged(mastodon_sandbox, other, code))[0] == 400
    code = (await approved(mastodon_sandbox, app))["code"]
    assert (await exchanged(mastodon_sandbox, app, code, redirect_uri=OOB))[0] == 400
    code = (await approved(mastodon_sandbox, app))["code"]
    status, body = await exchanged(mastodon_sandbox, app, code, client_secret="guess")
    assert (status, body["error"]) == (401, "invalid_client")


async def test_a_code_with_a_challenge_needs_its_verifier(mastodon_sandbox: ServedMastodon) -> None:
    app = await registered(mastodon_sandbox)
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}

    for wrong in ({}, {"code_verifier": "w" * 43}):
        code = (await approved(mastodon_sandbox, app, **asked))["code"]
        assert (await exchanged(mastodon_sandbox, app, code, **wrong))[0] == 400
    code = (await approved(mastodon_sandbox, app, **asked))["code"]
    assert (await exchanged(mastodon_sandbox, app, code, code_verifier=verifier))[0] == 200
    plain = await approved(
        mastodon_sandbox, app, code_challenge=verifier, code_challenge_method="plain"
    )
    assert plain["error"] == "invalid_code_challenge_method"


async def test_without_an_address_the_code_is_shown(mastodon_sandbox: ServedMastodon) -> None:
    app = await registered(mastodon_sandbox)
    code = (await approved(mastodon_sandbox, app, redirect_uri=OOB))["code"]
    page = await mastodon_sandbox.ask("GET", f"/oauth/authorize/native?code={code}", token=None)
    assert code.encode() in page.body
    assert (await exchanged(mastodon_sandbox, app, code, redirect_uri=OOB))[0] == 200


async def test_what_cannot_be_asked_for_is_told(mastodon_sandbox: ServedMastodon) -> None:
    app = await registered(mastodon_sandbox)
    assert (await approved(mastodon_sandbox, app, scope="push"))["error"] == "invalid_scope"
    for wrong, status in (
        ({"client_id": "x"}, 401),
        ({"redirect_uri": "https://evil.example"}, 400),
    ):
        query = {
            "client_id": app["client_id"],
            "redirect_uri": HERE,
            "response_type": "code",
            **wrong,
        }
        page = await mastodon_sandbox.ask("GET", f"/oauth/authorize?{urlencode(query)}", token=None)
        assert page.status == status


async def test_a_clients_own_token_belongs_to_nobody(mastodon_sandbox: ServedMastodon) -> None:
    app = await registered(mastodon_sandbox)
    status, body = await exchanged(mastodon_sandbox, app, "", grant_type="client_credentials")
    assert status == 200
    token = body["access_token"]
    seen = await mastodon_sandbox.ask("GET", "/api/v1/apps/verify_credentials", token=token)
    assert seen.one["name"] == "Test"
    me = await mastodon_sandbox.ask("GET", "/api/v1/accounts/verify_credentials", token=token)
    assert (me.status, me.error) == (422, "This method requires an authenticated user")
    status, body = await exchanged(mastodon_sandbox, app, "", grant_type="password")
    assert (status, body["error"]) == (400, "unsupported_grant_type")


async def test_only_its_own_client_revokes_a_token(mastodon_sandbox: ServedMastodon) -> None:
    app, other = await registered(mastodon_sandbox), await registered(mastodon_sandbox)
    code = (await approved(mastodon_sandbox, app))["code"]
    token = (await exchanged(mastodon_sandbox, app, code))[1]["access_token"]

    async def revoke(client: dict[str, Any]) -> int:
        sent = {name: client[name] for name in ("client_id", "client_secret")}
        answer = await mastodon_sandbox.ask(
            "POST", "/oauth/revoke", token=None, data={**sent, "token": token}
        )
        return answer.status

    async def use() -> tuple[int, str]:
        answer = await mastodon_sandbox.ask(
            "GET", "/api/v1/accounts/verify_credentials", token=token
        )
        return answer.status, answer.error if answer.status != 200 else ""

    assert await revoke(other) == 403
    assert await use() == (200, "")
    assert await revoke(app) == 200
    assert await use() == (401, "The access token was revoked")
    assert await revoke(app) == 200


async def test_the_server_describes_its_sign_in(mastodon_sandbox: ServedMastodon) -> None:
    path = "/.well-known/oauth-authorization-server"
    body = (await mastodon_sandbox.ask("GET", path, token=None)).one
    assert body["token_endpoint"] == f"{mastodon_sandbox.url}/oauth/token"
    assert body["code_challenge_methods_supported"] == ["S256"]
    scopes = body["scopes_supported"]
    assert isinstance(scopes, list)
    assert {"read:statuses", "write:media", "profile"} <= set(scopes)


CALLS = [
    ("GET", "/api/v1/accounts/verify_credentials", {"profile", "read", "read:accounts"}),
    ("GET", "/api/v1/accounts/{account}/statuses", {"read", "read:statuses"}),
    ("GET", "/api/v1/statuses/{post}", {"read", "read:statuses"}),
    ("GET", "/api/v1/statuses/{post}/source", {"read", "read:statuses"}),
    ("GET", "/api/v1/statuses/{post}/history", {"read", "read:statuses"}),
    ("GET", "/api/v1/statuses?id[]={post}", {"read", "read:statuses"}),
    ("PUT", "/api/v1/statuses/{post}", {"write", "write:statuses"}),
    ("POST", "/api/v1/statuses", {"write", "write:statuses"}),
    ("POST", "/api/v1/media", {"write", "write:media"}),
    ("POST", "/api/v2/media", {"write", "write:media"}),
    ("DELETE", "/api/v1/statuses/{post}", {"write", "write:statuses"}),
]
SCOPES = (
    "profile",
    "read",
    "read:accounts",
    "read:statuses",
    "write",
    "write:statuses",
    "write:media",
)


@pytest.mark.parametrize(("method", "path", "allowed"), CALLS)
async def test_each_call_asks_for_its_scope(
    mastodon_sandbox: ServedMastodon, method: str, path: str, allowed: set[str]
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    for scope in SCOPES:
        post = sandbox.write(ada, "x").id
        token = sandbox.token(ada, scope)
        answer = await mastodon_sandbox.ask(
            method, path.format(account=ada.id, post=post), token=token
        )
        if scope in allowed:
            assert answer.status in {200, 422}, scope
        else:
            assert answer.status == 403, scope
            assert answer.error == "This action is outside the authorized scopes"


@pytest.mark.parametrize(("method", "path", "allowed"), CALLS)
async def test_a_wrong_token_is_401_everywhere(
    mastodon_sandbox: ServedMastodon, method: str, path: str, allowed: set[str]
) -> None:
    post = mastodon_sandbox.sandbox.write(mastodon_sandbox.account, "x").id
    path = path.format(account=mastodon_sandbox.account.id, post=post)
    answer = await mastodon_sandbox.ask(method, path, token="wrong")
    assert (answer.status, answer.error) == (401, "The access token is invalid")
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def told(headers: Any) -> tuple[int, int, str]:
    return (
        int(headers["X-RateLimit-Limit"]),
        int(headers["X-RateLimit-Remaining"]),
        headers["X-RateLimit-Reset"],
    )


async def test_limits_are_told_with_an_iso_reset_at_the_end_of_the_window(
    mastodon_sandbox: ServedMastodon,
) -> None:
    me = "/api/v1/accounts/verify_credentials"
    answer = await mastodon_sandbox.ask("GET", me)
    assert told(answer.headers) == (300, 299, "2026-03-01T12:05:00.250000Z")
    assert answer.headers["Date"] == "Sun, 01 Mar 2026 12:00:30 GMT"


async def test_a_token_may_ask_300_times_in_five_minutes(mastodon_sandbox: ServedMastodon) -> None:
    me = "/api/v1/accounts/verify_credentials"
    for _ in range(300):
        answer = await mastodon_sandbox.ask("GET", me)
    assert answer.status == 200
    assert told(answer.headers)[:2] == (300, 0)

    refused = await mastodon_sandbox.ask("GET", me)

    assert (refused.status, refused.error) == (429, "Too many requests")
    assert "Retry-After" not in refused.headers
    assert told(refused.headers) == (300, 0, "2026-03-01T12:05:00.250000Z")
    other = mastodon_sandbox.sandbox.token(mastodon_sandbox.account, "read")
    assert (await mastodon_sandbox.ask("GET", me, token=other)).status == 200
    reset = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    mastodon_sandbox.clock.shift((reset - mastodon_sandbox.clock.now()).total_seconds())
    assert (await mastodon_sandbox.ask("GET", me)).status == 200


async def test_headers_describe_the_limit_nearest_to_exhaustion(
    mastodon_sandbox: ServedMastodon,
) -> None:
    upload = await mastodon_sandbox.upload()
    assert told(upload.headers) == (30, 29, "2026-03-01T12:30:00.250000Z")
    for _ in range(3):
        page = await mastodon_sandbox.page(since_id="1")
    assert told(page.headers)[:2] == (300, 296)
    mastodon_sandbox.clock.shift(300)
    page = await mastodon_sandbox.page(since_id="1")
    assert told(page.headers) == (300, 296, "2026-03-01T12:15:00.250000Z")
    post = await mastodon_sandbox.post("x")
    assert told(post.headers) == (300, 298, "2026-03-01T12:10:00.250000Z")


async def test_thirty_uploads_in_half_an_hour(mastodon_sandbox: ServedMastodon) -> None:
    for version in (1, 2) * 15:
        assert (await mastodon_sandbox.upload(version=version)).status == 200
    assert (await mastodon_sandbox.upload()).status == 429
    mastodon_sandbox.clock.shift(1800)
    assert (await mastodon_sandbox.upload()).status == 200


async def test_thirty_deletions_in_half_an_hour(mastodon_sandbox: ServedMastodon) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    ids = [sandbox.write(ada, str(number)).id for number in range(31)]
    answers = [await mastodon_sandbox.ask("DELETE", f"/api/v1/statuses/{one}") for one in ids]
    assert [one.status for one in answers] == [200] * 30 + [429]
    assert sandbox.get(ids[-1]) is not None


async def test_three_hundred_posts_and_edits_in_three_hours(
    mastodon_sandbox: ServedMastodon,
) -> None:
    sandbox, ada = mastodon_sandbox.sandbox, mastodon_sandbox.account
    tokens = [sandbox.token(ada, "write") for _ in range(3)]

    async def send(number: int) -> int:
        answer = await mastodon_sandbox.ask(
            "POST", "/api/v1/statuses", token=tokens[number % 3], json={"status": f"{number}"}
        )
        return answer.status

    assert [await send(number) for number in range(299)] == [200] * 299
    edited = sandbox.timeline(ada)[0].id
    answer = await mastodon_sandbox.ask(
        "PUT", f"/api/v1/statuses/{edited}", json={"status": "edited"}
    )
    assert told(answer.headers) == (300, 0, "2026-03-01T15:00:00.250000Z")
    assert await send(300) == 429
    assert len(sandbox.timeline(ada)) == 299
    mastodon_sandbox.clock.shift(3 * 3600)
    assert await send(301) == 200


async def test_refused_posts_and_repeats_do_not_count(mastodon_sandbox: ServedMastodon) -> None:
    key = {"Idempotency-Key": "k"}
    for _ in range(3):
        await mastodon_sandbox.post("a" * 501)
        await mastodon_sandbox.ask("POST", "/api/v1/statuses", json={"status": "x"}, headers=key)
    # Six requests, one post: the token's own limit is the nearer one.
    assert told((await mastodon_sandbox.page()).headers)[:2] == (300, 293)
    mastodon_sandbox.clock.shift(300)
    post = await mastodon_sandbox.post("second")
    assert told(post.headers) == (300, 298, "2026-03-01T15:00:00.250000Z")


async def test_who_writes_in_the_web_client_spends_nothing(
    mastodon_sandbox: ServedMastodon,
) -> None:
    for number in range(310):
        mastodon_sandbox.sandbox.write(mastodon_sandbox.account, str(number))
    assert (await mastodon_sandbox.post("x")).status == 200


@pytest.mark.parametrize("any_mastodon_sandbox", ["gotosocial", "minimal"], indirect=True)
async def test_gotosocial_counts_addresses_and_a_minimal_server_nothing(
    any_mastodon_sandbox: ServedMastodon,
) -> None:
    other = any_mastodon_sandbox.sandbox.token(any_mastodon_sandbox.account, "read")
    me = "/api/v1/accounts/verify_credentials"
    for _ in range(150):
        await any_mastodon_sandbox.ask("GET", me)
        answer = await any_mastodon_sandbox.ask("GET", me, token=other)
    assert answer.status == 200
    gotosocial = any_mastodon_sandbox.sandbox.profile.name == "gotosocial"
    assert ("X-RateLimit-Remaining" in answer.headers) is gotosocial
    assert (await any_mastodon_sandbox.ask("GET", me)).status == (429 if gotosocial else 200)
