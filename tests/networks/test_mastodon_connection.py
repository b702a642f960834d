"""Requests on their way: what is known when a connection fails, and what never leaves with them.

Bars of docs/reliability.md: R12, R20, S4, S10.
"""

import asyncio
import gzip
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from bridge.core.errors import InDoubt, NetworkError, Refused, Transient
from bridge.core.model import PostId
from bridge.core.record import Cursor, Receipt
from bridge.networks.mastodon.adapter import MastodonAdapter
from bridge.networks.mastodon.client import Client
from bridge.networks.mastodon.render import arguments
from bridge.networks.mastodon.settings import MastodonSettings
from tests.fixtures.world import SHARED_MACHINE
from tests.networks.mastodon_servers import (
    STOCK,
    TOKEN,
    ManualClock,
    OddServer,
    adapter_at,
    http,
    knowing,
    odd,
    part,
    raw_server,
    read_request,
    serving,
    status,
    until_true,
)

KEY = "k" * 64
CREATED = status("made", 0)


def creating() -> OddServer:
    """A server that makes every post that it is asked to make."""

    async def respond(request: web.Request) -> web.StreamResponse:
        return web.json_response(CREATED)

    return OddServer(instance=STOCK, special={("POST", "/api/v1/statuses"): respond})


async def publish(adapter: MastodonAdapter) -> Receipt:
    return await adapter.publish(part(), reply_to=None, key=KEY)


async def outcome(adapter: MastodonAdapter) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        await publish(adapter)
    assert TOKEN not in str(caught.value)
    return caught.value


