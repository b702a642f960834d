"""GET from hosts that nobody vouches for: redirects, schemes, disguises, and what is never sent.

Bars of docs/reliability.md: R20, S6, S7.
"""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from bridge.core.errors import ConfigError
from bridge.net.guard import Trusted, refusal
from bridge.net.visit import NotVisited, Visitor
from tests.fixtures.ways import Proxy, proxying

PUBLIC, INNER = "127.0.0.2", "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def judge(address: str) -> str | None:
    """The rules of the internet, but for one loopback address that plays a public one."""
    return None if address == PUBLIC else refusal(address)


@dataclass
class Names(AbstractResolver):
    """A resolver of this file's own names."""

    known: dict[str, str] = field(default_factory=dict)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        address = self.known.get(host.rstrip("."))
        if address is None:
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return None


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate, in one file, for the names that these tests use."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    hosts = ("files", "inner", "other", "three", "four", "endless", "silent", "breaking")
    names = ",".join(f"DNS:{host}.example" for host in hosts)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=tests", "-addext", f"subjectAltName={names}",
         "-keyout", str(path), "-out", str(path.with_suffix(".crt"))],
        check=True,
        capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@dataclass
class World:
    """Servers on two addresses, with the names that lead to them, and a visitor."""

    certificate: Path
    stack: AsyncExitStack
    names: Names = field(default_factory=Names)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def server(
        self, host: str, handler: Handler, *, address: str = PUBLIC, tls: bool = True
    ) -> str:
        """The base URL of a server called `host` at `address`."""

        async def noting(request: web.Request) -> web.StreamResponse:
            self.seen.append((host, dict(request.headers)))
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", noting)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        context = None
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificate)
        await web.TCPSite(runner, address, 0, ssl_context=context).start()
        self.names.known[host] = address
        return f"http{'s' if tls else ''}://{host}:{runner.addresses[0][1]}"

    async def visitor(self, *trusted: str) -> Visitor:
        return await self.stack.enter_async_context(
            Visitor(
                user_agent="twinpost-tests",
                trusted=Trusted.of(trusted),
                silence=1,
                judge=judge,
                resolver=self.names,
                tls=ssl.create_default_context(cafile=self.certificate),
            )
        )


@pytest.fixture
async def world(certificate: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(certificate, stack)


def saying(text: str) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text=text, headers={"Set-Cookie": "who=you"})

    return handler


def leading(*places: str, status: int = 302) -> Handler:
    """Redirects to each place in turn, then to the last for ever."""
    left = list(places)

    async def handler(_request: web.Request) -> web.Response:
        place = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=status, headers={"Location": place} if place else {})

    return handler


@asynccontextmanager
async def refused(words: str, *, lasting: bool) -> AsyncIterator[None]:
    with pytest.raises(NotVisited, match=words) as caught:
        yield
    assert caught.value.lasting is lasting


async def text_at(visitor: Visitor, url: str) -> str:
    async with visitor.get(url) as response:
        return await response.text()


async def test_a_public_host_is_asked_over_https_and_told_nothing_but_our_name(
    world: World,
) -> None:
    files = await world.server("files.example", saying("hello"))
    visitor = await world.visitor()
    for _ in range(2):
        assert await text_at(visitor, f"{files}/a%2Fb?sig=x%2By") == "hello"
    for _, headers in world.seen:
        assert headers["User-Agent"] == "twinpost-tests"
        assert not {"Cookie", "Authorization", "Referer"} & set(headers)


async def test_a_signed_address_is_sent_as_it_stands(world: World) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.raw_path)

    files = await world.server("files.example", handler)
    path = "/a%2Fb/%7Ec?X-Sig=AB%2FCD%3D&e=1%20+2"
    assert await text_at(await world.visitor(), files + path) == path


@pytest.mark.parametrize("address", [INNER, "169.254.169.254", "10.0.0.1"])
async def test_a_name_that_leads_inside_is_refused(world: World, address: str) -> None:
    files = await world.server("files.example", saying("secret"), address=INNER)
    world.names.known["files.example"] = address
    async with refused("not of the public internet", lasting=True):
        await text_at(await world.visitor(), files)
    assert not world.seen


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://0/",
        "https://１２７.0.0.1/",
        "https://①②⑦.⓪.⓪.①/",
    ],
)
async def test_a_numeric_host_however_written_leads_nowhere_inside(world: World, url: str) -> None:
    async with refused("address that", lasting=True):
        await text_at(await world.visitor(), url)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/",
        "ftp://files.example/",
        "file:///etc/passwd",
        "gopher://files.example/",
        "//files.example/a",
        "data:text/plain,x",
        "https://user@files.example/",
        "https://user:word@files.example/",
        "https://@files.example/",
        "https://files.example\\@inner.example/",
        "https:///a",
        "https://files.example:99999/",
        "https://files.example:x/",
        "https://",
        "",
        "x",
        "https://files.example/" + "a" * 9000,
    ],
)
async def test_an_address_of_another_kind_is_refused_before_anybody_is_asked(
    world: World, url: str
) -> None:
    world.names.known["files.example"] = PUBLIC
    async with refused(" ", lasting=True):
        await text_at(await world.visitor("https://inner.example"), url)


