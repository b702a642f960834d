"""Requests that no page of ours sends: answered at once, without a fault, on every listener."""

import asyncio
import gzip
import logging
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from encodings.aliases import aliases

import aiohttp
import pytest

from bridge.config.surface_settings import MetricsSettings
from bridge.config.web import Listen
from bridge.signin import loopback
from bridge.surfaces.metrics.serving import serving as metrics
from tests.fixtures.world import World
from tests.surfaces.web.stage import PASSWORD, Served, served

FORM = "application/x-www-form-urlencoded"
OPEN_FORMS = ("/login", "/language")
FORMS = (*OPEN_FORMS, "/do", "/logout", "/preview")
LONGEST_STALL = 0.5
"""Seconds in which the event loop may do nothing else; what this is about took ninety."""

BOMB = gzip.compress(b"language=" + b"a" * 4_000_000)
SMALL = gzip.compress(b"language=ar")
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="password"\r\n'
    b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a" * 9000 + b"\r\n--b--\r\n"
)
MALFORMED: dict[str, tuple[dict[str, str], bytes]] = {
    "no content type": ({}, b"language=ar"),
    "another type": ({"Content-Type": "text/plain"}, b"language=ar"),
    "a broken type": ({"Content-Type": ";;;=/,"}, b"language=ar"),
    "multipart": ({"Content-Type": "multipart/form-data; boundary=b"}, MULTIPART),
    "multipart without its end": (
        {"Content-Type": "multipart/form-data; boundary=b"},
        MULTIPART[:-9],
    ),
    "multipart without its boundary": ({"Content-Type": "multipart/form-data"}, MULTIPART),
    "multipart in multipart": (
        {"Content-Type": "multipart/form-data; boundary=b"},
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n",
    ),
    "a file": (
        {"Content-Type": "multipart/form-data; boundary=b"},
        b'--b\r\nContent-Disposition: form-data; name="back"; filename="x"\r\n\r\nx\r\n--b--\r\n',
    ),
    "gzip": ({"Content-Type": FORM, "Content-Encoding": "gzip"}, SMALL),
    "a bomb": ({"Content-Type": FORM, "Content-Encoding": "gzip"}, BOMB),
    "gzip that is none": ({"Content-Type": FORM, "Content-Encoding": "gzip"}, b"language=ar"),
    "deflate that is none": ({"Content-Type": FORM, "Content-Encoding": "deflate"}, b"\xff\xff"),
    "an encoding that is none": ({"Content-Type": FORM, "Content-Encoding": "\xe9"}, b"x"),
    "two charsets": ({"Content-Type": f"{FORM}; charset=utf-8; charset=utf-7"}, b"language=ar"),
    "no charset": ({"Content-Type": f"{FORM}; charset="}, b"language=ar"),
    "a field twice": ({"Content-Type": FORM}, b"language=ar&language=en"),
    "a field twice, in disguise": ({"Content-Type": FORM}, b"language=ar&l%61nguage=en"),
    "too many fields": ({"Content-Type": FORM}, b"&".join(b"f%d=x" % n for n in range(200))),
    "nothing but separators": ({"Content-Type": FORM}, b"&" * 15_000),
    "half an escape": ({"Content-Type": FORM}, b"language=%"),
    "an escape that is none": ({"Content-Type": FORM}, b"language=%zz"),
    "an escape cut short": ({"Content-Type": FORM}, b"language=ar%4"),
    "no UTF-8": ({"Content-Type": FORM}, b"language=\xff\xfe"),
    "no UTF-8, escaped": ({"Content-Type": FORM}, b"language=%ff%fe"),
    "half a surrogate pair": ({"Content-Type": FORM}, b"language=%ed%a0%80"),
    "overlong": ({"Content-Type": FORM}, b"language=%c0%af"),
    "UTF-16": ({"Content-Type": FORM}, "language=ar".encode("utf-16")),
    "NUL": ({"Content-Type": FORM}, b"language=a\0r"),
    "NUL, escaped": ({"Content-Type": FORM}, b"password=%00&back=%00"),
}
JSON = {
    "nested": b"[" * 15_000,
    "nested objects": b'{"a":' * 3_000,
    "no object": b"[1]",
    "nothing": b"",
    "half": b'{"text": "x',
    "a long number": b'{"text": %s}' % (b"1" * 9_000),
    "half a surrogate pair": b'{"text": "\\ud800", "csrf": "\\udfff"}',
    "NUL": b'{"text": "a\\u0000b"}',
    "no UTF-8": b'{"text": "\xff"}',
    "UTF-16": '{"text": "x"}'.encode("utf-16"),
}

