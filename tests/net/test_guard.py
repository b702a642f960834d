"""Which addresses are refused, and that it is the address of the very connection that counts.

Bars of docs/reliability.md: S6.
"""

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bridge.net.guard import AddressRefused, Trusted, guarded_connector, refusal
from bridge.sandbox.server import serve


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local"),
        ("100.64.0.1", "shared by a provider"),
        ("100.127.255.255", "shared by a provider"),
        ("198.18.0.1", "for benchmarks"),
        ("192.0.0.192", "reserved"),
        ("224.0.0.251", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("2606:4700::1111%1", "link-local"),
        ("fd00:ec2::254", "private"),
        ("fc00::1", "private"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "an IPv4 address in disguise"),
        ("::ffff:8.8.8.8", "an IPv4 address in disguise"),
        ("::127.0.0.1", "an IPv4 address in disguise"),
        ("::ffff:0:127.0.0.1", "an IPv4 address in disguise"),
        ("2002:7f00:1::", "an IPv4 address in disguise"),
        ("2002:808:808::1", "an IPv4 address in disguise"),
        ("64:ff9b::127.0.0.1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "link-local"),
        ("64:ff9b:1::1", "private"),
        ("2001::1", "reserved"),
        ("2001:db8::1", "for documentation"),
        ("100::1", "reserved"),
        ("4000::1", "reserved"),
        ("2130706433", "not an address"),
        ("0177.0.0.1", "not an address"),
        ("127.1", "not an address"),
        ("", "not an address"),
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(address: str, why: str) -> None:
    assert refusal(address) == why


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "169.253.255.255",
        "192.167.255.255",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "64:ff9b::8.8.8.8",
    ],
)
def test_an_address_of_the_public_internet_is_not(address: str) -> None:
    assert refusal(address) is None


@given(st.ip_addresses(v=4))
def test_no_address_that_python_calls_private_is_let_through(
    address: ipaddress.IPv4Address,
) -> None:
    special = not address.is_global or address.is_multicast or address.is_reserved
    assert not special or refusal(str(address)) is not None


@given(st.ip_addresses(v=4))
def test_a_disguised_address_is_never_better_than_the_plain_one(
    address: ipaddress.IPv4Address,
) -> None:
    for prefix in ("::ffff:", "64:ff9b::", "::", "::ffff:0:"):
        if refusal(str(address)) is not None:
            assert refusal(f"{prefix}{address}") is not None
    sixth = ipaddress.IPv6Address((0x2002 << 112) | (int(address) << 80))
    assert refusal(str(sixth)) is not None


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_global_unicast_and_translated_addresses_are_let_through(
    address: ipaddress.IPv6Address,
) -> None:
    if refusal(str(address)) is None:
        assert address in ipaddress.IPv6Network("2000::/3") or address in ipaddress.IPv6Network(
            "64:ff9b::/96"
        )
        assert not address.is_private
        assert not address.is_multicast