async def test_three_redirects_are_followed_and_no_more(world: World) -> None:
    files = await world.server("files.example", saying("found"))
    three = await world.server("three.example", leading("/b", "/c", f"{files}/d"))
    visitor = await world.visitor()
    assert await text_at(visitor, three) == "found"
    four = await world.server("four.example", leading("/b", "/c", "/d", f"{files}/e"))
    async with refused("more than 3 redirects", lasting=True):
        await text_at(visitor, four)
    endless = await world.server("endless.example", leading("/again"))
    async with refused("more than 3 redirects", lasting=True):
        await text_at(visitor, endless)
    assert sum(host == "endless.example" for host, _ in world.seen) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_the_metadata_of_a_cloud_is_refused(world: World, status: int) -> None:
    target = "https://169.254.169.254/latest/meta-data/"
    files = await world.server("files.example", leading(target, status=status))
    async with refused(r"link-local", lasting=True):
        await text_at(await world.visitor(), files)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://files.example/", "not offered over https"),
        ("https://user@files.example/", "name or password"),
        ("file:///etc/passwd", "cannot be read"),
        ("", "cannot be read"),
        ("https://[", "cannot be read"),
        ("https://inner.example:{port}/", "not of the public internet"),
        ("//inner.example:{port}/", "not of the public internet"),
    ],
)
async def test_a_redirect_is_held_to_the_same_rules(world: World, target: str, words: str) -> None:
    inner = await world.server("inner.example", saying("secret"), address=INNER)
    target = target.replace("{port}", inner.rpartition(":")[2])
    files = await world.server("files.example", leading(target))
    async with refused(words, lasting=True):
        await text_at(await world.visitor(), files)
    assert [host for host, _ in world.seen] == ["files.example"]


async def test_a_server_that_the_owner_configured_may_stand_inside_and_speak_http(
    world: World,
) -> None:
    inner = await world.server("inner.example", saying("mine"), address=INNER, tls=False)
    visitor = await world.visitor(inner)
    assert await text_at(visitor, f"{inner}/media/1") == "mine"
    other = await world.server("other.example", saying("mine"), address=INNER)
    async with refused("not of the public internet", lasting=True):
        await text_at(visitor, other)


async def test_a_trusted_server_may_redirect_to_itself_and_to_the_internet(world: World) -> None:
    files = await world.server("files.example", saying("out there"))
    inner = await world.server("inner.example", leading("/b", files), address=INNER, tls=False)
    assert await text_at(await world.visitor(inner), inner) == "out there"


async def test_a_stranger_cannot_send_us_to_a_trusted_server_inside(world: World) -> None:
    inner = await world.server("inner.example", saying("mine"), address=INNER)
    files = await world.server("files.example", leading(f"{inner}/admin"))
    async with refused("not of the public internet", lasting=True):
        await text_at(await world.visitor(inner), files)
    assert [host for host, _ in world.seen] == ["files.example"]


