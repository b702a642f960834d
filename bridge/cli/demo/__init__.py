"""`twinpost demo`: both networks as sandboxes, a bridge between them, and a page to write on.

The bridge is the daemon that serves real accounts, configured by a real file that points at the
sandboxes, with its own page switched on. Must not reach into the daemon: the demo's page asks
`engine.control` and hears events, as any surface does.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import webbrowser
from contextlib import AsyncExitStack
from pathlib import Path

from bridge import log
from bridge.app.accounts import secrets_of
from bridge.app.outlets import Outlets
from bridge.app.wiring import wired
from bridge.cli.demo.stage import CONFIG, Stage, staged
from bridge.cli.demo.telling import Telling, telling
from bridge.cli.exits import Exit
from bridge.config import Settings, load
from bridge.core.errors import ConfigError
from bridge.net.listener import Limits, raise_descriptor_limit
from bridge.net.serving import serving

logger = logging.getLogger(__name__)

_GRACE = 0.1


def run(arguments: argparse.Namespace) -> int:
    """The demo, until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="twinpost-demo-") as temporary:
        folder = Path(arguments.state or temporary).resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        raise_descriptor_limit()
        code = asyncio.run(_demo(arguments, folder))
    sys.stdout.flush()
    logging.shutdown()
    if code is not Exit.FINE:
        return code
    # A library's thread may still wait for a sandbox that is gone; nobody needs its answer.
    os._exit(code)


async def _demo(arguments: argparse.Namespace, folder: Path) -> Exit:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        from bridge.cli.demo.page import Page  # noqa: PLC0415 - draws with an extra
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the demo is drawn like the bridge's own page, and {error.name} is not installed; "
            'install it with: pip install "twinpost[web]"'
        ) from None
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(folder if arguments.state else None))
        told = await stack.enter_async_context(telling()) if arguments.mqtt else None
        own = f"web: {{enabled: true, listen: '127.0.0.1:{_next_to(arguments.port)}'}}\n"
        settings = _configured(folder, stage, own, told)
        log.configure(secrets=secrets_of(settings), verbose=False)
        page, outlets = Page(stage), Outlets(settings)
        running = await stack.enter_async_context(
            wired(
                settings,
                listeners=(log.log_event, page.live.hear, *outlets.listeners),
                traffic=outlets.traffic,
            )
        )
        if told is not None:
            await stack.enter_async_context(told.printed())
        await stack.enter_async_context(outlets.at_work(running))
        bridges_own = None if outlets.page is None else outlets.page.address
        page.ask(running.control, bridges_own)
        try:
            host, port = await stack.enter_async_context(
                serving(page.app, "127.0.0.1", arguments.port, Limits(), grace=_GRACE)
            )
        except OSError:
            raise ConfigError(
                f"port {arguments.port} is taken; choose another: twinpost demo --port 9000"
            ) from None
        url = f"http://{host}:{port}"
        print(f"The demo is at {url}/ (Ctrl-C ends it)", flush=True)
        if bridges_own is not None:
            print(f"The bridge's own page is at {bridges_own}/", flush=True)
        if not arguments.headless:
            opening = loop.run_in_executor(None, webbrowser.open, f"{url}/")
            stack.callback(opening.cancel)
        play = stage.play(running.control, dear=told is not None)
        playing = asyncio.create_task(play, name="play")
        stack.callback(playing.cancel)
        await running.daemon.run(stop)
    return Exit.FINE


def _next_to(port: int) -> int:
    """The port after that of the demo for the bridge's own page; any free one where it is taken."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port + 1 if port else 0))
        except (OSError, OverflowError):
            return 0
    return port + 1 if port else 0


def _configured(folder: Path, stage: Stage, own: str, told: Telling | None) -> Settings:
    """Write the configuration that a user would write, and read it as a user's is read."""
    file = folder / "config.yaml"
    text = CONFIG.format(
        name="demo",
        state=".",
        mastodon_url=stage.mastodon_url,
        mastodon_token=stage.mastodon_account.access_token,
        x_url=stage.x_url,
        x=stage.x_account.oauth1,
        x_budget="" if told is None else told.budget,
    )
    fresh = folder / f".config-{secrets.token_hex(4)}"
    fresh.touch(mode=0o600)
    fresh.write_text(text + own + ("" if told is None else told.configuration), encoding="utf-8")
    fresh.replace(file)
    return load(file)