NO_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
    b"GET http://[ HTTP/1.1\r\n\r\n",
    b"CONNECT a:b HTTP/1.1\r\n\r\n",
    b"\r\n" * 20_000 + b"x",
)


@pytest.fixture
async def site(world: World) -> AsyncIterator[Served]:
    async with served(world) as made:
        yield made


@asynccontextmanager
async def no_stall() -> AsyncIterator[None]:
    """Fail where the loop could do nothing else for long, in processor time of this process."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.process_time()
            await asyncio.sleep(0)
            longest = max(longest, time.process_time() - before)

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    assert longest < LONGEST_STALL


def without_fault(caplog: pytest.LogCaptureFixture) -> bool:
    return not [each for each in caplog.records if each.exc_info or each.levelno >= logging.ERROR]


async def posted(url: str, path: str, headers: dict[str, str], body: bytes) -> int:
    """The status of a request as it is written, by a client that adds nothing to it."""
    own = {"Origin": url, "Host": url.removeprefix("http://"), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in {**own, **headers}.items()]
    head = "\r\n".join([f"POST {path} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
    return await answered(url, head.encode("latin-1") + body)


async def answered(url: str, raw: bytes) -> int:
    host, _, port = url.removeprefix("http://").rpartition(":")
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
    return int(line.split()[1])


@pytest.mark.parametrize("path", FORMS)
async def test_a_malformed_form_is_refused_and_nothing_breaks(
    site: Served, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    async with no_stall():
        for name, (headers, body) in MALFORMED.items():
            assert await posted(site.url, path, headers, body) in {413, 415, 422}, name
    assert without_fault(caplog)


async def test_what_is_no_http_is_refused_without_a_line_in_the_log(
    site: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async with no_stall():
        for raw in NO_HTTP:
            assert await answered(site.url, raw) in {400, 403}
    assert without_fault(caplog)


async def test_malformed_json_is_refused_and_nothing_breaks(
    site: Served, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Content-Type": "application/json"}
    async with no_stall():
        for name, body in JSON.items():
            assert await posted(site.url, "/preview", headers, body) in {413, 422}, name
    assert without_fault(caplog)


async def test_no_charset_but_utf_8_is_decoded(
    site: Served, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/language"
    charsets = sorted({"punycode", "idna", "undefined", *aliases.values()} - {"utf_8", "mbcs"})
    async with no_stall():
        for charset in charsets:
            headers = {"Content-Type": f"{FORM}; charset={charset}"}
            assert await posted(site.url, path, headers, b"language=%61r" * 40) == 415, charset
    for charset in ("utf-8", "UTF-8", '"utf-8"', "utf8"):
        headers = {"Content-Type": f"{FORM} ; Charset={charset}"}
        assert await posted(site.url, path, headers, b"language=ar") in {303, 403}
    assert without_fault(caplog)


async def test_more_than_a_form_can_hold_is_refused_before_it_is_decoded(site: Served) -> None:
    body = b"password=" + b"\xc3\xa9" * 125_000
    async with no_stall():
        for path in OPEN_FORMS:
            for charset in ("utf-8", "punycode"):
                headers = {"Content-Type": f"{FORM}; charset={charset}"}
                assert await posted(site.url, path, headers, body) in {413, 415}


async def test_broken_chunks_are_refused(site: Served, caplog: pytest.LogCaptureFixture) -> None:
    host = site.url.removeprefix("http://")
    head = (
        f"POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: {site.url}\r\n"
        f"Content-Type: {FORM}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    for chunks in (b"zz\r\n", b"5\r\nabc", b"-1\r\n\r\n", b"ffffffffffffffff0\r\n"):
        status = await answered(site.url, head.encode() + chunks + b"\r\nX\r\n\r\n")
        assert status in {400, 422}
    assert without_fault(caplog)


@pytest.mark.parametrize("seed", range(4))
async def test_random_requests_never_break_a_page(
    world: World, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    chance = random.Random(seed)
    pieces = [
        b"&",
        b"=",
        b"%",
        b"+",
        b"%00",
        b"%ff",
        b"\0",
        b"\xff",
        b"password",
        b"back",
        b"[",
        b"{",
    ]
    types = [FORM, "application/json", "multipart/form-data; boundary=b", "text/html", ""]
    charsets = ["", "; charset=utf-8", "; charset=utf-7", "; charset=punycode", "; charset=\xe9"]
    paths = ["?back=%", "?back=%ff%00", "?said=%ed%a0%80", "?seen=" + "9" * 400, ""]
    async with served(world, password=PASSWORD) as site, no_stall():
        for _ in range(60):
            body = b"".join(chance.choices(pieces, k=chance.choice((0, 3, 40, 2000))))
            headers = {"Content-Type": chance.choice(types) + chance.choice(charsets)}
            headers |= chance.choice([{}, {"Cookie": "twinpost=\xff; =;;"}, {"Host": "["}])
            headers |= chance.choice(
                [{}, {"Accept-Language": "q=" * 999}, {"X-Forwarded-For": ","}]
            )
            path = chance.choice(FORMS) + chance.choice(paths)
            assert await posted(site.url, path, headers, body) < 500
        async with aiohttp.ClientSession() as client, client.get(f"{site.url}/login") as answer:
            assert answer.status == 200
    assert without_fault(caplog)


async def test_metrics_take_no_body(caplog: pytest.LogCaptureFixture) -> None:
    async def page() -> bytes:
        return b"ok"

    settings = MetricsSettings(listen=Listen("127.0.0.1", 0))
    async with metrics(settings, page, "text/plain") as where, no_stall():
        assert where is not None
        url = f"http://{where[0]}:{where[1]}"
        for headers, body in MALFORMED.values():
            assert await posted(url, "/metrics", headers, body) == 405
            get = b"GET /metrics?%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            sent = get + b"Content-Length: %d\r\n\r\n" % len(body) + body
            assert await answered(url, sent) == 200
    assert without_fault(caplog)


async def test_the_sign_in_page_takes_no_body(caplog: pytest.LogCaptureFixture) -> None:
    async with loopback.listening("S") as page, no_stall():
        url = page.address.removesuffix(loopback.PATH)
        for headers, body in MALFORMED.values():
            assert await posted(url, loopback.PATH, headers, body) == 405
        for query in (
            "?state=%ed%a0%80",
            "?state=%ff",
            "?state=S%00&code=%",
            "?" + "state=S&" * 900,
        ):
            host = url.removeprefix("http://")
            raw = (
                f"GET {loopback.PATH}{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            )
            assert await answered(url, raw.encode()) in {200, 400}
    assert without_fault(caplog)


async def test_the_demo_takes_nothing_but_its_own_json(caplog: pytest.LogCaptureFixture) -> None:
    from bridge.cli.demo.page import Page
    from bridge.cli.demo.stage import staged
    from bridge.net.listener import Limits
    from bridge.net.serving import serving

    async with staged(None) as stage, no_stall():
        app = Page(stage).app
        async with serving(app, "127.0.0.1", 0, Limits(), grace=0.1) as (host, port):
            url = f"http://{host}:{port}"
            for headers, body in MALFORMED.values():
                assert await posted(url, "/posts", headers, body) in {413, 415, 422}
            for body in JSON.values():
                headers = {"Content-Type": "application/json"}
                assert await posted(url, "/posts", headers, body) in {413, 422}
    assert without_fault(caplog)


async def test_what_our_own_pages_send_still_arrives(site: Served) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        async with client.get(f"{site.url}/preview") as answer:
            found = re.search(r'data-csrf="([^"]+)"', await answer.text())
        assert found
        text = "ä& = %+\r\n😀" * 3_700
        form = {"csrf": found[1], "text": text, "warning": "", "route": ""}
        own = {"Origin": site.url}
        for answer in (
            await client.post(f"{site.url}/preview", headers=own, data=form),
            await client.post(f"{site.url}/preview", headers=own, json=form),
        ):
            assert answer.status == 200
            assert "😀" in await answer.text()
