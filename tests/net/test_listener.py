"""Connections are limited, those that wait make room, and nobody waits for ever."""

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest

from bridge.net import listener
from bridge.net.listener import Connection, Limits, accepting, bound, share_of_descriptors

PATIENT = Limits(connections=6, per_client=3, head=30.0)
ONE, TWO, THREE = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class Echo(asyncio.Protocol):
    """Sends back what comes; "work" is a request that takes for ever."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        connection = self.transport.get_protocol()
        assert isinstance(connection, Connection)
        if data == b"work":
            connection.serve()
        self.transport.write(data)


@dataclass
class Server:
    port: int
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def connect(
        self, source: str = ONE, say: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made = await asyncio.open_connection(ONE, self.port, local_addr=(source, 0))
        self.opened.append(made)
        if say:
            made[1].write(say)
            async with asyncio.timeout(5):
                assert await made[0].read(100) == say
        return made


@asynccontextmanager
async def server(limits: Limits) -> AsyncIterator[Server]:
    sockets = await bound(ONE, 0)
    async with accepting(sockets, Echo, limits) as accepted:
        made = Server(sockets[0].getsockname()[1])
        try:
            yield made
        finally:
            accepted.close()
            for _, writer in made.opened:
                writer.close()
            closing = [writer.wait_closed() for _, writer in made.opened]
            await asyncio.gather(*closing, return_exceptions=True)


async def is_closed(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
    try:
        async with asyncio.timeout(0.05):
            return await connection[0].read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_idle_connections_keep_nobody_out_and_the_longest_idle_makes_room() -> None:
    async with server(PATIENT) as served:
        idle = [await served.connect(TWO) for _ in range(20)]
        await served.connect(TWO, b"hello")
        await served.connect(ONE, b"hello")
        assert [await is_closed(each) for each in idle] == [True] * 18 + [False] * 2


async def test_all_clients_together_stay_within_the_limit() -> None:
    async with server(PATIENT) as served:
        idle = [await served.connect(each) for each in (ONE, TWO, THREE) for _ in range(3)]
        await served.connect("127.0.0.4", b"hello")
        assert sum([not await is_closed(each) for each in idle]) == 5


async def test_a_connection_that_is_served_is_not_closed_for_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with server(PATIENT) as served:
        busy = [await served.connect(TWO, b"work") for _ in range(3)]
        assert await is_closed(await served.connect(TWO))
        assert not any([await is_closed(each) for each in busy])
        await served.connect(ONE, b"hello")
    assert "3 are open already" in caplog.text


async def test_a_trusted_proxy_may_take_all_connections() -> None:
    limits = Limits(connections=6, per_client=3, trusted=(ip_network(f"{TWO}/32"),))
    async with server(limits) as served:
        for _ in range(6):
            await served.connect(TWO, b"work")
        assert await is_closed(await served.connect(TWO))


async def test_a_client_that_says_nothing_is_left() -> None:
    async with server(Limits(head=0.02)) as served:
        silent = await served.connect()
        busy = await served.connect(say=b"work")
        async with asyncio.timeout(5):
            assert await silent[0].read() == b""
        assert not await is_closed(busy)


async def test_a_closed_connection_makes_room() -> None:
    async with server(PATIENT) as served:
        for _ in range(20):
            _, writer = await served.connect(say=b"work")
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0)


async def test_out_of_descriptors_accepting_pauses_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "ACCEPT_PAUSE", 0.02)
    loop = asyncio.get_running_loop()
    accept, refused = loop.sock_accept, 0

    async def failing(sock: socket.socket) -> tuple[socket.socket, object]:
        nonlocal refused
        if refused < 3:
            refused += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(sock)

    monkeypatch.setattr(loop, "sock_accept", failing)
    async with server(PATIENT) as served:
        await served.connect(say=b"hello")
    assert [each.levelno for each in caplog.records] == [logging.WARNING] * 3


@pytest.mark.parametrize(
    ("soft", "share"), [(1024, 128), (256, 32), (16, 4), (resource.RLIM_INFINITY, 4096)]
)
def test_most_descriptors_are_kept_for_the_bridge(
    monkeypatch: pytest.MonkeyPatch, soft: int, share: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert share_of_descriptors() == share


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1024, 20_000), (4096, 20_000)),
        ((256, 512), (512, 512)),
        ((256, resource.RLIM_INFINITY), (4096, resource.RLIM_INFINITY)),
        ((8192, 20_000), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_it_may(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], after: tuple[int, int] | None
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: before)
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: given.append(both))
    listener.raise_descriptor_limit()
    assert given == ([] if after is None else [after])
