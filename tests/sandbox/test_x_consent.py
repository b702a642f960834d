"""The page on which an owner lets an app in: what a code takes, and what its tokens may do."""

from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bridge.sandbox.x.consent import CALLBACK
from bridge.signin.pkce import Proof
from tests.fixtures.x import ServedX

SCOPE = "tweet.read tweet.write users.read media.write offline.access"


def question(x: ServedX, proof: Proof, **changed: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": x.account.oauth2.client_id,
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": proof.state,
        "code_challenge": proof.challenge,
        "code_challenge_method": "S256",
        **changed,
    }


async def decided(x: ServedX, fields: dict[str, str], decision: str = "approve") -> dict[str, str]:
    """What the browser brings back."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{x.url}/i/oauth2/authorize",
            data={**fields, "decision": decision},
            allow_redirects=False,
        ) as answer,
    ):
        assert answer.status == 302, await answer.text()
        address = answer.headers["Location"]
    assert address.startswith(f"{CALLBACK}?")
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


async def exchanged(
    x: ServedX, code: str, proof: Proof, *, basic: bool = True, **changed: str
) -> tuple[int, dict[str, str]]:
    keys = x.account.oauth2
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": proof.verifier,
        "client_id": keys.client_id,
        **changed,
    }
    pair = b64encode(f"{keys.client_id}:{keys.client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"} if basic else {}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{x.url}/2/oauth2/token", data=form, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_code_gives_tokens_once(x_sandbox: ServedX) -> None:
    proof = Proof()
    brought = await decided(x_sandbox, question(x_sandbox, proof))
    assert brought["state"] == proof.state
    status, given = await exchanged(x_sandbox, brought["code"], proof)
    assert (status, given["scope"]) == (200, SCOPE)
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{x_sandbox.url}/2/users/me", headers=headers) as me,
    ):
        assert (await me.json())["data"]["username"] == "ada"
    assert (await exchanged(x_sandbox, brought["code"], proof))[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "v" * 64},
        {"redirect_uri": "http://127.0.0.1:9/callback"},
        {"code": "other"},
        {"code_verifier": ""},
    ],
)
async def test_what_does_not_fit_gives_nothing(x_sandbox: ServedX, changed: dict[str, str]) -> None:
    proof = Proof()
    code = (await decided(x_sandbox, question(x_sandbox, proof)))["code"]
    fields: dict[str, Any] = {**changed}
    status, answer = await exchanged(x_sandbox, fields.pop("code", code), proof, **fields)
    assert (status, answer["error"]) == (400, "invalid_request")


async def test_a_code_counts_for_half_a_minute(x_sandbox: ServedX) -> None:
    proof = Proof()
    code = (await decided(x_sandbox, question(x_sandbox, proof)))["code"]
    x_sandbox.sandbox.clock.shift(31)
    assert (await exchanged(x_sandbox, code, proof))[0] == 400


async def test_a_confidential_client_must_prove_itself(x_sandbox: ServedX) -> None:
    proof = Proof()
    code = (await decided(x_sandbox, question(x_sandbox, proof)))["code"]
    status, answer = await exchanged(x_sandbox, code, proof, basic=False)
    assert (status, answer["error"]) == (401, "unauthorized_client")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://127.0.0.1:8423/callback/"},
        {"redirect_uri": "http://localhost:8423/callback"},
        {"client_id": "other"},
        {"state": ""},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"scope": "tweet.read everything"},
        {"response_type": "token"},
    ],
)
async def test_a_question_that_is_not_exact_is_not_put_to_the_owner(
    x_sandbox: ServedX, changed: dict[str, str]
) -> None:
    fields = question(x_sandbox, Proof(), **changed)
    address = f"{x_sandbox.url}/i/oauth2/authorize"
    async with aiohttp.ClientSession() as http:
        async with http.get(address, params=fields) as page:
            assert page.status == 400
        async with http.post(address, data={**fields, "decision": "approve"}) as page:
            assert page.status == 400


async def test_the_owner_may_refuse(x_sandbox: ServedX) -> None:
    brought = await decided(x_sandbox, question(x_sandbox, Proof()), "deny")
    assert brought["error"] == "access_denied"


async def test_without_offline_access_there_is_no_refresh_token_and_scopes_are_kept(
    x_sandbox: ServedX,
) -> None:
    proof = Proof()
    fields = question(x_sandbox, proof, scope="tweet.read users.read")
    code = (await decided(x_sandbox, fields))["code"]
    _, given = await exchanged(x_sandbox, code, proof)
    assert "refresh_token" not in given
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{x_sandbox.url}/2/tweets", json={"text": "hi"}, headers=headers) as answer,
    ):
        assert answer.status == 403
