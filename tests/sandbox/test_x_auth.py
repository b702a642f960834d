"""Who may ask: OAuth 1.0a signatures, Bearer tokens, and tokens that are renewed once."""

import time
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT
from oauthlib.oauth1 import Client as Signer

from tests.fixtures.x_client import Answer, XClient, another, x_client

UNAUTHORIZED = {
    "title": "Unauthorized",
    "detail": "Unauthorized",
    "type": "about:blank",
    "status": 401,
}


async def refresh(x: XClient, token: str, *, basic: bool = True, **form: str) -> Answer:
    keys = x.account.oauth2
    headers = {}
    if basic:
        headers["Authorization"] = aiohttp.encode_basic_auth(keys.client_id, keys.client_secret)
    data = {"grant_type": "refresh_token", "refresh_token": token, **form}
    return await x.ask("POST", "/2/oauth2/token", data=data, headers=headers)


async def me(x: XClient, **sent: Any) -> int:
    return (await x.ask("GET", "/2/users/me", **sent)).status


async def test_no_authorisation_is_a_401_in_problem_form() -> None:
    async with x_client() as x:
        answer = await x.ask("GET", "/2/users/me", headers={})
        assert (answer.status, answer.body) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer nonsense", "OAuth", 'OAuth oauth_token="x"', "Basic eDp5", "\u00e9"],
)
async def test_a_header_that_proves_nothing_is_a_401(header: str) -> None:
    async with x_client() as x:
        assert await me(x, headers={"Authorization": header}) == 401


async def test_a_signature_covers_method_address_and_query() -> None:
    async with x_client() as x:
        url = f"{x.url}/2/users/me"
        assert await me(x, headers=x.signed("GET", url)) == 200
        assert await me(x, headers=x.signed("POST", url)) == 401
        assert await me(x, headers=x.signed("GET", url + "?user.fields=id")) == 401
        elsewhere = url.replace(x.url, "https://api.twitter.com")
        assert await me(x, headers=x.signed("GET", elsewhere)) == 401
        params = {"user.fields": "created_at,protected"}
        assert (await x.get("/2/users/me", **params)).status == 200


async def test_every_part_of_the_keys_counts() -> None:
    async with x_client() as x:
        keys, url = x.account.oauth1, f"{x.url}/2/users/me"
        bob = another(x, "bob").account.oauth1
        for wrong in (
            replace(keys, consumer_key="x"),
            replace(keys, consumer_secret="x"),
            replace(keys, access_token="x"),
            replace(keys, access_token_secret="x"),
            replace(bob, consumer_key=keys.consumer_key, consumer_secret=keys.consumer_secret),
        ):
            signer = Signer(
                wrong.consumer_key,
                wrong.consumer_secret,
                wrong.access_token,
                wrong.access_token_secret,
            )
            _, headers, _ = signer.sign(url)
            assert await me(x, headers=headers) == 401