@given(st.text())
def test_what_is_no_address_is_refused_whatever_it_is(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert refusal(text) == "not an address"


class Flipping(AbstractResolver):
    """A resolver whose answers change from one question to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None


def only_127_0_0_2(address: str) -> str | None:
    """A rule for tests, where every server is on a loopback address."""
    return None if address == "127.0.0.2" else refusal(address)


class Two:
    """A public and an inner server, on the same port of two addresses."""

    def __init__(self) -> None:
        self.visits: list[str] = []
        self.port = 0

    def app(self, name: str) -> web.Application:
        async def handler(_request: web.Request) -> web.Response:
            self.visits.append(name)
            return web.Response(text=name)

        app = web.Application()
        app.router.add_get("/", handler)
        return app


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    servers = Two()
    async with AsyncExitStack() as stack:
        while True:
            url = await stack.enter_async_context(serve(servers.app("public"), "127.0.0.2"))
            servers.port = URL(url).port or 0
            try:
                inner = serve(servers.app("inner"), "127.0.0.1", servers.port)
                await stack.enter_async_context(inner)
            except OSError:
                # Somebody else has that port on the other address: another one, then.
                await stack.aclose()
            else:
                break
        yield servers


async def text_of(resolver: AbstractResolver, two: Two, host: str = "files.example") -> str:
    connector = guarded_connector(judge=only_127_0_0_2, resolver=resolver)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(2):
            async with session.get(f"http://{host}:{two.port}/") as response:
                text = await response.text()
    return text


async def test_a_name_that_flips_to_an_inner_address_is_refused_at_the_next_connection(
    two: Two,
) -> None:
    resolver = Flipping(["127.0.0.2"], ["127.0.0.1"])
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await text_of(resolver, two)
    assert isinstance(caught.value.os_error, AddressRefused)
    assert two.visits == ["public"]


async def test_a_name_is_asked_for_once_a_connection_and_its_answer_is_what_is_used(
    two: Two,
) -> None:
    resolver = Flipping(["127.0.0.2"])
    assert await text_of(resolver, two) == "public"
    assert resolver.asked == 2


async def test_of_a_name_with_inner_and_public_addresses_only_the_public_ones_are_used(
    two: Two,
) -> None:
    assert await text_of(Flipping(["127.0.0.1", "127.0.0.2", "10.0.0.1"]), two) == "public"
    assert set(two.visits) == {"public"}


async def test_a_name_with_several_inner_addresses_is_refused_as_such(two: Two) -> None:
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await text_of(Flipping(["127.0.0.1", "10.0.0.1", "169.254.169.254"]), two)
    assert isinstance(caught.value.os_error, AddressRefused)
    assert not two.visits


async def test_a_numeric_host_is_judged_although_no_name_is_resolved(two: Two) -> None:
    resolver = Flipping(["127.0.0.2"])
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await text_of(resolver, two, "127.0.0.1")
    assert "loopback" in str(caught.value.os_error)
    assert (resolver.asked, two.visits) == (0, [])
    assert await text_of(resolver, two, "127.0.0.2") == "public"


async def test_the_socket_is_judged_even_where_the_resolver_was_not_asked() -> None:
    connector = guarded_connector(resolver=Flipping(["127.0.0.1"]))
    try:
        assert connector._socket_factory is not None
        with pytest.raises(AddressRefused, match="link-local"):
            connector._socket_factory(
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))
            )
    finally:
        await connector.close()


async def test_the_machines_own_name_leads_nowhere() -> None:
    async def handler(_request: web.Request) -> web.Response:
        raise AssertionError

    app = web.Application()
    app.router.add_get("/", handler)
    async with serve(app) as url, aiohttp.ClientSession(connector=guarded_connector()) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await session.get(URL(url).with_host("localhost"))
    assert "loopback" in str(caught.value.os_error)


def test_a_host_is_trusted_on_its_own_port_only() -> None:
    trusted = Trusted.of(["https://Home.Example.", "mast.lan:8443", "http://127.0.0.1:5000/api"])
    for url in ("https://home.example/a", "https://mast.lan:8443/", "http://127.0.0.1:5000"):
        assert trusted.covers(URL(url)), url
    for url in (
        "https://home.example:8443/",
        "http://home.example/",
        "https://mast.lan/",
        "http://127.0.0.1:5001",
        "https://sub.home.example",
        "https://home.example.evil.example",
    ):
        assert not trusted.covers(URL(url)), url


def test_a_trusted_host_without_a_port_means_the_two_usual_ones() -> None:
    trusted = Trusted.of(["files.lan", "[fd00::1]"])
    assert trusted.covers(URL("https://files.lan"))
    assert trusted.covers(URL("http://files.lan"))
    assert trusted.covers(URL("https://[fd00::1]/"))
    assert not trusted.covers(URL("https://files.lan:444"))


def test_what_is_no_host_cannot_be_trusted() -> None:
    with pytest.raises(ValueError, match="host"):
        Trusted.of(["https://"])