@pytest.mark.parametrize(
    ("status", "lasting"), [(404, False), (403, False), (500, False), (410, True)]
)
async def test_a_file_that_is_not_there_is_told_with_the_servers_answer(
    world: World, status: int, lasting: bool
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    files = await world.server("files.example", handler)
    async with refused(rf"is not there \(HTTP {status}\)", lasting=lasting):
        await text_at(await world.visitor(), files)


async def test_a_certificate_for_another_name_is_refused(world: World) -> None:
    files = await world.server("files.other", saying("hello"))
    async with refused("no valid certificate", lasting=False):
        await text_at(await world.visitor(), files)


async def test_a_host_that_is_gone_silent_or_breaks_off_says_so(world: World) -> None:
    async def silent(_request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    async def breaking(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    visitor = await world.visitor()
    async with refused("cannot be reached", lasting=False):
        await text_at(visitor, "https://unknown.example/")
    world.names.known["gone.example"] = PUBLIC
    async with refused("cannot be reached", lasting=False):
        await text_at(visitor, "https://gone.example:1/")
    async with refused("did not answer in time", lasting=False):
        await text_at(visitor, await world.server("silent.example", silent))
    async with refused("broke off", lasting=False):
        await text_at(visitor, await world.server("breaking.example", breaking))


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """What the environment names as the way to everything."""
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with proxying() as made:
        monkeypatch.setenv("HTTPS_PROXY", made.url)
        yield made


async def test_a_proxy_is_handed_the_address_that_was_judged_and_not_a_name(
    world: World, proxy: Proxy
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.raw_path)

    files = await world.server("files.example", handler)
    path = "/a%2Fb/%7Ec?X-Sig=AB%2FCD%3D&e=1%20+2"
    assert await text_at(await world.visitor(), files + path) == path
    port = files.rpartition(":")[2]
    assert proxy.asked == [f"{PUBLIC}:{port}"]
    assert len(proxy.proofs) == 1
    ((_, headers),) = world.seen
    assert headers["Host"] == f"files.example:{port}"
    assert not {"Proxy-Authorization", "Authorization"} & set(headers)


@pytest.mark.parametrize("address", [INNER, "169.254.169.254", "10.0.0.1"])
async def test_a_proxy_is_not_asked_for_a_name_that_leads_inside(
    world: World, proxy: Proxy, address: str
) -> None:
    files = await world.server("files.example", saying("secret"), address=INNER)
    world.names.known["files.example"] = address
    async with refused("not of the public internet", lasting=True):
        await text_at(await world.visitor(), files)
    outside = await world.server("other.example", leading(f"https://{address}/secret"))
    async with refused("not of the public internet", lasting=True):
        await text_at(await world.visitor(), outside)
    assert len(proxy.asked) == 1


async def test_a_name_that_is_not_known_here_is_not_given_to_a_proxy(
    world: World, proxy: Proxy
) -> None:
    async with refused("a name that is not known here, and a proxy is not asked", lasting=False):
        await text_at(await world.visitor(), "https://files.example/")
    assert proxy.asked == []


async def test_a_proxy_is_asked_by_name_for_what_the_owner_configured(
    world: World, proxy: Proxy
) -> None:
    inner = await world.server("inner.example", saying("hello"), address=INNER)
    # Only the proxy could know where that is; this one does not.
    async with refused("cannot be reached|broke off", lasting=False):
        await text_at(await world.visitor(inner), inner)
    assert set(proxy.asked) == {inner.removeprefix("https://")}


async def test_a_proxy_that_refuses_is_named_as_the_cause(world: World, proxy: Proxy) -> None:
    proxy.refuses = True
    files = await world.server("files.example", saying("hello"))
    async with refused("the proxy answered HTTP 407", lasting=False):
        await text_at(await world.visitor(), files)


async def test_a_certificate_is_held_to_the_name_though_the_address_is_asked(
    world: World, proxy: Proxy
) -> None:
    files = await world.server("wrong.example", saying("hello"))
    async with refused("has no valid certificate", lasting=False):
        await text_at(await world.visitor(), files)
    assert len(proxy.asked) == 1


async def test_what_is_not_to_go_through_a_proxy_is_judged_where_it_is_connected(
    world: World, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "files.example")
    files = await world.server("files.example", saying("hello"))
    assert await text_at(await world.visitor(), files) == "hello"
    world.names.known["files.example"] = INNER
    async with refused("not of the public internet", lasting=True):
        await text_at(await world.visitor(), files)
    assert proxy.asked == []


async def test_a_proxy_that_cannot_be_used_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:canary@127.0.0.1:9")
    with pytest.raises(ConfigError, match="HTTPS_PROXY cannot be used"):
        Visitor(user_agent="twinpost-tests", resolver=Names())


def test_no_address_whatever_makes_it_raise_anything_else() -> None:
    addresses = st.one_of(
        st.text(max_size=60),
        st.text(max_size=60).map(lambda rest: f"https://{rest}"),
        st.text("0123456789abcdefx.:[]@%/\\\u3002", max_size=40).map(
            lambda rest: f"https://{rest}"
        ),
    )

    async def attempts() -> None:
        async with Visitor(user_agent="twinpost-tests", resolver=Names()) as visitor:
            loop = asyncio.get_running_loop()

            @given(addresses)
            def attempt(address: str) -> None:
                visit = asyncio.run_coroutine_threadsafe(visitor._answer(address), loop)
                with pytest.raises(NotVisited):
                    visit.result(timeout=10)

            await asyncio.to_thread(attempt)

    asyncio.run(attempts())
