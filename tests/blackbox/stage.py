"""Several bridges in one configuration, each between two small servers, and the command line."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from aiohttp import web

from tests.blackbox.plain_mastodon import TOKEN, PlainMastodon
from tests.blackbox.plain_x import KEYS, PlainX

SECRETS = (TOKEN, *KEYS)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder with a configuration of one bridge for each pair of servers."""

    folder: Path
    pairs: Any

    async def start(
        self, *arguments: str, stdout: IO[bytes] | int = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        """Start a command."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge", *arguments,
            "--config", str(self.folder / "config.yaml"),
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"NO_COLOR": "1"},
        )  # fmt: skip

    async def twinpost(self, *arguments: str) -> Ended:
        """Run a command to its end; whatever it says must be fit for everybody's eyes."""
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        said = out.decode() + err.decode()
        assert "Traceback" not in said, said
        assert not [secret for secret in SECRETS if secret in said], said
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def history(self) -> list[dict[str, Any]]:
        """Every post that was read, and what became of it."""
        return (await self.twinpost("history", "--all", "--json", "--limit", "1000")).rows


@asynccontextmanager
async def staged(
    folder: Path, pairs: dict[str, tuple[PlainX, PlainMastodon]]
) -> AsyncIterator[Stage]:
    """Serve all servers and write the configuration."""
    async with AsyncExitStack() as stack:
        bridges = []
        for name, (x, mastodon) in pairs.items():
            x_url = await stack.enter_async_context(served(x.app))
            mastodon_url = await stack.enter_async_context(served(mastodon.app))
            keys = (
                "consumer_key: {}, consumer_secret: {}, access_token: {}, access_token_secret: {}"
            )
            bridges.append(
                f"""
  - name: {name}
    mastodon: {{url: "{mastodon_url}", access_token: {TOKEN}}}
    x: {{url: "{x_url}", oauth1: {{{keys.format(*KEYS)}}}}}
    mastodon_to_x: {{every: 1s, max_per_hour: any, delay: 0s}}
    x_to_mastodon: {{every: 1s, max_per_hour: any, delay: 0s}}"""
            )
        text = f"state: {folder / 'state'}\nbridges:{''.join(bridges)}\n"
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        yield Stage(folder, pairs)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://127.0.0.1:{1}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()