class TestAConnection:
    async def test_that_is_refused_means_surely_not_sent(self) -> None:
        with closing(socket.socket()) as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            async with adapter_at(f"http://127.0.0.1:{port}") as adapter:
                error = await outcome(adapter)
        assert isinstance(error, Transient)
        assert error.unreachable
        assert "ConnectionRefusedError" in error.detail

    async def test_to_a_name_that_does_not_exist_means_surely_not_sent(self) -> None:
        async with adapter_at("http://no-such-host.invalid") as adapter:
            error = await outcome(adapter)
        assert isinstance(error, Transient)
        assert error.unreachable

    async def test_whose_tls_fails_means_surely_not_sent(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(64)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()

        async with raw_server(talk) as url, adapter_at(f"https{url[4:]}") as adapter:
            error = await outcome(adapter)
        assert isinstance(error, Transient)
        assert error.unreachable

    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b'{"id": "made"',
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n',
            b"SSH-2.0-OpenSSH_9.2\r\n",
        ],
        ids=["at once", "in the head", "in the body", "in a chunk", "not HTTP"],
    )
    @pytest.mark.parametrize("reset", [True, False])
    async def test_lost_after_sending_is_in_doubt(self, said: bytes, reset: bool) -> None:
        received: list[str] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.append(await read_request(reader))
            writer.write(said)
            await writer.drain()
            if reset:
                writer.transport.abort()

        async with raw_server(talk) as url, adapter_at(url) as adapter:
            assert isinstance(await outcome(adapter), InDoubt)
        assert len(received) == 1

    async def test_lost_while_reading_is_only_a_failure(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.transport.abort()

        async with raw_server(talk) as url, adapter_at(url) as adapter:
            with pytest.raises(Transient) as caught:
                await adapter.account()
        assert caught.value.unreachable

    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
    async def test_that_drips_a_byte_at_a_time_is_given_up_after_a_bounded_time(
        self, head: bytes
    ) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(head)
            for byte in b"HTTP/1.1 200 OK" * 1000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.02)

        async with raw_server(talk) as url:
            client = Client(MastodonSettings(url, TOKEN), ManualClock(), longest_exchange=0.3)
            async with asyncio.timeout(5):
                with pytest.raises(InDoubt):
                    await client.create(
                        arguments(part(), reply_to=None, key=KEY, now=ManualClock().now()),
                        by=20.0,
                    )
                with pytest.raises(Transient):
                    await client.verify_credentials()
            await client.close()

    async def test_kept_open_is_never_used_for_a_creation(self) -> None:
        """It may be dying; then nobody would know whether the post was made."""
        peers: list[object] = []

        server = creating()

        async def note(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            peers.append(request.transport.get_extra_info("peername"))
            return web.json_response(CREATED)

        server.special["POST", "/api/v1/statuses"] = note
        async with odd(server) as adapter:
            await publish(adapter)
            await publish(adapter)
        assert len(set(peers)) == 2


async def test_a_cancelled_creation_goes_out_once_and_the_next_one_waits_for_its_end() -> None:
    release = asyncio.Event()
    order: list[str] = []
    server = OddServer(instance=STOCK)

    async def slow(request: web.Request) -> web.StreamResponse:
        order.append("begun")
        await release.wait()
        order.append("ended")
        return web.json_response(CREATED)

    server.special["POST", "/api/v1/statuses"] = slow
    async with odd(server) as adapter:
        first = asyncio.create_task(publish(adapter))
        await until_true(lambda: bool(order))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(publish(adapter))
        await asyncio.sleep(0.05)
        assert order == ["begun"]
        release.set()
        await second
    assert order == ["begun", "ended", "begun", "ended"]


class TestAChangeThatComesTooLate:
    """Somebody may have taken over meanwhile, and have proven its absence."""

    async def test_because_another_request_took_long_is_not_sent(self) -> None:
        release, clock, server = asyncio.Event(), ManualClock(), creating()
        begun: list[str] = []

        async def slow(_: web.Request) -> web.StreamResponse:
            begun.append("reading")
            await release.wait()
            return web.json_response([])

        server.special["GET", "/api/v1/accounts/me/statuses"] = slow
        async with odd(server, clock) as adapter:
            reading = asyncio.create_task(adapter.baseline())
            await until_true(lambda: bool(begun))
            late = asyncio.create_task(publish(adapter))
            await asyncio.sleep(0.02)
            clock.pass_time(21)
            release.set()
            await reading
            with pytest.raises(Transient, match="too late") as caught:
                await late
            assert not caught.value.unreachable
            assert not server.bodies
            assert (await publish(adapter)).id == "made"

    async def test_because_the_process_was_stopped_in_the_middle_is_not_sent(self) -> None:
        class Stopped(ManualClock):
            """Twenty-one seconds go by between being asked and the first byte."""

            asked = 0

            def monotonic(self) -> float:
                self.asked += 1
                return 21.0 * (self.asked - 1)

        server = creating()
        async with serving(server), adapter_at(server.url, Stopped()) as adapter:
            with pytest.raises(Transient, match="too late"):
                await publish(adapter)
        assert not server.bodies

    async def test_is_no_matter_for_a_reading(self) -> None:
        clock, server = ManualClock(), OddServer(instance=STOCK)
        async with odd(server, clock) as adapter:
            await adapter.capabilities()
            clock.pass_time(1000)
            assert (await adapter.account()).id == "me"

    @pytest.mark.parametrize(
        "change",
        [
            lambda adapter: adapter.revise(PostId("made"), part()),
            lambda adapter: adapter.delete(PostId("made")),
        ],
        ids=["edit", "deletion"],
    )
    async def test_of_any_kind_is_not_sent(
        self, change: Callable[[MastodonAdapter], Awaitable[object]]
    ) -> None:
        clock, server = ManualClock(), OddServer(instance=STOCK)

        async def show(_: web.Request) -> web.StreamResponse:
            clock.pass_time(21)
            return web.json_response(CREATED)

        server.special["GET", "/api/v1/statuses/made"] = show
        async with odd(server, clock) as adapter:
            with pytest.raises(Transient, match="too late"):
                await change(adapter)
        assert {line.split()[0] for line in server.asked} <= {"GET"}


async def test_closing_ends_a_request_that_hangs_and_can_be_repeated() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.sleep(60)

    async with raw_server(talk) as url, adapter_at(url) as adapter:
        hanging = asyncio.create_task(publish(adapter))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(5):
            await adapter.close()
            with pytest.raises(InDoubt):
                await hanging
            await adapter.close()
        with pytest.raises(Refused, match="closed"):
            await adapter.account()


async def test_closing_ends_a_request_that_waits_for_its_turn_without_sending_it() -> None:
    received: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await read_request(reader))
        await asyncio.sleep(60)

    async with raw_server(talk) as url, adapter_at(url) as adapter:
        abandoned = asyncio.create_task(publish(adapter))
        await until_true(lambda: bool(received))
        abandoned.cancel()
        waiting = asyncio.create_task(publish(adapter))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5 * SHARED_MACHINE):
            await adapter.close()
            with pytest.raises(Refused, match="closed"):
                await waiting
    assert len(received) == 1


