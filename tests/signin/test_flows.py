"""Where a server is asked and for what: its own word counts as far as it stays on that server."""

from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from bridge.core.errors import Refused, Transient, Unauthorised
from bridge.net.session import open_session
from bridge.sandbox.server import serve
from bridge.signin import x
from bridge.signin.mastodon import (
    WIDE,
    App,
    discover,
    endpoints,
    exchange,
    missing_scopes,
    question,
    register,
    scopes_for,
)
from bridge.signin.pkce import Proof
from bridge.signin.redirect import ScopeRefused, code_in
from bridge.signin.wire import ask

BASE = "https://mastodon.example"
METADATA = {
    "issuer": f"{BASE}/",
    "authorization_endpoint": f"{BASE}/auth",
    "token_endpoint": f"{BASE}/token",
    "app_registration_endpoint": f"{BASE}/apps",
    "scopes_supported": ["read", "profile", "read:statuses", "write:statuses", "write:media"],
    "code_challenge_methods_supported": ["S256"],
}
USUAL = (f"{BASE}/oauth/authorize", f"{BASE}/oauth/token", f"{BASE}/api/v1/apps")


def test_a_servers_metadata_is_followed() -> None:
    found = endpoints(BASE, METADATA)
    assert (found.authorize, found.token, found.register) == (
        f"{BASE}/auth", f"{BASE}/token", f"{BASE}/apps",
    )  # fmt: skip
    assert found.pkce
    assert scopes_for("mastodon", found.scopes).split()[0] == "profile"


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {**METADATA, "issuer": "https://evil.example"},
        {"issuer": BASE, "scopes_supported": "read", "code_challenge_methods_supported": None},
        {
            "issuer": BASE,
            "authorization_endpoint": "https://evil.example/auth",
            "token_endpoint": "http://mastodon.example/token",
            "app_registration_endpoint": 7,
        },
        {
            "issuer": BASE,
            "authorization_endpoint": f"{BASE}/\x1b[31mauth",
            "token_endpoint": f"{BASE}/to ken",
            "app_registration_endpoint": "https://[",
        },
    ],
)
def test_what_is_missing_odd_or_elsewhere_is_left_for_the_usual_paths(
    metadata: dict[str, object],
) -> None:
    found = endpoints(BASE, metadata)
    assert (found.authorize, found.token, found.register) == USUAL
    assert not found.pkce
    assert scopes_for("mastodon", found.scopes).split()[0] == "read:accounts"


@pytest.mark.parametrize(
    ("granted", "lost"),
    [
        ("profile read:statuses write:statuses write:media", ()),
        ("read write", ()),
        ("read write follow push", ()),
        ("read:accounts read:statuses write:statuses write:media", ()),
        ("read", ("write:statuses", "write:media")),
        ("profile write", ("read:statuses",)),
        ("", ("profile", "read:statuses", "write:statuses", "write:media")),
    ],
)
def test_a_wide_scope_includes_its_narrow_ones(granted: str, lost: tuple[str, ...]) -> None:
    wanted = "profile read:statuses write:statuses write:media"
    assert missing_scopes(wanted, granted) == lost


def test_a_server_that_names_wide_scopes_only_is_asked_for_those() -> None:
    assert scopes_for("unknown", frozenset({"read", "write", "follow", "push"})) == "read write"


def test_a_make_that_is_known_to_have_wide_scopes_only_is_asked_for_those_at_once() -> None:
    assert scopes_for("pixelfed", frozenset()) == scopes_for("gotosocial", frozenset()) == WIDE


@pytest.mark.parametrize(("status", "kind"), [(422, ScopeRefused), (403, Unauthorised)])
async def test_a_refused_registration_may_be_for_its_scopes(
    status: int, kind: type[Unauthorised]
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"error": "Validation failed"}, status=status)

    app = web.Application()
    app.router.add_post("/api/v1/apps", answer)
    async with serve(app) as url, open_session(user_agent="t") as session:
        with pytest.raises(Unauthorised) as raised:
            await register(session, endpoints(url, {}), "urn:x", "read:statuses")
    assert type(raised.value) is kind


def test_a_scope_that_is_not_known_is_told_from_other_refusals() -> None:
    with pytest.raises(ScopeRefused):
        code_in({"state": "s", "error": "invalid_scope"}, "s")
    with pytest.raises(Unauthorised) as raised:
        code_in({"state": "s", "error": "server_error"}, "s")
    assert type(raised.value) is Unauthorised