async def test_a_signature_works_once() -> None:
    async with x_client() as x:
        headers = x.signed("GET", f"{x.url}/2/users/me")
        assert [await me(x, headers=headers) for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(("late", "status"), [(0, 200), (-240, 200), (-360, 401), (360, 401)])
async def test_a_signature_must_be_of_the_last_minutes(late: int, status: int) -> None:
    async with x_client() as x:
        timestamp = str(int(time.time()) + late)
        headers = x.signed("GET", f"{x.url}/2/users/me", timestamp=timestamp)
        assert await me(x, headers=headers) == status


async def test_a_shifted_sandbox_still_knows_signatures_made_now() -> None:
    async with x_client() as x:
        x.sandbox.clock.shift(86_400)
        assert await me(x) == 200


@pytest.mark.parametrize("method", [SIGNATURE_PLAINTEXT, SIGNATURE_HMAC_SHA256])
async def test_only_hmac_sha1_signatures_are_taken(method: str) -> None:
    async with x_client() as x:
        headers = x.signed("GET", f"{x.url}/2/users/me", signature_method=method)
        assert await me(x, headers=headers) == 401


async def test_a_bearer_token_lives_two_hours_of_sandbox_time() -> None:
    async with x_client() as x:
        x.bearer = x.account.oauth2.access_token
        assert await me(x) == 200
        x.sandbox.clock.shift(7199)
        assert await me(x) == 200
        x.sandbox.clock.shift(2)
        assert await me(x) == 401


async def test_a_refresh_gives_new_tokens_and_ends_the_old_ones() -> None:
    async with x_client() as x:
        x.bearer = x.account.oauth2.access_token
        answer = await refresh(x, x.account.oauth2.refresh_token)
        assert answer.status == 200
        assert (answer.body["token_type"], answer.body["expires_in"]) == ("bearer", 7200)
        assert set(answer.body["scope"].split()) >= {"tweet.write", "offline.access"}
        assert await me(x) == 401
        x.bearer = answer.body["access_token"]
        x.sandbox.clock.shift(7100)
        assert await me(x) == 200
        assert (await refresh(x, answer.body["refresh_token"])).status == 200


async def test_a_refresh_token_used_twice_kills_the_whole_family() -> None:
    async with x_client() as x:
        first = x.account.oauth2.refresh_token
        second = (await refresh(x, first)).body
        x.bearer = second["access_token"]
        assert await me(x) == 200
        replay = await refresh(x, first)
        assert (replay.status, replay.body) == (
            400,
            {
                "error": "invalid_request",
                "error_description": "Value passed for the token was invalid.",
            },
        )
        assert await me(x) == 401
        assert (await refresh(x, second["refresh_token"])).status == 400


async def test_a_refresh_token_dies_after_half_a_year() -> None:
    async with x_client() as x:
        x.sandbox.clock.shift(181 * 86_400)
        assert (await refresh(x, x.account.oauth2.refresh_token)).status == 400


async def test_a_confidential_client_must_prove_itself() -> None:
    async with x_client() as x:
        token, client_id = x.account.oauth2.refresh_token, x.account.oauth2.client_id
        named = await refresh(x, token, basic=False, client_id=client_id)
        assert (named.status, named.body["error"]) == (401, "unauthorized_client")
        wrong = {"Authorization": aiohttp.encode_basic_auth(client_id, "wrong")}
        data = {"grant_type": "refresh_token", "refresh_token": token}
        answer = await x.ask("POST", "/2/oauth2/token", data=data, headers=wrong)
        assert answer.status == 401
        assert (await refresh(x, token)).status == 200


async def test_a_public_client_names_itself() -> None:
    async with x_client(confidential=False) as x:
        token, client_id = x.account.oauth2.refresh_token, x.account.oauth2.client_id
        assert (await refresh(x, token, basic=False)).status == 400
        assert (await refresh(x, token, basic=False, client_id="other")).status == 400
        assert (await refresh(x, token, basic=False, client_id=client_id)).status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"refresh_token": ""}, "invalid_request"),
    ],
)
async def test_a_token_request_that_is_not_whole_is_refused(
    form: dict[str, str], error: str
) -> None:
    async with x_client() as x:
        keys = x.account.oauth2
        data = {"grant_type": "refresh_token", "refresh_token": keys.refresh_token, **form}
        headers = {"Authorization": aiohttp.encode_basic_auth(keys.client_id, keys.client_secret)}
        answer = await x.ask("POST", "/2/oauth2/token", data=data, headers=headers)
        assert (answer.status, answer.body["error"]) == (400, error)
        json_instead = await x.ask("POST", "/2/oauth2/token", json=data, headers=headers)
        assert json_instead.status == 400


async def test_keys_and_tokens_are_in_no_representation_and_in_no_log() -> None:
    async with x_client() as x:
        await refresh(x, x.account.oauth2.refresh_token)
        await x.get("/2/users/me")
        keys, tokens = x.account.oauth1, x.account.oauth2
        told = repr(x.account) + repr(x.sandbox.faults.requests)
        for secret in (
            keys.consumer_secret,
            keys.access_token,
            keys.access_token_secret,
            tokens.client_secret,
            tokens.access_token,
            tokens.refresh_token,
        ):
            assert secret not in told
