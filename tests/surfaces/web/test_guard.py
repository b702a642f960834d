"""Only names that are ours, only requests that our own pages made, nothing without a password."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie

import aiohttp
import pytest

from bridge.core.events import RouteResumed
from bridge.surfaces.web.auth import FREE_TRIES
from tests.fixtures.world import World
from tests.surfaces.web.stage import OUT, PASSWORD, Served, furnish, seeded, served

FORMS = ("/do", "/preview", "/logout", "/language", "/login")


@pytest.fixture
async def site(world: World) -> AsyncIterator[Served]:
    async with served(world) as made:
        yield made


@pytest.fixture
async def locked(world: World) -> AsyncIterator[Served]:
    async with served(world, password=PASSWORD, hosts=("bridge.example",)) as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as made:
        yield made


async def token(client: aiohttp.ClientSession, url: str) -> str:
    async with client.get(url) as answer:
        found = re.search(r'data-csrf="([^"]+)"', await answer.text())
    assert found
    return found[1]


async def signed_in(client: aiohttp.ClientSession, site: Served, password: str = PASSWORD) -> int:
    async with client.post(
        f"{site.url}/login",
        data={"password": password, "back": "/posts?state=needs"},
        headers={"Origin": site.url},
        allow_redirects=False,
    ) as answer:
        return answer.status


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.1.9", "a@b", ""]
)
async def test_a_name_that_was_pointed_here_is_turned_away(
    site: Served, client: aiohttp.ClientSession, host: str
) -> None:
    async with client.get(site.url, headers={"Host": host}) as answer:
        assert answer.status in {400, 403}
        text = await answer.text()
        assert 'data-csrf=""' in text or answer.status == 400
        assert "personal" not in text


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.1", "[::1]:80", "bridge.example"])
async def test_own_names_and_those_of_the_configuration_are_let_in(
    locked: Served, client: aiohttp.ClientSession, host: str
) -> None:
    async with client.get(f"{locked.url}/login", headers={"Host": host}) as answer:
        assert answer.status == 200


async def test_forwarding_headers_are_not_believed(
    site: Served, client: aiohttp.ClientSession
) -> None:
    forged = {
        "X-Forwarded-Host": "localhost",
        "Forwarded": "host=localhost",
        "Host": "evil.example",
    }
    async with client.get(site.url, headers=forged) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "OWN", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "OWN", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:1"},
    ],
)
@pytest.mark.parametrize("path", FORMS)
async def test_no_other_site_may_have_anything_done(
    site: Served, client: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    csrf = await token(client, site.url)
    sent = {name: site.url if value == "OWN" else value for name, value in headers.items()}
    form = {"csrf": csrf, "do": "pause", "language": "ar"}
    async with client.post(site.url + path, data=form, headers=sent) as answer:
        assert answer.status == 403
    assert not any(lane.paused for lane in site.daemon.lanes)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/do", "/logout", "/language"])
async def test_nothing_is_done_by_any_other_method_whatever_a_header_says(
    site: Served, client: aiohttp.ClientSession, path: str, method: str
) -> None:
    form = {"csrf": await token(client, site.url), "do": "pause", "language": "ar"}
    meant = {"Origin": site.url, "X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    async with client.request(
        method, site.url + path, params=form | {"_method": "POST"}, data=form, headers=meant
    ) as answer:
        assert answer.status == 405
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert not any(lane.paused for lane in site.daemon.lanes)


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-Host": "OWN"},
        {"X-Forwarded-Proto": "https", "Origin": "HTTPS"},
        {"Forwarded": "host=OWN;proto=http;for=127.0.0.1"},
        {"X-Original-URL": "/posts", "X-Rewrite-URL": "/posts"},
        {"X-Real-IP": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"},
        {"Referer": "OWN"},
    ],
)
async def test_no_forged_header_makes_a_foreign_request_ours(
    site: Served, client: aiohttp.ClientSession, forged: dict[str, str]
) -> None:
    own = site.url.removeprefix("http://")
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} | {
        name: value.replace("OWN", own).replace("HTTPS", f"https://{own}")
        for name, value in forged.items()
    }
    form = {"csrf": await token(client, site.url), "do": "pause"}
    async with client.post(f"{site.url}/do", data=form, headers=headers) as answer:
        assert answer.status == 403
    assert not any(lane.paused for lane in site.daemon.lanes)


async def test_who_guesses_gets_no_further_by_saying_that_he_is_another(
    locked: Served, client: aiohttp.ClientSession
) -> None:
    statuses = []
    for number in range(FREE_TRIES + 1):
        elsewhere = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
        async with client.post(
            f"{locked.url}/login",
            data={"password": f"guess number {number}"},
            headers={"Origin": locked.url} | elsewhere,
        ) as answer:
            statuses.append(answer.status)
    assert statuses == [403] * FREE_TRIES + [429]


@pytest.mark.parametrize("csrf", ["", "x", "é" * 40])
async def test_no_form_without_its_token_does_anything(
    site: Served, client: aiohttp.ClientSession, csrf: str
) -> None:
    for path in ("/do", "/preview"):
        async with client.post(
            site.url + path, data={"csrf": csrf, "do": "pause"}, headers={"Origin": site.url}
        ) as answer:
            assert answer.status == 403
    assert not any(lane.paused for lane in site.daemon.lanes)


async def test_a_button_does_what_it_says_and_only_by_post(
    site: Served, client: aiohttp.ClientSession
) -> None:
    csrf = await token(client, site.url)
    async with client.get(f"{site.url}/do", params={"csrf": csrf, "do": "pause"}) as answer:
        assert answer.status == 405
    assert not any(lane.paused for lane in site.daemon.lanes)
    form = {"csrf": csrf, "do": "pause", "back": "//evil.example/"}
    async with client.post(
        f"{site.url}/do", data=form, headers={"Origin": site.url}, allow_redirects=False
    ) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/?said=")
    assert all(lane.paused for lane in site.daemon.lanes)


@pytest.mark.parametrize("deed", ["", "catch-up", "shutdown", "<script>"])
async def test_what_is_no_button_is_refused(
    site: Served, client: aiohttp.ClientSession, deed: str
) -> None:
    form = {"csrf": await token(client, site.url), "do": deed}
    async with client.post(f"{site.url}/do", data=form, headers={"Origin": site.url}) as answer:
        assert answer.status == 422


async def test_what_is_refused_says_why(site: Served, client: aiohttp.ClientSession) -> None:
    form = {"csrf": await token(client, site.url), "do": "retry", "post": "<b>none</b>"}
    async with client.post(f"{site.url}/do", data=form, headers={"Origin": site.url}) as answer:
        text = await answer.text()
    assert "That was not done." in text
    assert "no post that was to be mirrored is known by &lt;b&gt;none" in text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            403,
        ),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            200,
        ),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
async def test_other_sites_may_link_here_and_load_nothing_from_here(
    site: Served, client: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    async with client.get(site.url, headers=headers) as answer:
        assert answer.status == status


@pytest.mark.parametrize("path", ["/", "/nowhere", "/posts", "/static/web.css", "/healthz"])
async def test_every_answer_has_the_strict_headers(
    site: Served, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(site.url + path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in answer.headers or "twinpost" not in answer.headers["Server"]


async def test_too_much_is_refused_before_it_is_read(
    site: Served, client: aiohttp.ClientSession
) -> None:
    form = {"csrf": await token(client, site.url), "text": "x" * 400_000}
    async with client.post(
        f"{site.url}/preview", data=form, headers={"Origin": site.url}
    ) as answer:
        assert answer.status == 413
        assert "More was sent" in await answer.text()


@pytest.mark.parametrize("path", ["/", "/posts?state=needs", "/post?id=1", "/preview", "/nowhere"])
async def test_nothing_is_shown_without_the_password(
    locked: Served, client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(locked.url + path, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith("/login?back=%2F")
    async with client.get(locked.url + path) as answer:
        text = await answer.text()
        assert "personal" not in text
        assert 'data-csrf=""' in text
    for method, place in (("GET", "/events"), ("POST", "/do"), ("POST", "/preview")):
        async with client.request(method, locked.url + place, headers={"Origin": locked.url}) as no:
            assert no.status == 403


async def test_the_password_opens_a_session_that_ends_by_signing_out(
    locked: Served, client: aiohttp.ClientSession
) -> None:
    assert await signed_in(client, locked, "not the password") == 403
    assert await signed_in(client, locked) == 303
    csrf = await token(client, locked.url)
    (cookie,) = list(client.cookie_jar)
    async with client.post(
        f"{locked.url}/logout", data={"csrf": csrf}, headers={"Origin": locked.url}
    ) as answer:
        assert "Sign in" in await answer.text()
    # Forgotten here, not only there.
    stolen = {"Cookie": f"{cookie.key}={cookie.value}"}
    async with client.get(locked.url, headers=stolen, allow_redirects=False) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("tls", [False, True])
async def test_the_cookie_is_for_this_site_and_no_script(
    world: World, client: aiohttp.ClientSession, tls: bool
) -> None:
    async with served(world, password=PASSWORD, behind_tls=tls) as site:
        scheme = "https" if tls else "http"
        async with client.post(
            f"{site.url}/login",
            data={"password": PASSWORD},
            headers={"Origin": site.url.replace("http", scheme)},
            allow_redirects=False,
        ) as answer:
            (line,) = answer.headers.getall("Set-Cookie")
    cookie = next(iter(SimpleCookie(line).values()))
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert bool(cookie["secure"]) is tls
    assert cookie.key.startswith("__Host-") is tls


async def test_who_guesses_has_to_wait_even_with_the_right_one(
    locked: Served, client: aiohttp.ClientSession
) -> None:
    wrong = [
        await signed_in(client, locked, f"guess number {n} of many") for n in range(FREE_TRIES)
    ]
    assert wrong == [403] * FREE_TRIES
    assert await signed_in(client, locked) == 429


async def test_sessions_differ_and_so_do_their_tokens(
    locked: Served, client: aiohttp.ClientSession
) -> None:
    await signed_in(client, locked)
    first = await token(client, locked.url)
    await signed_in(client, locked)
    assert await token(client, locked.url) != first


async def test_the_login_leads_nowhere_else(locked: Served, client: aiohttp.ClientSession) -> None:
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", ""):
        async with client.post(
            f"{locked.url}/login",
            data={"password": PASSWORD, "back": back},
            headers={"Origin": locked.url},
            allow_redirects=False,
        ) as answer:
            assert answer.headers["Location"] == "/"


async def test_no_page_has_a_secret(world: World, client: aiohttp.ClientSession) -> None:
    await seeded(world, furnish)
    secrets = [world.mastodon_account.access_token, PASSWORD]
    secrets += list(vars_of(world.x_account.oauth1))
    async with served(world, password=PASSWORD) as site:
        await signed_in(client, site)
        for path in ("/", "/posts", "/preview", "/nowhere", "/readyz"):
            async with client.get(site.url + path) as answer:
                text = await answer.text()
            assert not [secret for secret in secrets if secret in text]


def vars_of(keys: object) -> list[str]:
    return [str(getattr(keys, name)) for name in type(keys).__slots__]  # type: ignore[attr-defined]


async def test_open_streams_do_not_hold_up_the_end(world: World) -> None:
    async with aiohttp.ClientSession() as client:
        async with served(world) as site:
            streams = [await client.get(f"{site.url}/events") for _ in range(20)]
            assert await streams[-1].content.readline() == b"retry: 3000\n"
            site.page.hear(RouteResumed(datetime.now(UTC), OUT))
            async with asyncio.timeout(5):
                while b"changed" not in await streams[-1].content.readline():
                    pass
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < 3
        for stream in streams:
            stream.close()


async def test_a_port_that_is_taken_costs_the_page_and_not_the_bridge(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    from bridge.config.web import Listen

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with served(world, listen=Listen("127.0.0.1", port)) as site:
            assert site.url == ""
            assert len(site.daemon.lanes) == 2
    assert "Choose another with web.listen" in caplog.text
