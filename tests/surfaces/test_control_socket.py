"""The control socket takes one command a connection, and no crowd or malformed line breaks it."""

import asyncio
import json
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.surfaces.socket import NAME, ask, listening
from tests.surfaces.stage import Bridge, bridged

LINES = (
    b"[" * 15_000 + b"\n",
    b'{"do":' * 2_500 + b"\n",
    b"\xff\xfe\n",
    b"\0\n",
    b"null\n",
    b"[]\n",
    b'{"do": []}\n',
    b'{"do": {"do": 1}}\n',
    b'{"do": "pause", "bridge": 7}\n',
    b'{"do": "retry", "post": "\\ud800"}\n',
    b'{"do": "retry", "post": "a\\u0000"}\n',
    b'{"do": %s}\n' % (b"1" * 9_000),
    b"\n",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="twinpost-") as made:
        yield Path(made)


@pytest.fixture
async def bridge(folder: Path) -> AsyncIterator[Bridge]:
    async with bridged(folder) as made, listening(folder, made.commands):
        yield made


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def said(folder: Path, line: bytes) -> dict[str, str] | None:
    reader, writer = await asyncio.open_unix_connection(folder / NAME)
    writer.write(line)
    async with asyncio.timeout(5):
        answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return json.loads(answer) if answer else None


async def test_a_malformed_line_is_refused_without_a_fault(
    bridge: Bridge, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for line in LINES:
        answer = await said(folder, line)
        assert answer is not None, line
        assert set(answer) <= {"refused", "unknown"}, line
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert not any(lane.paused for lane in bridge.daemon.lanes)


async def test_idle_connections_keep_no_command_out(bridge: Bridge, folder: Path) -> None:
    before = descriptors()
    idle = [await asyncio.open_unix_connection(folder / NAME) for _ in range(60)]
    await asyncio.to_thread(ask, folder, do="pause")
    assert all(lane.paused for lane in bridge.daemon.lanes)
    # Both ends are of this process; those that were closed for others have one left.
    assert descriptors() - before < 60 + 20
    for _, writer in idle:
        writer.close()
    await asyncio.gather(*(w.wait_closed() for _, w in idle), return_exceptions=True)
