"""Bridges between whole servers in one configuration, and the command line that carries them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.blackbox.fediverse import TOKEN, Server
from tests.blackbox.stage import Stage, served
from tests.blackbox.whole_x import KEYS, WholeX

NAMES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
Pairs = Mapping[str, tuple[WholeX, Server]]


@asynccontextmanager
async def scene(
    folder: Path, pairs: Pairs, *, x: str = "", outward: str = "", homeward: str = ""
) -> AsyncIterator[Stage]:
    """Serve all of them and write the configuration; the texts are more keys, as YAML in a row."""
    async with AsyncExitStack() as stack:
        bridges = []
        for name, (on_x, on_mastodon) in pairs.items():
            on_x.url = await stack.enter_async_context(served(on_x.app))
            on_mastodon.url = await stack.enter_async_context(served(on_mastodon.app))
            keys: dict[str, Any] = {"url": on_x.url}
            keys["oauth1"] = dict(zip(NAMES, KEYS, strict=True))
            usual = "max_per_hour: any, delay: 0s, max_age: any"
            outward, homeward = (given or "every: 1s" for given in (outward, homeward))
            bridges.append(
                f"""
  - name: {name}
    mastodon: {{url: "{on_mastodon.url}", access_token: {TOKEN}}}
    x: {{{json.dumps(keys)[1:-1]}{", " * bool(x)}{x}}}
    mastodon_to_x: {{{usual}{", " * bool(outward)}{outward}}}
    x_to_mastodon: {{{usual}{", " * bool(homeward)}{homeward}}}"""
            )
        text = f"state: {folder / 'state'}\nbridges:{''.join(bridges)}\n"
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        yield Stage(folder, pairs)