async def test_a_token_that_names_a_file_is_still_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / TOKEN).write_text("another-token\nhttps://evil.example\n")
    server = creating()
    async with odd(server) as adapter:
        await publish(adapter)
    assert server.headers[-1]["authorization"] == f"Bearer {TOKEN}"


async def test_the_token_is_not_sent_where_a_redirect_points() -> None:
    elsewhere = OddServer(instance=STOCK)
    async with serving(elsewhere):
        server = creating()

        async def redirect(request: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": f"{elsewhere.url}/x"})

        server.special["POST", "/api/v1/statuses"] = redirect
        async with odd(server) as adapter:
            await outcome(adapter)
    assert not elsewhere.asked


async def test_neither_errors_nor_representations_nor_logs_show_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    server = creating()

    async def quote(request: web.Request) -> web.StreamResponse:
        said = f"what do you mean by {TOKEN}?\nInjected: line\x1b[31m"
        return web.json_response({"error": said}, status=422)

    server.special["POST", "/api/v1/statuses"] = quote
    async with odd(server) as adapter:
        error = await outcome(adapter)
        assert "\n" not in error.detail
        assert "\x1b" not in error.detail
        assert TOKEN not in repr(vars(adapter))
    assert TOKEN not in repr(MastodonSettings("https://x.example", TOKEN))
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ключ"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        MastodonSettings("https://x.example", token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("url", ["mastodon.example", "ftp://x.example", "https://u:p@x.example"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        MastodonSettings(url, TOKEN)


class TestAProxy:
    async def test_that_opens_no_tunnel_means_surely_not_sent(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heads: list[str] = []

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await read_request(reader))
            writer.write(http(b"", status_line="502 Bad Gateway"))
            await writer.drain()

        async with raw_server(talk) as url:
            monkeypatch.setenv("HTTPS_PROXY", url)
            monkeypatch.setenv("NO_PROXY", "")
            async with adapter_at("https://mastodon.invalid") as adapter:
                error = await outcome(adapter)
        assert isinstance(error, Transient)
        assert error.unreachable
        assert heads[0].startswith("CONNECT mastodon.invalid:443")
        assert TOKEN not in heads[0]

    async def test_whose_tunnel_breaks_before_tls_stands_means_surely_not_sent(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await reader.read(64)
            writer.transport.abort()

        async with raw_server(talk) as url:
            monkeypatch.setenv("HTTPS_PROXY", url)
            monkeypatch.setenv("NO_PROXY", "")
            async with adapter_at("https://mastodon.invalid") as adapter:
                error = await outcome(adapter)
        assert isinstance(error, Transient)
        assert error.unreachable


async def test_a_decompression_bomb_is_cut_off_in_a_moment() -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(http(bomb, "Content-Encoding: gzip", "Content-Type: application/json"))
        await writer.drain()

    async with raw_server(talk) as url, adapter_at(url) as adapter:
        begun = time.process_time()
        with pytest.raises(Transient):
            await adapter.account()
        assert time.process_time() - begun < 1


async def test_a_compressed_answer_that_nobody_asked_for_is_still_read() -> None:
    body = gzip.compress(b'{"id": "me", "acct": "me"}')

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(http(body, "Content-Encoding: gzip", "Content-Type: application/json"))
        await writer.drain()

    async with raw_server(talk) as url, adapter_at(url) as adapter:
        assert (await adapter.account()).id == "me"


async def test_ids_cannot_lead_a_request_to_another_path() -> None:
    server = OddServer([status("../../oauth/revoke?x=", 1)], STOCK)
    async with odd(server) as adapter:
        await adapter.read_after(Cursor(post=PostId("&max_id=1#"), at=None), knowing(()))
    assert not [line for line in server.asked if line.startswith("GET /oauth")]
    assert any("min_id=%26max_id%3D1%23" in line for line in server.asked)


async def test_cookies_are_neither_kept_nor_sent() -> None:
    server = creating()

    async def with_cookie(request: web.Request) -> web.StreamResponse:
        response = web.json_response(CREATED)
        response.set_cookie("session", "abc")
        return response

    server.special["POST", "/api/v1/statuses"] = with_cookie
    async with odd(server) as adapter:
        await publish(adapter)
        await publish(adapter)
    assert not [head for head in server.headers if "cookie" in head]