def test_pkce_is_spoken_only_where_it_is_understood() -> None:
    app, proof = App("id", "secret", "urn:ietf:wg:oauth:2.0:oob", "read"), Proof()
    with_it = parse_qs(urlsplit(question(endpoints(BASE, METADATA), app, proof)).query)
    assert with_it["code_challenge"] == [proof.challenge]
    assert with_it["code_challenge_method"] == ["S256"]
    assert "code_challenge" not in question(endpoints(BASE, {}), app, proof)


def test_x_is_asked_on_its_own_site_for_all_that_is_needed() -> None:
    client, proof = x.Client("id", ""), Proof()
    address = x.question("https://api.x.com", client, "http://127.0.0.1:8423/callback", proof)
    assert address.startswith("https://x.com/i/oauth2/authorize?")
    assert "scope=tweet.read%20tweet.write%20users.read%20media.write%20offline.access" in address
    fields = parse_qs(urlsplit(address).query)
    assert fields["state"] == [proof.state]
    assert fields["redirect_uri"] == ["http://127.0.0.1:8423/callback"]


async def test_secrets_are_never_carried_along_a_redirect() -> None:
    seen: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/evil"})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", elsewhere)
    async with serve(app) as url, open_session(user_agent="t") as session:
        with pytest.raises(Refused, match="on to 127"):
            await register(session, endpoints(url, {}), "urn:x", "read")
        found = await discover(session, url)
        assert found.token == f"{url}/oauth/token"
    assert seen == ["/api/v1/apps", "/.well-known/oauth-authorization-server"]


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"client_id": 7}', '"' + "x" * 2_000_000])
async def test_an_app_that_was_not_really_registered_is_said_so(body: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/v1/apps", answer)
    async with serve(app) as url, open_session(user_agent="t") as session:
        with pytest.raises((Unauthorised, Transient)) as raised:
            await register(session, endpoints(url, {}), "urn:x", "read")
    assert len(str(raised.value)) < 300


async def test_a_server_out_of_order_is_tried_again_later_by_its_owner() -> None:
    async def answer(_request: web.Request) -> web.Response:
        raise web.HTTPBadGateway

    app = web.Application()
    app.router.add_get("/", answer)
    async with serve(app) as url, open_session(user_agent="t") as session:
        with pytest.raises(Transient, match="HTTP 502"):
            await ask(session, "GET", url)


async def test_x_without_a_refresh_token_says_what_to_allow() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"access_token": "a-canary", "scope": "tweet.read"})

    app = web.Application()
    app.router.add_post("/2/oauth2/token", answer)
    async with serve(app) as url, open_session(user_agent="t") as session:
        with pytest.raises(Unauthorised, match=r"offline\.access") as raised:
            await x.exchange(
                session, url, x.Client("id", ""), "c-canary", redirect="r", proof=Proof()
            )
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("cut", range(0, 200, 23))
@pytest.mark.parametrize("status", [400, 401])
async def test_a_server_that_echoes_the_request_has_no_secret_of_it_quoted(
    status: int, cut: int
) -> None:
    async def echo(request: web.Request) -> web.Response:
        heard = f"{request.headers.get('Authorization', '')} {await request.text()}"
        said = "x" * cut + heard[cut:]
        return web.json_response(
            {"error": "invalid_request", "error_description": said}, status=status
        )

    app = web.Application()
    app.router.add_post("/{path:.*}", echo)
    proof = Proof()
    secrets = (proof.verifier, "code-of-the-page-4711", "canary-of-the-app-4712")
    async with serve(app) as url, open_session(user_agent="t") as session:
        client = x.Client("client-id", "canary-of-the-app-4712")
        with pytest.raises(Unauthorised) as from_x:
            await x.exchange(session, url, client, secrets[1], redirect=BASE, proof=proof)
        ours = App("client-id", "canary-of-the-app-4712", BASE, "read")
        places = endpoints(url, {"issuer": url, "code_challenge_methods_supported": ["S256"]})
        with pytest.raises(Unauthorised) as from_mastodon:
            await exchange(session, places, ours, secrets[1], proof)
    for raised in (from_x, from_mastodon):
        said = str(raised.value)
        assert "invalid_request" in said
        for secret in secrets:
            assert not [at for at in range(len(secret) - 11) if secret[at : at + 12] in said], said
