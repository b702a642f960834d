"""`twinpost sandbox`: what it prints is a configuration that points at it."""

import asyncio
import re
import signal
from pathlib import Path

from bridge.config import load
from tests.fixtures.world import TWINPOST

ENDS = "Ctrl-C ends it."


async def test_what_the_sandbox_prints_is_a_configuration_that_runs_against_it(
    tmp_path: Path,
) -> None:
    ports = ("--x-port", "0", "--mastodon-port", "0")
    sandbox = await asyncio.create_subprocess_exec(
        *TWINPOST, "sandbox", *ports, cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert sandbox.stdout is not None
    assert sandbox.stderr is not None
    try:
        async with asyncio.timeout(30):
            told = (await sandbox.stderr.readuntil(ENDS.encode())).decode()
        sandbox.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            config = tmp_path / "config.yaml"
            config.write_bytes(await sandbox.stdout.read())
            assert await sandbox.wait() == 0
    finally:
        if sandbox.returncode is None:
            sandbox.kill()
    (bridge,) = load(config).bridges
    for url in (bridge.mastodon.url, bridge.x.url):
        assert url in told
    assert re.search(rf"twinpost init --mastodon-url {bridge.mastodon.url} --x-url \S+", told)
